/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_SIEVE_SIEVE_KEYS_H
#define PLVS_DATAPLANE_SIEVE_SIEVE_KEYS_H

/*
 * The maps of the sieve: the XDP program (sieve.bpf.c) reads them, the router (sieve.c) writes
 * them. Addresses of IPv4 are written as ::ffff:a.b.c.d, so each map has both families. Keys have
 * no padding that is not zero. The program includes this header too, so it has only fixed types.
 */

#include <stdint.h>

/* Names of maps have at most 15 characters. */
#define SIEVE_TO   "plvs_to"
#define SIEVE_FROM "plvs_from"
#define SIEVE_OWN  "plvs_own"

#define SIEVE_PROGRAM "plvs_sieve" /* the name of the program, as the kernel shows it */

#define SIEVE_TO_MAX   262144
#define SIEVE_FROM_MAX 524288
#define SIEVE_OWN_MAX  65536
#define SIEVE_QUEUES   256

/* plvs_to: destinations. The longest prefix decides. */
struct sieve_to_key {
	uint32_t len; /* prefix length in bits; for IPv4 96 more than that of the prefix */
	uint8_t addr[16];
};

enum sieve_kind {
	/* An address that Linux has while this router is active: frames go to Linux. ARP and ND
	 * for the address are dropped when no router reads the interface. */
	SIEVE_GATEWAY = 1,
	SIEVE_BALANCED, /* frames go to the router */
};

struct sieve_to {
	uint8_t kind; /* enum sieve_kind */
	uint8_t host; /* 1: of one address, not of a prefix */
};

/* plvs_from: endpoints of servers whose replies pass here. port 0 and proto 0: the address. */
struct sieve_from_key {
	uint8_t addr[16];
	uint16_t port; /* network order */
	uint8_t proto;
	uint8_t zero;
};

struct sieve_from {
	uint8_t any; /* of an address: 1 = frames of every protocol and port */
	uint8_t zero;
};

/* plvs_own: addresses of Linux. A frame to one of them is no reply to a client. */
struct sieve_own_key {
	uint8_t addr[16];
};

#endif
