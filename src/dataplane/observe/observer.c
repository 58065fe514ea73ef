/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/observe/observer.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/pages.h"

#define SLOTS_MIN 64

const char *const observe_point_names[OBSERVE_POINTS] = {
	"in", "out", "dropped", "punted", "handed_off", "answered", "parked", "stage",
};

const char *const observe_stage_names[OBSERVE_STAGES] = {
	"steer", "look-up", "schedule", "resolve", "track", "rewrite",
};

struct observer *observer_create(const struct bpf_insn *program, uint32_t n, bool stages,
				 uint16_t snap, uint32_t per_s, uint64_t packets_max)
{
	struct observer *observer = calloc(1, sizeof(*observer));

	if (!observer)
		return NULL;
	if (n)
		memcpy(observer->program, program, n * sizeof(*program));
	observer->n_program = n;
	observer->stages = stages;
	observer->snap = snap;
	observer->per_tick = (per_s + CONN_TICK_HZ - 1) / CONN_TICK_HZ;
	observer->packets_max = packets_max;
	observer->slot_bytes = (uint32_t)RTE_ALIGN(sizeof(struct observe_record) + snap, 8U);
	observer->n_slots = RTE_MAX(OBSERVE_RING_BYTES / observer->slot_bytes, (uint32_t)SLOTS_MIN);
	observer->slots = pages_alloc((size_t)observer->slot_bytes * observer->n_slots, -1);
	if (observer->slots)
		return observer;
	free(observer);
	return NULL;
}

void observer_destroy(struct observer *observer)
{
	if (!observer)
		return;
	pages_free(observer->slots, (size_t)observer->slot_bytes * observer->n_slots);
	free(observer);
}

static struct observe_record *slot_of(const struct observer *observer, uint32_t at)
{
	return (struct observe_record *)(void *)(observer->slots +
						 (size_t)observer->slot_bytes *
							 (at % observer->n_slots));
}

const struct observe_record *observer_next(const struct observer *observer)
{
	if (__atomic_load_n(&observer->head, __ATOMIC_ACQUIRE) == observer->tail)
		return NULL;
	return slot_of(observer, observer->tail);
}

void observer_took(struct observer *observer)
{
	__atomic_store_n(&observer->tail, observer->tail + 1, __ATOMIC_RELEASE);
}

/* --- worker --- */

static void count(uint64_t *counter)
{
	__atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

/* False: over a bound, and counted. */
static bool room(struct observer *observer, uint32_t now_tick)
{
	if (observer->tick != now_tick + 1) {
		observer->tick = now_tick + 1;
		observer->left = observer->per_tick;
	}
	if (observer->left == 0) {
		count(&observer->over_rate);
		return false;
	}
	if (observer->head - __atomic_load_n(&observer->tail, __ATOMIC_ACQUIRE) >=
	    observer->n_slots) {
		count(&observer->lost);
		return false;
	}
	observer->left--;
	return true;
}

struct observe_record *observer_begin(struct worker *w, struct rte_mbuf *m,
				      enum observe_point point, unsigned int detail, bool bytes)
{
	struct observer *observer = w->observer;
	struct observe_record *r;
	const uint8_t *data;

	if (!room(observer, w->env.now_tick))
		return NULL;
	r = slot_of(observer, observer->head);
	*r = (struct observe_record){
		.tsc = w->now_tsc,
		.packet = (uint64_t)(uintptr_t)m / RTE_CACHE_LINE_SIZE,
		.port = m->port,
		.vlan = m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED ? m->vlan_tci & 0xfff : 0,
		.len = (uint16_t)RTE_MIN(m->pkt_len, (uint32_t)UINT16_MAX),
		.point = (uint8_t)point,
		.detail = (uint8_t)detail,
	};
	if (!bytes)
		return r;
	r->caplen = (uint16_t)RTE_MIN(m->pkt_len, (uint32_t)observer->snap);
	data = rte_pktmbuf_read(m, 0, r->caplen, r->bytes);
	if (data && data != r->bytes)
		memcpy(r->bytes, data, r->caplen);
	return r;
}

void observer_put(struct observer *observer)
{
	__atomic_store_n(&observer->head, observer->head + 1, __ATOMIC_RELEASE);
}

static bool wanted(const struct observer *observer, const struct rte_mbuf *m)
{
	if (observer->n_program == 0)
		return true;
	return bpf_filter(observer->program, rte_pktmbuf_mtod(m, const u_char *), m->pkt_len,
			  rte_pktmbuf_data_len(m)) != 0;
}

static void note(struct worker *w, struct rte_mbuf *m, enum observe_point point,
		 unsigned int detail)
{
	if (observer_begin(w, m, point, detail, true))
		observer_put(w->observer);
}

void observer_arrived(struct worker *w, struct rte_mbuf **frames, uint16_t n)
{
	struct observer *observer = w->observer;

	for (uint16_t i = 0; i < n; i++) {
		struct pkt_tag *tag = pkt_tag(frames[i]);

		/* A packet is judged where it arrived. A parked packet comes by here again. */
		if (tag->hops || (tag->flags & PKT_REPLAYED))
			continue;
		tag->observed =
			observer->packets < observer->packets_max && wanted(observer, frames[i]);
		if (!tag->observed)
			continue;
		count(&observer->packets);
		note(w, frames[i], OBSERVE_IN, 0);
	}
}

void observer_leaving(struct worker *w, uint16_t port, struct rte_mbuf **frames, uint16_t n)
{
	struct observer *observer = w->observer;

	for (uint16_t i = 0; i < n; i++) {
		struct observe_record *r;

		if (!pkt_tag(frames[i])->observed &&
		    (observer->stages || !wanted(observer, frames[i])))
			continue;
		r = observer_begin(w, frames[i], OBSERVE_OUT, 0, true);
		if (!r)
			continue;
		r->port = port;
		observer_put(observer);
	}
}

void observer_door(struct worker *w, struct rte_mbuf *m, enum observe_point point,
		   unsigned int detail)
{
	const struct observer *observer = w->observer;
	const bool observed = pkt_tag(m)->observed;

	if (observer->stages ? observed
			     : point == OBSERVE_DROPPED && (observed || wanted(observer, m)))
		note(w, m, point, detail);
}
