/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "sim.h"

/* The state of ways, ports and witnesses follows from the faults that are on. */
static void ways_apply(struct sim *s, const struct fault *f)
{
	for (uint32_t p = 0; p < s->n_paths; p++) {
		for (uint32_t d = 0; d < 2; d++) {
			struct way *w = &s->way[p][d];
			const bool mine = f->path == p && f->node == d;

			switch (f->type) {
			case FAULT_LOSS:
				if (mine)
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
			case FAULT_PATH:
				if (f->path == p)
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
				if (f->path % SIM_LINKS == p)
					w->up = false;
				break;
			default:
				break;
			}
		}
	}
}

static bool link_has_path(const struct sim *s, uint32_t link, uint32_t path)
{
	return path == link && path < s->n_paths;
}

static void clean_apply(struct sim *s, uint32_t from)
{
	bool clean = false;

	for (uint32_t p = 0; p < s->n_paths; p++) {
		const struct way *w = &s->way[p][from];

		clean |=
			w->up && w->loss == 0 && w->delay + w->jitter <= s->cfg[0].keepalive_ms / 2;
	}
	if (!clean)
		s->clean_since[from] = 0;
	else if (s->clean_since[from] == 0)
		s->clean_since[from] = s->now;
}

static void faults_apply(struct sim *s)
{
	for (uint32_t p = 0; p < s->n_paths; p++) {
		for (uint32_t d = 0; d < 2; d++)
			s->way[p][d] = (struct way){.up = true, .delay = 0, .jitter = 2};
	}
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
			n->port_up[f->path % SIM_LINKS] = n->witness_up[f->path % SIM_LINKS] =
				false;
		if (f->type == FAULT_WITNESS || f->type == FAULT_HOLE)
			n->witness_up[f->path % SIM_LINKS] = false;
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
	f->path = (uint8_t)draw(s, s->n_paths);
	if (type == FAULT_LOSS)
		f->amount = losses[draw(s, 5)];
	else if (type == FAULT_JITTER)
		f->amount = 1 + draw(s, 2 * s->cfg[0].deadtime_ms);
	else
		f->amount = 100 + draw(s, 600);
	sim_trace(s, "fault %u begins: type %d router %u path %u amount %u", f->id, (int)type,
		  f->node, f->path, f->amount);
	heal.value = f->id;
	schedule(s, 1 + draw(s, (chance(s, 200) ? 40 : 8) * s->cfg[0].deadtime_ms), &heal, NULL);
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

void fault_begin(struct sim *s)
{
	struct node *n = &s->node[draw(s, 2)];
	const uint32_t deadtime = s->cfg[0].deadtime_ms;
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
	for (uint8_t p = 0; p < s->n_paths; p++) {
		const struct way *w = &s->way[p][from->id];

		if (!w->up || chance(s, w->loss))
			continue;
		fly(s, w, to, p, &f);
		if (chance(s, w->duplicate))
			fly(s, w, to, p, &f);
	}
}

/* An old message again, from any life of either router; or thrown back at its sender. The
 * attacker reaches a router over any port that is up, whatever happens to the paths. */
void net_replay(struct sim *s)
{
	const uint64_t kept = s->n_records < SIM_RECORDS ? s->n_records : SIM_RECORDS;
	struct flight f = {.replayed = true};
	const struct way w = {.up = true};
	const struct record *r;

	if (kept == 0)
		return;
	/* Often the latest, which come closest to being believed. */
	r = &s->records[(s->n_records - 1 -
			 draw(s, (uint32_t)(chance(s, 500) && kept > 20 ? 20 : kept))) %
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
	fly(s, &w, chance(s, 100) ? r->to ^ 1 : r->to, (uint8_t)draw(s, s->n_paths), &f);
}
