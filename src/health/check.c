/* SPDX-License-Identifier: BSD-3-Clause */
#include "health/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "health/checkers.h"

const char *const check_type_names[CHECK_TYPE_MAX] = {
	[CHECK_TCP] = "tcp",   [CHECK_SCRIPT] = "script", [CHECK_HTTP] = "http",
	[CHECK_UDP] = "udp",   [CHECK_DNS] = "dns",	  [CHECK_ICMP] = "icmp",
	[CHECK_EXEC] = "exec", [CHECK_AGENT] = "agent",	  [CHECK_PASSIVE] = "passive",
};

/* One line for each checker, beside its file in meson.build. */
const struct checker_ops *const checkers[CHECK_TYPE_MAX] = {
	[CHECK_TCP] = &check_tcp_ops,	[CHECK_SCRIPT] = &check_script_ops,
	[CHECK_HTTP] = &check_http_ops, [CHECK_UDP] = &check_udp_ops,
	[CHECK_DNS] = &check_dns_ops,	[CHECK_ICMP] = &check_icmp_ops,
	[CHECK_EXEC] = &check_exec_ops, [CHECK_AGENT] = &check_agent_ops,
};

void probe_end_result(struct probe *p, const struct probe_result *r)
{
	p->ended(p, r);
}

void probe_end(struct probe *p, enum probe_verdict verdict, const char *fmt, ...)
{
	struct probe_result r = {.verdict = (uint8_t)verdict};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r.reason, sizeof(r.reason), fmt, ap);
	va_end(ap);
	probe_end_result(p, &r);
}
