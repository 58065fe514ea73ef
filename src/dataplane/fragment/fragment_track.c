/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/fragment/fragment_track.h"

#include <netinet/in.h>

#include "dataplane/exits/doors.h"
#include "dataplane/stages/ext6.h"
#include "dataplane/stages/ip.h"
#include "dataplane/stages/pipeline.h"

#define TCP_MIN	      20
#define UDP_MIN	      8
#define LOOK_PER_TICK (FOLLOW_BUCKETS * FOLLOW_WAYS / 4)
#define WAIT_TRIES    16 /* fragments that wait looked at for one that gives way */

/* The bytes of a datagram that a fragment carries. */
struct fragment_range {
	uint16_t from, to; /* units of 8 bytes; the last unit may be short */
	bool last;
};

/* The fields by which fragments are put together again. */
struct fields {
	uint16_t from; /* units of 8 bytes */
	bool more;
	be32 id;
	uint16_t data; /* where the fragment's part of the datagram begins, from l3 */
};

static struct fields fields_of(const struct FAM(pkt) *p)
{
#if FAMILY == 4
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)p->l3;
	const uint16_t field = be16_to(ip->fragment_offset);

	return (struct fields){.from = field & RTE_IPV4_HDR_OFFSET_MASK,
			       .more = field & RTE_IPV4_HDR_MF_FLAG,
			       .id = ip->packet_id,
			       .data = p->l4_off};
#else
	const struct ext6_fragment *f = ext6_fragment_find(p->l3, p->l4_off);
	be16 field;
	be32 id;

	if (!f)
		return (struct fields){.data = p->l4_off};
	memcpy(&field, &f->field, sizeof(field));
	memcpy(&id, &f->id, sizeof(id));
	return (struct fields){.from = (be16_to(field) & EXT6_OFFSET) >> 3,
			       .more = be16_to(field) & EXT6_MORE,
			       .id = id,
			       .data = (uint16_t)((const uint8_t *)(f + 1) - p->l3)};
#endif
}

void FAM_FN(follow, known)(struct FAM(pkt) *p)
{
	const struct pkt_tag *tag = pkt_tag(p->m);

	p->key.sport = tag->sport;
	p->key.dport = tag->dport;
	if (FAMILY == 6) /* a later fragment may name an extension header of its first */
		p->key.proto = tag->udp ? IPPROTO_UDP : IPPROTO_TCP;
	if (fields_of(p).from)
		p->flags |= PKT_FOLLOWS;
	else if (p->key.proto == IPPROTO_TCP)
		p->tcp_flags = p->l3[p->l4_off + 13] & 0x3f;
}

/* The first one has a whole L4 header: ports and flags cannot be put in or hidden by a second
 * fragment (RFC 1858, RFC 3128). */
static bool header_whole(const struct FAM(pkt) *p, uint32_t len)
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

/* Of the first fragment of a UDP datagram. */
static bool sum_is_missing(const struct FAM(pkt) *p)
{
	const uint8_t *udp = p->l3 + p->l4_off;

	return udp[6] == 0 && udp[7] == 0;
}

static bool range_of(const struct FAM(pkt) *p, const struct fields *f, struct fragment_range *at)
{
	const uint32_t len = (uint32_t)p->l3_len - f->data;

	at->last = !f->more;
	if (p->l3_len <= f->data || (!at->last && len % 8) ||
	    f->from * 8U + len + f->data > UINT16_MAX)
		return false;
	at->from = f->from;
	at->to = (uint16_t)(f->from + (len + 7) / 8);
	return f->from == 0 ? header_whole(p, (uint32_t)p->l3_len - p->l4_off) : f->from != 1;
}

/* ---- datagrams ---- */

static uint32_t mix(const struct worker *w, uint64_t a, uint64_t b)
{
	uint64_t h = (a ^ w->FAM(v).table.seed) * 0x9e3779b97f4a7c15ULL;

	h = (h ^ h >> 32 ^ b) * 0x9e3779b97f4a7c15ULL;
	return (uint32_t)(h >> 32);
}

/* Of an address, for mix(). */
static uint64_t address_word(FAM_ADDR a)
{
#if FAMILY == 4
	return a;
#else
	return a.word[0] * 0xd6e8feb86659fd93ULL ^ a.word[1];
#endif
}

static uint64_t pair_word(FAM_ADDR saddr, FAM_ADDR daddr)
{
	return address_word(saddr) << 32 ^ address_word(saddr) >> 32 ^ address_word(daddr);
}

/* Of IPv6: the network that one host can take its addresses from. */
static uint16_t source_of(const struct worker *w, FAM_ADDR saddr)
{
	return (uint16_t)(mix(w, address_word(FAM_FN(addr, masked)(saddr, FAMILY == 4 ? 32 : 64)),
			      0) %
			  FOLLOW_SOURCES);
}

static void wait_free(struct FAM(follow) *f, uint16_t i)
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
	struct FAM(follow) *f = w->FAM(v).follow;

	while (i) {
		uint16_t next = f->waits[i].next;

		door_drop(w, f->waits[i].m, DROP_FRAGMENT);
		w->counters.parked--;
		wait_free(f, i);
		i = next;
	}
}

static void entry_end(struct worker *w, struct FAM(follow_entry) *e)
{
	waits_drop(w, e->waiting);
	w->FAM(v).follow->datagrams[source_of(w, e->saddr)]--;
	w->FAM(v).follow->n--;
	memset(e, 0, sizeof(*e));
}

/* A free place in the bucket; else the oldest gives way, unless all are of this moment: then
 * it is a flood. */
static struct FAM(follow_entry) *entry_room(struct worker *w, struct FAM(follow_entry) *bucket)
{
	struct FAM(follow_entry) *oldest = bucket;

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

static struct FAM(follow_entry) *entry_get(struct worker *w, const struct FAM(pkt) *p, be32 id)
{
	/* IPv6 identifies a datagram by its addresses and number alone. */
	const uint8_t proto = FAMILY == 4 ? p->key.proto : IPPROTO_FRAGMENT;
	struct FAM(follow) *f = w->FAM(v).follow;
	uint16_t source = source_of(w, p->key.saddr);
	uint32_t hash = mix(w, pair_word(p->key.saddr, p->key.daddr), (uint64_t)id << 8 | proto);
	struct FAM(follow_entry) *bucket = &f->entries[hash % FOLLOW_BUCKETS * FOLLOW_WAYS], *e;

	for (unsigned int i = 0; i < FOLLOW_WAYS; i++) {
		e = &bucket[i];
		if (e->proto == proto && e->id == id &&
		    FAM_FN(addr, equal)(e->saddr, p->key.saddr) &&
		    FAM_FN(addr, equal)(e->daddr, p->key.daddr)) {
			if (w->env.now_tick - e->since_tick <= FOLLOW_TICKS)
				return e;
			entry_end(w, e); /* the id came round again */
			break;
		}
	}
	if (f->datagrams[source] >= FOLLOW_PER_SOURCE)
		return NULL;
	e = entry_room(w, bucket);
	if (!e)
		return NULL;
	e->saddr = p->key.saddr;
	e->daddr = p->key.daddr;
	e->id = id;
	e->proto = proto;
	e->since_tick = w->env.now_tick;
	f->datagrams[source]++;
	f->n++;
	return e;
}

/* Enters what came. DROP_MAX, or the reason to drop it. */
static enum drop_reason range_add(struct FAM(follow_entry) *e, const struct fragment_range *at)
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

static bool complete(const struct FAM(follow_entry) *e)
{
	return e->end && e->n_ranges == 1 && e->ranges[0].from == 0 && e->ranges[0].to == e->end;
}

/* ---- waiting ---- */

/* The datagram of a fragment that waits gives way, by a hand that goes round in the order in
 * which places were given away. False: all that were looked at came in this tick. */
static bool wait_displace(struct worker *w, const struct FAM(follow_entry) *spared)
{
	struct FAM(follow) *f = w->FAM(v).follow;

	for (unsigned int tries = 0; tries < WAIT_TRIES; tries++) {
		struct FAM(follow_entry) *e;

		f->hand = (uint16_t)(f->hand % FOLLOW_WAITING + 1);
		if (!f->waits[f->hand].entry)
			continue;
		e = &f->entries[f->waits[f->hand].entry - 1];
		if (e == spared || e->since_tick == w->env.now_tick)
			continue;
		entry_end(w, e);
		return true;
	}
	return false;
}

static void wait_for_first(struct worker *w, struct FAM(pkt) *p, struct FAM(follow_entry) *e)
{
	struct FAM(follow) *f = w->FAM(v).follow;
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
	f->waits[i] = (struct FAM(follow_wait)){.m = p->m,
						.next = e->waiting,
						.source = source,
						.entry = (uint16_t)(e - f->entries + 1)};
	e->waiting = i;
	f->waits_of[source]++;
	f->n_waiting++;
	w->counters.parked++;
}

static void tag_ports(struct rte_mbuf *m, const struct FAM(follow_entry) *e)
{
	struct pkt_tag *tag = pkt_tag(m);

	tag->fragment = 1;
	tag->udp = e->udp;
	tag->no_sum = e->no_sum;
	tag->sport = e->sport;
	tag->dport = e->dport;
}

/* Fragments that waited go on after their first, in the order of arrival. */
static void waits_ready(struct FAM(follow) *f, struct FAM(follow_entry) *e)
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

bool FAM_FN(follow, steer)(struct worker *w, struct FAM(pkt) *p, FAM_ADDR client)
{
	unsigned int home = FAM(owner)(w->owners, client, 0);
	struct FAM(follow_entry) *e;
	enum drop_reason reason;
	const struct fields fields = fields_of(p);
	struct fragment_range at;

	if (pkt_tag(p->m)->fragment)
		return true;
	if (!range_of(p, &fields, &at)) {
		door_drop(w, p->m, DROP_FRAGMENT_BAD);
		return false;
	}
	if (home != w->id) {
		door_handoff(w, p->m, home, p->flags & PKT_TRIED_OUT);
		return false;
	}
	e = entry_get(w, p, fields.id);
	reason = e ? range_add(e, &at) : DROP_FRAGMENT_FULL;
	if (reason != DROP_MAX) {
		door_drop(w, p->m, reason);
		return false;
	}
	if (at.from == 0) {
		memcpy(&e->sport, p->l3 + p->l4_off, sizeof(e->sport));
		memcpy(&e->dport, p->l3 + p->l4_off + sizeof(e->sport), sizeof(e->dport));
		e->udp = p->key.proto == IPPROTO_UDP;
		e->no_sum = e->udp && sum_is_missing(p);
		e->known = true;
		waits_ready(w->FAM(v).follow, e);
	}
	if (!e->known) {
		wait_for_first(w, p, e);
		return false;
	}
	tag_ports(p->m, e);
	FAM_FN(follow, known)(p);
	if (complete(e))
		entry_end(w, e);
	return true;
}

static uint32_t decided_slot(const struct worker *w, const struct FAM(pkt) *p, be32 id)
{
	return mix(w, pair_word(p->key.saddr, p->key.daddr), id) % FOLLOW_DECIDED;
}

void FAM_FN(follow, decided_put)(struct worker *w, const struct FAM(pkt) *p, uint32_t server)
{
	const be32 id = fields_of(p).id;

	w->FAM(v).follow->decided[decided_slot(w, p, id)] =
		(struct FAM(follow_decided)){.saddr = p->key.saddr,
					     .daddr = p->key.daddr,
					     .id = id,
					     .server = server,
					     .since_tick = w->env.now_tick};
}

uint32_t FAM_FN(follow, decided_find)(const struct worker *w, const struct FAM(pkt) *p)
{
	const be32 id = fields_of(p).id;
	const struct FAM(follow_decided) *d = &w->FAM(v).follow->decided[decided_slot(w, p, id)];

	if (!FAM_FN(addr, equal)(d->saddr, p->key.saddr) ||
	    !FAM_FN(addr, equal)(d->daddr, p->key.daddr) || d->id != id ||
	    w->env.now_tick - d->since_tick > FOLLOW_TICKS)
		return 0;
	return d->server;
}

static void ready_run(struct worker *w)
{
	struct rte_mbuf *run[BURST_MAX];
	struct FAM(follow) *f = w->FAM(v).follow;

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

void FAM_FN(follow, round)(struct worker *w)
{
	struct FAM(follow) *f = w->FAM(v).follow;

	ready_run(w);
	if (f->looked_tick == w->env.now_tick)
		return;
	f->looked_tick = w->env.now_tick;
	for (unsigned int i = 0; i < LOOK_PER_TICK; i++) {
		struct FAM(follow_entry) *e =
			&f->entries[f->cursor++ % (FOLLOW_BUCKETS * FOLLOW_WAYS)];

		if (e->proto && w->env.now_tick - e->since_tick > FOLLOW_TICKS)
			entry_end(w, e);
	}
}

void FAM_FN(follow, drain)(struct worker *w)
{
	struct FAM(follow) *f = w->FAM(v).follow;

	waits_drop(w, f->ready);
	f->ready = 0;
	for (unsigned int i = 0; i < FOLLOW_BUCKETS * FOLLOW_WAYS; i++)
		if (f->entries[i].proto)
			entry_end(w, &f->entries[i]);
}
