/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/sync.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <rte_ring_elem.h>

#include "dataplane/ftp.h"
#include "dataplane/life.h"

#define MARK_TOLD     0x01U /* the peer knows of it */
#define MARK_SYNCED   0x02U /* the peer told of it */
#define MARK_GEN_BIT  4	    /* of the transfer that brought it */
#define MARK_GEN_MASK 0xf0U

#define OPS_STEP   64  /* operations of one round */
#define WALK_STEP  256 /* entries looked at in one round */
#define SWEEP_STEP 256

static uint8_t *mark_of(struct worker *w, const struct conn4 *c)
{
	return &w->sync.marks[conn4_index(&w->table4, c)];
}

/* ---- events ---- */

static void lose(struct worker *w, uint32_t n)
{
	__atomic_store_n(&w->counters.sync_lost, w->counters.sync_lost + n, __ATOMIC_RELEASE);
}

void sync_push(struct worker *w)
{
	struct sync_worker *s = &w->sync;
	unsigned int n = 0;

	if (w->events)
		n = rte_ring_sp_enqueue_burst_elem(w->events, s->out, sizeof(s->out[0]), s->n,
						   NULL);
	w->counters.sync_events += n;
	if (n < s->n)
		lose(w, s->n - n);
	s->n = 0;
}

static void emit(struct worker *w, const struct sync_event *e, void *arg)
{
	struct sync_worker *s = &w->sync;

	(void)arg;
	s->out[s->n++] = *e;
	if (s->n == SYNC_BATCH)
		sync_push(w);
}

static struct sync_event event_of(const struct conn4 *c, enum sync_kind kind)
{
	return (struct sync_event){
		.caddr = c->caddr,
		.vaddr = c->vaddr,
		.cport = c->cport,
		.vport = c->vport,
		.proto = c->c.proto,
		.kind = (uint8_t)kind,
	};
}

/* A template may be moved by its home meanwhile; whose server it is decides. */
static struct sync_event put_of(const struct conn4 *c)
{
	struct sync_event e = event_of(c, SYNC_PUT);

	e.state = c->c.state;
	e.method = c->c.method;
	e.daddr = c->daddr;
	e.dport = c->dport;
	e.server = __atomic_load_n(&c->c.server, __ATOMIC_RELAXED);
	if (c->c.flags & CONN_F_FTP)
		e.flags |= SYNC_F_FTP;
	return e;
}

static bool assured(const struct conn4 *t)
{
	return __atomic_load_n(&t->c.assured, __ATOMIC_RELAXED) != 0;
}

/* Whether the peer is to know of it, as it is now. */
static bool worth_telling(const struct conn4 *c, uint8_t mark)
{
	if (mark & (MARK_TOLD | MARK_SYNCED))
		return true;
	if (c->c.flags & CONN_F_TEMPLATE)
		return assured(c);
	if (c->c.flags & CONN_F_EMBRYONIC)
		return false;
	return c->c.proto != IPPROTO_TCP || c->c.state == CONN_ESTABLISHED;
}

void sync_changed(struct worker *w, struct conn4 *c)
{
	uint8_t *mark = mark_of(w, c);
	struct sync_event e;

	if (!worth_telling(c, *mark))
		return;
	*mark |= MARK_TOLD;
	e = put_of(c);
	emit(w, &e, NULL);
}

void sync_template(struct worker *w, const struct conn4 *t)
{
	const struct sync_event e = put_of(t);

	emit(w, &e, NULL);
}

void sync_told(struct worker *w, const struct conn4 *t)
{
	if (assured(t))
		*mark_of(w, t) |= MARK_TOLD;
}

void sync_ended(struct worker *w, const struct conn4 *c)
{
	uint8_t *mark = mark_of(w, c);

	if (sync_on(w) && ((*mark & MARK_TOLD) || ((c->c.flags & CONN_F_TEMPLATE) && assured(c)))) {
		const struct sync_event e = event_of(c, SYNC_END);

		emit(w, &e, NULL);
	}
	*mark = 0;
}

static struct sync_event seq_of(const struct conn4 *c, uint32_t pos, int32_t before, int32_t after)
{
	struct sync_event e = event_of(c, SYNC_FTP_SEQ);

	e.pos = pos;
	e.before = before;
	e.after = after;
	return e;
}

static struct sync_event expect_of(const struct conn4 *c, be16 data_cport, be16 data_port,
				   uint32_t left_s)
{
	struct sync_event e = event_of(c, SYNC_FTP_EXPECT);

	e.data_cport = data_cport;
	e.data_port = data_port;
	e.left_s = left_s;
	return e;
}

void sync_ftp_seq(struct worker *w, const struct conn4 *c, uint32_t pos, int32_t before,
		  int32_t after)
{
	const struct sync_event e = seq_of(c, pos, before, after);

	emit(w, &e, NULL);
}

void sync_ftp_expect(struct worker *w, const struct conn4 *c, be16 data_cport, be16 data_port,
		     uint32_t left_s)
{
	const struct sync_event e = expect_of(c, data_cport, data_port, left_s);

	emit(w, &e, NULL);
}

/* ---- time ---- */

void sync_mode(struct worker *w, uint32_t mode)
{
	if (!w->sync.marks)
		return;
	if ((w->env.sync & SYNC_HOLD) && !(mode & SYNC_HOLD))
		w->sync.released_tick = w->env.now_tick;
	w->env.sync = mode;
}

uint32_t sync_tick(const struct worker *w, const struct conn4 *c)
{
	const struct sync_worker *s = &w->sync;

	if (!s->marks || !(s->marks[conn4_index(&w->table4, c)] & MARK_SYNCED))
		return c->c.tick;
	if (w->env.sync & SYNC_HOLD)
		return w->env.now_tick;
	return (int32_t)(c->c.tick - s->released_tick) < 0 ? s->released_tick : c->c.tick;
}

/* Nothing walks the table at a takeover: whoever runs out looks when it was released. */
bool sync_holds(struct worker *w, struct conn *c, uint32_t index)
{
	struct conn4 *c4 = &w->table4.conns[index];

	if (!(w->sync.marks[index] & MARK_SYNCED))
		return false;
	c->tick = sync_tick(w, c4);
	return (int32_t)(c->tick + c->timeout - w->env.now_tick) > 0;
}

/* ---- operations: what the peer told of ---- */

static struct conn4 *op_find(struct worker *w, const struct sync_event *op)
{
	const struct key4 key = {.saddr = op->caddr,
				 .daddr = op->vaddr,
				 .sport = op->cport,
				 .dport = op->vport,
				 .proto = op->proto};

	return table4_find(&w->table4, &key, table4_hash(&w->table4, &key), DIR_IN);
}

/* Still in its list: from then on it cannot be forgotten before this worker's next quiescent
 * state, and with a connection bound to it not after either. */
static struct server_rt *op_server(struct worker *w, const struct sync_event *op)
{
	struct server_rt *rt =
		op->server <= MAX_SERVERS ? runtime_server(&w->pub->runtime, op->server) : NULL;

	return rt && !server_rt_removed(rt) ? rt : NULL;
}

static void mark_synced(struct worker *w, const struct conn4 *c, const struct sync_event *op)
{
	uint8_t *mark = mark_of(w, c);

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
		other = table4_find(&w->table4, &key, table4_hash(&w->table4, &key), DIR_OUT);
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
	if (op->flags & SYNC_F_FTP)
		c->c.flags |= CONN_F_FTP;
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
	__atomic_store_n(&t->c.assured, 1, __ATOMIC_RELAXED);
	svc = conn4_service(w, t);
	t->c.tick = w->env.now_tick;
	t->c.timeout = (svc && svc->persist_s ? svc->persist_s : 60) * CONN_TICK_HZ;
	wheel_shorten(&w->wheel4, &t->c, conn4_index(&w->table4, t));
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

/* ---- walk and sweep ---- */

struct describe {
	void (*fn)(struct worker *w, const struct sync_event *e, void *arg);
	void *arg;
};

static void describe_seq(struct worker *w, const struct conn4 *c, const struct ftp_state *f,
			 const struct describe *d)
{
	struct sync_event e = seq_of(c, f->pos, f->before, f->after);

	e.flags |= SYNC_F_TRANSFER;
	if (f->moved)
		d->fn(w, &e, d->arg);
	e = expect_of(c, f->data_cport, f->data_port, f->left_s);
	e.flags |= SYNC_F_TRANSFER;
	if (f->left_s)
		d->fn(w, &e, d->arg);
}

/* Half-closed ones, too, that nobody was told of because there was no peer. */
static bool worth_walking(const struct conn4 *c, uint8_t mark)
{
	if (worth_telling(c, mark))
		return true;
	if (c->c.flags & (CONN_F_EMBRYONIC | CONN_F_TEMPLATE))
		return false;
	return c->c.state == CONN_FIN_WAIT || c->c.state == CONN_CLOSE_WAIT;
}

void sync_describe(struct worker *w, struct conn4 *c,
		   void (*fn)(struct worker *w, const struct sync_event *e, void *arg), void *arg)
{
	const struct describe d = {fn, arg};
	uint8_t *mark = w->sync.marks ? mark_of(w, c) : NULL;
	struct ftp_state ftp;
	struct sync_event e;

	if (!worth_walking(c, mark ? *mark : 0))
		return;
	if (mark)
		*mark |= MARK_TOLD;
	e = put_of(c);
	e.flags |= SYNC_F_TRANSFER;
	fn(w, &e, arg);
	if ((c->c.flags & CONN_F_FTP) && ftp4_state(w, c, &ftp))
		describe_seq(w, c, &ftp, &d);
}

static void note(struct worker *w, const struct sync_event *op)
{
	struct sync_worker *s = &w->sync;

	sync_push(w);
	if (s->n_notes == SYNC_NOTES) { /* whoever asked so often has forgotten the first */
		memmove(s->notes, s->notes + 1, sizeof(s->notes) - sizeof(s->notes[0]));
		s->n_notes--;
	}
	s->notes[s->n_notes++] = *op;
}

static void notes_push(struct worker *w)
{
	struct sync_worker *s = &w->sync;
	unsigned int n;

	sync_push(w);
	n = rte_ring_sp_enqueue_burst_elem(w->events, s->notes, sizeof(s->notes[0]), s->n_notes,
					   NULL);
	memmove(s->notes, s->notes + n, (s->n_notes - n) * sizeof(s->notes[0]));
	s->n_notes = (uint8_t)(s->n_notes - n);
}

/* Half of the ring is for what happens meanwhile. */
static uint32_t walk_step(struct worker *w)
{
	struct sync_worker *s = &w->sync;
	const struct table4 *t = &w->table4;
	uint32_t end = RTE_MIN(s->walk_at + WALK_STEP, t->unused);

	if (!w->events || rte_ring_count(w->events) > SYNC_EVENT_RING / 2)
		return 0;
	for (; s->walk_at < end; s->walk_at++)
		if (t->conns[s->walk_at].c.flags & CONN_F_LIVE)
			sync_describe(w, &t->conns[s->walk_at], emit, NULL);
	if (s->walk_at >= t->unused) {
		const struct sync_event done = {.kind = SYNC_WALK, .token = s->walk_token};

		s->walk_at = 0;
		note(w, &done);
	}
	return 1;
}

static bool swept(const struct worker *w, const struct conn4 *c, uint8_t mark)
{
	const uint8_t gen = mark >> MARK_GEN_BIT, next = w->sync.sweep_gen % SYNC_GEN_MAX + 1;

	if (!(c->c.flags & CONN_F_LIVE) || !may_end(c) || gen == w->sync.sweep_gen || gen == next)
		return false;
	return (mark & MARK_SYNCED) || !(c->c.flags & CONN_F_EMBRYONIC);
}

static uint32_t sweep_step(struct worker *w)
{
	struct sync_worker *s = &w->sync;
	const struct table4 *t = &w->table4;
	uint32_t end = RTE_MIN(s->sweep_at + SWEEP_STEP, t->unused);

	if (!(w->env.sync & SYNC_HOLD)) { /* a takeover: they are all wanted now */
		s->sweep_at = 0;
		return 0;
	}
	for (; s->sweep_at < end; s->sweep_at++) {
		struct conn4 *c = &t->conns[s->sweep_at];

		if (!swept(w, c, s->marks[s->sweep_at]))
			continue;
		conn4_destroy(w, c);
		w->counters.sync_ended++;
	}
	if (s->sweep_at >= t->unused)
		s->sweep_at = 0;
	return 1;
}

/* ---- rounds ---- */

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
		note(w, op);
		return;
	case SYNC_SWEEP:
		w->sync.sweep_at = 1;
		w->sync.sweep_gen = op->gen;
		return;
	default:
		return;
	}
}

uint32_t sync_round(struct worker *w)
{
	struct sync_worker *s = &w->sync;
	struct sync_event ops[OPS_STEP];
	unsigned int n = 0;
	uint32_t work = 0;

	if (w->operations)
		n = rte_ring_sc_dequeue_burst_elem(w->operations, ops, sizeof(ops[0]), OPS_STEP,
						   NULL);
	for (unsigned int i = 0; i < n; i++)
		sync_apply(w, &ops[i]);
	if (n)
		__atomic_store_n(&s->taken, s->taken + n, __ATOMIC_RELEASE);
	if (s->walk_at)
		work += walk_step(w);
	if (s->sweep_at)
		work += sweep_step(w);
	if (s->n_notes)
		notes_push(w);
	return work + n;
}
