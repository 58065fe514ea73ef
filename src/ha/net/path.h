/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_NET_PATH_H
#define PLVS_HA_NET_PATH_H

/*
 * A path to the peer: a UDP socket between two addresses, one of the router's own and one of
 * the peer's, ahead of other traffic (DSCP CS6, SO_PRIORITY 7: the TAP's urgent queue). The kernel
 * passes only datagrams from the peer's endpoint. If the socket cannot be made yet, because its
 * address is missing, path_tick() tries again.
 *
 * Heartbeats and synchronisation have separate paths (other ports), so that neither waits in the
 * other's socket.
 *
 * Context: the ha thread, in the namespace of the TAPs. struct path_state: any thread with
 * relaxed loads. now_us is monotonic, in microseconds.
 */

#include <stdbool.h>

#include "base/addr.h"
#include "ha/wire/ha_wire.h"

#define PATH_NAME_LEN 64

struct event_base;
struct path;

struct path_config {
	char name[PATH_NAME_LEN]; /* "public", for people */
	struct endpoint own, peer;
	uint32_t cluster_id;
	uint32_t buffer; /* bytes of socket buffer each way; 0 = 256 KiB */
};

struct path_ops {
	/* An authentic datagram; the payload is valid during the call. True: the datagram is of the
	 * peer's present session and names the session here, so the path may count its loss, round
	 * trip and time of hearing. Must not destroy the path. */
	bool (*received)(void *arg, struct path *p, const struct ha_envelope *e,
			 const uint8_t *payload, uint64_t now_us);
	/* The time at which the socket wakes the loop, in microseconds. */
	uint64_t (*now_us)(void *arg);
	void *arg;
};

/* X(name, help): one uint64_t of struct path_counters each. `received` counts authentic datagrams.
 * `lost` goes by sequence; a late datagram is subtracted again. `send_errors` counts a missing
 * route or address, and a full buffer. */
#define PATH_COUNTERS(X)                                                                           \
	X(sent, "heartbeats sent")                                                                 \
	X(send_errors, "heartbeats that Linux did not take")                                       \
	X(received, "heartbeats received")                                                         \
	X(lost, "heartbeats of the peer that did not come")

struct path_counters {
#define X(name, help) uint64_t name;
	PATH_COUNTERS(X)
#undef X
};

struct path_state {
	bool open;
	bool failing;	  /* the last send failed */
	uint64_t refused; /* ICMP: no socket at the peer's port */
	uint64_t bad[HA_WIRE_MAX];
	struct path_counters counters;
	uint64_t out_of_order; /* reordered, or twice */
	uint64_t heard_us;     /* time of the last new datagram; 0: never */
	uint32_t rtt_us;       /* smoothed; 0: not known yet */
};

/* keys and ops outlive the path. 0, or -errno with *out untouched: -EINVAL (families differ,
 * a port is 0), -ENOMEM. A socket that cannot be made is no error. */
int path_create(const struct path_config *config, struct event_base *base,
		const struct ha_keys *keys, const struct path_ops *ops, struct path **out);
void path_destroy(struct path *p);

/* Fills in path_* of *e, seals and sends. 0 or -errno; counted, logged once per edge. */
int path_send(struct path *p, struct ha_envelope *e, const void *payload, size_t len,
	      uint64_t now_us);
/* Counts a datagram that was given to `received` and has an impossible content. */
void path_refuse(struct path *p, enum ha_wire_error error);
/* Takes waiting datagrams, at most budget. True: there may be more. The loop calls this by itself;
 * a loop that was late calls it before its timers. */
bool path_drain(struct path *p, unsigned int budget, uint64_t now_us);
/* Once a second or so. */
void path_tick(struct path *p, uint64_t now_us);
/* Forgets sequences, for a new session of the peer. */
void path_forget(struct path *p);

const struct path_state *path_state(const struct path *p);
const char *path_name(const struct path *p);

#endif
