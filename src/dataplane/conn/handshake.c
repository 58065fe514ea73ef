/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/conn/handshake.h"

#include "dataplane/dataplane.h"
#include "dataplane/conn/tcp_state.h"

/* A stamp is the TSC in units of 1024 cycles, about half a microsecond, which come round
 * after more than half an hour: no connection stays in SYN_RECV for as long. 0: nothing is
 * waited for. */
#define STAMP_SHIFT 10

static uint32_t stamp_now(const struct worker *w)
{
	return (uint32_t)(w->now_tsc >> STAMP_SHIFT) | 1;
}

/* In units of stamps. */
static uint32_t stamp_age(const struct worker *w, uint32_t stamp)
{
	int32_t age = (int32_t)((uint32_t)(w->now_tsc >> STAMP_SHIFT) - stamp);

	return age < 0 ? 0 : (uint32_t)age;
}

static uint32_t *stamp_of(const struct worker *w, const struct conn4 *c)
{
	return &w->syn_stamps[conn4_index(&w->table4, c)];
}

static bool opens(const struct pkt4 *p)
{
	return (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

void handshake_begin(struct worker *w, const struct pkt4 *p)
{
	bool waits = p->dir == DIR_IN && opens(p);

	if (unlikely(!w->syn_stamps) || p->key.proto != IPPROTO_TCP || p->conn->c.method != FWD_NAT)
		return;
	*stamp_of(w, p->conn) = waits ? stamp_now(w) : 0;
	w->handshakes[p->conn->c.server].syns += waits;
}

static void client_says(struct worker *w, const struct pkt4 *p, uint32_t *stamp)
{
	const struct conn *c = &p->conn->c;

	if (p->tcp_flags & TCP_RST) /* it gave up; the state stays (IPVS) */
		*stamp = 0;
	if (!opens(p) || (p->flags & (PKT_NEW | PKT_REPLAYED)))
		return;
	if (c->state != CONN_SYN_RECV) { /* a new connection in the place of the old one */
		handshake_begin(w, p);
	} else if (*stamp && (uint64_t)stamp_age(w, *stamp) << STAMP_SHIFT >= w->dp->hz / 2) {
		w->handshakes[c->server].no_answer++;
		*stamp = 0;
	}
}

void handshake_packet(struct worker *w, const struct pkt4 *p)
{
	struct handshake_counters *h = &w->handshakes[p->conn->c.server];
	uint32_t *stamp, age;

	if (unlikely(!w->syn_stamps))
		return;
	stamp = stamp_of(w, p->conn);
	if (p->dir == DIR_IN) {
		client_says(w, p, stamp);
		return;
	}
	if (*stamp == 0)
		return;
	if (p->tcp_flags & TCP_RST) {
		h->refused++;
	} else if ((p->tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK)) {
		age = stamp_age(w, *stamp);
		h->answers++;
		h->age_sum += age;
		if (age > h->age_max)
			h->age_max = age;
	} else {
		return;
	}
	*stamp = 0;
}

void handshake_end(struct worker *w, const struct conn4 *c)
{
	uint32_t *stamp;

	if (unlikely(!w->syn_stamps))
		return;
	stamp = stamp_of(w, c);
	w->handshakes[c->c.server].no_answer += *stamp != 0;
	*stamp = 0;
}

static uint64_t age_us(uint64_t age, uint64_t hz)
{
	return (uint64_t)((double)age * (1U << STAMP_SHIFT) * 1e6 / (double)hz);
}

void handshake_read(const struct worker *w, uint32_t server_id, uint64_t hz,
		    struct passive_counters *sum)
{
	const struct handshake_counters *h = &w->handshakes[server_id];
	uint64_t max = age_us(__atomic_load_n(&h->age_max, __ATOMIC_RELAXED), hz);

	sum->syns += __atomic_load_n(&h->syns, __ATOMIC_RELAXED);
	sum->no_answer += __atomic_load_n(&h->no_answer, __ATOMIC_RELAXED);
	sum->refused += __atomic_load_n(&h->refused, __ATOMIC_RELAXED);
	sum->answers += __atomic_load_n(&h->answers, __ATOMIC_RELAXED);
	sum->answer_us += age_us(__atomic_load_n(&h->age_sum, __ATOMIC_RELAXED), hz);
	if (max > sum->answer_max_us)
		sum->answer_max_us = max;
}
