/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Asking: from the moment an inquiry is due to its answer.
 *
 *	start armed --due--> queued --room--> probe under way --answer, time--> start armed
 *	                      |
 *	                      `--no member asks--> paused --wanted--> start armed
 *
 * The queue is first come, first served, and holds each inquiry once. The time that an inquiry
 * waits in the queue is lateness; the time limit begins with the probe.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "health/health_internal.h"
#include "health/source.h"

#define STALL_US 20000U /* later than this the loop was delayed by something else */

static void probe_free(struct inquiry *w)
{
	source_release(w->probe, health_now(w->h));
	free(w->probe);
	w->probe = NULL;
	w->h->in_flight--;
}

/* Keeps the last answer in words, and how far it counted. */
static void answer_store(struct inquiry *w, const struct probe_result *r, uint32_t streak,
			 uint32_t needed)
{
	char sentence[HEALTH_SENTENCE_LEN];

	words_answer(&w->spec, r, w->via ? &w->vip.addr : NULL, streak, needed, sentence,
		     sizeof(sentence));
	free(w->last.sentence);
	w->last = (struct inquiry_last){
		.verdict = r->verdict,
		.duration_us = r->duration_us,
		.streak = streak,
		.needed = needed,
		.checked_ms = w->h->hooks.now_ms(w->h->hooks.arg),
		.sentence = strdup(sentence),
	};
	w->failures += r->verdict == PROBE_FAIL;
	w->errors += r->verdict == PROBE_ERROR;
	w->h->totals.failures += r->verdict == PROBE_FAIL;
	w->h->totals.errors += r->verdict == PROBE_ERROR;
	w->h->totals.timeouts += r->timeout;
	if (r->advice & ADVICE_WEIGHT && w->spec.weight) {
		w->has_percent = true;
		w->percent = r->weight_percent;
	}
	if (r->advice & ADVICE_UNITS) {
		w->has_units = true;
		w->units = r->weight_units;
	}
}

static void take_answer(struct inquiry *w, const struct probe_result *r, uint64_t now_us)
{
	uint32_t needed = inquiry_needed(&w->state, &w->spec, r);
	uint32_t streak = needed ? w->state.streak + 1 : 0;
	struct inquiry_link *l;
	uint64_t next;

	inquiry_answer(&w->state, &w->spec, r);
	inquiry_not_made(w, w->state.not_made);
	answer_store(w, r, streak, needed);
	next = inquiry_next_us(&w->state, &w->spec, w->hash, w->round, w->due_us, now_us);
	/* Room was reserved when the inquiry was made. */
	timer_arm(&w->h->timers, &w->start, next);
	LIST_FOREACH(l, &w->links, of_inquiry)
	member_heard(l->member, w, r, now_us);
	health_wake(w->h);
}

static void probe_ended(struct probe *p, const struct probe_result *r)
{
	struct inquiry *w = p->arg;
	struct probe_result own = *r; /* may lie in the probe's state */
	uint64_t now_us = health_now(w->h);

	own.reason[CHECK_REASON_LEN - 1] = '\0';
	own.duration_us = (uint32_t)(now_us - p->start_us);
	timer_disarm(&w->h->timers, &w->limit);
	probe_free(w);
	take_answer(w, &own, now_us);
}

/* For what is answered without a probe. */
static void answer_now(struct inquiry *w, struct probe_result *r, uint64_t now_us)
{
	take_answer(w, r, now_us);
}

static void ask_traffic(struct inquiry *w, uint64_t now_us)
{
	struct health *h = w->h;
	struct passive_counters now = {0};
	struct probe_result r = {.verdict = PROBE_ERROR, .reason = "traffic is not counted"};

	if (h->options.traffic) {
		h->options.traffic(h->options.arg, w->service_key, &w->server, &now);
		passive_judge(&w->spec, &w->before, &now, &r);
		w->before = now;
	}
	answer_now(w, &r, now_us);
}

static void start(struct inquiry *w)
{
	struct health *h = w->h;
	const struct checker_ops *ops = h->hooks.checkers[w->spec.type];
	uint64_t now_us = health_now(h);
	struct probe_result r = {.verdict = PROBE_ERROR};
	struct probe *p;

	w->round++;
	w->probes++;
	h->totals.probes++;
	lateness_add(&h->lateness, now_us, now_us > w->due_us ? now_us - w->due_us : 0);
	if (w->spec.type == CHECK_PASSIVE) {
		ask_traffic(w, now_us);
		return;
	}
	p = ops ? calloc(1, sizeof(*p) + ops->state_size) : NULL;
	if (!p) {
		snprintf(r.reason, sizeof(r.reason), "%s",
			 ops ? "out of memory" : "this kind of check cannot be run here");
		answer_now(w, &r, now_us);
		return;
	}
	*p = (struct probe){
		.spec = &w->spec,
		.env = &h->env,
		.target = w->target,
		.server = w->server,
		.vip = w->vip,
		.via = w->via,
		.start_us = now_us,
		.ended = probe_ended,
		.arg = w,
		.state = p + 1,
	};
	w->probe = p;
	w->extended = false;
	h->in_flight++;
	if (!ops->own_limit)
		timer_arm(&h->timers, &w->limit, now_us + 1000ULL * inquiry_timeout_ms(&w->spec));
	ops->start(p);
	/* Perhaps it has ended already: neither p nor w->probe may be used here. */
}

static void on_limit(struct timer *t, uint64_t now_us)
{
	struct inquiry *w = (struct inquiry *)((char *)t - offsetof(struct inquiry, limit));
	struct probe_result r = {.verdict = PROBE_FAIL, .timeout = true};
	char phase[CHECK_REASON_LEN] = "", ep[ENDPOINT_STRLEN], within[32];
	uint64_t late_us = now_us - t->at_us;

	/* The answer may have come while nobody looked: the probe gets that time back, once. */
	if (late_us > STALL_US && !w->extended) {
		w->extended = true;
		timer_arm(&w->h->timers, t, now_us + late_us);
		return;
	}
	w->h->hooks.checkers[w->spec.type]->cancel(w->probe, phase, sizeof(phase));
	r.duration_us = (uint32_t)(now_us - w->probe->start_us);
	if (w->spec.type == CHECK_EXEC || w->target.port == 0)
		addr_format(&w->target.addr, ep, sizeof(ep));
	else
		endpoint_format(&w->target, ep, sizeof(ep));
	snprintf(r.reason, sizeof(r.reason), "%.96s from %s within %s",
		 phase[0] ? phase : "no answer", ep,
		 duration_format(inquiry_timeout_ms(&w->spec), within, sizeof(within)));
	probe_free(w);
	take_answer(w, &r, now_us);
}

void runner_cancel(struct inquiry *w)
{
	char phase[CHECK_REASON_LEN];

	timer_disarm(&w->h->timers, &w->start);
	timer_disarm(&w->h->timers, &w->limit);
	if (w->queued) {
		TAILQ_REMOVE(&w->h->queue, w, of_queue);
		w->h->n_queued--;
		w->queued = false;
	}
	if (w->probe) {
		w->h->hooks.checkers[w->spec.type]->cancel(w->probe, phase, sizeof(phase));
		probe_free(w);
	}
}

static void on_due(struct timer *t, uint64_t now_us)
{
	struct inquiry *w = (struct inquiry *)((char *)t - offsetof(struct inquiry, start));

	(void)now_us;
	if (!inquiry_wanted(w)) {
		w->paused = true;
		return;
	}
	w->due_us = t->at_us;
	w->queued = true;
	w->h->n_queued++;
	TAILQ_INSERT_TAIL(&w->h->queue, w, of_queue);
}

void runner_pump(struct health *h, uint32_t budget)
{
	while (budget-- && h->n_queued && h->in_flight < h->max_in_flight) {
		struct inquiry *w = TAILQ_FIRST(&h->queue);

		TAILQ_REMOVE(&h->queue, w, of_queue);
		w->queued = false;
		h->n_queued--;
		start(w);
	}
}

void runner_take(struct inquiry *w)
{
	w->start.fire = on_due;
	w->limit.fire = on_limit;
}
