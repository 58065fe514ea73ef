/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers of an FTP control connection whose answers became longer or shorter. */
#include "dataplane/ftp/ftp_control.h"

#include "dataplane/conn/tcp_state.h"
#include "dataplane/payload/payload.h"

/* The client's acknowledgement in the server's numbers. */
static uint32_t ack_back(const struct ftp_control *fc, uint32_t ack)
{
	const uint32_t was = ack - (uint32_t)fc->before;

	return (int32_t)(was - fc->pos) > 0 ? ack - (uint32_t)fc->after : was;
}

uint32_t FAM_FN(ftp, acked)(const struct FAM(pkt) *p, const struct ftp_control *fc)
{
	if (!(p->tcp_flags & TCP_ACK))
		return fc->s.out_next;
	return fc->moved ? ack_back(fc, FAM_FN(payload, ack)(p)) : FAM_FN(payload, ack)(p);
}

static void edge_back(struct rte_tcp_hdr *tcp, uint8_t *at, const struct ftp_control *fc)
{
	be32 edge;

	memcpy(&edge, at, 4);
	payload_word_put(tcp, at, ack_back(fc, be32_to(edge)));
}

static void sack_back(const struct FAM(pkt) *p, const struct ftp_control *fc)
{
	struct rte_tcp_hdr *tcp = FAM_FN(payload, tcp)(p);
	uint8_t *at = (uint8_t *)(tcp + 1), *end = FAM_FN(payload, options_end)(p), *o, len;

	while (end && (o = tcp_option_next(&at, end, &len)) != NULL)
		for (unsigned int i = 2; *o == TCP_OPTION_SACK && i + 4U <= len; i += 4)
			edge_back(tcp, o + i, fc);
}

void FAM_FN(ftp, seq_adjust)(struct FAM(pkt) *p, const struct ftp_control *fc)
{
	struct rte_tcp_hdr *tcp = FAM_FN(payload, tcp)(p);
	const uint32_t seq = FAM_FN(payload, seq)(p);

	if (p->dir == DIR_OUT) {
		const bool later = (int32_t)(seq - fc->pos) > 0;

		payload_word_put(tcp, (uint8_t *)&tcp->sent_seq,
				 seq + (uint32_t)(later ? fc->after : fc->before));
		return;
	}
	if (!(p->tcp_flags & TCP_ACK))
		return;
	edge_back(tcp, (uint8_t *)&tcp->recv_ack, fc);
	sack_back(p, fc);
}
