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

/* The three names of the program. Those of the scripts take no option but -n of ipvsadm-save. */
enum adm_name {
	NAME_IPVSADM,
	NAME_SAVE,
	NAME_RESTORE,
	NAME_NONE,
};

static enum adm_name name_find(const char *argv0)
{
	static const char *const names[] = {"ipvsadm", "ipvsadm-save", "ipvsadm-restore"};
	int i = NAME_IPVSADM;

	while (i < NAME_NONE && strcmp(argv0 ? base_name(argv0) : "", names[i]) != 0)
		i++;
	return (enum adm_name)i;
}

int ipvsadm_is_name(const char *argv0)
{
	return name_find(argv0) != NAME_NONE;
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
	if (cmd.verb == ADM_HELP || cmd.verb == ADM_VERSION)
		adm_usage(a->out, cmd.verb == ADM_HELP);
	else if (cmd.verb == ADM_RESTORE)
		ret = adm_restore(a, clear_first);
	else
		ret = adm_run(a, &cmd, &fatal);
	return ret;
}

/* Needs no router. */
static bool asks_usage(int argc, char **argv)
{
	static const char *const words[] = {"-h", "--help", "-v", "--version", NULL};
	int i = 0;

	while (argc > 1 && words[i] && strcmp(argv[1], words[i]) != 0)
		i++;
	return argc > 1 && words[i];
}

/* The words of ipvsadm-save: false: an option that it does not have. Other words are ignored. */
static bool save_options(int argc, char **argv, bool *numeric)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-n") == 0)
			*numeric = true;
		else if (argv[i][0] == '-')
			return false;
	}
	return true;
}

static int save_usage(struct adm *a)
{
	fprintf(a->errors, "ipvsadm-save: Script to save the IPVS table to stdout.\n"
			   "   With the -n option, prints out the table in numeric format.\n");
	return ADM_MISSING;
}

/* argv with the command that the name stands for: -L, -S or -R. */
static char **line_of(int argc, char **argv, enum adm_name name, bool numeric, int *n)
{
	char **line = calloc((size_t)argc + 3, sizeof(*line));
	int at = 0;

	if (!line)
		return NULL;
	line[at++] = (char *)(uintptr_t) "ipvsadm";
	if (name == NAME_RESTORE)
		line[at++] = (char *)(uintptr_t) "-R";
	else if (name == NAME_SAVE)
		line[at++] = (char *)(uintptr_t) "-S";
	else if (argc < 2)
		line[at++] = (char *)(uintptr_t) "-L";
	if (numeric)
		line[at++] = (char *)(uintptr_t) "-n";
	for (int i = 1; name == NAME_IPVSADM && i < argc; i++)
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
	/* "plvsctl ipvsadm ..." and "plvsctl proc ..." are no names of a program. */
	const enum adm_name found = name_find(argc > 0 ? argv[0] : NULL);
	const enum adm_name name = found == NAME_NONE ? NAME_IPVSADM : found;
	bool numeric = false;
	char **line;
	int n, ret;

	if (name == NAME_SAVE && !save_options(argc, argv, &numeric))
		return save_usage(&a);
	line = line_of(argc, argv, name, numeric, &n);
	if (!line || rpc_init(&rpc, path && *path ? path : CLI_DEFAULT_SOCKET, timeout_ms) < 0) {
		free(line);
		return adm_fail(&a, ADM_REFUSED, "no memory");
	}
	rpc.interrupt = &cli_interrupted;
	ret = asks_usage(n, line) ? 0 : config_ask(&a);
	if (ret == 0 && proc)
		ret = adm_proc(&a, argc > 1 ? argv[1] : NULL);
	else if (ret == 0)
		ret = line_run(&a, n, line, name == NAME_RESTORE);
	if (fflush(out) != 0 && ret == 0)
		ret = ADM_REFUSED;
	json_decref(a.doc);
	json_decref(a.live);
	json_decref(a.templates);
	rpc_fini(&rpc);
	free(line);
	return ret;
}
