/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/sync/sync_send.h"

#include <stdlib.h>

#include "ha/sync/sync_stream.h"

#define BEHIND_MIN_MS	1000
#define BEHIND_MAX_MS	30000
#define CALM_MS		60000 /* without loss: the next pause is short again */
#define IDLE_MS		10
#define FORGOTTEN_TRIES 6
#define SHED_STEPS	4096 /* of EVENTS_STEP events thrown away in one call */

struct sync_send *sync_send_create(const struct sync_send_config *config)
{
	struct sync_send *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->c = *config;
	return s;
}

void sync_send_destroy(struct sync_send *s)
{
	free(s);
}

/* ---- transfers ---- */

void sync_send_peer(struct sync_send *s, uint8_t version)
{
	const bool more = version > s->c.peer_version;

	s->c.peer_version = version;
	if (more && s->withheld && s->status.state != SYNC_SEND_OFF)
		stream_transfer_begin(s);
	s->withheld = s->withheld && !more;
}

void sync_send_start(struct sync_send *s, uint64_t now_ms)
{
	s->lost_seen = s->c.access.lost(s->c.access.arg);
	s->refilled_ms = now_ms;
	s->tokens = s->c.bytes_per_s / 10;
	s->pause_ms = 0;
	s->srtt_ms = 0;
	stream_transfer_begin(s);
}

void sync_send_stop(struct sync_send *s)
{
	s->open = NULL;
	s->first = s->next;
	s->n_held = s->held_at = 0;
	s->status.state = SYNC_SEND_OFF;
	s->status.synchronised = s->status.behind = false;
}

/* The peer learns of it by a stream that is but that word, until the transfer. */
static void fall_behind(struct sync_send *s, uint64_t now_ms)
{
	s->pause_ms =
		s->pause_ms && now_ms - s->lost_at_ms < CALM_MS ? s->pause_ms * 2 : BEHIND_MIN_MS;
	if (s->pause_ms > BEHIND_MAX_MS)
		s->pause_ms = BEHIND_MAX_MS;
	s->lost_at_ms = now_ms;
	s->retry_at_ms = now_ms + s->pause_ms;
	stream_begin(s);
	s->status.state = SYNC_SEND_BEHIND;
	s->status.behind = true;
	s->status.synchronised = false;
	s->status.sheds++;
	s->behind_due = true;
}

/* ---- events ---- */

static void walk_note(struct sync_send *s, const struct sync_event *e)
{
	if (s->status.state == SYNC_SEND_TRANSFER && s->walk_told && e->token == s->token &&
	    s->walking)
		s->walking--;
}

static void flush_note(struct sync_send *s, const struct sync_event *e)
{
	if (!s->flushing || e->token != s->flush_token)
		return;
	s->flushing--;
	if (s->flushing)
		return;
	/* Everything of before is in datagrams below, or in the one being filled. */
	s->flush_seq = s->next + (s->open != NULL);
	s->flush_known = true;
}

/* False: no room. */
static bool event_put(struct sync_send *s, const struct sync_event *e, uint64_t now_ms)
{
	struct sync_record r;

	if (e->kind == SYNC_WALK) {
		walk_note(s, e);
		return true;
	}
	if (e->kind == SYNC_FLUSH) {
		flush_note(s, e);
		return true;
	}
	if (sync_record_make(s->c.identity, e, &r) < 0) {
		s->status.unknown++;
		return true;
	}
	if (sync_record_is_local(&r) && s->c.peer_version < SYNC_VERSION) {
		s->status.unreadable++;
		s->withheld = true;
		return true;
	}
	return stream_record_put(s, &r, now_ms);
}

/* Events become records until there are none, or no room. */
static void events_take(struct sync_send *s, uint64_t now_ms)
{
	for (;;) {
		if (s->held_at == s->n_held) {
			s->held_at = 0;
			s->n_held = s->c.access.take(s->c.access.arg, s->held, EVENTS_STEP);
			if (s->n_held == 0)
				return;
		}
		while (s->held_at < s->n_held) {
			if (!event_put(s, &s->held[s->held_at], now_ms))
				return;
			s->held_at++;
		}
	}
}

static void events_shed(struct sync_send *s)
{
	s->n_held = s->held_at = 0;
	for (unsigned int i = 0; i < SHED_STEPS; i++)
		if (s->c.access.take(s->c.access.arg, s->held, EVENTS_STEP) == 0)
			return;
}

static void workers_tell(struct sync_send *s)
{
	struct sync_event op = {.kind = SYNC_WALK, .token = s->token, .gen = s->gen};

	if (s->status.state == SYNC_SEND_TRANSFER && !s->walk_told && !s->marker_due)
		s->walk_told = s->c.access.tell(s->c.access.arg, &op) == 0;
	if (s->flush_wanted == s->flush_done || s->flushing || s->flush_known ||
	    s->status.state == SYNC_SEND_BEHIND ||
	    (s->status.state == SYNC_SEND_TRANSFER && !s->complete_sent))
		return;
	op = (struct sync_event){.kind = SYNC_FLUSH, .token = s->flush_token + 1};
	if (s->c.access.tell(s->c.access.arg, &op) < 0)
		return;
	s->flush_token++;
	s->flushing = s->c.access.n_workers;
}

static void transfer_step(struct sync_send *s, uint64_t now_ms)
{
	if (s->marker_due && stream_marker_put(s, RECORD_BEGIN, now_ms))
		s->marker_due = false;
	workers_tell(s);
	if (!s->marker_due)
		events_take(s, now_ms);
	if (s->walk_told && !s->walking && !s->complete_sent &&
	    stream_marker_put(s, RECORD_COMPLETE, now_ms)) {
		s->complete_sent = true;
		s->complete_seq = s->next;
	}
}

/* ---- time ---- */

static void unanswered_repeat(struct sync_send *s, uint64_t now_ms)
{
	for (uint32_t seq = s->first; seq != s->next && stream_may_send(s); seq++) {
		struct sent *d = stream_sent(s, seq);

		if (!d->acked && now_ms - d->at_ms >= stream_rto_ms(s, d))
			stream_put_out(s, d, now_ms);
	}
}

/* The peer waits for a record that it acknowledged long ago, so it has lost the stream. */
static bool forgotten(struct sync_send *s)
{
	return s->backward >= FORGOTTEN_TRIES && s->first != s->next &&
	       stream_sent(s, s->first)->tries >= FORGOTTEN_TRIES;
}

uint32_t sync_send_poll(struct sync_send *s, uint64_t now_ms)
{
	const uint64_t lost = s->c.access.lost(s->c.access.arg);

	if (s->status.state == SYNC_SEND_OFF) {
		events_shed(s);
		return IDLE_MS;
	}
	stream_refill(s, now_ms);
	if (lost != s->lost_seen) {
		s->lost_seen = lost;
		if (s->status.state == SYNC_SEND_BEHIND)
			s->retry_at_ms = now_ms + s->pause_ms;
		else
			fall_behind(s, now_ms);
	}
	unanswered_repeat(s, now_ms);
	if (forgotten(s))
		stream_transfer_begin(s);
	if (s->status.state == SYNC_SEND_BEHIND) {
		events_shed(s);
		if (s->behind_due && stream_marker_put(s, RECORD_BEHIND, now_ms)) {
			s->behind_due = false;
			stream_close(s, now_ms);
		}
		if (now_ms < s->retry_at_ms)
			return IDLE_MS;
		stream_transfer_begin(s);
	}
	if (s->status.state == SYNC_SEND_TRANSFER)
		transfer_step(s, now_ms);
	workers_tell(s);
	events_take(s, now_ms);
	stream_close(s, now_ms);
	ack_progress(s); /* a flush with nothing under way has no acknowledgement to wait for */
	return s->held_at < s->n_held || s->flush_wanted != s->flush_done ? 1 : IDLE_MS;
}

uint32_t sync_send_flush(struct sync_send *s)
{
	/* An earlier one that is under way does not cover what came since. */
	s->flush_wanted++;
	s->flushing = 0;
	s->flush_known = false;
	return s->flush_wanted;
}

bool sync_send_flushed(const struct sync_send *s, uint32_t flush)
{
	return s->status.state == SYNC_SEND_STEADY && (int32_t)(s->flush_done - flush) >= 0;
}

void sync_send_status(const struct sync_send *s, struct sync_send_status *out)
{
	*out = s->status;
	out->under_way = s->next - s->first;
	out->position = (uint64_t)s->stream << 32 | s->next;
}
