/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define TRACE_MS 4000 /* shown before a violation */

struct tally tally;

/* --- Chance --------------------------------------------------------------------------- */

uint32_t draw(struct sim *s, uint32_t n)
{
	uint64_t z = s->random += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return n == 0 ? 0 : (uint32_t)((z ^ z >> 31) >> 16) % n;
}

bool chance(struct sim *s, uint32_t per_mille)
{
	return per_mille > 0 && draw(s, 1000) < per_mille;
}

/* --- Report --------------------------------------------------------------------------- */

void sim_trace(struct sim *s, const char *fmt, ...)
{
	va_list ap;

	if (!s->trace || s->now < s->trace_from)
		return;
	printf("%8" PRIu64 " ms  ", s->now);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

void sim_violate(struct sim *s, const char *fmt, ...)
{
	va_list ap;

	if (s->violation[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(s->violation, sizeof(s->violation), fmt, ap);
	va_end(ap);
	sim_trace(s, "VIOLATION: %s", s->violation);
}

/* --- Events in order of time: a binary heap --------------------------------------------- */

static bool before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void schedule(struct sim *s, uint64_t in, const struct sim_event *ev, const struct flight *f)
{
	struct sim_event e = *ev;
	uint32_t i;

	e.flight = -1;
	if (f != NULL) {
		if (s->n_free == 0)
			return; /* lost */
		e.flight = s->flight_free[--s->n_free];
		s->flights[e.flight] = *f;
	}
	if (s->n_events == SIM_EVENTS) {
		fprintf(stderr, "ha-sim: too many events under way\n");
		exit(2);
	}
	e.at = s->now + in;
	e.order = s->order++;
	for (i = s->n_events++; i > 0 && before(&e, &s->heap[(i - 1) / 2]); i = (i - 1) / 2)
		s->heap[i] = s->heap[(i - 1) / 2];
	s->heap[i] = e;
}

static struct sim_event next_event(struct sim *s)
{
	const struct sim_event first = s->heap[0], last = s->heap[--s->n_events];
	uint32_t i = 0, child;

	while ((child = 2 * i + 1) < s->n_events) {
		if (child + 1 < s->n_events && before(&s->heap[child + 1], &s->heap[child]))
			child++;
		if (!before(&s->heap[child], &last))
			break;
		s->heap[i] = s->heap[child];
		i = child;
	}
	s->heap[i] = last;
	return first;
}

/* --- Scenario ------------------------------------------------------------------------- */

static void scenario_draw(struct sim *s)
{
	static const uint32_t times[][2] = {{50, 200}, {50, 200}, {10, 50}, {20, 100}, {30, 93}};
	const uint32_t *t = times[draw(s, 5)];
	const bool measured = s->seed % 3 == 0;

	/* A router of one version older, with configured timers, which that one alone knows. */
	s->older[draw(s, 2)] = s->seed % 8 == 1 && !measured;

	s->keepalive = t[0];
	s->deadtime = t[1];
	s->n_paths = 1 + draw(s, SIM_PATHS);
	for (uint32_t l = 0; l < SIM_LINKS; l++)
		s->n_witnesses[l] = chance(s, 700) ? 1 + draw(s, 2) : 0;
	for (uint32_t i = 0; i < 2; i++) {
		struct role_config *c = &s->cfg[i];

		role_config_defaults(c);
		c->keepalive_ms = measured ? 0 : t[0];
		c->deadtime_ms = measured ? 0 : t[1];
		c->start_delay_ms = 10 * t[1];
		c->failback_delay_ms = s->restarts_only ? 60000 : 10 * t[1];
		c->handover_sync_ms = 1000;
		c->handover_freeze_ms = 300;
		c->failback = s->seed % 4 == 0 ? HA_FAILBACK_MANUAL : HA_FAILBACK_AUTO;
		c->role = i == 0 ? HA_ROLE_PRIMARY : HA_ROLE_BACKUP;
		c->priority = i == 0 || s->seed % 7 == 0 ? 100 : 50;
		c->n_paths = (uint8_t)s->n_paths;
		c->n_vip_links = SIM_LINKS;
		for (uint32_t p = 0; p < SIM_PATHS; p++)
			snprintf(c->path_names[p], ROLE_NAME_LEN, "path%u", p);
		for (uint32_t l = 0; l < SIM_LINKS; l++) {
			c->witnesses[l] = (uint8_t)s->n_witnesses[l];
			c->no_path[l] = l >= s->n_paths;
			snprintf(c->vip_link_names[l], ROLE_NAME_LEN, "link%u", l);
		}
	}
}

static void fault_next(struct sim *s)
{
	const struct sim_event ev = {.type = SIM_FAULT, .flight = -1};
	const uint32_t deadtime = s->deadtime;

	schedule(s, 1 + draw(s, (chance(s, 500) ? 2 : 16) * deadtime), &ev, NULL);
}

static void calm_begin(struct sim *s)
{
	const struct sim_event check = {.type = SIM_CALM_CHECK, .flight = -1};

	sim_trace(s, "calm");
	s->calm = true;
	fault_clear(s);
	for (uint32_t i = 0; i < 2; i++) {
		node_start(s, &s->node[i]);
		node_resume(s, &s->node[i]);
		if (s->node[i].role.state == HA_MAINTENANCE)
			node_command(s, &s->node[i], ROLE_CMD_MAINTENANCE_OFF, false);
	}
	/* A process that ends by itself starts again within 3.1 s. */
	schedule(s, 4000 + s->cfg[0].start_delay_ms + 10 * s->most.deadtime, &check, NULL);
}

static void calm_end(struct sim *s)
{
	const struct sim_event next = {.type = SIM_CALM, .flight = -1};

	check_calm(s);
	s->calm = false;
	schedule(s, 50 * s->deadtime + draw(s, 100 * s->deadtime), &next, NULL);
}

static void scenario_start(struct sim *s)
{
	const struct sim_event start = {.type = SIM_START, .node = 1, .flight = -1};
	const struct sim_event calm = {.type = SIM_CALM, .flight = -1};

	net_setup(s);
	node_start(s, &s->node[0]);
	schedule(s, s->restarts_only ? 50 : draw(s, 20 * s->deadtime), &start, NULL);
	if (!s->restarts_only)
		schedule(s, 100 * s->deadtime, &calm, NULL);
	fault_next(s);
}

static void happen(struct sim *s, const struct sim_event *e)
{
	const struct role_event idle = {.type = ROLE_RELAY_IDLE};
	struct role_event ev = {.type = ROLE_TICK};
	struct node *n = &s->node[e->node];
	struct flight f;

	switch (e->type) {
	case SIM_TICK:
		if (n->running && !n->paused && e->token == n->tick_token)
			node_step(s, n, &ev);
		break;
	case SIM_PROBE:
		if (n->running && e->token == n->life)
			node_probe(s, n);
		break;
	case SIM_DELIVER:
		f = s->flights[e->flight];
		s->flight_free[s->n_free++] = e->flight;
		node_tick_first(s, n);
		node_deliver(s, n, &f, e->path);
		break;
	case SIM_FLUSHED:
		ev.type = ROLE_FLUSHED;
		ev.flush = e->value;
		if (n->running && !n->paused && e->token == n->life)
			node_step(s, n, &ev);
		break;
	case SIM_IDLE:
		if (n->running && !n->paused && e->token == n->life)
			node_step(s, n, &idle);
		break;
	case SIM_RESUME:
		if (e->token == n->life)
			node_resume(s, n);
		break;
	case SIM_START:
		node_start(s, n);
		break;
	case SIM_FAULT:
		if (!s->calm)
			fault_begin(s);
		fault_next(s);
		break;
	case SIM_HEAL:
		fault_heal(s, e->value);
		break;
	case SIM_CALM:
		calm_begin(s);
		break;
	case SIM_CALM_CHECK:
		calm_end(s);
		break;
	case SIM_REPLAY:
		net_replay(s);
		break;
	case SIM_FORWARD:
		config_forwarded(s, n, e);
		break;
	case SIM_ASKED:
		config_asked(s, n, e);
		break;
	case SIM_COMMAND:
		break;
	}
}

/* True if all held. */
static bool run(struct sim *s, uint64_t seed, bool trace, uint64_t trace_from)
{
	memset(s, 0, sizeof(*s));
	s->seed = s->random = seed;
	s->trace = trace;
	s->trace_from = trace_from;
	s->now = 1000;
	s->node[1].id = 1;
	for (uint32_t i = 0; i < SIM_EVENTS; i++)
		s->flight_free[s->n_free++] = (int32_t)i;
	/* Every tenth run kills one router ten times and more. */
	s->restarts_only = seed % 10 == 0;
	scenario_draw(s);
	s->end = s->now + (s->restarts_only ? 40000 : 120000);
	scenario_start(s);
	while (s->n_events > 0 && s->violation[0] == '\0') {
		const struct sim_event e = next_event(s);

		if (e.at > s->end)
			break;
		s->now = e.at;
		check_time(s);
		happen(s, &e);
		check_time(s);
	}
	return s->violation[0] == '\0';
}

static void tally_add(const struct sim *s)
{
	tally.runs++;
	tally.steps += s->steps;
	tally.activations += s->activations;
	for (uint32_t i = 0; i < 2; i++) {
		for (uint32_t r = 0; s->node[i].running && r < ROLE_N_ROWS; r++)
			tally.rows[r] += s->node[i].role.rows[r];
	}
	if (s->longest_overlap > tally.longest_overlap)
		tally.longest_overlap = s->longest_overlap;
	if (s->longest_idle > tally.longest_idle)
		tally.longest_idle = s->longest_idle;
}

/* Every row of the table was taken, but that of a router without a peer. */
static bool rows_report(void)
{
	bool all = true;

	for (uint32_t r = 0; r < ROLE_N_ROWS; r++) {
		printf("  %-16s %8" PRIu64 "\n", role_rows[r].name, tally.rows[r]);
		all &= tally.rows[r] > 0 || r == ROLE_ROW_ALONE;
	}
	return all;
}

static int usage(void)
{
	fprintf(stderr, "usage: ha-sim [--steps N] [--first SEED] [--seed SEED [--trace]]\n"
			"Runs seed after seed until N steps of the role machine are done (default\n"
			"1000000); --seed runs one alone, --trace tells what happens in it.\n");
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"steps", required_argument, NULL, 'n'},
		{"first", required_argument, NULL, 'f'},
		{"seed", required_argument, NULL, 's'},
		{"trace", no_argument, NULL, 't'},
		{NULL, 0, NULL, 0},
	};
	uint64_t steps = 1000000, seed = 1;
	bool one = false, trace = false, ok = true;
	struct sim *s = calloc(1, sizeof(*s));
	int c;

	if (s == NULL)
		return 2;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'n')
			steps = strtoull(optarg, NULL, 10);
		else if (c == 'f' || c == 's')
			seed = strtoull(optarg, NULL, 10);
		else if (c == 't')
			trace = true;
		else
			return usage();
		one |= c == 's';
	}
	printf("seeds from %" PRIu64 "\n", seed);
	for (; ok && (one ? tally.runs == 0 : tally.steps < steps); seed++) {
		ok = run(s, seed, trace, 0);
		tally_add(s);
		if (ok)
			continue;
		printf("seed %" PRIu64 ", %" PRIu64 " ms: %s\n", seed, s->now, s->violation);
		if (!trace)
			run(s, seed, true, s->now > TRACE_MS ? s->now - TRACE_MS : 0);
		printf("again: ha-sim --seed %" PRIu64 " --trace\n", seed);
	}
	printf("seeds to %" PRIu64 ": %" PRIu64 " runs, %" PRIu64 " steps, %" PRIu64
	       " messages, %" PRIu64 " replays (%" PRIu64 " of them forged), %" PRIu64
	       " activations\n",
	       seed - 1, tally.runs, tally.steps, tally.messages, tally.replays, tally.forged,
	       tally.activations);
	printf("longest both active after a first message %" PRIu64
	       " ms, longest without service while one was able %" PRIu64 " ms\n",
	       tally.longest_overlap, tally.longest_idle);
	if (ok && tally.steps >= 1000000 && !rows_report()) {
		printf("a row was never taken: this run proves too little\n");
		ok = false;
	}
	free(s);
	return ok ? 0 : 1;
}
