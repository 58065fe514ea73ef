/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_GOLDEN_SCENARIO_H
#define PLVS_TESTS_GOLDEN_SCENARIO_H

/*
 * A recorded scenario, run through the real configuration, builder and stages: one worker,
 * ring ports, virtual time. recorded/README.md describes the format.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "control/config.h"
#include "control/publish.h"
#include "lib/harness.h"

/* A connection that the scenario made, for `close` and `rst`. */
struct played {
	be32 client, dest;
	be16 cport, dport;
	bool closed;
	struct endpoint server;
};

struct scenario {
	json_t *doc;
	const char *name;
	struct harness harness;
	struct publisher publisher;
	struct config *config;
	struct played *played;
	uint32_t n_played, max_played;
	json_t *decisions; /* as in the recordings */
	uint32_t step;	   /* "i" of the next one */
	char error[512];   /* why it could not run */
};

/* 0; -ENOTSUP: needs something that plvs refuses as not supported yet; another -errno: the
 * file is not a scenario. error says why. */
int scenario_open(struct scenario *s, const char *path);
void scenario_close(struct scenario *s);

/* Plays all events; decisions are then complete. 0 or -errno with error. */
int scenario_play(struct scenario *s);

/* The listing at the end, as the recordings have it: {list, stats, conns}. New reference. */
json_t *scenario_final(struct scenario *s);
/* ipvsadm -Ln --nosort. New reference. */
json_t *scenario_list(struct scenario *s);

/* --- traffic.c: packets of a client and of servers, decided by what comes out --- */

/* One decision: what a SYN or a datagram led to. server is NULL when refused. */
struct verdict {
	bool forwarded;
	struct endpoint server;
	char reply[16]; /* "icmp 3/3", "rst", "" */
};

struct verdict traffic_first(struct scenario *s, uint8_t proto, const struct played *c);
/* The rest of a handshake. DR: only the client's ACK crosses the director. */
void traffic_establish(struct scenario *s, const struct played *c, bool nat);
void traffic_close(struct scenario *s, const struct played *c, bool nat);
void traffic_reset(struct scenario *s, const struct played *c);
void traffic_reply(struct scenario *s, const struct played *c);
/* Gives every wanted next hop the MAC 02:01 + address, and runs until nothing moves. */
void traffic_settle(struct scenario *s);

#endif
