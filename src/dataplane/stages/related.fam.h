/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of related.h that is compiled once for each address family. */

/* A well-formed ICMP error that quotes TCP or UDP with its ports? Then p->key is the key of
 * the quoted connection in direction dir, as if the packet itself had come back that way,
 * and PKT_RELATED is set. False: p is as it was. */
bool FAM_FN(related, parse)(struct FAM(pkt) *p);

/* Where the quoted packet of an error lies. False: too short, not the first fragment, not TCP or
 * UDP. */
bool FAM_FN(related, quote)(const struct FAM(pkt) *p, struct related_quote *q);

/* Rewrites outer and quoted addresses for p->conn. NAT only. Returns the delta of the outer
 * IP header's checksum. */
uint16_t FAM_FN(related, rewrite)(struct FAM(pkt) *p);

/* Full NAT: the error leaves from source to dest, and quotes a packet that went from dest, dport to
 * source, sport. Returns the delta of the outer IP header's checksum. */
uint16_t FAM_FN(related, rewrite_both)(struct FAM(pkt) *p, FAM_ADDR source, FAM_ADDR dest,
				       be16 sport, be16 dport);
/* The L4 header that the error quotes, of which *left bytes are there; or NULL. */
uint8_t *FAM_FN(related, quoted)(const struct FAM(pkt) *p, uint32_t *left);
