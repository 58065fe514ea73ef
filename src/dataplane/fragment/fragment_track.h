/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_FRAGMENT_FRAGMENT_TRACK_H
#define PLVS_DATAPLANE_FRAGMENT_FRAGMENT_TRACK_H

/*
 * Fragments of TCP and UDP follow their first one, which has the ports. All fragments of a
 * datagram meet at one worker, owner(client, 0), whoever received them; it learns the ports
 * from the first, writes them into the tag of each and hands it to the connection's owner,
 * boundaries untouched. What comes before its first waits here, counted as parked.
 *
 * Memory is fixed; datagrams, and fragments that wait, are bounded per source as well, and
 * end after FOLLOW_TICKS. Without room the oldest gives way, unless all that are looked at came in
 * this tick: the fragments of a real datagram come within a few milliseconds. Networks have no
 * bound of their own: forged sources are of all networks. Worker context.
 */

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/stages/pkt.h"

#define FOLLOW_TICKS	  (CONN_TICK_HZ * 2)
#define FOLLOW_BUCKETS	  128 /* of FOLLOW_WAYS datagrams */
#define FOLLOW_WAYS	  8
#define FOLLOW_RANGES	  16  /* gaps in what has come of one datagram, + 1 */
#define FOLLOW_WAITING	  256 /* fragments that wait, of all datagrams */
#define FOLLOW_SOURCES	  1024
#define FOLLOW_PER_SOURCE 128 /* datagrams of one source; sources share by hash */
#define FOLLOW_WAIT_MAX	  64  /* fragments of one source that wait */
#define FOLLOW_DECIDED	  256 /* one-packet datagrams whose server is remembered */

struct worker;

/* One datagram of which fragments have come. Offsets in units of 8 bytes. */
struct follow_entry {
	be32 saddr, daddr;
	be16 id;
	uint8_t proto; /* 0: free */
	uint8_t n_ranges;
	be16 sport, dport; /* with known */
	bool known;	   /* the first has come */
	uint16_t end;	   /* with the last one; 0 = has not come */
	uint16_t waiting;  /* list of follow_wait, or 0 */
	uint32_t since_tick;
	struct {
		uint16_t from, to;
	} ranges[FOLLOW_RANGES];
};

struct follow_wait {
	struct rte_mbuf *m;
	uint16_t next;
	uint16_t source;
	uint16_t entry; /* its datagram, + 1; 0: it is ready */
};

/* The server of a one-packet datagram, for fragments to come; a newer one takes its place. */
struct follow_decided {
	be32 saddr, daddr;
	be16 id;
	uint16_t pad;
	uint32_t server; /* server_rt id; 0: free */
	uint32_t since_tick;
};

struct follow {
	uint32_t n;	    /* datagrams */
	uint32_t n_waiting; /* waiting and ready: what the worker counts as parked for it */
	uint32_t looked_tick;
	uint32_t cursor;
	uint16_t free, ready; /* lists of waits; 0 ends */
	uint16_t fresh;	      /* waits never used yet start here */
	uint16_t hand;	      /* the wait that was asked last to give way */
	struct follow_entry entries[FOLLOW_BUCKETS * FOLLOW_WAYS];
	struct follow_wait waits[FOLLOW_WAITING + 1];
	uint16_t datagrams[FOLLOW_SOURCES], waits_of[FOLLOW_SOURCES];
	struct follow_decided decided[FOLLOW_DECIDED]; /* of connections owned here */
};

/* For a fragment whose tag has the ports: key and flags of p. Parse. */
void follow_known(struct pkt4 *p);
/* A fragment of TCP or UDP that will be balanced. True: its ports are known now. False: it
 * has left, for its home, to wait, or dropped. Steer. */
bool follow_steer(struct worker *w, struct pkt4 *p, be32 client);
/* One-packet scheduling makes no connection that a later fragment could find: its owner keeps
 * the choice for the first one. Schedule. */
void follow_decided_put(struct worker *w, const struct pkt4 *p, uint32_t server);
/* The server_rt id that was chosen for p's datagram, or 0. */
uint32_t follow_decided_find(const struct worker *w, const struct pkt4 *p);
/* Runs what need not wait any more, ends what is too old. Once per loop, when there is any. */
void follow_round(struct worker *w);
/* Drops all that waits. At the end. */
void follow_drain(struct worker *w);

#endif
