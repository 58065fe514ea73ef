/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections of one family as control sees them. */
#include "dataplane/conn/conn_view.h"

#include "dataplane/fullnat/crossing.h"
#include "dataplane/sync/conn_sync.h"
#include "dataplane/tunnel/tunnel.h"

static void view_service(const struct worker *w, struct conn_view *v)
{
	const struct server_rt *server = runtime_server(&w->pub->runtime, v->server_id);
	const struct snapshot *snap = w->env.snap;

	v->service_id = server ? server->service_id : 0;
	v->mark = 0;
	if (snap && v->service_id <= snap->max_service_id && snap->services[v->service_id])
		v->mark = snap->services[v->service_id]->fwmark;
}

/* A template may name a server that its entry cannot hold: of the other family. */
static struct addr server_of(const struct worker *w, const struct FAM(conn) *c)
{
	if (forward_has(c->c.method, FORWARD_CROSSES))
		return FAM(conn_server)(w, c);
	return FAM(addr_from_addr)(c->daddr);
}

/* The local address and port of full NAT, of the server's family. */
static void view_local(const struct worker *w, const struct FAM(conn) *c, struct endpoint *local)
{
	if (FAM_FN(half, crosses)(c) && !(c->c.flags & CONN_F_TEMPLATE))
		local->addr =
			OTHER_FAM(addr_from_addr)(FAM_FN(crossing, local)(w, c, &local->port));
	else
		local->addr =
			FAM(addr_from_addr)(FAM_FN(local, of)(&w->FAM(v).table, c, &local->port));
}

void FAM_FN(conn, view)(const struct worker *w, const struct FAM(conn) *c, struct conn_view *v)
{
	int32_t idle = (int32_t)(w->env.now_tick - FAM_FN(sync, tick)(w, c));
	int32_t left = (int32_t)(c->c.timeout - (uint32_t)idle);

	*v = (struct conn_view){
		.client = {.addr = FAM(addr_from_addr)(c->caddr), .port = c->cport},
		.virtual = {.addr = FAM(addr_from_addr)(c->vaddr), .port = c->vport},
		.server = {.addr = server_of(w, c), .port = c->dport},
		.proto = (uint8_t)(c->c.proto & ~PROTO_TEMPLATE),
		.state = c->c.state,
		.method = c->c.method,
		.flags = c->c.flags,
		.proxy = c->proxy,
		.proxy_len = c->proxy_len,
		.expires_s = left > 0 ? ((uint32_t)left + CONN_TICK_HZ - 1) / CONN_TICK_HZ : 0,
		.idle_s = idle > 0 ? (uint32_t)idle / CONN_TICK_HZ : 0,
		.server_id = c->c.server,
		.nh_in = c->c.nexthop[DIR_IN],
		.nh_out = c->c.nexthop[DIR_OUT],
		.worker = w->id,
	};
	if (unlikely(forward_has(c->c.method, FORWARD_BY_LOCAL)))
		view_local(w, c, &v->local);
	view_service(w, v);
	if (!(c->c.flags & CONN_F_TEMPLATE))
		return;
	v->client.port = 0; /* in its key: a hash, or 0 */
	v->nh_in = v->nh_out = 0;
	v->assured = __atomic_load_n(&c->c.assured, __ATOMIC_RELAXED) != 0;
}

/* A step through the table of the family. True: its end. */
bool FAM(conn_list)(struct worker *w, struct worker_command *cmd)
{
	const struct FAM(table) *t = &w->FAM(v).table;
	uint32_t i = cmd->cursor >> 1;
	uint32_t end = t->unused;

	if (end > i && end - i > LIST_LOOK)
		end = i + LIST_LOOK;
	for (; i < end && cmd->n < cmd->n_max; i++) {
		struct conn_view *v = &cmd->views[cmd->n];

		if (!(t->conns[i].c.flags & CONN_F_LIVE))
			continue;
		FAM_FN(conn, view)(w, &t->conns[i], v);
		cmd->n += conn_filter_matches(&cmd->filter, v);
	}
	cmd->cursor = i << 1 | (FAMILY == 6);
	return i >= t->unused;
}

void FAM(conn_find)(struct worker *w, struct worker_command *cmd)
{
	const struct FAM(table) *t = &w->FAM(v).table;
	const struct FAM(key) *key = &cmd->FAM(key);
	const struct FAM(conn) *c =
		FAM_FN(table, find)(t, key, FAM_FN(table, hash)(t, key), DIR_IN);

	if (c && cmd->n_max) {
		FAM_FN(conn, view)(w, c, &cmd->views[0]);
		cmd->n = 1;
	}
}
