/* SPDX-License-Identifier: BSD-3-Clause */
/* plvsctl: options, environment, and which way to run. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/ipvsadm/ipvsadm.h"
#include "cli/session.h"
#include "cli/shell_parts.h"

static int options_apply(struct session *s, const struct cli_options *o, FILE *out, FILE *errors)
{
	const char *path = o->socket ? o->socket : getenv("PLVS_SOCKET");
	uint32_t timeout_ms = CLI_DEFAULT_TIMEOUT_MS;
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

	if (o->timeout && (duration_parse(o->timeout, &timeout_ms) < 0 || timeout_ms == 0)) {
		fprintf(errors, "plvsctl: --timeout: \"");
		text_put(errors, o->timeout);
		fprintf(errors, "\" is not valid; expected a time as 500ms, 3s or 15m\n");
		return CLI_USAGE;
	}
	if (session_init(s, cli_commands, path && *path ? path : CLI_DEFAULT_SOCKET, timeout_ms) <
	    0) {
		fprintf(errors, "plvsctl: no memory\n");
		return CLI_GARBLED;
	}
	s->rpc.session = o->session;
	s->restricted = o->restricted;
	/* Sessions of a front end have one user: none reads or writes the memory of another. */
	if (s->restricted)
		(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (s->restricted && !(s->commands = commands_restrict(s->commands))) {
		fprintf(errors, "plvsctl: no memory\n");
		return CLI_GARBLED;
	}
	s->out.file = out;
	s->out.errors = errors;
	s->out.tty = isatty(fileno(out));
	s->out.json = o->json > 0;
	s->out.numeric = o->numeric > 0;
	s->out.wide = o->wide > 0;
	s->out.color = o->color >= 0 ? o->color
				     : s->out.tty && !(no_color && *no_color) && term &&
					       strcmp(term, "dumb") != 0;
	return CLI_OK;
}

/* The other words go to session_run(), which takes no options of the start. */
static int words_run(struct session *s, const struct cli_options *o, char **words, size_t n)
{
	if (o->help)
		return help_print(s, words, n);
	return session_run(s, words, n);
}

/* Where "ipvsadm" or "proc" stands among the words if only options of plvsctl stand before it, else
 * 0. */
static size_t ipvsadm_index(char **words, size_t n)
{
	static const char *const valued[] = {"-s", "-t", "--socket", "--timeout"};
	size_t i = 0;

	while (i < n && words[i][0] == '-') {
		const char *word = words[i++];

		for (size_t k = 0; k < sizeof(valued) / sizeof(valued[0]); k++)
			i += strcmp(word, valued[k]) == 0;
	}
	return i < n && (strcmp(words[i], "ipvsadm") == 0 || strcmp(words[i], "proc") == 0) ? i + 1
											    : 0;
}

/* words[0] is "ipvsadm" or "proc"; the other words are its arguments. */
static int ipvsadm_run(const struct cli_options *o, char **words, size_t n, FILE *in, FILE *out,
		       FILE *errors)
{
	uint32_t timeout_ms = CLI_DEFAULT_TIMEOUT_MS;

	if (o->timeout && (duration_parse(o->timeout, &timeout_ms) < 0 || timeout_ms == 0)) {
		fprintf(errors, "plvsctl: --timeout: expected a time as 500ms, 3s or 15m\n");
		return CLI_USAGE;
	}
	return ipvsadm_main((int)n, words, o->socket, timeout_ms, in, out, errors);
}

int cli_main(int argc, char **argv, FILE *in, FILE *out, FILE *errors)
{
	size_t n = argc > 0 ? (size_t)argc - 1 : 0;
	/* The first word is a "--": words_run() takes no options out of the words that follow. */
	char **words = calloc(n + 2, sizeof(*words)), end[] = "--";
	struct cli_options options;
	struct session s;
	char error[512];
	size_t n_own, at;
	int code;

	if (!words)
		return CLI_GARBLED;
	words[0] = end;
	for (size_t i = 0; i < n; i++)
		words[i + 1] = argv[i + 1];
	if (n == 1 && strcmp(words[1], "--manual") == 0) {
		manual_print(out, cli_commands);
		free(words);
		return CLI_OK;
	}
	at = ipvsadm_index(words + 1, n);
	n_own = at ? at - 1 : 0;
	if (at && options_take(words + 1, &n_own, &options, error, sizeof(error)) == 0) {
		code = ipvsadm_run(&options, words + at, n - at + 1, in, out, errors);
		free(words);
		return code;
	}
	if (options_take(words + 1, &n, &options, error, sizeof(error)) < 0) {
		fprintf(errors, "plvsctl: ");
		text_put(errors, error);
		fputc('\n', errors);
		free(words);
		return CLI_USAGE;
	}
	code = options_apply(&s, &options, out, errors);
	if (code) {
		free(words);
		return code;
	}
	if (options.version)
		fprintf(out, "plvsctl %s\n", PLVS_VERSION);
	else if (n || options.help)
		code = options.help ? words_run(&s, &options, words + 1, n)
				    : words_run(&s, &options, words, n + 1);
	else if (isatty(fileno(in)) && s.out.tty)
		code = shell_run(&s, in);
	else
		code = script_run(&s, in);
	session_fini(&s);
	free(words);
	return code;
}
