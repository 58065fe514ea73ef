/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/conn/evidence.h"

#include "dataplane/conn/conn_life.h"
#include "dataplane/conn/give_way.h"
#include "dataplane/conn/tcp_state.h"
#include "dataplane/sync/conn_sync.h"

#define SYN_DATA_MAX 1500	 /* bytes that a SYN may bring (TCP Fast Open) */
#define FIRST_DATA   (64U << 10) /* that a server may send before the client's first ACK */

/* conn.rank: moments in the lower two bits, above them when the last one was. */
#define RANK_MOMENTS  4U
#define RANK_UNIT     64U /* ticks: 4 s */
#define RANK_APART    4U  /* units */
#define RANK_AT_SHIFT 2
#define RANK_AT_MASK  63U

static uint8_t rank_now(const struct worker *w)
{
	return (uint8_t)(w->env.now_tick / RANK_UNIT % (RANK_AT_MASK + 1));
}

static bool judges(const struct service *svc)
{
	return svc && svc->policy.sequence_check;
}

static bool opens(const struct FAM(pkt) *p)
{
	return (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

static uint8_t known(unsigned int dir)
{
	return dir == DIR_OUT ? EVIDENCE_SERVER : EVIDENCE_CLIENT;
}

static void assure(struct worker *w, struct FAM(conn) *c)
{
	if (c->c.evidence & EVIDENCE_ASSURED)
		return;
	c->c.evidence |= EVIDENCE_ASSURED;
	FAM_FN(give_way, update)(w, c);
	if (c->control)
		FAM_FN(template, prove)(w, c->control);
	if (sync_on(w) && c->c.state != CONN_SYN_RECV)
		FAM_FN(sync, changed)(w, c);
}

void FAM_FN(evidence, begin)(struct worker *w, const struct FAM(pkt) *p, const struct service *svc)
{
	struct conn *c = &p->conn->c;

	c->rank = (uint8_t)(rank_now(w) << RANK_AT_SHIFT);
	if (p->key.proto != IPPROTO_TCP || !judges(svc))
		return;
	if (p->dir == DIR_IN && opens(p)) {
		c->end[DIR_IN] = FAM_FN(segment, of)(p).seq + 1;
		c->evidence |= EVIDENCE_HANDSHAKE;
		return;
	}
	c->evidence |= EVIDENCE_LEARN;
	if (p->dir == DIR_OUT) /* a server opened it, which FTP's client asked for */
		assure(w, p->conn);
}

void FAM_FN(evidence, copied)(struct worker *w, struct FAM(conn) *c, bool assured)
{
	if (!(c->c.evidence & (EVIDENCE_KNOWN | EVIDENCE_HANDSHAKE)) && c->c.proto == IPPROTO_TCP &&
	    judges(FAM_FN(conn, service)(w, c)))
		c->c.evidence |= EVIDENCE_LEARN;
	c->c.evidence &= (uint8_t)~EVIDENCE_ASSURED;
	if (assured)
		c->c.evidence |= EVIDENCE_ASSURED;
	FAM_FN(give_way, update)(w, c);
}

void FAM_FN(evidence, again)(struct worker *w, struct FAM(conn) *c)
{
	const bool learns = c->c.evidence & (EVIDENCE_KNOWN | EVIDENCE_HANDSHAKE | EVIDENCE_LEARN);

	c->c.evidence &= (uint8_t) ~(EVIDENCE_KNOWN | EVIDENCE_HANDSHAKE | EVIDENCE_ASSURED);
	if (learns)
		c->c.evidence |= EVIDENCE_LEARN;
	c->c.rank = (uint8_t)(rank_now(w) << RANK_AT_SHIFT);
}

/* The client went on: counts a moment, at least RANK_APART after the one before. RANK_MOMENTS of
 * them assure the connection. */
static void rank_up(struct worker *w, struct FAM(conn) *c)
{
	const unsigned int now = rank_now(w), moments = (c->c.rank & (RANK_MOMENTS - 1)) + 1;

	if (((now - (c->c.rank >> RANK_AT_SHIFT)) & RANK_AT_MASK) < RANK_APART)
		return;
	if (moments == RANK_MOMENTS)
		assure(w, c);
	else
		c->c.rank = (uint8_t)(now << RANK_AT_SHIFT | moments);
}

/* The second and third segments of the handshake. False: the segment does not fit. */
static bool handshake_fits(struct conn *c, const struct FAM(pkt) *p, const struct segment *s)
{
	if (p->dir == DIR_OUT) {
		if ((p->tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) &&
		    s->ack - c->end[DIR_IN] < SYN_DATA_MAX) {
			c->end[DIR_OUT] = s->seq + 1;
			c->evidence |= EVIDENCE_SERVER;
		}
		return false;
	}
	if ((p->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_ACK ||
	    s->seq - c->end[DIR_IN] >= SYN_DATA_MAX)
		return false;
	if (!forward_has(c->method, FORWARD_REPLIES_PASS))
		c->end[DIR_OUT] = s->ack;
	else if (!(c->evidence & EVIDENCE_SERVER) || c->end[DIR_OUT] - s->ack >= FIRST_DATA)
		return false;
	c->end[DIR_IN] = s->end;
	c->evidence |= EVIDENCE_KNOWN;
	c->evidence &= (uint8_t)~EVIDENCE_HANDSHAKE;
	return true;
}

static void learn(struct conn *c, const struct FAM(pkt) *p, const struct segment *s)
{
	c->end[p->dir] = s->end;
	c->evidence |= known(p->dir);
	if (!forward_has(c->method, FORWARD_REPLIES_PASS)) {
		c->end[DIR_OUT] = s->ack;
		c->evidence |= EVIDENCE_SERVER;
	}
	if ((c->evidence & EVIDENCE_KNOWN) == EVIDENCE_KNOWN)
		c->evidence &= (uint8_t)~EVIDENCE_LEARN;
}

/* Whether a segment with an ACK speaks for its connection. */
static bool speaks_for(struct worker *w, struct FAM(pkt) *p)
{
	const struct segment s = FAM_FN(segment, of)(p);
	struct conn *c = &p->conn->c;

	if (c->evidence & EVIDENCE_HANDSHAKE) {
		if (handshake_fits(c, p, &s) && forward_has(c->method, FORWARD_REPLIES_PASS))
			assure(w, p->conn);
		return true;
	}
	if (p->tcp_flags & TCP_SYN)
		return false;
	if ((c->evidence & EVIDENCE_KNOWN) == EVIDENCE_KNOWN) {
		if (!segment_fits(c, p->dir, &s))
			return false;
		segment_moves(c, p->dir, &s);
	} else if (c->evidence & EVIDENCE_LEARN) {
		learn(c, p, &s);
	}
	return true;
}

static bool has_data(const struct FAM(pkt) *p)
{
	const struct segment s = FAM_FN(segment, of)(p);

	return s.end - s.seq > (p->tcp_flags & TCP_FIN);
}

void FAM_FN(evidence, gather)(struct worker *w, struct FAM(pkt) *p)
{
	const uint8_t numbers = EVIDENCE_KNOWN | EVIDENCE_HANDSHAKE | EVIDENCE_LEARN;
	struct FAM(conn) *c = p->conn;

	if (!speaks_for(w, p) || (p->tcp_flags & TCP_SYN))
		return;
	if (c->c.evidence & EVIDENCE_DOUBT)
		FAM_FN(give_way, doubt)(w, c, false);
	if (c->c.evidence & EVIDENCE_ASSURED)
		return;
	if (p->dir == DIR_OUT) {
		if (c->c.state == CONN_ESTABLISHED && has_data(p))
			assure(w, c);
	} else if (!forward_has(c->c.method, FORWARD_REPLIES_PASS) || !(c->c.evidence & numbers)) {
		rank_up(w, c);
	}
}

void FAM_FN(evidence, datagram)(struct worker *w, struct FAM(pkt) *p)
{
	if (p->dir == DIR_IN && !(p->conn->c.flags & CONN_F_EMBRYONIC))
		rank_up(w, p->conn);
}

static bool half_closed(uint8_t state)
{
	return state == CONN_FIN_WAIT || state == CONN_CLOSE_WAIT;
}

/* Behind the last byte; of a half-closed connection, before its FIN as well, which the other
 * side may not have acknowledged when it provoked the RST. */
static bool rst_proves(const struct conn *c, unsigned int dir, uint32_t seq)
{
	const uint32_t before = c->end[dir] - seq;

	return before == 0 || (before == 1 && half_closed(c->state));
}

bool FAM_FN(evidence, believes)(struct worker *w, struct FAM(pkt) *p)
{
	struct conn *c = &p->conn->c;
	const struct segment s = FAM_FN(segment, of)(p);

	if (c->state != CONN_ESTABLISHED && !half_closed(c->state))
		return true;
	if (p->tcp_flags & TCP_RST) {
		if (c->evidence & known(p->dir) ? rst_proves(c, p->dir, s.seq)
						: !(c->evidence & EVIDENCE_LEARN))
			return true;
		if (!(c->evidence & EVIDENCE_DOUBT))
			FAM_FN(give_way, doubt)(w, p->conn, true);
	} else if ((c->evidence & EVIDENCE_KNOWN) != EVIDENCE_KNOWN ||
		   segment_fits(c, p->dir, &s)) {
		return true;
	}
	w->counters.unproven++;
	return false;
}
