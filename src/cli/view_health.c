/* SPDX-License-Identifier: BSD-3-Clause */
/* Real servers: whether they are up, and why. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/view.h"

#define LABEL_WIDTH 14

/* ---- list ---- */

void view_health_list(const struct out *out, const json_t *r, const struct invocation *inv)
{
	const json_t *rows = json_object_get(r, "servers"), *row;
	static const struct shown_column of_service[] = {{"service", NULL, SHOWN_NAMED, "name"},
							 {NULL, NULL, 0}};
	const struct tree_view view = {&shown_server, &shown_server, of_service,
				       shown_server.of_health, true};
	const char *service = NULL;
	struct table t;
	size_t i;

	(void)inv;
	if (!json_array_size(rows)) {
		fprintf(out->file, "no servers\n");
		return;
	}
	view_tree_init(&t, out, &view);
	json_array_foreach (rows, i, row) {
		const char *key = view_text(row, "service");

		if (!service || strcmp(service, key) != 0)
			view_outer_row(&t, &view, row);
		service = key;
		view_inner_row(&t, &view, row, row);
	}
	table_end(&t);
}

/* ---- one ---- */

static void label_put(const struct out *out, const char *label)
{
	fprintf(out->file, "%s%s%s%*s", style_on(out, STYLE_BOLD), label,
		style_off(out, STYLE_BOLD), (int)(LABEL_WIDTH - strlen(label)), "");
}

static void value_put(const struct out *out, const json_t *r, const char *path, enum format format,
		      const char *unit)
{
	char *text = view_format(out, view_at(r, path), format);

	text_put(out->file, text ? text : "-");
	fputs(unit, out->file);
	free(text);
}

/* Says why a server that is up is not chosen. */
static void chosen_put(const struct out *out, const json_t *r)
{
	bool chosen = json_is_true(view_at(r, "chosen")), sorry = json_is_true(view_at(r, "sorry"));
	bool up = strcmp(view_text(r, "standing"), "up") == 0;

	label_put(out, "chosen");
	fputs(chosen ? "yes" : "no", out->file);
	if (sorry)
		fputs(chosen || !up ? ", it is a sorry server"
				    : ": it is a sorry server, and the quorum is held",
		      out->file);
	else if (up && !chosen)
		fputs(": sorry servers serve while the quorum is lost", out->file);
	else if (chosen && !up)
		fputs(": all are down, and those that were up last stay", out->file);
	fputc('\n', out->file);
}

static void state_put(const struct out *out, const json_t *r)
{
	const char *name = view_text(r, "name"), *reason = view_text(r, "reason");
	char state[64];

	label_put(out, "server");
	value_put(out, r, "server", FORMAT_TEXT, " of ");
	value_put(out, r, "service", FORMAT_TEXT, "");
	if (*name) {
		fputs(" (", out->file);
		text_put(out->file, name);
		fputs(")", out->file);
	}
	fputc('\n', out->file);
	label_put(out, "state");
	view_health_state(r, state);
	fputs(style_on(out, view_health_style(r, state)), out->file);
	text_put(out->file, state);
	fprintf(out->file, "%s for ", style_off(out, view_health_style(r, state)));
	value_put(out, r, "state_s", FORMAT_SECONDS, *reason ? ": " : "");
	text_put(out->file, reason);
	fputc('\n', out->file);
	if (strcmp(view_text(r, "admin"), "none") != 0 && *view_text(r, "admin")) {
		label_put(out, "checks say");
		value_put(out, r, "state", FORMAT_TEXT, "\n");
	}
	chosen_put(out, r);
}

static void weight_put(const struct out *out, const json_t *r)
{
	double low = view_number(r, "weight_low"), high = view_number(r, "weight_high");

	label_put(out, "weight");
	value_put(out, r, "effective_weight", FORMAT_ID, "");
	if (strcmp(view_text(r, "weight_source"), "configuration") == 0) {
		fputs(", as configured", out->file);
	} else {
		fputs(", by ", out->file);
		value_put(out, r, "weight_source", FORMAT_TEXT, "; configured ");
		value_put(out, r, "weight", FORMAT_ID, "");
	}
	if (low < high)
		fprintf(out->file, ", bounds %.0f to %.0f", low, high);
	fputc('\n', out->file);
}

static void quorum_put(const struct out *out, const json_t *r)
{
	bool lost = json_is_true(view_at(r, "quorum.lost"));

	if (!json_is_object(view_at(r, "quorum")))
		return;
	label_put(out, "quorum");
	fprintf(out->file, "%s%s%s, ", style_on(out, lost ? STYLE_BAD : STYLE_NONE),
		json_is_true(view_at(r, "quorum.held")) ? "held"
		: lost					? "lost"
							: "not reached yet",
		style_off(out, lost ? STYLE_BAD : STYLE_NONE));
	value_put(out, r, "quorum.up", FORMAT_ID, " of ");
	value_put(out, r, "quorum.servers", FORMAT_ID, " servers up; it has ");
	value_put(out, r, "quorum.has", FORMAT_ID, " of the ");
	value_put(out, r, "quorum.needed", FORMAT_ID, " needed\n");
}

static void handshakes_put(const struct out *out, const json_t *r)
{
	const json_t *h = view_at(r, "handshakes");

	if (!json_is_object(h))
		return;
	label_put(out, "handshakes");
	value_put(out, h, "syns", FORMAT_COUNT, " SYNs: ");
	value_put(out, h, "answers", FORMAT_COUNT, "");
	fprintf(out->file, " answered after %.3f ms, ", view_number(h, "answer_mean_us") / 1000);
	value_put(out, h, "refused", FORMAT_COUNT, " refused, ");
	value_put(out, h, "no_answer", FORMAT_COUNT, " silent\n");
}

static void checks_put(const struct out *out, const json_t *r)
{
	static const struct list_view checks = {"checks", "", NULL, &shown_check};

	if (!json_array_size(json_object_get(r, "checks")))
		return;
	fputc('\n', out->file);
	view_list(out, &checks, r);
}

/* The calendar's, in the reader's time zone. */
static const char *moment_format(double at_ms, char buf[32])
{
	time_t s = at_ms > 0 && at_ms < 1e15 ? (time_t)(at_ms / 1000) : 0;
	struct tm tm;

	if (!localtime_r(&s, &tm) || !strftime(buf, 32, "%Y-%m-%d %H:%M:%S", &tm))
		buf[0] = '\0';
	return buf;
}

static void history_put(const struct out *out, const json_t *history)
{
	const json_t *row;
	struct table t;
	size_t i;

	if (!json_array_size(history))
		return;
	fputc('\n', out->file);
	table_init(&t, out);
	table_column(&t, "SINCE", false);
	table_column(&t, "CHECKS SAY", false);
	table_column(&t, "OPERATOR", false);
	table_column(&t, "REASON", false);
	json_array_foreach (history, i, row) {
		const char *state = view_text(row, "state"), *admin = view_text(row, "admin");
		char moment[32];

		table_cell(&t, STYLE_NONE, moment_format(view_number(row, "at_ms"), moment));
		table_cell(&t, view_state_style(state), state);
		table_cell(&t, STYLE_NONE, strcmp(admin, "none") == 0 ? "" : admin);
		table_cell(&t, STYLE_NONE, view_text(row, "reason"));
		table_row(&t);
	}
	table_end(&t);
}

void view_health(const struct out *out, const json_t *r, const struct invocation *inv)
{
	(void)inv;
	state_put(out, r);
	weight_put(out, r);
	quorum_put(out, r);
	handshakes_put(out, r);
	checks_put(out, r);
	history_put(out, json_object_get(r, "history"));
}

void view_forced(const struct out *out, const json_t *r, const struct invocation *inv)
{
	(void)inv;
	text_put(out->file, view_text(r, "text"));
	if (json_is_number(view_at(r, "duration_us")))
		fprintf(out->file, " (live in %.3f ms)", view_number(r, "duration_us") / 1000);
	fputc('\n', out->file);
}

void view_tried(const struct out *out, const json_t *r, const struct invocation *inv)
{
	const char *verdict = view_text(r, "verdict"), *vip = view_text(r, "by_vip");
	const enum style style = strcmp(verdict, "ok") == 0 ? STYLE_GOOD : STYLE_BAD;

	(void)inv;
	fputs("asked:    ", out->file);
	text_put(out->file, view_text(r, "target"));
	fputs(*vip ? " by the VIP " : "", out->file);
	text_put(out->file, vip);
	fputs(", check ", out->file);
	text_put(out->file, view_text(r, "check"));
	fprintf(out->file, " (%s), within %.0f ms\nanswered: ", view_text(r, "type"),
		view_number(r, "timeout_ms"));
	text_put(out->file, view_text(r, "reason"));
	fprintf(out->file, "\nverdict:  %s%s%s\n", style_on(out, style), verdict,
		style_off(out, style));
}
