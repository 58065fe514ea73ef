/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A picture, again and again: watch, and the ground of top. On a terminal it is redrawn in place on
 * the alternate screen until q; elsewhere pictures follow each other as plain text.
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
#define ESCAPE_MS	    50 /* between the characters that one key sends */

struct screen {
	struct session *s;
	bool tty;
	const bool *typing; /* letters are no commands: q does not end */
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

/* Draws the picture: lines cut at the screen's edges, former text wiped. */
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

/* Reads the key after an escape character. LIVE_ESCAPE: nothing follows within ESCAPE_MS. */
static int key_escaped(void)
{
	static const struct {
		const char *text;
		enum live_key key;
	} keys[] = {{"[A", LIVE_UP},   {"OA", LIVE_UP},	      {"[B", LIVE_DOWN},
		    {"OB", LIVE_DOWN}, {"[5~", LIVE_PAGE_UP}, {"[6~", LIVE_PAGE_DOWN},
		    {"[H", LIVE_HOME}, {"OH", LIVE_HOME},     {"[1~", LIVE_HOME},
		    {"[F", LIVE_END},  {"OF", LIVE_END},      {"[4~", LIVE_END}};
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	char text[8] = "";

	for (size_t n = 0; n + 1 < sizeof(text); n++) {
		if (poll(&p, 1, ESCAPE_MS) != 1 || read(STDIN_FILENO, text + n, 1) != 1)
			break;
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			if (strcmp(keys[i].text, text) == 0)
				return keys[i].key;
		/* A sequence ends with a letter or a tilde; its first character is no end. */
		if (n > 0 && (text[n] == '~' || (text[n] >= 'A' && text[n] <= 'z')))
			return LIVE_OTHER;
	}
	return *text ? LIVE_OTHER : LIVE_ESCAPE;
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
		if (read(STDIN_FILENO, &key, 1) != 1 || key == 4 ||
		    (!(sc->typing && *sc->typing) && (key == 'q' || key == 'Q')))
			return -1;
		return key == 27 ? key_escaped() : key;
	}
}

static int picture_make(struct session *s, live_picture *draw, void *arg, char **text)
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

int live_run(struct session *s, const struct invocation *inv, live_picture *draw,
	     void (*key)(void *arg, int key), const bool *typing, void *arg)
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
	sc.typing = typing;
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
	return live_run(s, inv, watch_picture, NULL, NULL, json_object_get(inv->local, "command"));
}
