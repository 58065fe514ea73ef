/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/conn/conn_life.h"

#include <errno.h>
#include <string.h>

#include "base/csum.h"
#include "dataplane/dataplane.h"
#include "dataplane/ftp/ftp.h"
#include "dataplane/conn/evidence.h"
#include "dataplane/conn/give_way.h"
#include "dataplane/conn/handshake.h"
#include "dataplane/sync/conn_sync.h"

const struct service *conn4_service(const struct worker *w, const struct conn4 *c)
{
	const struct server_rt *rt = runtime_server(&w->pub->runtime, c->c.server);
	const struct snapshot *s = w->env.snap;

	if (!rt || rt->service_id > s->max_service_id)
		return NULL;
	return s->services[rt->service_id];
}

static uint32_t state_timeout(const struct service *svc, enum conn_state state)
{
	return (svc ? svc->policy.timeout_s[state] : conn_state_timeouts_s[state]) * CONN_TICK_HZ;
}

static void half_open(struct worker *w, struct conn4 *c)
{
	c->c.flags |= CONN_F_EMBRYONIC;
	give_way_update(w, c);
}

void conn4_grow_up(struct worker *w, struct conn4 *c)
{
	if (!(c->c.flags & CONN_F_EMBRYONIC))
		return;
	c->c.flags &= (uint8_t)~CONN_F_EMBRYONIC;
	give_way_update(w, c);
}

static void conn4_deltas(struct conn4 *c)
{
	c->c.ip_delta = csum_delta32(c->vaddr, c->daddr);
	c->c.l4_delta = csum_delta_sum(c->c.ip_delta, csum_delta16(c->vport, c->dport));
}

/* A connection that is about to end anyway makes room for a new one with its key; when no
 * other server is left, so does one for which no evidence speaks. */
static bool conn4_yields(const struct conn4 *c, bool takes_key)
{
	return c->c.state == CONN_TIME_WAIT || c->c.state == CONN_CLOSE ||
	       c->c.state == CONN_LAST_ACK || (takes_key && !(c->c.evidence & EVIDENCE_ASSURED));
}

static int out_key_link(struct worker *w, struct conn4 *c, bool takes_key)
{
	struct conn4 *other = NULL;
	int ret = table4_link(&w->table4, c, DIR_OUT, &other);

	if (ret == -EEXIST && conn4_yields(other, takes_key)) {
		conn4_destroy(w, other);
		w->counters.reused++;
		ret = table4_link(&w->table4, c, DIR_OUT, NULL);
	}
	if (ret == 0)
		c->c.flags |= CONN_F_OUT_KEY;
	return ret;
}

static void count_entries(struct worker *w)
{
	w->counters.connections = w->table4.n - w->counters.templates;
}

static struct conn4 *entry_alloc(struct worker *w)
{
	struct conn4 *c = table4_alloc(&w->table4);

	if (!c && give_way_make_room(w))
		c = table4_alloc(&w->table4);
	return c;
}

static enum conn_state first_state(uint8_t proto)
{
	return proto == IPPROTO_TCP ? CONN_SYN_RECV : CONN_UDP;
}

bool conn4_begins_active(uint8_t proto)
{
	return conn_state_active[first_state(proto)];
}

static void conn4_fill(struct worker *w, struct conn4 *c, const struct conn4_new *n)
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
	c->c.server = n->server->id;
	c->c.tick = w->env.now_tick;
	c->c.gen = w->env.gen;
	c->c.state = n->state ? n->state : first_state(n->proto);
	c->c.timeout = state_timeout(n->svc, c->c.state);
	if (n->method == FWD_NAT)
		conn4_deltas(c);
	else
		c->c.flags |= CONN_F_NOOUTPUT;
}

struct conn4 *conn4_once(struct worker *w, const struct conn4_new *n)
{
	struct conn4 *c = &w->once[w->n_once++ % BURST_MAX];

	memset(c, 0, sizeof(*c));
	conn4_fill(w, c, n);
	c->c.flags |= CONN_F_ONE_PACKET;
	c->c.evidence = EVIDENCE_ASSURED; /* in no table: nothing is gathered */
	return c;
}

int conn4_install(struct worker *w, const struct conn4_new *n, struct conn4 **out)
{
	struct conn4 *c = entry_alloc(w);
	int ret;

	if (!c)
		return -ENOSPC;
	conn4_fill(w, c, n);
	if (n->method == FWD_NAT)
		table4_prefetch_conn(&w->table4, c, DIR_OUT);
	ret = table4_link(&w->table4, c, DIR_IN, NULL);
	if (ret < 0) {
		table4_free(&w->table4, c);
		return -ENOSPC;
	}
	if (n->method == FWD_NAT) {
		ret = out_key_link(w, c, n->takes_key);
		if (ret < 0) {
			table4_unlink(&w->table4, c, DIR_IN);
			table4_free(&w->table4, c);
			return ret;
		}
	}
	if (conn_state_active[c->c.state])
		c->c.flags |= CONN_F_ACTIVE;
	if (!n->bound)
		server_rt_bind(n->server, c->c.flags & CONN_F_ACTIVE);
	wheel_arm(&w->wheel4, &c->c, conn4_index(&w->table4, c));
	count_entries(w);
	*out = c;
	return 0;
}

int conn4_create(struct worker *w, const struct conn4_new *n, struct conn4 **out)
{
	int ret;

	if (unlikely(!give_way_admit(w, n->caddr)))
		return -EDQUOT;
	ret = conn4_install(w, n, out);
	if (ret < 0)
		return ret;
	half_open(w, *out);
	w->server_counters[(*out)->c.server].conns++;
	w->counters.created++;
	return 0;
}

/* --- templates --- */

/* The template that a claim holds: it stays where it is as long. */
static struct conn4 *template4_of(struct worker *w, uint32_t control)
{
	unsigned int home = control >> CONTROL_INDEX_BITS;
	struct worker *h = home == w->id ? w : w->dp->workers[home];

	return &h->table4.conns[control & CONTROL_INDEX_MAX];
}

uint32_t template4_claim(struct worker *w, struct conn4 *t)
{
	__atomic_fetch_add(&t->c.children, 1, __ATOMIC_RELAXED);
	return CONTROL(w->id, conn4_index(&w->table4, t));
}

void template4_release(struct worker *w, uint32_t control)
{
	__atomic_fetch_sub(&template4_of(w, control)->c.children, 1, __ATOMIC_RELEASE);
}

void template4_assure(struct worker *w, uint32_t control)
{
	struct conn4 *t = template4_of(w, control);

	if (__atomic_load_n(&t->c.assured, __ATOMIC_RELAXED))
		return;
	__atomic_fetch_or(&t->c.assured, TEMPLATE_THROUGH, __ATOMIC_RELAXED);
	if (sync_on(w))
		sync_template(w, t);
}

void template4_prove(struct worker *w, uint32_t control)
{
	struct conn4 *t = template4_of(w, control);
	const uint32_t before = __atomic_load_n(&t->c.assured, __ATOMIC_RELAXED);

	if (before & TEMPLATE_PROVEN)
		return;
	__atomic_fetch_or(&t->c.assured, TEMPLATE_PROVEN, __ATOMIC_RELAXED);
	if (sync_on(w) && (before & TEMPLATE_THROUGH))
		sync_template(w, t);
}

static void template_unname(struct worker *w, struct server_rt *rt)
{
	if (rt)
		__atomic_fetch_sub(&rt->templates, 1, __ATOMIC_RELEASE);
	w->counters.templates--;
}

void template4_move(struct worker *w, struct conn4 *t, struct server_rt *server)
{
	struct server_rt *rt = runtime_server(&w->pub->runtime, t->c.server);

	if (sync_on(w))
		sync_told(w, t);
	__atomic_fetch_add(&server->templates, 1, __ATOMIC_RELAXED);
	if (rt)
		__atomic_fetch_sub(&rt->templates, 1, __ATOMIC_RELEASE);
	__atomic_store_n(&t->c.server, server->id, __ATOMIC_RELAXED);
	__atomic_store_n(&t->c.assured, 0, __ATOMIC_RELAXED);
	give_way_update(w, t);
}

struct conn4 *template4_create(struct worker *w, const struct key4 *key, struct server_rt *server)
{
	struct conn4 *t = give_way_admit(w, key->saddr) ? entry_alloc(w) : NULL;

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
	if (table4_link(&w->table4, t, DIR_IN, NULL) < 0) {
		table4_free(&w->table4, t);
		return NULL;
	}
	t->c.flags |= CONN_F_TEMPLATE;
	__atomic_fetch_add(&server->templates, 1, __ATOMIC_RELAXED);
	w->counters.templates++;
	wheel_arm(&w->wheel4, &t->c, conn4_index(&w->table4, t));
	half_open(w, t);
	count_entries(w);
	return t;
}

void conn4_destroy(struct worker *w, struct conn4 *c)
{
	struct server_rt *rt = runtime_server(&w->pub->runtime, c->c.server);

	if (unlikely(w->sync.marks))
		sync_ended(w, c);
	if (unlikely(c->c.flags & CONN_F_FTP))
		ftp4_end(w, c);
	if (c->c.state == CONN_SYN_RECV && c->c.method == FWD_NAT)
		handshake_end(w, c);
	give_way_remove(w, c);
	wheel_disarm(&w->wheel4, &c->c, conn4_index(&w->table4, c));
	table4_unlink(&w->table4, c, DIR_IN);
	if (c->c.flags & CONN_F_OUT_KEY)
		table4_unlink(&w->table4, c, DIR_OUT);
	if (c->control)
		template4_release(w, c->control);
	if (c->c.flags & CONN_F_TEMPLATE)
		template_unname(w, rt);
	else if (rt)
		server_rt_unbind(rt, c->c.flags & CONN_F_ACTIVE);
	table4_free(&w->table4, c);
	count_entries(w);
}

void conn4_set_state(struct worker *w, struct conn4 *c, enum conn_state state)
{
	bool was_active = c->c.flags & CONN_F_ACTIVE, active = conn_state_active[state];

	if (state == CONN_SYN_RECV)
		evidence_again(w, c);
	c->c.state = (uint8_t)state;
	if (active != was_active) {
		struct server_rt *rt = runtime_server(&w->pub->runtime, c->c.server);

		c->c.flags ^= CONN_F_ACTIVE;
		if (rt)
			server_rt_change(rt, active);
	}
	c->c.timeout = state_timeout(conn4_service(w, c), state);
	if (state == CONN_ESTABLISHED && c->control)
		template4_assure(w, c->control);
	if (state != CONN_SYN_RECV)
		c->c.flags &= (uint8_t)~CONN_F_EMBRYONIC;
	give_way_update(w, c);
	wheel_shorten(&w->wheel4, &c->c, conn4_index(&w->table4, c));
	if (sync_on(w))
		sync_changed(w, c);
}
