/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests of control about a worker's connections. A bounded step per loop. */
#include "dataplane/conn/conn_view.h"

#include <unistd.h>

#include <rte_cycles.h>

#include "dataplane/exits/drop_log.h"
#include "dataplane/explain/explain.h"
#include "dataplane/stages/ended.h"
#include "dataplane/sync/ledger.h"

/* A step through the table of a family. True: its end. */
typedef bool table_step(struct worker *w, struct worker_command *cmd);

/* A step through the IPv4 table, then the IPv6 table. cmd->cursor holds the next entry << 1 and the
 * family. True: the command is done, since n_max is reached or both tables have ended (cursor 0).
 */
static bool walk_step(struct worker *w, struct worker_command *cmd, table_step *step4,
		      table_step *step6)
{
	if (cmd->cursor == 0)
		cmd->cursor = 1 << 1;
	if (!(cmd->cursor & 1)) {
		if (step4(w, cmd))
			cmd->cursor = 1 << 1 | 1;
	} else if (step6(w, cmd)) {
		cmd->cursor = 0;
	}
	return cmd->cursor == 0 || cmd->n == cmd->n_max;
}

/* The same for the rows of the ledger; the cursor is the same. */
static bool rows_step(struct worker *w, struct worker_command *cmd)
{
	if (!w->v4.rows)
		return true;
	if (cmd->cursor == 0)
		cmd->cursor = 1 << 1;
	if (!(cmd->cursor & 1))
		cmd->cursor = ledger4_walk(w, cmd->cursor >> 1) << 1;
	else
		cmd->cursor = ledger6_walk(w, cmd->cursor >> 1) << 1 | 1;
	if (cmd->cursor == 0)
		cmd->cursor = 1 << 1 | 1;
	return cmd->cursor == 1;
}

static bool server_matches(const struct endpoint *wanted, const struct endpoint *server)
{
	return wanted->port ? endpoint_equal(wanted, server)
			    : addr_equal(&wanted->addr, &server->addr);
}

bool conn_filter_matches(const struct conn_filter *f, const struct conn_view *v)
{
	if (f->service_id && f->service_id != v->service_id)
		return false;
	if (f->server_id && f->server_id != v->server_id)
		return false;
	if (f->proto && f->proto != v->proto)
		return false;
	if (f->state >= 0 && f->state != v->state)
		return false;
	if (f->server.addr.family != ADDR_NONE && !server_matches(&f->server, &v->server))
		return false;
	if (f->virtual.family != ADDR_NONE &&
	    ((v->flags & CONN_F_TEMPLATE) || !addr_equal(&f->virtual, &v->virtual.addr)))
		return false;
	return f->client.addr.family == ADDR_NONE || prefix_contains(&f->client, &v->client.addr);
}

const char *conn_view_state(const struct conn_view *v)
{
	if (v->assured)
		return "ASSURED";
	return v->state < CONN_STATE_MAX ? conn_state_names[v->state] : "?";
}

const char *conn_view_header(const struct conn_view *v)
{
	if (v->proto == IPPROTO_UDP)
		return "each datagram";
	return v->proxy & PROXY_DONE ? "acknowledged" : v->proxy & PROXY_SENDING ? "sent" : "waits";
}

static bool command_step(struct worker *w, struct worker_command *cmd)
{
	switch (cmd->kind) {
	case CMD_LIST:
		return walk_step(w, cmd, conn_list4, conn_list6);
	case CMD_FIND:
		if (cmd->family == ADDR_V6)
			conn_find6(w, cmd);
		else
			conn_find4(w, cmd);
		return true;
	case CMD_END:
		return walk_step(w, cmd, ended4_walk, ended6_walk);
	case CMD_END_ONE:
		if (cmd->family == ADDR_V6)
			ended6_find(w, cmd);
		else
			ended4_find(w, cmd);
		return true;
	case CMD_EXPLAIN:
		cmd->more = explain_leg(w, cmd->explain);
		return true;
	case CMD_OBSERVE:
		w->observer = cmd->observer;
		return true;
	case CMD_DROPS:
		memcpy(cmd->drops, w->drop_log, sizeof(*cmd->drops));
		return true;
	case CMD_ROWS:
		return rows_step(w, cmd);
	}
	return true;
}

/* Walks over a whole table take this share of a worker that has packets: behind a step of N cycles
 * are N * WALK_SHARE without one. The step costs the packets behind it about as much again, since
 * its entries and views push theirs out of the caches. */
#define WALK_SHARE 400

static bool is_walk(const struct worker_command *cmd)
{
	return cmd->kind == CMD_LIST || cmd->kind == CMD_ROWS;
}

static bool step_timed(struct worker *w, struct worker_command *cmd)
{
	const uint64_t start = rte_rdtsc();
	const bool done = command_step(w, cmd);
	const uint64_t now = rte_rdtsc();

	w->command_due = w->now_tsc + (now - start) * WALK_SHARE;
	return done;
}

uint32_t command_run(struct worker *w, bool busy)
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
	if (!is_walk(cmd)) {
		(void)command_step(w, cmd);
	} else {
		/* By the round's time: the TSC read again is more than the look is worth. */
		if (busy && (int64_t)(w->now_tsc - w->command_due) < 0)
			return 0;
		if (!step_timed(w, cmd))
			return 1;
	}
	w->command = NULL;
	/* From done on the command may be gone. */
	fd = cmd->eventfd;
	__atomic_store_n(&cmd->done, 1, __ATOMIC_RELEASE);
	if (fd >= 0 && write(fd, &one, sizeof(one)) < 0)
		return 1; /* full: the reader wakes anyhow */
	return 1;
}
