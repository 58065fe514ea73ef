/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_LISTING_H
#define PLVS_CONTROL_LISTING_H

/*
 * Answers about all services. A listing is made a few services at a time, so that a listing of ten
 * thousand services does not delay a change of one; the client gets one document.
 * Context: the control thread.
 */

#include "control/control_internal.h"

/* Given to the functions that make rows. */
struct listing_given {
	const struct traffic_sum *removed; /* by service id, see traffic.h */
	const json_t *params;		   /* of the request; may be NULL */
};

struct json_writer;

/* {"KEY": [rows]}. One of the three functions is set. */
struct listing_section {
	const char *key;
	/* Appends the rows of one service. */
	void (*of_service)(struct control *c, const struct config_service *svc,
			   const struct listing_given *given, json_t *rows);
	/* The same with one row for each service, as text. */
	void (*write)(struct control *c, const struct config_service *svc,
		      const struct listing_given *given, struct json_writer *w);
	/* All rows, a new reference. */
	json_t *(*all)(struct control *c);
};

#define LISTING_SECTIONS_MAX 8

/* Ends req, now or later. params may be NULL. */
void listing_start(struct control *c, struct rpc_request *req, json_t *params,
		   const struct listing_section *const *sections, size_t n);

/* Sends rows as a stream, some at a time. more() returns the rows from *place on and advances
 * *place; NULL at the end. The answer is {"count": *place}. Ends req. */
void listing_stream(struct control *c, struct rpc_request *req,
		    json_t *(*more)(struct control *c, uint32_t *place));

#endif
