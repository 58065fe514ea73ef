/* SPDX-License-Identifier: BSD-3-Clause */
#include "golden/asked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden/scenario.h"
#include "lib/world.h"

#define EXPECTED_MAX 4096
#define COMPARE_EACH 61 /* packets between two comparisons of all memory; and the first ones */

struct expected {
	uint16_t port, len, caplen;
	uint8_t head[EXPLAIN_HEAD];
};

struct asked {
	struct harness *h;
	struct explain *answer;
	struct worker_counters before;
	struct expected *expected;
	unsigned int n, taken;
	unsigned int packets;
};

struct asked_totals asked_totals;

struct asked *asked_create(struct harness *h)
{
	struct asked *a = calloc(1, sizeof(*a));

	a->h = h;
	a->expected = calloc(EXPECTED_MAX, sizeof(*a->expected));
	return a;
}

void asked_destroy(struct asked *a)
{
	if (!a)
		return;
	explain_destroy(a->answer);
	free(a->expected);
	free(a);
}

/* --- nothing changes --- */

static uint64_t sum_of(uint64_t sum, const void *data, size_t len)
{
	const uint64_t *v = data;

	for (size_t i = 0; i < len / 8; i++)
		sum = (sum ^ v[i]) * 0x9e3779b97f4a7c15ULL;
	return sum;
}

/* Of all that the worker and the services have. */
static uint64_t state_sum(const struct harness *h)
{
	const struct worker *w = h->dp->workers[0];
	const struct runtime *rt = &h->dp->pub.runtime;
	uint64_t sum = sum_of(1, w, sizeof(*w));

	sum = sum_of(sum, w->v4.table.buckets, w->v4.table.map_bytes[0]);
	sum = sum_of(sum, w->v4.table.conns, sizeof(struct conn4) * w->v4.table.unused);
	sum = sum_of(sum, w->v6.table.buckets, w->v6.table.map_bytes[0]);
	sum = sum_of(sum, w->v6.table.conns, sizeof(struct conn6) * w->v6.table.unused);
	sum = sum_of(sum, w->v4.follow, sizeof(*w->v4.follow));
	sum = sum_of(sum, w->v6.follow, sizeof(*w->v6.follow));
	sum = sum_of(sum, &h->dp->exchange, sizeof(h->dp->exchange));
	for (uint32_t id = 1; id < 64; id++) {
		sum = sum_of(sum, &w->servers[id], sizeof(w->servers[id]));
		sum = sum_of(sum, &w->handshakes[id], sizeof(w->handshakes[id]));
		if (rt->servers[id])
			sum = sum_of(sum, rt->servers[id], sizeof(*rt->servers[id]));
		if (rt->services[id])
			sum = sum_of(sum, rt->services[id], sizeof(*rt->services[id]));
	}
	return sum_of(sum, h->dp->pub.nexthops.used_tick, sizeof(uint32_t) * 64);
}

/* --- asking --- */

static void ask(struct asked *a, uint16_t port, const uint8_t *frame, uint16_t len)
{
	struct explain *x = explain_create(a->h->dp);

	explain_destroy(a->answer);
	a->answer = x;
	if (!x)
		return;
	x->port = port;
	x->whole = true;
	x->frame_len = len;
	memcpy(x->frame, frame, len);
	while (explain_leg(a->h->dp->workers[x->next], x))
		;
}

/* A packet that waits for a next hop is asked about again once the next hop is known. */
static bool resolve(struct asked *a)
{
	const struct explain *x = a->answer;
	char addr[ADDR_STRLEN], mac[MAC_STRLEN];
	struct mac m;

	if (!x || !x->n_legs || explain_last(x)->door != EXPLAIN_PARKED ||
	    x->wanted.family == ADDR_NONE)
		return false;
	m = traffic_mac(&x->wanted);
	world_neighbour(a->h, x->wanted_link, addr_format(&x->wanted, addr, sizeof(addr)),
			mac_format(&m, mac, sizeof(mac)));
	harness_run(a->h);
	return true;
}

static void expect(struct asked *a)
{
	const struct explain *x = a->answer;

	for (uint32_t i = 0; i < x->n_out && a->n < a->taken + EXPECTED_MAX; i++) {
		struct expected *e = &a->expected[a->n++ % EXPECTED_MAX];

		e->port = x->out[i].port;
		e->len = x->out[i].len;
		e->caplen = x->out[i].caplen;
		memcpy(e->head, x->out[i].head, e->caplen);
	}
}

void asked_before(struct asked *a, uint16_t port, const uint8_t *frame, uint16_t len)
{
	const bool compare = a->packets < 20 || a->packets % COMPARE_EACH == 0;
	uint64_t sum;

	harness_run(a->h);
	sum = compare ? state_sum(a->h) : 0;
	a->packets++;
	asked_totals.packets++;
	ask(a, port, frame, len);
	if (compare && state_sum(a->h) != sum) {
		asked_totals.disturbed++;
		fprintf(stderr, "explain: asking about packet %u changed something\n", a->packets);
	}
	if (resolve(a))
		ask(a, port, frame, len);
	a->before = a->h->dp->workers[0]->counters;
	if (a->answer)
		expect(a);
}

/* --- what the packet did --- */

static uint64_t door_count(const struct worker_counters *c, const struct explain_leg *leg)
{
	switch (leg->door) {
	case EXPLAIN_DROPPED:
		return c->dropped[leg->reason];
	case EXPLAIN_PUNTED:
		return c->punted[leg->reason];
	case EXPLAIN_ANSWERED:
		return c->answered;
	case EXPLAIN_SENT:
		return c->sent;
	case EXPLAIN_PARKED:
		return c->parked;
	default:
		return 0;
	}
}

static void did(const struct worker_counters *now, const struct worker_counters *was)
{
	fprintf(stderr, "  did: sent %u", (unsigned int)(now->sent - was->sent));
	for (unsigned int r = 0; r < DROP_MAX; r++)
		if (now->dropped[r] != was->dropped[r])
			fprintf(stderr, ", dropped %s", drop_names[r]);
	for (unsigned int p = 0; p < PUNT_MAX; p++)
		if (now->punted[p] != was->punted[p])
			fprintf(stderr, ", punted %s", punt_names[p]);
	fprintf(stderr, "\n");
}

void asked_after(struct asked *a)
{
	const struct worker_counters *now = &a->h->dp->workers[0]->counters;
	const struct explain *x = a->answer;
	const struct explain_leg *leg = x ? explain_last(x) : NULL;

	if (leg && door_count(now, leg) - door_count(&a->before, leg) >= 1 &&
	    now->sent - a->before.sent == x->n_out)
		return;
	asked_totals.wrong++;
	if (asked_totals.wrong > 10)
		return;
	if (leg)
		fprintf(stderr, "explain: packet %u: said %s at %s (%u), %u frames\n", a->packets,
			explain_door_names[leg->door], explain_stage_names[leg->stage], leg->reason,
			x->n_out);
	else
		fprintf(stderr, "explain: packet %u: no answer: %s\n", a->packets,
			x && x->fault ? x->fault : "none");
	did(now, &a->before);
}

void asked_took(struct asked *a, unsigned int port, const uint8_t *frame, size_t len)
{
	for (unsigned int i = a->taken; i < a->n; i++) {
		struct expected *e = &a->expected[i % EXPECTED_MAX];

		if (e->port != port)
			continue;
		if (e->len != len || memcmp(e->head, frame, e->caplen) != 0) {
			asked_totals.wrong++;
			fprintf(stderr, "explain: packet %u left as other bytes than was said\n",
				a->packets);
		}
		*e = a->expected[a->taken++ % EXPECTED_MAX];
		return;
	}
}
