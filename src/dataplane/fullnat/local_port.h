/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_FULLNAT_LOCAL_PORT_H
#define PLVS_DATAPLANE_FULLNAT_LOCAL_PORT_H

/*
 * Local ports of full NAT. A connection by full NAT reaches its server from an address of a pool
 * and a local port. The server's reply comes to this address and port, from which the receiving
 * port computes an owner (owner.h). So the local port is one whose step is the step of the
 * client's own endpoint: the reply arrives at the worker that has the connection, on every router,
 * however many workers the router has.
 *
 * A GROUP is the ports of one step for one pool address and one server endpoint (address, port,
 * protocol): 512 ports, of which those below 1024, about eight, are not used. Groups are made as
 * needed, in memory that is reserved at the start. When none is left, a group without ports in use
 * or in quarantine is given to another server endpoint. A group is a cache line (IPv6: two), and a
 * ring of free ports, which has memory of its own once a port was given back. The heads of the 128
 * steps of a pool address and a server endpoint are neighbours.
 *
 * A group has two halves, even and odd ports. Each router of a pair takes ports of its own half
 * first (`side`). Half-open connections are not reported to the peer, so a router that takes over
 * does not know their ports. As long as the halves suffice, these ports are not of its half.
 *
 * A half gives ports that were never used, then the port that is free for the longest time. A port
 * is free again 60 s after its connection ended. For so long the server may have the connection in
 * TIME_WAIT, and judges the next SYN from the same port by the last sequence number and time stamp.
 * The quarantine belongs to the port, so the port of an entry that gives way is in quarantine as
 * well.
 *
 * An IPv4 connection has two bytes for its local address (local_end.h): the number of the address
 * among those that have groups. A number is given to another address when no group has the former
 * one.
 *
 * Pure: no worker, no clock, no packet. Context: the owner of the object; create and destroy:
 * control.
 */

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/owner.h"

#define LOCAL_PORT_FIRST   1024 /* ports below are not used */
#define LOCAL_PORT_HALF	   (OWNER_WORDS / 2)
#define LOCAL_PORT_HELD_S  60 /* quarantine */
#define LOCAL_PORT_COUNT_S 128
#define LOCAL_PORT_TRIES   64 /* halves of groups that one choice looks at */
#define LOCAL_PORT_HINTS   4096
#define LOCAL_PORT_SAMPLE  256	/* choices between two measurements of a pool */
#define LOCAL_PORT_FRESH_S 10	/* validity of a measurement */
#define LOCAL_ADDRS	   4096 /* IPv4: addresses of pools that have groups at a time */
/* Ports of a pool address for one server endpoint, over all steps. */
#define LOCAL_PORTS (UINT16_MAX + 1 - LOCAL_PORT_FIRST)

/* A port that was used and is free, by its place among the words of its half, and since when, in
 * seconds modulo 256. */
struct local_free {
	uint8_t place;
	uint8_t since_s;
};

/* Of a connection with a local port, by its entry. */
struct local_place {
	uint32_t group : 20;	/* of the port; 0: none */
	uint32_t place : 8;	/* of the port in its half of the group */
	uint32_t announced : 1; /* the port was, by PORT or EPRT of FTP: ftp_port.h */
};
_Static_assert(sizeof(struct local_place) == 4, "16 in a cache line");

struct local_ring {
	struct local_free free[2][LOCAL_PORT_HALF];
};

/*
 * Half of a group: ports that were never used, then a ring of free ones, oldest first. The
 * quarantine of the first n_rested of them is over. The others were in quarantine at counted_s, or
 * were given back since, the last one at freed_s. Ports are counted when one is given back
 * LOCAL_PORT_COUNT_S after the last count, or LOCAL_PORT_HELD_S after the port before. So the age
 * of a port that is not counted is below 256 s until LOCAL_PORT_HELD_S after freed_s.
 */
struct local_half {
	uint32_t freed_s, counted_s;
	uint16_t n_fresh;     /* words of the step already searched */
	uint16_t n, n_rested; /* of the ring */
	uint8_t head;	      /* of the ring */
	uint8_t first;	      /* the place of the first word */
};
_Static_assert(LOCAL_PORT_COUNT_S + 2 * LOCAL_PORT_HELD_S <= UINT8_MAX, "local_free.since_s");
_Static_assert(LOCAL_PORT_HALF == UINT8_MAX + 1,
	       "a place in a half, and in its ring, is a uint8_t");

/* A measurement of a pool's use for a server in one word: the server's id, percent, and seconds. */
static inline uint64_t local_fill_word(uint32_t server, uint32_t percent, uint32_t now_s)
{
	return (uint64_t)server << 40 | (uint64_t)percent << 32 | now_s;
}

static inline uint32_t local_fill_server(uint64_t word)
{
	return (uint32_t)(word >> 40);
}

static inline uint32_t local_fill_percent(uint64_t word)
{
	return word >> 32 & 0xff;
}

/* True: the measurement is no older than LOCAL_PORT_FRESH_S. */
static inline bool local_fill_counts(uint64_t word, uint32_t now_s)
{
	return word != 0 && now_s - (uint32_t)word <= LOCAL_PORT_FRESH_S;
}

/* Groups for `capacity` connections of a worker. A server endpoint has one group for each step of
 * the worker, and more only as these fill up. With one worker there is room for 128 to 4096
 * endpoints. Memory is used as groups are. */
static inline uint32_t local_port_groups(uint32_t capacity)
{
	const uint32_t n = capacity / 4, least = 128 * OWNER_STEPS, most = 4096 * OWNER_STEPS;

	_Static_assert(4096 * OWNER_STEPS < 1 << 20, "local_place.group");
	return n < least ? least : n > most ? most : n;
}

#define FAM_TEMPLATE "dataplane/fullnat/local_port.fam.h"
#include "base/both_families.h"

#endif
