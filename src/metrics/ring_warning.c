/* SPDX-License-Identifier: BSD-3-Clause */
#include "metrics/ring_warning.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "dataplane/dataplane.h"
#include "metrics/traffic.h"

#define AREA "control"

/* The ring that lost most since the last look. */
struct worst {
	uint64_t lost;
	unsigned int from, to;
};

/* Returns the packets that all rings lost since the last look. */
static uint64_t rings_look(struct ring_warning *r, const struct dataplane *dp, struct worst *worst)
{
	uint64_t all = 0;

	for (unsigned int from = 0; dp && from < dp->n_workers; from++) {
		for (unsigned int to = 0; to < dp->n_workers; to++) {
			const uint64_t now = __atomic_load_n(&dp->workers[from]->ring_lost[to],
							     __ATOMIC_RELAXED);
			const uint64_t lost = now - r->seen[from][to];

			r->seen[from][to] = now;
			all += lost;
			if (lost > worst->lost)
				*worst = (struct worst){lost, from, to};
		}
	}
	return all;
}

void ring_warning_look(struct ring_warning *r)
{
	const bool warned = r->warns;
	struct worst worst = {0};
	const uint64_t lost = rings_look(r, r->traffic->dp, &worst);

	if (lost) {
		r->warns = true;
		r->lost = (warned ? r->lost : 0) + lost;
		r->calm_s = 0;
		snprintf(r->text, sizeof(r->text),
			 "worker %u does not keep up: its hand-off ring from worker %u is full. "
			 "Packets "
			 "dropped by such rings (ring_full): %" PRIu64
			 ". Give the ports a queue for each worker, or add workers",
			 worst.to, worst.from, r->lost);
	} else if (warned) {
		r->warns = ++r->calm_s < RING_CALM_S;
	}
	if (r->warns && !warned)
		log_warning(AREA, "%s", r->text);
	else if (!r->warns && warned)
		log_notice(AREA, "hand-off rings have room again; %" PRIu64 " packets were dropped",
			   r->lost);
}

static void on_second(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	ring_warning_look(arg);
}

int ring_warning_start(struct ring_warning *r, const struct traffic *traffic,
		       struct event_base *base)
{
	static const struct timeval second = {.tv_sec = 1};

	r->traffic = traffic;
	r->ev = event_new(base, -1, EV_PERSIST, on_second, r);
	return r->ev && event_add(r->ev, &second) == 0 ? 0 : -ENOMEM;
}

void ring_warning_stop(struct ring_warning *r)
{
	if (r->ev)
		event_free(r->ev);
	r->ev = NULL;
}

const char *ring_warning_text(const struct ring_warning *r)
{
	return r->warns ? r->text : NULL;
}
