/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_ROLE_FRESHNESS_H
#define PLVS_HA_ROLE_FRESHNESS_H

/*
 * Authentic messages that may be believed. A router draws a random session at its start.
 *
 *	fresh		comes from the peer's session, names mine, sequence not seen before.
 *	copy		the same with a sequence seen before (another path, or a replay), or
 *			so old that the window has forgotten.
 *	stale		authentic, but it does not prove that its sender has heard me: a peer that
 *			has just started, or a replay. It is answered, so that a real peer can prove
 *			it with its next message.
 *	second		another session than the peer's present one, which still speaks: a clone, or
 *			a peer that has just restarted. Not believed.
 *	reflected	my own session comes back.
 *
 * A new session of the peer is accepted when its message names my session and has heard
 * something that I sent after the present peer session was accepted (heard_sequence above
 * the floor), and the present session has been silent for a deadtime (`speaks`). Whatever a
 * replaced session ever said cannot have heard that: replays of it fail however long ago it
 * was, without a list. A clone of the peer answers challenges as well as the peer does: while the
 * peer speaks, the clone is not heard, and once the clone is silent, the peer is heard again.
 *
 * A fresh message may have been under way for long. Its age is bounded by what it has heard: the
 * message was sent after the newest own message that it names. freshness_sent_after() tells that
 * time for decisions that may not go by an old word.
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
	uint64_t sent;		/* my last sequence */
	uint64_t floor;		/* my last sequence when `peer` was accepted */
	uint32_t generation;	/* counts accepted peer sessions */
	struct ha_window window;
	/* Moments, in a ring, and the last sequence that I had sent then. */
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

/* Judges an authentic message and remembers it. *newest: it is fresh and no later one
 * has been seen; only such a message tells the peer's present state. */
enum ha_verdict freshness_check(struct freshness *f, const struct ha_message *msg, bool *newest);

/* Notes the time now and then; call before each check. deadtime_ms: the peer's words of longer ago
 * are of no interest. */
void freshness_note_time(struct freshness *f, uint64_t now_ms, uint32_t deadtime_ms);
/* A fresh message was sent later than this. 0: nothing is known. */
uint64_t freshness_sent_after(const struct freshness *f, const struct ha_message *msg);

/* Sets session, heard, sequence and heard_sequence of a message about to be sent; copies
 * for several paths are made after this. */
void freshness_stamp(struct freshness *f, struct ha_message *msg);
/* The same for an ANSWER to a stale message: it names that message's sender. */
void freshness_stamp_answer(struct freshness *f, struct ha_message *msg,
			    const struct ha_session *to, uint64_t to_sequence);

/* True if a datagram of a channel is fresh; remembers its sequence. */
bool freshness_channel(const struct freshness *f, struct ha_channel *channel,
		       const struct ha_session *session, const struct ha_session *heard,
		       uint64_t sequence);

/* True if the sequence had not been seen; remembers it. 0 is no sequence. */
bool ha_window_take(struct ha_window *w, uint64_t sequence);

#endif
