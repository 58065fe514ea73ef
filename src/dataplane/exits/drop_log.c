/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/exits/drop_log.h"

void drop_log_take(struct worker *w, const struct rte_mbuf *m, struct drop_ring *r)
{
	struct drop_record *n = &r->record[r->next++ % DROP_LOG_RECORDS];
	const uint8_t *bytes;

	r->left--;
	n->seq = ++w->drop_log->seq;
	n->at_s = w->env.now_s;
	n->port = m->port;
	n->vlan = m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED ? m->vlan_tci & 0xfff : 0;
	n->len = (uint16_t)RTE_MIN(m->pkt_len, (uint32_t)UINT16_MAX);
	n->caplen = (uint16_t)RTE_MIN(m->pkt_len, (uint32_t)DROP_LOG_HEAD);
	bytes = rte_pktmbuf_read(m, 0, n->caplen, n->head);
	if (!bytes)
		n->caplen = 0;
	else if (bytes != n->head)
		memcpy(n->head, bytes, n->caplen);
}
