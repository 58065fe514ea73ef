/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_TRANSLATE_TRANSLATE_H
#define PLVS_DATAPLANE_TRANSLATE_TRANSLATE_H

/*
 * Translation of packets between the families (RFC 7915): headers, checksums, fragments, ICMP
 * errors with the quoted packets. The addresses and ports are those of a connection by full NAT
 * whose server is of the other family (fullnat/crossing.h). Worker context.
 *
 *	header		ip_facts.h. Checksums of TCP and UDP change by a stored delta. A datagram
 *			that came by IPv4 without a checksum gets one; as a fragment it is dropped.
 *	to IPv4		DF where the packet is longer than 1260 bytes and no fragment; a packet
 *			with DF that is too big for the next hop is refused with an MTU that is 20
 *			larger, others leave as fragments
 *	to IPv6		without DF: fragments of 1280 bytes at most; with DF: refused with an MTU
 *			that is 20 smaller
 *	ICMP errors	icmp_map.h; cut to 576 bytes (IPv4) or 1280 (IPv6)
 */

#include "dataplane/fullnat/local_end.h"

#define FAM_TEMPLATE "dataplane/translate/translate.fam.h"
#include "base/both_families.h"

#endif
