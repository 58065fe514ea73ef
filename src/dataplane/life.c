/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/life.h"

#include <errno.h>
#include <string.h>

#include "base/csum.h"

#define EVICT_TRIES 64 /* stale entries of the embryonic ring passed over per eviction */

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
	return (svc ? svc->timeout_s[state] : conn_state_timeouts_s[state]) * CONN_TICK_HZ;
}

/* Drops entries at the head that are not embryonic any more; the first that is, or NULL. */
static struct conn4 *embryo_oldest(struct worker *w, unsigned int tries)
{
	while (w->embryo_head != w->embryo_tail && tries--) {
		const struct embryo *e = &w->embryos[w->embryo_head & w->embryo_mask];
		struct conn4 *c = &w->table4.conns[e->index];

		if ((c->c.flags & CONN_F_EMBRYONIC) && c->serial == e->serial)
			return c;
		w->embryo_head++;
	}
	return NULL;
}

static bool embryo_evict(struct worker *w)
{
	struct conn4 *c = embryo_oldest(w, UINT32_MAX);

	if (!c)
		return false;
	conn4_destroy(w, c);
	w->counters.evicted++;
	return true;
}

static void embryo_add(struct worker *w, struct conn4 *c)
{
	if (w->n_embryonic >= w->max_embryonic)
		embryo_evict(w);
	embryo_oldest(w, EVICT_TRIES);
	while (w->embryo_tail - w->embryo_head > w->embryo_mask)
		if (!embryo_evict(w))
			break;
	w->embryos[w->embryo_tail++ & w->embryo_mask] =
		(struct embryo){.index = conn4_index(&w->table4, c), .serial = c->serial};
	c->c.flags |= CONN_F_EMBRYONIC;
	w->n_embryonic++;
	w->counters.embryonic = w->n_embryonic;
}

void conn4_grow_up(struct worker *w, struct conn4 *c)
{
	if (!(c->c.flags & CONN_F_EMBRYONIC))
		return;
	c->c.flags &= (uint8_t)~CONN_F_EMBRYONIC;
	w->n_embryonic--;
	w->counters.embryonic = w->n_embryonic;
}

static void conn4_deltas(struct conn4 *c)
{
	c->c.ip_delta = csum_delta32(c->vaddr, c->daddr);
	c->c.l4_delta = csum_delta_sum(c->c.ip_delta, csum_delta16(c->vport, c->dport));
}

/* A connection that is about to end anyway makes room for a new one with its key. */
static bool conn4_yields(const struct conn4 *c)
{
	return c->c.state == CONN_TIME_WAIT || c->c.state == CONN_CLOSE ||
	       c->c.state == CONN_LAST_ACK;
}

static int out_key_link(struct worker *w, struct conn4 *c)
{
	struct conn4 *other = NULL;
	int ret = table4_link(&w->table4, c, DIR_OUT, &other);

	if (ret == -EEXIST && conn4_yields(other)) {
		conn4_destroy(w, other);
		w->counters.reused++;
		ret = table4_link(&w->table4, c, DIR_OUT, NULL);
	}
	if (ret == 0)
		c->c.flags |= CONN_F_OUT_KEY;
	return ret;
}

static void conn4_fill(struct worker *w, struct conn4 *c, const struct conn4_new *n)
{
	c->caddr = n->caddr;
	c->vaddr = n->vaddr;
	c->daddr = n->daddr;
	c->cport = n->cport;
	c->vport = n->vport;
	c->dport = n->dport;
	c->c.proto = n->proto;
	c->c.method = n->method;
	c->c.server = n->server->id;
	c->c.tick = w->env.now_tick;
	c->c.gen = w->env.gen;
	c->c.state = n->proto == IPPROTO_TCP ? CONN_SYN_RECV : CONN_UDP;
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
	return c;
}

int conn4_create(struct worker *w, const struct conn4_new *n, struct conn4 **out)
{
	struct conn4 *c = table4_alloc(&w->table4);
	int ret;

	if (!c) {
		if (!embryo_evict(w))
			return -ENOSPC;
		c = table4_alloc(&w->table4);
	}
	conn4_fill(w, c, n);
	if (n->method == FWD_NAT)
		table4_prefetch_conn(&w->table4, c, DIR_OUT);
	ret = table4_link(&w->table4, c, DIR_IN, NULL);
	if (ret < 0) {
		table4_free(&w->table4, c);
		return -ENOSPC;
	}
	if (n->method == FWD_NAT) {
		ret = out_key_link(w, c);
		if (ret < 0) {
			table4_unlink(&w->table4, c, DIR_IN);
			table4_free(&w->table4, c);
			return ret;
		}
	}
	if (conn_state_active[c->c.state])
		c->c.flags |= CONN_F_ACTIVE;
	server_rt_bind(n->server, c->c.flags & CONN_F_ACTIVE);
	wheel_arm(&w->wheel4, &c->c, conn4_index(&w->table4, c));
	embryo_add(w, c);
	w->server_counters[c->c.server].conns++;
	w->counters.created++;
	w->counters.connections = w->table4.n;
	*out = c;
	return 0;
}

void conn4_destroy(struct worker *w, struct conn4 *c)
{
	struct server_rt *rt = runtime_server(&w->pub->runtime, c->c.server);

	conn4_grow_up(w, c);
	wheel_disarm(&w->wheel4, &c->c, conn4_index(&w->table4, c));
	table4_unlink(&w->table4, c, DIR_IN);
	if (c->c.flags & CONN_F_OUT_KEY)
		table4_unlink(&w->table4, c, DIR_OUT);
	if (rt)
		server_rt_unbind(rt, c->c.flags & CONN_F_ACTIVE);
	table4_free(&w->table4, c);
	w->counters.connections = w->table4.n;
}

void conn4_set_state(struct worker *w, struct conn4 *c, enum conn_state state)
{
	bool was_active = c->c.flags & CONN_F_ACTIVE, active = conn_state_active[state];

	c->c.state = (uint8_t)state;
	if (active != was_active) {
		struct server_rt *rt = runtime_server(&w->pub->runtime, c->c.server);

		c->c.flags ^= CONN_F_ACTIVE;
		if (rt)
			server_rt_change(rt, active);
	}
	c->c.timeout = state_timeout(conn4_service(w, c), state);
	if (state != CONN_SYN_RECV)
		conn4_grow_up(w, c);
	wheel_shorten(&w->wheel4, &c->c, conn4_index(&w->table4, c));
}
