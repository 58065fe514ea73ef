/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_RPC_JSON_DUMP_H
#define PLVS_RPC_JSON_DUMP_H

/* Long answers: jansson gives its text in pieces of a few bytes, and each addition to an evbuffer
 * costs more than the piece. So the pieces are collected first. */

#include <event2/buffer.h>
#include <jansson.h>

/* Appends the text of json; flags are those of jansson. 0, or -1 without memory. */
int json_dump_evbuffer(const json_t *json, size_t flags, struct evbuffer *out);

#endif
