/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "cli/shell_parts.h"
#include "cli/view.h"

#define PROMPT_TIMEOUT_MS 500

const char *prompt_text(struct session *s, char *buf, size_t len)
{
	uint32_t timeout_ms = s->rpc.timeout_ms;
	struct rpc_failure f = {0};
	json_t *status = NULL;
	char *name = NULL;

	s->rpc.timeout_ms = PROMPT_TIMEOUT_MS;
	if (rpc_call(&s->rpc, "status", NULL, NULL, NULL, &status, &f) == RPC_OK) {
		const char *role = view_text(status, "state");

		name = text_escape(view_text(status, "name"));
		snprintf(buf, len, "%.40s%s%.20s%s> ", name && *name ? name : "plvs",
			 *role ? "(" : "", role, *role ? ")" : "");
	} else {
		snprintf(buf, len, "plvs(%s)> ",
			 f.outcome == RPC_REFUSED ? "refused" : "unreachable");
	}
	s->rpc.timeout_ms = timeout_ms;
	rpc_failure_clear(&f);
	json_decref(status);
	free(name);
	return buf;
}
