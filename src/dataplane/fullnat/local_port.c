/* SPDX-License-Identifier: BSD-3-Clause */
/* Compiled for each family: base/family.h. */
#include "dataplane/fullnat/local_port.h"

#include <errno.h>
#include <string.h>

#include "dataplane/pages.h"

#define RECYCLE_STEP 64 /* groups asked to make room at a time */
#define FRESH_AGAIN  16 /* choices until the first half of the first address is looked at again */

static size_t groups_size(uint32_t n)
{
	return sizeof(struct FAM(local_group)) * ((size_t)n + 1);
}

static size_t heads_size(uint32_t mask)
{
	return sizeof(uint32_t) * ((size_t)mask + 1);
}

int FAM_FN(local_ports, create)(struct FAM(local_ports) *t, uint32_t n_groups, int socket,
				uint64_t seed, uint8_t side)
{
	memset(t, 0, sizeof(*t));
	t->mask = 1023;
	while (t->mask < n_groups)
		t->mask = t->mask * 2 + 1;
	t->n_groups = n_groups;
	t->unused = 1;
	t->hand = 1;
	t->seed = seed | 1;
	t->side = side & 1;
	t->groups = pages_alloc(groups_size(n_groups), socket);
	t->heads = pages_alloc(heads_size(t->mask), socket);
	if (t->groups && t->heads) {
		pages_sparse(t->groups, groups_size(n_groups)); /* most are never used */
		return 0;
	}
	FAM_FN(local_ports, destroy)(t);
	return -ENOMEM;
}

void FAM_FN(local_ports, destroy)(struct FAM(local_ports) *t)
{
	pages_free(t->groups, groups_size(t->n_groups));
	pages_free(t->heads, heads_size(t->mask));
	memset(t, 0, sizeof(*t));
}

static uint64_t server_hash(const struct FAM(local_ports) *t, const struct FAM(local_end) *e)
{
	const uint64_t rest = (uint64_t)e->dport << 16 | (uint64_t)e->proto << 8 | e->step;
	uint64_t h = (FAM_FN(addr, mix)(e->server) ^ t->seed) * ADDR_MIX;

	h = (h ^ h >> 32 ^ rest) * 0xd6e8feb86659fd93ULL;
	return h ^ h >> 32;
}

static uint32_t *head_of(const struct FAM(local_ports) *t, const struct FAM(local_end) *e)
{
	uint64_t h = server_hash(t, e) ^ FAM_FN(addr, mix)(e->local);

	h = (h ^ h >> 32) * 0xd6e8feb86659fd93ULL;
	return &t->heads[h >> 32 & t->mask];
}

static bool group_is(const struct FAM(local_group) *g, const struct FAM(local_end) *e)
{
	return FAM_FN(addr, equal)(g->end.server, e->server) &&
	       FAM_FN(addr, equal)(g->end.local, e->local) && g->end.dport == e->dport &&
	       g->end.proto == e->proto && g->end.step == e->step;
}

static struct FAM(local_group) *group_find(const struct FAM(local_ports) *t,
					   const struct FAM(local_end) *e)
{
	for (uint32_t i = *head_of(t, e); i; i = t->groups[i].next)
		if (group_is(&t->groups[i], e))
			return &t->groups[i];
	return NULL;
}

/* No port is in use, and none in quarantine: the group knows nothing that a new one would not. */
static bool group_is_idle(const struct FAM(local_group) *g, uint32_t now_s)
{
	return g->n_used == 0 && now_s - g->freed_s >= LOCAL_PORT_HELD_S;
}

static void group_unlink(struct FAM(local_ports) *t, uint32_t index)
{
	uint32_t *at = head_of(t, &t->groups[index].end);

	while (*at != index)
		at = &t->groups[*at].next;
	*at = t->groups[index].next;
}

/* A group that was never used, else one that is idle; 0: none, as far as the search went. */
static uint32_t group_room(struct FAM(local_ports) *t, uint32_t now_s)
{
	if (t->unused <= t->n_groups)
		return t->unused++;
	for (unsigned int i = 0; i < RECYCLE_STEP; i++) {
		const uint32_t index = t->hand;

		t->hand = t->hand < t->n_groups ? t->hand + 1 : 1;
		if (!group_is_idle(&t->groups[index], now_s))
			continue;
		group_unlink(t, index);
		return index;
	}
	return 0;
}

static struct FAM(local_group) *group_get(struct FAM(local_ports) *t,
					  const struct FAM(local_end) *e, uint32_t now_s)
{
	struct FAM(local_group) *g = group_find(t, e);
	uint32_t index, *head;

	if (g)
		return g;
	index = group_room(t, now_s);
	if (!index)
		return NULL;
	g = &t->groups[index];
	head = head_of(t, e);
	g->end = *e;
	g->next = *head;
	g->freed_s = now_s - LOCAL_PORT_HELD_S;
	g->n_used = 0;
	/* Where to begin is not the same for all servers, so that nobody tells the port. */
	for (unsigned int h = 0; h < 2; h++)
		g->half[h] = (struct local_half){
			.turn = (uint16_t)(server_hash(t, e) >> 16 ^ index) % LOCAL_PORT_HALF};
	*head = index;
	return g;
}

/* The next port of a half that was never used, or 0. */
static uint16_t fresh_next(struct FAM(local_group) *g, unsigned int h)
{
	const uint16_t fold = FAM_FN(owner, fold)(g->end.local);
	const uint16_t *words = owner_words[g->end.step] + ((h ^ fold) & 1) * LOCAL_PORT_HALF;
	struct local_half *half = &g->half[h];

	while (half->n_fresh < LOCAL_PORT_HALF) {
		const uint16_t at = (uint16_t)(half->turn + half->n_fresh++) % LOCAL_PORT_HALF;
		const uint16_t port = words[at] ^ fold;

		if (port >= LOCAL_PORT_FIRST)
			return port;
	}
	return 0;
}

static struct local_free *ring_at(struct FAM(local_group) *g, unsigned int h, unsigned int i)
{
	return &g->ring[h][(g->half[h].head + i) % LOCAL_PORT_HALF];
}

static bool in_quarantine(const struct FAM(local_group) *g, const struct local_free *f,
			  uint32_t now_s)
{
	/* The second test alone would hold a port again each 65536 s. */
	return now_s - g->freed_s < LOCAL_PORT_HELD_S &&
	       (uint16_t)(now_s - f->since_s) < LOCAL_PORT_HELD_S;
}

/* A port of a half, or 0. */
static uint16_t half_pop(struct FAM(local_group) *g, unsigned int h, uint32_t now_s)
{
	const uint16_t port = fresh_next(g, h);
	const struct local_free *oldest = ring_at(g, h, 0);

	if (port)
		return port;
	if (g->half[h].n == 0 || in_quarantine(g, oldest, now_s))
		return 0;
	g->half[h].head = (uint16_t)(g->half[h].head + 1) % LOCAL_PORT_HALF;
	g->half[h].n--;
	return oldest->port;
}

static void ring_push(struct FAM(local_group) *g, uint16_t port, uint32_t now_s)
{
	struct local_half *half = &g->half[port & 1];

	if (half->n == LOCAL_PORT_HALF) /* cannot be: a port would be there twice */
		return;
	*ring_at(g, port & 1, half->n) =
		(struct local_free){.port = port, .since_s = (uint16_t)now_s};
	half->n++;
}

int FAM_FN(local_port, choose)(struct FAM(local_ports) *t, struct FAM(local_end) *end,
			       const FAM_ADDR *addrs, uint32_t n, uint32_t now_s)
{
	/* The places of the search: own halves of all addresses, then the other halves. */
	const uint32_t places = 2 * n,
		       tries = places < LOCAL_PORT_TRIES ? places : LOCAL_PORT_TRIES;
	uint8_t *hint = &t->hint[server_hash(t, end) % LOCAL_PORT_HINTS];
	uint32_t at = t->turns++ % FRESH_AGAIN ? *hint : 0;

	for (uint32_t i = 0; i < tries; i++, at++) {
		struct FAM(local_group) *g;
		uint16_t port;

		at = at < places ? at : 0;
		end->local = addrs[at % n];
		g = group_get(t, end, now_s);
		port = g ? half_pop(g, t->side ^ (at >= n), now_s) : 0;
		if (!port)
			continue;
		g->n_used++;
		t->n_used++;
		*hint = (uint8_t)at;
		end->lport = be16_from(port);
		return 0;
	}
	return -EADDRNOTAVAIL;
}

/* Ports of a half in quarantine: those behind the oldest that is out of it. */
static uint32_t n_in_quarantine(const struct FAM(local_group) *g, unsigned int h, uint32_t now_s)
{
	uint32_t low = 0, high = g->half[h].n;

	while (low < high) {
		const uint32_t mid = (low + high) / 2;
		const struct local_free *f = &g->ring[h][(g->half[h].head + mid) % LOCAL_PORT_HALF];

		if (in_quarantine(g, f, now_s))
			high = mid;
		else
			low = mid + 1;
	}
	return g->half[h].n - low;
}

uint32_t FAM_FN(local_port, percent)(const struct FAM(local_ports) *t,
				     const struct FAM(local_end) *end, const FAM_ADDR *addrs,
				     uint32_t n, uint32_t now_s)
{
	struct FAM(local_end) e = *end;
	uint64_t taken = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct FAM(local_group) *g;

		e.local = addrs[i];
		g = group_find(t, &e);
		if (g)
			taken += g->n_used + n_in_quarantine(g, 0, now_s) +
				 n_in_quarantine(g, 1, now_s);
	}
	return n ? (uint32_t)(taken * 100 * OWNER_STEPS / ((uint64_t)n * LOCAL_PORTS)) : 0;
}

/* Ports that were never used go into the ring, before those that were. */
static void fresh_spread(struct FAM(local_group) *g, unsigned int h, uint32_t now_s)
{
	struct local_half *half = &g->half[h];
	uint16_t port;

	while ((port = fresh_next(g, h)) != 0) {
		half->head = (uint16_t)(half->head + LOCAL_PORT_HALF - 1) % LOCAL_PORT_HALF;
		half->n++;
		*ring_at(g, h, 0) = (struct local_free){
			.port = port, .since_s = (uint16_t)(now_s - LOCAL_PORT_HELD_S)};
	}
}

int FAM_FN(local_port, take)(struct FAM(local_ports) *t, const struct FAM(local_end) *end,
			     uint32_t now_s)
{
	const uint16_t port = be16_to(end->lport);
	struct FAM(local_group) *g;
	unsigned int i = 0;

	if (port < LOCAL_PORT_FIRST || FAM_FN(owner, step)(end->local, end->lport) != end->step)
		return -EINVAL;
	g = group_get(t, end, now_s);
	if (!g)
		return -ENOSPC;
	fresh_spread(g, port & 1, now_s);
	while (i < g->half[port & 1].n && ring_at(g, port & 1, i)->port != port)
		i++;
	if (i == g->half[port & 1].n)
		return -EEXIST;
	for (; i > 0; i--)
		*ring_at(g, port & 1, i) = *ring_at(g, port & 1, i - 1);
	g->half[port & 1].head = (uint16_t)(g->half[port & 1].head + 1) % LOCAL_PORT_HALF;
	g->half[port & 1].n--;
	g->n_used++;
	t->n_used++;
	return 0;
}

void FAM_FN(local_port, release)(struct FAM(local_ports) *t, const struct FAM(local_end) *end,
				 uint32_t now_s)
{
	struct FAM(local_group) *g = group_find(t, end);

	if (!g || g->n_used == 0)
		return;
	g->n_used--;
	t->n_used--;
	g->freed_s = now_s;
	ring_push(g, be16_to(end->lport), now_s);
}
