/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_PROXY_PROXY_H
#define PLVS_DATAPLANE_PROXY_PROXY_H

/*
 * The client's address for a real server (`client_address` of a service): a header of the PROXY
 * protocol (haproxy.org, "The PROXY protocol", versions 1 and 2) comes first in the data that the
 * server reads. For NAT and full NAT, whose replies pass here.
 *
 * TCP. The header stands at ISS + 1 of the client, before the client's first byte. So all later
 * numbers of the client are larger by the length of the header at the server, and acknowledgements
 * of the server are smaller by as much at the client:
 *
 *	client	            ISS + 1 = first         first + n
 *	server	ISS + 1 = first  [header]  first + len        first + len + n
 *
 * The length follows from addresses, ports and version, so a connection needs two bytes of its
 * entry for all of its life (proxy, proxy_len of struct conn4, conn6). Until the server has
 * acknowledged the header, `first` is needed as well: struct proxy_start, in a table of its own.
 *
 *	SYN            data and TCP Fast Open are taken out: the server's first byte is the header
 *	SYN-ACK        gives `first`, which an attacker cannot forge without seeing the SYN-ACK. MSS
 *	               and window are lowered by the length, so that the client leaves room
 *	sending        each segment of the client at `first` (the ACK of the handshake, data, FIN, a
 *	               keepalive one before it) brings the whole header again; later ones are moved.
 *	               A segment longer than the next hop's MTU with the header becomes two.
 *	               Acknowledgements within the header become `first`
 *	done           numbers are moved: one word, and edges of SACK
 *
 * Losses are repaired by both ends: the header has no timer here. While the server lacks the
 * header, either the client retransmits data, or the server retransmits its SYN-ACK, which the
 * client answers at `first`.
 *
 * UDP, version 2 alone: every datagram begins with a header, padded to a multiple of 8 by a TLV of
 * type NOOP, so that offsets of later fragments can be moved.
 *
 * TOA, an option of TCP in the place of a header: toa.c.
 *
 * Worker context, one owner.
 */

#include "dataplane/worker.h"
#include "model/client_address.h"

#define TOA_KIND 254U

/* True: an option of TCP has the address of a client, of either family. */
static inline bool toa_is_option(const uint8_t *o, uint8_t len)
{
	return *o == TOA_KIND && (len == 8 || len == 20);
}

/* Version 1: "PROXY TCP6 ", two addresses, two ports, blanks, CR, LF, NUL. */
#define PROXY_HEADER_MAX 108

#define FAM_TEMPLATE "dataplane/proxy/proxy.fam.h"
#include "base/both_families.h"

#endif
