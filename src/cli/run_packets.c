/* SPDX-License-Identifier: BSD-3-Clause */
/* plvsctl trace, capture and drops: live packets, and those that were dropped last. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/bpf_text.h"
#include "cli/pcapng.h"
#include "cli/session.h"
#include "cli/view.h"

#define TRACED_MAX 1024 /* packets under way that have a number */
#define FRAME_MAX  9216

/* Params with the filter compiled; NULL: *code. */
static json_t *params_of(struct session *s, const struct invocation *inv, int *code)
{
	const char *filter = view_text(inv->local, "filter");
	json_t *params = json_copy(inv->params);
	char error[256], *program;

	if (!*filter)
		return params;
	program = bpf_text(filter, error, sizeof(error));
	if (!program) {
		*code = session_error(s, CLI_USAGE, "the filter \"%s\" does not compile: %s",
				      filter, error);
		json_decref(params);
		return NULL;
	}
	json_object_set_new(params, "filter", json_string(program));
	free(program);
	return params;
}

/* To errors: what was left out, and why it ended. */
static void end_put(const struct session *s, const json_t *result)
{
	const double lost = view_number(result, "lost"), over = view_number(result, "over_rate");

	fprintf(s->out.errors, "%s%.0f packets, %.0f records", s->prefix,
		view_number(result, "packets"), view_number(result, "rows"));
	if (over > 0)
		fprintf(s->out.errors, "; %.0f left out, over the rate (see \"rate\")", over);
	if (lost > 0)
		fprintf(s->out.errors, "; %.0f left out, read too slowly", lost);
	fputs("; ended by ", s->out.errors);
	text_put(s->out.errors, view_text(result, "ended"));
	fputc('\n', s->out.errors);
}

/* --- trace --- */

struct tracing {
	struct session *s;
	double packet[TRACED_MAX]; /* by number: the router's name while it is under way */
	unsigned long n;
};

/* Numbers packets from 1 in the order in which they arrive. */
static unsigned long number_of(struct tracing *t, const json_t *row)
{
	const double packet = view_number(row, "packet");
	const unsigned long oldest = t->n > TRACED_MAX ? t->n - TRACED_MAX : 0;

	for (unsigned long i = t->n; i > oldest && strcmp(view_text(row, "point"), "in") != 0; i--)
		if (t->packet[i % TRACED_MAX] == packet)
			return i;
	t->n++;
	t->packet[t->n % TRACED_MAX] = packet;
	return t->n;
}

static void time_put(FILE *file, double at_us)
{
	const time_t at = (time_t)(at_us / 1e6);
	char when[16] = "-";
	struct tm tm;

	if (at_us > 0 && localtime_r(&at, &tm))
		strftime(when, sizeof(when), "%H:%M:%S", &tm);
	fprintf(file, "%s.%06ld", when, (long)((unsigned long long)at_us % 1000000));
}

static void stage_put(FILE *f, const json_t *row)
{
	const char *stage = view_text(row, "reason");

	fprintf(f, "%-10s", "");
	text_put(f, stage);
	if (strcmp(stage, "steer") == 0) {
		fputs(": direction ", f);
		text_put(f, view_text(row, "direction"));
	} else if (!json_object_get(row, "state")) {
		fputs(": no connection", f);
	} else if (strcmp(stage, "resolve") == 0) {
		fputs(": next hop ", f);
		text_put(f, view_text(row, "nexthop_mac"));
		fputs(" on ", f);
		text_put(f, view_text(row, "nexthop_port"));
	} else if (strcmp(stage, "rewrite") != 0) {
		fputs(json_is_true(json_object_get(row, "new")) ? ": new connection, " : ": ", f);
		text_put(f, view_text(row, "state"));
		fputs(", server ", f);
		text_put(f, view_text(row, "server"));
		fputs(" by ", f);
		text_put(f, view_text(row, "method"));
	}
}

static void trace_put(struct tracing *t, const json_t *row)
{
	const char *point = view_text(row, "point"), *reason = view_text(row, "reason");
	FILE *f = t->s->out.file;

	fprintf(f, "#%-5lu ", number_of(t, row));
	time_put(f, view_number(row, "at_us"));
	fprintf(f, " w%-3.0f ", view_number(row, "worker"));
	if (strcmp(point, "stage") == 0) {
		stage_put(f, row);
	} else {
		fprintf(f, "%-10s", point);
		if (*reason) {
			text_put(f, reason);
			fputs(", ", f);
		}
		if (json_object_get(row, "to"))
			fprintf(f, "to worker %.0f, ", view_number(row, "to"));
		text_put(f, view_text(row, "port"));
		fputs(": ", f);
		text_put(f, view_text(row, "text"));
	}
	fputc('\n', f);
}

static int on_trace(void *arg, json_t *rows)
{
	struct tracing *t = arg;
	const struct out *out = &t->s->out;
	const json_t *row;
	size_t i;

	json_array_foreach (rows, i, row) {
		if (out->json) {
			json_dumpf(row, out->file,
				   JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
			fputc('\n', out->file);
		} else {
			trace_put(t, row);
		}
	}
	fflush(out->file);
	return ferror(out->file) ? -1 : 0;
}

int run_trace(struct session *s, const struct invocation *inv)
{
	struct tracing *t = calloc(1, sizeof(*t));
	struct rpc_failure failure = {0};
	json_t *result = NULL, *params;
	int code = CLI_OK;

	params = t ? params_of(s, inv, &code) : NULL;
	if (!params) {
		free(t);
		return code;
	}
	t->s = s;
	if (rpc_call(&s->rpc, "trace", params, on_trace, t, &result, &failure) == RPC_OK)
		end_put(s, result);
	else if (failure.outcome != RPC_STOPPED) /* Ctrl-C is no failure */
		code = session_fail(s, inv, &failure);
	else
		rpc_failure_clear(&failure);
	json_decref(params);
	json_decref(result);
	free(t);
	return code;
}

/* --- capture --- */

struct capturing {
	struct pcapng file;
	uint8_t frame[FRAME_MAX + 4];
	int fault; /* -errno of the file */
};

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 0;
}

/* Bytes of a row, a tag that the port took away put back. */
static size_t frame_fill(struct capturing *c, const json_t *row)
{
	const char *hex = view_text(row, "bytes");
	const unsigned int vlan = (unsigned int)view_number(row, "vlan");
	size_t n = 0;

	for (; hex[0] && hex[1] && n < FRAME_MAX; hex += 2) {
		if (n == 12 && vlan) {
			c->frame[n++] = 0x81;
			c->frame[n++] = 0;
			c->frame[n++] = (uint8_t)(vlan >> 8);
			c->frame[n++] = (uint8_t)vlan;
		}
		c->frame[n++] = (uint8_t)(digit(hex[0]) << 4 | digit(hex[1]));
	}
	return n;
}

static int on_capture(void *arg, json_t *rows)
{
	struct capturing *c = arg;
	const json_t *row;
	size_t i;

	json_array_foreach (rows, i, row) {
		const char *point = view_text(row, "point");
		const size_t tag = json_object_get(row, "vlan") ? 4 : 0;
		struct pcapng_packet p = {.port = view_text(row, "port"), .bytes = c->frame};
		const double len = view_number(row, "frame_length");
		char comment[160];

		p.caplen = frame_fill(c, row);
		p.len = len > 0 && len < 1e6 ? (size_t)len + tag : p.caplen;
		p.at_us = (uint64_t)view_number(row, "at_us");
		p.direction = strcmp(point, "in") == 0 ? 1 : strcmp(point, "out") == 0 ? 2 : 0;
		snprintf(comment, sizeof(comment), "%.16s%s%.40s, port %.40s, worker %.0f", point,
			 *view_text(row, "reason") ? ": " : "", view_text(row, "reason"), p.port,
			 view_number(row, "worker"));
		p.comment = comment;
		c->fault = pcapng_packet(&c->file, &p);
		if (c->fault < 0)
			return -1;
	}
	if (fflush(c->file.file) != 0)
		c->fault = errno ? -errno : -EIO;
	return c->fault < 0 ? -1 : 0;
}

/* Opens the file before the router is asked for anything. */
static FILE *file_open(struct session *s, const char *path, int *code)
{
	FILE *f;

	if (strcmp(path, "-") == 0) {
		if (isatty(fileno(s->out.file))) {
			*code = session_error(s, CLI_USAGE,
					      "a capture is no text: use \"-w FILE\", or \"-w -\" "
					      "with a pipe");
			return NULL;
		}
		return s->out.file;
	}
	f = fopen(path, "wbe");
	if (!f)
		*code = session_error(s, CLI_USAGE, "%s: %s", path, strerror(errno));
	return f;
}

static int capture_run(struct session *s, const struct invocation *inv, struct capturing *c,
		       json_t *params, const char *path)
{
	struct rpc_failure failure = {0};
	json_t *result = NULL;
	int code = CLI_OK;

	rpc_call(&s->rpc, "capture", params, on_capture, c, &result, &failure);
	if (c->fault == -EPIPE) { /* the reader of the pipe has ended */
		clearerr(c->file.file);
		rpc_failure_clear(&failure);
	} else if (c->fault < 0) {
		rpc_failure_clear(&failure);
		code = session_error(s, CLI_GARBLED,
				     "cannot write %s: %s; what is written up to here (%llu bytes) "
				     "can be read",
				     path, strerror(-c->fault), (unsigned long long)c->file.bytes);
	} else if (failure.outcome == RPC_OK) {
		end_put(s, result);
	} else if (failure.outcome != RPC_STOPPED) {
		code = session_fail(s, inv, &failure);
	} else {
		rpc_failure_clear(&failure);
	}
	json_decref(result);
	return code;
}

int run_capture(struct session *s, const struct invocation *inv)
{
	const char *path = view_text(inv->local, "write");
	const double snap = view_number(inv->params, "snap");
	struct capturing *c = calloc(1, sizeof(*c));
	int code = CLI_OK;
	json_t *params = c ? params_of(s, inv, &code) : NULL;
	FILE *f = params ? file_open(s, path, &code) : NULL;

	if (f) {
		c->fault = pcapng_begin(&c->file, f, snap > 0 ? (uint32_t)snap : FRAME_MAX + 4,
					"plvsctl capture");
		if (c->fault == 0 && fflush(f) != 0)
			c->fault = errno ? -errno : -EIO;
		if (c->fault < 0)
			code = session_error(s, CLI_GARBLED, "cannot write %s: %s", path,
					     strerror(-c->fault));
		else
			code = capture_run(s, inv, c, params, path);
	}
	if (f && f != s->out.file && fclose(f) != 0 && code == CLI_OK)
		code = session_error(s, CLI_GARBLED, "cannot write %s: %s", path, strerror(errno));
	json_decref(params);
	free(c);
	return code;
}

/* --- drops --- */

int run_drops(struct session *s, const struct invocation *inv)
{
	json_t *params = json_pack("{s:s}", "object", "drops"), *result = NULL;
	const int code = session_call(s, "counter.list", params, &result);

	json_decref(params);
	if (code != CLI_OK)
		return code;
	if (s->out.json)
		view_json(&s->out, result);
	else
		view_counters(&s->out, result, inv);
	json_decref(result);
	return CLI_OK;
}

void view_drops(const struct out *out, const json_t *result, const struct invocation *inv)
{
	const json_t *packets = json_object_get(result, "packets"), *p;
	struct table t;
	size_t i;

	(void)inv;
	text_put(out->file, view_text(result, "reason"));
	fputs(": ", out->file);
	text_put(out->file, view_text(result, "help"));
	fputc('\n', out->file);
	if (json_array_size(packets) == 0) {
		fputs("no packet was dropped for this reason\n", out->file);
		return;
	}
	table_init(&t, out);
	table_column(&t, "AGE", true);
	table_column(&t, "WORKER", true);
	table_column(&t, "PORT", false);
	table_column(&t, "PACKET", false);
	json_array_foreach (packets, i, p) {
		char age[UNIT_STRLEN];

		table_cell(&t, STYLE_NONE, age_format(view_number(p, "age_s"), out->numeric, age));
		table_cellf(&t, STYLE_NONE, "%.0f", view_number(p, "worker"));
		table_cell(&t, STYLE_NONE, view_text(p, "port"));
		table_cell(&t, STYLE_NONE, view_text(p, "text"));
		table_row(&t);
	}
	table_end(&t);
}
