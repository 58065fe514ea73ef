/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Weighted round robin, the classic loop of IPVS: walks the list in rounds; a round takes
 * servers of weight >= cw; after each, cw falls by di = gcd of the weights; below 1 it is
 * mw again, max - (di - 1). A4 B3 C2 gives A A B A B C A B C.
 * Cursor: place of the server chosen last (0 = head) in the low 16 bits, cw above.
 * Any change of the list: to the head, cw unchanged, clamped to mw, on the grid of di.
 */

#include <errno.h>
#include <stdlib.h>

#include "sched/ops.h"

/* di and mw after one change of the list. */
struct wrr_step {
	uint32_t di; /* at least 1 */
	uint32_t mw; /* 0: no server has a weight */
};

/* steps[n - 1] is what holds now. IPVS makes a change of each server that is added, and cw
 * is clamped at each; when several are added by one node they are gone through alike. */
struct wrr_data {
	bool fresh; /* the cursor before is not ours */
	uint32_t n;
	struct wrr_step steps[];
};

struct wrr_mark {
	uint32_t cl; /* place, 0 = head */
	uint32_t cw;
};

static struct wrr_mark mark_unpack(uint64_t cursor)
{
	return (struct wrr_mark){.cl = cursor & 0xffff, .cw = (uint32_t)(cursor >> 16)};
}

static uint64_t mark_pack(struct wrr_mark m)
{
	return (uint64_t)m.cw << 16 | m.cl;
}

static struct wrr_step wrr_now(const struct service *svc)
{
	const struct wrr_data *d = svc->sched_data;

	return d->steps[d->n - 1];
}

static uint32_t wrr_clamp(uint32_t cw, struct wrr_step now)
{
	if (cw > now.mw || cw == 0)
		return now.mw;
	return now.di > 1 ? cw / now.di * now.di + 1 : cw;
}

/* How many servers were put at the head of an unchanged list; 0: some other change. */
static uint32_t wrr_added(const struct service *svc, const struct service *old)
{
	uint32_t n_left = old != NULL ? old->n_servers : 0;
	uint32_t added;

	if (n_left >= svc->n_servers)
		return 0;
	added = svc->n_servers - n_left;
	for (uint32_t i = 0; i < n_left; i++) {
		if (svc->servers[added + i].rt != old->servers[i].rt ||
		    svc->servers[added + i].configured != old->servers[i].configured)
			return 0;
	}
	return added;
}

static int wrr_build(struct service *svc, const struct service *old)
{
	bool other = old != NULL && old->sched != svc->sched;
	uint32_t added = other ? 0 : wrr_added(svc, old);
	uint32_t n = added ? added : 1, gcd = 0, max = 0;
	struct wrr_data *d = calloc(1, sizeof(*d) + n * sizeof(d->steps[0]));

	if (d == NULL)
		return -ENOMEM;
	d->fresh = old == NULL || other;
	d->n = n;
	d->steps[n - 1].di = 1;
	/* From the first added, at the end of the list, to the last. */
	for (uint32_t i = svc->n_servers; i-- > 0;) {
		uint32_t w = svc->servers[i].weight, di;

		gcd = gcd32(gcd, w);
		max = w > max ? w : max;
		di = gcd != 0 ? gcd : 1;
		if (i < n)
			d->steps[n - 1 - i] = (struct wrr_step){di, max - (max ? di - 1 : 0)};
	}
	svc->sched_data = d;
	return 0;
}

static uint64_t wrr_adapt(const struct service *svc, uint64_t cursor)
{
	const struct wrr_data *d = svc->sched_data;
	uint32_t cw = d->fresh ? 0 : mark_unpack(cursor).cw;

	for (uint32_t i = 0; i < d->n; i++)
		cw = wrr_clamp(cw, d->steps[i]);
	return mark_pack((struct wrr_mark){.cl = 0, .cw = cw});
}

/* The first eligible server after place `from` with at least this weight, or SCHED_NONE. */
static int wrr_scan(const struct service *svc, uint32_t from, uint32_t weight)
{
	for (uint32_t i = from; i < svc->n_servers; i++) {
		if (svc->servers[i].weight >= weight && server_eligible(&svc->servers[i]))
			return (int)i;
	}
	return SCHED_NONE;
}

static uint32_t wrr_best_weight(const struct service *svc)
{
	uint32_t best = 0;

	for (uint32_t i = 0; i < svc->n_servers; i++) {
		if (svc->servers[i].weight > best && server_eligible(&svc->servers[i]))
			best = svc->servers[i].weight;
	}
	return best;
}

/* Where the fruitless rounds of IPVS end when nobody is eligible. */
static struct wrr_mark wrr_exhausted(struct wrr_step now, struct wrr_mark m)
{
	if (m.cl == 0 || m.cw > now.di)
		return (struct wrr_mark){.cl = 0, .cw = now.mw};
	m.cw = (now.mw - 1) % now.di + 1;
	return m;
}

/*
 * A step of the loop. IPVS goes through the list once for each value of cw. Weights do not change
 * during a choice, so rounds that can find no server are skipped: with weights in the thousands
 * and the heavy servers overloaded there are thousands of such rounds.
 */
static int wrr_next(const struct service *svc, struct wrr_mark *m)
{
	const struct wrr_step now = wrr_now(svc);
	uint32_t best;
	int i;

	if (now.mw == 0)
		return SCHED_NONE;
	if (m->cw == 0)
		m->cw = now.mw;
	i = wrr_scan(svc, m->cl, m->cw);
	if (i == SCHED_NONE) {
		best = wrr_best_weight(svc);
		if (best == 0) {
			*m = wrr_exhausted(now, *m);
			return SCHED_NONE;
		}
		m->cw = m->cw > now.di ? m->cw - now.di : now.mw;
		if (m->cw > best)
			m->cw -= (m->cw - best + now.di - 1) / now.di * now.di;
		i = wrr_scan(svc, 0, m->cw);
	}
	/* SCHED_NONE still: the best one was overloaded between two looks. */
	m->cl = i != SCHED_NONE ? (uint32_t)i + 1 : 0;
	return i;
}

static int wrr_choose(const struct service *svc, const struct sched_request *req)
{
	(void)req;
	for (;;) {
		uint64_t seen;
		bool store;
		uint64_t cursor = sched_cursor_get(svc, &seen, &store);
		struct wrr_mark m = mark_unpack(cursor);
		int i = wrr_next(svc, &m);

		if (!store || mark_pack(m) == cursor || sched_cursor_move(svc, seen, mark_pack(m)))
			return i;
	}
}

const struct sched_ops sched_wrr = {
	.name = "wrr",
	.build = wrr_build,
	.destroy = sched_data_free,
	.adapt = wrr_adapt,
	.choose = wrr_choose,
};
