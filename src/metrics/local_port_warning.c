/* SPDX-License-Identifier: BSD-3-Clause */
#include "metrics/local_port_warning.h"

#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "dataplane/dataplane.h"
#include "metrics/traffic.h"

#define AREA "control"

/* The fullest that a worker found of late, or 0. */
static uint64_t fuller(uint64_t most, const uint64_t *fill, uint32_t now_s)
{
	const uint64_t word = __atomic_load_n(fill, __ATOMIC_RELAXED);

	if (!local_fill_counts(word, now_s))
		return most;
	return most == 0 || local_fill_percent(word) > local_fill_percent(most) ? word : most;
}

static uint64_t fullest(const struct dataplane *dp)
{
	uint64_t most = 0;

	for (uint16_t i = 0; dp && i < dp->n_workers; i++) {
		const struct worker *w = dp->workers[i];
		const uint32_t now_s = __atomic_load_n(&w->env.now_s, __ATOMIC_RELAXED);

		most = fuller(most, &w->v4.ports.fill, now_s);
		most = fuller(most, &w->v6.ports.fill, now_s);
	}
	return most;
}

void local_port_warning_look(struct local_port_warning *l)
{
	const struct dataplane *dp = l->traffic->dp;
	const uint64_t most = fullest(dp);
	const uint32_t percent = local_fill_percent(most);
	const bool warned = l->warns;
	const struct server_rt *server;
	char text[ENDPOINT_STRLEN] = "a real server";

	l->warns = percent >= (warned ? LOCAL_PORTS_CALM_PERCENT : LOCAL_PORTS_WARN_PERCENT);
	if (l->warns) {
		server = runtime_server(&dp->pub.runtime, local_fill_server(most));
		if (server)
			endpoint_format(&server->ep, text, sizeof(text));
		snprintf(l->text, sizeof(l->text),
			 "%u%% of the local ports of full NAT towards %s are in use or in "
			 "quarantine. Connections that find none are dropped (no_local_port). Add "
			 "addresses of kind pool on the server's link",
			 percent, text);
	}
	if (l->warns && !warned)
		log_warning(AREA, "%s", l->text);
	else if (!l->warns && warned)
		log_notice(AREA, "the pools of full NAT have local ports again");
}

static void on_second(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	local_port_warning_look(arg);
}

int local_port_warning_start(struct local_port_warning *l, const struct traffic *traffic,
			     struct event_base *base)
{
	static const struct timeval second = {.tv_sec = 1};

	l->traffic = traffic;
	l->ev = event_new(base, -1, EV_PERSIST, on_second, l);
	return l->ev && event_add(l->ev, &second) == 0 ? 0 : -ENOMEM;
}

void local_port_warning_stop(struct local_port_warning *l)
{
	if (l->ev)
		event_free(l->ev);
	l->ev = NULL;
}

const char *local_port_warning_text(const struct local_port_warning *l)
{
	return l->warns ? l->text : NULL;
}
