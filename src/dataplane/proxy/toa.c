/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The client's address in a TCP option (TOA), which modules of the kernel read on servers of LVS
 * and DPVS:
 *
 *	kind 254, length 8 (IPv6: 20), port, address
 *
 * The option stands before the client's own options in each segment of the client from the ACK of
 * the handshake on, until a segment of the server shows that its handshake is over: the module
 * takes the address from the segment that ends the handshake, which is any of these when others
 * are lost. A stream gets no byte more, so no number moves. The MSS that the client is told is
 * lower by the option. A segment that has no room for the option goes without.
 *
 * A client could send such an option itself. So options of this kind are overwritten with NOP in
 * the SYN (proxy_segment.c) and in segments that get the option.
 *
 * Afterwards the connection is one as any other: no packet of it comes here.
 */
#include "dataplane/conn/tcp_state.h"
#include "dataplane/payload/payload.h"
#include "dataplane/proxy/proxy.h"
#include "dataplane/sync/conn_sync.h"

#define OPTIONS_MAX 40U
#define OPTION_LEN  ((uint8_t)(4 + sizeof(FAM_ADDR)))

uint32_t FAM_FN(toa, length)(void)
{
	return OPTION_LEN;
}

static void own_strip(struct FAM(pkt) *p)
{
	uint8_t *at = (uint8_t *)(FAM_FN(payload, tcp)(p) + 1), *o, len;
	const uint8_t *end = FAM_FN(payload, options_end)(p);

	while (end && (o = tcp_option_next(&at, end, &len)) != NULL)
		if (toa_is_option(o, len))
			memset(o, TCP_OPTION_NOP, len);
}

/* Of a sound segment. False: there is no room. */
static bool option_insert(struct FAM(pkt) *p)
{
	const struct FAM(conn) *c = p->conn;
	struct rte_tcp_hdr *tcp = FAM_FN(payload, tcp)(p);
	uint8_t option[4 + sizeof(FAM_ADDR)] = {TOA_KIND, OPTION_LEN}, *at = (uint8_t *)(tcp + 1);
	const size_t had = (tcp->data_off >> 4) * 4U - sizeof(*tcp);

	memcpy(option + 2, &c->cport, 2);
	memcpy(option + 4, &c->caddr, sizeof(c->caddr));
	if (had + sizeof(option) > OPTIONS_MAX || p->l3_len + sizeof(option) > p->nh->mtu ||
	    !FAM_FN(payload, replace)(p, 0, 0, option, sizeof(option)))
		return false;
	memmove(at + sizeof(option), at, had);
	memcpy(at, option, sizeof(option));
	tcp->data_off = (uint8_t)(tcp->data_off + (sizeof(option) / 4 << 4));
	return true;
}

void FAM_FN(toa, segment_in)(struct worker *w, struct FAM(pkt) *p)
{
	if (!(p->conn->proxy & PROXY_SENDING) || (p->tcp_flags & (TCP_RST | TCP_ACK)) != TCP_ACK ||
	    !FAM_FN(payload, sound)(p))
		return;
	own_strip(p);
	w->counters.proxy_headers += option_insert(p);
	FAM_FN(payload, done)(p, UINT16_MAX);
}

/* The client leaves room for the option. */
static void mss_lower(struct FAM(pkt) *p)
{
	uint8_t *at = (uint8_t *)(FAM_FN(payload, tcp)(p) + 1), *o, len;
	const uint8_t *end = FAM_FN(payload, options_end)(p);

	if (!FAM_FN(payload, sound)(p))
		return;
	while (end && (o = tcp_option_next(&at, end, &len)) != NULL)
		if (*o == TCP_OPTION_MSS && len == 4 && payload_half_at(o + 2) > 2U * OPTION_LEN)
			payload_half_put(o + 2, (uint16_t)(payload_half_at(o + 2) - OPTION_LEN));
	FAM_FN(payload, done)(p, UINT16_MAX);
}

void FAM_FN(toa, segment_out)(struct worker *w, struct FAM(pkt) *p)
{
	struct FAM(conn) *c = p->conn;

	if ((p->tcp_flags & (TCP_ACK | TCP_RST)) != TCP_ACK)
		return;
	if (p->tcp_flags & TCP_SYN) {
		c->proxy = CLIENT_ADDRESS_TOA | PROXY_SENDING;
		mss_lower(p);
		return;
	}
	c->proxy = CLIENT_ADDRESS_TOA | PROXY_DONE;
	c->c.flags &= (uint8_t)~CONN_F_PAYLOAD;
	if (sync_on(w))
		FAM_FN(sync, changed)(w, c);
}
