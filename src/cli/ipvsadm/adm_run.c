/* SPDX-License-Identifier: BSD-3-Clause */
/* A command of ipvsadm, from its command line or from a line of ipvsadm-restore. */
#include "cli/ipvsadm/adm_internal.h"

/* A service that comes back has connections and counters of before; IPVS counts it from 0. */
static int count_anew(struct adm *a, const struct adm_command *cmd)
{
	char key[ENDPOINT_STRLEN + 16];
	json_t *params, *result = NULL;
	int ret;

	if (cmd->verb != ADM_ADD_SERVICE)
		return 0;
	params = json_pack("{s:s}", "service", adm_service_key(&cmd->service, key));
	ret = adm_ask(a, "counter.zero", params, NULL, NULL, &result);
	json_decref(params);
	json_decref(result);
	return ret;
}

static int change_run(struct adm *a, const struct adm_command *cmd)
{
	json_t *params, *result = NULL;
	struct rpc_failure f;
	const char *method;
	int ret = adm_change(a, cmd, &method, &params);

	if (ret || !method)
		return ret;
	if (rpc_call(a->rpc, method, params, NULL, NULL, &result, &f) != RPC_OK)
		ret = f.outcome == RPC_UNREACHABLE ? adm_no_router(a, &f)
						   : adm_refused(a, cmd->verb, &f);
	rpc_failure_clear(&f);
	json_decref(params);
	json_decref(result);
	return ret ? ret : count_anew(a, cmd);
}

int adm_run(struct adm *a, const struct adm_command *cmd, bool *fatal)
{
	int ret;

	*fatal = false;
	switch (cmd->verb) {
	case ADM_LIST:
		ret = adm_list(a, cmd);
		*fatal = ret != ADM_OK;
		return ret;
	case ADM_SAVE:
		return adm_save(a, cmd);
	case ADM_START_DAEMON:
	case ADM_STOP_DAEMON:
		return adm_daemon_change(a, cmd);
	default:
		return change_run(a, cmd);
	}
}
