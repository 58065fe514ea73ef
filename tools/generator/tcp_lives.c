/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A trial with whole TCP connections: SYN, SYN-ACK, ACK with a request, answer, FIN of both sides.
 * The server keeps no state: its answer follows from the segment. The client keeps what it waits
 * for, and sends its segment again after a time-out.
 */
#include "generator.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>

#define WINDOW	   (1U << 18) /* connections at a time */
#define REQUEST	   100U	      /* bytes of a request, and of an answer */
#define CLIENT_ISN 1000U
#define SERVER_ISN 5000U
#define RESEND_S   0.2
#define TRIES_MAX  5U
#define FLOWS	   (GEN_PORTS * 256U) /* before an address and port are used again */
#define DRAIN_S	   2.0

enum life_state { LIFE_NONE, LIFE_SYN, LIFE_REQUEST, LIFE_FIN };

struct life {
	uint32_t flow;
	uint8_t state; /* enum life_state: the segment that was sent last */
	uint8_t tries;
	uint64_t begun, sent;
};

struct trial {
	struct gen *g;
	struct gen_result *r;
	struct life *lives;    /* [WINDOW], by flow */
	uint32_t first, begun; /* flows: the first of the trial; how many began */
	uint32_t oldest;       /* of begun: all before it have ended */
	struct gen_watch watch;
};

/* The first flow of the next trial: the same ports are not used again at once. */
static uint32_t next_flow;

static void segment_send(struct trial *t, enum gen_side side, const struct gen_frame *f,
			 uint32_t flow, bool data)
{
	struct rte_mbuf *m =
		gen_frame_alloc(t->g, (uint16_t)(gen_headers(f->from.addr.family, IPPROTO_TCP) +
						 (data ? REQUEST : 0)));
	uint8_t *payload;

	gen_frame_head(rte_pktmbuf_mtod(m, uint8_t *), f, data ? REQUEST : 0, &payload);
	if (data)
		gen_pattern(payload, REQUEST, flow, side == GEN_SERVERS);
	gen_frame_sum(rte_pktmbuf_mtod(m, uint8_t *));
	if (gen_send(t->g, side, m))
		return;
	t->r->unsent++; /* the client sends again */
	rte_pktmbuf_free(m);
}

/* --- the client --- */

static void client_send(struct trial *t, struct life *l)
{
	struct gen_frame f = {.dst = t->g->router,
			      .src = t->g->mac[GEN_CLIENTS],
			      .from = gen_client(&t->g->o, l->flow),
			      .to = t->g->o.vip,
			      .proto = IPPROTO_TCP};

	switch ((enum life_state)l->state) {
	case LIFE_NONE:
		return;
	case LIFE_SYN:
		f.flags = TH_SYN;
		f.seq = CLIENT_ISN;
		break;
	case LIFE_REQUEST:
		f.flags = TH_PUSH | TH_ACK;
		f.seq = CLIENT_ISN + 1;
		f.ack = SERVER_ISN + 1;
		break;
	case LIFE_FIN:
		f.flags = TH_FIN | TH_ACK;
		f.seq = CLIENT_ISN + 1 + REQUEST;
		f.ack = SERVER_ISN + 1 + REQUEST;
		break;
	}
	l->sent = rte_rdtsc();
	segment_send(t, GEN_CLIENTS, &f, l->flow, l->state == LIFE_REQUEST);
}

static void client_ends(struct trial *t, struct life *l)
{
	const struct gen_frame f = {.dst = t->g->router,
				    .src = t->g->mac[GEN_CLIENTS],
				    .from = gen_client(&t->g->o, l->flow),
				    .to = t->g->o.vip,
				    .proto = IPPROTO_TCP,
				    .flags = TH_ACK,
				    .seq = CLIENT_ISN + 2 + REQUEST,
				    .ack = SERVER_ISN + 2 + REQUEST};

	segment_send(t, GEN_CLIENTS, &f, l->flow, false);
	gen_time_add(t->r, rte_rdtsc() - l->begun);
	t->r->good++;
	l->state = LIFE_NONE;
}

/* The next segment of the server in each state of the client. */
static bool is_awaited(const struct life *l, const struct gen_frame *f)
{
	switch ((enum life_state)l->state) {
	case LIFE_SYN:
		return f->flags == (TH_SYN | TH_ACK) && f->seq == SERVER_ISN &&
		       f->ack == CLIENT_ISN + 1;
	case LIFE_REQUEST:
		return (f->flags & TH_ACK) && f->n_payload == REQUEST && f->seq == SERVER_ISN + 1 &&
		       f->ack == CLIENT_ISN + 1 + REQUEST;
	case LIFE_FIN:
		return f->flags == (TH_FIN | TH_ACK) && f->seq == SERVER_ISN + 1 + REQUEST &&
		       f->ack == CLIENT_ISN + 2 + REQUEST;
	case LIFE_NONE:
		break;
	}
	return false;
}

static void client_takes(struct trial *t, uint32_t flow, const struct gen_frame *f)
{
	struct life *l = &t->lives[flow % WINDOW];

	if (l->state == LIFE_NONE || l->flow != flow)
		return; /* an answer to a repetition */
	if (f->flags & TH_RST) {
		gen_wrong(t->g, "a connection was reset", f);
		l->state = LIFE_NONE;
		t->r->failed++;
		return;
	}
	if (!is_awaited(l, f))
		return;
	if (l->state == LIFE_REQUEST && !gen_pattern_is(f->payload, REQUEST, flow, 1)) {
		gen_wrong(t->g, "an answer has other contents", f);
		return;
	}
	l->tries = 0;
	if (l->state == LIFE_FIN) {
		client_ends(t, l);
		return;
	}
	l->state++;
	client_send(t, l);
}

/* --- the server --- */

/* The server's answer to a segment; false: none is due. */
static bool server_answers(const struct gen_frame *f, struct gen_frame *out)
{
	*out = (struct gen_frame){.dst = f->src,
				  .src = f->dst,
				  .from = f->to,
				  .to = f->from,
				  .proto = IPPROTO_TCP,
				  .seq = f->ack,
				  .ack = f->seq + f->n_payload};
	if (f->flags == TH_SYN) {
		out->flags = TH_SYN | TH_ACK;
		out->seq = SERVER_ISN;
		out->ack = f->seq + 1;
		return true;
	}
	if (f->flags & TH_FIN) {
		out->flags = TH_FIN | TH_ACK;
		out->ack = f->seq + 1;
		return true;
	}
	out->flags = TH_PUSH | TH_ACK;
	return f->n_payload > 0;
}

static void server_takes(struct trial *t, const struct gen_frame *f)
{
	const uint32_t flow = gen_flow(&t->g->o, &f->from);
	struct gen_frame out;

	if (flow == UINT32_MAX || (f->flags & TH_RST))
		return;
	if (!t->g->o.nat && !endpoint_equal(&f->to, &t->g->o.vip)) {
		gen_wrong(t->g, "a server got another's segment", f);
		return;
	}
	if (f->n_payload > 0 &&
	    (f->n_payload != REQUEST || !gen_pattern_is(f->payload, REQUEST, flow, 0))) {
		gen_wrong(t->g, "a request has other contents", f);
		return;
	}
	t->r->arrived++;
	if (!server_answers(f, &out))
		return;
	if (t->g->o.nat) {
		segment_send(t, GEN_SERVERS, &out, flow, out.flags == (TH_PUSH | TH_ACK));
		return;
	}
	/* By direct routing an answer takes another way: the client has it at once. */
	if (out.flags == (TH_PUSH | TH_ACK)) {
		uint8_t answer[REQUEST];

		gen_pattern(answer, REQUEST, flow, 1);
		out.payload = answer;
		out.n_payload = REQUEST;
		client_takes(t, flow, &out);
		return;
	}
	client_takes(t, flow, &out);
}

/* --- both --- */

static unsigned int take(struct trial *t, enum gen_side side)
{
	struct rte_mbuf *m[GEN_BURST];
	const uint16_t n = rte_eth_rx_burst(t->g->dev[side], 0, m, GEN_BURST);
	struct gen_frame f;

	for (uint16_t i = 0; i < n; i++) {
		if (gen_neighbour(t->g, side, m[i]))
			continue;
		if (gen_frame_read(rte_pktmbuf_mtod(m[i], uint8_t *), m[i]->data_len, &f) < 0 ||
		    f.proto != IPPROTO_TCP) {
			rte_pktmbuf_free(m[i]);
			continue;
		}
		if ((be16_to(f.from.port) + be16_to(f.to.port)) % GEN_WHOLE == 0 &&
		    !gen_frame_sums_are_right(&f))
			gen_wrong(t->g, "a checksum is wrong", &f);
		else if (side == GEN_SERVERS)
			server_takes(t, &f);
		else if (endpoint_equal(&f.from, &t->g->o.vip) &&
			 gen_flow(&t->g->o, &f.to) != UINT32_MAX)
			client_takes(t, gen_flow(&t->g->o, &f.to), &f);
		rte_pktmbuf_free(m[i]);
	}
	return n;
}

static bool life_begin(struct trial *t)
{
	const uint32_t flow = (t->first + t->begun) % FLOWS;
	struct life *l = &t->lives[flow % WINDOW];

	if (l->state != LIFE_NONE)
		return false; /* as many as there is room for are under way */
	*l = (struct life){.flow = flow, .state = LIFE_SYN, .begun = rte_rdtsc()};
	client_send(t, l);
	t->begun++;
	t->r->sent++;
	return true;
}

/* Looks at some of the connections under way: what waits for too long is sent again. */
static void repeat_some(struct trial *t, uint32_t *at, unsigned int n)
{
	const uint64_t limit = (uint64_t)(RESEND_S * (double)t->g->hz);

	for (; n-- > 0 && t->oldest < t->begun; ++*at) {
		struct life *l;

		if (*at < t->oldest || *at >= t->begun)
			*at = t->oldest;
		l = &t->lives[(t->first + *at) % FLOWS % WINDOW];
		if (l->state == LIFE_NONE) {
			t->oldest += *at == t->oldest;
			continue;
		}
		if (rte_rdtsc() - l->sent < limit)
			continue;
		if (l->tries++ == TRIES_MAX) {
			l->state = LIFE_NONE;
			t->r->failed++;
			continue;
		}
		t->r->repeated++;
		client_send(t, l);
	}
}

static void take_both(struct trial *t, uint64_t now)
{
	const unsigned int n = take(t, GEN_SERVERS) + take(t, GEN_CLIENTS);

	gen_watch_round(&t->watch, t->g, t->r, now, n);
}

void gen_tcp_lives(struct gen *g, double rate, double seconds, struct gen_result *r)
{
	struct trial t = {.g = g, .r = r, .first = next_flow};
	const uint64_t start = rte_rdtsc();
	const uint64_t end = start + (uint64_t)(seconds * (double)g->hz);
	const uint64_t last = end + (uint64_t)(DRAIN_S * (double)g->hz);
	uint32_t look = 0;
	uint64_t now;

	memset(r, 0, sizeof(*r));
	gen_watch_start(&t.watch, start);
	t.lives = calloc(WINDOW, sizeof(*t.lives));
	if (!t.lives)
		abort();
	for (now = start; now < end; now = rte_rdtsc()) {
		const double due = rate > 0 ? rate * (double)(now - start) / (double)g->hz
					    : (double)(r->good + 256);

		for (unsigned int i = 0; i < GEN_BURST && (double)t.begun < due; i++)
			if (!life_begin(&t))
				break;
		take_both(&t, now);
		repeat_some(&t, &look, 8);
	}
	r->seconds = (double)(now - start) / (double)g->hz;
	r->offered = rate > 0 ? (uint64_t)(rate * r->seconds) : r->sent;
	t.watch.sent_heard = r->sent;
	for (; now < last && r->good + r->failed < r->sent; now = rte_rdtsc()) {
		take_both(&t, now);
		repeat_some(&t, &look, 64);
	}
	r->failed = r->sent - r->good;
	next_flow = (t.first + t.begun) % FLOWS;
	free(t.lives);
}
