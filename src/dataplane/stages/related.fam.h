/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of related.h that is compiled once for each address family. */

/* True: p is a well-formed ICMP error that quotes TCP or UDP with ports. Then p->key is the key of
 * the quoted connection in the direction of the error, and PKT_RELATED is set. False: p is
 * unchanged. */
bool FAM_FN(related, parse)(struct FAM(pkt) *p);

/* Finds the quoted packet of an error. False: too short, not the first fragment, not TCP or UDP. */
bool FAM_FN(related, quote)(const struct FAM(pkt) *p, struct related_quote *q);

/* Rewrites the error's own and the quoted addresses for p->conn. NAT only. Returns the delta of the
 * outer IP header's checksum. */
uint16_t FAM_FN(related, rewrite)(struct FAM(pkt) *p);

/* Full NAT: the error leaves from source to dest, and quotes a packet that went from dest, dport to
 * source, sport. Returns the delta of the outer IP header's checksum. */
uint16_t FAM_FN(related, rewrite_both)(struct FAM(pkt) *p, FAM_ADDR source, FAM_ADDR dest,
				       be16 sport, be16 dport);
/* The quoted L4 header, of which *left bytes are present; or NULL. */
uint8_t *FAM_FN(related, quoted)(const struct FAM(pkt) *p, uint32_t *left);
