/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage schedule: gives packets without a connection to a service's scheduler, if admission
 * (admit.h) lets them make a connection.
 *
 * Reads: key, dir, tcp_flags, conn; the snapshot's listeners and services.
 * Writes: conn. After it every packet left in the burst has one.
 * Doors: punt (no service, no connection), drop (no server, table full, the client's port in use,
 * nonsense, a source that no link can bring).
 */
#include <errno.h>

#include "dataplane/stages/admit.h"
#include "dataplane/stages/answer.h"
#include "dataplane/exits/doors.h"
#include "dataplane/fragment/fragment_track.h"
#include "dataplane/fullnat/local_end.h"
#include "dataplane/ftp/ftp.h"
#include "dataplane/stages/removed_server.h"
#include "dataplane/conn/evidence.h"
#include "dataplane/conn/handshake.h"
#include "dataplane/conn/conn_life.h"
#include "dataplane/conn/tcp_state.h"
#include "dataplane/persistence/persist.h"
#include "dataplane/proxy/proxy.h"
#include "dataplane/stages/pipeline.h"
#include "dataplane/stages/resolve.h"
#include "dataplane/stages/stale.h"

/* The parameters of a connection to srv. Only NAT rewrites ports. same_port: the server was not
 * chosen for this port alone, so NAT does not rewrite the port either. */
static struct FAM_FN(conn, new) new_towards(const struct service *svc, const struct server *srv,
					    const struct FAM(pkt) *p, bool same_port)
{
	return (struct FAM_FN(conn, new)){
		.caddr = p->key.saddr,
		.cport = p->key.sport,
		.vaddr = p->key.daddr,
		.vport = p->key.dport,
		.daddr = FAM(server_addr)(srv),
		.dport = forward_has(srv->method, FORWARD_REWRITES) && srv->port && !same_port
				 ? srv->port
				 : p->key.dport,
		.proto = p->key.proto,
		.method = srv->method,
		.svc = svc,
		.server = srv->rt,
		.server_id = srv->id,
		.hash = p->hash,
	};
}

/*
 * One-packet scheduling: a server is chosen for each packet, and no connection remains. Counts
 * would go up and down at once (IPVS), so the counts are left alone.
 */
static void once_make(struct worker *w, const struct FAM_FN(conn, new) * n, struct FAM(pkt) *p,
		      bool again)
{
	struct pkt_tag *tag = pkt_tag(p->m);

	p->conn = FAM_FN(conn, once)(w, n);
	if (!again)
		w->servers[n->server_id].counters.conns++;
	/* Should it have to wait for the next hop. */
	tag->kind = HANDOFF_DECIDED;
	tag->server = n->server_id;
	tag->control = 0;
	tag->v6 = FAMILY == 6;
	if (unlikely(p->flags & PKT_FRAGMENT))
		FAM_FN(follow, decided_put)(w, p, n->server_id);
}

/* The server that was chosen before the packet was parked; or NULL. */
static const struct server *server_decided(const struct service *svc, const struct FAM(pkt) *p)
{
	const struct pkt_tag *tag = pkt_tag(p->m);

	for (uint32_t i = 0; tag->kind == HANDOFF_DECIDED && i < svc->n_servers; i++)
		if (svc->servers[i].rt->id == tag->server)
			return &svc->servers[i];
	return NULL;
}

/* The client's server, by persistence in place of the scheduler. */
static int persistent_make(struct worker *w, const struct service_match *match, struct FAM(pkt) *p)
{
	const bool again = FAM(one_packet)(match->svc, p) && server_decided(match->svc, p) &&
			   pkt_tag(p->m)->control == 0;
	struct persist_choice choice;
	struct FAM_FN(conn, new) n;
	int ret = FAM_FN(persist, choose)(w, match, p, &choice);

	if (ret < 0)
		return ret;
	n = new_towards(match->svc, choice.server, p, !match->exact);
	if (FAM(one_packet)(match->svc, p)) {
		once_make(w, &n, p, again);
		ret = 0;
	} else {
		n.control = choice.control;
		n.takes_key = true; /* its server is the template's, and no other */
		ret = FAM_FN(conn, create)(w, &n, &p->conn);
		if (ret == 0)
			return 0;
	}
	if (choice.control)
		FAM_FN(template, release)(w, choice.control);
	return ret;
}

/* The servers from `first` on, in list order, until one is free of this client's port. */
static int server_make(struct worker *w, const struct service *svc, struct FAM(pkt) *p,
		       uint32_t first, uint32_t skip, bool takes_key)
{
	int ret = -EEXIST;

	for (uint32_t i = skip; ret == -EEXIST && i < svc->n_servers; i++) {
		const struct server *srv = &svc->servers[(first + i) % svc->n_servers];
		struct FAM_FN(conn, new) n;

		if (i && !server_eligible(srv))
			continue;
		n = new_towards(svc, srv, p, false);
		n.takes_key = takes_key;
		ret = FAM_FN(conn, create)(w, &n, &p->conn);
	}
	return ret;
}

/* The scheduler's choice, but for the NAT out key: link_begun(). */
static int scheduled_make(struct worker *w, const struct service *svc, struct FAM(pkt) *p)
{
	const bool active = FAM_FN(conn, begins_active)(p->key.proto);
	struct sched_request req = FAM_FN(service, request)(w, &p->key);
	int choice = sched_assign(svc, &req, active), ret;
	struct FAM_FN(conn, new) n;

	if (choice == SCHED_NONE)
		return -ENOENT;
	n = new_towards(svc, &svc->servers[choice], p, false);
	n.bound = true;
	ret = FAM_FN(conn, begin)(w, &n, &p->conn);
	if (ret < 0) {
		server_rt_bind_undo(svc->servers[choice].rt, &w->sched.row, n.server_id, active);
		sched_update(svc, &w->sched, n.server_id);
	}
	return ret;
}

/* The client's port is in use towards the scheduler's choice already, through another VIP: takes
 * the next server in list order without that port, or else replaces a connection that is not
 * assured. */
static int other_make(struct worker *w, const struct service *svc, struct FAM(pkt) *p,
		      const struct server_rt *choice)
{
	uint32_t first = 0;
	int ret;

	while (first < svc->n_servers && svc->servers[first].rt != choice)
		first++;
	ret = server_make(w, svc, p, first, 1, false);
	if (ret == -EEXIST)
		ret = server_make(w, svc, p, first, 0, true);
	return ret;
}

static int one_packet_make(struct worker *w, const struct service *svc, struct FAM(pkt) *p)
{
	const struct server *srv = server_decided(svc, p);
	const bool again = srv != NULL;
	struct FAM_FN(conn, new) n;

	if (!srv) {
		const struct sched_request req = FAM_FN(service, request)(w, &p->key);
		int choice = svc->sched->choose(svc, &req);

		if (choice == SCHED_NONE)
			return -ENOENT;
		srv = &svc->servers[choice];
	}
	n = new_towards(svc, srv, p, false);
	once_make(w, &n, p, again);
	return 0;
}

/* A packet of a connection that another router of a fleet may have begun: it goes to the choice of
 * mh, which is the same on every router. A RST and an ICMP error leave no connection. */
static int adopted_make(struct worker *w, const struct service *svc, struct FAM(pkt) *p)
{
	const bool passes = (p->flags & PKT_RELATED) || (p->tcp_flags & TCP_RST);
	const struct sched_request req = FAM_FN(service, request)(w, &p->key);
	struct FAM_FN(conn, new) n;
	int choice, ret;

	if (passes) {
		const bool again = server_decided(svc, p) != NULL; /* it was parked */

		choice = svc->sched->choose(svc, &req);
		if (choice == SCHED_NONE)
			return -ENOENT;
		n = new_towards(svc, &svc->servers[choice], p, false);
		once_make(w, &n, p, true);
		w->counters.adopted_once += !again;
		return 0;
	}
	ret = scheduled_make(w, svc, p);
	w->counters.adopted += ret == 0;
	return ret;
}

static int connection_make(struct worker *w, const struct service_match *match, struct FAM(pkt) *p)
{
	if (unlikely(match->svc->policy.adopt) && p->key.proto == IPPROTO_TCP &&
	    ((p->flags & PKT_RELATED) || !(p->tcp_flags & TCP_SYN)))
		return adopted_make(w, match->svc, p);
	if (match->svc->policy.persist_s)
		return persistent_make(w, match, p);
	if (FAM(one_packet)(match->svc, p))
		return one_packet_make(w, match->svc, p);
	return scheduled_make(w, match->svc, p);
}

/* The server that one-packet scheduling chose for its first. */
static bool follower_once(struct worker *w, const struct service_match *match, struct FAM(pkt) *p)
{
	const uint32_t id = FAM_FN(follow, decided_find)(w, p);

	for (uint32_t i = 0; id && i < match->svc->n_servers; i++) {
		const struct server *srv = &match->svc->servers[i];

		if (srv->rt->id == id) {
			const struct FAM_FN(conn, new) n = new_towards(
				match->svc, srv, p, match->svc->policy.persist_s && !match->exact);

			once_make(w, &n, p, true);
			FAM_FN(proxy, begin)(p->conn, p, match->svc->policy.client_address);
			return true;
		}
	}
	return false;
}

/* A fragment makes no connection: the first fragment did, or went to Linux. */
static bool schedule_follower(struct worker *w, const struct service_match *match,
			      struct FAM(pkt) *p)
{
	if (FAM(one_packet)(match->svc, p) && follower_once(w, match, p))
		return true;
	/* The first may be on its way to the home of its client's template and back. */
	if (!match->svc->policy.persist_s || !FAM_FN(persist, follow)(w, match, p))
		door_drop(w, p->m, DROP_FRAGMENT);
	return false;
}

/* The packet's connection is in the table. */
static void note_new(struct worker *w, struct FAM(pkt) *p, const struct service *svc)
{
	FAM_FN(handshake, begin)(w, p);
	FAM_FN(evidence, begin)(w, p, svc);
	FAM(resolve_ahead)(w, p->conn);
}

/* No connection can be made. -EEXIST: the client's port is in use towards every server, by assured
 * and living connections: the client gets a refusal, as from a host without the service.
 */
static void refuse(struct worker *w, struct FAM(pkt) *p, int why)
{
	if (why == -EDQUOT) {
		door_drop(w, p->m, DROP_NETWORK_FULL);
		return;
	}
	if (why == -ENETUNREACH || why == -EADDRNOTAVAIL) {
		door_drop(w, p->m,
			  why == -ENETUNREACH ? DROP_NO_LOCAL_ADDRESS : DROP_NO_LOCAL_PORT);
		return;
	}
	if (why != -EEXIST) {
		door_drop(w, p->m, why == -EBADMSG ? DROP_NO_CALL_ID : DROP_TABLE_FULL);
		return;
	}
	if (p->key.proto == IPPROTO_TCP)
		FAM_FN(tcp, reset)(w, p);
	else
		FAM_FN(icmp, error)(w, p, p->key.daddr, ICMP_REASON_PORT, 0);
	door_drop(w, p->m, DROP_KEY_COLLISION);
}

/* A data connection that an FTP control connection announced. False: the packet does not open such
 * a connection; or, with *left set, the packet has left. */
static bool ftp_made(struct worker *w, struct FAM(pkt) *p, bool *left)
{
	int ret = FAM_FN(ftp, make)(w, p);

	if (ret == -ENOENT)
		return false;
	if (ret == 0) {
		p->flags |= PKT_NEW;
		note_new(w, p, FAM_FN(conn, service)(w, p->conn));
		return true;
	}
	if (ret == -EEXIST)
		door_drop(w, p->m, DROP_KEY_COLLISION);
	else
		refuse(w, p, ret);
	*left = true;
	return false;
}

/* Makes the connection of a packet that was admitted. True: p->conn is set. */
static bool schedule_new(struct worker *w, const struct service_match *match, struct FAM(pkt) *p)
{
	int ret = connection_make(w, match, p);
	switch (ret) {
	case 0:
		p->flags |= PKT_NEW;
		if (unlikely(match->svc->policy.ftp) && match->exact &&
		    match->svc->proto == IPPROTO_TCP)
			FAM_FN(ftp, begin)(p->conn);
		else if (unlikely(match->svc->policy.client_address))
			FAM_FN(proxy, begin)(p->conn, p, match->svc->policy.client_address);
		if (!(p->conn->c.flags & CONN_F_ONE_PACKET))
			note_new(w, p, match->svc);
		return true;
	case -EINPROGRESS: /* left for its client's home */
		return false;
	case -ENOENT:
		if (!(p->flags & PKT_RELATED)) /* no error about an error */
			FAM_FN(icmp, error)(w, p, p->key.daddr, ICMP_REASON_PORT, 0);
		door_drop(w, p->m, DROP_NO_SERVER);
		return false;
	default:
		refuse(w, p, ret);
		return false;
	}
}

/* True when p->conn is set. */
static bool schedule_one(struct worker *w, struct FAM(pkt) *p)
{
	struct service_match match;
	bool left = false;

	if (!FAM(admit_source)(w, p))
		return false;
	if (unlikely(ftp_expecting(w)) && ((ftp_made(w, p, &left)) || left))
		return !left;
	switch (FAM(admit)(w, p, &match)) {
	case ADMIT_NEW:
		return schedule_new(w, &match, p);
	case ADMIT_FOLLOWS:
		return schedule_follower(w, &match, p);
	case ADMIT_FOUND:
		return true;
	default:
		return false;
	}
}

/* A connection whose out key is taken, or has no room. False: the packet has left. */
static __rte_noinline bool begun_again(struct worker *w, struct FAM(pkt) *p, int why)
{
	const struct service *svc = FAM_FN(conn, service)(w, p->conn);
	const struct server_rt *choice = runtime_server(&w->pub->runtime, p->conn->c.server);
	const bool ftp = FAM_FN(conn, is_ftp)(p->conn);
	int ret = why;

	FAM_FN(handshake, undo)(w, p->conn);
	FAM_FN(conn, undo)(w, p->conn);
	if (why == -EEXIST && svc)
		ret = other_make(w, svc, p, choice);
	if (ret < 0) {
		refuse(w, p, ret);
		return false;
	}
	if (ftp)
		FAM_FN(ftp, begin)(p->conn);
	else if (unlikely(svc->policy.client_address))
		FAM_FN(proxy, begin)(p->conn, p, svc->policy.client_address);
	note_new(w, p, svc);
	return true;
}

/* No packet has asked for the buckets of the out keys yet. Prefetches with little between them wait
 * for their pages together: a processor that does not know the page of an address holds back all
 * that follows the prefetch. */
static void begun_prefetch(const struct worker *w, const struct FAM(burst) *b)
{
	const struct FAM(table) *t = &w->FAM(v).table;

	for (uint16_t i = 0; i < b->n; i++)
		if (b->pkts[i].flags & PKT_NEW)
			FAM_FN(table, prefetch_bucket)(t, b->pkts[i].conn->c.out_hash);
}

/* Packets of the burst's new connections that have no local port leave it. */
static __rte_noinline void portless_leave(struct worker *w, struct FAM(burst) *b)
{
	uint16_t k = 0;

	for (uint16_t i = 0; i < b->n; i++) {
		struct FAM(pkt) *p = &b->pkts[i];
		const struct conn *c = &p->conn->c;

		if ((p->flags & PKT_NEW) && forward_has(c->method, FORWARD_BY_LOCAL) && !c->lport &&
		    FAM_FN(conn, begun)(p->conn) && FAM_FN(stale, keeps)(w, p) &&
		    !begun_again(w, p, -(int)c->out_hash))
			continue;
		if (k != i)
			b->pkts[k] = *p;
		k++;
	}
	b->n = k;
}

/* Links the out keys of the burst's new connections. A connection that a later packet pushed out is
 * stale_let_go()'s. */
static void link_begun(struct worker *w, struct FAM(burst) *b)
{
	uint16_t k = 0;

	w->FAM(v).n_begun = 0;
	if (unlikely(w->FAM(v).n_plans) && unlikely(!FAM_FN(local, join_planned)(w)))
		portless_leave(w, b);
	begun_prefetch(w, b);
	for (uint16_t i = 0; i < b->n; i++) {
		struct FAM(pkt) *p = &b->pkts[i];

		if ((p->flags & PKT_NEW) && FAM_FN(conn, begun)(p->conn) &&
		    FAM_FN(stale, keeps)(w, p)) {
			int ret = FAM_FN(conn, finish)(w, p->conn);

			if (unlikely(ret < 0) && !begun_again(w, p, ret))
				continue;
		}
		if (k != i)
			b->pkts[k] = *p;
		k++;
	}
	b->n = k;
}

/* Packets that may make a connection. */
static uint32_t openers(const struct FAM(burst) *b)
{
	uint32_t n = 0;

	for (const struct FAM(pkt) *p = b->pkts; p < b->pkts + b->n; p++)
		n += !p->conn && (p->key.proto != IPPROTO_TCP || (p->tcp_flags & TCP_SYN));
	return n;
}

void FAM(stage_schedule)(struct worker *w, struct FAM(burst) *b)
{
	const enum give_way_list gives_way = FAM_FN(give_way, next)(w, b->n);
	uint32_t freed = w->FAM(v).table.freed; /* as it was at look-up */
	uint16_t k = 0;

	sched_burst_begin(&w->sched);
	if (unlikely(gives_way))
		FAM_FN(give_way, prefetch)(w, gives_way, openers(b));
	if (unlikely(w->env.leavers))
		FAM(removed_server_end)(w, b);
	for (uint16_t i = 0; i < b->n; i++) {
		struct FAM(pkt) *p = &b->pkts[i];

		/* An earlier packet of this burst may have ended or remade the connection. */
		if (unlikely(w->FAM(v).table.freed != freed) && p->conn &&
		    !FAM_FN(stale, keeps)(w, p))
			p->conn = FAM_FN(stale, find)(w, p);
		if (p->conn && unlikely((p->tcp_flags & TCP_SYN) && FAM(reopens)(w, p))) {
			FAM_FN(conn, destroy)(w, p->conn);
			w->counters.reused++;
			p->conn = NULL;
		}
		if (unlikely(!p->conn) && !schedule_one(w, p))
			continue;
		if (k != i)
			b->pkts[k] = *p;
		k++;
	}
	b->n = k;
	if (unlikely(w->FAM(v).n_begun))
		link_begun(w, b);
	if (unlikely(w->FAM(v).table.freed != freed))
		FAM(stale_let_go)(w, b);
}
