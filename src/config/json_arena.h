/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONFIG_JSON_ARENA_H
#define PLVS_CONFIG_JSON_ARENA_H

/*
 * Memory for the JSON values of a large text. The values live for a fraction of a second, until the
 * configuration is made of them, and end together. malloc() would handle each of a million pieces,
 * and the configuration, which stays, would lie scattered among their holes. So values come from
 * one mapping, in order, and its pages go back to the system at once.
 *
 * The arena has one holder at a time. Without the arena, and outside of json_arena_fill(), values
 * come from malloc(). The first use gives jansson both functions.
 *
 * Context: any thread, apart from a worker.
 */

#include <stdbool.h>

/* The caller becomes the holder. False: another thread is, or there is no address space. */
bool json_arena_take(void);
/* Holder: this thread makes values in the arena (true) or by malloc() from now on. */
void json_arena_fill(bool on);
/* Holder: ends the use of the arena, after json_decref() of all values. */
void json_arena_give(void);

#endif
