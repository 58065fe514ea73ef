/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of service_match.h that is compiled once for each address family. */

/* In the order of IPVS: the mark that a rule gives the packet, address:port, FTP data of a
 * persistent FTP service, port 0. */
struct service_match FAM_FN(service, find)(const struct worker *w, const struct FAM(pkt) *p);

/* The request for a scheduler. */
struct sched_request FAM_FN(service, request)(struct worker *w, const struct FAM(key) *key);
