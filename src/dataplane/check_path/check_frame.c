/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames that Linux sends: the family of each, for check_path.c. */
#include "dataplane/check_path/check_path.h"

#include <rte_ether.h>

struct frame {
	uint8_t *l3;
	uint32_t here; /* bytes from l3 on in the first segment */
	link_id link;
	be16 type;
};

static bool frame_parse(struct rte_mbuf *m, struct frame *f)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const uint32_t len = rte_pktmbuf_data_len(m);
	uint32_t l2 = sizeof(*eth);
	uint16_t vlan = 0;

	if (len < l2 + sizeof(struct rte_vlan_hdr))
		return false;
	f->type = eth->ether_type;
	if (f->type == rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN)) {
		const struct rte_vlan_hdr *tag = (const struct rte_vlan_hdr *)(eth + 1);

		f->type = tag->eth_proto;
		vlan = rte_be_to_cpu_16(tag->vlan_tci) & 0xfff;
		l2 += (uint32_t)sizeof(*tag);
	}
	f->link = link_id_of(m->port, vlan);
	f->l3 = rte_pktmbuf_mtod_offset(m, uint8_t *, l2);
	f->here = len - l2;
	return true;
}

bool check_path_is(const struct worker *w, struct rte_mbuf *m)
{
	struct frame f;

	if (!frame_parse(m, &f))
		return false;
	if (f.type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4))
		return check_path4_is(w, f.l3, f.here);
	return f.type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6) && check_path6_is(w, f.l3, f.here);
}

bool check_path_send(struct worker *w, struct rte_mbuf *m)
{
	struct frame f;

	if (!frame_parse(m, &f))
		return false;
	if (f.type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4))
		return check_path4_send(w, m, f.l3, f.here, f.link);
	return f.type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6) &&
	       check_path6_send(w, m, f.l3, f.here, f.link);
}
