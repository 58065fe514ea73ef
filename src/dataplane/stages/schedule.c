/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage schedule: gives packets without a connection to a service's scheduler.
 *
 * Reads: key, dir, tcp_flags, conn; the snapshot's listeners and services.
 * Writes: conn. After it every packet left in the burst has one.
 * Doors: punt (no service, no connection), drop (no server, table full, the client's port in use,
 * nonsense, a source that no link can bring).
 */
#include <errno.h>

#include "dataplane/stages/answer.h"
#include "dataplane/exits/doors.h"
#include "dataplane/fragment/fragment_track.h"
#include "dataplane/ftp/ftp.h"
#include "dataplane/stages/removed_server.h"
#include "dataplane/conn/evidence.h"
#include "dataplane/conn/handshake.h"
#include "dataplane/conn/conn_life.h"
#include "dataplane/persistence/persist.h"
#include "dataplane/stages/pipeline.h"
#include "dataplane/stages/resolve.h"
#include "dataplane/stages/source_link.h"
#include "dataplane/conn/tcp_state.h"
#include "model/mark.h"
#include "model/owned_port.h"

#define PORT_CLIENTS 1024 /* and above: of clients, below: of servers */

/* What a connection to srv is made with. keep_port: by a template that is not for this
 * port alone; else only NAT rewrites ports. */
static struct FAM_FN(conn, new) new_towards(const struct service *svc, const struct server *srv,
					    const struct FAM(pkt) *p, bool keep_port)
{
	return (struct FAM_FN(conn, new)){
		.caddr = p->key.saddr,
		.cport = p->key.sport,
		.vaddr = p->key.daddr,
		.vport = p->key.dport,
		.daddr = FAM(server_addr)(srv),
		.dport = forward_has(srv->method, FORWARD_REWRITES) && srv->port && !keep_port
				 ? srv->port
				 : p->key.dport,
		.proto = p->key.proto,
		.method = srv->method,
		.svc = svc,
		.server = srv->rt,
	};
}

static bool one_packet(const struct service *svc, const struct FAM(pkt) *p)
{
	return svc->policy.one_packet && p->key.proto == IPPROTO_UDP;
}

/*
 * One-packet scheduling: a choice for every packet, and nothing that outlives it. Counts
 * would go up and down at once (IPVS), so they are left alone.
 */
static void once_make(struct worker *w, const struct FAM_FN(conn, new) * n, struct FAM(pkt) *p,
		      bool again)
{
	struct pkt_tag *tag = pkt_tag(p->m);

	p->conn = FAM_FN(conn, once)(w, n);
	if (!again)
		w->server_counters[n->server->id].conns++;
	/* Should it have to wait for the next hop. */
	tag->kind = HANDOFF_DECIDED;
	tag->server = n->server->id;
	tag->control = 0;
	tag->v6 = FAMILY == 6;
	if (unlikely(p->flags & PKT_FRAGMENT))
		FAM_FN(follow, decided_put)(w, p, n->server->id);
}

/* The server that was chosen when this packet came first, before it was parked; or NULL. */
static const struct server *server_decided(const struct service *svc, const struct FAM(pkt) *p)
{
	const struct pkt_tag *tag = pkt_tag(p->m);

	for (uint32_t i = 0; tag->kind == HANDOFF_DECIDED && i < svc->n_servers; i++)
		if (svc->servers[i].rt->id == tag->server)
			return &svc->servers[i];
	return NULL;
}

/* The client's server, whatever the scheduler would say. */
static int persistent_make(struct worker *w, const struct service_match *match, struct FAM(pkt) *p)
{
	const bool again = one_packet(match->svc, p) && server_decided(match->svc, p) &&
			   pkt_tag(p->m)->control == 0;
	struct persist_choice choice;
	struct FAM_FN(conn, new) n;
	int ret = FAM_FN(persist, choose)(w, match, p, &choice);

	if (ret < 0)
		return ret;
	n = new_towards(match->svc, choice.server, p, !match->exact);
	if (one_packet(match->svc, p)) {
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

/*
 * The scheduler's choice; when this client's port is in use towards that server already
 * (another VIP sent it there), the next server in list order that is free of it; when there is
 * none, the place of a connection that is not assured.
 */
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
	ret = FAM_FN(conn, create)(w, &n, &p->conn);
	if (ret < 0)
		server_rt_bind_undo(svc->servers[choice].rt, active);
	if (unlikely(ret == -EEXIST))
		ret = server_make(w, svc, p, (uint32_t)choice, 1, false);
	if (unlikely(ret == -EEXIST))
		ret = server_make(w, svc, p, (uint32_t)choice, 0, true);
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

static int connection_make(struct worker *w, const struct service_match *match, struct FAM(pkt) *p)
{
	if (match->svc->policy.persist_s)
		return persistent_make(w, match, p);
	if (one_packet(match->svc, p))
		return one_packet_make(w, match->svc, p);
	return scheduled_make(w, match->svc, p);
}

/* No connection and no service: Linux answers for a VIP and for its own addresses, and
 * routes the rest, which came here for a mark that it did not get. */
static void leave_to_linux(struct worker *w, struct FAM(pkt) *p)
{
	const struct FAM(addr_entry) *e =
		FAM_FN(addr_table, find)(w->env.snap->FAM(addrs), p->key.daddr);
	const bool own = (e && (e->kinds & ADDR_KIND_VIP)) ||
			 FAM_FN(fib, find_local)(w->env.fib->FAM(v), p->key.daddr);

	if ((p->flags & PKT_RELATED) && own)
		door_drop(w, p->m, DROP_ICMP_UNRELATED);
	else
		door_punt(w, p->m, own ? PUNT_OWN : PUNT_TRANSIT);
}

/* Whether what a NAT server sends from a service's port is traffic of its own nevertheless: it
 * opens a TCP connection, or it asks a server by UDP, as NTP and DNS do with one port at both
 * ends. */
static bool servers_own(const struct FAM(pkt) *p)
{
	if (p->key.proto == IPPROTO_UDP)
		return be16_to(p->key.dport) < PORT_CLIENTS;
	return !(p->flags & (PKT_RELATED | PKT_FOLLOWS)) &&
	       (p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

/* A datagram of a NAT server leaves as the VIP of the only listener that its port belongs to. */
static bool reply_as_vip(struct worker *w, const struct FAM(listener) *own, struct FAM(pkt) *p)
{
	const struct service *svc = w->env.snap->services[own->service_id];
	struct FAM_FN(conn, new) n = {.caddr = p->key.daddr,
				      .cport = p->key.dport,
				      .vaddr = FAM_FN(addr, of)(&svc->listen[0].addr),
				      .vport = svc->listen[0].port,
				      .daddr = p->key.saddr,
				      .dport = p->key.sport,
				      .proto = p->key.proto,
				      .method = FWD_NAT,
				      .svc = svc};

	for (uint32_t i = 0; i < svc->n_servers && !n.server; i++)
		if (FAM_FN(addr, equal)(FAM_FN(addr, of)(&svc->servers[i].addr), p->key.saddr) &&
		    svc->servers[i].port == p->key.sport)
			n.server = svc->servers[i].rt;
	if (!n.server)
		return false;
	p->conn = FAM_FN(conn, once)(w, &n);
	p->dir = DIR_OUT;
	p->flags |= PKT_NEW;
	return true;
}

/*
 * What a NAT server sends without a connection: for Linux to route, unless its port belongs to
 * a service. Then a client would get it from an address that the client never spoke to, so
 * the server is told that there is no connection (unknown_reply, nat_icmp_send). True: p->conn
 * is set; false: the packet has left.
 */
static bool unasked(struct worker *w, struct FAM(pkt) *p)
{
	const struct FAM(listener) *own =
		FAM_FN(owned_port, find)(w->env.snap, p->key.proto, p->key.saddr, p->key.sport);
	const bool told = p->flags & (PKT_RELATED | PKT_FOLLOWS); /* no header to answer */
	uint8_t wants = own ? own->flags : 0;

	if ((wants & OWNED_RESET) && servers_own(p))
		wants = 0;
	else if (!(wants & OWNED_RESET) && ((p->flags & PKT_RELATED) || (p->tcp_flags & TCP_RST)))
		wants = 0;
	if (!(wants & (OWNED_RESET | OWNED_ICMP))) {
		door_punt(w, p->m, PUNT_TRANSIT);
		return false;
	}
	if (p->key.proto == IPPROTO_UDP && !(p->flags & PKT_RELATED) &&
	    (wants & (OWNED_VIP | OWNED_SHARED)) == OWNED_VIP && reply_as_vip(w, own, p))
		return true;
	if (!told && p->key.proto == IPPROTO_TCP && (wants & OWNED_RESET))
		FAM_FN(tcp, reset)(w, p);
	else if (!told && (wants & OWNED_ICMP))
		FAM_FN(icmp, error)(w, p, FAM(own_address)(w, p), ICMP_REASON_PORT, 0);
	door_drop(w, p->m, DROP_NO_REPLY);
	return false;
}

/* What a NAT server sends is not a reply. Unless a mark sends it to a service, too, it is
 * unasked. False: the packet has left. True: p->conn is set, or the packet is tried as in. */
static bool try_as_in(struct worker *w, struct FAM(pkt) *p)
{
	const struct snapshot *s = w->env.snap;
	unsigned int owner;

	if (likely(!s->FAM(cover)) || (p->flags & PKT_RELATED) || w->env.lease_off ||
	    !FAM_FN(mark_cover, has)(s->FAM(cover), p->key.daddr))
		return unasked(w, p);
	owner = FAM(owner)(w->owners, p->key.saddr, p->key.sport);
	if (owner != w->id) {
		door_handoff(w, p->m, owner, PKT_TRIED_OUT);
		return false;
	}
	p->flags |= PKT_TRIED_OUT;
	p->dir = DIR_IN;
	p->conn = FAM_FN(table, find)(&w->FAM(v).table, &p->key, p->hash, DIR_IN);
	return true;
}

/* TCP that may not make a connection. */
static bool opens_nothing(const struct service *svc, const struct FAM(pkt) *p)
{
	const uint8_t syn = svc->policy.any_flags ? TCP_SYN : TCP_SYN | TCP_ACK;

	if (p->key.proto != IPPROTO_TCP)
		return false;
	if (p->tcp_flags & TCP_RST)
		return true;
	return (p->tcp_flags & syn) != TCP_SYN && !svc->policy.sloppy_tcp;
}

/* TCP flags that no stack sends. A service may have them judged as IPVS does; so does Linux
 * where there is no service. */
static bool nonsense(const struct worker *w, const struct service *svc, const struct FAM(pkt) *p)
{
	if (p->key.proto != IPPROTO_TCP || likely(!tcp_flags_nonsense(p->tcp_flags)))
		return false;
	return svc ? !svc->policy.any_flags : !w->env.snap->ipvs;
}

/* TCP that goes on with a connection, or answers one that was opened. */
static bool goes_on(const struct FAM(pkt) *p)
{
	return p->key.proto == IPPROTO_TCP && (p->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN;
}

/*
 * Without a connection, while connections may still come to be known (VIP_GRACE): it waits
 * for its sender to say it again. Of what a NAT server sends that is a reply: TCP that opens
 * nothing, UDP to a port of clients.
 */
static bool too_early(const struct worker *w, const struct FAM(pkt) *p)
{
	if (likely(!(w->env.vip_flags & VIP_GRACE)))
		return false;
	return goes_on(p) || (p->dir == DIR_OUT && p->key.proto == IPPROTO_UDP &&
			      be16_to(p->key.dport) >= PORT_CLIENTS);
}

static void unknown(struct worker *w, struct FAM(pkt) *p, enum unknown_policy policy)
{
	if (policy == UNKNOWN_LINUX) {
		leave_to_linux(w, p);
		return;
	}
	if (policy == UNKNOWN_RST)
		FAM_FN(tcp, reset)(w, p);
	door_drop(w, p->m, DROP_NO_CONNECTION);
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
			return true;
		}
	}
	return false;
}

/* A fragment makes no connection: its first one did, or went elsewhere. */
static bool schedule_follower(struct worker *w, struct FAM(pkt) *p)
{
	struct service_match match;

	p->conn = FAM_FN(table, find)(&w->FAM(v).table, &p->key, p->hash, p->dir);
	if (p->conn)
		return true;
	match = FAM_FN(service, find)(w, p);
	if (!match.svc && (p->flags & PKT_TRIED_OUT))
		return unasked(w, p);
	if (!match.svc) {
		leave_to_linux(w, p);
		return false;
	}
	if (one_packet(match.svc, p) && follower_once(w, &match, p))
		return true;
	/* The first may be on its way to the home of its client's template and back. */
	if (!match.svc->policy.persist_s || !FAM_FN(persist, follow)(w, &match, p))
		door_drop(w, p->m, DROP_FRAGMENT);
	return false;
}

/* A data connection that an FTP control connection announced. False: it is none; with
 * *left set it has left. */
static bool ftp_made(struct worker *w, struct FAM(pkt) *p, bool *left)
{
	int ret = FAM_FN(ftp, make)(w, p);

	if (ret == -ENOENT)
		return false;
	if (ret == 0) {
		p->flags |= PKT_NEW;
		FAM_FN(handshake, begin)(w, p);
		FAM_FN(evidence, begin)(w, p);
		FAM(resolve_ahead)(w, p->conn);
		return true;
	}
	door_drop(w, p->m,
		  ret == -EEXIST   ? DROP_KEY_COLLISION
		  : ret == -EDQUOT ? DROP_NETWORK_FULL
				   : DROP_TABLE_FULL);
	*left = true;
	return false;
}

/* The client's port is in use towards every server, by connections that are assured and alive:
 * the client is told so, as by a host without the service. */
static void refuse(struct worker *w, struct FAM(pkt) *p)
{
	if (p->key.proto == IPPROTO_TCP)
		FAM_FN(tcp, reset)(w, p);
	else
		FAM_FN(icmp, error)(w, p, p->key.daddr, ICMP_REASON_PORT, 0);
	door_drop(w, p->m, DROP_KEY_COLLISION);
}

/* True when p->conn is set. */
static bool schedule_one(struct worker *w, struct FAM(pkt) *p)
{
	struct service_match match;
	bool left = false;
	int ret;

	if (p->dir == DIR_IN && !(p->flags & PKT_RELATED)) {
		const enum drop_reason reason = FAM_FN(source, judge)(w, p->key.saddr, p->link);

		if (unlikely(reason != DROP_MAX)) {
			door_drop(w, p->m, reason);
			return false;
		}
	}
	if (unlikely(ftp_expecting(w)) && ((ftp_made(w, p, &left)) || left))
		return !left;

	if (unlikely(too_early(w, p)) && !(p->flags & PKT_RELATED)) {
		door_drop(w, p->m, DROP_NO_ENTRY_GRACE);
		return false;
	}
	if (p->dir == DIR_OUT) {
		if (!try_as_in(w, p))
			return false;
		if (p->conn)
			return true;
	}
	if (p->flags & PKT_RELATED) {
		leave_to_linux(w, p);
		return false;
	}
	if (unlikely(p->flags & PKT_FOLLOWS))
		return schedule_follower(w, p);
	match = FAM_FN(service, find)(w, p);
	if (unlikely(nonsense(w, match.svc, p))) {
		door_drop(w, p->m, DROP_BAD_TCP);
		return false;
	}
	if (!match.svc && (p->flags & PKT_TRIED_OUT))
		return unasked(w, p);
	if (!match.svc) {
		leave_to_linux(w, p);
		return false;
	}
	if (opens_nothing(match.svc, p)) {
		unknown(w, p, match.svc->policy.unknown);
		return false;
	}
	/* An earlier packet of this burst may have made it: the scheduler is asked once. */
	p->conn = FAM_FN(table, find)(&w->FAM(v).table, &p->key, p->hash, p->dir);
	if (p->conn)
		return true;
	if (unlikely(w->env.vip_flags & VIP_FREEZE) && !one_packet(match.svc, p)) {
		door_drop(w, p->m, DROP_FROZEN);
		return false;
	}
	ret = connection_make(w, &match, p);
	switch (ret) {
	case 0:
		p->flags |= PKT_NEW;
		if (unlikely(match.svc->policy.ftp) && match.exact &&
		    match.svc->proto == IPPROTO_TCP)
			FAM_FN(ftp, begin)(p->conn);
		if (!(p->conn->c.flags & CONN_F_ONE_PACKET)) {
			FAM_FN(handshake, begin)(w, p);
			FAM_FN(evidence, begin)(w, p);
			FAM(resolve_ahead)(w, p->conn);
		}
		return true;
	case -EINPROGRESS: /* left for its client's home */
		return false;
	case -ENOENT:
		FAM_FN(icmp, error)(w, p, p->key.daddr, ICMP_REASON_PORT, 0);
		door_drop(w, p->m, DROP_NO_SERVER);
		return false;
	case -EDQUOT:
		door_drop(w, p->m, DROP_NETWORK_FULL);
		return false;
	case -EEXIST:
		refuse(w, p);
		return false;
	default:
		door_drop(w, p->m, DROP_TABLE_FULL);
		return false;
	}
}

/* A server of weight 0 whose connections would be reset if it were removed gets no new one
 * either by a SYN on an old one (IPVS, expire_nodest_conn). */
static bool sheds(const struct worker *w, const struct conn *c)
{
	const struct runtime *rt = &w->pub->runtime;
	const struct server_rt *srv = runtime_server(rt, c->server);

	return srv && __atomic_load_n(&srv->quiesced, __ATOMIC_RELAXED) &&
	       server_rt_gone(rt, srv, w->env.now_s) == GONE_RESET;
}

/* Whether a SYN on a connection is a new one (IPVS, conn_reuse_mode). */
static bool reopens(const struct worker *w, const struct FAM(pkt) *p)
{
	const struct conn *c = &p->conn->c;
	const struct service *svc;
	uint8_t reuse;

	if (p->dir != DIR_IN || (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN)
		return false;
	if (sheds(w, c))
		return true;
	if (p->conn->control)
		return false;
	svc = FAM_FN(conn, service)(w, p->conn);
	reuse = svc ? svc->policy.reuse : REUSE_CLOSED;
	if (reuse && (c->state == CONN_TIME_WAIT || c->state == CONN_CLOSE))
		return true;
	return (reuse & REUSE_FIN_WAIT) && c->state == CONN_FIN_WAIT &&
	       (c->flags & CONN_F_NOOUTPUT);
}

/* Whether the connection that was found is still the packet's own. */
static bool still_its(const struct FAM(pkt) *p)
{
	return (p->conn->c.flags & CONN_F_LIVE) && FAM_FN(conn, matches)(p->conn, &p->key, p->dir);
}

/* A connection that a later packet of the burst pushed out of a full table, or replaced, is
 * nothing that the stages to come may touch. */
static void let_go(struct worker *w, struct FAM(burst) *b)
{
	uint16_t k = 0;

	for (uint16_t i = 0; i < b->n; i++) {
		struct FAM(pkt) *p = &b->pkts[i];

		if (!(p->conn->c.flags & CONN_F_ONE_PACKET) && !still_its(p))
			p->conn = FAM_FN(table, find)(&w->FAM(v).table, &p->key, p->hash, p->dir);
		if (!p->conn) {
			door_drop(w, p->m, DROP_TABLE_FULL);
			continue;
		}
		if (k != i)
			b->pkts[k] = *p;
		k++;
	}
	b->n = k;
}

void FAM(stage_schedule)(struct worker *w, struct FAM(burst) *b)
{
	uint32_t freed = w->FAM(v).table.freed; /* as it was at look-up */
	uint16_t k = 0;

	if (unlikely(w->env.leavers))
		FAM(gone_end)(w, b);
	for (uint16_t i = 0; i < b->n; i++) {
		struct FAM(pkt) *p = &b->pkts[i];

		/* An earlier packet of this burst may have ended or remade the connection. */
		if (unlikely(w->FAM(v).table.freed != freed) && p->conn && !still_its(p))
			p->conn = FAM_FN(table, find)(&w->FAM(v).table, &p->key, p->hash, p->dir);
		if (p->conn && unlikely((p->tcp_flags & TCP_SYN) && reopens(w, p))) {
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
	if (unlikely(w->FAM(v).table.freed != freed))
		let_go(w, b);
}
