/* SPDX-License-Identifier: BSD-3-Clause */
/* Reports of the peer on connections of one family: taken in, ended, swept away. */
#include "dataplane/sync/conn_sync_internal.h"

#include <errno.h>

#include "dataplane/ftp/ftp.h"
#include "dataplane/fullnat/crossing.h"
#include "dataplane/proxy/proxy.h"
#include "dataplane/conn/conn_life.h"
#include "dataplane/conn/evidence.h"
#include "dataplane/stages/resolve.h"
#include "dataplane/sync/ledger.h"

#define SWEEP_STEP 256

static struct FAM(conn) *op_find(struct worker *w, const struct sync_event *op)
{
	const struct FAM(key) key = {.saddr = op->FAM(caddr),
				     .daddr = op->FAM(vaddr),
				     .sport = op->cport,
				     .dport = op->vport,
				     .proto = op->proto};

	return FAM_FN(table, find)(&w->FAM(v).table, &key,
				   FAM_FN(table, hash)(&w->FAM(v).table, &key), DIR_IN);
}

/* Still in its list: from then on it cannot be forgotten before this worker's next quiescent
 * state, and with a connection bound to it not after either. */
static struct server_rt *op_server(struct worker *w, const struct sync_event *op)
{
	struct server_rt *rt =
		op->server <= MAX_SERVERS ? runtime_server(&w->pub->runtime, op->server) : NULL;

	return rt && !server_rt_left(rt) ? rt : NULL;
}

static void mark_synced(struct worker *w, const struct FAM(conn) *c, const struct sync_event *op)
{
	uint8_t *mark = FAM_FN(sync, mark)(w, c);

	if (op->gen) /* 0: of a file; ages from now on */
		*mark = (uint8_t)((*mark & ~MARK_GEN_MASK) | MARK_SYNCED | op->gen << MARK_GEN_BIT);
}

/* A connection of ours that has the out key of a copy is old. */
static bool evict(struct worker *w, const struct FAM_FN(conn, new) * n)
{
	const bool local = forward_has(n->method, FORWARD_BY_LOCAL);

	if (n->other_local) {
		const struct OTHER_FAM(key) key = {.saddr = OTHER_FN(addr, of)(&n->server->ep.addr),
						   .daddr = OTHER_FN(addr, of)(n->other_local),
						   .sport = n->dport,
						   .dport = n->lport,
						   .proto = n->proto};

		return OTHER_FN(crossing, evict)(w, &key);
	}
	const struct FAM(key) key = {.saddr = n->daddr,
				     .daddr = local ? n->laddr : n->caddr,
				     .sport = n->dport,
				     .dport = local ? n->lport : n->cport,
				     .proto = n->proto};

	return FAM_FN(crossing, evict)(w, &key);
}

/* The peer's connections have different NAT keys, and different local ports. */
static int install(struct worker *w, const struct FAM_FN(conn, new) * n, struct FAM(conn) **out)
{
	if (forward_has(n->method, FORWARD_REWRITES) && (w->env.sync & SYNC_HOLD) && evict(w, n))
		w->counters.sync_collided++;
	return FAM_FN(conn, install)(w, n, out);
}

/* Whether a copy by full NAT says how the server is reached: its local end is of the server's
 * family. */
static bool local_fits(const struct sync_event *op, const struct server_rt *rt)
{
	const uint8_t family = op->flags & SYNC_F_OTHER ? OTHER_FAMILY : FAM_FAMILY;

	return !forward_has(op->method, FORWARD_BY_LOCAL) ||
	       (op->lport && rt->ep.addr.family == family);
}

/* Whether a copy by full NAT is an active data connection of FTP. */
static bool is_active_data(const struct service *svc, const struct server_rt *rt,
			   const struct sync_event *op)
{
	return op->lport && !(op->flags & SYNC_F_OTHER) && svc && svc->policy.ftp && rt->ep.port &&
	       op->dport == ftp_active_port(rt->ep.port);
}

static struct FAM(conn) *conn_new(struct worker *w, const struct sync_event *op)
{
	struct server_rt *rt = op_server(w, op);
	const struct addr local = OTHER_FAM(addr_from_addr)(op->OTHER_FAM(laddr));
	const struct service *svc;
	struct FAM(conn) *c;
	int ret;

	if (!rt || !local_fits(op, rt)) {
		w->counters.sync_refused++;
		return NULL;
	}
	svc = snapshot_service(w->env.snap, rt->service_id);
	const struct FAM_FN(conn, new) n = {
		.caddr = op->FAM(caddr),
		.cport = op->cport,
		.vaddr = op->FAM(vaddr),
		.vport = op->vport,
		.daddr = op->FAM(daddr),
		.dport = op->dport,
		.laddr = op->FAM(laddr),
		.lport = op->lport,
		.other_local = op->flags & SYNC_F_OTHER ? &local : NULL,
		.proto = op->proto,
		.method = op->method,
		.state = op->state,
		.announced = is_active_data(svc, rt, op),
		.svc = svc,
		.server = rt,
		.server_id = rt->id,
	};

	ret = install(w, &n, &c);
	if (ret == 0) {
		w->counters.sync_installed++;
		return c;
	}
	w->counters.sync_full += ret == -ENOSPC;
	w->counters.sync_refused += ret != -ENOSPC;
	return NULL;
}

/* Of full NAT: by the same local port. */
static bool same_local(const struct worker *w, const struct FAM(conn) *c,
		       const struct sync_event *op)
{
	FAM_ADDR local;
	be16 port;

	if (!forward_has(op->method, FORWARD_BY_LOCAL))
		return true;
	if (op->flags & SYNC_F_OTHER) {
		const OTHER_ADDR other = FAM_FN(crossing, local)(w, c, &port);

		return port == op->lport && OTHER_FN(addr, equal)(other, op->OTHER_FAM(laddr));
	}
	local = FAM_FN(local, of)(&w->FAM(v).table, c, &port);
	return port == op->lport && FAM_FN(addr, equal)(local, op->FAM(laddr));
}

static bool same_server(const struct FAM(conn) *c, const struct sync_event *op)
{
	return c->c.server == op->server && FAM_FN(addr, equal)(c->daddr, op->FAM(daddr)) &&
	       c->dport == op->dport && c->c.method == op->method;
}

static void conn_put(struct worker *w, const struct sync_event *op)
{
	struct FAM(conn) *c = op_find(w, op);

	/* The router is active again: its own state of the connection is newer. */
	if (c && !(w->env.sync & SYNC_HOLD))
		return;
	if (c && (!same_server(c, op) || !same_local(w, c, op))) {
		FAM_FN(conn, destroy)(w, c);
		c = NULL;
	}
	if (c) {
		c->c.tick = w->env.now_tick;
		FAM_FN(conn, grow_up)(w, c);
		if (c->c.state != op->state)
			FAM_FN(conn, set_state)(w, c, op->state);
	} else {
		c = conn_new(w, op);
		if (!c)
			return;
	}
	FAM_FN(evidence, copied)(w, c, op->flags & SYNC_F_ASSURED);
	if (op->flags & SYNC_F_FTP)
		c->c.flags |= CONN_F_PAYLOAD;
	FAM_FN(proxy, copied)(w, c, op->proxy, op->first);
	/* After a takeover the first answer must not wait for ARP: a lost request costs a second.
	 */
	FAM(resolve_ahead)(w, c);
	mark_synced(w, c, op);
	if (w->env.sync & SYNC_LEDGER)
		FAM_FN(ledger, put)(w, c);
}

static void template_put(struct worker *w, const struct sync_event *op)
{
	const struct FAM(key) key = {.saddr = op->FAM(caddr),
				     .daddr = op->FAM(vaddr),
				     .sport = op->cport,
				     .dport = op->vport,
				     .proto = op->proto};
	struct server_rt *rt = op_server(w, op);
	struct FAM(conn) *t = op_find(w, op);
	const struct service *svc;

	if (t && !(w->env.sync & SYNC_HOLD))
		return;
	if (!rt) {
		w->counters.sync_refused++;
		return;
	}
	if (!t) {
		t = FAM_FN(template, create)(w, &key, rt);
		if (!t) {
			w->counters.sync_full++;
			return;
		}
		w->counters.sync_installed++;
	} else if (t->c.server != rt->id) {
		FAM_FN(template, move)(w, t, rt);
	}
	t->daddr = op->FAM(daddr);
	t->dport = op->dport;
	t->c.method = op->method;
	FAM_FN(conn, grow_up)(w, t);
	__atomic_store_n(&t->c.assured,
			 TEMPLATE_THROUGH | (op->flags & SYNC_F_ASSURED ? TEMPLATE_PROVEN : 0),
			 __ATOMIC_RELAXED);
	FAM_FN(give_way, update)(w, t);
	svc = FAM_FN(conn, service)(w, t);
	t->c.tick = w->env.now_tick;
	t->c.timeout = (svc && svc->policy.persist_s ? svc->policy.persist_s : 60) * CONN_TICK_HZ;
	wheel_shorten(&w->FAM(v).wheel, &t->c, FAM_FN(conn, index)(&w->FAM(v).table, t));
	mark_synced(w, t, op);
	if (w->env.sync & SYNC_LEDGER)
		FAM_FN(ledger, put)(w, t);
}

static bool may_end(const struct FAM(conn) *c)
{
	return !(c->c.flags & CONN_F_TEMPLATE) ||
	       __atomic_load_n(&c->c.children, __ATOMIC_ACQUIRE) == 0;
}

static void op_end(struct worker *w, const struct sync_event *op)
{
	struct FAM(conn) *c = op_find(w, op);

	if (!c || !(w->env.sync & SYNC_HOLD) || !may_end(c))
		return;
	FAM_FN(conn, destroy)(w, c);
	w->counters.sync_ended++;
}

static void op_ftp(struct worker *w, const struct sync_event *op)
{
	struct FAM(conn) *c = op_find(w, op);

	if (!c || !FAM_FN(conn, is_ftp)(c))
		return;
	if (op->kind == SYNC_FTP_SEQ) {
		const struct ftp_shift shift = {
			.pos = op->pos, .before = op->before, .after = op->after, .moved = 1};

		FAM_FN(ftp, take_seq)(w, c, op->flags & SYNC_F_CLIENT ? DIR_IN : DIR_OUT, &shift);
	} else {
		const struct ftp_data data = {
			.cport = op->data_cport, .lport = op->data_lport, .port = op->data_port};

		FAM_FN(ftp, take_expect)(w, c, &data, op->left_s);
	}
	if (w->env.sync & SYNC_LEDGER)
		FAM_FN(ledger, ftp)(w, c);
}

/* ---- sweep ---- */

static bool swept(const struct worker *w, const struct FAM(conn) *c, uint8_t mark)
{
	const uint8_t gen = mark >> MARK_GEN_BIT, next = w->sync.sweep_gen % SYNC_GEN_MAX + 1;

	if (!(c->c.flags & CONN_F_LIVE) || !may_end(c) || gen == w->sync.sweep_gen || gen == next)
		return false;
	return (mark & MARK_SYNCED) || !(c->c.flags & CONN_F_EMBRYONIC);
}

uint32_t FAM_FN(sync, sweep)(struct worker *w, uint32_t from)
{
	const struct FAM(table) *t = &w->FAM(v).table;
	const uint32_t end = RTE_MIN(from + SWEEP_STEP, t->unused);

	for (; from < end; from++) {
		struct FAM(conn) *c = &t->conns[from];

		if (!swept(w, c, w->FAM(v).marks[from]))
			continue;
		FAM_FN(conn, destroy)(w, c);
		w->counters.sync_ended++;
	}
	return from < t->unused ? from : 0;
}

void FAM_FN(sync, op)(struct worker *w, const struct sync_event *op)
{
	switch (op->kind) {
	case SYNC_PUT:
		if (op->proto & PROTO_TEMPLATE)
			template_put(w, op);
		else
			conn_put(w, op);
		return;
	case SYNC_END:
		op_end(w, op);
		return;
	default:
		op_ftp(w, op);
	}
}
