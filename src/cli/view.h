/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CLI_VIEW_H
#define PLVS_CLI_VIEW_H

/* Results as text for people. A view relies on no shape of a result: a missing value prints as "-",
 * a value of another type as JSON. */

#include <jansson.h>

#include "cli/grammar.h"
#include "cli/out.h"
#include "shown/shown.h"

enum format {
	FORMAT_TEXT,
	FORMAT_ID, /* a number that is never shortened; below 0: none */
	FORMAT_COUNT,
	FORMAT_BITS, /* bytes per second, shown in bits */
	FORMAT_MEMORY,
	FORMAT_SECONDS,
	FORMAT_SHARE,  /* 0..1, shown in per cent */
	FORMAT_YES,    /* a bool */
	FORMAT_STATE,  /* a word with a colour */
	FORMAT_QUEUES, /* [{port, queue}] as "public:0, private:0" */
	FORMAT_MS,     /* microseconds, shown in milliseconds */
	FORMAT_OPEN,   /* a text that may be empty */
};

struct view_column {
	const char *title;
	const char *path; /* "counters.in_pkts" */
	enum format format;
};

struct list_view {
	const char *rows;  /* the result's key; NULL: the rows of a stream */
	const char *empty; /* the sentence in place of an empty table */
	/* NULL: those of shown. Else of lines that are no objects: changes, answers of members.
	 * Ends with title NULL. */
	const struct view_column *columns;
	const struct shown_table *shown;
};

const json_t *view_at(const json_t *json, const char *path);
/* 0 when there is no number. */
double view_number(const json_t *json, const char *path);
/* "" when there is no text. */
const char *view_text(const json_t *json, const char *path);
/* A value as text (malloced), by its format. NULL: prints as "-". */
char *view_format(const struct out *out, const json_t *value, enum format format);
enum style view_state_style(const char *state);

/* The format of a column of a shown table. */
enum format view_shown_format(const struct shown_table *t, const struct shown_column *c);
/* The title of a column of a shown table. A column without a title has the last part of its key in
 * capitals. */
const char *view_shown_title(const struct shown_column *c, char buf[32]);
/* True for numbers, which stand right; texts stand left. */
bool view_format_right(enum format format);

/* A listing of objects with objects within them: rows of both by the columns of their tables,
 * column by column. */
struct tree_view {
	const struct shown_table *outer, *inner;
	const struct shown_column *outer_columns, *inner_columns;
	bool cut; /* the last column ends at the edge of the terminal */
};
void view_tree_init(struct table *t, const struct out *out, const struct tree_view *view);
void view_outer_row(struct table *t, const struct tree_view *view, const json_t *row);
/* outer: the object around the row's. */
void view_inner_row(struct table *t, const struct tree_view *view, const json_t *row,
		    const json_t *outer);

void view_table_init(struct table *t, const struct out *out, const struct list_view *view);
void view_table_row(struct table *t, const struct list_view *view, const json_t *row);
void view_list(const struct out *out, const struct list_view *view, const json_t *result);
/* Pretty on a terminal, else one line. */
void view_json(const struct out *out, const json_t *json);
/* The same, always with indentation, for results without another form. */
void view_pretty(const struct out *out, const json_t *result, const struct invocation *inv);

extern const struct list_view list_addresses, list_connections, list_marks, list_nexthops,
	list_routes, list_workers, list_ports;

void view_version(const struct out *out, const json_t *result, const struct invocation *inv);
void view_status(const struct out *out, const json_t *result, const struct invocation *inv);
void view_services(const struct out *out, const json_t *result, const struct invocation *inv);
void view_service(const struct out *out, const json_t *result, const struct invocation *inv);
void view_count(const struct out *out, const json_t *result, const struct invocation *inv);
void view_connection(const struct out *out, const json_t *result, const struct invocation *inv);
void view_counters(const struct out *out, const json_t *result, const struct invocation *inv);
void view_ended(const struct out *out, const json_t *result, const struct invocation *inv);
void view_zeroed(const struct out *out, const json_t *result, const struct invocation *inv);
void view_rates(const struct out *out, const json_t *result, const struct invocation *inv);
void view_config(const struct out *out, const json_t *result, const struct invocation *inv);
void view_check(const struct out *out, const json_t *result, const struct invocation *inv);
void view_plan(const struct out *out, const json_t *result, const struct invocation *inv);
void view_history(const struct out *out, const json_t *result, const struct invocation *inv);
void view_difference(const struct out *out, const json_t *result, const struct invocation *inv);
void view_confirmed(const struct out *out, const json_t *result, const struct invocation *inv);
void view_saved(const struct out *out, const json_t *result, const struct invocation *inv);
/* Prints to errors the places where the change of a result is not stored, and the reasons. */
void view_stored(const struct out *out, const json_t *result);
void view_ha(const struct out *out, const json_t *result, const struct invocation *inv);
void view_fleet(const struct out *out, const json_t *result, const struct invocation *inv);
void view_health_list(const struct out *out, const json_t *result, const struct invocation *inv);
void view_health(const struct out *out, const json_t *result, const struct invocation *inv);
void view_tried(const struct out *out, const json_t *result, const struct invocation *inv);
void view_forced(const struct out *out, const json_t *result, const struct invocation *inv);
/* "forced down", "up, drained": of a row of health.list or a server of service.list. */
const char *view_health_state(const json_t *row, char buf[64]);
/* The style of such a state: STYLE_WARN for a server that is up and not chosen. */
enum style view_health_style(const json_t *row, const char *state);
/* The weight in effect, or as configured. */
double view_weight(const json_t *server);
void view_drops(const struct out *out, const json_t *result, const struct invocation *inv);
void view_explain(const struct out *out, const json_t *result, const struct invocation *inv);
/* Prints the text of the router's answer. */
void view_said(const struct out *out, const json_t *result, const struct invocation *inv);
void view_level(const struct out *out, const json_t *result, const struct invocation *inv);

#endif
