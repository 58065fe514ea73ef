/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_ROLE_FRESHNESS_H
#define PLVS_HA_ROLE_FRESHNESS_H

/*
 * The judgement whether an authentic message is new. A router draws a random session at its start.
 *
 *	fresh		from the peer's session, names the own session, new sequence.
 *	copy		the same with a sequence seen before (another path, or a replay), or
 *			so old that the window has forgotten.
 *	stale		authentic, without proof that its sender has heard this router: a peer that
 *			has just started, or a replay. The router answers, so that a real peer can
 *			give the proof in its next message.
 *	second		another session than the peer's present one, which still speaks: a clone, or
 *			a peer that has just restarted. Not believed.
 *	reflected	the own session comes back.
 *
 * A new session of the peer is accepted if its message names the own session and has heard a
 * message that was sent after the present peer session was accepted (heard_sequence above the
 * floor), and if the present session has been silent for a deadtime (`speaks`). No message of a
 * replaced session can have heard that, so replays fail without a list of sessions. A clone of the
 * peer answers challenges as well as the peer does: while the peer speaks, the clone is not heard,
 * and when the clone is silent, the peer is heard again.
 *
 * A fresh message may have been under way for long. But it was sent after the newest own message
 * that it names. freshness_sent_after() gives that time, for decisions that need a recent message.
 *
 * No verdict depends on a clock or a file. Pure; context: ha, tests.
 */

#include <stdbool.h>
#include <stdint.h>

#include "ha/wire/message.h"

#define FRESHNESS_WINDOW  256 /* sequences: bounds reordering between paths */
#define FRESHNESS_MOMENTS 16  /* half a deadtime or more of moments, deadtime / 16 apart */

/* Sequences seen: the highest, and a bit for each of the FRESHNESS_WINDOW below it. */
struct ha_window {
	uint64_t highest; /* 0: none yet */
	uint64_t seen[FRESHNESS_WINDOW / 64];
};

enum ha_verdict {
	HA_FRESH,
	HA_FRESH_SESSION, /* fresh, and the first of a new peer session */
	HA_COPY,
	HA_STALE,
	HA_SECOND,
	HA_REFLECTED,
};
#define HA_VERDICTS (HA_REFLECTED + 1)

struct freshness {
	struct ha_session mine;
	struct ha_session peer; /* none before the first fresh message */
	uint64_t sent;		/* last own sequence */
	uint64_t floor;		/* last own sequence when `peer` was accepted */
	uint32_t generation;	/* counts accepted peer sessions */
	struct ha_window window;
	/* Moments, in a ring, each with the last own sequence then. */
	struct {
		uint64_t ms, sent;
	} moment[FRESHNESS_MOMENTS];
	uint8_t last_moment;
	/* Set before each check: the present session of the peer was heard within deadtime, or may
	 * have been (role_peer_speaks()). */
	bool speaks;
};

/* A second stream of the same two sessions (connection synchronisation, configuration)
 * with sequences of its own. All zero at first; starts anew with each peer session. */
struct ha_channel {
	uint32_t generation;
	struct ha_window window;
};

/* session: 128 random bits, not all zero. */
void freshness_init(struct freshness *f, const struct ha_session *session);

/* Judges an authentic message and remembers it. *newest: the message is fresh and no later one has
 * been seen; only such a message has the peer's present state. */
enum ha_verdict freshness_check(struct freshness *f, const struct ha_message *msg, bool *newest);

/* Notes the time now and then; call before each check. deadtime_ms: the age up to which times are
 * needed. */
void freshness_note_time(struct freshness *f, uint64_t now_ms, uint32_t deadtime_ms);
/* A time before the sending of a fresh message; 0: not known. */
uint64_t freshness_sent_after(const struct freshness *f, const struct ha_message *msg);

/* Sets session, heard, sequence and heard_sequence of a message about to be sent; copies
 * for several paths are made after this. */
void freshness_stamp(struct freshness *f, struct ha_message *msg);
/* The same for an ANSWER to a stale message, which names that message's sender. */
void freshness_stamp_answer(struct freshness *f, struct ha_message *msg,
			    const struct ha_session *to, uint64_t to_sequence);

/* True if a datagram of a channel is fresh; remembers its sequence. */
bool freshness_channel(const struct freshness *f, struct ha_channel *channel,
		       const struct ha_session *session, const struct ha_session *heard,
		       uint64_t sequence);

/* True if the sequence had not been seen; remembers it. 0 is no sequence. */
bool ha_window_take(struct ha_window *w, uint64_t sequence);

#endif
