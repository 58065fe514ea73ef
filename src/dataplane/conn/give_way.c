/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/conn/give_way.h"

#include <errno.h>
#include <string.h>

#include "dataplane/conn/conn_life.h"
#include "dataplane/pages.h"
#include "dataplane/sync/conn_sync.h"

#define HELD_TRIES    16 /* templates in use passed over a time */
#define NETWORK_TRIES 32 /* entries of a list looked at for one of a network */
#define HAND_STEP     64 /* entries looked at for an idle one a time */

int FAM_FN(give_way, init)(struct give_way *g, uint32_t capacity, int socket, uint64_t seed)
{
	memset(g, 0, sizeof(*g));
	g->n_entries = capacity + 1;
	g->links = pages_alloc(sizeof(*g->links) * (size_t)g->n_entries, socket);
	if (!g->links)
		return -ENOMEM;
	g->max_half_open = capacity / 2 + 1;
	g->max_not_assured = capacity - capacity / 4;
	g->max_network = capacity / 4 + 1;
	g->seed = seed | 1;
	return 0;
}

void FAM_FN(give_way, fini)(struct give_way *g)
{
	pages_free(g->links, sizeof(*g->links) * (size_t)g->n_entries);
	memset(g, 0, sizeof(*g));
}

/* ---- the lists ---- */

/* Sets of states and of lists as bits: a test of several costs as much as of one. */
#define STATES_ENDING                                                                              \
	(1U << CONN_FIN_WAIT | 1U << CONN_CLOSE_WAIT | 1U << CONN_LAST_ACK |                       \
	 1U << CONN_TIME_WAIT | 1U << CONN_CLOSE)
#define LISTS_WITH_SHARE (1U << GIVE_WAY_HALF_OPEN | 1U << GIVE_WAY_NOT_ASSURED)
_Static_assert(CONN_STATE_MAX <= 32, "a state is a bit");

static bool state_is_ending(uint8_t state)
{
	return STATES_ENDING >> state & 1;
}

static enum give_way_list list_for(const struct conn *c)
{
	if (c->flags & CONN_F_TEMPLATE) {
		if (c->flags & CONN_F_EMBRYONIC)
			return GIVE_WAY_HALF_OPEN;
		return __atomic_load_n(&c->assured, __ATOMIC_RELAXED) & TEMPLATE_PROVEN
			       ? GIVE_WAY_NONE
			       : GIVE_WAY_NOT_ASSURED;
	}
	if ((c->evidence & EVIDENCE_DOUBT) || state_is_ending(c->state))
		return GIVE_WAY_ENDING;
	if (c->evidence & EVIDENCE_ASSURED)
		return GIVE_WAY_NONE;
	return c->flags & CONN_F_EMBRYONIC ? GIVE_WAY_HALF_OPEN : GIVE_WAY_NOT_ASSURED;
}

static bool has_share(enum give_way_list list)
{
	return LISTS_WITH_SHARE >> list & 1;
}

static uint32_t *network_of(struct give_way *g, FAM_ADDR caddr)
{
#if FAMILY == 4
	const uint64_t net = be32_to(caddr) >> 8;
#else
	/* A /48: the prefix of a site. */
	const uint64_t net = caddr.word[0] & htobe64(~0ULL << 16);
#endif

	return &g->network[((net ^ g->seed) * 0x9e3779b97f4a7c15ULL ^ g->seed) *
				   0xd6e8feb86659fd93ULL >>
			   52];
}
_Static_assert(GIVE_WAY_NETWORKS == 1 << (64 - 52), "the upper bits of a hash");

static void list_cut(struct give_way *g, struct give_way_ends *l, uint32_t index)
{
	struct entry_link *link = &g->links[index];

	if (link->next)
		g->links[link->next].prev = link->prev;
	else
		l->tail = link->prev;
	if (link->prev)
		g->links[link->prev].next = link->next;
	else
		l->head = link->next;
	l->n--;
}

static void list_append(struct give_way *g, struct give_way_ends *l, uint32_t index)
{
	g->links[index] = (struct entry_link){.prev = l->tail};
	if (l->tail)
		g->links[l->tail].next = index;
	else
		l->head = index;
	l->tail = index;
	l->n++;
}

static void list_prepend(struct give_way *g, struct give_way_ends *l, uint32_t index)
{
	g->links[index] = (struct entry_link){.next = l->head};
	if (l->head)
		g->links[l->head].prev = index;
	else
		l->tail = index;
	l->head = index;
	l->n++;
}

static void list_move(struct worker *w, struct FAM(conn) *c, enum give_way_list to, bool first)
{
	const enum give_way_list from = give_way_list_of(&c->c);
	const uint32_t index = FAM_FN(conn, index)(&w->FAM(v).table, c);
	struct give_way *g = &w->FAM(v).way;

	if (from)
		list_cut(g, &g->list[from], index);
	if (to && first)
		list_prepend(g, &g->list[to], index);
	else if (to)
		list_append(g, &g->list[to], index);
	if (has_share(from) != has_share(to))
		*network_of(g, c->caddr) += has_share(to) ? 1U : -1U;
	c->c.evidence = (uint8_t)((c->c.evidence & ((1U << EVIDENCE_LIST_SHIFT) - 1)) |
				  (unsigned int)to << EVIDENCE_LIST_SHIFT);
}

void FAM_FN(give_way, update)(struct worker *w, struct FAM(conn) *c)
{
	const enum give_way_list to = list_for(&c->c);

	if (to != give_way_list_of(&c->c))
		list_move(w, c, to, false);
}

void FAM_FN(give_way, touch)(struct worker *w, struct FAM(conn) *c)
{
	const enum give_way_list list = give_way_list_of(&c->c);

	if (list && w->FAM(v).way.list[list].tail != FAM_FN(conn, index)(&w->FAM(v).table, c))
		list_move(w, c, list, false);
}

void FAM_FN(give_way, doubt)(struct worker *w, struct FAM(conn) *c, bool doubt)
{
	c->c.evidence &= (uint8_t)~EVIDENCE_DOUBT;
	if (doubt)
		c->c.evidence |= EVIDENCE_DOUBT;
	list_move(w, c, list_for(&c->c), true);
}

void FAM_FN(give_way, remove)(struct worker *w, struct FAM(conn) *c)
{
	if (give_way_list_of(&c->c))
		list_move(w, c, GIVE_WAY_NONE, false);
}

/* ---- making room ---- */

static bool template_is_held(const struct FAM(conn) *c)
{
	return (c->c.flags & CONN_F_TEMPLATE) &&
	       __atomic_load_n(&c->c.children, __ATOMIC_ACQUIRE) != 0;
}

/* Other workers report a proven client of a template; its own worker moves the template. */
static bool template_moved(struct worker *w, enum give_way_list list, struct FAM(conn) *c)
{
	if (!(c->c.flags & CONN_F_TEMPLATE))
		return false;
	if (__atomic_load_n(&c->c.assured, __ATOMIC_RELAXED))
		c->c.flags &= (uint8_t)~CONN_F_EMBRYONIC;
	FAM_FN(give_way, update)(w, c);
	return give_way_list_of(&c->c) != list;
}

/* The first of a list that can end, or NULL. */
static struct FAM(conn) *list_oldest(struct worker *w, enum give_way_list list)
{
	const struct give_way_ends *l = &w->FAM(v).way.list[list];

	for (unsigned int tries = 0; l->head && tries < HELD_TRIES; tries++) {
		struct FAM(conn) *c = &w->FAM(v).table.conns[l->head];

		if (template_moved(w, list, c))
			continue;
		if (!template_is_held(c))
			return c;
		FAM_FN(give_way, touch)(w, c);
	}
	return NULL;
}

static bool end_oldest(struct worker *w, enum give_way_list list, uint64_t *counter)
{
	struct FAM(conn) *c = list_oldest(w, list);

	if (!c)
		return false;
	FAM_FN(conn, destroy)(w, c);
	(*counter)++;
	return true;
}

static bool end_half_open(struct worker *w)
{
	return end_oldest(w, GIVE_WAY_HALF_OPEN, &w->counters.evicted);
}

static bool end_not_assured(struct worker *w)
{
	if (w->FAM(v).way.list[GIVE_WAY_HALF_OPEN].n > w->FAM(v).table.capacity / 8 &&
	    end_half_open(w))
		return true;
	return end_oldest(w, GIVE_WAY_NOT_ASSURED, &w->counters.evicted_not_assured) ||
	       end_half_open(w);
}

/* Of assured connections, one that is idle for longer than configured. */
static bool end_idle(struct worker *w)
{
	const struct FAM(table) *t = &w->FAM(v).table;
	struct give_way *g = &w->FAM(v).way;

	for (unsigned int i = 0; g->idle_ticks && i < HAND_STEP; i++) {
		struct FAM(conn) *c = &t->conns[g->hand];

		g->hand = g->hand < t->capacity ? g->hand + 1 : 1;
		if (!(c->c.flags & CONN_F_LIVE) || (c->c.flags & CONN_F_TEMPLATE) ||
		    (int32_t)(w->env.now_tick - FAM_FN(sync, tick)(w, c) - g->idle_ticks) < 0)
			continue;
		FAM_FN(conn, destroy)(w, c);
		w->counters.evicted_idle++;
		return true;
	}
	return false;
}

bool FAM_FN(give_way, make_room)(struct worker *w)
{
	return end_oldest(w, GIVE_WAY_ENDING, &w->counters.evicted_ending) || end_not_assured(w) ||
	       end_idle(w);
}

enum give_way_list FAM_FN(give_way, next)(const struct worker *w, uint32_t n)
{
	const struct FAM(table) *t = &w->FAM(v).table;
	const struct give_way *g = &w->FAM(v).way;
	const uint32_t half_open = g->list[GIVE_WAY_HALF_OPEN].n;
	const uint32_t not_assured = g->list[GIVE_WAY_NOT_ASSURED].n;
	const bool full = t->n + n > t->capacity;

	if (likely(half_open + n <= g->max_half_open && !full &&
		   (t->n + n <= t->capacity / 2 ||
		    half_open + not_assured + n <= g->max_not_assured)))
		return GIVE_WAY_NONE;
	if (half_open + n > g->max_half_open)
		return GIVE_WAY_HALF_OPEN;
	if (full && g->list[GIVE_WAY_ENDING].n)
		return GIVE_WAY_ENDING;
	return half_open > t->capacity / 8 || !not_assured ? GIVE_WAY_HALF_OPEN
							   : GIVE_WAY_NOT_ASSURED;
}

void FAM_FN(give_way, prefetch)(struct worker *w, enum give_way_list list, uint32_t n)
{
	const struct give_way *g = &w->FAM(v).way;
	uint32_t index[BURST_MAX], k = 0;

	for (uint32_t at = g->list[list].head; at && k < n; at = g->links[at].next) {
		const struct FAM(conn) *c = &w->FAM(v).table.conns[at];

		__builtin_prefetch(c, 1);
		if (FAMILY == 6)
			__builtin_prefetch(&c->addr[0]);
		index[k++] = at;
	}
	FAM_FN(conn, prefetch_ends)(w, index, k);
}

static bool end_of_network(struct worker *w, enum give_way_list list, const uint32_t *network,
			   uint64_t *counter)
{
	uint32_t at = w->FAM(v).way.list[list].head;

	for (unsigned int tries = 0; at && tries < NETWORK_TRIES; tries++) {
		struct FAM(conn) *c = &w->FAM(v).table.conns[at];

		at = w->FAM(v).way.links[at].next;
		if (network_of(&w->FAM(v).way, c->caddr) != network || template_is_held(c))
			continue;
		FAM_FN(conn, destroy)(w, c);
		(*counter)++;
		return true;
	}
	return false;
}

bool FAM_FN(give_way, admit)(struct worker *w, FAM_ADDR caddr)
{
	struct give_way *g = &w->FAM(v).way;
	const uint32_t *network;

	if (g->list[GIVE_WAY_HALF_OPEN].n >= g->max_half_open)
		end_half_open(w);
	if (likely(w->FAM(v).table.n <= w->FAM(v).table.capacity / 2))
		return true;
	if (g->list[GIVE_WAY_HALF_OPEN].n + g->list[GIVE_WAY_NOT_ASSURED].n >= g->max_not_assured)
		end_not_assured(w);
	network = network_of(g, caddr);
	return *network < g->max_network ||
	       end_of_network(w, GIVE_WAY_HALF_OPEN, network, &w->counters.evicted) ||
	       end_of_network(w, GIVE_WAY_NOT_ASSURED, network, &w->counters.evicted_not_assured);
}
