/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/role/freshness.h"

#define WORDS (FRESHNESS_WINDOW / 64)

/* The bit of a sequence; each bit is cleared when the window moves over it. */
static uint64_t *window_word(struct ha_window *w, uint64_t sequence, uint64_t *bit)
{
	*bit = UINT64_C(1) << (sequence % 64);
	return &w->seen[sequence / 64 % WORDS];
}

bool ha_window_take(struct ha_window *w, uint64_t sequence)
{
	uint64_t *word, bit;

	if (sequence == 0)
		return false;
	if (sequence > w->highest) {
		if (sequence - w->highest >= FRESHNESS_WINDOW) {
			memset(w->seen, 0, sizeof(w->seen));
		} else {
			for (uint64_t s = w->highest + 1; s < sequence; s++) {
				word = window_word(w, s, &bit);
				*word &= ~bit;
			}
		}
		w->highest = sequence;
		word = window_word(w, sequence, &bit);
		*word |= bit;
		return true;
	}
	if (w->highest - sequence >= FRESHNESS_WINDOW)
		return false;
	word = window_word(w, sequence, &bit);
	if (*word & bit)
		return false;
	*word |= bit;
	return true;
}

void freshness_init(struct freshness *f, const struct ha_session *session)
{
	memset(f, 0, sizeof(*f));
	f->mine = *session;
}

/* Earlier messages of the session count as seen: an attacker may replay a recording. */
static void session_accept(struct freshness *f, const struct ha_message *msg)
{
	f->peer = msg->session;
	f->floor = f->sent;
	f->generation++;
	memset(&f->window, 0xff, sizeof(f->window));
	f->window.highest = msg->sequence;
}

enum ha_verdict freshness_check(struct freshness *f, const struct ha_message *msg, bool *newest)
{
	*newest = false;
	if (ha_session_equal(&msg->session, &f->mine))
		return HA_REFLECTED;
	if (ha_session_is_none(&msg->session))
		return HA_STALE;
	if (!ha_session_equal(&msg->heard, &f->mine) || msg->heard_sequence > f->sent)
		return HA_STALE;
	if (!ha_session_equal(&msg->session, &f->peer)) {
		if (msg->heard_sequence <= f->floor || msg->sequence == 0)
			return HA_STALE;
		if (f->speaks && !ha_session_is_none(&f->peer))
			return HA_SECOND;
		session_accept(f, msg);
		*newest = true;
		return HA_FRESH_SESSION;
	}
	*newest = msg->sequence > f->window.highest;
	return ha_window_take(&f->window, msg->sequence) ? HA_FRESH : HA_COPY;
}

void freshness_note_time(struct freshness *f, uint64_t now_ms, uint32_t deadtime_ms)
{
	const uint64_t apart = deadtime_ms / FRESHNESS_MOMENTS + 1;

	if (now_ms - f->moment[f->last_moment].ms < apart)
		return;
	f->last_moment = (uint8_t)((f->last_moment + 1) % FRESHNESS_MOMENTS);
	f->moment[f->last_moment].ms = now_ms;
	f->moment[f->last_moment].sent = f->sent;
}

uint64_t freshness_sent_after(const struct freshness *f, const struct ha_message *msg)
{
	uint64_t after = 0;

	for (uint8_t i = 0; i < FRESHNESS_MOMENTS; i++) {
		if (f->moment[i].sent < msg->heard_sequence && f->moment[i].ms > after)
			after = f->moment[i].ms;
	}
	return after;
}

void freshness_stamp(struct freshness *f, struct ha_message *msg)
{
	msg->session = f->mine;
	msg->sequence = ++f->sent;
	msg->heard = f->peer;
	msg->heard_sequence = f->window.highest;
}

void freshness_stamp_answer(struct freshness *f, struct ha_message *msg,
			    const struct ha_session *to, uint64_t to_sequence)
{
	freshness_stamp(f, msg);
	msg->heard = *to;
	msg->heard_sequence = to_sequence;
}

bool freshness_channel(const struct freshness *f, struct ha_channel *channel,
		       const struct ha_session *session, const struct ha_session *heard,
		       uint64_t sequence)
{
	if (f->generation == 0 || !ha_session_equal(session, &f->peer) ||
	    !ha_session_equal(heard, &f->mine))
		return false;
	if (channel->generation != f->generation) {
		memset(&channel->window, 0, sizeof(channel->window));
		channel->generation = f->generation;
	}
	return ha_window_take(&channel->window, sequence);
}
