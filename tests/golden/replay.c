/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * replay [--json] [--live STAND] DIR|FILE...: runs recordings of a real IPVS through plvs and
 * compares: through the stages in this process, or with --live through a running plvs that
 * the file STAND tells how to start. Exit 0: everything equal. 1: something differs.
 * 2: nothing to run, a scenario that cannot run yet (named), or events that were skipped.
 */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "golden/asked.h"
#include "golden/scenario.h"
#include "lib/harness.h"

struct tally {
	const struct router *router;
	unsigned int run, differ, cannot, skipped;
	json_t *rows; /* with --json */
};

/* "twos" draws random numbers: its counts per server are compared, within 4 sigma and 2. */
static bool is_random(const json_t *doc)
{
	const json_t *svc;
	size_t i;

	json_array_foreach (json_object_get(doc, "services"), i, svc) {
		const char *sched = json_string_value(json_object_get(svc, "sched"));

		if (sched && strcmp(sched, "twos") == 0)
			return true;
	}
	return false;
}

static json_int_t served_by(const json_t *decisions, const char *server)
{
	const json_t *d;
	json_int_t n = 0;
	size_t i;

	json_array_foreach (decisions, i, d) {
		const char *name = json_string_value(json_object_get(d, "server"));

		n += name && strcmp(name, server) == 0;
	}
	return n;
}

static size_t compare_distribution(const struct scenario *s, const json_t *expected)
{
	const char *server;
	json_t *count;
	size_t differ = 0;

	json_object_foreach (json_object_get(expected, "per_server"), server, count) {
		json_int_t want = json_integer_value(count), got = served_by(s->decisions, server);
		json_int_t d = got > want ? got - want : want - got;

		differ += d * d > 16 * want + 4;
	}
	return differ;
}

static bool same_key(const json_t *a, const json_t *b, const char *key)
{
	const json_t *x = json_object_get(a, key), *y = json_object_get(b, key);

	return x && y ? json_equal(x, y) : x == y;
}

/* Packets and snapshots; what else a recording lists in between is the events' own words. */
static json_t *decided(const json_t *decisions)
{
	static const char *const ops[] = {"connect", "syn", "udp", "snapshot"};
	json_t *list = json_array(), *d;
	size_t i;

	json_array_foreach (decisions, i, d) {
		const char *op = json_string_value(json_object_get(d, "op"));

		for (unsigned int k = 0; op && k < 4; k++)
			if (strcmp(op, ops[k]) == 0)
				json_array_append(list, d);
	}
	return list;
}

static bool decision_equal(const json_t *a, const json_t *b)
{
	static const char *const keys[] = {"op", "client", "to", "server", "reply", "list"};

	for (unsigned int k = 0; k < 6; k++)
		if (!same_key(a, b, keys[k]))
			return false;
	return true;
}

static void show_difference(const char *name, const json_t *want, const json_t *got)
{
	char *a = json_dumps(want, JSON_COMPACT | JSON_SORT_KEYS);
	char *b = got ? json_dumps(got, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

	fprintf(stderr, "%s: first difference\n  kernel %s\n  plvs   %s\n", name, a, b ? b : "-");
	free(a);
	free(b);
}

/* Returns how many decisions differ; shows the first that does. */
static size_t compare_decisions(const struct scenario *s, const json_t *expected, size_t *compared)
{
	json_t *want = decided(json_object_get(expected, "decisions")), *got, *d;
	size_t differ = 0, i;

	*compared = json_array_size(want);
	got = decided(s->decisions);
	/* A step that was not played cannot be compared. */
	if (s->skipped && *compared > json_array_size(got))
		*compared = json_array_size(got);
	json_array_foreach (want, i, d) {
		if (i == *compared)
			break;
		const json_t *ours = json_array_get(got, i);

		if (is_random(s->doc) || (ours && decision_equal(d, ours)))
			continue;
		if (differ++ == 0)
			show_difference(s->name, d, ours);
	}
	if (is_random(s->doc))
		differ = compare_distribution(s, expected);
	if (json_array_size(got) > *compared)
		differ += json_array_size(got) - *compared;
	json_decref(want);
	json_decref(got);
	return differ;
}

/* Services in one order: the kernel lists them by a hash. A service is a line and the lines of its
 * servers. New reference. */
static json_t *services_sorted(const json_t *lines)
{
	json_t *blocks = json_array(), *sorted = json_array(), *line;
	size_t i;

	json_array_foreach (lines, i, line) {
		const char *text = json_string_value(line);
		const size_t n = json_array_size(blocks);

		if (n && text[0] == ' ')
			json_array_set_new(
				blocks, n - 1,
				json_sprintf("%s\n%s",
					     json_string_value(json_array_get(blocks, n - 1)),
					     text));
		else
			json_array_append_new(blocks, json_string(text));
	}
	lines_sort(blocks);
	json_array_foreach (blocks, i, line) {
		char *copy = strdup(json_string_value(line)), *save = NULL;

		for (char *l = strtok_r(copy, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
			json_array_append_new(sorted, json_string(l));
		free(copy);
	}
	json_decref(blocks);
	return sorted;
}

static bool compare_list(const char *name, const char *part, const json_t *want, const json_t *got)
{
	const json_t *line;
	size_t i;

	if (!want || json_equal(want, got))
		return true;
	json_array_foreach (want, i, line) {
		const char *a = json_string_value(line);
		const char *b = json_string_value(json_array_get(got, i));

		if (a && b && strcmp(a, b) == 0)
			continue;
		fprintf(stderr, "%s: %s, line %zu\n  kernel %s\n  plvs   %s\n", name, part, i + 1,
			a, b ? b : "-");
		break;
	}
	return false;
}

static bool compare_final(const struct scenario *s, const json_t *expected, const json_t *final)
{
	static const char *const parts[] = {"list", "stats", "conns"};
	const json_t *want = json_object_get(expected, "final");
	bool equal = true;

	if (!want || is_random(s->doc))
		return true;
	for (unsigned int i = 0; i < 3; i++) {
		json_t *a = services_sorted(json_object_get(want, parts[i]));
		json_t *b = services_sorted(json_object_get(final, parts[i]));

		equal = compare_list(s->name, parts[i], a, b) && equal;
		json_decref(a);
		json_decref(b);
	}
	return equal;
}

static void report(struct tally *t, struct scenario *s)
{
	const json_t *expected = json_object_get(s->doc, "expected");
	json_t *final = scenario_final(s);
	char doors[256] = "";
	bool doors_ok = s->router->doors_add_up(s, doors), listing;
	size_t compared, differ;

	differ = compare_decisions(s, expected, &compared);
	listing = s->skipped || compare_final(s, expected, final);
	if (!doors_ok)
		fprintf(stderr, "%s: the doors do not add up: %s\n", s->name, doors);
	if (s->wrong)
		fprintf(stderr, "%s: %u packets came out wrong\n", s->name, s->wrong);
	if (s->skipped)
		fprintf(stderr, "%s: SKIPPED the last %u events: %s\n", s->name, s->skipped,
			s->error);
	t->run++;
	t->skipped += s->skipped;
	t->differ += differ || !listing || !doors_ok || s->wrong;
	if (t->rows)
		json_array_append_new(
			t->rows,
			json_pack("{s:s, s:i, s:i, s:b, s:i, s:i, s:O, s:o}", "name", s->name,
				  "compared", (int)compared, "equal",
				  (int)(compared - (differ < compared ? differ : compared)),
				  "listing_equal", listing, "skipped", (int)s->skipped,
				  "wrong_packets", (int)s->wrong, "decisions", s->decisions,
				  "final", final));
	else
		json_decref(final);
	if (!t->rows)
		printf("%-16s %9zu %9zu   %s\n", s->name, compared,
		       compared - (differ < compared ? differ : compared),
		       s->skipped  ? "skipped"
		       : !listing  ? "DIFFERS"
		       : s->wrong  ? "equal, but packets DIFFER"
		       : !doors_ok ? "equal, but doors DIFFER"
				   : "equal");
	fflush(stdout);
}

static void replay_file(struct tally *t, const char *path)
{
	struct scenario s;
	int ret = scenario_open(&s, t->router, path);

	if (ret == 0)
		ret = scenario_play(&s);
	if (ret == 0) {
		report(t, &s);
	} else {
		t->cannot++;
		if (t->rows)
			json_array_append_new(t->rows, json_pack("{s:s, s:s}", "name",
								 s.name ? s.name : path,
								 "cannot_run", s.error));
		else
			printf("%-16s cannot run: %s\n", s.name ? s.name : path, s.error);
	}
	scenario_close(&s);
}

static void replay_path(struct tally *t, const char *path)
{
	char pattern[4096];
	struct stat st;
	glob_t g;

	if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
		replay_file(t, path);
		return;
	}
	snprintf(pattern, sizeof(pattern), "%s/*.json", path);
	if (glob(pattern, 0, NULL, &g) == 0) {
		for (size_t i = 0; i < g.gl_pathc; i++)
			replay_file(t, g.gl_pathv[i]);
		globfree(&g);
	}
}

static bool router_open(struct tally *t, const char *stand)
{
	json_error_t error;
	json_t *doc;

	if (!stand) {
		t->router = &router_inside;
		return harness_eal_init(0, 256, NULL) == 0;
	}
	doc = json_load_file(stand, 0, &error);
	t->router = doc ? router_live(doc) : NULL;
	return t->router != NULL;
}

int main(int argc, char **argv)
{
	struct tally t = {0};
	const char *stand = NULL;
	int first = 1;

	if (argc > first && strcmp(argv[first], "--json") == 0) {
		t.rows = json_array();
		first++;
	}
	if (argc > first + 1 && strcmp(argv[first], "--live") == 0) {
		stand = argv[first + 1];
		first += 2;
	}
	if (first >= argc) {
		fprintf(stderr, "usage: replay [--json] [--live] DIR|FILE...\n");
		return 2;
	}
	if (!router_open(&t, stand)) {
		fprintf(stderr, "replay: %s\n", stand ? "no such stand" : "EAL does not start");
		return 2;
	}
	if (!t.rows)
		printf("%-16s %9s %9s   %s\n", "scenario", "decisions", "equal", "listing");
	for (int i = first; i < argc; i++)
		replay_path(&t, argv[i]);
	if (t.rows) {
		json_t *doc = json_pack("{s:o}", "scenarios", t.rows);

		json_dumpf(doc, stdout, JSON_INDENT(1));
		printf("\n");
		json_decref(doc);
	} else {
		printf("%u run, %u differ, %u cannot run yet", t.run, t.differ, t.cannot);
		if (stand)
			printf(", %u events skipped", t.skipped);
		printf("\n");
		if (!stand)
			printf("explain: asked about %u packets, %u answers wrong, %u disturbed\n",
			       asked_totals.packets, asked_totals.wrong, asked_totals.disturbed);
	}
	if (!stand)
		harness_eal_fini();
	if (t.run + t.cannot == 0) {
		fprintf(stderr, "replay: no recordings found\n");
		return 2;
	}
	if (asked_totals.wrong || asked_totals.disturbed)
		return 1;
	return t.differ ? 1 : t.cannot || t.skipped ? 2 : 0;
}
