/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONFIG_COMMENTS_H
#define PLVS_CONFIG_COMMENTS_H

/*
 * The comments of a configuration file, carried over into the text of another configuration. A
 * comment belongs to the key or the element that follows it, or that stands before it on its line.
 * Elements of lists are the same where they have the same identity: a service its first listener,
 * others their address or name. Comments of a key that is left out now (it has its default) stand
 * at the head of its object. Comments of a removed object are lost.
 *
 * Context: any.
 */

#include <jansson.h>
#include <stddef.h>

/* The text of `json`, as config_to_text() writes it, with the comments of `old`. old_json: the
 * value of `old`, in the form of config_to_json(). free(); NULL: no memory. */
char *comments_carry(const char *old, size_t len, const json_t *old_json, const json_t *json);

#endif
