/* SPDX-License-Identifier: BSD-3-Clause */
/* The interactive shell on libedit, and commands from a file. */
#include <errno.h>
#include <histedit.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/session.h"
#include "cli/shell_parts.h"

#define HISTORY_LINES 1000
/* More candidates than this are counted, not listed. */
#define LIST_MAX 200

struct shell {
	struct session *s;
	EditLine *el;
	History *history;
	HistEvent event;
	char *history_path; /* NULL: not kept */
	bool prompted;	    /* the router was asked for this line's prompt */
};

static char *prompt(EditLine *el)
{
	static char text[128];
	struct shell *sh;

	el_get(el, EL_CLIENTDATA, &sh);
	/* Once a line: the prompt is drawn again with each key. */
	if (!sh->prompted)
		prompt_text(sh->s, text, sizeof(text));
	sh->prompted = true;
	return text;
}

/* The words before the cursor's word, and what of that is typed. */
static void line_complete(struct shell *sh, struct candidates *list, size_t *typed)
{
	const LineInfo *info = el_line(sh->el);
	char *line = strndup(info->buffer, (size_t)(info->cursor - info->buffer));
	struct names names = {session_names, sh->s};
	char **words, empty[] = "";
	size_t n, last;

	memset(list, 0, sizeof(*list));
	*typed = 0;
	if (!line)
		return;
	if (line_split(line, &words, &n, &last) != -ENOMEM) {
		char *partial = last < strlen(line) && n ? words[--n] : empty;

		*typed = strlen(line + last);
		/* Inside quotes the typed text is not the word. */
		if (strlen(partial) == *typed)
			complete(sh->s->commands, words, n, partial, &names, true, list);
		free(words);
	}
	free(line);
}

static void candidates_list(const struct candidates *list, FILE *f)
{
	size_t width = 0;

	fputc('\n', f);
	if (list->n > LIST_MAX) {
		fprintf(f, "  %u possibilities\n", list->n);
		return;
	}
	for (size_t i = 0; i < list->n; i++)
		if (strlen(list->items[i].text) > width)
			width = strlen(list->items[i].text);
	for (size_t i = 0; i < list->n; i++) {
		const struct candidate *c = &list->items[i];
		char *safe = text_escape(c->text);

		fputs("  ", f);
		if (!*c->text)
			fputs(c->help ? c->help : "", f);
		else if (c->help)
			fprintf(f, "%-*s  %s", (int)width, safe ? safe : "", c->help);
		else
			fputs(safe ? safe : "", f);
		fputc('\n', f);
		free(safe);
	}
}

static unsigned char key_tab(EditLine *el, int ch)
{
	struct candidates list;
	unsigned char ret = CC_REFRESH_BEEP;
	struct shell *sh;
	size_t typed, common;

	(void)ch;
	el_get(el, EL_CLIENTDATA, &sh);
	line_complete(sh, &list, &typed);
	common = candidates_common(&list);
	if (common > typed) {
		char *more = strndup(list.items[0].text, common);

		/* The first may be a hint, which shares nothing. */
		for (size_t i = 0; more && i < list.n; i++)
			if (*list.items[i].text)
				memcpy(more, list.items[i].text, common);
		if (more && el_insertstr(el, more + typed) == 0)
			ret = CC_REFRESH;
		free(more);
	}
	if (list.n == 1 && *list.items[0].text && !list.items[0].open) {
		el_insertstr(el, " ");
		ret = CC_REFRESH;
	} else if (list.n && common <= typed) {
		candidates_list(&list, sh->s->out.file);
		ret = CC_REDISPLAY;
	}
	candidates_clear(&list);
	return ret;
}

static unsigned char key_help(EditLine *el, int ch)
{
	struct candidates list;
	struct shell *sh;
	size_t typed;

	(void)ch;
	el_get(el, EL_CLIENTDATA, &sh);
	line_complete(sh, &list, &typed);
	if (list.n)
		candidates_list(&list, sh->s->out.file);
	else
		fputs("\n  nothing can follow: Enter\n", sh->s->out.file);
	candidates_clear(&list);
	return CC_REDISPLAY;
}

static void history_open(struct shell *sh)
{
	const char *path = getenv("PLVSCTL_HISTORY"), *home = getenv("HOME");

	sh->history = history_init();
	if (!sh->history)
		return;
	history(sh->history, &sh->event, H_SETSIZE, HISTORY_LINES);
	history(sh->history, &sh->event, H_SETUNIQUE, 1);
	if (sh->s->restricted)
		return;
	if (path && *path)
		sh->history_path = strdup(path);
	else if (!path && home && *home &&
		 asprintf(&sh->history_path, "%s/.plvsctl_history", home) < 0)
		sh->history_path = NULL;
	if (sh->history_path)
		history(sh->history, &sh->event, H_LOAD, sh->history_path);
}

static int shell_open(struct shell *sh, struct session *s, FILE *in)
{
	const char *term = getenv("TERM");

	memset(sh, 0, sizeof(*sh));
	sh->s = s;
	sh->el = el_init("plvsctl", in, s->out.file, s->out.errors);
	if (!sh->el)
		return -ENOMEM;
	history_open(sh);
	el_set(sh->el, EL_CLIENTDATA, sh);
	el_set(sh->el, EL_PROMPT, prompt);
	el_set(sh->el, EL_EDITOR, "emacs");
	if (sh->history)
		el_set(sh->el, EL_HIST, history, sh->history);
	el_set(sh->el, EL_ADDFN, "plvs-complete", "complete the word", key_tab);
	el_set(sh->el, EL_ADDFN, "plvs-help", "list what can follow", key_help);
	if (!sh->s->restricted)
		el_source(sh->el, NULL);
	/* A terminal that can do nothing: lines as they come. */
	if (!term || !*term || strcmp(term, "dumb") == 0)
		el_set(sh->el, EL_EDITMODE, 0);
	el_set(sh->el, EL_BIND, "\t", "plvs-complete", NULL);
	el_set(sh->el, EL_BIND, "?", "plvs-help", NULL);
	el_set(sh->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
	return 0;
}

static void shell_close(struct shell *sh)
{
	mode_t mask = umask(0077);

	if (sh->history && sh->history_path)
		history(sh->history, &sh->event, H_SAVE, sh->history_path);
	umask(mask);
	if (sh->history)
		history_end(sh->history);
	el_end(sh->el);
	free(sh->history_path);
}

int shell_run(struct session *s, FILE *in)
{
	struct shell sh;
	int code = CLI_OK;

	s->interactive = true;
	s->confirms = true;
	s->prefix = "";
	if (shell_open(&sh, s, in) < 0)
		return session_error(s, CLI_GARBLED, "cannot open the terminal");
	while (!s->quit) {
		const char *text;
		char *line;
		int n;

		cli_interrupted = 0;
		sh.prompted = false;
		el_resize(sh.el);
		text = el_gets(sh.el, &n);
		if (!text || n <= 0) {
			/* Ctrl-C gives the line up; the end of input ends the shell. */
			if (cli_interrupted) {
				fputc('\n', s->out.file);
				el_reset(sh.el);
				continue;
			}
			fputc('\n', s->out.file);
			break;
		}
		line = strdup(text);
		if (!line)
			break;
		line[strcspn(line, "\n")] = '\0';
		if (line[strspn(line, " \t")] && sh.history)
			history(sh.history, &sh.event, H_ENTER, line);
		code = session_run_line(s, line);
		free(line);
	}
	shell_close(&sh);
	return s->quit ? CLI_OK : code;
}

int script_run(struct session *s, FILE *in)
{
	char prefix[48], *line = NULL;
	size_t room = 0, number = 0;
	int code = CLI_OK;

	s->interactive = true;
	while (!code && !s->quit && getline(&line, &room, in) >= 0) {
		snprintf(prefix, sizeof(prefix), "plvsctl: line %zu: ", ++number);
		s->prefix = prefix;
		code = session_run_line(s, line);
	}
	s->prefix = "plvsctl: ";
	free(line);
	return code;
}
