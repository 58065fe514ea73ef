/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "sim.h"

#define TICK_MS 10 /* HA_TICK_MS */

static void tick_plan(struct sim *s, struct node *n)
{
	const uint64_t next = role_next(&n->role), now = node_now(s, n);
	const uint32_t keepalive = n->role.cfg.keepalive_ms;
	uint64_t in = next > now ? next - now : 0;
	const struct sim_event ev = {
		.type = SIM_TICK, .node = n->id, .token = ++n->tick_token, .flight = -1};

	/* No loop is quite on time. */
	in += draw(s, 3);
	if (n->late && chance(s, 200))
		in += draw(s, 2 * keepalive);
	else if (chance(s, 5))
		in += draw(s, keepalive / 2);
	schedule(s, in, &ev, NULL);
}

void node_sync_tell(struct sim *s, struct node *n)
{
	struct role_event ev = {.type = ROLE_SYNC};

	ev.sync.synchronised = n->synchronised;
	ev.sync.verdicts = n->verdicts;
	ev.sync.servers = ev.sync.servers_up = 4;
	ev.sync.version = &n->config.version;
	memcpy(ev.sync.config_digest, n->config.version.digest, sizeof(ev.sync.config_digest));
	node_step(s, n, &ev);
}

void node_ports(struct sim *s, struct node *n)
{
	struct role_event ev = {.type = ROLE_PORTS, .ports = {.n = SIM_LINKS}};

	for (uint32_t l = 0; l < SIM_LINKS; l++)
		ev.ports.port[l] = (struct ha_port_role){.up = n->port_up[l], .configured = 1};
	node_step(s, n, &ev);
}

void node_start(struct sim *s, struct node *n)
{
	const struct sim_event probe = {
		.type = SIM_PROBE, .node = n->id, .token = n->life + 1, .flight = -1};
	struct ha_session session;

	if (n->running)
		return;
	n->running = true;
	n->paused = n->serving = n->frozen = n->relaying = n->quit = false;
	n->synchronised = n->verdicts = false;
	n->n_queue = n->sync_ms = n->generation = 0;
	n->life++;
	n->offset = 1 + ((uint64_t)draw(s, UINT32_MAX) << 8);
	n->started = n->late_at = n->steady_since = s->now;
	n->lease = n->last_term = n->init_left = n->serving_heard = n->fresh_at = n->was_late =
		n->lapsed_late = 0;
	s->disturbed_at = s->now;
	memset(n->witnessed, 0, sizeof(n->witnessed));
	n->asked_at = 0;
	memset(n->frame_at, 0, sizeof(n->frame_at));
	for (size_t i = 0; i < sizeof(session.byte); i++)
		session.byte[i] = (uint8_t)(1 + draw(s, 255));
	s->cfg[n->id].session = session;
	freshness_init(&n->fresh, &session);
	role_init(&n->role, &s->cfg[n->id], node_now(s, n));
	sim_trace(s, "router %u starts, life %u", n->id, n->life);
	config_start(s, n);
	node_sync_tell(s, n);
	node_ports(s, n);
	schedule(s, 1, &probe, NULL);
}

void node_crash(struct sim *s, struct node *n)
{
	sim_trace(s, "router %u dies", n->id);
	for (uint32_t i = 0; i < ROLE_N_ROWS; i++)
		tally.rows[i] += n->role.rows[i];
	n->running = n->serving = n->paused = n->frozen = n->relaying = false;
	n->tick_token++;
	n->n_queue = 0;
	s->disturbed_at = s->now;
	n->steady_since = 0;
}

void node_pause(struct sim *s, struct node *n, uint32_t ms, bool stall)
{
	const struct sim_event ev = {
		.type = SIM_RESUME, .node = n->id, .token = n->life, .flight = -1};

	sim_trace(s, "router %u %s for %u ms", n->id, stall ? "stalls" : "is stopped", ms);
	n->paused = true;
	n->stalled = stall;
	n->paused_at = s->now;
	n->tick_token++;
	schedule(s, ms, &ev, NULL);
}

/* As the ha thread does: drain the sockets, say that it was late, tick. */
void node_resume(struct sim *s, struct node *n)
{
	struct role_event ev = {.type = ROLE_LATE};
	const uint64_t late = s->now - n->paused_at;

	if (!n->running || !n->paused)
		return;
	sim_trace(s, "router %u goes on, %u messages wait", n->id, n->n_queue);
	n->paused = false;
	n->steady_since = s->disturbed_at = s->now;
	for (uint32_t i = 0; i < n->n_queue && n->running && !n->quit; i++)
		node_deliver(s, n, &n->queue[i], n->queue_path[i]);
	n->n_queue = 0;
	if (late > n->role.cfg.keepalive_ms) {
		ev.late_ms = (uint32_t)late;
		n->late_at = s->now;
		node_step(s, n, &ev);
	}
	node_ports(s, n);
	ev.type = ROLE_TICK;
	node_step(s, n, &ev);
}

/* Witnesses that are asked now answer. */
static void witnesses_answer(struct sim *s, struct node *n)
{
	const uint32_t period = role_witness_period(&n->role);
	struct role_event ev = {.type = ROLE_WITNESS};

	if (period == 0 || s->now - n->asked_at < period)
		return;
	n->asked_at = s->now;
	for (uint8_t l = 0; l < SIM_LINKS; l++) {
		for (uint8_t w = 0; w < s->n_witnesses[l] && n->witness_up[l]; w++) {
			if (chance(s, 20))
				continue;
			ev.witness.link = l;
			ev.witness.witness = w;
			n->witnessed[l] = s->now;
			node_step(s, n, &ev);
		}
	}
}

/* An active router announces its addresses by ARP from time to time; another active one hears. */
static void addresses_claim(struct sim *s, struct node *n)
{
	const struct role_event ev = {.type = ROLE_CLAIM};
	struct node *peer = &s->node[n->id ^ 1];

	if (!n->serving || !peer->running || peer->paused || peer->quit || !chance(s, 50) ||
	    !net_claims(s, n))
		return;
	node_step(s, peer, &ev);
	check_claim(s, peer);
}

/* Every keepalive: witnesses answer, synchronisation goes on. */
void node_probe(struct sim *s, struct node *n)
{
	const struct sim_event again = {
		.type = SIM_PROBE, .node = n->id, .token = n->life, .flight = -1};
	const uint32_t keepalive = s->keepalive;
	const bool had = n->synchronised, knew = n->verdicts;

	schedule(s, keepalive, &again, NULL);
	if (n->paused)
		return;
	witnesses_answer(s, n);
	addresses_claim(s, n);
	n->verdicts = s->now - n->started > 500;
	if (!ha_state_serves(n->role.state) && ha_state_serves(n->role.peer.state) &&
	    role_peer_alive(&n->role, node_now(s, n)) && !n->sync_broken)
		n->sync_ms += keepalive;
	if (n->sync_ms > 500)
		n->synchronised = true;
	if (had != n->synchronised || knew != n->verdicts)
		node_sync_tell(s, n);
	if (n->running && !n->quit)
		config_probe(s, n);
}

void node_command(struct sim *s, struct node *n, enum role_command c, bool force)
{
	const struct role_event ev = {.type = ROLE_COMMAND,
				      .command = {.command = c, .force = force}};

	if (!n->running || n->paused || n->quit)
		return;
	s->disturbed_at = s->now;
	sim_trace(s, "router %u: command %d%s", n->id, (int)c, force ? " force" : "");
	node_step(s, n, &ev);
}

/* The ha thread looks at the machine's time every TICK_MS, so a message that shortens the keepalive
 * makes no loop late. */
void node_tick_first(struct sim *s, struct node *n)
{
	const struct role_event ev = {.type = ROLE_TICK};

	if (n->running && !n->paused && !n->quit && !n->late &&
	    node_now(s, n) - n->role.last_tick_ms >= TICK_MS)
		node_step(s, n, &ev);
}

void node_deliver(struct sim *s, struct node *n, const struct flight *f, uint8_t path)
{
	struct role_event ev = {.type = ROLE_MESSAGE};
	bool newest;

	if (!n->running || n->quit)
		return;
	if (n->paused) {
		if (n->n_queue < SIM_QUEUE) {
			n->queue_path[n->n_queue] = path;
			n->queue[n->n_queue++] = *f;
		}
		return;
	}
	tally.messages++;
	ev.message.msg = &f->msg;
	n->fresh.speaks = role_peer_speaks(&n->role, node_now(s, n));
	freshness_note_time(&n->fresh, node_now(s, n), n->role.cfg.deadtime_ms);
	ev.message.verdict = freshness_check(&n->fresh, &f->msg, &newest);
	ev.message.newest = newest;
	ev.message.sent_after_ms = freshness_sent_after(&n->fresh, &f->msg);
	ev.message.path = path;
	check_fresh(s, n, f, ev.message.verdict, newest);
	node_step(s, n, &ev);
	if (n->generation != n->fresh.generation && n->running) {
		n->generation = n->fresh.generation;
		n->synchronised = false;
		n->sync_ms = 0;
		node_sync_tell(s, n);
	}
}

/* As a router of before says it: without what was appended since. */
static void message_of_old(struct ha_message *msg)
{
	memset(&msg->timers, 0, sizeof(msg->timers));
	msg->asks_frames = msg->takes_requests = msg->takes_fullnat = false;
}

static void send(struct sim *s, struct node *n, const struct role_action *a)
{
	struct ha_message msg;

	memset(&msg, 0, sizeof(msg));
	role_fill(&n->role, &a->send, node_now(s, n), &msg);
	if (a->type == ROLE_DO_ANSWER)
		freshness_stamp_answer(&n->fresh, &msg, &a->send.to, a->send.to_sequence);
	else
		freshness_stamp(&n->fresh, &msg);
	if (s->older[0] || s->older[1]) /* an older receiver does not look at them either */
		message_of_old(&msg);
	net_send(s, n, &msg);
}

static void flush_plan(struct sim *s, struct node *n, uint32_t flush)
{
	const struct sim_event ev = {
		.type = SIM_FLUSHED, .node = n->id, .token = n->life, .value = flush, .flight = -1};

	if (!n->sync_broken)
		schedule(s, 2 + draw(s, 100), &ev, NULL);
}

static void relay_plan(struct sim *s, struct node *n)
{
	const struct sim_event ev = {
		.type = SIM_IDLE, .node = n->id, .token = n->life, .flight = -1};

	n->relaying = true;
	n->relay_since = s->now;
	if (chance(s, 900))
		schedule(s, 1000 + draw(s, 2000), &ev, NULL);
}

static void carry_out(struct sim *s, struct node *n, const struct role_action *a)
{
	switch (a->type) {
	case ROLE_DO_SEND:
	case ROLE_DO_ANSWER:
		send(s, n, a);
		break;
	case ROLE_DO_LEASE:
		n->lease = a->until_ms;
		break;
	case ROLE_DO_ACTIVATE:
		n->serving = true;
		n->active_since = s->now;
		s->activations++;
		break;
	case ROLE_DO_FENCE:
		n->serving = n->relaying = false;
		n->synchronised = false;
		n->sync_ms = 0;
		break;
	case ROLE_DO_FREEZE:
		n->frozen = true;
		break;
	case ROLE_DO_UNFREEZE:
		n->frozen = false;
		break;
	case ROLE_DO_SYNC_FLUSH:
		flush_plan(s, n, a->flush);
		break;
	case ROLE_DO_RELAY_START:
		n->serving = false;
		n->synchronised = false;
		n->sync_ms = 0;
		relay_plan(s, n);
		break;
	case ROLE_DO_RELAY_STOP:
		n->relaying = false;
		break;
	case ROLE_DO_QUIT:
		n->quit = true;
		break;
	case ROLE_DO_NOTIFY:
		sim_trace(s, "router %u: %s -> %s, term %llu: %s", n->id,
			  role_state_name(a->change.from), role_state_name(a->change.to),
			  (unsigned long long)n->role.term, a->text);
		break;
	case ROLE_DO_LOG:
	case ROLE_DO_REPLY:
		sim_trace(s, "router %u: %s", n->id, a->text);
		break;
	case ROLE_DO_ANNOUNCE:
	case ROLE_DO_GRACE:
		break;
	}
}

void node_step(struct sim *s, struct node *n, const struct role_event *ev)
{
	static struct role_actions out;
	struct role before = n->role;
	const bool was_serving = n->serving;

	s->steps++;
	role_step(&n->role, ev, node_now(s, n), &out);
	for (uint32_t i = 0; i < out.n; i++)
		carry_out(s, n, &out.action[i]);
	check_step(s, n, &before, ev, &out);
	if (n->quit) {
		const struct sim_event start = {.type = SIM_START, .node = n->id, .flight = -1};

		node_crash(s, n);
		schedule(s, 100 + draw(s, 3000), &start, NULL);
		return;
	}
	if (was_serving && !n->serving)
		node_sync_tell(s, n);
	tick_plan(s, n);
}
