/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONFIG_JSON_DIFF_H
#define PLVS_CONFIG_JSON_DIFF_H

/* Differences of JSON values in words, and of orders in moves. Context: control. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Called for each value that differs; a or b is NULL if the value is missing. */
typedef void json_diff_found(void *arg, const char *path, const json_t *a, const json_t *b);

/* Walks both; path is the name of the whole, "" for none. Lists of different length differ
 * as a whole. 0 or -ENOMEM. */
int json_diff(const char *path, const json_t *a, const json_t *b, json_diff_found *found,
	      void *arg);
/* "weight: 1 -> 2". To be freed; NULL: out of memory. */
char *json_diff_line(const char *path, const json_t *a, const json_t *b);
/* Takes a and b over. 0 with *detail, all lines joined by "; " (NULL: no difference), or
 * -ENOMEM. */
int json_diff_detail(json_t *a, json_t *b, char **detail);

/* Finds the objects that moved: the fewest that explain the new order. */
struct moves {
	uint32_t
		*old_pos; /* old positions of the objects that both orders have, in the new order */
	uint32_t n;	  /* number of positions, at most the n of moves_init() */
	bool *moved;	  /* answer, per object */
	uint32_t *tail, *prev;
};

int moves_init(struct moves *m, uint32_t n); /* 0 or -ENOMEM; fini() in both cases */
void moves_find(struct moves *m);	     /* n log n */
void moves_fini(struct moves *m);

#endif
