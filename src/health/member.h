/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_MEMBER_H
#define PLVS_HEALTH_MEMBER_H

/*
 * A real server of a service: the combined state of its checks, the orders of operators, the words
 * of agents, and the standing that follows. The functions depend on their arguments alone: the
 * caller gives the time.
 *
 * The combined state of checks: DOWN if any check is DOWN; UP if all are UP or there is none; else
 * UNKNOWN.
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

/* The state of a server in its service, before the service's own rules. */
enum standing {
	STANDING_OUT, /* not known yet */
	STANDING_IN,
	STANDING_DOWN,
	STANDING_MAINT, /* no new connections, old ones go on */
	STANDING_MAX
};
extern const char *const standing_names[STANDING_MAX]; /* "unknown", "up", "down", ... */

struct member_state {
	uint8_t state;	   /* enum health_state */
	uint8_t peer;	   /* enum health_state: the peer's, used while state is UNKNOWN */
	uint8_t admin;	   /* enum health_admin */
	bool drain, maint; /* words of an agent, until "ready" */
	uint64_t good_us;  /* DOWN: time since which all checks are up; 0 = they are not */
};

/* The step of a server in a state, by the combined state of its checks. */
enum member_step { MEMBER_STAY, MEMBER_RISE, MEMBER_FALL, MEMBER_WAIT };
extern const uint8_t member_steps[HEALTH_STATE_MAX][HEALTH_STATE_MAX]; /* [state][checks] */

/* states[n]: enum health_state of each check. */
enum health_state member_combine(const uint8_t *states, uint32_t n);

/*
 * Takes one step. failed: a probe has failed just now, even if the check stays up. True: the state
 * changed. *due_us: time of the next call; UINT64_MAX = not before an answer.
 */
bool member_update(struct member_state *m, enum health_state checks, bool failed,
		   uint64_t reentry_us, uint64_t now_us, uint64_t *due_us);

/* The server's own state, or the peer's while the own state is UNKNOWN. */
enum health_state member_verdict(const struct member_state *m);
enum standing member_standing(const struct member_state *m);
/* False: maintenance by an operator, so no probes are made. */
bool member_asked(const struct member_state *m);

/* Takes an agent's words over. True: a word was new. advice: ADVICE_* bits. */
bool member_advise(struct member_state *m, uint32_t advice);

#endif
