/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of payload.h that is compiled once for each address family. */

static inline struct rte_tcp_hdr *FAM_FN(payload, tcp)(const struct FAM(pkt) *p)
{
	return (struct rte_tcp_hdr *)(p->l3 + p->l4_off);
}

static inline bool FAM_FN(payload, is_fragment)(const struct FAM(pkt) *p)
{
	return p->flags & PKT_FRAGMENT;
}

/* True: the segment is in one piece, not shared, and has a right checksum. The payload may be
 * empty. */
bool FAM_FN(payload, sound)(struct FAM(pkt) *p);
/* The payload of a sound segment, and its length. */
const char *FAM_FN(payload, of)(const struct FAM(pkt) *p, uint32_t *len);
/* True: the segment can grow by `bytes`. */
bool FAM_FN(payload, room)(const struct FAM(pkt) *p, uint32_t bytes);
/* Replaces len bytes from `at` by n bytes of text. False: no room, and no change. The TCP checksum
 * is wrong until FAM_FN(payload, done)(), which also cuts the payload to the MTU; the sender
 * retransmits the rest. */
bool FAM_FN(payload, replace)(struct FAM(pkt) *p, uint32_t at, uint32_t len, const void *text,
			      uint32_t n);
void FAM_FN(payload, done)(struct FAM(pkt) *p, uint16_t mtu);

uint32_t FAM_FN(payload, seq)(const struct FAM(pkt) *p);
uint32_t FAM_FN(payload, ack)(const struct FAM(pkt) *p);
/* Before FAM_FN(payload, done)(), since the checksum is not updated. */
void FAM_FN(payload, seq_set)(struct FAM(pkt) *p, uint32_t seq);
/* The end of the TCP header, if all of it is in the first segment of the mbuf; or NULL. */
uint8_t *FAM_FN(payload, options_end)(const struct FAM(pkt) *p);
