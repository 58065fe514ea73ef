/* SPDX-License-Identifier: BSD-3-Clause */
/* What the peer told of: taken in, ended, swept away. */
#include "dataplane/sync/conn_sync_internal.h"

#include <errno.h>

#include "dataplane/ftp/ftp.h"
#include "dataplane/conn/conn_life.h"
#include "dataplane/conn/evidence.h"
#include "dataplane/stages/resolve.h"

#define SWEEP_STEP 256

static struct conn4 *op_find(struct worker *w, const struct sync_event *op)
{
	const struct key4 key = {.saddr = op->caddr,
				 .daddr = op->vaddr,
				 .sport = op->cport,
				 .dport = op->vport,
				 .proto = op->proto};

	return table4_find(&w->v4.table, &key, table4_hash(&w->v4.table, &key), DIR_IN);
}

/* Still in its list: from then on it cannot be forgotten before this worker's next quiescent
 * state, and with a connection bound to it not after either. */
static struct server_rt *op_server(struct worker *w, const struct sync_event *op)
{
	struct server_rt *rt =
		op->server <= MAX_SERVERS ? runtime_server(&w->pub->runtime, op->server) : NULL;

	return rt && !server_rt_left(rt) ? rt : NULL;
}

static void mark_synced(struct worker *w, const struct conn4 *c, const struct sync_event *op)
{
	uint8_t *mark = sync4_mark(w, c);

	if (op->gen) /* 0: of a file; ages from now on */
		*mark = (uint8_t)((*mark & ~MARK_GEN_MASK) | MARK_SYNCED | op->gen << MARK_GEN_BIT);
}

/* The peer's connections have different NAT keys: one of ours that is in the way is old. */
static int install(struct worker *w, const struct conn4_new *n, struct conn4 **out)
{
	const struct key4 key = {.saddr = n->daddr,
				 .daddr = n->caddr,
				 .sport = n->dport,
				 .dport = n->cport,
				 .proto = n->proto};
	struct conn4 *other = NULL;

	if (n->method == FWD_NAT)
		other = table4_find(&w->v4.table, &key, table4_hash(&w->v4.table, &key), DIR_OUT);
	if (other && (w->env.sync & SYNC_HOLD)) {
		conn4_destroy(w, other);
		w->counters.sync_collided++;
	}
	return conn4_install(w, n, out);
}

static struct conn4 *conn_new(struct worker *w, const struct sync_event *op)
{
	struct server_rt *rt = op_server(w, op);
	const struct snapshot *s = w->env.snap;
	struct conn4 *c;
	int ret;

	if (!rt) {
		w->counters.sync_refused++;
		return NULL;
	}
	const struct conn4_new n = {
		.caddr = op->caddr,
		.cport = op->cport,
		.vaddr = op->vaddr,
		.vport = op->vport,
		.daddr = op->daddr,
		.dport = op->dport,
		.proto = op->proto,
		.method = op->method,
		.state = op->state,
		.svc = rt->service_id <= s->max_service_id ? s->services[rt->service_id] : NULL,
		.server = rt,
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

static bool same_server(const struct conn4 *c, const struct sync_event *op)
{
	return c->c.server == op->server && c->daddr == op->daddr && c->dport == op->dport &&
	       c->c.method == op->method;
}

static void conn_put(struct worker *w, const struct sync_event *op)
{
	struct conn4 *c = op_find(w, op);

	/* Active again: what this router has seen since is newer. */
	if (c && !(w->env.sync & SYNC_HOLD))
		return;
	if (c && !same_server(c, op)) {
		conn4_destroy(w, c);
		c = NULL;
	}
	if (c) {
		c->c.tick = w->env.now_tick;
		conn4_grow_up(w, c);
		if (c->c.state != op->state)
			conn4_set_state(w, c, op->state);
	} else {
		c = conn_new(w, op);
		if (!c)
			return;
	}
	evidence4_copied(w, c, op->flags & SYNC_F_ASSURED);
	if (op->flags & SYNC_F_FTP)
		c->c.flags |= CONN_F_FTP;
	/* After a takeover the first answer must not wait for ARP: a lost request costs a second.
	 */
	resolve_ahead4(w, c);
	mark_synced(w, c, op);
}

static void template_put(struct worker *w, const struct sync_event *op)
{
	const struct key4 key = {.saddr = op->caddr,
				 .daddr = op->vaddr,
				 .sport = op->cport,
				 .dport = op->vport,
				 .proto = op->proto};
	struct server_rt *rt = op_server(w, op);
	struct conn4 *t = op_find(w, op);
	const struct service *svc;

	if (t && !(w->env.sync & SYNC_HOLD))
		return;
	if (!rt) {
		w->counters.sync_refused++;
		return;
	}
	if (!t) {
		t = template4_create(w, &key, rt);
		if (!t) {
			w->counters.sync_full++;
			return;
		}
		w->counters.sync_installed++;
	} else if (t->c.server != rt->id) {
		template4_move(w, t, rt);
	}
	t->daddr = op->daddr;
	t->dport = op->dport;
	t->c.method = op->method;
	conn4_grow_up(w, t);
	__atomic_store_n(&t->c.assured,
			 TEMPLATE_THROUGH | (op->flags & SYNC_F_ASSURED ? TEMPLATE_PROVEN : 0),
			 __ATOMIC_RELAXED);
	give_way4_update(w, t);
	svc = conn4_service(w, t);
	t->c.tick = w->env.now_tick;
	t->c.timeout = (svc && svc->policy.persist_s ? svc->policy.persist_s : 60) * CONN_TICK_HZ;
	wheel_shorten(&w->v4.wheel, &t->c, conn4_index(&w->v4.table, t));
	mark_synced(w, t, op);
}

static bool may_end(const struct conn4 *c)
{
	return !(c->c.flags & CONN_F_TEMPLATE) ||
	       __atomic_load_n(&c->c.children, __ATOMIC_ACQUIRE) == 0;
}

static void op_end(struct worker *w, const struct sync_event *op)
{
	struct conn4 *c = op_find(w, op);

	if (!c || !(w->env.sync & SYNC_HOLD) || !may_end(c))
		return;
	conn4_destroy(w, c);
	w->counters.sync_ended++;
}

static void op_ftp(struct worker *w, const struct sync_event *op)
{
	struct conn4 *c = op_find(w, op);

	if (!c || !(c->c.flags & CONN_F_FTP))
		return;
	if (op->kind == SYNC_FTP_SEQ)
		ftp4_take_seq(w, c, op->pos, op->before, op->after);
	else
		ftp4_take_expect(w, c, op->data_cport, op->data_port, op->left_s);
}

/* ---- sweep ---- */

static bool swept(const struct worker *w, const struct conn4 *c, uint8_t mark)
{
	const uint8_t gen = mark >> MARK_GEN_BIT, next = w->sync.sweep_gen % SYNC_GEN_MAX + 1;

	if (!(c->c.flags & CONN_F_LIVE) || !may_end(c) || gen == w->sync.sweep_gen || gen == next)
		return false;
	return (mark & MARK_SYNCED) || !(c->c.flags & CONN_F_EMBRYONIC);
}

uint32_t sync_sweep_step(struct worker *w)
{
	struct sync_worker *s = &w->sync;
	const struct table4 *t = &w->v4.table;
	uint32_t end = RTE_MIN(s->sweep_at + SWEEP_STEP, t->unused);

	if (!(w->env.sync & SYNC_HOLD)) { /* a takeover: they are all wanted now */
		s->sweep_at = 0;
		return 0;
	}
	for (; s->sweep_at < end; s->sweep_at++) {
		struct conn4 *c = &t->conns[s->sweep_at];

		if (!swept(w, c, w->v4.marks[s->sweep_at]))
			continue;
		conn4_destroy(w, c);
		w->counters.sync_ended++;
	}
	if (s->sweep_at >= t->unused)
		s->sweep_at = 0;
	return 1;
}

void sync_apply(struct worker *w, const struct sync_event *op)
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
	case SYNC_FTP_SEQ:
	case SYNC_FTP_EXPECT:
		op_ftp(w, op);
		return;
	case SYNC_WALK:
		w->sync.walk_at = 1;
		w->sync.walk_token = op->token;
		return;
	case SYNC_FLUSH:
		sync_note(w, op);
		return;
	case SYNC_SWEEP:
		w->sync.sweep_at = 1;
		w->sync.sweep_gen = op->gen;
		return;
	default:
		return;
	}
}
