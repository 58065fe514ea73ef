/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/sync/sync_send.h"

#include <stdlib.h>
#include <string.h>

#include "ha/wire/bytes.h"
#include "ha/sync/sync_record.h"

#define EVENTS_STEP	64
#define RTO_MIN_MS	20
#define RTO_MAX_MS	1000
#define RTO_FIRST_MS	100
#define BEHIND_MIN_MS	1000
#define BEHIND_MAX_MS	30000
#define CALM_MS		60000 /* without loss: the next pause is short again */
#define IDLE_MS		10
#define FORGOTTEN_TRIES 6
#define SHED_STEPS	4096 /* of EVENTS_STEP events thrown away in one call */

/* A datagram under way. */
struct sent {
	uint64_t at_ms;
	uint16_t len;
	uint8_t tries;
	bool acked;
	uint8_t bytes[SYNC_DATAGRAM_BYTES];
};

struct sync_send {
	struct sync_send_config c;
	struct sync_send_status status;
	/* --- the stream --- */
	uint32_t stream;
	uint32_t first, next; /* under way: first <= seq < next */
	struct sent sent[SYNC_WINDOW];
	struct sent *open; /* being filled: sent[next], not counted as under way; or NULL */
	uint16_t open_records;
	/* Taken from the rings, and no room yet. */
	struct sync_event held[EVENTS_STEP];
	uint32_t held_at, n_held;
	/* --- transfer --- */
	uint8_t gen;
	uint32_t token;
	uint16_t walking; /* workers whose walk has not ended */
	bool walk_told, complete_sent;
	bool marker_due;       /* BEGIN is to be written first */
	bool withheld;	       /* some records: the peer cannot read them */
	bool behind_due;       /* BEHIND, as soon as the rate allows */
	uint32_t complete_seq; /* where COMPLETE stands */
	/* --- flush --- */
	uint32_t flush_wanted; /* number of the last one asked for */
	uint32_t flush_token;
	uint16_t flushing; /* workers that have not answered */
	bool flush_told, flush_known;
	uint32_t flush_seq, flush_done;
	/* --- loss and rate --- */
	uint64_t lost_seen;
	uint64_t retry_at_ms, lost_at_ms;
	uint32_t pause_ms;
	int64_t tokens;
	uint64_t refilled_ms;
	uint32_t srtt_ms;  /* 0: not known */
	uint32_t backward; /* acks in a row that were of long ago */
};

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

/* ---- datagrams ---- */

static struct sent *sent_of(struct sync_send *s, uint32_t seq)
{
	return &s->sent[seq % SYNC_WINDOW];
}

static void refill(struct sync_send *s, uint64_t now_ms)
{
	const int64_t most = (int64_t)s->c.bytes_per_s / 10 + 2 * SYNC_DATAGRAM_BYTES;

	s->tokens += (int64_t)((now_ms - s->refilled_ms) * s->c.bytes_per_s / 1000);
	if (s->tokens > most)
		s->tokens = most;
	s->refilled_ms = now_ms;
}

static bool may_send(const struct sync_send *s)
{
	return s->c.bytes_per_s == 0 || s->tokens > 0;
}

static void put_out(struct sync_send *s, struct sent *d, uint64_t now_ms)
{
	d->at_ms = now_ms;
	if (d->tries < UINT8_MAX)
		d->tries++;
	s->tokens -= d->len;
	s->status.datagrams++;
	s->status.bytes += d->len;
	s->status.repeated += d->tries > 1;
	s->c.output(s->c.output_arg, d->bytes, d->len);
}

/* Room for a record; NULL: the window or the rate is used up. */
static uint8_t *room(struct sync_send *s, uint64_t now_ms);

static void open_close(struct sync_send *s, uint64_t now_ms)
{
	struct sent *d = s->open;

	if (!d)
		return;
	put16(d->bytes + 2, s->open_records);
	s->open = NULL;
	s->next++;
	put_out(s, d, now_ms);
}

static uint8_t *room(struct sync_send *s, uint64_t now_ms)
{
	if (s->open && s->open->len + SYNC_RECORD_MAX > SYNC_SEND_BYTES)
		open_close(s, now_ms);
	if (!s->open) {
		if (s->next - s->first >= SYNC_WINDOW || !may_send(s))
			return NULL;
		s->open = sent_of(s, s->next);
		s->open->len = SYNC_HEADER_BYTES;
		s->open->tries = 0;
		s->open->acked = false;
		s->open_records = 0;
		s->open->bytes[0] = SYNC_VERSION_IPV4;
		s->open->bytes[1] = SYNC_DATA;
		put32(s->open->bytes + 4, s->stream);
		put32(s->open->bytes + 8, s->next);
	}
	return s->open->bytes + s->open->len;
}

static bool record_put(struct sync_send *s, const struct sync_record *r, uint64_t now_ms)
{
	const uint8_t version = sync_record_is_local(r)	  ? SYNC_VERSION
				: sync_record_is_mixed(r) ? SYNC_VERSION_MIXED
				: r->e.flags & SYNC_F_V6  ? SYNC_VERSION_IPV6
							  : SYNC_VERSION_IPV4;
	uint8_t *at = room(s, now_ms);

	if (!at)
		return false;
	s->open->len = (uint16_t)(s->open->len + sync_record_encode(r, at));
	if (version > s->open->bytes[0])
		s->open->bytes[0] = version;
	s->open_records++;
	s->status.records += !sync_record_is_marker(r);
	return true;
}

static bool marker_put(struct sync_send *s, enum sync_record_kind kind, uint64_t now_ms)
{
	const struct sync_record r = {.kind = kind, .gen = kind == RECORD_BEHIND ? 0 : s->gen};

	return record_put(s, &r, now_ms);
}

static void stream_begin(struct sync_send *s)
{
	s->stream++;
	s->first = s->next = 0;
	s->open = NULL;
	s->walking = 0;
	s->complete_sent = false;
	s->n_held = s->held_at = 0;
	s->backward = 0;
}

/* ---- transfers ---- */

static void transfer_begin(struct sync_send *s)
{
	stream_begin(s);
	s->gen = (uint8_t)(s->gen % SYNC_GEN_MAX + 1);
	s->token++;
	s->walking = s->c.door.n_workers;
	s->walk_told = false;
	s->marker_due = true;
	/* A flush under way has to be asked for again, behind the walk. */
	s->flushing = 0;
	s->flush_known = false;
	s->status.state = SYNC_SEND_TRANSFER;
	s->status.synchronised = false;
	s->status.transfers++;
}

void sync_send_peer(struct sync_send *s, uint8_t version)
{
	const bool more = version > s->c.peer_version;

	s->c.peer_version = version;
	if (more && s->withheld && s->status.state != SYNC_SEND_OFF)
		transfer_begin(s);
	s->withheld = s->withheld && !more;
}

void sync_send_start(struct sync_send *s, uint64_t now_ms)
{
	s->lost_seen = s->c.door.lost(s->c.door.arg);
	s->refilled_ms = now_ms;
	s->tokens = s->c.bytes_per_s / 10;
	s->pause_ms = 0;
	s->srtt_ms = 0;
	transfer_begin(s);
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
	return record_put(s, &r, now_ms);
}

/* Events become records until there are none, or no room. */
static void events_take(struct sync_send *s, uint64_t now_ms)
{
	for (;;) {
		if (s->held_at == s->n_held) {
			s->held_at = 0;
			s->n_held = s->c.door.take(s->c.door.arg, s->held, EVENTS_STEP);
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
		if (s->c.door.take(s->c.door.arg, s->held, EVENTS_STEP) == 0)
			return;
}

static void workers_tell(struct sync_send *s)
{
	struct sync_event op = {.kind = SYNC_WALK, .token = s->token, .gen = s->gen};

	if (s->status.state == SYNC_SEND_TRANSFER && !s->walk_told && !s->marker_due)
		s->walk_told = s->c.door.tell(s->c.door.arg, &op) == 0;
	if (s->flush_wanted == s->flush_done || s->flushing || s->flush_known ||
	    s->status.state == SYNC_SEND_BEHIND ||
	    (s->status.state == SYNC_SEND_TRANSFER && !s->complete_sent))
		return;
	op = (struct sync_event){.kind = SYNC_FLUSH, .token = s->flush_token + 1};
	if (s->c.door.tell(s->c.door.arg, &op) < 0)
		return;
	s->flush_token++;
	s->flushing = s->c.door.n_workers;
}

static void transfer_step(struct sync_send *s, uint64_t now_ms)
{
	if (s->marker_due && marker_put(s, RECORD_BEGIN, now_ms))
		s->marker_due = false;
	workers_tell(s);
	if (!s->marker_due)
		events_take(s, now_ms);
	if (s->walk_told && !s->walking && !s->complete_sent &&
	    marker_put(s, RECORD_COMPLETE, now_ms)) {
		s->complete_sent = true;
		s->complete_seq = s->next;
	}
}

/* ---- acknowledgements ---- */

static uint32_t rto_ms(const struct sync_send *s, const struct sent *d)
{
	uint32_t rto = s->srtt_ms ? s->srtt_ms * 4 : RTO_FIRST_MS;

	if (rto < RTO_MIN_MS)
		rto = RTO_MIN_MS;
	rto <<= d->tries > 6 ? 6 : d->tries > 0 ? d->tries - 1 : 0;
	return rto < RTO_MAX_MS ? rto : RTO_MAX_MS;
}

static void measured(struct sync_send *s, const struct sent *d, uint64_t now_ms)
{
	uint32_t rtt = (uint32_t)(now_ms - d->at_ms);

	if (d->tries != 1 || d->acked)
		return;
	rtt = rtt < RTO_MAX_MS ? rtt + 1 : RTO_MAX_MS;
	s->srtt_ms = s->srtt_ms ? (s->srtt_ms * 7 + rtt + 7) / 8 : rtt;
}

static void progress(struct sync_send *s)
{
	if (s->status.state == SYNC_SEND_TRANSFER && s->complete_sent &&
	    (int32_t)(s->first - s->complete_seq) > 0) {
		s->status.state = SYNC_SEND_STEADY;
		s->status.synchronised = true;
		s->status.behind = false;
	}
	if (s->flush_known && s->status.state == SYNC_SEND_STEADY &&
	    (int32_t)(s->first - s->flush_seq) >= 0) {
		s->flush_done = s->flush_wanted;
		s->flush_known = false;
	}
}

/* Takes the bits of an acknowledgement. A datagram that lies at least three places before the
 * highest acknowledged one, and is not acknowledged, is repeated at once, if it was last sent at
 * least a quarter of the time-out ago. */
static void holes_repeat(struct sync_send *s, const uint8_t *have, uint64_t now_ms)
{
	uint32_t highest = 0;

	for (uint32_t i = 0; i < SYNC_WINDOW; i++) {
		struct sent *d;

		if (!(have[i / 8] >> (i % 8) & 1) || i + 1 >= s->next - s->first)
			continue;
		highest = i + 1;
		d = sent_of(s, s->first + 1 + i);
		measured(s, d, now_ms);
		d->acked = true;
	}
	for (uint32_t i = 0; i + 3 <= highest; i++) {
		struct sent *d = sent_of(s, s->first + i);

		if (!d->acked && may_send(s) && now_ms - d->at_ms >= rto_ms(s, d) / 4)
			put_out(s, d, now_ms);
	}
}

void sync_send_ack(struct sync_send *s, const uint8_t *bytes, size_t len, uint64_t now_ms)
{
	uint32_t next;
	uint16_t flags;

	if (len != SYNC_ACK_BYTES || bytes[0] < SYNC_VERSION_LEAST || bytes[0] > SYNC_VERSION ||
	    bytes[1] != SYNC_ACK) {
		s->status.acks_refused++;
		return;
	}
	flags = get16(bytes + 2);
	if ((flags & ~SYNC_ACK_FLAGS) || s->status.state == SYNC_SEND_OFF ||
	    get32(bytes + 4) != s->stream) {
		s->status.acks_refused++;
		return;
	}
	next = get32(bytes + 8);
	if (flags & SYNC_ACK_LOST) {
		if (s->status.state != SYNC_SEND_BEHIND)
			transfer_begin(s);
		return;
	}
	if (next - s->first > s->next - s->first) { /* an old one, or nonsense */
		s->status.acks_refused++;
		s->backward++;
		return;
	}
	s->backward = 0;
	for (; s->first != next; s->first++)
		measured(s, sent_of(s, s->first), now_ms);
	holes_repeat(s, bytes + SYNC_HEADER_BYTES, now_ms);
	progress(s);
}

/* ---- time ---- */

static void late_repeat(struct sync_send *s, uint64_t now_ms)
{
	for (uint32_t seq = s->first; seq != s->next && may_send(s); seq++) {
		struct sent *d = sent_of(s, seq);

		if (!d->acked && now_ms - d->at_ms >= rto_ms(s, d))
			put_out(s, d, now_ms);
	}
}

/* The peer waits for what it acknowledged long ago: it has forgotten the stream. */
static bool forgotten(struct sync_send *s)
{
	return s->backward >= FORGOTTEN_TRIES && s->first != s->next &&
	       sent_of(s, s->first)->tries >= FORGOTTEN_TRIES;
}

uint32_t sync_send_poll(struct sync_send *s, uint64_t now_ms)
{
	const uint64_t lost = s->c.door.lost(s->c.door.arg);

	if (s->status.state == SYNC_SEND_OFF) {
		events_shed(s);
		return IDLE_MS;
	}
	refill(s, now_ms);
	if (lost != s->lost_seen) {
		s->lost_seen = lost;
		if (s->status.state == SYNC_SEND_BEHIND)
			s->retry_at_ms = now_ms + s->pause_ms;
		else
			fall_behind(s, now_ms);
	}
	late_repeat(s, now_ms);
	if (forgotten(s))
		transfer_begin(s);
	if (s->status.state == SYNC_SEND_BEHIND) {
		events_shed(s);
		if (s->behind_due && marker_put(s, RECORD_BEHIND, now_ms)) {
			s->behind_due = false;
			open_close(s, now_ms);
		}
		if (now_ms < s->retry_at_ms)
			return IDLE_MS;
		transfer_begin(s);
	}
	if (s->status.state == SYNC_SEND_TRANSFER)
		transfer_step(s, now_ms);
	workers_tell(s);
	events_take(s, now_ms);
	open_close(s, now_ms);
	progress(s); /* a flush with nothing under way has no acknowledgement to wait for */
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
