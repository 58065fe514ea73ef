/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An attempt: one probe of one check that a person asks for. The attempt has a copy of the
 * question, so that the service may change meanwhile, and its answer counts for nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "health/health_internal.h"
#include "health/source.h"

struct health_attempt {
	LIST_ENTRY(health_attempt) entry;
	struct health *h;
	struct check_spec spec;
	char *name;
	struct event *limit;
	struct probe *probe;
	health_attempted *done;
	void *arg;
};

static void attempt_free(struct health_attempt *a)
{
	if (a->probe) {
		LIST_REMOVE(a, entry);
		source_release(a->probe, health_now(a->h));
		a->h->in_flight--;
	}
	free(a->probe);
	if (a->limit)
		event_free(a->limit);
	a->h->options.specs->fini(&a->spec);
	free(a->name);
	free(a);
}

static void attempt_end(struct health_attempt *a, struct probe_result *r)
{
	static const struct endpoint none;
	const struct probe *p = a->probe;
	char sentence[HEALTH_SENTENCE_LEN];
	struct health_answer answer = {.check = a->name,
				       .type = a->spec.type,
				       .target = p->target,
				       .vip = p->via ? p->vip : none,
				       .timeout_ms = inquiry_timeout_ms(&a->spec),
				       .verdict = r->verdict,
				       .reason = sentence};

	r->duration_us = (uint32_t)(health_now(a->h) - p->start_us);
	answer.duration_us = r->duration_us;
	words_answer(&a->spec, r, p->via ? &p->vip.addr : NULL, 0, 0, sentence, sizeof(sentence));
	a->done(a->arg, &answer);
	attempt_free(a);
}

static void on_ended(struct probe *p, const struct probe_result *r)
{
	struct probe_result own = *r; /* may lie in the probe's state */

	own.reason[CHECK_REASON_LEN - 1] = '\0';
	attempt_end(p->arg, &own);
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
	struct health_attempt *a = arg;
	struct probe_result r = {.verdict = PROBE_FAIL, .timeout = true};
	char phase[CHECK_REASON_LEN] = "", ep[ENDPOINT_STRLEN], within[32];

	(void)fd;
	(void)what;
	a->h->hooks.checkers[a->spec.type]->cancel(a->probe, phase, sizeof(phase));
	if (a->probe->target.port == 0)
		addr_format(&a->probe->target.addr, ep, sizeof(ep));
	else
		endpoint_format(&a->probe->target, ep, sizeof(ep));
	snprintf(r.reason, sizeof(r.reason), "%.96s from %s within %s",
		 phase[0] ? phase : "no answer", ep,
		 duration_format(inquiry_timeout_ms(&a->spec), within, sizeof(within)));
	attempt_end(a, &r);
}

void attempts_cancel(struct health *h)
{
	struct health_attempt *a;
	char phase[CHECK_REASON_LEN];

	while ((a = LIST_FIRST(&h->attempts))) {
		h->hooks.checkers[a->spec.type]->cancel(a->probe, phase, sizeof(phase));
		attempt_free(a);
	}
}

/* The check of this name, the first one for NULL; or NULL. */
static const struct inquiry_link *link_find(const struct member *m, const char *check)
{
	for (uint32_t i = 0; i < m->n_links; i++)
		if (!check || strcmp(m->links[i]->name, check) == 0)
			return m->links[i];
	return NULL;
}

/* With a copy of the question and a probe that is not started. NULL: no memory. */
static struct health_attempt *attempt_create(struct health *h, const struct inquiry_link *l,
					     const struct checker_ops *ops)
{
	struct health_attempt *a = calloc(1, sizeof(*a));
	const struct inquiry *w = l->inquiry;

	if (!a)
		return NULL;
	a->h = h;
	if (h->options.specs->copy(&w->spec, &a->spec) < 0) {
		free(a);
		return NULL;
	}
	a->name = strdup(l->name);
	a->limit = evtimer_new(h->env.base, on_limit, a);
	if (a->name && a->limit)
		a->probe = calloc(1, sizeof(*a->probe) + ops->state_size);
	if (!a->probe) {
		attempt_free(a);
		return NULL;
	}
	h->in_flight++;
	LIST_INSERT_HEAD(&h->attempts, a, entry);
	*a->probe = (struct probe){.spec = &a->spec,
				   .env = &h->env,
				   .target = w->target,
				   .server = w->server,
				   .vip = w->vip,
				   .via = w->via,
				   .start_us = health_now(h),
				   .ended = on_ended,
				   .arg = a,
				   .state = a->probe + 1};
	return a;
}

int health_attempt(struct health *h, const char *service_key, const struct endpoint *server,
		   const char *check, health_attempted *done, void *arg)
{
	const struct member *m = health_member(h, service_key, server);
	const struct inquiry_link *l = m ? link_find(m, check) : NULL;
	const struct checker_ops *ops = l ? h->hooks.checkers[l->inquiry->spec.type] : NULL;
	struct health_attempt *a;
	struct timeval limit;
	uint32_t ms;

	if (!l)
		return -ENOENT;
	if (!ops || !h->env.base)
		return -EOPNOTSUPP;
	if (h->in_flight >= h->max_in_flight)
		return -EBUSY;
	a = attempt_create(h, l, ops);
	if (!a)
		return -ENOMEM;
	a->done = done;
	a->arg = arg;
	ms = inquiry_timeout_ms(&a->spec);
	limit = (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	if (!ops->own_limit)
		evtimer_add(a->limit, &limit);
	ops->start(a->probe);
	/* Perhaps it has ended already: a may not be used here. */
	return 0;
}
