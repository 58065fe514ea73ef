/* SPDX-License-Identifier: BSD-3-Clause */
/* Compiled for each family: base/family.h. */
#include "dataplane/fullnat/crossing.h"

#include "dataplane/conn/conn_life.h"
#include "dataplane/conn/tcp_state.h"
#include "dataplane/observe/observer.h"
#include "dataplane/stages/ip.h"
#include "dataplane/stages/pipeline.h"
#include "dataplane/stages/removed_server.h"
#include "dataplane/translate/translate.h"

/* --- FAMILY is the client's --- */

/* The delta of the L4 checksum from the client's side to the server's: the words of an address that
 * goes, and those of one that comes, are deltas to zero and from zero. */
static uint16_t delta_of(const struct FAM(conn) *c, const struct OTHER_FAM(conn) * h)
{
	const FAM_ADDR none = {0};
	const OTHER_ADDR none_either = {0};
	uint16_t delta = csum_delta_sum(FAM(csum_delta_addr)(c->caddr, none),
					FAM(csum_delta_addr)(c->vaddr, none));

	delta = csum_delta_sum(delta, OTHER_FAM(csum_delta_addr)(none_either, h->caddr));
	delta = csum_delta_sum(delta, OTHER_FAM(csum_delta_addr)(none_either, h->daddr));
	delta = csum_delta_sum(delta, csum_delta16(c->cport, h->cport));
	return csum_delta_sum(delta, csum_delta16(c->vport, h->dport));
}

int FAM_FN(crossing, join)(struct worker *w, struct FAM(conn) *c,
			   const struct FAM_FN(conn, new) * n)
{
	struct OTHER_FAM(local_end)
		end = {.server = OTHER_FN(addr, of)(&n->server->ep.addr),
		       .lport = n->lport,
		       .dport = n->dport,
		       .proto = n->proto,
		       .step = (uint8_t)FAM_FN(owner, step)(n->caddr, n->cport)};
	const uint32_t index = FAM_FN(conn, index)(&w->FAM(v).table, c);
	struct OTHER_FAM(conn) * h;
	int ret;

	if (n->lport)
		end.local = OTHER_FN(addr, of)(n->other_local);
	ret = OTHER_FN(half, create)(w, &end, &c->c, index, &h);
	if (ret < 0)
		return ret;
	h->c.flags = HALF_F_OTHER;
	h->control = index;
	c->c.l4_delta = delta_of(c, h);
	c->c.flags |= CONN_F_OUT_KEY;
	w->OTHER_FAM(v).n_others++;
	return 0;
}

void FAM_FN(crossing, part)(struct worker *w, struct FAM(conn) *c)
{
	struct OTHER_FAM(conn) *h = FAM_FN(crossing, server)(w, c);

	if (!h)
		return;
	OTHER_FN(half, end)(w, h, (uint8_t)FAM_FN(owner, step)(c->caddr, c->cport));
	c->c.flags &= (uint8_t)~CONN_F_OUT_KEY;
	w->OTHER_FAM(v).n_others--;
}

/* The MTU of the next hop of a direction, as far as it is known. */
static uint16_t hop_mtu(const struct worker *w, const struct FAM(conn) *c, unsigned int dir)
{
	const uint16_t id = c->c.nexthop[dir];
	const struct nexthop *nh = id ? nexthop_by_id(w->nexthops, id) : NULL;

	return nh ? nh->mtu : UINT16_MAX;
}

/* The packet of a server, whose headers are of the server's family, in the words of that family. */
static struct OTHER_FAM(pkt) as_it_came(const struct FAM(pkt) *p)
{
	return (struct OTHER_FAM(pkt)){
		.m = p->m,
		.l3 = p->l3,
		.key = {.saddr = OTHER_FN(ip, addr)(p->l3, IP_SOURCE),
			.daddr = OTHER_FN(ip, addr)(p->l3, IP_DEST),
			.proto = p->key.proto},
		.link = p->link,
		.l3_len = p->l3_len,
		.l4_off = p->l4_off,
		.dir = p->dir,
		.tcp_flags = p->tcp_flags,
		.flags = p->flags,
		.nh = p->nh,
	};
}

static bool rewrite_out(struct worker *w, struct FAM(pkt) *p)
{
	const struct FAM(conn) *c = p->conn;
	const struct FAM(new_ends) ends = {
		.source = c->vaddr, .dest = c->caddr, .sport = c->vport, .dport = c->cport};
	struct OTHER_FAM(pkt) reply = as_it_came(p);

	if (!OTHER_FN(translate, packet)(w, &reply, &ends, csum_delta_inverse(c->c.l4_delta),
					 hop_mtu(w, c, DIR_IN)))
		return false;
	p->l3 = reply.l3;
	p->l3_len = reply.l3_len;
	p->l4_off = reply.l4_off;
	return true;
}

bool FAM_FN(crossing, rewrite)(struct worker *w, struct FAM(pkt) *p)
{
	const struct FAM(conn) *c = p->conn;
	struct OTHER_FAM(new_ends) ends;

	if (p->dir == DIR_OUT)
		return rewrite_out(w, p);
	ends = FAM_FN(crossing, ends)(w, c);
	return FAM_FN(translate, packet)(w, p, &ends, c->c.l4_delta, hop_mtu(w, c, DIR_OUT));
}

/* --- FAMILY is the server's --- */

bool FAM_FN(crossing, evict)(struct worker *w, const struct FAM(key) *key)
{
	const struct FAM(table) *t = &w->FAM(v).table;
	struct FAM(conn) *c = FAM_FN(table, find)(t, key, FAM_FN(table, hash)(t, key), DIR_OUT);

	if (!c)
		return false;
	if (FAM_FN(half, is_other)(c))
		OTHER_FN(conn, destroy)(w, &w->OTHER_FAM(v).table.conns[c->control]);
	else
		FAM_FN(conn, destroy)(w, c);
	return true;
}

static enum drop_reason end_reason(const struct worker *w, const struct OTHER_FAM(conn) * c)
{
	if (c->c.gen == GEN_ENDED)
		return DROP_ENDED;
	return OTHER_FN(conn, service)(w, c) ? DROP_SERVER_GONE : DROP_SERVICE_GONE;
}

/* As stage schedule does first. False: the packet has left. */
static bool reply_goes_on(struct worker *w, struct FAM(pkt) *p, struct OTHER_FAM(conn) * c)
{
	if (likely(!w->env.leavers))
		return true;
	if (!FAM_FN(removed_server, reply)(w, p, &c->c, end_reason(w, c)))
		return false;
	if (c->c.gen == GEN_ENDED && (p->tcp_flags & TCP_RST)) /* both sides are told now */
		OTHER_FN(conn, set_state)(w, c, CONN_CLOSE);
	return true;
}

void FAM_FN(crossing, take)(struct worker *w, struct FAM(burst) *b, struct OTHER_FAM(burst) * x)
{
	uint16_t k = 0;

	x->n = 0;
	for (uint16_t i = 0; i < b->n; i++) {
		struct FAM(pkt) *p = &b->pkts[i];
		struct OTHER_FAM(conn) * c;

		if (!p->conn || !FAM_FN(half, is_other)(p->conn)) {
			if (k != i)
				b->pkts[k] = *p;
			k++;
			continue;
		}
		c = &w->OTHER_FAM(v).table.conns[p->conn->control];
		if (!reply_goes_on(w, p, c))
			continue;
		x->pkts[x->n++] = (struct OTHER_FAM(pkt)){
			.m = p->m,
			.l3 = p->l3,
			.key = {.proto = p->key.proto},
			.link = p->link,
			.l3_len = p->l3_len,
			.l4_off = p->l4_off,
			.dir = DIR_OUT,
			.tcp_flags = p->tcp_flags,
			.flags = p->flags,
			.conn = c,
		};
	}
	b->n = k;
}

void FAM_FN(crossing, pass)(struct worker *w, struct FAM(burst) *b)
{
	struct OTHER_FAM(burst) x;

	FAM_FN(crossing, take)(w, b, &x);
	if (x.n == 0)
		return;
	if (unlikely(w->observer))
		OTHER_FN(observer, finish)(w, &x);
	else
		OTHER_FN(pipeline, finish_replies)(w, &x);
}
