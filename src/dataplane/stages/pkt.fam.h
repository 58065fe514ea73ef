/* SPDX-License-Identifier: BSD-3-Clause */

/* Key and packet of one family: pkt.h. */

/* In network order, as in the packet. */
struct FAM(key) {
	FAM_ADDR saddr, daddr;
	be16 sport, dport;
	uint8_t proto;
	uint8_t pad[3]; /* zero */
};

struct FAM(conn);

/* The whole key: both addresses as they lie in a header; rest: ports and protocol. Addresses, and
 * what follows them, are neighbours in the key. */
static inline void FAM_FN(key, set)(struct FAM(key) *k, const void *addrs, uint64_t rest)
{
	memcpy((uint8_t *)k + offsetof(struct FAM(key), saddr), addrs, 2 * sizeof(k->saddr));
	memcpy((uint8_t *)k + offsetof(struct FAM(key), sport), &rest, sizeof(rest));
}

struct FAM(pkt) {
	struct rte_mbuf *m;
	uint8_t *l3; /* IP header, in the first segment with its L4 header */
	struct FAM(key) key;
	link_id link;
	uint16_t l3_len;   /* length of the IP packet with its header, bytes */
	uint16_t l4_off;   /* from l3 */
	uint8_t dir;	   /* enum pkt_dir */
	uint8_t tcp_flags; /* RFC 9293 bits; 0 unless TCP */
	uint8_t flags;	   /* PKT_* */
	uint8_t pad;
	uint32_t hash; /* of the key */
	struct FAM(conn) *conn;
	const struct nexthop *nh; /* set by resolve */
};

struct FAM(burst) {
	uint16_t n;
	/* Set by look-up: each packet has its connection, and none has a SYN. Stage schedule is
	 * skipped unless a server was removed. */
	bool known;
	struct FAM(pkt) pkts[BURST_MAX];
};
