/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BASE_ADDR_H
#define PLVS_BASE_ADDR_H

/*
 * Addresses, prefixes, endpoints and MACs as values, with parse and format.
 * Context: any. No function here allocates or resolves names.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/be.h"

enum addr_family {
	ADDR_NONE = 0,
	ADDR_V4 = 4,
	ADDR_V6 = 6,
};

/* Unused bytes are zero, so that memcmp() of the whole struct is equality. */
struct addr {
	uint8_t family; /* enum addr_family */
	uint8_t pad[3];
	union {
		be32 v4;
		uint8_t v6[16];
		uint32_t word[4];
	};
};
_Static_assert(sizeof(struct addr) == 20, "addr is hashed and compared as bytes");

struct prefix {
	struct addr addr; /* host bits are zero */
	uint8_t len;
};

struct endpoint {
	struct addr addr;
	be16 port;
	uint16_t pad; /* zero */
};

/* An address with the length of its network, as an interface has it: "192.0.2.10/24". */
struct net_addr {
	struct addr addr; /* host bits kept */
	uint8_t len;
};

/* A route of Linux: "default via 192.0.2.1", "10.3.0.0/16 via 10.1.0.9 metric 20". */
struct net_route {
	struct prefix dest; /* "default" = 0.0.0.0/0 or ::/0 */
	struct addr via;    /* ADDR_NONE: on the link */
	struct addr source; /* ADDR_NONE: Linux chooses */
	uint32_t metric;    /* 0 = Linux's default */
};

struct mac {
	uint8_t byte[6];
};

#define ADDR_STRLEN	48 /* "ffff:...:ffff" and the final NUL */
#define PREFIX_STRLEN	(ADDR_STRLEN + 4)
#define ENDPOINT_STRLEN (ADDR_STRLEN + 8)
#define MAC_STRLEN	18

struct addr addr_from_v4(be32 v4);
bool addr_equal(const struct addr *a, const struct addr *b);
bool addr_is_zero(const struct addr *a);
/* 127.0.0.0/8 or ::1. */
bool addr_is_loopback(const struct addr *a);
/* The address without its host bits: len bits are kept. */
struct addr addr_masked(const struct addr *a, unsigned int len);
/* Orders by family, then by value; for qsort(). */
int addr_cmp(const struct addr *a, const struct addr *b);

/* All parse functions: 0, or -EINVAL with *out untouched. The whole string must match. */
int addr_parse(const char *text, struct addr *out);
/* "10.0.0.0/8", or an address alone (then /32, /128). Host bits that are set: -EINVAL. */
int prefix_parse(const char *text, struct prefix *out);
/* As prefix_parse(), but keeps the host's address: "192.168.1.254/24". */
int addr_with_len_parse(const char *text, struct addr *addr, uint8_t *len);
/* "10.1.0.100:80", "[2001:db8::1]:80". Port 0 to 65535, decimal. */
int endpoint_parse(const char *text, struct endpoint *out);
int mac_parse(const char *text, struct mac *out);

bool prefix_contains(const struct prefix *p, const struct addr *a);
/* fe80::/10: an address that means something on one link only. */
bool addr_is_link_local(const struct addr *a);
/* True: one station can have the address. The address is not multicast, loopback, unspecified, of
 * 0.0.0.0/8, or an IPv4 address mapped into IPv6. */
bool addr_is_unicast(const struct addr *a);
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);

/* All format functions write at most len bytes with NUL, and return buf. */
const char *addr_format(const struct addr *a, char *buf, size_t len);
const char *prefix_format(const struct prefix *p, char *buf, size_t len);
const char *endpoint_format(const struct endpoint *e, char *buf, size_t len);
const char *mac_format(const struct mac *m, char *buf, size_t len);

/* For tables of the control plane. Not for keys that a stranger chooses. */
uint32_t addr_hash(const struct addr *a);

#endif
