/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/net/witness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

struct witness {
	struct addr addr;
	uint8_t silent;	   /* questions since it answered last */
	struct mac mac;	   /* by which it answered */
	uint64_t heard_ms; /* 0: never, or not since witnesses_forget() */
};

struct witness_link {
	link_id link;
	struct addr own4, own6; /* ADDR_NONE: none */
	uint32_t n;
	struct witness *list;		       /* in the caller's order */
	uint32_t *sorted;		       /* indexes of list by address */
	uint32_t answering[WITNESS_ANSWERING]; /* indexes, the latest to answer first */
	uint32_t n_answering;
	uint32_t next; /* of the others: the next to be asked */
	uint64_t others_ms;
};

struct witnesses {
	struct witness_ops ops;
	struct witness_link *links;
	uint32_t n_links, max_links;
};

struct witnesses *witnesses_create(const struct witness_ops *ops)
{
	struct witnesses *w = calloc(1, sizeof(*w));

	if (w)
		w->ops = *ops;
	return w;
}

static void link_free(struct witness_link *l)
{
	free(l->list);
	free(l->sorted);
}

void witnesses_destroy(struct witnesses *w)
{
	if (!w)
		return;
	for (uint32_t i = 0; i < w->n_links; i++)
		link_free(&w->links[i]);
	free(w->links);
	free(w);
}

static struct witness_link *link_find(const struct witnesses *w, link_id link)
{
	for (uint32_t i = 0; i < w->n_links; i++)
		if (w->links[i].link == link)
			return &w->links[i];
	return NULL;
}

/* The index of an address, or of where it would be. */
static uint32_t sorted_find(const struct witness_link *l, const struct addr *addr)
{
	uint32_t low = 0, high = l->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (addr_cmp(&l->list[l->sorted[middle]].addr, addr) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct witness *witness_find(const struct witness_link *l, const struct addr *addr)
{
	uint32_t i = sorted_find(l, addr);

	if (i == l->n || !addr_equal(&l->list[l->sorted[i]].addr, addr) || addr_is_zero(addr))
		return NULL;
	return &l->list[l->sorted[i]];
}

/* ---- lists ---- */

static int by_addr(const void *a, const void *b, void *arg)
{
	const struct witness *list = arg;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;

	int order = addr_cmp(&list[i].addr, &list[k].addr);

	if (order)
		return order;
	return i < k ? -1 : i > k;
}

/* list and sorted of *l. 0 or -ENOMEM with nothing to free. */
static int list_make(struct witness_link *l, const struct addr *addrs, uint32_t n)
{
	l->n = n < WITNESS_PER_LINK ? n : WITNESS_PER_LINK;
	l->list = calloc(l->n, sizeof(*l->list));
	l->sorted = calloc(l->n, sizeof(*l->sorted));
	if (!l->list || !l->sorted) {
		link_free(l);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < l->n; i++) {
		l->list[i].addr = addrs[i];
		l->sorted[i] = i;
	}
	qsort_r(l->sorted, l->n, sizeof(*l->sorted), by_addr, l->list);
	return 0;
}

/* Of equal ones the first in order is the one that is found, and asked. */
static bool is_double(const struct witness_link *l, uint32_t index)
{
	return witness_find(l, &l->list[index].addr) != &l->list[index];
}

/* Copies the state of the witnesses that stay; those that answer keep their order. */
static void list_inherit(struct witness_link *to, const struct witness_link *from)
{
	for (uint32_t i = 0; i < from->n; i++) {
		struct witness *w = witness_find(to, &from->list[i].addr);

		if (w)
			*w = from->list[i];
	}
	for (uint32_t i = 0; i < from->n_answering; i++) {
		const struct witness *w = witness_find(to, &from->list[from->answering[i]].addr);

		if (w)
			to->answering[to->n_answering++] = (uint32_t)(w - to->list);
	}
}

static void link_remove(struct witnesses *w, struct witness_link *l)
{
	if (!l)
		return;
	link_free(l);
	*l = w->links[--w->n_links];
}

int witnesses_set(struct witnesses *w, link_id link, const struct addr *own4,
		  const struct addr *own6, const struct addr *addrs, uint32_t n)
{
	struct witness_link *l = link_find(w, link),
			    new = {.link = link, .own4 = *own4, .own6 = *own6};

	if (n == 0) {
		link_remove(w, l);
		return 0;
	}
	new.own4.family = ADDR_V4; /* none: asked as a station without an address asks */
	if (list_make(&new, addrs, n) < 0)
		return -ENOMEM;
	if (l) {
		list_inherit(&new, l);
		link_free(l);
	} else {
		if (array_room(&w->links, w->n_links, &w->max_links, sizeof(*l)) < 0) {
			link_free(&new);
			return -ENOMEM;
		}
		l = &w->links[w->n_links++];
	}
	*l = new;
	return 0;
}

/* ---- questions and answers ---- */

static const struct addr *own_of(const struct witness_link *l, const struct addr *who)
{
	return who->family == ADDR_V6 ? &l->own6 : &l->own4;
}

/* A solicitation needs a source: without one it would look for duplicates. */
static bool can_ask(const struct witness_link *l, const struct addr *who)
{
	return who->family == ADDR_V4 || l->own6.family == ADDR_V6;
}

static void ask(struct witnesses *w, const struct witness_link *l, const struct witness *who,
		bool unicast)
{
	const struct discovery_packet p = {
		.op = DISCOVERY_QUESTION,
		.dst = unicast ? who->mac : discovery_all,
		.sender = *own_of(l, &who->addr),
		.target = who->addr,
	};

	w->ops.ask(w->ops.arg, l->link, &p);
}

static bool is_answering(const struct witness_link *l, uint32_t index)
{
	for (uint32_t i = 0; i < l->n_answering; i++)
		if (l->answering[i] == index)
			return true;
	return false;
}

/* A witness that left WITNESS_PATIENCE questions unanswered makes room: a broadcast may find the
 * witness elsewhere. */
static void answering_sift(struct witness_link *l)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < l->n_answering; i++) {
		if (l->list[l->answering[i]].silent < WITNESS_PATIENCE)
			l->answering[n++] = l->answering[i];
	}
	l->n_answering = n;
}

static void link_ask(struct witnesses *w, struct witness_link *l, uint64_t now_ms)
{
	uint32_t asked;

	answering_sift(l);
	for (asked = 0; asked < l->n_answering; asked++) {
		l->list[l->answering[asked]].silent++;
		ask(w, l, &l->list[l->answering[asked]], true);
	}
	if (l->n_answering >= WITNESS_ENOUGH && now_ms - l->others_ms < WITNESS_OTHERS_MS)
		return;
	l->others_ms = now_ms;
	for (uint32_t looked = 0; looked < l->n && asked < WITNESS_ASKED; looked++) {
		uint32_t index = l->next++ % l->n;

		l->next %= l->n;
		if (is_answering(l, index) || is_double(l, index) ||
		    !can_ask(l, &l->list[index].addr))
			continue;
		ask(w, l, &l->list[index], false);
		asked++;
	}
}

void witnesses_ask(struct witnesses *w, uint64_t now_ms)
{
	for (uint32_t i = 0; i < w->n_links; i++)
		link_ask(w, &w->links[i], now_ms);
}

static void answering_add(struct witness_link *l, uint32_t index)
{
	uint32_t at = 0;

	while (at < l->n_answering && l->answering[at] != index)
		at++;
	if (at == l->n_answering) {
		if (at == WITNESS_ANSWERING)
			return; /* enough: they go when they fall silent */
		l->n_answering++;
	}
	memmove(&l->answering[1], &l->answering[0], at * sizeof(l->answering[0]));
	l->answering[0] = index;
}

bool witnesses_heard(struct witnesses *w, link_id link, const struct discovery_packet *p,
		     uint64_t now_ms)
{
	struct witness_link *l = link_find(w, link);
	struct witness *who = l ? witness_find(l, &p->sender) : NULL;

	/* Only what answers our question: a broadcast may be heard by a port that cannot send. */
	if (!who || !p->solicited || !addr_equal(&p->target, own_of(l, &who->addr)))
		return false;
	who->mac = p->sender_mac;
	who->heard_ms = now_ms;
	who->silent = 0;
	answering_add(l, (uint32_t)(who - l->list));
	return true;
}

static uint32_t link_count(const struct witness_link *l, uint64_t now_ms, uint32_t within_ms)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < l->n_answering; i++) {
		uint64_t heard = l->list[l->answering[i]].heard_ms;

		n += heard && now_ms - heard <= within_ms;
	}
	return n;
}

uint32_t witnesses_count(const struct witnesses *w, link_id link, uint64_t now_ms,
			 uint32_t within_ms)
{
	const struct witness_link *l = link_find(w, link);

	return l ? link_count(l, now_ms, within_ms) : 0;
}

uint32_t witnesses_count_all(const struct witnesses *w, uint64_t now_ms, uint32_t within_ms,
			     uint32_t *deaf)
{
	uint32_t all = 0, silent = 0;

	for (uint32_t i = 0; i < w->n_links; i++) {
		uint32_t n = link_count(&w->links[i], now_ms, within_ms);

		all += n;
		silent += n == 0;
	}
	if (deaf)
		*deaf = silent;
	return all;
}

void witnesses_forget(struct witnesses *w)
{
	for (uint32_t i = 0; i < w->n_links; i++)
		for (uint32_t k = 0; k < w->links[i].n; k++)
			w->links[i].list[k].heard_ms = 0;
}
