/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of fragment_track.h that is compiled once for each address family. */

/* A datagram of which fragments have come. Offsets in units of 8 bytes. */
struct FAM(follow_entry) {
	FAM_ADDR saddr, daddr;
	be32 id;
	uint8_t proto; /* 0: free */
	uint8_t n_ranges;
	be16 sport, dport; /* with known */
	bool known;	   /* the first fragment has come */
	bool udp;	   /* with known */
	bool no_sum;	   /* with udp: without a checksum */
	uint16_t end;	   /* known from the last fragment; 0 = it has not come */
	uint16_t waiting;  /* list of follow_wait, or 0 */
	uint32_t since_tick;
	struct {
		uint16_t from, to;
	} ranges[FOLLOW_RANGES];
};

struct FAM(follow_wait) {
	struct rte_mbuf *m;
	uint16_t next;
	uint16_t source;
	uint16_t entry; /* index of its datagram, + 1; 0: ready to run */
};

/* The server of a one-packet datagram, for fragments to come; a newer one takes its place. */
struct FAM(follow_decided) {
	FAM_ADDR saddr, daddr;
	be32 id;
	uint32_t server; /* server_rt id; 0: free */
	uint32_t since_tick;
};

struct FAM(follow) {
	uint32_t n;	    /* datagrams */
	uint32_t n_waiting; /* waiting and ready: the share of the worker's parked count */
	uint32_t looked_tick;
	uint32_t cursor;
	uint16_t free, ready; /* lists of waits; 0 ends */
	uint16_t fresh;	      /* waits never used yet start here */
	uint16_t hand;	      /* the wait at which the last search for room stopped */
	struct FAM(follow_entry) entries[FOLLOW_BUCKETS * FOLLOW_WAYS];
	struct FAM(follow_wait) waits[FOLLOW_WAITING + 1];
	uint16_t datagrams[FOLLOW_SOURCES], waits_of[FOLLOW_SOURCES];
	struct FAM(follow_decided) decided[FOLLOW_DECIDED]; /* of connections owned here */
};

/* Sets key and flags of p, a fragment whose tag has the ports. Stage parse. */
void FAM_FN(follow, known)(struct FAM(pkt) *p);
/* Takes a fragment of TCP or UDP that will be balanced. True: its ports are known now. False: the
 * fragment has left: handed off to its home, kept to wait, or dropped. Stage steer. */
bool FAM_FN(follow, steer)(struct worker *w, struct FAM(pkt) *p, FAM_ADDR client);
/* Keeps the server that one-packet scheduling chose for a first fragment: such a datagram has no
 * connection that later fragments could find. The worker that owns the connection, in stage
 * schedule. */
void FAM_FN(follow, decided_put)(struct worker *w, const struct FAM(pkt) *p, uint32_t server);
/* The server_rt id that was chosen for p's datagram, or 0. */
uint32_t FAM_FN(follow, decided_find)(const struct worker *w, const struct FAM(pkt) *p);
/* Runs fragments that are ready, and ends datagrams that are too old. Once per loop, if there are
 * any. */
void FAM_FN(follow, round)(struct worker *w);
/* Drops all waiting fragments. At the end of the worker. */
void FAM_FN(follow, drain)(struct worker *w);
