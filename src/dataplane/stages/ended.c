/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/stages/ended.h"

#include <rte_tcp.h>

#include "dataplane/conn/conn_life.h"
#include "dataplane/conn/conn_view.h"
#include "dataplane/conn/tcp_state.h"
#include "dataplane/exits/doors.h"
#include "dataplane/fullnat/crossing.h"
#include "dataplane/stages/answer.h"
#include "dataplane/stages/ip.h"
#include "dataplane/stages/route.h"

#define CLOSE_TICKS_MAX (CONN_TICK_HZ * 3600) /* that a closed connection is thought to stay */

static const struct nexthop *nexthop_to(struct worker *w, FAM_ADDR to)
{
	const struct addr dest = FAM(addr_from_addr)(to);
	const struct nexthop *nh;
	struct addr neighbour;
	link_id link;
	uint32_t id;

	if (!route_next(w->env.fib, &dest, &link, &neighbour))
		return NULL;
	id = nexthop_find(w->nexthops, link, &neighbour);
	if (!id) {
		request_resolve(w, link, &neighbour);
		return NULL;
	}
	nh = nexthop_by_id(w->nexthops, id);
	return nh->state == NEXTHOP_REACHABLE ? nh : NULL;
}

/* An empty ACK. The numbers are as good as random: those that a window of 4 MiB holds are one in a
 * thousand, and the number that is acknowledged then still asks for an answer. */
static void segment_put(struct worker *w, uint8_t *l3, const struct FAM(new_ends) *way)
{
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(l3 + IP_HDR);

	FAM_FN(ip, put)
	(l3, way->source, way->dest, IPPROTO_TCP, sizeof(*tcp), 0, FAMILY == 4 ? w->ip_id++ : 0,
	 true);
	*tcp = (struct rte_tcp_hdr){
		.src_port = way->sport,
		.dst_port = way->dport,
		.sent_seq = (uint32_t)worker_random(w),
		.recv_ack = (uint32_t)worker_random(w),
		.data_off = sizeof(*tcp) / 4 << 4,
		.tcp_flags = TCP_ACK,
	};
	tcp->cksum = FAM_FN(ip, l4_csum)(l3, (const uint8_t *)tcp, IPPROTO_TCP, sizeof(*tcp));
}

void FAM_FN(ended, ask)(struct worker *w, const struct FAM(new_ends) *way)
{
	const struct nexthop *nh = nexthop_to(w, way->dest);
	const uint16_t len = (uint16_t)(IP_HDR + sizeof(struct rte_tcp_hdr));
	struct rte_mbuf *m = nh ? rte_pktmbuf_alloc(w->pool) : NULL;
	uint8_t *data;

	if (!m)
		return;
	data = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(nh->l2_len + len));
	if (!data) {
		rte_pktmbuf_free(m);
		return;
	}
	pkt_tag_fresh(m);
	m->port = nh->port;
	memcpy(data, nh->l2, nh->l2_len);
	segment_put(w, data + nh->l2_len, way);
	w->counters.generated++;
	door_send(w, m, nh->port);
}

/* Whether an end has not been reset yet, or may not have received the RST. */
static bool is_open(const struct FAM(conn) *c)
{
	return c->c.proto == IPPROTO_TCP && c->c.state != CONN_CLOSE &&
	       c->c.state != CONN_TIME_WAIT;
}

static void mark(struct worker *w, struct FAM(conn) *c)
{
	const uint32_t until = w->env.now_tick + c->c.timeout + CLOSE_TICKS_MAX;

	c->c.gen = GEN_ENDED;
	if (!w->ends || (int32_t)(until - w->ends_tick) > 0)
		w->ends_tick = until;
	w->ends = true;
}

/* The client's address, or a local one by full NAT, asks the server. */
static void server_ask(struct worker *w, const struct FAM(conn) *c)
{
	const struct FAM(new_ends) nat = {c->caddr, c->daddr, c->cport, c->dport};

	if (!forward_has(c->c.method, FORWARD_BY_LOCAL)) {
		FAM_FN(ended, ask)(w, &nat);
	} else if (!(c->c.flags & CONN_F_OUT_KEY)) {
		return;
	} else if (FAM_FN(half, crosses)(c)) {
		const struct OTHER_FAM(new_ends) way = FAM_FN(crossing, ends)(w, c);

		OTHER_FN(ended, ask)(w, &way);
	} else {
		const struct FAM(new_ends) way = FAM_FN(local, ends)(&w->FAM(v).table, c, DIR_IN);

		FAM_FN(ended, ask)(w, &way);
	}
}

/* True: the end was not asked for before. */
static bool end(struct worker *w, struct FAM(conn) *c)
{
	const struct FAM(new_ends) to_client = {c->vaddr, c->caddr, c->vport, c->cport};
	const bool anew = c->c.gen != GEN_ENDED;

	if (!is_open(c)) {
		if (anew)
			FAM_FN(conn, destroy)(w, c);
		return anew;
	}
	mark(w, c);
	if (w->env.lease_off)
		return anew;
	FAM_FN(ended, ask)(w, &to_client);
	if (forward_has(c->c.method, FORWARD_REPLIES_PASS))
		server_ask(w, c);
	return anew;
}

static bool is_connection(const struct FAM(conn) *c)
{
	return (c->c.flags & CONN_F_LIVE) && !(c->c.flags & CONN_F_TEMPLATE);
}

bool FAM_FN(ended, walk)(struct worker *w, struct worker_command *cmd)
{
	const struct FAM(table) *t = &w->FAM(v).table;
	uint32_t i = cmd->cursor >> 1, stop = t->unused;

	if (stop > i && stop - i > CMD_LIST_STEP)
		stop = i + CMD_LIST_STEP;
	for (; i < stop && cmd->n < cmd->n_max; i++) {
		struct conn_view v;

		if (!is_connection(&t->conns[i]))
			continue;
		FAM_FN(conn, view)(w, &t->conns[i], &v);
		if (conn_filter_matches(&cmd->filter, &v))
			cmd->n += end(w, &t->conns[i]);
	}
	cmd->cursor = i << 1 | (FAMILY == 6);
	return i >= t->unused;
}

void FAM_FN(ended, find)(struct worker *w, struct worker_command *cmd)
{
	const struct FAM(table) *t = &w->FAM(v).table;
	const struct FAM(key) *key = &cmd->FAM(key);
	struct FAM(conn) *c = FAM_FN(table, find)(t, key, FAM_FN(table, hash)(t, key), DIR_IN);

	if (!c || !is_connection(c))
		return;
	end(w, c);
	cmd->n = 1;
}

bool FAM_FN(ended, packet)(struct worker *w, struct FAM(pkt) *p)
{
	if (p->dir == DIR_IN && (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN) {
		FAM_FN(conn, destroy)(w, p->conn);
		p->conn = NULL;
		w->counters.reused++;
		return true;
	}
	if (p->flags & PKT_FOLLOWS) { /* its first was answered, or is a RST now */
		door_drop(w, p->m, DROP_ENDED);
		return false;
	}
	if (p->tcp_flags & TCP_RST)
		return true;
	FAM_FN(tcp, reset)(w, p);
	if (p->conn->c.state == CONN_CLOSE) { /* both sides have been told */
		door_drop(w, p->m, DROP_ENDED);
		return false;
	}
	FAM_FN(tcp, become_reset)(p);
	FAM_FN(conn, set_state)(w, p->conn, CONN_CLOSE);
	return true;
}
