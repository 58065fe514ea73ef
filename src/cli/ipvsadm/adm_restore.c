/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * -R: command lines from standard input. All of them are carried out on the copy of the
 * configuration, which is applied once at the end: a clear followed by a load takes no VIP and
 * no connection away in between. A line that ipvsadm ends at ends the reading; the lines
 * before are applied. A line that the router refuses (a rule of plvs that IPVS does not have)
 * is found by asking about the configuration after each line, as a second pass.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text_buffer.h"
#include "cli/ipvsadm/adm_internal.h"

#define LINES_MAX (64U << 20) /* bytes of input; a request has this limit as well */

struct pass {
	struct adm *a;
	bool careful;  /* asks the router about each line */
	bool changed;  /* something is to be applied */
	bool direct;   /* a line has asked the router for what a configuration does not hold */
	bool comments; /* lines that begin with # are left out, as by ipvsadm-restore */
};

static bool asks_now(enum adm_verb verb)
{
	return verb == ADM_ZERO || verb == ADM_START_DAEMON || verb == ADM_STOP_DAEMON;
}

static bool reads_only(enum adm_verb verb)
{
	return verb == ADM_LIST || verb == ADM_SAVE;
}

/* Whether the router takes the document as it is. 0, or ADM_REFUSED after a message. */
static int document_check(struct adm *a, enum adm_verb verb)
{
	char *text = json_dumps(a->doc, JSON_COMPACT);
	json_t *params = json_pack("{s:s*}", "text", text), *result = NULL;
	struct rpc_failure f;
	enum rpc_outcome outcome =
		rpc_call(a->rpc, "config.check", params, NULL, NULL, &result, &f);

	free(text);
	json_decref(params);
	json_decref(result);
	if (outcome == RPC_OK)
		return 0;
	adm_refused(a, verb, &f);
	rpc_failure_clear(&f);
	return ADM_REFUSED;
}

static int change_line(struct pass *p, const struct adm_command *cmd)
{
	struct adm *a = p->a;
	json_t *before = p->careful ? json_deep_copy(a->doc) : NULL, *params;
	const char *method;
	int ret = adm_change(a, cmd, &method, &params);

	json_decref(params);
	if (ret == 0 && p->careful)
		ret = document_check(a, cmd->verb);
	if (ret && before) {
		json_decref(a->doc);
		a->doc = before;
	} else {
		json_decref(before);
	}
	p->changed |= ret == 0;
	return ret;
}

/* Runs a line. *fatal: no further line is read. */
static int line_run(struct pass *p, char *line, bool *fatal)
{
	size_t n = 1, room = strlen(line) / 2 + 3;
	char **words = calloc(room, sizeof(*words)), *save = NULL;
	struct adm_command cmd;
	int ret = 0;

	*fatal = false;
	if (!words)
		return adm_fail(p->a, ADM_REFUSED, "no memory");
	words[0] = (char *)(uintptr_t) "ipvsadm";
	/* Lines of scripts may begin with the program's name, which ipvsadm drops anywhere. */
	for (char *w = strtok_r(line, " \t\r\n\v\f", &save); w;
	     w = strtok_r(NULL, " \t\r\n\v\f", &save))
		if (strcmp(w, words[0]) != 0)
			words[n++] = w;
	if (n > 1)
		ret = adm_parse(p->a, (int)n, words, &cmd, fatal);
	if (n == 1 || ret) {
		free(words);
		return ret;
	}
	if (cmd.verb == ADM_RESTORE) {
		*fatal = true;
		ret = adm_fail(p->a, ADM_REFUSED,
			       "Try `ipvsadm -h' or 'ipvsadm --help' for more information.");
	} else if (cmd.verb == ADM_HELP || cmd.verb == ADM_VERSION) {
		*fatal = true;
		adm_usage(p->a->out, cmd.verb == ADM_HELP);
	} else if (asks_now(cmd.verb) || reads_only(cmd.verb)) {
		p->direct |= asks_now(cmd.verb);
		ret = adm_run(p->a, &cmd, fatal);
	} else {
		ret = change_line(p, &cmd);
	}
	free(words);
	return ret;
}

/* Runs a copy of text. The exit code: that of a line that ended it, else of the last one. */
static int lines_run(struct pass *p, const char *text)
{
	char *copy = strdup(text), *at = copy;
	bool fatal = false;
	int ret = 0;

	if (!copy)
		return adm_fail(p->a, ADM_REFUSED, "no memory");
	while (*at && !fatal) {
		char *end = at + strcspn(at, "\n");
		bool last = !*end;

		*end = '\0';
		if (!p->comments || *at != '#')
			ret = line_run(p, at, &fatal);
		at = last ? end : end + 1;
	}
	free(copy);
	return ret;
}

static int document_apply(struct adm *a, struct rpc_failure *f)
{
	char *text = json_dumps(a->doc, JSON_COMPACT);
	json_t *params = json_pack("{s:s*}", "text", text), *result = NULL;
	enum rpc_outcome outcome = rpc_call(a->rpc, "config.apply", params, NULL, NULL, &result, f);

	free(text);
	json_decref(params);
	json_decref(result);
	return outcome == RPC_OK ? 0 : ADM_REFUSED;
}

/* Runs all lines; their output is kept apart until the router takes the result. The exit code in
 * *code. 0, or ADM_REFUSED: the router refused the whole, nothing was printed. */
static int pass_run(struct pass *p, bool clear_first, const char *text, int *code,
		    struct rpc_failure *f)
{
	struct adm *a = p->a;
	FILE *out = a->out, *errors = a->errors;
	char *said = NULL, *faults = NULL;
	size_t n_said = 0, n_faults = 0;
	int ret = 0;

	a->out = open_memstream(&said, &n_said);
	a->errors = open_memstream(&faults, &n_faults);
	if (a->out && a->errors) {
		if (clear_first) {
			json_array_clear(adm_services(a));
			p->changed = true;
		}
		*code = lines_run(p, text);
	}
	if (a->out)
		fclose(a->out);
	if (a->errors)
		fclose(a->errors);
	a->out = out;
	a->errors = errors;
	if (p->changed)
		ret = document_apply(a, f);
	if (ret == 0 || p->careful || f->outcome != RPC_REFUSED) {
		fwrite(said, 1, n_said, out);
		fwrite(faults, 1, n_faults, errors);
	}
	free(said);
	free(faults);
	return ret;
}

int adm_restore(struct adm *a, bool clear_first)
{
	struct pass p = {.a = a, .comments = clear_first};
	struct rpc_failure f = {0};
	json_t *before = json_deep_copy(a->doc);
	struct text_buffer text = {0};
	int code = ADM_OK, ret;

	ret = text_buffer_read(&text, a->in, LINES_MAX);
	if (ret < 0 || !before) {
		json_decref(before);
		free(text.v);
		return adm_fail(a, ADM_REFUSED,
				ret == -EFBIG		    ? "standard input is too long"
				: ret == -ENOMEM || !before ? "no memory"
							    : "standard input cannot be read");
	}
	ret = pass_run(&p, clear_first, text.v, &code, &f);
	if (ret && f.outcome == RPC_REFUSED && !p.direct) {
		json_decref(a->doc);
		a->doc = before;
		before = NULL;
		rpc_failure_clear(&f);
		p = (struct pass){.a = a, .careful = true, .comments = clear_first};
		ret = pass_run(&p, clear_first, text.v, &code, &f);
	}
	if (ret)
		code = adm_refused(a, ADM_RESTORE, &f);
	rpc_failure_clear(&f);
	json_decref(before);
	free(text.v);
	return code;
}
