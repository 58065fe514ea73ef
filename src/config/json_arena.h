/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONFIG_JSON_ARENA_H
#define PLVS_CONFIG_JSON_ARENA_H

/*
 * Memory for the JSON values of a large text. The values live until the configuration is made of
 * them, a fraction of a second, and end together. malloc() would take and give back each of a
 * million pieces, and the configuration, which stays, would lie scattered among their holes. So
 * they come from one mapping, in order, and its pages go back to the system at once.
 *
 * The arena has one holder at a time. Without it values come from malloc(), as do those that are
 * made outside of json_arena_fill(). jansson is told of both functions at the first use.
 *
 * Context: any thread, apart from a worker.
 */

#include <stdbool.h>

/* The caller becomes the holder. False: another thread is, or there is no address space. */
bool json_arena_take(void);
/* Holder: the values that this thread makes from now on are of the arena (true) or of malloc(). */
void json_arena_fill(bool on);
/* Holder: the values have been released by json_decref(). */
void json_arena_give(void);

#endif
