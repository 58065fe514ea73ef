/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_MEMBER_H
#define PLVS_HEALTH_MEMBER_H

/*
 * A real server of a service: the state of its checks together, the words of operators and
 * agents, and whether the server may be chosen. The functions depend on their arguments alone: the
 * caller gives the time.
 *
 * The checks together: a check that is DOWN makes DOWN; all UP (also: none at all) make UP;
 * else UNKNOWN.
 *
 *	state    checks: UNKNOWN   UP                        DOWN
 *	UNKNOWN          -         UP                        DOWN
 *	UP               -         -                         DOWN
 *	DOWN             -         UP after reentry_ms;      -
 *	                           a failure meanwhile
 *	                           starts the wait again
 *
 * Context: control.
 */

#include "health/health.h"

/* Whether a server is in the choice of its service, before the service's own rules. */
enum standing {
	STANDING_OUT, /* nobody knows yet */
	STANDING_IN,
	STANDING_DOWN,
	STANDING_MAINT, /* no new connections, old ones go on */
	STANDING_MAX
};
extern const char *const standing_names[STANDING_MAX]; /* "unknown", "up", "down", ... */

struct member_state {
	uint8_t state; /* enum health_state */
	uint8_t peer;  /* enum health_state: the other router's, counts while state is UNKNOWN */
	uint8_t admin; /* enum health_admin */
	bool drain, maint; /* an agent's words, until it says ready */
	uint64_t good_us;  /* DOWN: its checks are all up since; 0 = they are not */
};

/* The step of a server in a state, by the state of its checks together. */
enum member_step { MEMBER_STAY, MEMBER_RISE, MEMBER_FALL, MEMBER_WAIT };
extern const uint8_t member_steps[HEALTH_STATE_MAX][HEALTH_STATE_MAX]; /* [state][checks] */

/* states[n]: enum health_state of each check. */
enum health_state member_combine(const uint8_t *states, uint32_t n);

/*
 * Takes one step. failed: some probe has failed just now, whatever it counted. Returns
 * whether the state changed; *due_us is when to come again, UINT64_MAX = when something
 * is said.
 */
bool member_update(struct member_state *m, enum health_state checks, bool failed,
		   uint64_t reentry_us, uint64_t now_us, uint64_t *due_us);

/* The state that counts: the server's own, or while the own state is UNKNOWN, the peer's. */
enum health_state member_verdict(const struct member_state *m);
enum standing member_standing(const struct member_state *m);
/* Whether an operator's maintenance makes probes pointless. */
bool member_asked(const struct member_state *m);

/* Takes an agent's words over; whether one of them was new. advice: ADVICE_* bits. */
bool member_advise(struct member_state *m, uint32_t advice);

#endif
