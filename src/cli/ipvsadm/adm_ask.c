/* SPDX-License-Identifier: BSD-3-Clause */
/* A call of the router for ipvsadm. */
#include "cli/ipvsadm/adm_internal.h"

/* Prints the message of an ipvsadm that finds no IPVS in the kernel, and the reason. */
int adm_no_router(struct adm *a, const struct rpc_failure *f)
{
	adm_fail(a, ADM_USAGE,
		 "Can't initialize ipvs: Protocol not available\n"
		 "Are you sure that IP Virtual Server is built in the kernel or as module?");
	return adm_fail(a, ADM_USAGE, "plvs: %s", f->text);
}

int adm_ask(struct adm *a, const char *method, json_t *params, rpc_rows *rows, void *arg,
	    json_t **result)
{
	struct rpc_failure f;
	int ret = 0;

	if (rpc_call(a->rpc, method, params, rows, arg, result, &f) != RPC_OK)
		ret = f.outcome == RPC_UNREACHABLE ? adm_no_router(a, &f)
						   : adm_fail(a, ADM_REFUSED, "%s", f.text);
	rpc_failure_clear(&f);
	return ret;
}
