/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/ipvsadm/ipvsadm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ipvsadm/adm_internal.h"
#include "cli/session.h"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int ipvsadm_is_name(const char *argv0)
{
	const char *name = argv0 ? base_name(argv0) : "";

	return strcmp(name, "ipvsadm") == 0 || strcmp(name, "ipvsadm-save") == 0 ||
	       strcmp(name, "ipvsadm-restore") == 0;
}

static int config_ask(struct adm *a)
{
	struct rpc_failure f;
	json_t *result;
	int ret = 0;

	if (rpc_call(a->rpc, "config.get", NULL, NULL, NULL, &result, &f) != RPC_OK) {
		ret = adm_no_router(a, &f);
	} else {
		a->doc = json_incref(json_object_get(result, "config"));
		if (!json_is_object(a->doc))
			ret = adm_fail(a, ADM_REFUSED, "the router's answer has no configuration");
		json_decref(result);
	}
	rpc_failure_clear(&f);
	return ret;
}

static int line_run(struct adm *a, int argc, char **argv, bool clear_first)
{
	struct adm_command cmd;
	bool fatal;
	int ret;

	ret = adm_parse(a, argc, argv, &cmd, &fatal);
	if (ret)
		return ret;
	if (cmd.verb == ADM_HELP)
		adm_usage(a->out);
	else if (cmd.verb == ADM_RESTORE)
		ret = adm_restore(a, clear_first);
	else
		ret = adm_run(a, &cmd, &fatal);
	return ret;
}

static bool asks_help(int argc, char **argv)
{
	return argc > 1 && (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0);
}

/* argv with the command that the name stands for: -L, -S or -R. */
static char **line_of(int argc, char **argv, bool *clear_first, int *n)
{
	const char *name = argc > 0 ? base_name(argv[0]) : "ipvsadm";
	char **line = calloc((size_t)argc + 3, sizeof(*line));
	int at = 0;

	*clear_first = strcmp(name, "ipvsadm-restore") == 0;
	if (!line)
		return NULL;
	line[at++] = (char *)(uintptr_t) "ipvsadm";
	if (*clear_first)
		line[at++] = (char *)(uintptr_t) "-R";
	else if (strcmp(name, "ipvsadm-save") == 0)
		line[at++] = (char *)(uintptr_t) "-S";
	else if (argc < 2)
		line[at++] = (char *)(uintptr_t) "-L";
	for (int i = 1; i < argc; i++)
		line[at++] = argv[i];
	*n = at;
	return line;
}

int ipvsadm_main(int argc, char **argv, const char *socket, uint32_t timeout_ms, FILE *in,
		 FILE *out, FILE *errors)
{
	const char *path = socket ? socket : getenv("PLVS_SOCKET");
	struct rpc rpc;
	struct adm a = {.rpc = &rpc, .in = in, .out = out, .errors = errors};
	const bool proc = argc > 0 && strcmp(argv[0], "proc") == 0;
	bool clear_first;
	char **line;
	int n, ret;

	line = line_of(argc, argv, &clear_first, &n);
	if (!line || rpc_init(&rpc, path && *path ? path : CLI_DEFAULT_SOCKET, timeout_ms) < 0) {
		free(line);
		return adm_fail(&a, ADM_REFUSED, "no memory");
	}
	rpc.interrupt = &cli_interrupted;
	ret = asks_help(n, line) ? 0 : config_ask(&a);
	if (ret == 0 && proc)
		ret = adm_proc(&a, argc > 1 ? argv[1] : NULL);
	else if (ret == 0)
		ret = line_run(&a, n, line, clear_first);
	if (fflush(out) != 0 && ret == 0)
		ret = ADM_REFUSED;
	json_decref(a.doc);
	json_decref(a.live);
	json_decref(a.templates);
	rpc_fini(&rpc);
	free(line);
	return ret;
}
