/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_LIB_LAB_FAMILIES_H
#define PLVS_TESTS_LIB_LAB_FAMILIES_H

/*
 * The laboratory (lab.h) with IPv6 beside IPv4: the client CLIENT6 on port 0, the server SERVER6
 * on port 1, and routes to both. VIPs and addresses of pools are for the services of a test.
 */

#include "lib/lab.h"

#define VIP6	"2001:db8:1::100"
#define CLIENT6 "2001:db8:c::1"
#define SERVER6 "2001:db8:10::1"
#define ROUTER6 "2001:db8:10::fe" /* the director's own address on port 1 */
#define LOCAL6	"2001:db8:10::200"

/* lab_open() with neighbours on the links, and IPv6. 0 or -1. */
int lab_families_open(void **state, uint64_t max_connections);
/* Makes an address of a pool of each family, on the servers' link. 0 or -1. */
int lab_families_pools(const char *local4, const char *local6);

/* The next packet that left by a port. Fails the test where none did, or a checksum is wrong. */
struct packet lab_take(unsigned int port);
/* The answer of the receiver of a packet: the addresses and ports the other way. */
struct packet lab_answer(const struct packet *got, uint8_t flags);

#endif
