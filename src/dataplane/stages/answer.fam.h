/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of answer.h that is compiled once for each address family. */

/* Answers an ICMP echo request to an active VIP. Takes p->m. */
void FAM_FN(echo, receive)(struct worker *w, struct FAM(pkt) *p);

/* Sends an ICMP error about p (which stays as it is) to its source, from `from`, if there is such
 * an address; rate limited; never about ICMP errors, fragments but the first, or broadcasts
 * (RFC 1122). info: the MTU of ICMP_REASON_TOO_BIG, the pointer of ICMP_REASON_PROTO, else 0. */
void FAM_FN(icmp, error)(struct worker *w, const struct FAM(pkt) *p, FAM_ADDR from,
			 enum icmp_reason reason, uint32_t info);

/* Writes IP and ICMP header of an error in front of the quoted packet, which is in place
 * already. */
void FAM_FN(icmp, put)(struct worker *w, uint8_t *l3, FAM_ADDR from, FAM_ADDR to,
		       struct icmp_wire what, uint32_t info, uint16_t quote);

/* The router's own address towards p's source, or none: for errors about packets of servers. */
FAM_ADDR FAM(own_address)(const struct worker *w, const struct FAM(pkt) *p);

/* Answers a TCP packet (which stays as it is) by a RST to its source from its destination,
 * as from a port without the connection (RFC 9293, 3.10.7.1); rate limited; never about a RST. */
void FAM_FN(tcp, reset)(struct worker *w, const struct FAM(pkt) *p);

/* Turns a TCP packet into a RST of the same sender, at its sequence number and without data. */
void FAM_FN(tcp, become_reset)(struct FAM(pkt) *p);
