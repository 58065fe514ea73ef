/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/sync/sync_stream.h"
#include "ha/wire/bytes.h"

static void measured(struct sync_send *s, const struct sent *d, uint64_t now_ms)
{
	uint32_t rtt = (uint32_t)(now_ms - d->at_ms);

	if (d->tries != 1 || d->acked)
		return;
	rtt = rtt < RTO_MAX_MS ? rtt + 1 : RTO_MAX_MS;
	s->srtt_ms = s->srtt_ms ? (s->srtt_ms * 7 + rtt + 7) / 8 : rtt;
}

void ack_progress(struct sync_send *s)
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
		d = stream_sent(s, s->first + 1 + i);
		measured(s, d, now_ms);
		d->acked = true;
	}
	for (uint32_t i = 0; i + 3 <= highest; i++) {
		struct sent *d = stream_sent(s, s->first + i);

		if (!d->acked && stream_may_send(s) && now_ms - d->at_ms >= stream_rto_ms(s, d) / 4)
			stream_put_out(s, d, now_ms);
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
			stream_transfer_begin(s);
		return;
	}
	if (next - s->first > s->next - s->first) { /* an old one, or nonsense */
		s->status.acks_refused++;
		s->backward++;
		return;
	}
	s->backward = 0;
	for (; s->first != next; s->first++)
		measured(s, stream_sent(s, s->first), now_ms);
	holes_repeat(s, bytes + SYNC_HEADER_BYTES, now_ms);
	ack_progress(s);
}
