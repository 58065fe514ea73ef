/* SPDX-License-Identifier: BSD-3-Clause */
/* health.try: runs a probe of a check now. */
#include <errno.h>
#include <stdlib.h>

#include "control/control_internal.h"
#include "control/checking.h"
#include "control/server_lookup.h"
#include "health/health.h"

struct attempt {
	struct pending pending;
};

static void attempt_free(struct pending *l)
{
	free(l);
}

/* Health calls back still: its probes end before it does. */
static bool attempt_stop(struct pending *l, uint64_t deadline_us)
{
	(void)l;
	(void)deadline_us;
	return false;
}

static void attempted(void *arg, const struct health_answer *a)
{
	static const char *const verdicts[] = {
		[PROBE_OK] = "ok", [PROBE_FAIL] = "fail", [PROBE_ERROR] = "error"};
	char target[ENDPOINT_STRLEN], vip[ADDR_STRLEN];
	struct attempt *t = arg;

	if (a->target.port)
		endpoint_format(&a->target, target, sizeof(target));
	else
		addr_format(&a->target.addr, target, sizeof(target));
	pending_answer(&t->pending,
		       json_pack("{s:s, s:s, s:s, s:s?, s:I, s:s, s:I, s:s}", "check", a->check,
				 "type", check_type_names[a->type], "target", target, "by_vip",
				 a->vip.addr.family != ADDR_NONE
					 ? addr_format(&a->vip.addr, vip, sizeof(vip))
					 : NULL,
				 "timeout_ms", (json_int_t)a->timeout_ms, "verdict",
				 verdicts[a->verdict], "duration_us", (json_int_t)a->duration_us,
				 "reason", a->reason));
	pending_end(&t->pending);
}

static void attempt_fail(struct attempt *t, int ret, const char *check)
{
	if (ret == -ENOENT)
		pending_fail(&t->pending, RPC_NO_OBJECT, NULL, "the server has no check %s%.64s",
			     check ? "" : "at all", check ? check : "");
	else if (ret == -EOPNOTSUPP)
		pending_fail(&t->pending, RPC_INVALID, NULL,
			     "a passive check makes no probes: it observes clients' traffic");
	else if (ret == -EBUSY)
		pending_fail(&t->pending, RPC_LIMIT, NULL, "too many probes are under way");
	else
		pending_fail(&t->pending, RPC_INTERNAL, NULL, "out of memory");
	pending_end(&t->pending);
}

static void health_try(struct control *c, struct rpc_request *req, json_t *params)
{
	static const struct pending_kind kind = {.stop = attempt_stop, .free = attempt_free};
	const char *check = param_string(params, "check");
	const struct config_server *server = NULL;
	const struct config_service *svc = server_lookup(c, req, params, &server);
	struct attempt *t = svc ? pending_create(c, req, sizeof(*t), &kind) : NULL;
	char key[CONFIG_KEY_STRLEN];
	int ret;

	if (!t)
		return;
	config_service_key(svc, key, sizeof(key));
	ret = checking_health(c)
		      ? health_attempt(checking_health(c), key, &server->ep, check, attempted, t)
		      : -ENOENT;
	/* With 0 the attempt may have ended. */
	if (ret < 0)
		attempt_fail(t, ret, check);
}

const struct method attempt_methods[] = {
	{.name = "health.try",
	 .level = METHOD_CHANGE,
	 .run = health_try,
	 .help = "makes one probe of a real server at once, by one of its checks; the "
		 "verdict changes no state",
	 .params = {METHOD_SERVICE,
		    METHOD_SERVER,
		    {"check", PARAM_STRING, false, "the name of a check (default: the first)"}},
	 .result = "`check`, `type`, `target`, `by_vip`: the VIP that the probe went to, or null, "
		   "`timeout_ms`, `verdict`: `ok`, `fail`, or `error` where no probe was possible, "
		   "`duration_us`, `reason`"},
	{.name = NULL},
};
