/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_GROUP_H
#define PLVS_HEALTH_GROUP_H

/*
 * The rules of a service: from the standing of its servers to the effect on each server (struct
 * health_effect). The functions depend on their arguments alone: the caller gives the time.
 *
 * Quorum, counted over regular servers that are STANDING_IN, each as 1 or by its configured
 * weight; n is that sum, q the quorum, h the hysteresis (q + h never over the sum of all servers):
 *
 *	          n >= q                n < q
 *	START ----------------> HELD -----------> LOST
 *	                          ^                 |
 *	                          +-----------------+
 *	                              n >= q + h
 *
 * The servers that may be chosen, by the first line that applies:
 *	1. the quorum is not held and some sorry server is IN: the sorry servers that are IN
 *	2. some regular server is IN: the regular servers that are IN
 *	3. servers are down by passive checks alone: the last of these stays
 *	4. all_down is keep_last: the servers that were up last (see below)
 *	5. no server
 *
 * Up last: the servers that checks took down at most window_us before the last server went down.
 * window_us is the time that checks need to see a server fail. A fault of all servers is not seen
 * at one moment for all, and the last server alone would get the load of all. Servers that
 * operators took out are not kept.
 *
 * Context: control.
 */

#include "health/member.h"
#include "health/weight.h"

enum quorum_state { QUORUM_START, QUORUM_HELD, QUORUM_LOST, QUORUM_MAX };

struct group_member {
	/* --- given --- */
	uint8_t standing; /* enum standing */
	bool by_checks;	  /* DOWN, and not by an operator's order */
	bool passive;	  /* DOWN by passive checks only */
	bool drain;	  /* IN, but gets weight 0 */
	bool sorry;
	uint8_t consequence; /* enum health_consequence */
	bool first;	     /* began with its service: no slow start the first time */
	uint32_t configured; /* weight */
	struct weight_advice advice;
	/* --- preserved from call to call, zeroed at first --- */
	bool was_in;	  /* the server has been IN before */
	bool is_in;	  /* STANDING_IN at the last call */
	uint64_t slow_us; /* slow start began; 0 = none */
	uint64_t out_us;  /* time at which checks took it down while IN; 0 = not since */
	/* --- results --- */
	struct health_effect effect;
	const char *source; /* of the weight */
};

struct group_state {
	uint8_t quorum; /* enum quorum_state */
	bool holds;	/* line 3 or 4 holds */
	uint32_t n_in;	/* regular servers that are IN */
	uint64_t weight_in;
};

extern const char *const quorum_names[QUORUM_MAX];
/* Takes one step of the drawing. total: the sum n with all servers up. */
enum quorum_state quorum_step(enum quorum_state q, const struct health_policy *policy, uint64_t n,
			      uint64_t total);

/*
 * Sets every member's effect and source. True: an effect changed. *due_us: time of the next call,
 * because weights grow; UINT64_MAX = not before a change.
 */
bool group_settle(struct group_state *g, const struct health_policy *policy,
		  struct group_member *const *m, uint32_t n, uint64_t window_us, uint64_t now_us,
		  uint64_t *due_us);

/* Ends every slow start: servers that are up at a takeover count as up for long. */
void group_takeover(struct group_member *const *m, uint32_t n);

#endif
