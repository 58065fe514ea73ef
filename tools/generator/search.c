/* SPDX-License-Identifier: BSD-3-Clause */
/* The result of a trial, and the search for the highest rate without loss. */
#include "generator.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define TRIES	  20
#define AGAIN_MAX 4    /* times that one trial is repeated */
#define AWAY_MS	  1.0  /* without a CPU, so that a loss says nothing. A round takes 30 us */
#define SILENCE	  128U /* frames sent, of which none came while the router ran */
#define OFFERED	  0.98 /* a generator that sent less of a rate than this could not send faster */
#define BIN_STEP  32   /* bins to each power of two of cycles, from 2^BIN_FIRST on */
#define BIN_FIRST 7

double gen_lost(const struct gen_result *r)
{
	if (r->sent == 0)
		return 100;
	return r->good >= r->sent ? 0 : (double)(r->sent - r->good) * 100 / (double)r->sent;
}

void gen_time_add(struct gen_result *r, uint64_t cycles)
{
	const double bin = (log2((double)(cycles + 1)) - BIN_FIRST) * BIN_STEP;

	r->bins[bin < 0 ? 0 : bin >= GEN_BINS ? GEN_BINS - 1 : (unsigned int)bin]++;
	r->n_times++;
}

double gen_time(const struct gen *g, const struct gen_result *r, uint32_t permille)
{
	const uint64_t wanted = (r->n_times * permille + 999) / 1000;
	uint64_t seen = 0;

	for (unsigned int i = 0; i < GEN_BINS && r->n_times > 0; i++) {
		seen += r->bins[i];
		if (seen >= wanted)
			return exp2((i + 1.0) / BIN_STEP + BIN_FIRST) * 1e6 / (double)g->hz;
	}
	return 0;
}

void gen_watch_start(struct gen_watch *w, uint64_t now)
{
	*w = (struct gen_watch){.round = now, .heard = now};
}

void gen_watch_round(struct gen_watch *w, const struct gen *g, struct gen_result *r, uint64_t now,
		     unsigned int n)
{
	const double ms = 1e3 / (double)g->hz, gap_ms = (double)(now - w->round) * ms;

	if (gap_ms > r->gap_ms)
		r->gap_ms = gap_ms;
	if (gap_ms > AWAY_MS / 2)
		w->heard += now - w->round; /* not the router's silence */
	w->round = now;
	if (n > 0) {
		w->heard = now;
		w->sent_heard = r->sent;
	} else if (r->sent - w->sent_heard >= SILENCE && (int64_t)(now - w->heard) > 0) {
		const double silence_ms = (double)(now - w->heard) * ms;

		if (silence_ms > r->silence_ms)
			r->silence_ms = silence_ms;
	}
}

/* *again: whether the trial may be repeated; then, whether it is to be. */
static bool trial_once(struct gen *g, gen_trial *trial, const struct gen_row *row, double rate,
		       struct gen_result *r, bool *again)
{
	const uint64_t wrong = g->wrong;
	const char *say = ": too many lost";
	bool good;

	trial(g, row, rate, r);
	g->trials++;
	good = r->sent > 0 && gen_lost(r) <= g->o.loss && g->wrong == wrong &&
	       (double)r->repeated * 100 <= g->o.loss * (double)r->sent;
	*again = *again && !good && r->good > 0 && g->wrong == wrong &&
		 (r->gap_ms >= AWAY_MS || r->silence_ms >= AWAY_MS);
	if (good || *again)
		say = good ? "" : ": once more, since a CPU was away";
	fprintf(stderr,
		"  %s %u bytes, %u connections: %.0f/s sent, %" PRIu64 " of %" PRIu64
		" came (%.4f %% lost), %" PRIu64 " unsent, %" PRIu64 " repeated, %" PRIu64
		" failed; generator away for %.1f ms, router for %.1f ms%s\n",
		row->test, row->size, row->connections, (double)r->sent / r->seconds, r->good,
		r->sent, gen_lost(r), r->unsent, r->repeated, r->failed, r->gap_ms, r->silence_ms,
		say);
	return good;
}

bool gen_trial_run(struct gen *g, gen_trial *trial, const struct gen_row *row, double rate,
		   struct gen_result *r)
{
	for (unsigned int i = 0;; i++) {
		bool again = i < AGAIN_MAX;

		if (trial_once(g, trial, row, rate, r, &again))
			return true;
		if (!again)
			return false;
		g->again++;
	}
}

void gen_search(struct gen *g, gen_trial *trial, struct gen_row *row)
{
	struct gen_result r;
	double low = 0, high = g->o.rate;

	row->rate = 0;
	row->limited = true;
	if (gen_trial_run(g, trial, row, high, &row->best)) {
		row->rate = (double)row->best.sent / row->best.seconds;
		row->limited = high <= 0 || row->rate < high * OFFERED;
		row->asked = !row->limited;
		return;
	}
	/* At the most so much more than what came now can be the result. */
	if (row->best.seconds > 0) {
		const double came = (double)row->best.good / row->best.seconds * 1.5;

		if (high <= 0 || came < high)
			high = came;
	}
	for (unsigned int i = 0; i < TRIES && high - low > high * g->o.resolution / 100; i++) {
		const double rate = (low + high) / 2;

		if (!gen_trial_run(g, trial, row, rate, &r)) {
			high = rate;
			continue;
		}
		row->best = r;
		row->rate = (double)r.sent / r.seconds;
		if (row->rate < rate * OFFERED)
			return; /* limited */
		low = rate;
	}
	row->limited = false;
}
