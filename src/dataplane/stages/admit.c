/* SPDX-License-Identifier: BSD-3-Clause */
/* Admission of packets without a connection: the rules of IPVS, and the ones by which a service
 * deviates from IPVS. */
#include "dataplane/stages/admit.h"

#include "dataplane/conn/conn_life.h"
#include "dataplane/conn/tcp_state.h"
#include "dataplane/exits/doors.h"
#include "dataplane/ftp/ftp.h"
#include "dataplane/fullnat/local_end.h"
#include "dataplane/stages/answer.h"
#include "dataplane/stages/source_link.h"
#include "dataplane/stages/unasked.h"

/* TCP that may not make a connection. */
static bool opens_nothing(const struct service *svc, const struct FAM(pkt) *p)
{
	const uint8_t syn = svc->policy.any_flags ? TCP_SYN : TCP_SYN | TCP_ACK;

	if (p->key.proto != IPPROTO_TCP)
		return false;
	if (p->tcp_flags & TCP_RST)
		return !svc->policy.adopt;
	return (p->tcp_flags & syn) != TCP_SYN && !svc->policy.sloppy_tcp &&
	       (!svc->policy.adopt || (p->tcp_flags & TCP_SYN));
}

/* Another router of a fleet may have begun the connection that the packet is of, or about. */
static bool adopts(const struct service_match *match, const struct FAM(pkt) *p)
{
	return match->svc && match->svc->policy.adopt && p->dir == DIR_IN &&
	       p->key.proto == IPPROTO_TCP;
}

/* TCP flags that no stack sends. With any_flags a service treats them as IPVS does. Without a
 * service, Linux decides. */
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
 * Whether a packet without a connection is dropped because the peer may still send its connection
 * (VIP_GRACE); the sender will retransmit the packet. Packets of a NAT server count as replies if
 * they are TCP without a SYN, or UDP to a port of clients. Packets to the peer answer its checks.
 */
static bool too_early(const struct worker *w, const struct FAM(pkt) *p)
{
	if (likely(!(w->env.vip_flags & VIP_GRACE)))
		return false;
	if (p->dir == DIR_IN)
		return goes_on(p);
	return (goes_on(p) ||
		(p->key.proto == IPPROTO_UDP && be16_to(p->key.dport) >= UNASKED_PORT_CLIENTS)) &&
	       !FAM(to_peer)(w, p);
}

static void unknown(struct worker *w, struct FAM(pkt) *p, enum unknown_policy policy)
{
	if (policy == UNKNOWN_LINUX) {
		FAM(leave_to_linux)(w, p);
		return;
	}
	if (policy == UNKNOWN_RST)
		FAM_FN(tcp, reset)(w, p);
	door_drop(w, p->m, DROP_NO_CONNECTION);
}

/* With on_server_gone `reset`, a server of weight 0 gets no new connection by a SYN on an old one
 * (IPVS, expire_nodest_conn). */
static bool sheds(const struct worker *w, const struct conn *c)
{
	const struct runtime *rt = &w->pub->runtime;
	const struct server_rt *srv = runtime_server(rt, c->server);

	return srv && __atomic_load_n(&srv->quiesced, __ATOMIC_RELAXED) &&
	       server_rt_on_removed(rt, srv, w->env.now_s) == ON_REMOVED_RESET;
}

/* Whether a server's SYN opens the data connection that an FTP client announced to another VIP. The
 * server used the same two ports earlier, and that connection has ended. */
static __rte_noinline bool announced_anew(struct worker *w, const struct FAM(pkt) *p)
{
	const struct FAM(conn) *c = p->conn;
	const struct addr vaddr = FAM(addr_from_addr)(c->vaddr);
	struct ftp_ticket ticket;
	struct ftp_expect e;

	if (c->c.state != CONN_TIME_WAIT && c->c.state != CONN_CLOSE && c->c.state != CONN_LAST_ACK)
		return false;
	if (!FAM_FN(ftp, expectation)(w, p, &e, &ticket))
		return false;
	return e.vport != c->vport || !addr_equal(&e.vaddr, &vaddr);
}

/* Whether a SYN on a connection is a new one (IPVS, conn_reuse_mode). */
bool FAM(reopens)(struct worker *w, const struct FAM(pkt) *p)
{
	const struct conn *c = &p->conn->c;
	const struct service *svc;
	uint8_t reuse;

	if ((p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN)
		return false;
	if (p->dir != DIR_IN)
		return ftp_expecting(w) && announced_anew(w, p);
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

static enum admission admit_follower(struct worker *w, struct FAM(pkt) *p,
				     struct service_match *match)
{
	p->conn = FAM_FN(half,
			 client)(FAM_FN(table, find)(&w->FAM(v).table, &p->key, p->hash, p->dir));
	if (p->conn)
		return ADMIT_FOUND;
	*match = FAM_FN(service, find)(w, p);
	if (!match->svc && (p->flags & PKT_TRIED_OUT))
		return FAM(unasked)(w, p) ? ADMIT_FOUND : ADMIT_LEFT;
	if (!match->svc) {
		FAM(leave_to_linux)(w, p);
		return ADMIT_LEFT;
	}
	return ADMIT_FOLLOWS;
}

/* Whether a program of this router may use the packet's service: replies of every server have to
 * come back here, and not to the router's own address. Without a service later stages decide.
 * False: the packet has left. */
static __rte_noinline bool admit_ours(struct worker *w, struct FAM(pkt) *p)
{
	const struct service *svc = FAM_FN(service, find)(w, p).svc;

	for (uint32_t i = 0; svc && i < svc->n_servers; i++) {
		if (forward_has(svc->servers[i].method, FORWARD_BY_LOCAL))
			continue;
		door_drop(w, p->m, DROP_OWN_CLIENT);
		return false;
	}
	return true;
}

bool FAM(admit_source)(struct worker *w, struct FAM(pkt) *p)
{
	enum drop_reason reason;

	if (p->dir != DIR_IN || (p->flags & PKT_RELATED))
		return true;
	reason = FAM_FN(source, judge)(w, p->key.saddr, p->link);
	if (likely(reason == DROP_MAX))
		return true;
	if (reason == DROP_BAD_SOURCE && pkt_tag(p->m)->ours)
		return admit_ours(w, p);
	door_drop(w, p->m, reason);
	return false;
}

enum admission FAM(admit)(struct worker *w, struct FAM(pkt) *p, struct service_match *match)
{
	if (unlikely(too_early(w, p)) && !(p->flags & PKT_RELATED)) {
		*match = FAM_FN(service, find)(w, p);
		if (!adopts(match, p)) {
			door_drop(w, p->m, DROP_NO_ENTRY_GRACE);
			return ADMIT_LEFT;
		}
	}
	if (p->dir == DIR_OUT) {
		if (!FAM(try_as_in)(w, p))
			return ADMIT_LEFT;
		if (p->conn)
			return ADMIT_FOUND;
	}
	if (p->flags & PKT_RELATED) {
		*match = FAM_FN(service, find)(w, p);
		if (adopts(match, p))
			return ADMIT_NEW;
		FAM(leave_to_linux)(w, p);
		return ADMIT_LEFT;
	}
	if (unlikely(p->flags & PKT_FOLLOWS))
		return admit_follower(w, p, match);
	*match = FAM_FN(service, find)(w, p);
	if (unlikely(nonsense(w, match->svc, p))) {
		door_drop(w, p->m, DROP_BAD_TCP);
		return ADMIT_LEFT;
	}
	if (!match->svc && (p->flags & PKT_TRIED_OUT))
		return FAM(unasked)(w, p) ? ADMIT_FOUND : ADMIT_LEFT;
	if (!match->svc) {
		FAM(leave_to_linux)(w, p);
		return ADMIT_LEFT;
	}
	if (opens_nothing(match->svc, p)) {
		unknown(w, p, match->svc->policy.unknown);
		return ADMIT_LEFT;
	}
	/* An earlier packet of this burst may have made the connection: the scheduler is asked
	 * once. */
	p->conn = FAM_FN(table, find)(&w->FAM(v).table, &p->key, p->hash, p->dir);
	if (p->conn)
		return ADMIT_FOUND;
	if (unlikely(w->env.vip_flags & VIP_FREEZE) && !FAM(one_packet)(match->svc, p)) {
		door_drop(w, p->m, DROP_FROZEN);
		return ADMIT_LEFT;
	}
	return ADMIT_NEW;
}
