/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers of an FTP control connection whose texts became longer or shorter. */
#include "dataplane/ftp/ftp_control.h"

#include "dataplane/conn/tcp_state.h"
#include "dataplane/payload/payload.h"

/* An acknowledgement in the numbers of the end whose bytes it acknowledges. */
static uint32_t ack_back(const struct ftp_shift *s, uint32_t ack)
{
	const uint32_t was = ack - (uint32_t)s->before;

	return (int32_t)(was - s->pos) > 0 ? ack - (uint32_t)s->after : was;
}

uint32_t FAM_FN(ftp, acked)(const struct FAM(pkt) *p, const struct ftp_control *fc)
{
	if (!(p->tcp_flags & TCP_ACK))
		return p->dir == DIR_IN ? fc->s.out_next : fc->s.in_next;
	return ack_back(&fc->shift[!p->dir], FAM_FN(payload, ack)(p));
}

static void edge_back(struct rte_tcp_hdr *tcp, uint8_t *at, const struct ftp_shift *s)
{
	be32 edge;

	memcpy(&edge, at, 4);
	payload_word_put(tcp, at, ack_back(s, be32_to(edge)));
}

static void sack_back(const struct FAM(pkt) *p, const struct ftp_shift *s)
{
	struct rte_tcp_hdr *tcp = FAM_FN(payload, tcp)(p);
	uint8_t *at = (uint8_t *)(tcp + 1), *end = FAM_FN(payload, options_end)(p), *o, len;

	while (end && (o = tcp_option_next(&at, end, &len)) != NULL)
		for (unsigned int i = 2; *o == TCP_OPTION_SACK && i + 4U <= len; i += 4)
			edge_back(tcp, o + i, s);
}

void FAM_FN(ftp, seq_adjust)(struct FAM(pkt) *p, const struct ftp_control *fc)
{
	const struct ftp_shift *own = &fc->shift[p->dir], *other = &fc->shift[!p->dir];
	struct rte_tcp_hdr *tcp = FAM_FN(payload, tcp)(p);
	const uint32_t seq = FAM_FN(payload, seq)(p);

	if (own->moved) {
		const bool behind = (int32_t)(seq - own->pos) > 0;

		payload_word_put(tcp, (uint8_t *)&tcp->sent_seq,
				 seq + (uint32_t)(behind ? own->after : own->before));
	}
	if (!other->moved || !(p->tcp_flags & TCP_ACK))
		return;
	edge_back(tcp, (uint8_t *)&tcp->recv_ack, other);
	sack_back(p, other);
}
