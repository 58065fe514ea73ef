/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks of one family: check_path.h. */

/* Whether a packet to the router's own address is the reply to a check, an ICMP error about one, or
 * a forged reply. */
bool FAM_FN(check_path, wants)(struct worker *w, struct FAM(pkt) *p);
/* The packet leaves: punted, or dropped as bad_source: sent from a VIP to a port of checks without
 * being a reply. False: the packet is of no check. */
bool FAM_FN(check_path, take)(struct worker *w, struct FAM(pkt) *p);

/* For check_frame.c: a frame of Linux whose IP header lies at l3, with `here` bytes from there in
 * the first segment. */
bool FAM_FN(check_path, is)(const struct worker *w, uint8_t *l3, uint32_t here);
bool FAM_FN(check_path, send)(struct worker *w, struct rte_mbuf *m, uint8_t *l3, uint32_t here,
			      link_id link);
