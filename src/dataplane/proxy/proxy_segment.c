/* SPDX-License-Identifier: BSD-3-Clause */
/* Segments of a connection whose server is told its client's address: proxy.h. */
#include "dataplane/proxy/proxy.h"

#include "base/csum.h"
#include "dataplane/conn/tcp_state.h"
#include "dataplane/payload/payload.h"
#include "dataplane/stages/ip.h"
#include "dataplane/stages/pipeline.h"
#include "dataplane/sync/conn_sync.h"

#define OPTION_WINDOW_SCALE 3U
#define OPTION_FAST_OPEN    34U
/* RFC 6994, with a magic number behind the length; RFC 7413, appendix A. */
#define OPTION_EXPERIMENT	    254U
#define OPTION_EXPERIMENT_2	    253U
#define OPTION_EXPERIMENT_FAST_OPEN 0xf989U
#define WINDOW_SCALE_MAX	    14U /* RFC 7323, 2.3 */

#define tcp_of FAM_FN(payload, tcp)

static struct proxy_start *start_of(struct worker *w, const struct FAM(conn) *c)
{
	return &w->FAM(v).proxies[FAM_FN(conn, index)(&w->FAM(v).table, c)];
}

static uint32_t word_at(const uint8_t *at)
{
	be32 word;

	memcpy(&word, at, sizeof(word));
	return be32_to(word);
}

/* ---- from the client ---- */

static bool is_fast_open(const uint8_t *o, uint8_t len)
{
	if (*o == OPTION_EXPERIMENT || *o == OPTION_EXPERIMENT_2)
		return len >= 4 && payload_half_at(o + 2) == OPTION_EXPERIMENT_FAST_OPEN;
	return *o == OPTION_FAST_OPEN;
}

/* The client's own word about its address counts for nothing. */
static bool is_forged(const struct FAM(conn) *c, const uint8_t *o, uint8_t len)
{
	return (c->proxy & PROXY_VERSION) == CLIENT_ADDRESS_TOA && toa_is_option(o, len);
}

void FAM_FN(proxy, syn_strip)(struct worker *w, struct FAM(pkt) *p)
{
	uint8_t *at = (uint8_t *)(tcp_of(p) + 1), *end, *o, len;
	bool stripped = false;
	uint32_t data;

	if (!FAM_FN(payload, sound)(p))
		return;
	end = FAM_FN(payload, options_end)(p);
	while (end && (o = tcp_option_next(&at, end, &len)) != NULL) {
		if (!is_fast_open(o, len) && !is_forged(p->conn, o, len))
			continue;
		memset(o, TCP_OPTION_NOP, len);
		stripped = true;
	}
	FAM_FN(payload, of)(p, &data);
	if (data)
		FAM_FN(payload, replace)(p, 0, data, NULL, 0);
	if (!stripped && !data)
		return;
	FAM_FN(payload, done)(p, UINT16_MAX);
	w->counters.proxy_stripped++;
}

static void seq_forth(struct FAM(pkt) *p)
{
	payload_word_put(tcp_of(p), (uint8_t *)&tcp_of(p)->sent_seq,
			 FAM_FN(payload, seq)(p) + p->conn->proxy_len);
}

/* An ACK without anything else, of p's headers. Such a packet gets the header on its own way
 * through stage rewrite. False: no buffer; the header comes with what the client sends again. */
static bool ahead_make(struct worker *w, const struct FAM(pkt) *p, struct FAM(pkt) *ahead)
{
	const uint32_t l2_len = (uint32_t)(p->l3 - rte_pktmbuf_mtod(p->m, uint8_t *));
	struct rte_mbuf *m = rte_pktmbuf_alloc(w->pool);
	uint32_t data;

	FAM_FN(payload, of)(p, &data);
	if (!m)
		return false;
	if (!rte_pktmbuf_append(m, (uint16_t)(l2_len + p->l3_len))) {
		rte_pktmbuf_free(m);
		return false;
	}
	memcpy(rte_pktmbuf_mtod(m, uint8_t *), rte_pktmbuf_mtod(p->m, uint8_t *),
	       l2_len + p->l3_len - data);
	m->port = p->m->port;
	m->vlan_tci = p->m->vlan_tci;
	m->ol_flags |= p->m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED;
	pkt_tag_fresh(m);
	pkt_tag(m)->observed = pkt_tag(p->m)->observed;
	*ahead = *p;
	ahead->m = m;
	ahead->l3 = rte_pktmbuf_mtod_offset(m, uint8_t *, l2_len);
	ahead->flags |= PKT_UNCOUNTED;
	ahead->tcp_flags = TCP_ACK;
	tcp_of(ahead)->tcp_flags = TCP_ACK;
	tcp_of(ahead)->tcp_urp = 0;
	FAM_FN(payload, replace)(ahead, 0, data, NULL, 0);
	FAM_FN(payload, done)(ahead, UINT16_MAX);
	w->counters.generated++;
	return true;
}

/* A sound segment with `first` as its number and `data` bytes. False: it has no room. */
static bool header_insert(struct worker *w, struct FAM(pkt) *p, uint32_t data)
{
	uint8_t text[PROXY_HEADER_MAX];
	const uint32_t len = FAM_FN(proxy, header)(p->conn, text);
	struct rte_tcp_hdr *tcp = tcp_of(p);

	if ((p->tcp_flags & TCP_RST) || p->l3_len + len > p->nh->mtu ||
	    !FAM_FN(payload, replace)(p, 0, 0, text, len))
		return false;
	if (p->tcp_flags & TCP_URG)
		payload_half_put((uint8_t *)&tcp->tcp_urp,
				 (uint16_t)(payload_half_at((uint8_t *)&tcp->tcp_urp) + len));
	if (!data) /* some receivers wait for more without */
		tcp->tcp_flags |= RTE_TCP_PSH_FLAG;
	FAM_FN(payload, done)(p, UINT16_MAX);
	w->counters.proxy_headers++;
	return true;
}

/* A segment at `first`, or a keepalive one before it, whose byte (if any) is of no stream. */
static void first_segment(struct worker *w, struct FAM(pkt) *p, uint32_t first,
			  struct FAM(pkt) *ahead)
{
	const bool before = FAM_FN(payload, seq)(p) != first;
	uint32_t data;

	/* Without ACK there is nothing that could go in its own segment; with a wrong checksum the
	 * server drops the segment anyway. */
	if (!(p->tcp_flags & TCP_ACK) || !FAM_FN(payload, sound)(p)) {
		seq_forth(p);
		return;
	}
	FAM_FN(payload, of)(p, &data);
	if (before) {
		FAM_FN(payload, replace)(p, 0, data, NULL, 0);
		FAM_FN(payload, seq_set)(p, first);
		FAM_FN(payload, done)(p, UINT16_MAX);
		data = 0;
	}
	if (header_insert(w, p, data) || (!data && !(p->tcp_flags & (TCP_RST | TCP_FIN))))
		return;
	if (ahead_make(w, p, ahead))
		w->counters.proxy_split++;
	seq_forth(p);
}

void FAM_FN(proxy, segment_in)(struct worker *w, struct FAM(pkt) *p, struct FAM(pkt) *ahead)
{
	const struct FAM(conn) *c = p->conn;
	uint32_t first;
	int32_t behind;

	if (unlikely(p->tcp_flags & TCP_SYN)) {
		if (!(p->tcp_flags & TCP_ACK))
			FAM_FN(proxy, syn_strip)(w, p);
		return;
	}
	if (likely(c->proxy & PROXY_DONE)) {
		seq_forth(p);
		return;
	}
	if (!(c->proxy & PROXY_SENDING)) /* the server has not answered: nothing is known */
		return;
	first = start_of(w, c)->first;
	behind = (int32_t)(FAM_FN(payload, seq)(p) - first);
	if (behind > 0)
		seq_forth(p);
	else if (behind >= -1)
		first_segment(w, p, first, ahead);
}

/* ---- from the server ---- */

static void window_lower(struct rte_tcp_hdr *tcp, uint32_t bytes, uint8_t scale)
{
	const uint32_t units = (bytes + (1U << scale) - 1) >> scale, had = be16_to(tcp->rx_win);
	const be16 to = be16_from((uint16_t)(had > units ? had - units : 0));

	tcp->cksum = csum_apply(tcp->cksum, csum_delta16(tcp->rx_win, to));
	tcp->rx_win = to;
}

/* Changes of the options of a segment, whose checksum follows. */
struct options_edit {
	struct rte_tcp_hdr *tcp;
	uint8_t *at, *end; /* end NULL: there is nothing to read */
	uint16_t before;
};

static uint16_t options_sum(const struct options_edit *e)
{
	const uint8_t *options = (const uint8_t *)(e->tcp + 1);

	return csum_fold(csum_add(0, options, (size_t)(e->end - options)));
}

static struct options_edit options_begin(struct FAM(pkt) *p)
{
	struct options_edit e = {.tcp = tcp_of(p),
				 .at = (uint8_t *)(tcp_of(p) + 1),
				 .end = FAM_FN(payload, options_end)(p)};

	if (e.end)
		e.before = options_sum(&e);
	return e;
}

static void options_done(struct options_edit *e)
{
	if (e->end)
		e->tcp->cksum =
			csum_apply(e->tcp->cksum, csum_add16((uint16_t)~e->before, options_sum(e)));
}

/* The server agrees to a connection, so its acknowledgement is where the client's stream begins. */
static void synack_take(struct worker *w, struct FAM(pkt) *p)
{
	struct FAM(conn) *c = p->conn;
	struct proxy_start *start = start_of(w, c);
	struct options_edit e;
	uint8_t *o, len;

	if ((c->proxy & PROXY_DONE) && c->c.state == CONN_ESTABLISHED) /* one that was late */
		return;
	*start = (struct proxy_start){.first = FAM_FN(payload, ack)(p)};
	c->proxy = (c->proxy & PROXY_VERSION) | PROXY_SENDING;
	window_lower(tcp_of(p), c->proxy_len, 0);
	e = options_begin(p);
	while (e.end && (o = tcp_option_next(&e.at, e.end, &len)) != NULL) {
		if (*o == TCP_OPTION_MSS && len == 4 && payload_half_at(o + 2) > 2U * c->proxy_len)
			payload_half_put(o + 2, (uint16_t)(payload_half_at(o + 2) - c->proxy_len));
		else if (*o == OPTION_WINDOW_SCALE && len == 3)
			start->scale = (uint8_t)RTE_MIN((uint32_t)o[2], WINDOW_SCALE_MAX);
	}
	options_done(&e);
}

/* Blocks of a SACK option in the client's numbers. A block of the header alone goes: it tells of a
 * second copy (RFC 2883), which the client did not send. */
static void sack_back(uint8_t *o, uint8_t option_len, uint32_t len, uint32_t first)
{
	uint8_t *to = o + 2;

	for (unsigned int i = 2; i + 8U <= option_len; i += 8) {
		const uint32_t left = word_at(o + i), right = word_at(o + i + 4);
		const be32 edges[2] = {be32_from(left - first < len ? first : left - len),
				       be32_from(right - len)};

		if (right - first <= len)
			continue;
		memcpy(to, edges, sizeof(edges));
		to += sizeof(edges);
	}
	if (to == o + 2)
		to = o;
	else
		o[1] = (uint8_t)(to - o);
	memset(to, TCP_OPTION_NOP, (size_t)(o + option_len - to));
}

static bool has_sack(struct FAM(pkt) *p)
{
	uint8_t *at = (uint8_t *)(tcp_of(p) + 1), *o, len;
	const uint8_t *end = FAM_FN(payload, options_end)(p);

	while (end && (o = tcp_option_next(&at, end, &len)) != NULL)
		if (*o == TCP_OPTION_SACK)
			return true;
	return false;
}

static void sacks_back(struct FAM(pkt) *p, uint32_t first)
{
	struct options_edit e = options_begin(p);
	uint8_t *o, len;

	while ((o = tcp_option_next(&e.at, e.end, &len)) != NULL)
		if (*o == TCP_OPTION_SACK)
			sack_back(o, len, p->conn->proxy_len, first);
	options_done(&e);
}

/* The server has the header: from now on nothing but the length is needed. */
static void header_done(struct worker *w, struct FAM(conn) *c)
{
	c->proxy = (c->proxy & PROXY_VERSION) | PROXY_DONE;
	if (sync_on(w))
		FAM_FN(sync, changed)(w, c);
}

/* An acknowledgement of a server that did not have the header yet, for as far as is known here.
 * Returns the acknowledgement to go by. */
static uint32_t sending_acked(struct worker *w, struct FAM(pkt) *p, uint32_t ack)
{
	const struct proxy_start *start = start_of(w, p->conn);
	const uint32_t behind = ack - start->first, len = p->conn->proxy_len;

	if ((int32_t)behind < 0) /* of no segment that the client sent */
		return ack + len;
	if (behind >= len) {
		header_done(w, p->conn);
		return ack;
	}
	window_lower(tcp_of(p), len - behind, start->scale);
	return start->first + len;
}

void FAM_FN(proxy, segment_out)(struct worker *w, struct FAM(pkt) *p)
{
	struct rte_tcp_hdr *tcp = tcp_of(p);
	struct FAM(conn) *c = p->conn;
	uint32_t ack = FAM_FN(payload, ack)(p);

	if (!(p->tcp_flags & TCP_ACK))
		return;
	if (unlikely(p->tcp_flags & TCP_SYN)) {
		if (!(p->tcp_flags & TCP_RST))
			synack_take(w, p);
		return;
	}
	if (unlikely(!(c->proxy & (PROXY_SENDING | PROXY_DONE))))
		return;
	if (unlikely(c->proxy & PROXY_SENDING))
		ack = sending_acked(w, p, ack);
	payload_word_put(tcp, (uint8_t *)&tcp->recv_ack, ack - c->proxy_len);
	if (unlikely(has_sack(p)))
		sacks_back(p, start_of(w, c)->first);
}
