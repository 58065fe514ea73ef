/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/wire/bulk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ha/wire/bytes.h"

/*
 * Payload:	0 operation, 1 kind, 2..3 bytes that follow, 4..7 id, 8..11 length of the block,
 *		12..15 offset: of the bytes that follow (DATA), up to which all came (ACK)
 */
enum bulk_op {
	BULK_DATA = 1,
	BULK_ACK = 2,
};

struct bulk_header {
	uint8_t op, kind;
	uint16_t n;
	uint32_t id, len, offset;
};

static void header_put(uint8_t out[BULK_HEADER], const struct bulk_header *h)
{
	out[0] = h->op;
	out[1] = h->kind;
	put16(out + 2, h->n);
	put32(out + 4, h->id);
	put32(out + 8, h->len);
	put32(out + 12, h->offset);
}

static int header_get(struct bulk_header *h, const uint8_t *in, size_t len)
{
	if (len < BULK_HEADER)
		return -EBADMSG;
	*h = (struct bulk_header){in[0],	 in[1],		get16(in + 2),
				  get32(in + 4), get32(in + 8), get32(in + 12)};
	if ((h->op != BULK_DATA && h->op != BULK_ACK) ||
	    (h->kind != BULK_REQUEST && h->kind != BULK_ANSWER) || h->id == 0 || h->len == 0 ||
	    h->len > BULK_MAX_BYTES || h->offset > h->len || h->n != len - BULK_HEADER ||
	    h->n > h->len - h->offset)
		return -EBADMSG;
	/* Blocks are cut at the same places by everyone. */
	if (h->op == BULK_DATA &&
	    (h->offset % BULK_CHUNK ||
	     h->n != (h->len - h->offset < BULK_CHUNK ? h->len - h->offset : BULK_CHUNK)))
		return -EBADMSG;
	return 0;
}

static void receive_forget(struct bulk_receive *r)
{
	free(r->bytes);
	free(r->chunks);
	r->bytes = NULL;
	r->chunks = NULL;
}

/* --- sending --- */

int64_t bulk_start(struct bulk *b, enum bulk_kind kind, uint32_t id, const void *bytes, size_t len,
		   uint64_t now_ms)
{
	struct bulk_send *s = &b->out;

	if (s->bytes)
		return -EBUSY;
	if (len == 0 || len > BULK_MAX_BYTES)
		return -EMSGSIZE;
	s->bytes = malloc(len);
	if (!s->bytes)
		return -ENOMEM;
	memcpy(s->bytes, bytes, len);
	if (id == 0)
		id = ++b->last_id ? b->last_id : ++b->last_id;
	*s = (struct bulk_send){.bytes = s->bytes,
				.len = (uint32_t)len,
				.id = id,
				.kind = (uint8_t)kind,
				.progress_ms = now_ms,
				.sent_ms = now_ms};
	bulk_tick(b, now_ms);
	return id;
}

static void send_end(struct bulk *b, int rc)
{
	const struct bulk_send was = b->out;

	memset(&b->out, 0, sizeof(b->out));
	free(was.bytes);
	if (b->sent)
		b->sent(b->arg, was.kind, was.id, rc);
}

static void send_window(struct bulk *b, uint64_t now_ms)
{
	struct bulk_send *s = &b->out;
	uint8_t payload[BULK_HEADER + BULK_CHUNK];

	while (s->next < s->len && s->next - s->acked < BULK_WINDOW * BULK_CHUNK) {
		uint32_t left = s->len - s->next;
		uint16_t n = (uint16_t)(left < BULK_CHUNK ? left : BULK_CHUNK);

		header_put(payload,
			   &(struct bulk_header){BULK_DATA, s->kind, n, s->id, s->len, s->next});
		memcpy(payload + BULK_HEADER, s->bytes + s->next, n);
		b->send(b->arg, payload, BULK_HEADER + n);
		s->next += n;
		s->sent_ms = now_ms;
	}
}

void bulk_tick(struct bulk *b, uint64_t now_ms)
{
	struct bulk_send *s = &b->out;

	if (b->in.bytes && now_ms - b->in.progress_ms > BULK_GIVE_UP_MS)
		receive_forget(&b->in);
	if (!s->bytes)
		return;
	if (now_ms - s->progress_ms > BULK_GIVE_UP_MS) {
		send_end(b, -ETIMEDOUT);
		return;
	}
	if (now_ms - s->sent_ms >= BULK_RESEND_MS)
		s->next = s->acked;
	send_window(b, now_ms);
}

static void acknowledged(struct bulk *b, const struct bulk_header *h, uint64_t now_ms)
{
	struct bulk_send *s = &b->out;

	if (!s->bytes || h->id != s->id || h->kind != s->kind || h->len != s->len ||
	    h->offset <= s->acked)
		return;
	s->acked = h->offset;
	if (s->next < s->acked)
		s->next = s->acked;
	s->progress_ms = s->sent_ms = now_ms;
	if (s->acked == s->len)
		send_end(b, 0);
	else
		send_window(b, now_ms);
}

/* --- receiving --- */

static void acknowledge(struct bulk *b, const struct bulk_header *h, uint32_t have)
{
	uint8_t payload[BULK_HEADER];

	header_put(payload, &(struct bulk_header){BULK_ACK, h->kind, 0, h->id, h->len, have});
	b->send(b->arg, payload, sizeof(payload));
}

static bool same_block(const struct bulk_receive *r, const struct bulk_header *h)
{
	return r->bytes && r->id == h->id && r->kind == h->kind && r->len == h->len;
}

/* A new block takes the place of one that the sender has given up. */
static bool receive_begin(struct bulk_receive *r, const struct bulk_header *h)
{
	receive_forget(r);
	r->bytes = malloc(h->len);
	r->chunks = calloc(h->len / BULK_CHUNK + 1, 1);
	r->id = h->id;
	r->kind = h->kind;
	r->len = h->len;
	r->have = 0;
	if (!r->bytes || !r->chunks)
		receive_forget(r);
	return r->bytes != NULL;
}

/* The bytes of one chunk; have goes on over all that came early. */
static void chunk_store(struct bulk_receive *r, const struct bulk_header *h, const uint8_t *bytes)
{
	if (r->chunks[h->offset / BULK_CHUNK])
		return;
	memcpy(r->bytes + h->offset, bytes, h->n);
	r->chunks[h->offset / BULK_CHUNK] = 1;
	while (r->have < r->len && r->chunks[r->have / BULK_CHUNK])
		r->have = r->len - r->have < BULK_CHUNK ? r->len : r->have + BULK_CHUNK;
}

static void taken(struct bulk *b, const struct bulk_header *h, const uint8_t *bytes,
		  uint64_t now_ms)
{
	struct bulk_receive *r = &b->in;

	if (h->id == r->done_id && h->kind == r->done_kind && h->len == r->done_len) {
		acknowledge(b, h, h->len);
		return;
	}
	/* A straggler of a block that was given up does not push out the one under way. */
	if (r->bytes && r->kind == h->kind && (int32_t)(h->id - r->id) < 0)
		return;
	if (!same_block(r, h) && !receive_begin(r, h))
		return;
	chunk_store(r, h, bytes);
	r->progress_ms = now_ms;
	acknowledge(b, h, r->have);
	if (r->have == r->len) {
		uint8_t *block = r->bytes;

		r->bytes = NULL;
		receive_forget(r);
		r->done_id = r->id;
		r->done_kind = r->kind;
		r->done_len = r->len;
		b->received(b->arg, r->kind, r->id, block, r->len);
		free(block);
	}
}

int bulk_receive(struct bulk *b, const uint8_t *payload, size_t len, uint64_t now_ms)
{
	struct bulk_header h;
	int ret = header_get(&h, payload, len);

	if (ret < 0)
		return ret;
	if (h.op == BULK_ACK)
		acknowledged(b, &h, now_ms);
	else
		taken(b, &h, payload + BULK_HEADER, now_ms);
	return 0;
}

void bulk_reset(struct bulk *b)
{
	receive_forget(&b->in);
	memset(&b->in, 0, sizeof(b->in));
	if (b->out.bytes)
		send_end(b, -ECONNRESET);
}

void bulk_fini(struct bulk *b)
{
	receive_forget(&b->in);
	free(b->out.bytes);
	memset(&b->in, 0, sizeof(b->in));
	memset(&b->out, 0, sizeof(b->out));
}
