/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_RPC_JSON_DUMP_H
#define PLVS_RPC_JSON_DUMP_H

/* Long answers: base/json_write.h into an evbuffer. */

#include <event2/buffer.h>
#include <jansson.h>
#include <stdbool.h>

/* Appends the text of json, without the outer brackets if embed. 0, or -1 without memory. */
int json_dump_evbuffer(const json_t *json, bool embed, struct evbuffer *out);

#endif
