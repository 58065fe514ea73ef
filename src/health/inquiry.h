/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_INQUIRY_H
#define PLVS_HEALTH_INQUIRY_H

/*
 * The state of a check of a target, from the answers so far, and the time of the next probe. The
 * functions depend on their arguments alone: the caller gives the time.
 *
 *	          first ok
 *	UNKNOWN ------------> UP
 *	   |                 |  ^
 *	   | fall x fail     |  | rise x ok
 *	   |     fall x fail |  |
 *	   |                 v  |
 *	   +--------------> DOWN
 *
 * A probe that agrees with the state takes the count back to 0. A probe that could not be made
 * (PROBE_ERROR) leaves the count as it is; `fall` of these in a row make UP and DOWN UNKNOWN:
 * the state of the server by this check is not known any more. (The member's state stays, see
 * member.h.) Agents and passive checks begin as UP and never become UNKNOWN: such checks can take a
 * server down, and never admit one.
 *
 * Context: control.
 */

#include "health/check.h"
#include "health/health.h"

struct inquiry_state {
	uint8_t state;	 /* enum health_state */
	uint32_t streak; /* probes in a row that speak for another state */
	uint32_t errors; /* probes in a row that could not be made, up to `fall` */
	bool not_made;	 /* `fall` errors in a row: the state is unknown */
};

/* The rule for a verdict in a state: the state that the verdict speaks for, and the number of such
 * verdicts in a row that a change takes. */
enum inquiry_need { INQUIRY_SAME, INQUIRY_RESET, INQUIRY_FIRST, INQUIRY_RISE, INQUIRY_FALL };
struct inquiry_rule {
	uint8_t next; /* enum health_state */
	uint8_t need; /* enum inquiry_need; SAME and RESET change no state */
};
extern const struct inquiry_rule inquiry_rules[HEALTH_STATE_MAX][3]; /* [state][verdict] */

void inquiry_state_init(struct inquiry_state *w, const struct check_spec *spec);
/* Takes an answer. True: the state changed. Then w->streak is the first number of the sentence. */
bool inquiry_answer(struct inquiry_state *w, const struct check_spec *spec,
		    const struct probe_result *r);
/* The number of answers in a row that a change takes: the second number of "3rd of 3" for the last
 * answer r. before: the state before r. 0: r counted towards no change. */
uint32_t inquiry_needed(const struct inquiry_state *before, const struct check_spec *spec,
			const struct probe_result *r);

/* The time between two starts, by state, and short while the state changes. */
uint32_t inquiry_interval_ms(const struct inquiry_state *w, const struct check_spec *spec);
uint32_t inquiry_timeout_ms(const struct check_spec *spec);
/* The time until the end of a server is seen, at most: fall probes and their time-out. */
uint64_t inquiry_detect_us(const struct check_spec *spec);

/* The time of the first probe: soon, but spread by hash, which is of the identity. */
uint64_t inquiry_first_us(const struct check_spec *spec, uint64_t hash, uint64_t now_us);
/*
 * The time of the next probe. due_us: the time at which the last probe was due. round: the number
 * of probes so far. The first interval is multiplied by 0.5 to 1.5, so that inquiries which began
 * together are spread over the interval. Later intervals vary by up to a 32nd either way, so that
 * an inquiry does not keep step with other periodic work on a server.
 */
uint64_t inquiry_next_us(const struct inquiry_state *w, const struct check_spec *spec,
			 uint64_t hash, uint64_t round, uint64_t due_us, uint64_t now_us);

#endif
