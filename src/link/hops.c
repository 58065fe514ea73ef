/* SPDX-License-Identifier: BSD-3-Clause */
#include "link/hops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/if.h>
#include <linux/neighbour.h>

#include "base/log.h"
#include "link/hop_index.h"

#define AREA	    "link"
#define NUD_HAS_MAC (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP)

#define SET(counter, n) __atomic_store_n(&(counter), (n), __ATOMIC_RELAXED)
#define COUNT(counter)	SET(counter, (counter) + 1)

int hops_init(struct hops *h, struct published *pub, struct retire_list *retired,
	      struct mirror *mirror, struct link_counters *counters, const struct hops_ops *ops)
{
	memset(h, 0, sizeof(*h));
	h->pub = pub;
	h->table = &pub->nexthops;
	h->retired = retired;
	h->mirror = mirror;
	h->counters = counters;
	h->ops = *ops;
	h->hop = calloc(MAX_NEXTHOPS + 1, sizeof(*h->hop));
	h->queue = calloc(MAX_NEXTHOPS + 1, sizeof(*h->queue));
	h->leaving = calloc(MAX_NEXTHOPS, sizeof(*h->leaving));
	if (h->hop && h->queue && h->leaving)
		return 0;
	hops_fini(h);
	return -ENOMEM;
}

void hops_fini(struct hops *h)
{
	free(h->hop);
	free(h->queue);
	free(h->leaving);
	free(h->wants);
	h->hop = NULL;
	h->queue = NULL;
	h->leaving = NULL;
	h->wants = NULL;
}

static void hop_free(void *nh)
{
	free(nh);
}

void hops_enqueue(struct hops *h, uint32_t id)
{
	if (h->hop[id].queued || h->hop[id].unlinked)
		return;
	h->hop[id].queued = true;
	h->queue[(h->queue_head + h->queue_n++) % (MAX_NEXTHOPS + 1)] = id;
}

/* The Ethernet header of a link. */
static void l2_fill(struct nexthop *nh, const struct mac *dst, const struct mac *src)
{
	uint8_t *p = nh->l2;
	uint16_t vlan = link_vlan(nh->link);

	memcpy(p, dst, 6);
	memcpy(p + 6, src, 6);
	p += 12;
	if (vlan) {
		*p++ = 0x81;
		*p++ = 0x00;
		*p++ = (uint8_t)(vlan >> 8);
		*p++ = (uint8_t)vlan;
	}
	*p++ = nh->addr.family == ADDR_V6 ? 0x86 : 0x08;
	*p++ = nh->addr.family == ADDR_V6 ? 0xdd : 0x00;
	nh->l2_len = (uint8_t)(p - nh->l2);
}

/* NULL: out of memory. mac NULL: none known. */
static struct nexthop *hop_make(const struct hops *h, link_id link, const struct addr *a,
				enum nexthop_state state, const struct mac *mac)
{
	static const struct mac none;
	const struct iface *iface = mirror_iface_by_link(h->mirror, link);
	struct nexthop *nh = aligned_alloc(64, sizeof(*nh));

	if (!nh)
		return NULL;
	memset(nh, 0, sizeof(*nh));
	nh->link = link;
	nh->port = link_port(link);
	nh->addr = *a;
	nh->state = (uint8_t)state;
	nh->mtu = iface ? iface->info.mtu : 0;
	l2_fill(nh, mac ? mac : &none, iface ? &iface->info.mac : &none);
	return nh;
}

/* Publishes nh in place of the old one, unless it says the same. */
static void hop_replace(struct hops *h, uint32_t id, struct nexthop *nh)
{
	const struct nexthop *old = nexthop_by_id(h->table, id);

	if (!nh)
		return; /* out of memory: the next event tries again */
	nh->id = id;
	if (memcmp(nh, old, sizeof(*nh)) == 0) {
		free(nh);
		return;
	}
	if (nh->state == NEXTHOP_REACHABLE && old->state != NEXTHOP_REACHABLE)
		h->n_reachable++;
	if (nh->state != NEXTHOP_REACHABLE && old->state == NEXTHOP_REACHABLE)
		h->n_reachable--;
	SET(h->counters->nexthops_reachable, h->n_reachable);
	retire(h->retired, (void *)nexthop_replace(h->table, id, nh), hop_free);
}

static void hop_set_state(struct hops *h, uint32_t id, enum nexthop_state state,
			  const struct mac *mac)
{
	const struct nexthop *old = nexthop_by_id(h->table, id);
	struct mac last;

	memcpy(&last, old->l2, sizeof(last));
	hop_replace(h, id, hop_make(h, old->link, &old->addr, state, mac ? mac : &last));
}

static void hop_proven(struct hops *h, uint32_t id)
{
	struct hop *hop = &h->hop[id];

	if (hop->proven)
		return;
	hop->proven = true;
	if (!hop->wanted) {
		h->n_unproven--;
		hops_enqueue(h, id); /* worth managing from now on */
	}
}

static void hop_apply(struct hops *h, uint32_t id, const struct nl_neigh *n)
{
	struct hop *hop = &h->hop[id];
	uint8_t was = nexthop_by_id(h->table, id)->state;

	hop->seen = true;
	hop->managed = n->ext & NTF_EXT_MANAGED;
	if (n->has_mac && n->state & NUD_HAS_MAC) {
		hop_set_state(h, id, NEXTHOP_REACHABLE, &n->mac);
		hop_proven(h, id);
	} else if (n->state & NUD_FAILED || was == NEXTHOP_FAILED) {
		hop_set_state(h, id, NEXTHOP_FAILED, NULL);
	}
}

void hops_neigh(struct hops *h, const struct nl_neigh *n, bool forgotten, uint32_t now_s)
{
	const struct iface *iface = mirror_iface(h->mirror, n->ifindex);
	uint32_t id = iface ? hop_index_find(h->table, iface->link, &n->addr) : 0;
	struct hop *hop = &h->hop[id];

	if (id == 0)
		return;
	if (!forgotten) {
		hop_apply(h, id, n);
		return;
	}
	hop->managed = false;
	/* Flushed, or collected. A failed one that only traffic wants waits for traffic. */
	if (hop->wanted || hop->proven) {
		/* Not at once: "ip neigh flush" goes on until nothing is left. */
		hop->flushed = true;
		hop->flushed_s = now_s;
	}
}

static void refused_once(struct hops *h, enum addr_family family, int err)
{
	COUNT(h->counters->netlink_errors);
	if (h->told_refused)
		return;
	h->told_refused = true;
	if (err == -ENOBUFS)
		log_error(AREA,
			  "Linux's neighbour table is full: raise "
			  "net.ipv%c.neigh.default.gc_thresh3 above the number of real servers",
			  family == ADDR_V6 ? '6' : '4');
	else
		log_error(AREA, "Linux refuses to manage a neighbour: %s", strerror(-err));
}

static void ask(struct hops *h, uint32_t id, uint32_t now_s)
{
	const struct nexthop *nh = nexthop_by_id(h->table, id);
	const struct iface *iface = nh ? mirror_iface_by_link(h->mirror, nh->link) : NULL;
	struct hop *hop = &h->hop[id];
	bool manage = hop->wanted || hop->proven;
	struct nl_neigh n;
	int ret;

	if (!iface || !(iface->flags & IFF_UP))
		return; /* asked again when the link comes up */
	hop->asked_s = now_s;
	hop->flushed = false;
	ret = h->ops.get(h->ops.arg, iface->ifindex, &nh->addr, &n);
	/* A permanent entry is the administrator's word: managing would undo it. */
	if (ret == 0 &&
	    (n.state & (NUD_PERMANENT | NUD_NOARP) || (manage && n.ext & NTF_EXT_MANAGED))) {
		hop_apply(h, id, &n);
		return;
	}
	ret = h->ops.use(h->ops.arg, iface->ifindex, &nh->addr, manage);
	if (ret < 0) {
		refused_once(h, nh->addr.family, ret);
		hop_set_state(h, id, NEXTHOP_FAILED, NULL);
		return;
	}
	if (h->ops.get(h->ops.arg, iface->ifindex, &nh->addr, &n) == 0)
		hop_apply(h, id, &n);
}

bool hops_work(struct hops *h, uint32_t budget, uint32_t now_s)
{
	while (h->queue_n && budget--) {
		uint32_t id = h->queue[h->queue_head];

		h->queue_head = (h->queue_head + 1) % (MAX_NEXTHOPS + 1);
		h->queue_n--;
		h->hop[id].queued = false;
		if (h->hop[id].in_use && !h->hop[id].unlinked)
			ask(h, id, now_s);
	}
	return h->queue_n != 0;
}

uint32_t hops_add(struct hops *h, link_id link, const struct addr *a, uint32_t now_s)
{
	struct nexthop *nh = hop_make(h, link, a, NEXTHOP_INCOMPLETE, NULL);
	uint32_t id = nh ? hop_index_add(h->table, nh) : 0;
	struct hop *hop = &h->hop[id];

	if (id == 0) {
		free(nh);
		COUNT(h->counters->nexthops_full);
		if (!h->told_full)
			log_error(AREA, "the table of next hops is full (%u)", h->table->n);
		h->told_full = true;
		return 0;
	}
	*hop = (struct hop){.in_use = true, .used_s = now_s, .queued = hop->queued};
	if (id > h->max_id)
		h->max_id = id;
	SET(h->counters->nexthops, h->table->n);
	hops_enqueue(h, id);
	return id;
}

void hops_request(struct hops *h, const struct resolve_request *req, uint32_t now_s)
{
	uint32_t id;

	COUNT(h->counters->resolve_requests);
	if (!mirror_iface_by_link(h->mirror, req->link) || !addr_is_unicast(&req->addr)) {
		COUNT(h->counters->resolve_refused);
		return;
	}
	id = hop_index_find(h->table, req->link, &req->addr);
	if (id) {
		/* Asked again although it is there: it waits or failed. */
		if (!h->hop[id].managed && now_s - h->hop[id].asked_s >= HOPS_RETRY_S)
			hops_enqueue(h, id);
		return;
	}
	if (h->n_unproven >= HOPS_UNPROVEN_MAX) {
		COUNT(h->counters->resolve_refused);
		return;
	}
	if (hops_add(h, req->link, &req->addr, now_s))
		h->n_unproven++;
}

void hops_reading_begin(struct hops *h)
{
	for (uint32_t id = 1; id <= h->max_id; id++)
		h->hop[id].seen = false;
}

void hops_reading_end(struct hops *h)
{
	for (uint32_t id = 1; id <= h->max_id; id++)
		if (h->hop[id].in_use && !h->hop[id].seen)
			hops_enqueue(h, id);
}

/* Every one of a link. */
static void each_of_link(struct hops *h, link_id link, void (*fn)(struct hops *h, uint32_t id))
{
	for (uint32_t id = 1; id <= h->max_id; id++)
		if (h->hop[id].in_use && nexthop_by_id(h->table, id)->link == link)
			fn(h, id);
}

static void rebuild(struct hops *h, uint32_t id)
{
	hop_set_state(h, id, nexthop_by_id(h->table, id)->state, NULL);
}

static void fail(struct hops *h, uint32_t id)
{
	h->hop[id].managed = false;
	hop_set_state(h, id, NEXTHOP_FAILED, NULL);
}

void hops_link_new(struct hops *h, link_id link)
{
	each_of_link(h, link, rebuild);
	each_of_link(h, link, hops_enqueue);
}

void hops_link_edit(struct hops *h, link_id link)
{
	each_of_link(h, link, rebuild);
}

void hops_link_gone(struct hops *h, link_id link)
{
	each_of_link(h, link, fail);
}

void hops_links_gone(struct hops *h)
{
	for (uint32_t id = 1; id <= h->max_id; id++)
		if (h->hop[id].in_use &&
		    !mirror_iface_by_link(h->mirror, nexthop_by_id(h->table, id)->link))
			fail(h, id);
}

/* --- Giving up -------------------------------------------------------------------------- */

static void leave(struct hops *h, uint32_t id)
{
	const struct nexthop *nh = nexthop_by_id(h->table, id);
	const struct iface *iface = mirror_iface_by_link(h->mirror, nh->link);
	struct hop *hop = &h->hop[id];

	if (hop->managed && iface)
		h->ops.use(h->ops.arg, iface->ifindex, &nh->addr, false);
	if (!hop->proven)
		h->n_unproven--;
	hop->unlinked = true;
	hop_index_unlink(h->table, nh);
	h->leaving[h->n_leaving++] = id;
}

static void free_left(struct hops *h)
{
	if (h->n_leaving == 0 || !h->pub->grace.passed(h->pub->grace.arg, h->token))
		return;
	for (uint32_t i = 0; i < h->n_leaving; i++) {
		uint32_t id = h->leaving[i];
		const struct nexthop *nh = nexthop_free_id(h->table, id);

		if (nh && nh->state == NEXTHOP_REACHABLE)
			h->n_reachable--;
		/* No worker can have found the id since the grace period began. */
		hop_free((void *)nh);
		h->hop[id].in_use = false;
		h->hop[id].unlinked = false;
		COUNT(h->counters->nexthops_reclaimed);
	}
	h->n_leaving = 0;
	h->told_full = false;
	SET(h->counters->nexthops, h->table->n);
	SET(h->counters->nexthops_reachable, h->n_reachable);
}

static void sweep_one(struct hops *h, uint32_t id, uint32_t now_s)
{
	struct hop *hop = &h->hop[id];
	uint32_t mark, idle;
	bool reachable;

	if (!hop->in_use || hop->unlinked)
		return;
	mark = __atomic_load_n(&h->table->used_tick[id], __ATOMIC_RELAXED);
	if (mark != hop->used_mark) {
		hop->used_mark = mark;
		hop->used_s = now_s;
	}
	idle = now_s - hop->used_s;
	reachable = nexthop_by_id(h->table, id)->state == NEXTHOP_REACHABLE;
	if (!hop->wanted && idle >= (reachable ? HOPS_IDLE_S : HOPS_DEAD_S))
		leave(h, id);
	else if (hop->flushed && now_s != hop->flushed_s)
		hops_enqueue(h, id);
	else if (!reachable && !hop->managed && (hop->wanted || idle < 2 * HOPS_RETRY_S) &&
		 now_s - hop->asked_s >= HOPS_RETRY_S)
		hops_enqueue(h, id);
}

void hops_sweep(struct hops *h, uint32_t now_s)
{
	uint32_t step = h->max_id / 4 + 64, before;

	free_left(h);
	/* Only one batch of ids waits at a time: the ids of a batch share a grace period. */
	if (h->n_leaving)
		return;
	before = h->n_leaving;
	for (uint32_t i = 0; i < step && i < h->max_id; i++) {
		h->cursor = h->cursor % h->max_id + 1;
		sweep_one(h, h->cursor, now_s);
	}
	if (h->n_leaving == before)
		return;
	/* Unlinked first, then the generation, then the wait: see model/nexthop.h. */
	published_raise_gen(h->pub);
	h->token = h->pub->grace.start(h->pub->grace.arg);
}

void hops_release(struct hops *h)
{
	for (uint32_t id = 1; id <= h->max_id; id++) {
		const struct nexthop *nh = h->hop[id].in_use ? nexthop_by_id(h->table, id) : NULL;
		const struct iface *iface = nh ? mirror_iface_by_link(h->mirror, nh->link) : NULL;

		if (iface && h->hop[id].managed)
			h->ops.use(h->ops.arg, iface->ifindex, &nh->addr, false);
	}
}
