/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/conn/conn_life.h"

#include <errno.h>
#include <string.h>

#include "dataplane/dataplane.h"
#include "dataplane/ftp/ftp.h"
#include "dataplane/conn/evidence.h"
#include "dataplane/conn/give_way.h"
#include "dataplane/conn/handshake.h"
#include "dataplane/fullnat/local_end.h"
#include "dataplane/stages/ip.h"
#include "dataplane/sync/conn_sync.h"
#include "dataplane/sync/ledger.h"

/* The service of a server in the worker's snapshot, by the server's brief. */
static inline const struct service *service_of(const struct worker *w, uint64_t brief)
{
	return snapshot_service(w->env.snap, brief & SERVER_BRIEF_SERVICE);
}

const struct service *FAM_FN(conn, service)(const struct worker *w, const struct FAM(conn) *c)
{
	return service_of(w, brief_of(&w->sched.row, c->c.server));
}

static uint32_t state_timeout(const struct service *svc, enum conn_state state)
{
	return (svc ? svc->policy.timeout_s[state] : conn_state_timeouts_s[state]) * CONN_TICK_HZ;
}

static void half_open(struct worker *w, struct FAM(conn) *c)
{
	c->c.flags |= CONN_F_EMBRYONIC;
	FAM_FN(give_way, update)(w, c);
}

void FAM_FN(conn, grow_up)(struct worker *w, struct FAM(conn) *c)
{
	if (!(c->c.flags & CONN_F_EMBRYONIC))
		return;
	c->c.flags &= (uint8_t)~CONN_F_EMBRYONIC;
	FAM_FN(give_way, update)(w, c);
}

static void deltas_fill(struct FAM(conn) *c)
{
	c->c.ip_delta = FAM(csum_delta_addr)(c->vaddr, c->daddr);
	c->c.l4_delta = csum_delta_sum(c->c.ip_delta, csum_delta16(c->vport, c->dport));
}

/* A connection that is about to end anyway makes room for a new one with its key; when no
 * other server is left, so does one for which no evidence speaks. */
static bool yields(const struct FAM(conn) *c, bool takes_key)
{
	return c->c.state == CONN_TIME_WAIT || c->c.state == CONN_CLOSE ||
	       c->c.state == CONN_LAST_ACK || (takes_key && !(c->c.evidence & EVIDENCE_ASSURED));
}

static int out_key_link(struct worker *w, struct FAM(conn) *c, uint32_t hash, bool takes_key)
{
	struct FAM(conn) *other = NULL;
	int ret = FAM_FN(table, link_hashed)(&w->FAM(v).table, c, DIR_OUT, hash, &other);

	if (ret == -EEXIST && yields(other, takes_key)) {
		FAM_FN(conn, destroy)(w, other);
		w->counters.reused++;
		ret = FAM_FN(table, link_hashed)(&w->FAM(v).table, c, DIR_OUT, hash, NULL);
	}
	if (ret == 0)
		c->c.flags |= CONN_F_OUT_KEY;
	return ret;
}

static uint32_t in_key_hash(const struct FAM(table) *t, const struct FAM_FN(conn, new) * n)
{
	const struct FAM(key) key = {.saddr = n->caddr,
				     .daddr = n->vaddr,
				     .sport = n->cport,
				     .dport = n->vport,
				     .proto = n->proto};

	return n->hash ? n->hash : FAM_FN(table, hash)(t, &key);
}

static uint32_t out_key_hash(const struct FAM(table) *t, const struct FAM_FN(conn, new) * n)
{
	const struct FAM(key) key = {.saddr = n->daddr,
				     .daddr = n->caddr,
				     .sport = n->dport,
				     .dport = n->cport,
				     .proto = n->proto};

	return FAM_FN(table, hash)(t, &key);
}

static struct FAM(conn) *entry_alloc(struct worker *w)
{
	struct FAM(conn) *c = FAM_FN(table, alloc)(&w->FAM(v).table);

	if (!c && FAM_FN(give_way, make_room)(w))
		c = FAM_FN(table, alloc)(&w->FAM(v).table);
	return c;
}

static enum conn_state first_state(uint8_t proto)
{
	return proto == IPPROTO_TCP ? CONN_SYN_RECV : CONN_UDP;
}

bool FAM_FN(conn, begins_active)(uint8_t proto)
{
	return conn_state_active[first_state(proto)];
}

static void fill(struct worker *w, struct FAM(conn) *c, const struct FAM_FN(conn, new) * n)
{
	c->caddr = n->caddr;
	c->vaddr = n->vaddr;
	c->daddr = n->daddr;
	c->cport = n->cport;
	c->vport = n->vport;
	c->dport = n->dport;
	c->control = n->control;
	c->c.proto = n->proto;
	c->c.method = n->method;
	c->c.server = n->server_id;
	c->c.tick = w->env.now_tick;
	c->c.gen = w->env.gen;
	c->c.state = n->state ? n->state : first_state(n->proto);
	c->c.timeout = state_timeout(n->svc, c->c.state);
	if (forward_has(n->method, FORWARD_BY_SOURCE))
		deltas_fill(c);
	else if (!forward_has(n->method, FORWARD_REPLIES_PASS))
		c->c.flags |= CONN_F_NOOUTPUT;
}

struct FAM(conn) *FAM_FN(conn, once)(struct worker *w, const struct FAM_FN(conn, new) * n)
{
	struct FAM(conn) *c = &w->FAM(v).once[w->FAM(v).n_once++ % BURST_MAX];

	memset(c, 0, sizeof(*c));
	fill(w, c, n);
	c->c.flags |= CONN_F_ONE_PACKET;
	c->c.evidence = EVIDENCE_ASSURED; /* in no table: nothing is gathered */
	return c;
}

/* Undoes begin(). */
static void undo(struct worker *w, struct FAM(conn) *c)
{
	FAM_FN(give_way, remove)(w, c);
	wheel_disarm(&w->FAM(v).wheel, &c->c, FAM_FN(conn, index)(&w->FAM(v).table, c));
	FAM_FN(table, unlink)(&w->FAM(v).table, c, DIR_IN);
	if (unlikely(forward_has(c->c.method, FORWARD_BY_LOCAL)))
		FAM_FN(local, part)(w, c);
	FAM_FN(table, free)(&w->FAM(v).table, c);
}

/* All but the out key, and the local end. */
static inline int begin(struct worker *w, const struct FAM_FN(conn, new) * n, bool fresh,
			uint32_t *out_hash, struct FAM(conn) **out)
{
	struct FAM(table) *t = &w->FAM(v).table;
	struct FAM(conn) *c;

	*out_hash = 0;
	if (forward_has(n->method, FORWARD_BY_SOURCE))
		*out_hash = out_key_hash(t, n);
	if (fresh && unlikely(!FAM_FN(give_way, admit)(w, n->caddr)))
		return -EDQUOT;
	c = entry_alloc(w);
	if (!c)
		return -ENOSPC;
	fill(w, c, n);
	if (FAM_FN(table, add)(t, c, DIR_IN, in_key_hash(t, n)) < 0) {
		FAM_FN(table, free)(t, c);
		return -ENOSPC;
	}
	wheel_arm(&w->FAM(v).wheel, &c->c, FAM_FN(conn, index)(t, c));
	if (fresh)
		half_open(w, c);
	if (conn_state_active[c->c.state])
		c->c.flags |= CONN_F_ACTIVE;
	*out = c;
	return 0;
}

static inline int make(struct worker *w, const struct FAM_FN(conn, new) * n, bool fresh,
		       struct FAM(conn) **out)
{
	struct FAM(conn) *c;
	uint32_t out_hash;
	int ret = begin(w, n, fresh, &out_hash, &c);

	if (ret < 0)
		return ret;
	if (unlikely(forward_has(n->method, FORWARD_BY_LOCAL)))
		ret = FAM_FN(local, join)(w, c, n, &out_hash);
	if (ret == 0 && FAM_FN(conn, begun)(c))
		ret = out_key_link(w, c, out_hash, n->takes_key);
	if (unlikely(ret < 0)) {
		undo(w, c);
		return ret;
	}
	if (!n->bound)
		server_rt_bind(n->server, &w->sched.row, n->server_id, c->c.flags & CONN_F_ACTIVE);
	*out = c;
	return 0;
}

int FAM_FN(conn, install)(struct worker *w, const struct FAM_FN(conn, new) * n,
			  struct FAM(conn) **out)
{
	return make(w, n, false, out);
}

static void count_made(struct worker *w, uint32_t server, uint64_t made)
{
	w->servers[server].counters.conns += made;
	w->counters.created += made;
}

int FAM_FN(conn, create)(struct worker *w, const struct FAM_FN(conn, new) * n,
			 struct FAM(conn) **out)
{
	int ret = make(w, n, true, out);

	if (ret == 0)
		count_made(w, n->server_id, 1);
	return ret;
}

int FAM_FN(conn, begin)(struct worker *w, const struct FAM_FN(conn, new) * n,
			struct FAM(conn) **out)
{
	uint32_t out_hash;
	int ret = begin(w, n, true, &out_hash, out);

	if (ret < 0)
		return ret;
	(*out)->c.out_hash = out_hash;
	if (unlikely(forward_has(n->method, FORWARD_BY_LOCAL))) {
		ret = FAM_FN(local, plan)(w, *out, n);
		if (ret < 0) {
			undo(w, *out);
			return ret;
		}
	}
	w->FAM(v).n_begun += forward_has(n->method, FORWARD_BY_SOURCE | FORWARD_BY_LOCAL);
	count_made(w, n->server_id, 1);
	return 0;
}

int FAM_FN(conn, finish)(struct worker *w, struct FAM(conn) *c)
{
	const uint32_t hash = c->c.out_hash;

	c->c.out_hash = 0;
	return out_key_link(w, c, hash, false);
}

void FAM_FN(conn, undo)(struct worker *w, struct FAM(conn) *c)
{
	const uint32_t id = c->c.server;
	const uint64_t brief = brief_of(&w->sched.row, id);

	count_made(w, id, -1ULL);
	if (brief) {
		server_rt_bind_undo(runtime_server(&w->pub->runtime, id), &w->sched.row, id,
				    c->c.flags & CONN_F_ACTIVE);
		sched_update(service_of(w, brief), &w->sched, id);
	}
	undo(w, c);
}

/* --- templates --- */

/* The template of a hold. The entry stays at its index while the hold lasts. */
static struct FAM(conn) *template_of(struct worker *w, uint32_t control)
{
	unsigned int home = control >> CONTROL_INDEX_BITS;
	struct worker *h = home == w->id ? w : w->dp->workers[home];

	return &h->FAM(v).table.conns[control & CONTROL_INDEX_MAX];
}

uint32_t FAM_FN(template, hold)(struct worker *w, struct FAM(conn) *t)
{
	__atomic_fetch_add(&t->c.children, 1, __ATOMIC_RELAXED);
	return CONTROL(w->id, FAM_FN(conn, index)(&w->FAM(v).table, t));
}

void FAM_FN(template, release)(struct worker *w, uint32_t control)
{
	__atomic_fetch_sub(&template_of(w, control)->c.children, 1, __ATOMIC_RELEASE);
}

void FAM_FN(template, assure)(struct worker *w, uint32_t control)
{
	struct FAM(conn) *t = template_of(w, control);

	if (__atomic_load_n(&t->c.assured, __ATOMIC_RELAXED))
		return;
	__atomic_fetch_or(&t->c.assured, TEMPLATE_THROUGH, __ATOMIC_RELAXED);
	if (w->env.sync & SYNC_LEDGER)
		FAM_FN(ledger, proven)(w, control);
	if (sync_on(w))
		FAM_FN(sync, template)(w, t);
}

void FAM_FN(template, prove)(struct worker *w, uint32_t control)
{
	struct FAM(conn) *t = template_of(w, control);
	const uint32_t before = __atomic_load_n(&t->c.assured, __ATOMIC_RELAXED);

	if (before & TEMPLATE_PROVEN)
		return;
	__atomic_fetch_or(&t->c.assured, TEMPLATE_PROVEN, __ATOMIC_RELAXED);
	if (w->env.sync & SYNC_LEDGER)
		FAM_FN(ledger, proven)(w, control);
	if (sync_on(w) && (before & TEMPLATE_THROUGH))
		FAM_FN(sync, template)(w, t);
}

static void template_unname(struct worker *w, struct server_rt *rt)
{
	if (rt)
		__atomic_fetch_sub(&rt->templates, 1, __ATOMIC_RELEASE);
	w->counters.templates--;
}

void FAM_FN(template, move)(struct worker *w, struct FAM(conn) *t, struct server_rt *server)
{
	struct server_rt *rt = runtime_server(&w->pub->runtime, t->c.server);

	if (sync_on(w))
		FAM_FN(sync, told)(w, t);
	__atomic_fetch_add(&server->templates, 1, __ATOMIC_RELAXED);
	if (rt)
		__atomic_fetch_sub(&rt->templates, 1, __ATOMIC_RELEASE);
	__atomic_store_n(&t->c.server, server->id, __ATOMIC_RELAXED);
	__atomic_store_n(&t->c.assured, 0, __ATOMIC_RELAXED);
	FAM_FN(give_way, update)(w, t);
}

struct FAM(conn) *FAM_FN(template, create)(struct worker *w, const struct FAM(key) *key,
					   struct server_rt *server)
{
	struct FAM(conn) *t = FAM_FN(give_way, admit)(w, key->saddr) ? entry_alloc(w) : NULL;

	if (!t)
		return NULL;
	t->caddr = key->saddr;
	t->cport = key->sport;
	t->vaddr = key->daddr;
	t->vport = key->dport;
	t->c.proto = key->proto;
	t->c.server = server->id;
	t->c.state = CONN_NONE;
	t->c.tick = w->env.now_tick;
	if (FAM_FN(table, link)(&w->FAM(v).table, t, DIR_IN, NULL) < 0) {
		FAM_FN(table, free)(&w->FAM(v).table, t);
		return NULL;
	}
	t->c.flags |= CONN_F_TEMPLATE;
	__atomic_fetch_add(&server->templates, 1, __ATOMIC_RELAXED);
	w->counters.templates++;
	wheel_arm(&w->FAM(v).wheel, &t->c, FAM_FN(conn, index)(&w->FAM(v).table, t));
	half_open(w, t);
	return t;
}

/* Each kind of memory in a row, as stage schedule does: begun_prefetch(). */
void FAM_FN(conn, prefetch_ends)(struct worker *w, const uint32_t *index, uint32_t n)
{
	const struct FAM(table) *t = &w->FAM(v).table;
	uint32_t hash[2 * BURST_MAX], n_hashes = 0;
	bool locals = false;

	for (uint32_t i = 0; i < n; i++) {
		const struct FAM(conn) *c = &t->conns[index[i]];

		hash[n_hashes++] = FAM_FN(conn, hash)(t, c, DIR_IN);
		locals |= forward_has(c->c.method, FORWARD_BY_LOCAL);
		if (c->c.flags & CONN_F_OUT_KEY && !FAM_FN(half, crosses)(c))
			hash[n_hashes++] = FAM_FN(conn, hash)(t, c, DIR_OUT);
	}
	if (unlikely(locals))
		FAM_FN(local, prefetch_places)(w, index, n);
	for (uint32_t i = 0; i < n_hashes; i++)
		__builtin_prefetch(FAM_FN(table, bucket)(t, hash[i]), 1);
	if (unlikely(locals))
		FAM_FN(local, prefetch_groups)(w, index, n);
	for (uint32_t i = 0; i < n; i++)
		__builtin_prefetch(&w->FAM(v).way.links[index[i]], 1);
	for (uint32_t i = 0; i < n; i++)
		__builtin_prefetch(&w->FAM(v).wheel.positions[index[i]], 1);
	for (uint32_t i = 0; w->FAM(v).rows && i < n; i++)
		__builtin_prefetch(&w->FAM(v).rows[index[i]], 1);
	for (uint32_t i = 0; i < n; i++)
		__builtin_prefetch(&w->sched.row.counts[t->conns[index[i]].c.server], 1);
	if (unlikely(locals))
		FAM_FN(local, prefetch_rings)(w, index, n);
}

static void server_leave(struct worker *w, uint32_t id, uint64_t brief, bool active)
{
	server_rt_unbind(runtime_server(&w->pub->runtime, id), &w->sched.row, id, active);
	sched_update(service_of(w, brief), &w->sched, id);
}

static void server_class(struct worker *w, uint32_t id, uint64_t brief, bool active)
{
	server_rt_change(&w->sched.row, id, active);
	if (!active)
		sched_update(service_of(w, brief), &w->sched, id);
}

void FAM_FN(conn, destroy)(struct worker *w, struct FAM(conn) *c)
{
	const uint64_t brief = brief_of(&w->sched.row, c->c.server);

	if (unlikely(w->FAM(v).marks))
		FAM_FN(sync, ended)(w, c);
	if (w->FAM(v).rows)
		FAM_FN(ledger, ended)(w, c);
	if (unlikely(c->c.flags & CONN_F_PAYLOAD) && FAM_FN(conn, is_ftp)(c))
		FAM_FN(ftp, end)(w, c);
	if (c->c.state == CONN_SYN_RECV && forward_has(c->c.method, FORWARD_REPLIES_PASS))
		FAM_FN(handshake, end)(w, c);
	FAM_FN(give_way, remove)(w, c);
	wheel_disarm(&w->FAM(v).wheel, &c->c, FAM_FN(conn, index)(&w->FAM(v).table, c));
	FAM_FN(table, unlink)(&w->FAM(v).table, c, DIR_IN);
	if (unlikely(forward_has(c->c.method, FORWARD_BY_LOCAL)))
		FAM_FN(local, part)(w, c);
	else if (c->c.flags & CONN_F_OUT_KEY)
		FAM_FN(table, unlink)(&w->FAM(v).table, c, DIR_OUT);
	if (c->control)
		FAM_FN(template, release)(w, c->control);
	if (c->c.flags & CONN_F_TEMPLATE)
		template_unname(w, runtime_server(&w->pub->runtime, c->c.server));
	else if (brief)
		server_leave(w, c->c.server, brief, c->c.flags & CONN_F_ACTIVE);
	FAM_FN(table, free)(&w->FAM(v).table, c);
}

void FAM_FN(conn, set_state)(struct worker *w, struct FAM(conn) *c, enum conn_state state)
{
	bool was_active = c->c.flags & CONN_F_ACTIVE, active = conn_state_active[state];
	const uint64_t brief = brief_of(&w->sched.row, c->c.server);

	if (state == CONN_SYN_RECV)
		FAM_FN(evidence, again)(w, c);
	c->c.state = (uint8_t)state;
	if (active != was_active) {
		c->c.flags ^= CONN_F_ACTIVE;
		if (brief)
			server_class(w, c->c.server, brief, active);
	}
	c->c.timeout = state_timeout(service_of(w, brief), state);
	if (state == CONN_ESTABLISHED && c->control)
		FAM_FN(template, assure)(w, c->control);
	if (state != CONN_SYN_RECV)
		c->c.flags &= (uint8_t)~CONN_F_EMBRYONIC;
	FAM_FN(give_way, update)(w, c);
	wheel_shorten(&w->FAM(v).wheel, &c->c, FAM_FN(conn, index)(&w->FAM(v).table, c));
	if (sync_on(w) && state != CONN_SYN_RECV)
		FAM_FN(sync, changed)(w, c);
}
