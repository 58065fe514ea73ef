/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_MARK_H
#define PLVS_MODEL_MARK_H

/*
 * Mark rules: what a netfilter mangle chain gives IPVS. An ordered list; as in a chain of
 * MARK targets the last rule that matches decides, and mark 0 takes a mark away.
 * Built by control, immutable once published; worker: look-ups.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/be.h"
#include "model/link_id.h"
#include "model/mark_prefix.h"
#include "model/snapshot.h"

struct mark_ports {
	uint16_t first, last; /* host order; last 0 = any */
	uint8_t negate;
	uint8_t pad;
};

/* Without padding that is not zero: compared as bytes. */
struct mark_rule4 {
	struct mark_prefix source, dest;
	struct mark_ports sport, dport;
	link_id link; /* LINK_ANY */
	uint32_t mark;
	uint8_t link_negate;
	uint8_t proto; /* 0 = any */
	uint8_t pad[2];
};

/* In the table of listeners a mark stands as an address, under a protocol of its own. */
#define LISTENER_MARK 0xffU

/* Entries without negation that the rule takes apart into. */
uint32_t mark_rule4_entries(const struct mark_rule4 *rule);
/* The prefixes that p matches; at most 32. Returns how many. */
uint32_t mark_prefix_split(const struct mark_prefix *p, struct mark_prefix out[32]);

struct fib4;

/* One prefix of destinations, and the service that its rule leads to. */
struct mark_cover_entry {
	be32 addr;
	uint8_t len;
	bool lingering; /* no rule leads there any more, but connections may */
	uint32_t service_id;
};

/* The destinations that a rule whose mark has a service can match: whoever is steered asks
 * this before any classification. */
struct mark_cover {
	uint32_t refs;	      /* control only */
	uint32_t n, n_linger; /* entries; those that linger */
	struct fib4 *v4;
	struct mark_cover_entry entries[]; /* control only; in order, each once */
};

#define MARK_COVER_LINGER_MAX 65536 /* the rest is given up */

/*
 * What the cover before had and this one's rules do not have lingers in it: connections
 * that came by a rule outlive the rule and its service. before may be NULL. NULL with
 * errno 0: nothing is covered; with ENOMEM: no memory.
 */
struct mark_cover *mark_cover_create(const struct mark_rule4 *rules, uint32_t n,
				     const struct listener_table4 *services,
				     const struct mark_cover *before);
/* A copy without what lingers for services that are not busy[id], in *out (NULL: nothing is
 * left). 1, 0 (all of it stays: no copy is made) or -ENOMEM. */
int mark_cover_trim(const struct mark_cover *c, const uint8_t *busy, struct mark_cover **out);
void mark_cover_put(struct mark_cover *c); /* NULL is allowed */
bool mark_cover_has(const struct mark_cover *c, be32 dest);

/* The rules as compiled by dataplane/stages/classify4.h, which knows the rest. */
struct mark_table {
	uint32_t refs; /* control only */
	void (*destroy)(struct mark_table *t);
};

void mark_table_put(struct mark_table *t); /* NULL is allowed */

#endif
