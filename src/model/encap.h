/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_ENCAP_H
#define PLVS_MODEL_ENCAP_H

/*
 * Encapsulations of the forwarding method tunnel: the headers between the outer IP header and the
 * client's packet (ipvsadm --tun-type). A server has one encapsulation. Workers read the present
 * one for each packet, by the server's id.
 */

#include <stdint.h>

#include "base/be.h"

/* X(NAME, name) */
#define ENCAP_TYPES(X)                                                                             \
	X(IPIP, ipip) /* none: RFC 2003, RFC 2473, RFC 4213 */                                     \
	X(GUE, gue)   /* UDP and the base header of generic UDP encapsulation, version 0 */        \
	X(GRE, gre)   /* RFC 2784 */

enum encap_type {
#define X(NAME, name) ENCAP_##NAME,
	ENCAP_TYPES(X)
#undef X
		ENCAP_MAX
};

/* Checksums over the client's packet, in the UDP header of GUE and the header of GRE. */
enum encap_checksum {
	ENCAP_NO_CHECKSUM,
	ENCAP_CHECKSUM,
	/* GUE: remote checksum offload. IPVS uses the offload for packets whose own checksum is
	 * unfinished. Packets that come from a wire have a finished one, and get the checksum of
	 * UDP. */
	ENCAP_REMOTE_CHECKSUM,
};

struct encap {
	uint8_t type;	  /* enum encap_type */
	uint8_t checksum; /* enum encap_checksum */
	be16 port;	  /* of GUE at the server; else 0 */
} __attribute__((aligned(4)));
_Static_assert(sizeof(struct encap) == sizeof(uint32_t), "read and written as a whole");

#define ENCAP_UDP_LEN 8U
#define ENCAP_GUE_LEN 4U /* after the header of UDP */
#define ENCAP_GRE_LEN 4U

/* Bytes between the outer IP header and the client's packet. */
static inline uint16_t encap_len(struct encap e)
{
	switch (e.type) {
	case ENCAP_GUE:
		return ENCAP_UDP_LEN + ENCAP_GUE_LEN;
	case ENCAP_GRE:
		return e.checksum ? 2 * ENCAP_GRE_LEN : ENCAP_GRE_LEN;
	default:
		return 0;
	}
}

#endif
