/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/stages/removed_server.h"

#include "dataplane/stages/answer.h"
#include "dataplane/stages/ended.h"
#include "dataplane/exits/doors.h"
#include "dataplane/conn/conn_life.h"
#include "dataplane/conn/tcp_state.h"

/* Connections of a removed server, and those that an operator ended, do not take the new resolve
 * generation: see resolve.c. */
static bool ends(const struct worker *w, const struct conn *c, uint8_t pkt_flags)
{
	const struct server_rt *srv;

	if (c->gen == w->env.gen || !(c->flags & CONN_F_LIVE) || (pkt_flags & PKT_RELATED))
		return false;
	if (c->gen == GEN_ENDED)
		return true;
	srv = runtime_server(&w->pub->runtime, c->server);
	return srv && server_rt_removed(srv) &&
	       server_rt_on_removed(&w->pub->runtime, srv, w->env.now_s) == ON_REMOVED_RESET;
}

static enum drop_reason reason(const struct worker *w, const struct FAM(conn) *c)
{
	return FAM_FN(conn, service)(w, c) ? DROP_SERVER_GONE : DROP_SERVICE_GONE;
}

/* False: the packet has left. */
static bool end_by_client(struct worker *w, struct FAM(pkt) *p)
{
	const enum drop_reason why = reason(w, p->conn);
	bool anew = p->key.proto == IPPROTO_UDP ||
		    (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;

	FAM_FN(conn, destroy)(w, p->conn);
	p->conn = NULL;
	if (anew) {
		w->counters.reused++;
		return true;
	}
	FAM_FN(tcp, reset)(w, p);
	door_drop(w, p->m, why);
	return false;
}

static bool end_by_server(struct worker *w, struct FAM(pkt) *p, const struct conn *c,
			  enum drop_reason why)
{
	if (p->tcp_flags & TCP_RST)
		return true;
	/* The client of a datagram cannot be told; the client's next datagram goes elsewhere. */
	if (p->key.proto == IPPROTO_UDP) {
		door_drop(w, p->m, why);
		return false;
	}
	FAM_FN(tcp, reset)(w, p);
	if (c->state == CONN_CLOSE) { /* the client has been told */
		door_drop(w, p->m, why);
		return false;
	}
	FAM_FN(tcp, become_reset)(p);
	return true;
}

/* False: the packet has left. */
static bool end(struct worker *w, struct FAM(pkt) *p)
{
	if (p->conn->c.gen == GEN_ENDED)
		return FAM_FN(ended, packet)(w, p);
	if (unlikely(p->flags & PKT_FOLLOWS)) { /* its first was answered, or is a RST now */
		door_drop(w, p->m, reason(w, p->conn));
		return false;
	}
	return p->dir == DIR_IN ? end_by_client(w, p)
				: end_by_server(w, p, &p->conn->c, reason(w, p->conn));
}

bool FAM_FN(removed_server, reply)(struct worker *w, struct FAM(pkt) *p, const struct conn *c,
				   enum drop_reason why)
{
	if (!ends(w, c, p->flags))
		return true;
	if (!(p->flags & PKT_FOLLOWS))
		return end_by_server(w, p, c, why);
	door_drop(w, p->m, why);
	return false;
}

void FAM(removed_server_end)(struct worker *w, struct FAM(burst) *b)
{
	uint16_t k = 0;

	for (uint16_t i = 0; i < b->n; i++) {
		struct FAM(pkt) *p = &b->pkts[i];

		if (p->conn && unlikely(ends(w, &p->conn->c, p->flags)) && !end(w, p))
			continue;
		if (k != i)
			b->pkts[k] = *p;
		k++;
	}
	b->n = k;
}
