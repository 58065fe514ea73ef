/* SPDX-License-Identifier: BSD-3-Clause */
/* Next hops that control wants: the list, and the hops that Linux's routes make of the list. */
#include "link/hops.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "link/fib_family.h"
#include "link/hop_index.h"

static void want_one(struct hops *h, link_id link, const struct addr *a, uint32_t now_s)
{
	uint32_t id;

	if (!mirror_iface_by_link(h->mirror, link) || !addr_is_unicast(a))
		return;
	id = hop_index_find(h->table, link, a);
	if (id == 0) {
		id = hops_add(h, link, a, now_s);
	} else if (!h->hop[id].wanted) {
		if (!h->hop[id].proven)
			h->n_unproven--;
		hops_enqueue(h, id);
	}
	if (id) {
		h->hop[id].wanted = true;
		h->hop[id].seen = true;
	}
}

static void want_follow(struct hops *h, const struct link_want *w, uint32_t now_s)
{
	const struct fib *fib = h->pub->fib;
	struct addr hop;
	link_id link;

	if (w->link != LINK_ANY)
		want_one(h, w->link, &w->addr, now_s);
	else if (fib && (w->addr.family == ADDR_V6 ? fib_family6_hop
						   : fib_family4_hop)(fib, &w->addr, &link, &hop))
		want_one(h, link, &hop, now_s);
}

void hops_routes_changed(struct hops *h, uint32_t now_s)
{
	h->wants_less = false;
	hops_reading_begin(h);
	for (uint32_t i = 0; i < h->n_wants; i++)
		want_follow(h, &h->wants[i], now_s);
	for (uint32_t id = 1; id <= h->max_id; id++) {
		struct hop *hop = &h->hop[id];

		if (!hop->in_use || !hop->wanted || hop->seen)
			continue;
		hop->wanted = false;
		hop->used_s = now_s;
		if (!hop->proven)
			h->n_unproven++;
	}
}

void hops_set_wants(struct hops *h, struct link_want *wants, uint32_t n, uint32_t now_s)
{
	free(h->wants);
	h->wants = wants;
	h->n_wants = h->max_wants = n;
	hops_routes_changed(h, now_s);
}

/* The place of a want, or n_wants. */
static uint32_t want_find(const struct hops *h, const struct link_want *want)
{
	uint32_t i = 0;

	while (i < h->n_wants &&
	       !(h->wants[i].link == want->link && addr_equal(&h->wants[i].addr, &want->addr)))
		i++;
	return i;
}

int hops_want_more(struct hops *h, const struct link_want *want, uint32_t now_s)
{
	if (want_find(h, want) < h->n_wants)
		return 0;
	if (array_room(&h->wants, h->n_wants, &h->max_wants, sizeof(*h->wants)) < 0)
		return -ENOMEM;
	h->wants[h->n_wants++] = *want;
	want_follow(h, want, now_s);
	return 0;
}

void hops_want_less(struct hops *h, const struct link_want *want)
{
	const uint32_t at = want_find(h, want);

	if (at == h->n_wants)
		return;
	h->wants[at] = h->wants[--h->n_wants];
	h->wants_less = true;
}

void hops_wants_sweep(struct hops *h, uint32_t now_s)
{
	if (h->wants_less)
		hops_routes_changed(h, now_s);
}
