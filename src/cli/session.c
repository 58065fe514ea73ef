/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/session.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/shell_parts.h"
#include "cli/view.h"

int session_init(struct session *s, const struct command *commands, const char *socket_path,
		 uint32_t timeout_ms)
{
	memset(s, 0, sizeof(*s));
	s->commands = commands;
	s->prefix = "plvsctl: ";
	s->out.file = stdout;
	s->out.errors = stderr;
	if (rpc_init(&s->rpc, socket_path, timeout_ms) < 0)
		return -ENOMEM;
	s->rpc.interrupt = &cli_interrupted;
	return 0;
}

void session_fini(struct session *s)
{
	json_decref(s->services);
	rpc_fini(&s->rpc);
}

int session_error(struct session *s, int code, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	fflush(s->out.file);
	fprintf(s->out.errors, "%s%s", s->prefix, style_on(&s->out, STYLE_NONE));
	text_put(s->out.errors, text ? text : "no memory");
	fputc('\n', s->out.errors);
	free(text);
	return code;
}

/* Prints an error of error.data.errors, or the error itself with its data. */
static void refusal_put(struct session *s, const char *file, const json_t *data,
			const char *message)
{
	const char *path = view_text(data, "path"), *expected = view_text(data, "expected");
	const char *suggestion = view_text(data, "suggestion");
	char where[64] = "";

	if (json_is_integer(view_at(data, "line")))
		snprintf(where, sizeof(where), "%.0f:%.0f: ", view_number(data, "line"),
			 view_number(data, "column"));
	if (*where && !file)
		memmove(where + 5, where, sizeof(where) - 6), memcpy(where, "line ", 5);
	/* The message may say these already. */
	if (strstr(message, path))
		path = "";
	if (strstr(message, expected))
		expected = "";
	if (strstr(message, "did you mean"))
		suggestion = "";
	session_error(s, 0, "%s%s%s%s%s%s%s%s%s%s%s", file ? file : "", file ? ":" : "",
		      *where ? where
		      : file ? " "
			     : "",
		      path, *path ? ": " : "", message, *suggestion ? " (did you mean \"" : "",
		      suggestion, *suggestion ? "\"?)" : "", *expected ? "; expected " : "",
		      expected);
}

static int refusal_code(const json_t *error)
{
	switch (json_integer_value(json_object_get(error, "code"))) {
	case 2:
		return CLI_NO_OBJECT;
	case 3:
		return CLI_EXISTS;
	case 5:
		return CLI_PENDING;
	default:
		return CLI_REFUSED;
	}
}

static int failure_code(const struct rpc_failure *f)
{
	switch (f->outcome) {
	case RPC_OK:
		return CLI_OK;
	case RPC_REFUSED:
		return refusal_code(f->error);
	case RPC_UNREACHABLE:
		return CLI_UNREACHABLE;
	case RPC_STOPPED:
		return cli_interrupted ? CLI_INTERRUPTED : CLI_GARBLED;
	default:
		return CLI_GARBLED;
	}
}

/* A failure in a JSON document: the router's error object, or a message. */
static json_t *failure_json(const struct rpc_failure *f)
{
	return f->error ? json_incref(f->error) : json_pack("{s:s+}", "message", f->text, "");
}

static void failure_put(struct session *s, const struct invocation *inv,
			const struct rpc_failure *f)
{
	const json_t *data = json_object_get(f->error, "data");
	const json_t *errors = json_object_get(data, "errors"), *e;
	const char *message = json_string_value(json_object_get(f->error, "message"));
	const char *file = NULL;
	size_t i;

	if (f->outcome != RPC_REFUSED) {
		session_error(s, 0, "%s", f->text);
		return;
	}
	if (inv && json_object_get(inv->params, "text"))
		file = inv->object && strcmp(inv->object, "-") != 0 ? inv->object
								    : "standard input";
	if (!json_array_size(errors)) {
		const char *alone = view_text(data, "message");

		/* The data has the position apart; the message of the error has it in front. */
		refusal_put(s, file, data, *alone ? alone : message);
		return;
	}
	json_array_foreach (errors, i, e) {
		const char *each = view_text(e, "message");

		refusal_put(s, file, e, *each ? each : message);
	}
}

int session_fail(struct session *s, const struct invocation *inv, struct rpc_failure *f)
{
	int code = failure_code(f);
	json_t *doc;

	if (s->out.json) {
		doc = json_pack("{s:o}", "error", failure_json(f));
		view_json(&s->out, doc);
		json_decref(doc);
	}
	failure_put(s, inv, f);
	rpc_failure_clear(f);
	return code;
}

int session_call(struct session *s, const char *method, json_t *params, json_t **result)
{
	struct rpc_failure f;

	if (rpc_call(&s->rpc, method, params, NULL, NULL, result, &f) == RPC_OK)
		return CLI_OK;
	return session_fail(s, NULL, &f);
}

/* Rows on their way to the screen. */
struct stream {
	struct session *s;
	const struct command *command;
	struct table table;
	uint64_t n;
};

static int stream_rows(void *arg, json_t *rows)
{
	struct stream *st = arg;
	const struct out *out = &st->s->out;
	const json_t *row;
	size_t i;

	json_array_foreach (rows, i, row) {
		if (!out->json) {
			view_table_row(&st->table, st->command->list, row);
		} else {
			fputs(st->n ? ",\n" : "{\"rows\":[\n", out->file);
			json_dumpf(row, out->file,
				   JSON_COMPACT | JSON_ENCODE_ANY |
					   (out->tty ? JSON_ENSURE_ASCII : 0));
		}
		st->n++;
	}
	/* The reader is gone. */
	return ferror(out->file) ? -1 : 0;
}

/* The members of the result after the rows: one document, {"rows":[...],"count":3}. */
static void stream_end_json(const struct stream *st, json_t *last)
{
	FILE *f = st->s->out.file;
	json_t *value;
	const char *key;
	char *name, *text;

	fputs(st->n ? "\n]" : "{\"rows\":[]", f);
	json_object_foreach (last, key, value) {
		json_t *k = json_string(key);

		name = json_dumps(k, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
		text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII);
		if (name && text && strcmp(key, "rows") != 0)
			fprintf(f, ",%s:%s", name, text);
		free(name);
		free(text);
		json_decref(k);
	}
	fputs("}\n", f);
}

static int stream_run(struct session *s, const struct invocation *inv)
{
	struct stream st = {.s = s, .command = inv->command};
	struct rpc_failure f;
	json_t *result = NULL, *last;
	int code = CLI_OK;

	view_table_init(&st.table, &s->out, inv->command->list);
	rpc_call(&s->rpc, inv->command->method, inv->params, stream_rows, &st, &result, &f);
	table_end(&st.table);
	if (s->out.json) {
		last = f.outcome == RPC_OK ? json_incref(result)
					   : json_pack("{s:o}", "error", failure_json(&f));
		stream_end_json(&st, last);
		json_decref(last);
	} else if (f.outcome == RPC_OK && !st.n) {
		fprintf(s->out.file, "%s\n", inv->command->list->empty);
	} else if (f.outcome == RPC_OK && json_is_true(json_object_get(result, "truncated"))) {
		fflush(s->out.file);
		fprintf(s->out.errors, "%sthere are more; see \"limit\"\n", s->prefix);
	}
	if (f.outcome != RPC_OK && !ferror(s->out.file))
		failure_put(s, inv, &f);
	if (f.outcome != RPC_OK)
		code = failure_code(&f);
	rpc_failure_clear(&f);
	json_decref(result);
	return code;
}

/* "server 10.10.0.11:8080 edited (generation 13, live in 0.41 ms)" */
static void change_put(const struct session *s, const struct invocation *inv, const json_t *result)
{
	const struct command *c = inv->command;
	FILE *f = s->out.file;

	fprintf(f, "%.*s ", (int)strcspn(c->words, " "), c->words);
	text_put(f, inv->object ? inv->object : "");
	fprintf(f, " %s", c->done);
	if (json_is_number(json_object_get(result, "generation"))) {
		fprintf(f, " (generation %.0f", view_number(result, "generation"));
		if (json_is_number(json_object_get(result, "duration_us")))
			fprintf(f, ", live in %.3g ms", view_number(result, "duration_us") / 1000);
		fputc(')', f);
	}
	if (view_number(result, "connections") > 0)
		fprintf(f, "; it had %.0f connections", view_number(result, "connections"));
	fputc('\n', f);
}

static int call_run(struct session *s, const struct invocation *inv)
{
	const struct command *c = inv->command;
	struct rpc_failure f;
	json_t *result = NULL;

	if (rpc_call(&s->rpc, c->method, inv->params, NULL, NULL, &result, &f) != RPC_OK)
		return session_fail(s, inv, &f);
	if (s->out.json)
		view_json(&s->out, result);
	else if (!json_is_object(result))
		view_pretty(&s->out, result, inv);
	else if (c->view)
		c->view(&s->out, result, inv);
	else if (c->list)
		view_list(&s->out, c->list, result);
	else if (c->done)
		change_put(s, inv, result);
	else
		view_pretty(&s->out, result, inv);
	if (!s->out.json)
		view_stored(&s->out, result);
	json_decref(result);
	return CLI_OK;
}

static int invocation_run(struct session *s, const struct invocation *inv)
{
	int code;

	if (inv->command->run)
		code = inv->command->run(s, inv);
	else if (inv->command->flags & CMD_STREAM)
		code = stream_run(s, inv);
	else
		code = call_run(s, inv);
	errno = 0;
	if (fflush(s->out.file) == 0 && !ferror(s->out.file))
		return code;
	/* A reader that has seen enough is no error worth a word. */
	if (errno && errno != EPIPE)
		session_error(s, 0, "cannot write: %s", strerror(errno));
	clearerr(s->out.file);
	return code ? code : CLI_GARBLED;
}

/* In the shell, long output is shown a screen at a time. */
static int paged_run(struct session *s, const struct invocation *inv)
{
	struct pager *pager;
	FILE *file, *terminal = s->out.file;
	int code;

	if (!s->confirms || s->live || inv->command->flags & CMD_LIVE)
		return invocation_run(s, inv);
	file = pager_open(&s->out, &pager);
	if (!file)
		return invocation_run(s, inv);
	s->out.file = file;
	code = invocation_run(s, inv);
	s->out.file = terminal;
	return pager_close(file, pager) ? CLI_OK : code;
}

int session_run(struct session *s, char **words, size_t n)
{
	struct cli_options options;
	struct out saved = s->out;
	struct invocation inv;
	char error[2048];
	int code;

	if (options_take(words, &n, &options, error, sizeof(error)) < 0)
		return session_error(s, CLI_USAGE, "%s", error);
	if (options.socket || options.timeout || options.session || options.restricted)
		return session_error(s, CLI_USAGE,
				     "--socket, --timeout, --session and --restricted stand "
				     "where plvsctl is started");
	if (options.version) {
		fprintf(s->out.file, "plvsctl %s\n", PLVS_VERSION);
		return CLI_OK;
	}
	if (options.help)
		return help_print(s, words, n);
	if (n == 0)
		return CLI_OK;
	if (command_parse(s->commands, words, n, &inv, error, sizeof(error)) < 0)
		return session_error(s, CLI_USAGE, "%s", error);
	if ((inv.command->flags & CMD_SHELL) && !s->interactive) {
		code = session_error(s, CLI_USAGE, "%s: only in the shell", inv.command->words);
		invocation_clear(&inv);
		return code;
	}
	if (options.wide > 0)
		s->out.wide = true;
	if (!s->live)
		out_size(&s->out);
	if (s->out.wide)
		s->out.width = 0;
	if (options.json > 0)
		s->out.json = true;
	if (options.numeric > 0)
		s->out.numeric = true;
	if (options.color >= 0)
		s->out.color = options.color;
	code = confirm(s, &inv) ? paged_run(s, &inv) : CLI_OK;
	s->out = saved;
	invocation_clear(&inv);
	return code;
}

int session_run_line(struct session *s, const char *line)
{
	char **words;
	size_t n, last;
	int ret = line_split(line, &words, &n, &last), code = CLI_OK;

	if (ret == -ENOMEM)
		return session_error(s, CLI_GARBLED, "no memory");
	if (ret < 0)
		code = session_error(s, CLI_USAGE, "a quote is not closed");
	else if (n > 0)
		code = session_run(s, words, n);
	free(words);
	return code;
}
