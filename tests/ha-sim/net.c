/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "sim.h"

/* A fault of one direction, of the sender d: on a path, or on a link's Ethernet frames. */
static void way_apply(const struct fault *f, struct way *w, uint32_t d, uint32_t path, bool frames)
{
	switch (f->type) {
	case FAULT_LOSS:
		if (f->path == path && f->node == d)
			w->loss = f->amount;
		break;
	case FAULT_ONE_WAY:
		if (f->node == d)
			w->up = false;
		break;
	case FAULT_DEAF:
		if (f->node != d)
			w->up = false;
		break;
	case FAULT_PARTITION:
		w->up = false;
		break;
	case FAULT_FILTER:
		if (!frames)
			w->up = false;
		break;
	case FAULT_FILTER_WAY:
		if (!frames && f->node == d)
			w->up = false;
		break;
	case FAULT_PATH:
		if (!frames && f->path == path)
			w->up = false;
		break;
	case FAULT_JITTER:
		if (f->node == d)
			w->jitter = f->amount;
		break;
	case FAULT_DUPLICATE:
		w->duplicate = f->amount;
		break;
	case FAULT_HOLE:
	case FAULT_PORT:
		if (f->path == path)
			w->up = false;
		break;
	default:
		break;
	}
}

/* The state of ways, ports and witnesses follows from the faults that are on. */
static void ways_apply(struct sim *s, const struct fault *f)
{
	for (uint32_t d = 0; d < 2; d++) {
		for (uint32_t p = 0; p < s->n_paths; p++)
			way_apply(f, &s->way[p][d], d, p, false);
		for (uint32_t l = 0; l < SIM_LINKS; l++)
			way_apply(f, &s->frames[l][d], d, l, true);
	}
}

static bool link_has_path(const struct sim *s, uint32_t link, uint32_t path)
{
	return path == link && path < s->n_paths;
}

static bool way_is_clean(const struct sim *s, const struct way *w)
{
	return w->up && w->loss == 0 && w->delay + w->jitter <= s->keepalive / 2;
}

static void since_apply(const struct sim *s, uint64_t *since, bool clean)
{
	if (!clean)
		*since = 0;
	else if (*since == 0)
		*since = s->now;
}

static void clean_apply(struct sim *s, uint32_t from)
{
	bool paths = false, frames = false;

	for (uint32_t p = 0; p < s->n_paths; p++)
		paths |= way_is_clean(s, &s->way[p][from]);
	for (uint32_t l = 0; l < SIM_LINKS; l++)
		frames |= way_is_clean(s, &s->frames[l][from]);
	since_apply(s, &s->clean_since[from], paths);
	since_apply(s, &s->frames_clean_since[from], frames);
}

static void faults_apply(struct sim *s)
{
	for (uint32_t p = 0; p < s->n_paths; p++) {
		for (uint32_t d = 0; d < 2; d++)
			s->way[p][d] = (struct way){.up = true, .delay = 0, .jitter = 2};
	}
	for (uint32_t l = 0; l < SIM_LINKS; l++)
		s->frames[l][0] = s->frames[l][1] = (struct way){.up = true, .jitter = 2};
	for (uint32_t i = 0; i < 2; i++) {
		for (uint32_t l = 0; l < SIM_LINKS; l++)
			s->node[i].port_up[l] = s->node[i].witness_up[l] = true;
		s->node[i].late = s->node[i].sync_broken = false;
	}
	for (uint32_t i = 0; i < SIM_FAULTS; i++) {
		const struct fault *f = &s->fault[i];
		struct node *n = &s->node[f->node];

		if (!f->on)
			continue;
		ways_apply(s, f);
		if (f->type == FAULT_PORT)
			n->port_up[f->path] = n->witness_up[f->path] = false;
		if (f->type == FAULT_WITNESS || f->type == FAULT_HOLE)
			n->witness_up[f->path] = false;
		if (f->type == FAULT_DEAF)
			memset(n->witness_up, 0, SIM_LINKS);
		if (f->type == FAULT_WITNESS_BOTH)
			memset(s->node[0].witness_up, 0, SIM_LINKS),
				memset(s->node[1].witness_up, 0, SIM_LINKS);
		if (f->type == FAULT_SYNC)
			n->sync_broken = true;
		if (f->type == FAULT_LATE)
			n->late = true;
	}
	/* A port that is down takes its path along, whoever's it is. */
	for (uint32_t i = 0; i < 2; i++) {
		for (uint32_t l = 0; l < SIM_LINKS; l++) {
			for (uint32_t p = 0; p < s->n_paths; p++) {
				if (!s->node[i].port_up[l] && link_has_path(s, l, p))
					s->way[p][0].up = s->way[p][1].up = false;
			}
			if (!s->node[i].port_up[l])
				s->frames[l][0].up = s->frames[l][1].up = false;
		}
		if (s->node[i].running && !s->node[i].paused)
			node_ports(s, &s->node[i]);
	}
	clean_apply(s, 0);
	clean_apply(s, 1);
	s->disturbed_at = s->now;
}

void net_setup(struct sim *s)
{
	faults_apply(s);
}

/* --- Faults --------------------------------------------------------------------------- */

static void lasting_fault(struct sim *s, enum fault_type type)
{
	static const uint32_t losses[] = {100, 300, 600, 900, 1000};
	struct sim_event heal = {.type = SIM_HEAL, .flight = -1};
	struct fault *f = NULL;

	for (uint32_t i = 0; i < SIM_FAULTS && f == NULL; i++) {
		if (!s->fault[i].on)
			f = &s->fault[i];
	}
	if (f == NULL)
		return;
	*f = (struct fault){.on = true, .type = type, .id = ++s->fault_ids};
	f->node = (uint8_t)draw(s, 2);
	f->path =
		(uint8_t)draw(s, type == FAULT_LOSS || type == FAULT_PATH ? s->n_paths : SIM_LINKS);
	if (type == FAULT_LOSS)
		f->amount = losses[draw(s, 5)];
	else if (type == FAULT_JITTER)
		f->amount = 1 + draw(s, 2 * s->deadtime);
	else
		f->amount = 100 + draw(s, 600);
	sim_trace(s, "fault %u begins: type %d router %u path %u amount %u", f->id, (int)type,
		  f->node, f->path, f->amount);
	heal.value = f->id;
	schedule(s, 1 + draw(s, (chance(s, 200) ? 40 : 8) * s->deadtime), &heal, NULL);
	faults_apply(s);
}

static void command_fault(struct sim *s, struct node *n)
{
	static const enum role_command commands[] = {
		ROLE_CMD_HANDOVER,    ROLE_CMD_HANDOVER,	ROLE_CMD_HANDOVER,
		ROLE_CMD_MAINTENANCE, ROLE_CMD_MAINTENANCE_OFF, ROLE_CMD_MAINTENANCE_OFF,
		ROLE_CMD_FORCE,	      ROLE_CMD_RESET,		ROLE_CMD_STOP,
	};

	if (n->running && !n->paused)
		node_command(s, n, commands[draw(s, 9)], chance(s, 100));
}

/* A person changes the timers at one router, or takes over those of the other one. */
static void timers_fault(struct sim *s, struct node *n)
{
	static const uint32_t times[][2] = {{50, 200}, {10, 50},  {20, 100},
					    {0, 0},    {50, 600}, {0, 150}};
	const uint32_t *t = times[draw(s, 6)];
	const struct role_event tick = {.type = ROLE_TICK};
	struct role_config *c = &s->cfg[n->id];

	if (chance(s, 500)) {
		c->keepalive_ms = s->cfg[n->id ^ 1].keepalive_ms;
		c->deadtime_ms = s->cfg[n->id ^ 1].deadtime_ms;
	} else {
		c->keepalive_ms = t[0];
		c->deadtime_ms = t[1];
	}
	sim_trace(s, "router %u is configured with %u and %u ms", n->id, c->keepalive_ms,
		  c->deadtime_ms);
	if (!n->running)
		return;
	/* Lateness is told by the keepalive in force. */
	if (!n->paused && !n->quit)
		node_step(s, n, &tick);
	if (!n->running)
		return;
	n->configured_at = s->now;
	role_configure(&n->role, c, node_now(s, n));
	if (!n->paused && !n->quit)
		node_step(s, n, &tick);
}

void fault_begin(struct sim *s)
{
	struct node *n = &s->node[draw(s, 2)];
	const uint32_t deadtime = s->deadtime;
	struct sim_event ev = {.node = n->id, .flight = -1};
	const enum fault_type type = s->restarts_only ? FAULT_CRASH : draw(s, FAULT_N);

	if (type < FAULT_N_LASTING) {
		lasting_fault(s, type);
		return;
	}
	switch (type) {
	case FAULT_STOP:
	case FAULT_STALL:
		if (n->running && !n->paused)
			node_pause(s, n, 1 + draw(s, (chance(s, 300) ? 20 : 3) * deadtime),
				   type == FAULT_STALL);
		break;
	case FAULT_CRASH:
		if (s->restarts_only)
			n = &s->node[0];
		if (!n->running)
			break;
		node_crash(s, n);
		ev.type = SIM_START;
		ev.node = n->id;
		schedule(s, 1 + draw(s, chance(s, 300) ? 3 * deadtime / 2 : 20 * deadtime), &ev,
			 NULL);
		break;
	case FAULT_COMMAND:
		command_fault(s, n);
		break;
	case FAULT_EDIT:
		config_edit(s, n);
		break;
	case FAULT_TIMERS:
		if (s->older[0] || s->older[1])
			break; /* such a router takes them over at once: both are changed by hand */
		timers_fault(s, n);
		break;
	case FAULT_REPLAY:
		ev.type = SIM_REPLAY;
		for (uint32_t i = 0, k = 5 + draw(s, 60), at = 0; i < k; i++) {
			at += draw(s, deadtime / 4);
			schedule(s, at, &ev, NULL);
		}
		break;
	default:
		break;
	}
}

void fault_heal(struct sim *s, uint32_t id)
{
	for (uint32_t i = 0; i < SIM_FAULTS; i++) {
		if (s->fault[i].on && s->fault[i].id == id) {
			s->fault[i].on = false;
			sim_trace(s, "fault %u ends", id);
			faults_apply(s);
		}
	}
}

void fault_clear(struct sim *s)
{
	for (uint32_t i = 0; i < SIM_FAULTS; i++)
		s->fault[i].on = false;
	faults_apply(s);
}

/* --- Messages ------------------------------------------------------------------------- */

static void fly(struct sim *s, const struct way *w, uint8_t to, uint8_t path,
		const struct flight *f)
{
	const struct sim_event ev = {.type = SIM_DELIVER, .node = to, .path = path};

	schedule(s, w->delay + draw(s, w->jitter + 1), &ev, f);
}

static void send_by(struct sim *s, const struct way *w, uint8_t to, uint8_t path,
		    const struct flight *f)
{
	if (!w->up || chance(s, w->loss))
		return;
	fly(s, w, to, path, f);
	if (chance(s, w->duplicate))
		fly(s, w, to, path, f);
}

void net_send(struct sim *s, struct node *from, const struct ha_message *msg)
{
	struct record *r = &s->records[s->n_records % SIM_RECORDS];
	struct flight f = {.msg = *msg, .record = s->n_records, .sent = s->now};
	const uint8_t to = from->id ^ 1;

	*r = (struct record){.msg = *msg,
			     .number = s->n_records++,
			     .sent = s->now,
			     .to = to,
			     .to_life = s->node[to].life};
	for (uint8_t p = 0; p < s->n_paths; p++)
		send_by(s, &s->way[p][from->id], to, p, &f);
	for (uint8_t l = 0; l < SIM_LINKS && !s->older[0] && !s->older[1]; l++) {
		const uint32_t period = role_frame_period(&from->role, l, node_now(s, from));

		if (period == 0 ||
		    (period > from->role.cfg.keepalive_ms && s->now - from->frame_at[l] < period))
			continue;
		from->frame_at[l] = s->now;
		send_by(s, &s->frames[l][from->id], to, ROLE_PATH_FRAME(l), &f);
	}
}

bool net_claims(struct sim *s, const struct node *from)
{
	for (uint32_t l = 0; l < SIM_LINKS; l++) {
		const struct way *w = &s->frames[l][from->id];

		if (w->up && !chance(s, w->loss))
			return true;
	}
	return false;
}

/* An old message again, from any life of either router; or thrown back at its sender. The
 * attacker reaches a router over any port that is up, whatever happens to the paths. */
void net_replay(struct sim *s)
{
	const uint64_t n_recorded = s->n_records < SIM_RECORDS ? s->n_records : SIM_RECORDS;
	struct flight f = {.replayed = true};
	const struct way w = {.up = true};
	const struct record *r;

	if (n_recorded == 0)
		return;
	/* Often the latest, which come closest to being believed. */
	r = &s->records[(s->n_records - 1 -
			 draw(s, (uint32_t)(chance(s, 500) && n_recorded > 20 ? 20 : n_recorded))) %
			SIM_RECORDS];
	f.msg = r->msg;
	f.record = r->number;
	f.sent = r->sent;
	tally.replays++;
	/* A forged one has no valid HMAC: the machine never sees it (message.c). */
	if (chance(s, 100)) {
		tally.forged++;
		return;
	}
	fly(s, &w, chance(s, 100) ? r->to ^ 1 : r->to,
	    chance(s, 300) ? ROLE_PATH_FRAME(draw(s, SIM_LINKS)) : (uint8_t)draw(s, s->n_paths),
	    &f);
}
