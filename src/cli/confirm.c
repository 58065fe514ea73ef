/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/shell_parts.h"
#include "cli/view.h"

/* How many connections these filters pass; -1: the router does not say. */
static double count_ask(struct session *s, json_t *params)
{
	json_t *result = NULL;
	struct rpc_failure f = {0};
	double n = -1;

	if (rpc_call(&s->rpc, "connection.count", params, NULL, NULL, &result, &f) == RPC_OK)
		n = view_number(result, "count");
	rpc_failure_clear(&f);
	json_decref(result);
	return n;
}

static bool ends_connections(const struct invocation *inv)
{
	return strcmp(inv->command->words, "connection end-all") == 0;
}

/* How many connections the named service or server has, or the filters pass; -1: not known. */
static double connections(struct session *s, const struct invocation *inv)
{
	const char *service = view_text(inv->params, "service");
	const char *server = view_text(inv->params, "server");
	json_t *params;
	double n;

	if (ends_connections(inv))
		return count_ask(s, inv->params);
	if (!*service)
		return -1;
	params = json_pack("{s:s, s:s*}", "service", service, "server", *server ? server : NULL);
	n = count_ask(s, params);
	json_decref(params);
	return n;
}

/* Of commands that only cut with some of their values. */
static bool cuts(const struct invocation *inv)
{
	const char *state = view_text(inv->params, "state"), *mode = view_text(inv->params, "mode");

	if (strncmp(inv->command->words, "health ", 7) == 0)
		return strcmp(state, "down") == 0 || strcmp(state, "maintenance") == 0;
	if (strcmp(inv->command->words, "ha maintenance") == 0)
		return strcmp(mode, "on") == 0;
	return true;
}

bool confirm(struct session *s, const struct invocation *inv)
{
	char answer[16];
	double n;

	if (!(inv->command->flags & CMD_CUTS) || !s->confirms || !cuts(inv) ||
	    !isatty(STDIN_FILENO))
		return true;
	n = connections(s, inv);
	if (ends_connections(inv) && n >= 0 && n < 2)
		return true;
	fprintf(s->out.file, "%s", inv->command->words);
	if (inv->object) {
		fputc(' ', s->out.file);
		text_put(s->out.file, inv->object);
	}
	if (n >= 0)
		fprintf(s->out.file, ": %.0f connections", n);
	fprintf(s->out.file, ": this can cut traffic. Go on? (y/N) ");
	fflush(s->out.file);
	if (!fgets(answer, sizeof(answer), stdin)) {
		clearerr(stdin);
		fputc('\n', s->out.file);
		return false;
	}
	if (answer[0] == 'y' || answer[0] == 'Y')
		return true;
	fprintf(s->out.file, "nothing was changed\n");
	return false;
}
