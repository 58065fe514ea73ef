/* SPDX-License-Identifier: BSD-3-Clause */
/* Sessions, as a front end such as plvs-telnetd reports them. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "control/control_internal.h"
#include "control/event_log.h"

static void refused(struct rpc_request *req)
{
	rpc_fail(req, RPC_DENIED, NULL,
		 "sessions are named by the front end of node.telnet, by its own sockets");
}

static void session_name(struct control *c, struct rpc_request *req, json_t *params)
{
	(void)c;
	if (rpc_name_session(req, param_string(params, "name")) < 0)
		refused(req);
	else
		rpc_answer(req, NULL);
}

/* The name that a client typed is shown, and is harmless. */
static void printable(const char *from, char *to, size_t len)
{
	size_t n = 0;

	for (; from && *from && n + 1 < len; from++)
		to[n++] = *from >= ' ' && *from < 0x7f ? *from : '?';
	to[n] = '\0';
}

static void session_report(struct control *c, struct rpc_request *req, json_t *params)
{
	static const char *const events[] = {"login", "login_failed", "logout", "refused"};
	static const char *const words[] = {"logged in", "failed to log in", "logged out",
					    "was turned away"};
	const char *event = param_string(params, "event");
	char from[96], user[48], detail[128], text[320];
	size_t i = 0;

	while (i < sizeof(events) / sizeof(events[0]) && strcmp(events[i], event) != 0)
		i++;
	if (i == sizeof(events) / sizeof(events[0])) {
		rpc_fail(req, RPC_BAD_PARAMS, json_pack("{s:s}", "path", "event"),
			 "session.report: event: expected login, login_failed, logout or refused");
		return;
	}
	if (!rpc_may_name(req)) {
		refused(req);
		return;
	}
	printable(param_string(params, "from"), from, sizeof(from));
	printable(param_string(params, "user"), user, sizeof(user));
	printable(param_string(params, "detail"), detail, sizeof(detail));
	snprintf(text, sizeof(text), "telnet: %s from %s %s%s%s", user[0] ? user : "somebody", from,
		 words[i], detail[0] ? ": " : "", detail);
	if (i == 1 || i == 3)
		log_warning("telnet", "%s", text + strlen("telnet: "));
	else
		log_notice("telnet", "%s", text + strlen("telnet: "));
	event_tell(c, EVENT_SESSION,
		   json_pack("{s:s, s:s, s:s, s:s}", "event", event, "from", from, "user", user,
			     "detail", detail),
		   text);
	rpc_answer(req, NULL);
}

const struct method session_methods[] = {
	{.name = "session.name",
	 .run = session_name,
	 .help = "gives the connection's session a name for the audit, once; only by the sockets "
		 "of a router with `node.telnet`",
	 .params = {{"name", PARAM_STRING, true, "printable, up to 127 characters", METHOD_READ}},
	 .result = "nothing"},
	{.name = "session.report",
	 .run = session_report,
	 .help = "reports that a session began or ended, or that a login failed; only by the same "
		 "sockets",
	 .params = {{"event", PARAM_STRING, true, "`login`, `login_failed`, `logout` or `refused`",
		     METHOD_READ},
		    {"from", PARAM_STRING, true, "address and port of the client", METHOD_READ},
		    {"user", PARAM_STRING, false, "the name that the client typed", METHOD_READ},
		    {"detail", PARAM_STRING, false, "further text", METHOD_READ}},
	 .result = "nothing"},
	{.name = NULL},
};
