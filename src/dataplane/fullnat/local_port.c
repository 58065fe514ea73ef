/* SPDX-License-Identifier: BSD-3-Clause */
/* Compiled for each family: base/family.h. */
#include "dataplane/fullnat/local_port.h"

#include <errno.h>
#include <string.h>

#include "dataplane/pages.h"

#define RECYCLE_STEP 64 /* groups asked to make room at a time */
#define FRESH_AGAIN  16 /* searches until the first half of the first address is looked at again */

static size_t groups_size(uint32_t n)
{
	return sizeof(struct FAM(local_group)) * ((size_t)n + 1);
}

static size_t rings_size(uint32_t n)
{
	return sizeof(struct local_ring) * ((size_t)n + 1);
}

static size_t heads_size(uint32_t mask)
{
	return sizeof(uint32_t) * ((size_t)mask + 1);
}

/* --- numbers of local addresses --- */

#if FAMILY == 4
#define LOCALS_SIZE (sizeof(be32) * LOCAL_ADDRS)

static bool locals_create(struct local_ports4 *t, int socket)
{
	t->locals = pages_alloc(LOCALS_SIZE, socket);
	t->n_groups_of = pages_alloc(LOCALS_SIZE, socket);
	t->n_locals = 1;
	return t->locals && t->n_groups_of;
}

static void locals_destroy(struct local_ports4 *t)
{
	pages_free(t->locals, LOCALS_SIZE);
	pages_free(t->n_groups_of, LOCALS_SIZE);
}

/* A search through all numbers: groups are made rarely, and pools have few addresses. */
uint16_t local_addr4_get(struct local_ports4 *t, be32 local)
{
	uint32_t at = 0;

	for (uint32_t id = 1; id < t->n_locals; id++) {
		if (t->n_groups_of[id] && t->locals[id] == local) {
			t->n_groups_of[id]++;
			return (uint16_t)id;
		}
		if (!t->n_groups_of[id])
			at = id;
	}
	if (!at && t->n_locals < LOCAL_ADDRS)
		at = t->n_locals++;
	if (at) {
		t->locals[at] = local;
		t->n_groups_of[at] = 1;
	}
	return (uint16_t)at;
}

static void local_addr4_put(struct local_ports4 *t, uint16_t id)
{
	t->n_groups_of[id]--;
}
#else
/* A connection has the address itself: numbers are all 1. */
static bool locals_create(struct local_ports6 *t, int socket)
{
	(void)t;
	(void)socket;
	return true;
}

static void locals_destroy(struct local_ports6 *t)
{
	(void)t;
}

static uint16_t local_addr6_get(struct local_ports6 *t, struct addr6 local)
{
	(void)t;
	(void)local;
	return 1;
}

static void local_addr6_put(struct local_ports6 *t, uint16_t id)
{
	(void)t;
	(void)id;
}
#endif

/* --- groups --- */

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
	t->rings = pages_alloc(rings_size(n_groups), socket);
	t->heads = pages_alloc(heads_size(t->mask), socket);
	if (locals_create(t, socket) && t->groups && t->rings && t->heads) {
		/* Most are never used. */
		pages_sparse(t->groups, groups_size(n_groups));
		pages_sparse(t->rings, rings_size(n_groups));
		pages_sparse(t->heads, heads_size(t->mask));
		return 0;
	}
	FAM_FN(local_ports, destroy)(t);
	return -ENOMEM;
}

void FAM_FN(local_ports, destroy)(struct FAM(local_ports) *t)
{
	pages_free(t->groups, groups_size(t->n_groups));
	pages_free(t->rings, rings_size(t->n_groups));
	pages_free(t->heads, heads_size(t->mask));
	locals_destroy(t);
	memset(t, 0, sizeof(*t));
}

/* The hash of a server endpoint, the same for all steps. */
static uint64_t server_hash(const struct FAM(local_ports) *t, FAM_ADDR server, be16 dport,
			    uint8_t proto)
{
	const uint64_t rest = (uint64_t)dport << 16 | (uint64_t)proto << 8;
	uint64_t h = (FAM_FN(addr, mix)(server) ^ t->seed) * ADDR_MIX;

	h = (h ^ h >> 32 ^ rest) * 0xd6e8feb86659fd93ULL;
	return h ^ h >> 32;
}

static uint64_t end_hash(const struct FAM(local_ports) *t, const struct FAM(local_end) *e)
{
	return server_hash(t, e->server, e->dport, e->proto);
}

/* server: server_hash(). */
static uint32_t *head_at(const struct FAM(local_ports) *t, uint64_t server, FAM_ADDR local,
			 uint8_t step)
{
	uint64_t h = server ^ FAM_FN(addr, mix)(local);

	h = (h ^ h >> 32) * 0xd6e8feb86659fd93ULL;
	return &t->heads[((uint32_t)(h >> 32) * OWNER_STEPS + step) & t->mask];
}

static bool group_is(const struct FAM(local_group) *g, const struct FAM(local_end) *e)
{
	return FAM_FN(addr, equal)(g->server, e->server) &&
	       FAM_FN(addr, equal)(g->local, e->local) && g->dport == e->dport &&
	       g->proto == e->proto && g->step == e->step;
}

static uint32_t group_find(const struct FAM(local_ports) *t, const struct FAM(local_end) *e,
			   uint64_t server)
{
	uint32_t i = *head_at(t, server, e->local, e->step);

	while (i && !group_is(&t->groups[i], e))
		i = t->groups[i].next;
	return i;
}

/* No port is in use or in quarantine, so a new group can take the place of this one. */
static bool group_is_idle(const struct FAM(local_group) *g, uint32_t now_s)
{
	return g->n_used == 0 && now_s - g->half[0].freed_s >= LOCAL_PORT_HELD_S &&
	       now_s - g->half[1].freed_s >= LOCAL_PORT_HELD_S;
}

static void group_unlink(struct FAM(local_ports) *t, uint32_t index)
{
	const struct FAM(local_group) *g = &t->groups[index];
	uint32_t *at = head_at(t, server_hash(t, g->server, g->dport, g->proto), g->local, g->step);

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
		FAM_FN(local_addr, put)(t, t->groups[index].local_id);
		return index;
	}
	return 0;
}

/* The group for e, made where there is none; 0: there is no room. */
static uint32_t group_get(struct FAM(local_ports) *t, const struct FAM(local_end) *e,
			  uint64_t server, uint32_t now_s)
{
	uint32_t index = group_find(t, e, server), *head;
	struct FAM(local_group) *g;
	uint16_t local_id;

	if (index)
		return index;
	local_id = FAM_FN(local_addr, get)(t, e->local);
	if (!local_id)
		return 0;
	index = group_room(t, now_s);
	if (!index) {
		FAM_FN(local_addr, put)(t, local_id);
		return 0;
	}
	head = head_at(t, server, e->local, e->step);
	g = &t->groups[index];
	*g = (struct FAM(local_group)){.local = e->local,
				       .server = e->server,
				       .dport = e->dport,
				       .proto = e->proto,
				       .step = e->step,
				       .local_id = local_id,
				       .next = *head};
	/* Where to begin is not the same for all servers, so that nobody tells the port. */
	for (unsigned int h = 0; h < 2; h++)
		g->half[h] = (struct local_half){.freed_s = now_s - LOCAL_PORT_HELD_S,
						 .counted_s = now_s,
						 .first = (uint8_t)(server >> 16 ^ index)};
	*head = index;
	return index;
}

static uint16_t port_at(const struct FAM(local_group) *g, unsigned int h, uint8_t place)
{
	const uint16_t fold = FAM_FN(owner, fold)(g->local);

	return owner_word(g->step, (h ^ fold) & 1, place) ^ fold;
}

/* The next port of a half that was never used; false: there is none. */
static bool fresh_next(struct FAM(local_group) *g, unsigned int h, uint8_t *place)
{
	struct local_half *half = &g->half[h];

	while (half->n_fresh < LOCAL_PORT_HALF) {
		*place = (uint8_t)(half->first + half->n_fresh++);
		if (port_at(g, h, *place) >= LOCAL_PORT_FIRST)
			return true;
	}
	return false;
}

static struct local_free *ring_at(const struct FAM(local_ports) *t, uint32_t group, unsigned int h,
				  unsigned int i)
{
	return &t->rings[group].free[h][(uint8_t)(t->groups[group].half[h].head + i)];
}

static bool is_rested(const struct local_free *f, uint32_t now_s)
{
	return (uint8_t)((uint8_t)now_s - f->since_s) >= LOCAL_PORT_HELD_S;
}

/* Ports of a half's ring that are out of quarantine: those before the first that is not. */
static uint32_t n_rested(const struct FAM(local_ports) *t, uint32_t group, unsigned int h,
			 uint32_t now_s)
{
	const struct local_half *half = &t->groups[group].half[h];
	uint32_t low = half->n_rested, high = half->n;

	if (now_s - half->freed_s >= LOCAL_PORT_HELD_S)
		return half->n;
	while (low < high) {
		const uint32_t mid = (low + high) / 2;

		if (is_rested(ring_at(t, group, h, mid), now_s))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* A port of a half; false: none is free. */
static bool half_pop(struct FAM(local_ports) *t, uint32_t group, unsigned int h, uint32_t now_s,
		     uint8_t *place)
{
	struct FAM(local_group) *g = &t->groups[group];
	struct local_half *half = &g->half[h];

	if (fresh_next(g, h, place))
		return true;
	if (half->n == 0)
		return false;
	if (half->n_rested)
		half->n_rested--;
	else if (now_s - half->freed_s < LOCAL_PORT_HELD_S &&
		 !is_rested(ring_at(t, group, h, 0), now_s))
		return false;
	*place = ring_at(t, group, h, 0)->place;
	half->head++;
	half->n--;
	return true;
}

static void ring_push(struct FAM(local_ports) *t, uint32_t group, unsigned int h, uint8_t place,
		      uint32_t now_s)
{
	struct local_half *half = &t->groups[group].half[h];

	if (half->n == LOCAL_PORT_HALF) /* cannot be: a port would be there twice */
		return;
	if (now_s - half->freed_s >= LOCAL_PORT_HELD_S ||
	    now_s - half->counted_s >= LOCAL_PORT_COUNT_S) {
		half->n_rested = (uint16_t)n_rested(t, group, h, now_s);
		half->counted_s = now_s;
	}
	half->freed_s = now_s;
	*ring_at(t, group, h, half->n) =
		(struct local_free){.place = place, .since_s = (uint8_t)now_s};
	half->n++;
}

/* The port is the connection's of end. */
static void port_give(struct FAM(local_ports) *t, struct FAM(local_end) *end, uint32_t group,
		      uint8_t place)
{
	t->groups[group].n_used++;
	t->n_used++;
	end->group = group;
	end->place = place;
	end->local_id = t->groups[group].local_id;
}

void FAM_FN(local_search, begin)(struct FAM(local_ports) *t, const struct FAM(local_end) *end,
				 const FAM_ADDR *addrs, uint32_t n,
				 struct FAM(local_search) *search)
{
	const uint64_t server = end_hash(t, end);
	const uint16_t hint = (server * OWNER_STEPS + end->step) % LOCAL_PORT_HINTS;
	uint32_t at = t->hint[hint];

	if (t->n_searches++ % FRESH_AGAIN == 0 || at >= 2 * n)
		at = 0;
	search->server = server;
	search->hint = hint;
	search->at = (uint8_t)at;
	search->head = head_at(t, server, addrs[at < n ? at : at - n], end->step);
}

int FAM_FN(local_search, finish)(struct FAM(local_ports) *t, struct FAM(local_end) *end,
				 const FAM_ADDR *addrs, uint32_t n, uint32_t now_s,
				 const struct FAM(local_search) *search)
{
	const uint32_t n_halves = 2 * n,
		       tries = n_halves < LOCAL_PORT_TRIES ? n_halves : LOCAL_PORT_TRIES;
	uint32_t at = search->at;

	t->n_choices++;
	for (uint32_t i = 0; i < tries; i++, at++) {
		unsigned int h;
		uint32_t group;
		uint8_t place;

		at = at < n_halves ? at : 0;
		h = t->side ^ (at >= n);
		end->local = addrs[at < n ? at : at - n];
		group = search->group;
		if (i || !group || !group_is(&t->groups[group], end))
			group = group_get(t, end, search->server, now_s);
		if (!group || !half_pop(t, group, h, now_s, &place))
			continue;
		port_give(t, end, group, place);
		t->hint[search->hint] = (uint8_t)at;
		end->lport = be16_from(port_at(&t->groups[group], h, place));
		return 0;
	}
	return -EADDRNOTAVAIL;
}

int FAM_FN(local_port, choose)(struct FAM(local_ports) *t, struct FAM(local_end) *end,
			       const FAM_ADDR *addrs, uint32_t n, uint32_t now_s)
{
	struct FAM(local_search) search;

	FAM_FN(local_search, begin)(t, end, addrs, n, &search);
	search.group = *search.head;
	return FAM_FN(local_search, finish)(t, end, addrs, n, now_s, &search);
}

uint32_t FAM_FN(local_port, percent)(const struct FAM(local_ports) *t,
				     const struct FAM(local_end) *end, const FAM_ADDR *addrs,
				     uint32_t n, uint32_t now_s)
{
	const uint64_t server = end_hash(t, end);
	struct FAM(local_end) e = *end;
	uint64_t taken = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t group;

		e.local = addrs[i];
		group = group_find(t, &e, server);
		if (!group)
			continue;
		taken += t->groups[group].n_used;
		for (unsigned int h = 0; h < 2; h++)
			taken += t->groups[group].half[h].n - n_rested(t, group, h, now_s);
	}
	return n ? (uint32_t)(taken * 100 * OWNER_STEPS / ((uint64_t)n * LOCAL_PORTS)) : 0;
}

/* Ports that were never used go into the ring, before those that were. */
static void fresh_spread(struct FAM(local_ports) *t, uint32_t group, unsigned int h)
{
	struct local_half *half = &t->groups[group].half[h];
	uint8_t place;

	while (fresh_next(&t->groups[group], h, &place)) {
		half->head--;
		half->n++;
		half->n_rested++;
		ring_at(t, group, h, 0)->place = place;
	}
}

int FAM_FN(local_port, take)(struct FAM(local_ports) *t, struct FAM(local_end) *end, uint32_t now_s)
{
	const uint16_t port = be16_to(end->lport);
	const unsigned int h = port & 1;
	struct local_half *half;
	unsigned int i = 0;
	uint32_t group;
	uint8_t place;

	if (port < LOCAL_PORT_FIRST || FAM_FN(owner, step)(end->local, end->lport) != end->step)
		return -EINVAL;
	group = group_get(t, end, end_hash(t, end), now_s);
	if (!group)
		return -ENOSPC;
	half = &t->groups[group].half[h];
	fresh_spread(t, group, h);
	while (i < half->n && port_at(&t->groups[group], h, ring_at(t, group, h, i)->place) != port)
		i++;
	if (i == half->n)
		return -EEXIST;
	place = ring_at(t, group, h, i)->place;
	half->n_rested -= i < half->n_rested;
	for (; i > 0; i--)
		*ring_at(t, group, h, i) = *ring_at(t, group, h, i - 1);
	half->head++;
	half->n--;
	port_give(t, end, group, place);
	return 0;
}

void FAM_FN(local_port, release)(struct FAM(local_ports) *t, const struct FAM(local_end) *end,
				 uint32_t now_s)
{
	struct FAM(local_group) *g = &t->groups[end->group];

	if (end->group - 1 >= t->n_groups || !group_is(g, end) || g->n_used == 0)
		return;
	g->n_used--;
	t->n_used--;
	ring_push(t, end->group, be16_to(end->lport) & 1, end->place, now_s);
}
