/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_ROLE_ROLE_ROW_H
#define PLVS_HA_ROLE_ROLE_ROW_H

/* The table of the role machine's transitions. Context: any. */

#include <stdint.h>

#include "ha/wire/message.h"

#define ROLE_IN(state) (1U << (state))
#define ROLE_SERVING   (ROLE_IN(HA_ACTIVE) | ROLE_IN(HA_HANDOVER))
#define ROLE_IDLE      (ROLE_IN(HA_INIT) | ROLE_IN(HA_BACKUP) | ROLE_IN(HA_FENCED) | ROLE_IN(HA_FAULT))
#define ROLE_ANY       ((1U << (HA_STATE_MAX + 1)) - 1)

/* Row, states it leaves, state it leads to, when. */
/* clang-format off */
#define ROLE_ROWS(X)                                                                               \
	X(ALONE, ROLE_IN(HA_INIT), HA_ACTIVE, "no peer is configured")                             \
	X(START_OVER, ROLE_IN(HA_INIT), HA_BACKUP,                                                 \
	  "start_delay has passed since the ports were up and the witnesses answered; twice if a " \
	  "better peer is starting")                                                               \
	X(PEER_SERVES, ROLE_IN(HA_INIT) | ROLE_IN(HA_FENCED) | ROLE_IN(HA_FAULT), HA_BACKUP,       \
	  "a fresh message says that the peer is active")                                          \
	X(SILENCE, ROLE_IN(HA_BACKUP), HA_TAKEOVER,                                                \
	  "no active router was heard for deadtime of listening time, witnesses answer")             \
	X(DEAF, ROLE_IN(HA_BACKUP), HA_FAULT,                                                      \
	  "a takeover is due, but on a VIP link no witness answers")                               \
	X(PORT_DOWN, ROLE_IN(HA_BACKUP), HA_FAULT, "a takeover is due, but a port is down")        \
	X(RECOVERED, ROLE_IN(HA_FAULT), HA_BACKUP, "ports are up and witnesses answer again")      \
	X(RESTARTED, ROLE_IN(HA_BACKUP), HA_ACTIVE,                                                \
	  "the active peer has a new session and does not serve, and I am synchronised")           \
	X(YIELDED, ROLE_IN(HA_BACKUP), HA_ACTIVE, "the active peer says that it gave up")          \
	X(COMMITTED, ROLE_IN(HA_BACKUP), HA_ACTIVE, "the peer handed over")                        \
	X(FORCED, ROLE_IDLE, HA_TAKEOVER, "command force")                                         \
	X(ACKNOWLEDGED, ROLE_IN(HA_TAKEOVER), HA_ACTIVE, "the peer says that it does not serve")   \
	X(UNANSWERED, ROLE_IN(HA_TAKEOVER), HA_ACTIVE, "one keepalive without an answer to STOP")  \
	X(REFUSED, ROLE_IN(HA_TAKEOVER), HA_BACKUP, "the peer refused, or is heard to serve")      \
	X(OUTRANKED, ROLE_IN(HA_TAKEOVER), HA_BACKUP, "the peer takes over too, and goes first")   \
	X(NOT_LISTENING, ROLE_IN(HA_TAKEOVER), HA_BACKUP, "a loop was late: the silence may be mine")  \
	X(STOPPED, ROLE_SERVING, HA_FENCED, "a fresh STOP with a higher term and enough witnesses")\
	X(CONFLICT_LOST, ROLE_SERVING, HA_FENCED, "the peer serves too, and goes first")           \
	X(CONFLICT_UNHEARD, ROLE_SERVING, HA_FENCED,                                               \
	  "the peer still serves after lease and keepalive: it does not hear that it lost")        \
	X(PORTS_WORSE, ROLE_IN(HA_ACTIVE), HA_FENCED, "a ready peer reports better ports")         \
	X(HEARS_NOTHING, ROLE_SERVING, HA_FENCED,                                                  \
	  "neither the peer, heard not long ago, nor any witness was heard for deadtime")          \
	X(HEARS_LESS, ROLE_IN(HA_ACTIVE), HA_FENCED,                                               \
	  "no witness on a VIP link for deadtime, and a ready peer hears its own there; for 4 "    \
	  "deadtimes if the peer does not say on which links")                                     \
	X(GIVE_AWAY, ROLE_IN(HA_ACTIVE), HA_HANDOVER,                                              \
	  "command, failback or end of the process, with a ready and synchronised peer")           \
	X(PEER_ACTIVE, ROLE_IN(HA_HANDOVER), HA_RELAY, "the peer is active under the new term")    \
	X(ABORTED, ROLE_IN(HA_HANDOVER), HA_ACTIVE, "a step of the hand-over failed")              \
	X(RELAYED, ROLE_IN(HA_RELAY), HA_BACKUP, "nothing more to relay, or the peer is gone")     \
	X(WAITED, ROLE_IN(HA_FENCED), HA_BACKUP, "no router became active within deadtime")        \
	X(MAINTENANCE_ON, ROLE_ANY & ~ROLE_IN(HA_MAINTENANCE), HA_MAINTENANCE,                     \
	  "command maintenance on (an active router hands over first)")                            \
	X(MAINTENANCE_OFF, ROLE_IN(HA_MAINTENANCE), HA_BACKUP, "command maintenance off")          \
	X(ENDING, ROLE_SERVING, HA_FENCED, "the process ends and cannot hand over")
/* clang-format on */

enum role_row {
#define ROLE_ROW_ENUM(name, from, to, text) ROLE_ROW_##name,
	ROLE_ROWS(ROLE_ROW_ENUM)
#undef ROLE_ROW_ENUM
		ROLE_N_ROWS,
};

struct role_row_info {
	const char *name; /* "SILENCE" */
	uint32_t from;	  /* ROLE_IN() of states */
	enum ha_state to;
	const char *text;
};

extern const struct role_row_info role_rows[ROLE_N_ROWS];

#endif
