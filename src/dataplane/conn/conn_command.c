/* SPDX-License-Identifier: BSD-3-Clause */
/* What control asks of a worker about its connections. A bounded step per loop. */
#include "dataplane/sync/conn_sync.h"

#include <unistd.h>

static bool filter_matches(const struct conn_filter *f, const struct conn_view *v)
{
	if (f->service_id && f->service_id != v->service_id)
		return false;
	if (f->server_id && f->server_id != v->server_id)
		return false;
	if (f->proto && f->proto != v->proto)
		return false;
	if (f->state >= 0 && f->state != v->state)
		return false;
	return f->client.addr.family == ADDR_NONE || prefix_contains(&f->client, &v->client.addr);
}

static struct endpoint endpoint_of4(be32 addr, be16 port)
{
	return (struct endpoint){.addr = addr_from_v4(addr), .port = port};
}

static void view_service(const struct worker *w, struct conn_view *v)
{
	const struct server_rt *server = runtime_server(&w->pub->runtime, v->server_id);
	const struct snapshot *snap = w->env.snap;

	v->service_id = server ? server->service_id : 0;
	v->mark = 0;
	if (snap && v->service_id <= snap->max_service_id && snap->services[v->service_id])
		v->mark = snap->services[v->service_id]->fwmark;
}

static void view_fill4(const struct worker *w, const struct conn4 *c, struct conn_view *v)
{
	int32_t idle = (int32_t)(w->env.now_tick - sync_tick(w, c));
	int32_t left = (int32_t)(c->c.timeout - (uint32_t)idle);

	*v = (struct conn_view){
		.client = endpoint_of4(c->caddr, c->cport),
		.virtual = endpoint_of4(c->vaddr, c->vport),
		.server = endpoint_of4(c->daddr, c->dport),
		.proto = (uint8_t)(c->c.proto & ~PROTO_TEMPLATE),
		.state = c->c.state,
		.method = c->c.method,
		.flags = c->c.flags,
		.expires_s = left > 0 ? ((uint32_t)left + CONN_TICK_HZ - 1) / CONN_TICK_HZ : 0,
		.idle_s = idle > 0 ? (uint32_t)idle / CONN_TICK_HZ : 0,
		.server_id = c->c.server,
		.nh_in = c->c.nh_in,
		.nh_out = c->c.nh_out,
		.worker = w->id,
	};
	view_service(w, v);
	if (!(c->c.flags & CONN_F_TEMPLATE))
		return;
	v->nh_in = v->nh_out = 0;
	v->assured = __atomic_load_n(&c->c.assured, __ATOMIC_RELAXED) != 0;
}

/* One step; true when the command is done: views full, or the table's end (cursor 0). */
static bool list_step(struct worker *w, struct worker_command *cmd)
{
	const struct table4 *t = &w->table4;
	uint32_t i = cmd->cursor ? cmd->cursor : 1;
	uint32_t end = t->unused;

	if (end > i && end - i > CMD_LIST_STEP)
		end = i + CMD_LIST_STEP;
	for (; i < end && cmd->n < cmd->n_max; i++) {
		struct conn_view *v = &cmd->views[cmd->n];

		if (!(t->conns[i].c.flags & CONN_F_LIVE))
			continue;
		view_fill4(w, &t->conns[i], v);
		cmd->n += filter_matches(&cmd->filter, v);
	}
	cmd->cursor = i < t->unused ? i : 0;
	return cmd->cursor == 0 || cmd->n == cmd->n_max;
}

const char *conn_view_state(const struct conn_view *v)
{
	if (v->assured)
		return "ASSURED";
	return v->state < CONN_STATE_MAX ? conn_state_names[v->state] : "?";
}

static void find(struct worker *w, struct worker_command *cmd)
{
	uint32_t hash = table4_hash(&w->table4, &cmd->key);
	const struct conn4 *c = table4_find(&w->table4, &cmd->key, hash, DIR_IN);

	if (c && cmd->n_max) {
		view_fill4(w, c, &cmd->views[0]);
		cmd->n = 1;
	}
}

static bool command_step(struct worker *w, struct worker_command *cmd)
{
	switch (cmd->kind) {
	case CMD_LIST:
		return list_step(w, cmd);
	case CMD_FIND:
		find(w, cmd);
		return true;
	}
	return true;
}

uint32_t command_run(struct worker *w)
{
	struct worker_command *cmd = w->command;
	uint64_t one = 1;
	int fd;

	if (!cmd) {
		if (rte_ring_sc_dequeue(w->commands, (void **)&cmd) != 0)
			return 0;
		cmd->n = 0;
		w->command = cmd;
	}
	if (!command_step(w, cmd))
		return 1;
	w->command = NULL;
	/* From done on the command may be gone. */
	fd = cmd->eventfd;
	__atomic_store_n(&cmd->done, 1, __ATOMIC_RELEASE);
	if (fd >= 0 && write(fd, &one, sizeof(one)) < 0)
		return 1; /* full: the reader wakes anyhow */
	return 1;
}
