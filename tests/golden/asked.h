/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_GOLDEN_ASKED_H
#define PLVS_TESTS_GOLDEN_ASKED_H

/*
 * Explain held against the packets of the recordings. Before each packet explain is asked about
 * the packet; then the packet itself goes through the stages. Door, reason and every byte that
 * leaves must be those of the answer. Asking must change nothing.
 */

#include "dataplane/explain/explain.h"
#include "lib/harness.h"

struct asked;

struct asked_totals {
	unsigned int packets;	/* asked about */
	unsigned int wrong;	/* answers that were not what the packet did */
	unsigned int disturbed; /* times that asking changed something */
};
extern struct asked_totals asked_totals;

struct asked *asked_create(struct harness *h);
void asked_destroy(struct asked *a);
/* Before the frame arrives. */
void asked_before(struct asked *a, uint16_t port, const uint8_t *frame, uint16_t len);
/* The frame has gone through the stages, and what waited for a next hop as well. */
void asked_after(struct asked *a);
/* A frame that left. */
void asked_took(struct asked *a, unsigned int port, const uint8_t *frame, size_t len);

#endif
