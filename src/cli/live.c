/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * top and watch: a picture, again and again. On a terminal it is redrawn in place on the
 * alternate screen until q; elsewhere pictures follow each other as plain text.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/live.h"
#include "cli/session.h"
#include "cli/view.h"

#define INTERVAL_DEFAULT_MS 1000
#define INTERVAL_MIN_MS	    100

struct screen {
	struct session *s;
	bool tty;
	struct termios before;
};

static void screen_open(struct screen *sc, struct session *s)
{
	struct termios raw;

	memset(sc, 0, sizeof(*sc));
	sc->s = s;
	sc->tty = s->out.tty && !s->out.json && isatty(STDIN_FILENO) &&
		  tcgetattr(STDIN_FILENO, &sc->before) == 0;
	if (!sc->tty)
		return;
	raw = sc->before;
	raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
	fputs("\033[?1049h\033[?25l", s->out.file);
	fflush(s->out.file);
}

static void screen_close(struct screen *sc)
{
	if (!sc->tty)
		return;
	fputs("\033[?25h\033[?1049l", sc->s->out.file);
	fflush(sc->s->out.file);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &sc->before);
}

void live_line_put(FILE *f, const char *line, size_t len, int width)
{
	int column = 0;

	for (size_t i = 0; i < len; i++) {
		if (line[i] == '\033') {
			/* Our own styles: to their end, also beyond the edge. */
			while (i < len && line[i] != 'm')
				fputc(line[i++], f);
			if (i < len)
				fputc('m', f);
			continue;
		}
		if (((unsigned char)line[i] & 0xc0) != 0x80)
			column++;
		if (width <= 0 || column <= width)
			fputc(line[i], f);
	}
}

/* The picture on the screen: lines cut at its edges, what was there before wiped. */
static void screen_draw(struct screen *sc, const char *text)
{
	FILE *f = sc->s->out.file;
	int row = 0;

	if (!sc->tty) {
		fputs(text, f);
		fflush(f);
		return;
	}
	fputs("\033[H", f);
	for (const char *p = text; *p && row < sc->s->out.height; row++) {
		size_t len = strcspn(p, "\n");

		if (row)
			fputs("\r\n", f);
		live_line_put(f, p, len, sc->s->out.width);
		fputs("\033[K", f);
		p += len + (p[len] == '\n');
	}
	fputs("\033[J", f);
	fflush(f);
}

/* Waits for a key until the interval is over. 0: none, -1: end. */
static int screen_wait(struct screen *sc, uint32_t ms)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	const uint64_t until = clock_ms() + ms;
	unsigned char key;

	for (;;) {
		const int64_t left = (int64_t)(until - clock_ms());
		int n;

		if (cli_interrupted || ferror(sc->s->out.file))
			return -1;
		if (left <= 0)
			return 0;
		n = poll(sc->tty ? &p : NULL, sc->tty, left < 200 ? (int)left : 200);
		if (n <= 0)
			continue;
		if (read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q' || key == 4)
			return -1;
		return key;
	}
}

/* A picture: prints into out, returns an exit code. */
typedef int picture(struct session *s, void *arg);

static int picture_make(struct session *s, picture *draw, void *arg, char **text)
{
	struct out saved = s->out;
	size_t len;
	int code;
	FILE *f = open_memstream(text, &len);

	if (!f)
		return CLI_GARBLED;
	s->out.file = f;
	/* On the alternate screen an error is part of the picture. */
	if (saved.tty && !saved.json)
		s->out.errors = f;
	code = draw(s, arg);
	fclose(f);
	s->out = saved;
	return code;
}

static int live_run(struct session *s, const struct invocation *inv, picture *draw,
		    void (*key)(void *arg, int key), void *arg)
{
	uint32_t interval_ms = INTERVAL_DEFAULT_MS;
	const char *interval = view_text(inv->local, "interval");
	double count = view_number(inv->local, "count");
	struct screen sc;
	int code = CLI_OK, k = 0;

	if (s->live)
		return session_error(s, CLI_USAGE, "%s: not within itself", inv->command->words);
	if (*interval)
		duration_parse(interval, &interval_ms);
	if (interval_ms < INTERVAL_MIN_MS)
		interval_ms = INTERVAL_MIN_MS;
	s->live = true;
	screen_open(&sc, s);
	for (double n = 1; k >= 0; n++) {
		char *text = NULL;

		out_size(&s->out);
		code = picture_make(s, draw, arg, &text);
		screen_draw(&sc, text ? text : "");
		free(text);
		/* On a screen one waits for a router that comes back; in a pipe nobody does. */
		if ((count > 0 && n >= count) || (code && !sc.tty))
			break;
		k = screen_wait(&sc, interval_ms);
		if (k > 0 && key)
			key(arg, k);
		if (k >= 0 && !sc.tty && !s->out.json)
			fputc('\n', s->out.file);
	}
	screen_close(&sc);
	s->live = false;
	return code;
}

struct top {
	int sort; /* the key pressed last */
};

static int top_sort;

static double sort_value(const json_t *o)
{
	const json_t *servers = json_object_get(o, "servers"), *server;
	double sum = view_number(o, "active");
	size_t i;

	switch (top_sort) {
	case 'p':
		return view_number(o, "rates.in_pkts") + view_number(o, "rates.out_pkts");
	case 'b':
		return view_number(o, "rates.in_bytes") + view_number(o, "rates.out_bytes");
	case 'a':
		json_array_foreach (servers, i, server)
			sum += view_number(server, "active");
		return sum;
	default:
		return view_number(o, "rates.conns");
	}
}

static int services_cmp(const void *a, const void *b)
{
	double x = sort_value(*(json_t *const *)a), y = sort_value(*(json_t *const *)b);

	return x < y ? 1 : x > y ? -1 : 0;
}

/* A copy of the array, sorted; the router's order is kept for 'n'. */
static json_t *services_sort(const json_t *services, int sort)
{
	size_t n = json_array_size(services);
	json_t *sorted = json_array(), **list = calloc(n + 1, sizeof(*list));

	for (size_t i = 0; list && i < n; i++)
		list[i] = json_array_get(services, i);
	top_sort = sort;
	if (list && sort != 'n')
		qsort(list, n, sizeof(*list), services_cmp);
	for (size_t i = 0; list && i < n; i++)
		json_array_append(sorted, list[i]);
	free(list);
	return sorted;
}

static void top_drops(struct session *s, const json_t *drops)
{
	const json_t *row;
	bool any = false;
	size_t i;

	json_array_foreach (drops, i, row) {
		char buf[UNIT_STRLEN];

		if (view_number(row, "rate") == 0)
			continue;
		fputs(any ? ", " : "drops/s        ", s->out.file);
		text_put(s->out.file, view_text(row, "name"));
		fprintf(s->out.file, " %s",
			count_format(view_number(row, "rate"), s->out.numeric, buf));
		any = true;
	}
	if (any)
		fputc('\n', s->out.file);
}

static void top_help(const struct session *s, const struct top *top)
{
	static const struct {
		int key;
		const char *text;
	} keys[] = {{'c', "c conn/s"},
		    {'p', "p pkt/s"},
		    {'b', "b bit/s"},
		    {'a', "a active"},
		    {'n', "n none"}};

	fputs("q quit, sort by: ", s->out.file);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		enum style style = keys[i].key == top->sort ? STYLE_BOLD : STYLE_NONE;

		fprintf(s->out.file, "%s%s%s%s", i ? "  " : "", style_on(&s->out, style),
			keys[i].text, style_off(&s->out, style));
	}
	fputs("\n\n", s->out.file);
}

static int top_picture(struct session *s, void *arg)
{
	struct top *top = arg;
	json_t *status = NULL, *services = NULL, *counters = NULL, *params, *sorted;
	int code;

	params = json_pack("{s:s}", "object", "drops");
	code = session_call(s, "status", NULL, &status);
	if (!code)
		code = session_call(s, "service.list", NULL, &services);
	if (!code)
		code = session_call(s, "counter.list", params, &counters);
	json_decref(params);
	if (!code && s->out.json) {
		struct out out = s->out;
		json_t *doc = json_pack("{s:O, s:O*, s:O*}", "status", status, "services",
					json_object_get(services, "services"), "drops",
					json_object_get(counters, "drops"));

		out.tty = false;
		view_json(&out, doc);
		json_decref(doc);
	} else if (!code) {
		view_status(&s->out, status, NULL);
		top_drops(s, json_object_get(counters, "drops"));
		if (s->out.tty)
			top_help(s, top);
		else
			fputc('\n', s->out.file);
		sorted = json_pack("{s:o}", "services",
				   services_sort(json_object_get(services, "services"), top->sort));
		view_services(&s->out, sorted, NULL);
		json_decref(sorted);
	}
	json_decref(status);
	json_decref(services);
	json_decref(counters);
	return code;
}

static void top_key(void *arg, int key)
{
	struct top *top = arg;

	if (strchr("cpban", key))
		top->sort = key;
}

int run_top(struct session *s, const struct invocation *inv)
{
	struct top top = {'c'};

	return live_run(s, inv, top_picture, top_key, &top);
}

static int watch_picture(struct session *s, void *arg)
{
	const json_t *list = arg, *v;
	char **words = calloc(json_array_size(list) + 1, sizeof(*words));
	size_t i;
	int code = CLI_GARBLED;

	if (!words)
		return code;
	json_array_foreach (list, i, v)
		words[i] = (char *)(uintptr_t)json_string_value(v);
	code = session_run(s, words, json_array_size(list));
	free(words);
	return code;
}

int run_watch(struct session *s, const struct invocation *inv)
{
	return live_run(s, inv, watch_picture, NULL, json_object_get(inv->local, "command"));
}
