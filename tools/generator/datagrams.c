/* SPDX-License-Identifier: BSD-3-Clause */
/* A trial with datagrams: flows that exist for as long as the trial. */
#include "generator.h"

#include <netinet/in.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>

#define DRAIN_S 1.0 /* so long after the last frame that came, a trial ends */
#define QUIET_S 0.1

struct trial {
	struct gen *g;
	struct gen_result *r;
	uint32_t flows, size;
	uint64_t start;	 /* TSC */
	uint64_t serial; /* frames written */
	struct gen_watch watch;
};

static struct rte_mbuf *datagram_make(struct trial *t)
{
	struct gen *g = t->g;
	const uint32_t flow = (uint32_t)(t->serial % t->flows);
	const uint16_t headers = gen_headers(g->o.vip.addr.family, IPPROTO_UDP);
	const uint16_t n = (uint16_t)(t->size - GEN_FCS - headers);
	struct rte_mbuf *m = gen_frame_alloc(g, (uint16_t)(t->size - GEN_FCS));
	const struct gen_frame f = {.dst = g->router,
				    .src = g->mac[GEN_CLIENTS],
				    .from = gen_client(&g->o, flow),
				    .to = g->o.vip,
				    .proto = IPPROTO_UDP};
	const struct gen_stamp stamp = {.magic = GEN_MAGIC,
					.flow = flow,
					.number = (uint32_t)t->serial,
					.sent = rte_rdtsc()};
	uint8_t *payload;

	gen_frame_head(rte_pktmbuf_mtod(m, uint8_t *), &f, n, &payload);
	memcpy(payload, &stamp, sizeof(stamp));
	gen_pattern(payload + sizeof(stamp), n - (uint32_t)sizeof(stamp), flow, 0);
	gen_frame_sum(rte_pktmbuf_mtod(m, uint8_t *));
	return m;
}

static void burst_send(struct trial *t, unsigned int n)
{
	struct rte_mbuf *m[GEN_BURST];
	uint16_t sent;

	for (unsigned int i = 0; i < n; i++) {
		m[i] = datagram_make(t);
		t->serial++;
	}
	sent = rte_eth_tx_burst(t->g->dev[GEN_CLIENTS], 0, m, (uint16_t)n);
	t->r->sent += sent;
	t->serial -= n - sent;
	rte_pktmbuf_free_bulk(m + sent, n - sent);
}

/* The stamp of a frame that is ours and as it should be, or false. */
static bool is_good(struct trial *t, const struct gen_frame *f, struct gen_stamp *stamp)
{
	struct gen *g = t->g;

	if (f->proto != IPPROTO_UDP || f->n_payload < sizeof(*stamp))
		return false;
	memcpy(stamp, f->payload, sizeof(*stamp));
	if (stamp->magic != GEN_MAGIC)
		return false;
	/* A frame that comes as late as in a later trial is lost: among the frames of that trial
	 * it would hide one that is. */
	if (stamp->sent < t->start)
		return false;
	if (f->n_payload + gen_headers(f->from.addr.family, IPPROTO_UDP) + GEN_FCS != t->size) {
		gen_wrong(g, "a frame has another size", f);
		return false;
	}
	if (stamp->number % GEN_WHOLE == 0 &&
	    (!gen_frame_sums_are_right(f) ||
	     !gen_pattern_is(f->payload + sizeof(*stamp), f->n_payload - (uint32_t)sizeof(*stamp),
			     stamp->flow, 0))) {
		gen_wrong(g, "contents or checksums changed", f);
		return false;
	}
	return true;
}

/* The way back: the same frame, with its ends exchanged, whose checksums stay right. */
static void answer(struct trial *t, struct rte_mbuf *m, struct gen_frame *f)
{
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *), *l4;
	const size_t n = f->from.addr.family == ADDR_V6 ? 16 : 4;
	uint8_t *addrs = f->l3 + (n == 16 ? 8 : 12);

	l4 = f->l3 + (n == 16 ? 40 : 20);
	memcpy(frame, f->src.byte, 6);
	memcpy(frame + 6, f->dst.byte, 6);
	memcpy(addrs, n == 16 ? f->to.addr.v6 : (const uint8_t *)&f->to.addr.v4, n);
	memcpy(addrs + n, n == 16 ? f->from.addr.v6 : (const uint8_t *)&f->from.addr.v4, n);
	memcpy(l4, &f->to.port, 2);
	memcpy(l4 + 2, &f->from.port, 2);
	if (gen_send(t->g, GEN_SERVERS, m))
		return;
	t->r->unsent++;
	rte_pktmbuf_free(m);
}

/* True: the frame was passed on. */
static bool server_takes(struct trial *t, struct rte_mbuf *m, struct gen_frame *f)
{
	struct gen_stamp stamp;

	if (!is_good(t, f, &stamp))
		return false;
	if (gen_flow(&t->g->o, &f->from) != stamp.flow ||
	    (!t->g->o.nat && !endpoint_equal(&f->to, &t->g->o.vip))) {
		gen_wrong(t->g, "a server got another's frame", f);
		return false;
	}
	t->r->arrived++;
	if (!t->g->o.nat) {
		t->r->good++;
		gen_time_add(t->r, rte_rdtsc() - stamp.sent);
		return false;
	}
	answer(t, m, f);
	return true;
}

static void client_takes(struct trial *t, const struct gen_frame *f)
{
	struct gen_stamp stamp;

	if (!is_good(t, f, &stamp))
		return;
	if (gen_flow(&t->g->o, &f->to) != stamp.flow || !endpoint_equal(&f->from, &t->g->o.vip)) {
		gen_wrong(t->g, "a client got another's frame", f);
		return;
	}
	t->r->good++;
	gen_time_add(t->r, rte_rdtsc() - stamp.sent);
}

/* Frames that came. How many. */
static unsigned int take(struct trial *t, enum gen_side side)
{
	struct rte_mbuf *m[GEN_BURST];
	const uint16_t n = rte_eth_rx_burst(t->g->dev[side], 0, m, GEN_BURST);
	unsigned int counted = 0;
	struct gen_frame f;

	for (uint16_t i = 0; i < n; i++) {
		bool passed = false;

		if (gen_neighbour(t->g, side, m[i]))
			continue;
		counted++;
		if (gen_frame_read(rte_pktmbuf_mtod(m[i], uint8_t *), m[i]->data_len, &f) == 0) {
			if (side == GEN_SERVERS)
				passed = server_takes(t, m[i], &f);
			else
				client_takes(t, &f);
		}
		if (!passed)
			rte_pktmbuf_free(m[i]);
	}
	return counted;
}

/* Frames that came to either side. How many. */
static unsigned int take_both(struct trial *t, uint64_t now)
{
	const unsigned int n = take(t, GEN_SERVERS) + take(t, GEN_CLIENTS);

	gen_watch_round(&t->watch, t->g, t->r, now, n);
	return n;
}

void gen_datagrams(struct gen *g, uint32_t flows, uint32_t size, double rate, double seconds,
		   struct gen_result *r)
{
	const uint64_t start = rte_rdtsc();
	struct trial t = {.g = g, .r = r, .flows = flows, .size = size, .start = start};
	const uint64_t end = start + (uint64_t)(seconds * (double)g->hz);
	uint64_t now, last;

	memset(r, 0, sizeof(*r));
	gen_watch_start(&t.watch, start);
	for (now = start; now < end; now = rte_rdtsc()) {
		unsigned int n = GEN_BURST;

		if (rate > 0) {
			const double due = rate * (double)(now - start) / (double)g->hz;
			const double behind = due - (double)r->sent;

			n = behind < 1 ? 0 : behind > GEN_BURST ? GEN_BURST : (unsigned int)behind;
		}
		if (n > 0)
			burst_send(&t, n);
		take_both(&t, now);
	}
	r->seconds = (double)(now - start) / (double)g->hz;
	r->offered = rate > 0 ? (uint64_t)(rate * r->seconds) : r->sent;
	/* A look at the ports stands before each look at the clock: frames may have come while this
	 * program had no CPU. */
	t.watch.sent_heard = r->sent; /* nothing more is sent, and silence is no sign */
	for (last = now; r->good < r->sent; now = rte_rdtsc()) {
		if (take_both(&t, now) > 0)
			last = rte_rdtsc();
		else if (now - last > (uint64_t)(QUIET_S * (double)g->hz) ||
			 now - end > (uint64_t)(DRAIN_S * (double)g->hz))
			break;
	}
}
