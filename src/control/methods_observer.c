/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Trace and capture: each worker gets an observer (dataplane/observe/observer.h), whose records go
 * to the client as rows, until the client has gone or a bound is reached. One at a time.
 *
 * The filter comes compiled: the text that `tcpdump -ddd` prints. So the router resolves no names
 * and compiles no filter.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_cycles.h>

#include "base/clock.h"
#include "control/explain_json.h"
#include "control/worker_ask.h"
#include "dataplane/observe/observer.h"
#include "shown/packet_shown.h"

#define LOOK_US	      20000
#define PAUSE_BACKLOG (4UL << 20)
#define ROWS	      256     /* of a message */
#define LOOK_ROWS     4096    /* of one look at one worker */
#define SILENT_US     2000000 /* after so long the client hears that there is nothing */
#define TRACE_SNAP    160
#define SECONDS	      60 /* default */
#define SECONDS_MAX   3600
#define RATE	      2000 /* records a second of a worker: default */
#define RATE_MAX      20000
#define COUNT_MAX     1000000000

enum phase { OBSERVE_BEGINS, OBSERVE_RUNS, OBSERVE_ENDS };

struct observing {
	struct worker_ask ask;
	enum phase phase;
	bool stages;
	struct event *look_ev;
	struct observer *observers[MAX_WORKERS];
	uint64_t end_us; /* CLOCK_MONOTONIC */
	uint64_t count, rows;
	uint64_t said_us;	   /* the client heard something last */
	uint64_t bytes, bytes_max; /* of frames sent to the client */
	const char *why;	   /* it ends */
	char *hex;
};

static void observing_free(struct pending *l)
{
	struct observing *k = (struct observing *)l;

	worker_ask_fini(&k->ask);
	if (k->look_ev)
		event_free(k->look_ev);
	for (unsigned int i = 0; i < MAX_WORKERS; i++)
		observer_destroy(k->observers[i]);
	free(k->hex);
	l->control->observers--;
	free(k);
}

/* Takes the observers from the workers. */
static bool observing_stop(struct pending *l, uint64_t deadline_us)
{
	static const struct timespec pause = {.tv_nsec = 500000};
	struct observing *k = (struct observing *)l;

	if (!worker_ask_stop(l, deadline_us))
		return false;
	if (k->look_ev)
		event_free(k->look_ev);
	k->look_ev = NULL;
	for (uint16_t i = 0; i < l->control->dp->n_workers; i++) {
		k->ask.command = (struct worker_command){.kind = CMD_OBSERVE, .eventfd = -1};
		k->ask.sent = dataplane_command(l->control->dp, i, &k->ask.command) == 0;
		while (k->ask.sent && !__atomic_load_n(&k->ask.command.done, __ATOMIC_ACQUIRE)) {
			if (clock_us() >= deadline_us)
				return false;
			nanosleep(&pause, NULL);
		}
	}
	return true;
}

static const struct pending_kind pending_kind = {observing_stop, observing_free};

/* --- records --- */

static json_int_t wall_us(const struct observing *k, uint64_t tsc)
{
	const struct dataplane *dp = k->ask.pending.control->dp;
	const int64_t ago = (int64_t)(rte_rdtsc() - tsc);

	return (json_int_t)clock_wall_us() -
	       (tsc && ago > 0 ? (json_int_t)((double)ago * 1e6 / (double)dp->hz) : 0);
}

static const char *detail_word(const struct observe_record *r)
{
	switch (r->point) {
	case OBSERVE_DROPPED:
		return r->detail < DROP_MAX ? drop_names[r->detail] : NULL;
	case OBSERVE_PUNTED:
		return r->detail < PUNT_MAX ? punt_names[r->detail] : NULL;
	case OBSERVE_STAGE:
		return r->detail < OBSERVE_STAGES ? observe_stage_names[r->detail] : NULL;
	default:
		return NULL;
	}
}

static void facts_put(json_t *row, const struct control *c, const struct observe_record *r)
{
	const struct server_rt *srv =
		r->server ? runtime_server(&c->pub->runtime, r->server) : NULL;
	char text[ENDPOINT_STRLEN], mac[MAC_STRLEN];
	struct mac m;

	json_object_set_new(row, "direction", json_string(r->dir == DIR_IN ? "in" : "out"));
	if (!r->found)
		return;
	json_object_set_new(row, "new", json_boolean(r->made));
	json_object_set_new(
		row, "state",
		json_string(r->state < CONN_STATE_MAX ? conn_state_names[r->state] : "?"));
	json_object_set_new(row, "method", json_string(forward_name(r->method)));
	if (srv)
		json_object_set_new(row, "server",
				    json_string(endpoint_format(&srv->ep, text, sizeof(text))));
	if (r->detail < OBSERVE_RESOLVE || r->detail == OBSERVE_TRACK)
		return;
	memcpy(&m, r->nh_mac, sizeof(m));
	json_object_set_new(row, "nexthop_mac", json_string(mac_format(&m, mac, sizeof(mac))));
	json_object_set_new(row, "nexthop_port", json_string(control_port_name(c, r->nh_port)));
}

static json_t *row_of(struct observing *k, uint16_t worker, const struct observe_record *r)
{
	const struct control *c = k->ask.pending.control;
	json_t *row = r->caplen && k->stages ? packet_shown(r->bytes, r->caplen, r->len, r->vlan)
					     : json_object();
	const char *word = detail_word(r);

	json_object_set_new(row, "at_us", json_integer(wall_us(k, r->tsc)));
	json_object_set_new(row, "worker", json_integer(worker));
	json_object_set_new(row, "point",
			    json_string(observe_point_names[r->point % OBSERVE_POINTS]));
	if (word)
		json_object_set_new(row, "reason", json_string(word));
	if (k->stages) {
		json_object_set_new(row, "packet", json_integer((json_int_t)r->packet));
		if (r->point == OBSERVE_STAGE)
			facts_put(row, c, r);
		else if (r->point == OBSERVE_HANDED_OFF)
			json_object_set_new(row, "to", json_integer(r->detail));
	} else {
		for (uint16_t i = 0; i < r->caplen; i++) {
			static const char digits[] = "0123456789abcdef";

			k->hex[2 * i] = digits[r->bytes[i] >> 4];
			k->hex[2 * i + 1] = digits[r->bytes[i] & 15];
		}
		json_object_set_new(row, "bytes", json_stringn(k->hex, 2UL * r->caplen));
		json_object_set_new(row, "frame_length", json_integer(r->len));
		if (r->vlan)
			json_object_set_new(row, "vlan", json_integer(r->vlan));
	}
	if (r->point != OBSERVE_STAGE)
		json_object_set_new(row, "port", json_string(control_port_name(c, r->port)));
	return row;
}

/* Sends the records that a worker wrote since the last look, LOOK_ROWS at most. True: the worker
 * may have more. */
static bool worker_look(struct observing *k, uint16_t worker)
{
	struct observer *w = k->observers[worker];
	const struct observe_record *r;
	json_t *rows = NULL;
	unsigned int n = 0;

	while (n < LOOK_ROWS && (r = observer_next(w)) != NULL && k->bytes < k->bytes_max) {
		if (!rows)
			rows = json_array();
		json_array_append_new(rows, row_of(k, worker, r));
		k->bytes += r->caplen;
		observer_took(w);
		n++;
		if (json_array_size(rows) == ROWS) {
			rpc_rows(k->ask.pending.req, rows);
			rows = NULL;
		}
	}
	if (rows)
		rpc_rows(k->ask.pending.req, rows);
	k->rows += n;
	if (n)
		k->said_us = clock_us();
	return n == LOOK_ROWS;
}

static uint64_t sum(const struct observing *k, size_t offset)
{
	uint64_t n = 0;

	for (uint16_t i = 0; i < k->ask.pending.control->dp->n_workers; i++)
		n += __atomic_load_n((const uint64_t *)((const uint8_t *)k->observers[i] + offset),
				     __ATOMIC_RELAXED);
	return n;
}

/* --- the course of it --- */

static void look_soon(struct observing *k)
{
	const struct timeval tv = {.tv_usec = LOOK_US};

	event_add(k->look_ev, &tv);
}

static void observer_send(struct observing *k, uint16_t worker)
{
	k->ask.command = (struct worker_command){
		.kind = CMD_OBSERVE,
		.observer = k->phase == OBSERVE_ENDS ? NULL : k->observers[worker]};
	worker_ask_send(&k->ask, worker);
}

static void end(struct observing *k, const char *why)
{
	k->why = why;
	k->phase = OBSERVE_ENDS;
	observer_send(k, 0);
}

static void answer(struct observing *k)
{
	struct pending *l = &k->ask.pending;

	for (uint16_t i = 0; i < l->control->dp->n_workers; i++)
		while (!rpc_closed(l->req) && k->bytes < k->bytes_max && worker_look(k, i))
			;
	pending_answer(l, json_pack("{s:I, s:I, s:I, s:I, s:s}", "packets",
				    (json_int_t)sum(k, offsetof(struct observer, packets)), "rows",
				    (json_int_t)k->rows, "over_rate",
				    (json_int_t)sum(k, offsetof(struct observer, over_rate)),
				    "lost", (json_int_t)sum(k, offsetof(struct observer, lost)),
				    "ended", k->why));
	pending_end(l);
}

/* A worker has taken its observer up, or given it back. */
static void took(struct worker_ask *a)
{
	struct observing *k = (struct observing *)a;

	if (a->worker + 1 < a->pending.control->dp->n_workers) {
		observer_send(k, (uint16_t)(a->worker + 1));
	} else if (k->phase == OBSERVE_ENDS) {
		answer(k);
	} else {
		k->phase = OBSERVE_RUNS;
		look_soon(k);
	}
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct observing *k = arg;
	struct rpc_request *req = k->ask.pending.req;

	(void)fd;
	(void)what;
	if (rpc_closed(req)) {
		end(k, "client");
		return;
	}
	for (uint16_t i = 0; i < k->ask.pending.control->dp->n_workers; i++)
		if (rpc_backlog(req) < PAUSE_BACKLOG)
			worker_look(k, i);
	if (clock_us() - k->said_us > SILENT_US) {
		rpc_rows(req, json_array());
		k->said_us = clock_us();
	}
	if (k->bytes >= k->bytes_max)
		end(k, "size");
	else if (k->count && sum(k, offsetof(struct observer, packets)) >= k->count)
		end(k, "count");
	else if (clock_us() >= k->end_us)
		end(k, "time");
	else
		look_soon(k);
}

/* --- parameters --- */

static bool bad(struct rpc_request *req, const char *name, const char *expected)
{
	rpc_fail(req, RPC_BAD_PARAMS, json_pack("{s:s, s:s}", "path", name, "expected", expected),
		 "%s: expected %s", name, expected);
	return false;
}

static bool number(struct rpc_request *req, const json_t *params, const char *name, json_int_t def,
		   json_int_t min, json_int_t max, uint64_t *out)
{
	const json_t *v = json_object_get(params, name);
	const json_int_t n = v ? json_integer_value(v) : def;
	char expected[64];

	*out = (uint64_t)n;
	if (!v || (json_is_integer(v) && n >= min && n <= max))
		return true;
	snprintf(expected, sizeof(expected), "a number from %lld to %lld", (long long)min,
		 (long long)max);
	return bad(req, name, expected);
}

/* As `tcpdump -ddd` prints a program. Returns its instructions, or -1. */
static int program_parse(const char *text, struct bpf_insn *program)
{
	char *at;
	const long n = strtol(text, &at, 10);

	if (n < 1 || n > OBSERVE_PROGRAM_MAX)
		return -1;
	for (long i = 0; i < n; i++) {
		unsigned long v[4];

		for (unsigned int k = 0; k < 4; k++) {
			const char *from = at;

			v[k] = strtoul(from, &at, 10);
			if (at == from)
				return -1;
		}
		if (v[0] > UINT16_MAX || v[1] > UINT8_MAX || v[2] > UINT8_MAX || v[3] > UINT32_MAX)
			return -1;
		program[i] = (struct bpf_insn){(u_short)v[0], (u_char)v[1], (u_char)v[2],
					       (bpf_u_int32)v[3]};
	}
	return bpf_validate(program, (int)n) ? (int)n : -1;
}

struct wishes {
	struct bpf_insn program[OBSERVE_PROGRAM_MAX];
	int n_program;
	uint64_t count, seconds, rate, snap, bytes;
};

static bool wishes_parse(struct rpc_request *req, const json_t *params, bool stages,
			 struct wishes *w)
{
	const char *filter = param_string(params, "filter");

	if (!number(req, params, "count", 0, 1, COUNT_MAX, &w->count) ||
	    !number(req, params, "seconds", SECONDS, 1, SECONDS_MAX, &w->seconds) ||
	    !number(req, params, "rate", RATE, 1, RATE_MAX, &w->rate) ||
	    !number(req, params, "snap", stages ? TRACE_SNAP : OBSERVE_SNAP_MAX, 64,
		    OBSERVE_SNAP_MAX, &w->snap) ||
	    !number(req, params, "bytes", 1 << 30, 1, (json_int_t)1 << 40, &w->bytes))
		return false;
	w->n_program = filter && *filter ? program_parse(filter, w->program) : 0;
	if (w->n_program < 0)
		return bad(req, "filter",
			   "a program of up to 512 instructions, as \"tcpdump -ddd\" prints it");
	return true;
}

static bool observers_create(struct observing *k, const struct wishes *w)
{
	const uint16_t n = k->ask.pending.control->dp->n_workers;

	for (uint16_t i = 0; i < n; i++) {
		k->observers[i] = observer_create(w->program, (uint32_t)w->n_program, k->stages,
						  (uint16_t)w->snap, (uint32_t)w->rate,
						  w->count ? w->count : UINT64_MAX);
		if (!k->observers[i])
			return false;
	}
	k->hex = malloc(2 * OBSERVE_SNAP_MAX);
	k->look_ev = event_new(k->ask.pending.control->base, -1, 0, on_look, k);
	return k->hex && k->look_ev;
}

static void observer(struct control *c, struct rpc_request *req, const json_t *params, bool stages)
{
	struct observing *k;
	struct wishes w;

	if (!wishes_parse(req, params, stages, &w))
		return;
	if (c->observers > 0) {
		rpc_fail(req, RPC_LIMIT, NULL, "limit reached: one trace or capture at a time");
		return;
	}
	c->observers++; /* observing_free() takes it back */
	k = worker_ask_create(c, req, sizeof(*k), &pending_kind, took);
	if (!k) {
		c->observers = 0;
		return;
	}
	k->stages = stages;
	k->count = w.count;
	k->bytes_max = w.bytes;
	k->end_us = clock_us() + w.seconds * 1000000;
	if (!observers_create(k, &w)) {
		pending_fail(&k->ask.pending, RPC_INTERNAL, NULL, "out of memory");
		pending_end(&k->ask.pending);
		return;
	}
	observer_send(k, 0);
}

static void trace(struct control *c, struct rpc_request *req, json_t *params)
{
	observer(c, req, params, true);
}

static void capture(struct control *c, struct rpc_request *req, json_t *params)
{
	observer(c, req, params, false);
}

#define BOUNDS                                                                                     \
	{"filter", PARAM_STRING, false,                                                            \
	 "selects packets: a program as `tcpdump -ddd` prints it (default: all packets)"},         \
		{"count", PARAM_NUMBER, false, "ends after so many packets (default: never)"},     \
		{"seconds", PARAM_NUMBER, false, "ends after this time, up to 3600 (default 60)"}, \
	{                                                                                          \
		"rate", PARAM_NUMBER, false,                                                       \
			"records a second of one worker, up to 20000 (default 2000)"               \
	}
#define ENDED                                                                                      \
	"`packets`, `rows`, `over_rate` and `lost` (missing records: over `rate`; no room), "      \
	"`ended`: `count`, `time`, `size` or `client`"

const struct method observer_methods[] = {
	{.name = "trace",
	 .run = trace,
	 .help = "the path of live packets, stage by stage, as a stream",
	 .params = {BOUNDS},
	 .result = ENDED ". Before it rows: `at_us`, `worker`, `packet` (the same number for all "
			 "rows of a packet), `point` (`in`, `stage`, `out`, `dropped`, `punted`, "
			 "`handed_off`, `answered`, `parked`), `reason`, `port`, and headers as of "
			 "`drop.show`; of a stage `direction`, `new`, `state`, `method`, `server`, "
			 "`nexthop_mac`, `nexthop_port`, if known"},
	{.name = "capture",
	 .level = METHOD_CHANGE,
	 .run = capture,
	 .help = "live packets with their payload, in, out and dropped, as a stream",
	 .params = {BOUNDS,
		    {"snap", PARAM_NUMBER, false, "bytes of each frame, 64 to 9216 (default 9216)"},
		    {"bytes", PARAM_NUMBER, false, "ends after so many bytes (default 1 GiB)"}},
	 .result = ENDED ". Before it rows: `at_us`, `worker`, `port`, `point` (`in`, `out`, "
			 "`dropped`), `reason`, `vlan`, `frame_length` and `bytes`, in hexadecimal "
			 "digits"},
	{.name = NULL},
};
