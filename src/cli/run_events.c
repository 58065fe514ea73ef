/* SPDX-License-Identifier: BSD-3-Clause */
/* plvsctl events: events of the router, as they happen. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/session.h"
#include "cli/view.h"

struct follow {
	struct session *s;
	double left; /* events to print; below 0: no limit */
};

static void event_put(const struct out *out, const json_t *e)
{
	const double at_ms = view_number(e, "at_ms");
	const time_t at = (time_t)(at_ms / 1000);
	char when[40] = "-";
	struct tm tm;

	if (at_ms > 0 && gmtime_r(&at, &tm))
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	fprintf(out->file, "%s.%03dZ ", when, (int)((long long)at_ms % 1000));
	text_put(out->file, view_text(e, "kind"));
	fputs(": ", out->file);
	text_put(out->file, view_text(e, "text"));
	fputc('\n', out->file);
}

static int on_rows(void *arg, json_t *rows)
{
	struct follow *f = arg;
	const struct out *out = &f->s->out;
	const json_t *e;
	size_t i;

	json_array_foreach (rows, i, e) {
		if (f->left == 0)
			return -1;
		if (f->left > 0)
			f->left--;
		if (out->json) {
			json_dumpf(e, out->file,
				   JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
			fputc('\n', out->file);
		} else {
			event_put(out, e);
		}
	}
	fflush(out->file);
	return ferror(out->file) || f->left == 0 ? -1 : 0;
}

int run_events(struct session *s, const struct invocation *inv)
{
	const json_t *kinds = json_object_get(inv->local, "kind"), *kind;
	double count = view_number(inv->local, "count");
	struct follow f = {s, count > 0 ? count : -1};
	json_t *params = json_copy(inv->params), *result = NULL;
	struct rpc_failure failure = {0};
	char text[128] = "";
	int code = CLI_OK;
	size_t i;

	json_array_foreach (kinds, i, kind)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%.20s", i ? "," : "",
			 json_string_value(kind));
	if (*text)
		json_object_set_new(params, "kinds", json_string(text));
	rpc_call(&s->rpc, "event.follow", params, on_rows, &f, &result, &failure);
	json_decref(params);
	json_decref(result);
	/* The number that was asked for, or Ctrl-C, is no failure. */
	if (failure.outcome != RPC_OK && failure.outcome != RPC_STOPPED)
		code = session_fail(s, inv, &failure);
	else
		rpc_failure_clear(&failure);
	return code;
}
