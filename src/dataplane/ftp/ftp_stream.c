/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ftp/ftp_stream.h"

#include <string.h>

void ftp_partial_add(struct ftp_partial *l, const char *text, size_t n)
{
	size_t room = sizeof(l->text) - l->len;

	if (n > room) {
		l->over = true;
		n = room;
	}
	memcpy(l->text + l->len, text, n);
	l->len = (uint16_t)(l->len + n);
}

static bool within(uint32_t number, uint32_t next)
{
	return number - next + FTP_WINDOW <= 2U * FTP_WINDOW;
}

/* Bytes of the server passed that were not read: the line that goes on next has no beginning. */
static void out_missed(struct ftp_streams *s, uint32_t next)
{
	s->out_next = next;
	s->out.len = 0;
	s->out.over = true;
	s->missed = true;
}

/* Bytes of the client passed that were not read. Clients wait for replies, so the next bytes are
 * most likely a line from its beginning. */
static void in_missed(struct ftp_streams *s, uint32_t next)
{
	s->in_next = next;
	s->in.len = 0;
	s->in.over = false;
}

int32_t ftp_stream_in(struct ftp_streams *s, uint32_t seq, const char *data, uint32_t len,
		      uint32_t acked)
{
	int32_t known;

	if (s->pin == FTP_PIN_NONE) {
		s->pin = FTP_PIN_CLIENT;
		s->in_next = seq;
		s->out_next = s->out_top = acked;
	}
	if ((int32_t)(acked - s->out_next) > 0 && (int32_t)(s->out_top - acked) >= 0)
		out_missed(s, acked);
	known = (int32_t)(s->in_next - seq);
	if (known < 0) {
		if (known >= -FTP_WINDOW && len <= sizeof(s->early)) {
			s->early_seq = seq;
			s->early_len = (uint16_t)len;
			memcpy(s->early, data, len);
		}
		return -1;
	}
	return known < (int32_t)len ? known : -1;
}

uint32_t ftp_stream_early(struct ftp_streams *s, char text[FTP_LINE_MAX])
{
	const uint32_t known = s->in_next - s->early_seq;
	uint32_t n;

	if (s->early_len == 0 || (int32_t)known < 0)
		return 0;
	n = known < s->early_len ? s->early_len - known : 0;
	memcpy(text, s->early + s->early_len - n, n);
	s->early_len = 0;
	return n;
}

/* The first segment of the server: no byte was read before, so its number is the next one. */
static void out_pin(struct ftp_streams *s, uint32_t seq, uint32_t ack)
{
	const bool agrees =
		s->pin == FTP_PIN_CLIENT && within(seq, s->out_next) && within(ack, s->in_next);

	s->pin = FTP_PIN_SERVER;
	if (!agrees || (int32_t)(seq - s->out_next) > 0)
		s->out_next = s->out_top = seq;
	if (!agrees)
		in_missed(s, ack);
}

bool ftp_stream_out(struct ftp_streams *s, uint32_t seq, uint32_t len, uint32_t ack)
{
	if (s->pin != FTP_PIN_SERVER)
		out_pin(s, seq, ack);
	if (!within(seq, s->out_next) || !within(ack, s->in_next))
		return false;
	if ((int32_t)(seq + len - s->out_top) > 0)
		s->out_top = seq + len;
	if ((int32_t)(ack - s->in_next) > 0)
		in_missed(s, ack);
	return true;
}
