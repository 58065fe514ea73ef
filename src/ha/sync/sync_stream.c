/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/sync/sync_stream.h"

#include "ha/wire/bytes.h"

#define RTO_MIN_MS   20
#define RTO_FIRST_MS 100

struct sent *stream_sent(struct sync_send *s, uint32_t seq)
{
	return &s->sent[seq % SYNC_WINDOW];
}

void stream_refill(struct sync_send *s, uint64_t now_ms)
{
	const int64_t most = (int64_t)s->c.bytes_per_s / 10 + 2 * SYNC_DATAGRAM_BYTES;

	s->tokens += (int64_t)((now_ms - s->refilled_ms) * s->c.bytes_per_s / 1000);
	if (s->tokens > most)
		s->tokens = most;
	s->refilled_ms = now_ms;
}

bool stream_may_send(const struct sync_send *s)
{
	return s->c.bytes_per_s == 0 || s->tokens > 0;
}

void stream_put_out(struct sync_send *s, struct sent *d, uint64_t now_ms)
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

void stream_close(struct sync_send *s, uint64_t now_ms)
{
	struct sent *d = s->open;

	if (!d)
		return;
	put16(d->bytes + 2, s->open_records);
	s->open = NULL;
	s->next++;
	stream_put_out(s, d, now_ms);
}

/* Room for a record; NULL: the window or the rate is used up. */
static uint8_t *room(struct sync_send *s, uint64_t now_ms)
{
	if (s->open && s->open->len + SYNC_RECORD_MAX > SYNC_SEND_BYTES)
		stream_close(s, now_ms);
	if (!s->open) {
		if (s->next - s->first >= SYNC_WINDOW || !stream_may_send(s))
			return NULL;
		s->open = stream_sent(s, s->next);
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

bool stream_record_put(struct sync_send *s, const struct sync_record *r, uint64_t now_ms)
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

bool stream_marker_put(struct sync_send *s, enum sync_record_kind kind, uint64_t now_ms)
{
	const struct sync_record r = {.kind = kind, .gen = kind == RECORD_BEHIND ? 0 : s->gen};

	return stream_record_put(s, &r, now_ms);
}

void stream_begin(struct sync_send *s)
{
	s->stream++;
	s->first = s->next = 0;
	s->open = NULL;
	s->walking = 0;
	s->complete_sent = false;
	s->n_held = s->held_at = 0;
	s->backward = 0;
}

void stream_transfer_begin(struct sync_send *s)
{
	stream_begin(s);
	s->gen = (uint8_t)(s->gen % SYNC_GEN_MAX + 1);
	s->token++;
	s->walking = s->c.access.n_workers;
	s->walk_told = false;
	s->marker_due = true;
	/* A flush under way has to be asked for again, behind the walk. */
	s->flushing = 0;
	s->flush_known = false;
	s->status.state = SYNC_SEND_TRANSFER;
	s->status.synchronised = false;
	s->status.transfers++;
}

uint32_t stream_rto_ms(const struct sync_send *s, const struct sent *d)
{
	uint32_t rto = s->srtt_ms ? s->srtt_ms * 4 : RTO_FIRST_MS;

	if (rto < RTO_MIN_MS)
		rto = RTO_MIN_MS;
	rto <<= d->tries > 6 ? 6 : d->tries > 0 ? d->tries - 1 : 0;
	return rto < RTO_MAX_MS ? rto : RTO_MAX_MS;
}
