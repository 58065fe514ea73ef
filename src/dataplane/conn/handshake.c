/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/conn/handshake.h"

#include "dataplane/dataplane.h"
#include "dataplane/conn/tcp_state.h"

static uint32_t stamp_now(const struct worker *w)
{
	return (uint32_t)(w->now_tsc >> HANDSHAKE_STAMP_SHIFT) | 1;
}

/* In units of stamps. */
static uint32_t stamp_age(const struct worker *w, uint32_t stamp)
{
	int32_t age = (int32_t)((uint32_t)(w->now_tsc >> HANDSHAKE_STAMP_SHIFT) - stamp);

	return age < 0 ? 0 : (uint32_t)age;
}

static uint32_t *stamp_of(const struct worker *w, const struct FAM(conn) *c)
{
	return &w->FAM(v).syn_stamps[FAM_FN(conn, index)(&w->FAM(v).table, c)];
}

static bool opens(const struct FAM(pkt) *p)
{
	return (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

void FAM_FN(handshake, begin)(struct worker *w, const struct FAM(pkt) *p)
{
	bool waits = p->dir == DIR_IN && opens(p);

	if (unlikely(!w->FAM(v).syn_stamps) || p->key.proto != IPPROTO_TCP ||
	    !forward_has(p->conn->c.method, FORWARD_REPLIES_PASS))
		return;
	*stamp_of(w, p->conn) = waits ? stamp_now(w) : 0;
	w->handshakes[p->conn->c.server].syns += waits;
}

void FAM_FN(handshake, undo)(struct worker *w, const struct FAM(conn) *c)
{
	uint32_t *stamp;

	if (unlikely(!w->FAM(v).syn_stamps) || c->c.proto != IPPROTO_TCP)
		return;
	stamp = stamp_of(w, c);
	w->handshakes[c->c.server].syns -= *stamp != 0;
	*stamp = 0;
}

static void client_says(struct worker *w, const struct FAM(pkt) *p, uint32_t *stamp)
{
	const struct conn *c = &p->conn->c;

	if (p->tcp_flags & TCP_RST) /* the client gave up; the state stays (IPVS) */
		*stamp = 0;
	if (!opens(p) || (p->flags & (PKT_NEW | PKT_REPLAYED)))
		return;
	if (c->state != CONN_SYN_RECV) { /* a new connection in the place of the old one */
		FAM_FN(handshake, begin)(w, p);
	} else if (*stamp &&
		   (uint64_t)stamp_age(w, *stamp) << HANDSHAKE_STAMP_SHIFT >= w->dp->hz / 2) {
		w->handshakes[c->server].no_answer++;
		*stamp = 0;
	}
}

void FAM_FN(handshake, packet)(struct worker *w, const struct FAM(pkt) *p)
{
	struct handshake_counters *h = &w->handshakes[p->conn->c.server];
	uint32_t *stamp, age;

	if (unlikely(!w->FAM(v).syn_stamps))
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

void FAM_FN(handshake, end)(struct worker *w, const struct FAM(conn) *c)
{
	uint32_t *stamp;

	if (unlikely(!w->FAM(v).syn_stamps))
		return;
	stamp = stamp_of(w, c);
	w->handshakes[c->c.server].no_answer += *stamp != 0;
	*stamp = 0;
}
