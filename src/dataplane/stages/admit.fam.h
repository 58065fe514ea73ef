/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of admit.h that is compiled once for each address family. */

/* Drops a client's packet with an impossible source (source_link.h). False: the packet has left. */
bool FAM(admit_source)(struct worker *w, struct FAM(pkt) *p);
/* Decides on a packet without a connection. *match is set with ADMIT_FOLLOWS and ADMIT_NEW. Doors:
 * punt (no service, no connection), drop (grace, frozen, nonsense, no connection). */
enum admission FAM(admit)(struct worker *w, struct FAM(pkt) *p, struct service_match *match);
/* True: a SYN on a connection opens a new connection in its place (IPVS, conn_reuse_mode). */
bool FAM(reopens)(struct worker *w, const struct FAM(pkt) *p);

/* True: every datagram of the service is scheduled on its own. */
static inline bool FAM(one_packet)(const struct service *svc, const struct FAM(pkt) *p)
{
	return svc->policy.one_packet && p->key.proto == IPPROTO_UDP;
}
