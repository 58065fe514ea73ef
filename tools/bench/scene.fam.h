/* SPDX-License-Identifier: BSD-3-Clause */
/* The scene of one family: bench.h. */

/* Addresses as in docs/performance.md: clients behind a gateway, servers on the link. */
FAM_ADDR FAM_FN(scene, client)(uint32_t i);
FAM_ADDR FAM_FN(scene, vip)(void);
FAM_ADDR FAM_FN(scene, server)(unsigned int k);
FAM_ADDR FAM_FN(scene, gateway)(void);
FAM_ADDR FAM_FN(scene, pool)(unsigned int k);

/* Addresses and listeners of the scene's one service; for the other family, empty tables. */
void FAM_FN(scene, tables)(struct snapshot *snap, const struct service *svc);
/* on: the scene has packets of the family. */
struct FAM(fib) *FAM_FN(scene, routes)(bool on);
void FAM_FN(scene, nexthop)(struct published *pub, FAM_ADDR addr, uint8_t last);

struct FAM(conn) *FAM_FN(scene, find)(const struct scene *s, uint32_t i);
/* Notes local address and port of connection i. */
void FAM_FN(scene, local)(struct scene *s, uint32_t i);
void FAM_FN(scene, assure)(const struct scene *s, uint32_t i);

/* The IP header of a packet of connection i; returns its length. */
uint16_t FAM_FN(packet, ip)(const struct scene *s, uint8_t *l3, uint32_t i, enum pkt_dir dir,
			    uint16_t l4_len);

/* A burst: parse, hash, look-up, touch, state, counters, rewrite. Frames stay. */
void FAM_FN(bare, burst)(struct scene *s, struct rte_mbuf **frames, uint16_t n);
void FAM_FN(bare, fullnat)(struct scene *s, struct rte_mbuf **frames, uint16_t n);
/* The same by rte_hash, of DR or NAT; false: DPDK has no memory for the keys. */
bool FAM_FN(yardstick, is_there)(struct scene *s);
void FAM_FN(yardstick, burst)(struct scene *s, struct rte_mbuf **frames, uint16_t n);
/* Frees what the above have made. */
void FAM_FN(frozen, free)(struct scene *s);

/* Fails if m, a packet of connection i that left and was `before`, is not as it has to be. whole:
 * all of it is looked at. */
void FAM_FN(contents, check)(const struct scene *s, const char *who, const struct rte_mbuf *m,
			     const uint8_t *before, uint32_t i, enum pkt_dir dir, bool whole);
