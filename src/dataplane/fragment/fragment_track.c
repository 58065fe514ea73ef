/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/fragment/fragment_track.h"

#include <netinet/in.h>
#include <rte_ip.h>

#include "dataplane/exits/doors.h"
#include "dataplane/stages/pipeline.h"

#define TCP_MIN	      20
#define UDP_MIN	      8
#define LOOK_PER_TICK (FOLLOW_BUCKETS * FOLLOW_WAYS / 4)
#define WAIT_TRIES    16 /* fragments that wait looked at for one that gives way */

/* What a fragment says of its place. */
struct place {
	uint16_t from, to; /* units of 8 bytes; the last unit may be short */
	bool last;
};

void follow_known(struct pkt4 *p)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)p->l3;
	const struct pkt_tag *tag = pkt_tag(p->m);

	p->key.sport = tag->sport;
	p->key.dport = tag->dport;
	if (ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_OFFSET_MASK))
		p->flags |= PKT_FOLLOWS;
	else if (p->key.proto == IPPROTO_TCP)
		p->tcp_flags = p->l3[p->l4_off + 13] & 0x3f;
}

/* The first one has a whole L4 header: ports and flags cannot be put in or hidden by a second
 * fragment (RFC 1858, RFC 3128). */
static bool header_whole(const struct pkt4 *p, uint32_t len)
{
	const uint8_t *l4 = p->l3 + p->l4_off;
	uint32_t hlen;

	if (p->key.proto == IPPROTO_UDP)
		return len >= UDP_MIN;
	if (len < TCP_MIN)
		return false;
	hlen = (l4[12] >> 4) * 4U;
	return hlen >= TCP_MIN && hlen <= len;
}

static bool place_of(const struct pkt4 *p, struct place *at)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)p->l3;
	uint16_t field = rte_be_to_cpu_16(ip->fragment_offset);
	uint32_t len = (uint32_t)p->l3_len - p->l4_off;
	uint32_t from = field & RTE_IPV4_HDR_OFFSET_MASK;

	at->last = !(field & RTE_IPV4_HDR_MF_FLAG);
	if (len == 0 || (!at->last && len % 8) || from * 8 + len + p->l4_off > UINT16_MAX)
		return false;
	at->from = (uint16_t)from;
	at->to = (uint16_t)(from + (len + 7) / 8);
	return from == 0 ? header_whole(p, len) : from != 1;
}

/* ---- datagrams ---- */

static uint32_t mix(const struct worker *w, uint64_t a, uint64_t b)
{
	uint64_t h = (a ^ w->table4.seed) * 0x9e3779b97f4a7c15ULL;

	h = (h ^ h >> 32 ^ b) * 0x9e3779b97f4a7c15ULL;
	return (uint32_t)(h >> 32);
}

static uint16_t source_of(const struct worker *w, be32 saddr)
{
	return (uint16_t)(mix(w, saddr, 0) % FOLLOW_SOURCES);
}

static void wait_free(struct follow *f, uint16_t i)
{
	f->waits_of[f->waits[i].source]--;
	f->n_waiting--;
	f->waits[i].m = NULL;
	f->waits[i].entry = 0;
	f->waits[i].next = f->free;
	f->free = i;
}

static void waits_drop(struct worker *w, uint16_t i)
{
	struct follow *f = w->follow;

	while (i) {
		uint16_t next = f->waits[i].next;

		door_drop(w, f->waits[i].m, DROP_FRAGMENT);
		w->counters.parked--;
		wait_free(f, i);
		i = next;
	}
}

static void entry_end(struct worker *w, struct follow_entry *e)
{
	waits_drop(w, e->waiting);
	w->follow->datagrams[source_of(w, e->saddr)]--;
	w->follow->n--;
	memset(e, 0, sizeof(*e));
}

/* A free place in the bucket; else the oldest gives way, unless all are of this moment: then
 * it is a flood. */
static struct follow_entry *entry_place(struct worker *w, struct follow_entry *bucket)
{
	struct follow_entry *oldest = bucket;

	for (unsigned int i = 0; i < FOLLOW_WAYS; i++) {
		if (bucket[i].proto == 0)
			return &bucket[i];
		if ((int32_t)(bucket[i].since_tick - oldest->since_tick) < 0)
			oldest = &bucket[i];
	}
	if (oldest->since_tick == w->env.now_tick)
		return NULL;
	entry_end(w, oldest);
	return oldest;
}

static struct follow_entry *entry_get(struct worker *w, const struct pkt4 *p)
{
	const be16 id = ((const struct rte_ipv4_hdr *)p->l3)->packet_id;
	struct follow *f = w->follow;
	uint16_t source = source_of(w, p->key.saddr);
	uint32_t hash = mix(w, (uint64_t)p->key.saddr << 32 | p->key.daddr,
			    (uint64_t)id << 8 | p->key.proto);
	struct follow_entry *bucket = &f->entries[hash % FOLLOW_BUCKETS * FOLLOW_WAYS], *e;

	for (unsigned int i = 0; i < FOLLOW_WAYS; i++) {
		e = &bucket[i];
		if (e->proto == p->key.proto && e->id == id && e->saddr == p->key.saddr &&
		    e->daddr == p->key.daddr) {
			if (w->env.now_tick - e->since_tick <= FOLLOW_TICKS)
				return e;
			entry_end(w, e); /* the id came round again */
			break;
		}
	}
	if (f->datagrams[source] >= FOLLOW_PER_SOURCE)
		return NULL;
	e = entry_place(w, bucket);
	if (!e)
		return NULL;
	e->saddr = p->key.saddr;
	e->daddr = p->key.daddr;
	e->id = id;
	e->proto = p->key.proto;
	e->since_tick = w->env.now_tick;
	f->datagrams[source]++;
	f->n++;
	return e;
}

/* Enters what came. DROP_MAX, or the reason to drop it. */
static enum drop_reason range_add(struct follow_entry *e, const struct place *at)
{
	unsigned int before = FOLLOW_RANGES, after = FOLLOW_RANGES;

	if (e->end && (at->last ? at->to != e->end : at->to > e->end))
		return DROP_FRAGMENT_BAD;
	for (unsigned int i = 0; i < e->n_ranges; i++) {
		if (at->from < e->ranges[i].to && e->ranges[i].from < at->to)
			return DROP_FRAGMENT_BAD;
		if (at->last && e->ranges[i].to > at->to)
			return DROP_FRAGMENT_BAD;
		if (e->ranges[i].to == at->from)
			before = i;
		if (e->ranges[i].from == at->to)
			after = i;
	}
	if (before < FOLLOW_RANGES) {
		e->ranges[before].to = at->to;
		if (after < FOLLOW_RANGES) {
			e->ranges[before].to = e->ranges[after].to;
			e->ranges[after] = e->ranges[--e->n_ranges];
		}
	} else if (after < FOLLOW_RANGES) {
		e->ranges[after].from = at->from;
	} else if (e->n_ranges < FOLLOW_RANGES) {
		e->ranges[e->n_ranges].from = at->from;
		e->ranges[e->n_ranges++].to = at->to;
	} else {
		return DROP_FRAGMENT_FULL;
	}
	if (at->last)
		e->end = at->to;
	return DROP_MAX;
}

static bool complete(const struct follow_entry *e)
{
	return e->end && e->n_ranges == 1 && e->ranges[0].from == 0 && e->ranges[0].to == e->end;
}

/* ---- waiting ---- */

/* The datagram of a fragment that waits gives way, by a hand that goes round in the order in
 * which places were given away. False: all that were looked at came in this tick. */
static bool wait_displace(struct worker *w, const struct follow_entry *keep)
{
	struct follow *f = w->follow;

	for (unsigned int tries = 0; tries < WAIT_TRIES; tries++) {
		struct follow_entry *e;

		f->hand = (uint16_t)(f->hand % FOLLOW_WAITING + 1);
		if (!f->waits[f->hand].entry)
			continue;
		e = &f->entries[f->waits[f->hand].entry - 1];
		if (e == keep || e->since_tick == w->env.now_tick)
			continue;
		entry_end(w, e);
		return true;
	}
	return false;
}

static void wait_for_first(struct worker *w, struct pkt4 *p, struct follow_entry *e)
{
	struct follow *f = w->follow;
	uint16_t source = source_of(w, e->saddr), i;

	if (f->waits_of[source] >= FOLLOW_WAIT_MAX ||
	    (!f->free && f->fresh == FOLLOW_WAITING && !wait_displace(w, e))) {
		door_drop(w, p->m, DROP_FRAGMENT_FULL);
		return;
	}
	i = f->free;
	if (i)
		f->free = f->waits[i].next;
	else
		i = ++f->fresh;
	f->waits[i] = (struct follow_wait){.m = p->m,
					   .next = e->waiting,
					   .source = source,
					   .entry = (uint16_t)(e - f->entries + 1)};
	e->waiting = i;
	f->waits_of[source]++;
	f->n_waiting++;
	w->counters.parked++;
}

static void tag_ports(struct rte_mbuf *m, const struct follow_entry *e)
{
	struct pkt_tag *tag = pkt_tag(m);

	tag->fragment = 1;
	tag->sport = e->sport;
	tag->dport = e->dport;
}

/* What waited goes on after its first, in the order in which it came. */
static void waits_ready(struct follow *f, struct follow_entry *e)
{
	while (e->waiting) {
		uint16_t i = e->waiting;

		e->waiting = f->waits[i].next;
		tag_ports(f->waits[i].m, e);
		f->waits[i].entry = 0;
		f->waits[i].next = f->ready;
		f->ready = i;
	}
}

/* ---- stages and loop ---- */

bool follow_steer(struct worker *w, struct pkt4 *p, be32 client)
{
	unsigned int home = owner4(w->owners, client, 0);
	struct follow_entry *e;
	enum drop_reason reason;
	struct place at;

	if (pkt_tag(p->m)->fragment)
		return true;
	if (!place_of(p, &at)) {
		door_drop(w, p->m, DROP_FRAGMENT_BAD);
		return false;
	}
	if (home != w->id) {
		door_handoff(w, p->m, home, p->flags & PKT_TRIED_OUT);
		return false;
	}
	e = entry_get(w, p);
	reason = e ? range_add(e, &at) : DROP_FRAGMENT_FULL;
	if (reason != DROP_MAX) {
		door_drop(w, p->m, reason);
		return false;
	}
	if (at.from == 0) {
		memcpy(&e->sport, p->l3 + p->l4_off, 4);
		e->known = true;
		waits_ready(w->follow, e);
	}
	if (!e->known) {
		wait_for_first(w, p, e);
		return false;
	}
	tag_ports(p->m, e);
	follow_known(p);
	if (complete(e))
		entry_end(w, e);
	return true;
}

static uint32_t decided_slot(const struct worker *w, const struct pkt4 *p)
{
	const be16 id = ((const struct rte_ipv4_hdr *)p->l3)->packet_id;

	return mix(w, (uint64_t)p->key.saddr << 32 | p->key.daddr, id) % FOLLOW_DECIDED;
}

void follow_decided_put(struct worker *w, const struct pkt4 *p, uint32_t server)
{
	w->follow->decided[decided_slot(w, p)] =
		(struct follow_decided){.saddr = p->key.saddr,
					.daddr = p->key.daddr,
					.id = ((const struct rte_ipv4_hdr *)p->l3)->packet_id,
					.server = server,
					.since_tick = w->env.now_tick};
}

uint32_t follow_decided_find(const struct worker *w, const struct pkt4 *p)
{
	const struct follow_decided *d = &w->follow->decided[decided_slot(w, p)];

	if (d->saddr != p->key.saddr || d->daddr != p->key.daddr ||
	    d->id != ((const struct rte_ipv4_hdr *)p->l3)->packet_id ||
	    w->env.now_tick - d->since_tick > FOLLOW_TICKS)
		return 0;
	return d->server;
}

static void ready_run(struct worker *w)
{
	struct rte_mbuf *run[BURST_MAX];
	struct follow *f = w->follow;

	while (f->ready) {
		uint16_t n = 0;

		for (; f->ready && n < BURST_MAX; n++) {
			uint16_t i = f->ready;

			f->ready = f->waits[i].next;
			run[n] = f->waits[i].m;
			pkt_tag(run[n])->flags |= PKT_REPLAYED;
			w->counters.parked--;
			wait_free(f, i);
		}
		pipeline_run(w, run, n);
	}
}

void follow_round(struct worker *w)
{
	struct follow *f = w->follow;

	ready_run(w);
	if (f->looked_tick == w->env.now_tick)
		return;
	f->looked_tick = w->env.now_tick;
	for (unsigned int i = 0; i < LOOK_PER_TICK; i++) {
		struct follow_entry *e = &f->entries[f->cursor++ % (FOLLOW_BUCKETS * FOLLOW_WAYS)];

		if (e->proto && w->env.now_tick - e->since_tick > FOLLOW_TICKS)
			entry_end(w, e);
	}
}

void follow_drain(struct worker *w)
{
	struct follow *f = w->follow;

	waits_drop(w, f->ready);
	f->ready = 0;
	for (unsigned int i = 0; i < FOLLOW_BUCKETS * FOLLOW_WAYS; i++)
		if (f->entries[i].proto)
			entry_end(w, &f->entries[i]);
}
