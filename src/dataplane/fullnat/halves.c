/* SPDX-License-Identifier: BSD-3-Clause */
/* Compiled for each family: base/family.h. */
#include "dataplane/fullnat/halves.h"

#include <errno.h>

#include "dataplane/conn/conn_life.h"
#include "dataplane/ftp/ftp_port.h"
#include "dataplane/fullnat/crossing.h"
#include "dataplane/fullnat/local_port.h"
#include "dataplane/stages/ip.h"
#include "dataplane/stages/route.h"
#include "dataplane/sync/ledger.h"

static void count_ports(struct worker *w)
{
	w->counters.local_ports = w->v4.ports.n_used + w->v6.ports.n_used;
}

static struct FAM(local_end) end_of(const struct FAM(conn) *h, uint8_t step)
{
	return (struct FAM(local_end)){.local = h->caddr,
				       .server = h->daddr,
				       .lport = h->cport,
				       .dport = h->dport,
				       .proto = h->c.proto,
				       .step = step,
				       .place = h->c.place,
				       .group = h->c.group};
}

/* Tells control how full the pool is, now and then and when no port was left. */
static void fill_note(struct worker *w, uint32_t percent, uint32_t server)
{
	uint64_t *fill = &w->FAM(v).ports.fill;

	if (!local_fill_counts(*fill, w->env.now_s) || percent >= local_fill_percent(*fill))
		__atomic_store_n(fill, local_fill_word(server, percent, w->env.now_s),
				 __ATOMIC_RELAXED);
}

/* The place of `local` in the pool, or NULL. */
static const FAM_ADDR *pool_find(const FAM_ADDR *addrs, uint32_t n, FAM_ADDR local)
{
	for (uint32_t i = 0; i < n; i++)
		if (FAM_FN(addr, equal)(addrs[i], local))
			return &addrs[i];
	return NULL;
}

/* A port of the addresses that are on the server's link, or of end->local among them. */
static int port_choose(struct worker *w, struct FAM(local_end) *end, uint32_t id)
{
	const struct addr server = FAM(addr_from_addr)(end->server);
	const FAM_ADDR *addrs = NULL;
	struct addr neighbour;
	uint32_t n = 0;
	link_id link;
	int ret;

	if (route_next(w->env.fib, &server, &link, &neighbour))
		addrs = FAM_FN(local_pool, find)(w->env.snap->FAM(pool), link, &n);
	if (unlikely(n && !FAM_FN(addr, is_zero)(end->local))) {
		addrs = pool_find(addrs, n, end->local);
		n = addrs ? 1 : 0;
	}
	if (!n)
		return -ENETUNREACH;
	ret = FAM_FN(local_port, choose)(&w->FAM(v).ports, end, addrs, n, w->env.now_s);
	if (unlikely(ret < 0))
		fill_note(w, 100, id);
	else if (unlikely(w->FAM(v).ports.n_choices % LOCAL_PORT_SAMPLE == 0))
		fill_note(
			w,
			FAM_FN(local_port, percent)(&w->FAM(v).ports, end, addrs, n, w->env.now_s),
			id);
	return ret;
}

static void half_fill(struct FAM(conn) *h, const struct conn *c, const struct FAM(local_end) *end)
{
	h->daddr = end->server;
	h->dport = end->dport;
	h->caddr = end->local;
	h->cport = end->lport;
	h->c.proto = c->proto;
	h->c.method = c->method;
	h->c.group = end->group;
	h->c.place = end->place;
}

/* All but the key, whose bucket is prefetched. */
static int half_begin(struct worker *w, struct FAM(local_end) *end, const struct conn *c,
		      uint32_t index, bool other, struct FAM(conn) **out)
{
	struct FAM(table) *t = &w->FAM(v).table;
	struct FAM(conn) *h = FAM_FN(table, alloc_half)(t, index, other);
	struct FAM(key) key;
	int ret;

	if (!h)
		return -ENOSPC;
	ret = end->lport ? FAM_FN(local_port, take)(&w->FAM(v).ports, end, w->env.now_s)
			 : port_choose(w, end, c->server);
	if (ret < 0)
		goto err_entry;
	half_fill(h, c, end);
	FAM_FN(conn, key)(h, DIR_OUT, &key);
	h->c.half_hash = FAM_FN(table, hash)(t, &key);
	h->c.begun = true;
	FAM_FN(table, prefetch_bucket)(t, h->c.half_hash);
	count_ports(w);
	*out = h;
	return 0;

err_entry:
	FAM_FN(table, free_half)(t, h);
	return ret;
}

static int half_link(struct FAM(table) *t, struct FAM(conn) *h)
{
	h->c.begun = false;
	return FAM_FN(table, link_hashed)(t, h, DIR_OUT, h->c.half_hash, NULL);
}

int FAM_FN(half, create)(struct worker *w, struct FAM(local_end) *end, const struct conn *c,
			 uint32_t index, struct FAM(conn) **out)
{
	struct FAM(conn) *h;
	int ret = half_begin(w, end, c, index, true, &h);

	if (ret < 0)
		return ret;
	ret = half_link(&w->FAM(v).table, h);
	if (ret < 0)
		FAM_FN(half, end)(w, h, end->step);
	else
		*out = h;
	return ret;
}

void FAM_FN(half, end)(struct worker *w, struct FAM(conn) *h, uint8_t step)
{
	const struct FAM(local_end) end = end_of(h, step);

	if (w->FAM(v).rows)
		FAM_FN(ledger, half_ended)(w, h);
	if (unlikely(h->c.flags & HALF_F_FTP))
		FAM_FN(ftp_port, released)(w, h, step);
	FAM_FN(table, unlink)(&w->FAM(v).table, h, DIR_OUT);
	FAM_FN(table, free_half)(&w->FAM(v).table, h);
	FAM_FN(local_port, release)(&w->FAM(v).ports, &end, w->env.now_s);
	count_ports(w);
}

static void deltas_fill(struct FAM(conn) *c, const struct FAM(conn) *h)
{
	const uint16_t ports =
		csum_delta_sum(csum_delta16(c->cport, h->cport), csum_delta16(c->vport, h->dport));

	c->c.ip_delta = csum_delta_sum(FAM(csum_delta_addr)(c->caddr, h->caddr),
				       FAM(csum_delta_addr)(c->vaddr, h->daddr));
	c->c.l4_delta = csum_delta_sum(c->c.ip_delta, ports);
}

int FAM_FN(halves, join)(struct worker *w, struct FAM(conn) *c, const struct FAM_FN(conn, new) * n)
{
	struct FAM(table) *t = &w->FAM(v).table;
	struct FAM(local_end) end = {.local = n->laddr,
				     .server = n->daddr,
				     .lport = n->lport,
				     .dport = n->dport,
				     .proto = n->proto,
				     .step = (uint8_t)FAM_FN(owner, step)(n->caddr, n->cport)};
	struct FAM(conn) *h;
	int ret;

	if (FAM_FN(half, crosses)(c))
		return FAM_FN(crossing, join)(w, c, n);
	ret = half_begin(w, &end, &c->c, FAM_FN(conn, index)(t, c), false, &h);
	if (ret < 0)
		return ret;
	if (unlikely(n->announced)) {
		h->c.flags = HALF_F_FTP;
		FAM_FN(ftp_port, taken)(w, h, end.step);
	}
	deltas_fill(c, h);
	h->control = FAM_FN(conn, index)(t, c);
	return 0;
}

int FAM_FN(halves, link)(struct worker *w, struct FAM(conn) *c)
{
	struct FAM(table) *t = &w->FAM(v).table;
	struct FAM(conn) *h = FAM_FN(half, crosses)(c) ? NULL : FAM_FN(half, server)(t, c);
	int ret;

	if (!h || !h->c.begun)
		return 0;
	ret = half_link(t, h);
	/* The half is to be given back in any case. */
	c->c.flags |= CONN_F_OUT_KEY;
	return ret;
}

/* The half is prefetched now, and what the half names some calls later, when it has come. */
void FAM_FN(halves, prefetch_end)(struct worker *w, const struct FAM(conn) *c)
{
	const struct FAM(table) *t = &w->FAM(v).table;
	uint32_t *slot = &w->FAM(v).ending[w->FAM(v).n_ending++ % HALVES_ENDING];
	const uint32_t index = *slot;
	const struct FAM(conn) *h = &t->conns[index];

	if (FAM_FN(half, crosses)(c) || (c->c.flags & CONN_F_TEMPLATE))
		return;
	*slot = FAM_FN(conn, index)(t, FAM_FN(half, at)(t, c));
	__builtin_prefetch(&t->conns[*slot], 1);
	if (index == 0)
		return;
	FAM_FN(table, prefetch_bucket)(t, h->c.half_hash);
	FAM_FN(local_port, prefetch)(&w->FAM(v).ports, h->c.group, be16_to(h->cport) & 1);
}

void FAM_FN(halves, part)(struct worker *w, struct FAM(conn) *c)
{
	struct FAM(conn) *h;

	if (c->c.flags & CONN_F_TEMPLATE)
		return;
	if (FAM_FN(half, crosses)(c)) {
		FAM_FN(crossing, part)(w, c);
		return;
	}
	h = FAM_FN(half, server)(&w->FAM(v).table, c);
	if (!h)
		return;
	FAM_FN(half, end)(w, h, (uint8_t)FAM_FN(owner, step)(c->caddr, c->cport));
	c->c.flags &= (uint8_t)~CONN_F_OUT_KEY;
}

/* Without a branch on the direction, which is as good as random. */
void FAM_FN(halves, look)(struct worker *w, struct FAM(burst) *b)
{
	const uint32_t first = w->FAM(v).table.half_first;
	struct FAM(conn) *const halves = &w->FAM(v).table.conns[first];
	const uint16_t n = b->known && !w->env.many_servers ? HALVES_AHEAD : BURST_MAX;

	for (struct FAM(pkt) *p = b->pkts, *const end = p + b->n; p < end; p++)
		p->conn -= p->conn >= halves && p->conn < halves + first ? first : 0;
	for (uint16_t i = 0; i < n && i < b->n; i++)
		FAM_FN(halves, prefetch)(w, &b->pkts[i]);
}

bool FAM_FN(halves, match)(const struct FAM(table) *t, const struct FAM(conn) *c,
			   const struct FAM(key) *key, unsigned int dir)
{
	if (dir == DIR_OUT && forward_has(c->c.method, FORWARD_TWO_HALVES))
		c = FAM_FN(half, crosses)(c) ? NULL : FAM_FN(half, server)(t, c);
	return c && FAM_FN(conn, matches)(c, key, dir);
}
