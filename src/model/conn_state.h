/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_CONN_STATE_H
#define PLVS_MODEL_CONN_STATE_H

/* States of a connection and their default time-outs, as IPVS has them. */

#include <stdbool.h>
#include <stdint.h>

/* X(NAME, default seconds, counts as active) */
#define CONN_STATES(X)                                                                             \
	X(NONE, 2, 0)                                                                              \
	X(ESTABLISHED, 900, 1)                                                                     \
	X(SYN_SENT, 120, 1)                                                                        \
	X(SYN_RECV, 60, 1)                                                                         \
	X(FIN_WAIT, 120, 0)                                                                        \
	X(TIME_WAIT, 120, 0)                                                                       \
	X(CLOSE, 10, 0)                                                                            \
	X(CLOSE_WAIT, 60, 0)                                                                       \
	X(LAST_ACK, 30, 0)                                                                         \
	X(LISTEN, 120, 0)                                                                          \
	X(SYNACK, 120, 1)                                                                          \
	X(UDP, 300, 0)

enum conn_state {
#define X(NAME, timeout, active) CONN_##NAME,
	CONN_STATES(X)
#undef X
		CONN_STATE_MAX
};

extern const char *const conn_state_names[CONN_STATE_MAX];
extern const uint32_t conn_state_timeouts_s[CONN_STATE_MAX];
extern const uint8_t conn_state_active[CONN_STATE_MAX];

#endif
