/* SPDX-License-Identifier: BSD-3-Clause */
/* plvsctl doctor: asks the router, shows findings. */
#include <string.h>

#include "cli/doctor.h"
#include "cli/session.h"
#include "cli/view.h"

/* NULL where the router refuses: what is not known is not judged. */
static int ask(struct session *s, const char *method, json_t **result)
{
	struct rpc_failure f = {0};

	*result = NULL;
	if (rpc_call(&s->rpc, method, NULL, NULL, NULL, result, &f) == RPC_OK)
		return CLI_OK;
	if (f.outcome != RPC_REFUSED)
		return session_fail(s, NULL, &f);
	rpc_failure_clear(&f);
	return CLI_OK;
}

static void finding_put(const struct out *out, const json_t *f)
{
	enum style style =
		strcmp(view_text(f, "severity"), "critical") == 0 ? STYLE_BAD : STYLE_WARN;

	fprintf(out->file, "%s%s%s %s: ", style_on(out, style), view_text(f, "severity"),
		style_off(out, style), view_text(f, "id"));
	text_put(out->file, view_text(f, "what"));
	fprintf(out->file, "\n    why:  %s\n    type: plvsctl %s\n", view_text(f, "why"),
		view_text(f, "type"));
}

int run_doctor(struct session *s, const struct invocation *inv)
{
	static const char *const methods[] = {"status",	      "port.list",   "worker.list",
					      "nexthop.list", "health.list", "ha.status"};
	json_t *r[6] = {NULL}, *findings = NULL, *doc;
	const json_t *f;
	int code = CLI_OK;
	size_t i;

	(void)inv;
	for (i = 0; i < 6 && !code; i++)
		code = ask(s, methods[i], &r[i]);
	if (!code)
		findings = doctor_look(&(struct doctor_facts){r[0], r[1], r[2], r[3], r[4], r[5]});
	if (findings && s->out.json) {
		doc = json_pack("{s:O}", "findings", findings);
		view_json(&s->out, doc);
		json_decref(doc);
	} else if (findings) {
		json_array_foreach (findings, i, f)
			finding_put(&s->out, f);
		if (json_array_size(findings) == 0)
			fputs("nothing is wrong\n", s->out.file);
	}
	if (!code)
		code = findings ? (int)doctor_worst(findings) : CLI_GARBLED;
	json_decref(findings);
	for (i = 0; i < 6; i++)
		json_decref(r[i]);
	return code;
}
