/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_EXT6_H
#define PLVS_DATAPLANE_STAGES_EXT6_H

/*
 * IPv6 extension headers (RFC 8200, 4): a bounded walk from the IPv6 header to the header of the
 * protocol that is balanced. Any context; no packet structures.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/be.h"

#define EXT6_MAX     16	  /* headers of one packet */
#define EXT6_LEN_MAX 1024 /* bytes of the IPv6 header and all extension headers */

/* Next header values without a name in netinet/in.h of every system. */
#define EXT6_HOP      0
#define EXT6_ROUTING  43
#define EXT6_FRAGMENT 44
#define EXT6_ESP      50
#define EXT6_AH	      51
#define EXT6_NONE     59
#define EXT6_DEST     60
#define EXT6_MOBILITY 135
#define EXT6_HIP      139
#define EXT6_SHIM6    140

#define EXT6_JUMBO 0xc2U /* an option (RFC 2675) */

struct ext6_fragment {
	uint8_t next;
	uint8_t reserved;
	be16 field; /* offset in units of 8 bytes << 3 | more */
	be32 id;
} __attribute__((packed));  /* alignment: behind an Ethernet header of 14 bytes */
#define EXT6_OFFSET 0xfff8U /* bytes */
#define EXT6_MORE   0x0001U

enum ext6_verdict {
	EXT6_OK,
	EXT6_CUT,      /* the headers do not end within the readable bytes */
	EXT6_TOO_LONG, /* more than EXT6_MAX headers or EXT6_LEN_MAX bytes */
	EXT6_OPTION,   /* an unknown hop-by-hop option of a kind that routers must not pass */
	EXT6_ORDER,    /* hop-by-hop options but not first; a second fragment header */
};

struct ext6 {
	uint8_t proto;	   /* of the header at l4_off; EXT6_NONE: nothing follows */
	bool routing0;	   /* a routing header of type 0 with segments left (RFC 5095) */
	uint16_t l4_off;   /* from the IPv6 header */
	uint16_t fragment; /* offset of the fragment header; 0: there is none */
	uint16_t at;	   /* EXT6_OPTION: the option */
	uint8_t option;
};

/* l3: an IPv6 header, of which here bytes are readable and len bytes are the packet. */
enum ext6_verdict ext6_walk(const uint8_t *l3, uint32_t len, uint32_t here, struct ext6 *out);

/* True: the sender of an unknown hop-by-hop option gets an error (RFC 8200, 4.2). Jumbograms are
 * known, and dropped. */
static inline bool ext6_option_told(uint8_t option)
{
	return (option & 0x80) && option != EXT6_JUMBO;
}

/* The fragment header of a packet that ext6_walk() has accepted, up to l4_off; or NULL. */
struct ext6_fragment *ext6_fragment_find(uint8_t *l3, uint16_t l4_off);

static inline bool ext6_is_header(uint8_t proto)
{
	return proto == EXT6_HOP || proto == EXT6_ROUTING || proto == EXT6_FRAGMENT ||
	       proto == EXT6_AH || proto == EXT6_DEST || proto == EXT6_MOBILITY ||
	       proto == EXT6_HIP || proto == EXT6_SHIM6;
}

#endif
