/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/sync/sync_recv.h"

#include <stdlib.h>
#include <string.h>

#include "ha/wire/bytes.h"
#include "ha/sync/sync_record.h"
#include "ha/sync/sync_unbound.h"

#define UNBOUND_MAX	16384
#define UNBOUND_STEP	256
#define UNBOUND_LIFE_MS 900000 /* after a takeover nobody says that they have ended */

struct came {
	uint16_t len; /* 0: not yet */
	uint8_t bytes[SYNC_DATAGRAM_BYTES];
};

struct sync_recv {
	struct sync_recv_config c;
	struct sync_recv_status status;
	struct sync_unbound *unbound;
	bool accept;
	uint64_t released_ms;
	/* --- the stream --- */
	bool has_stream;
	uint8_t version; /* of the last datagram that came */
	uint32_t stream;
	uint32_t next;
	uint16_t at; /* of datagram next: where its first record that is not done begins */
	struct came came[SYNC_WINDOW];
	bool ack_due, ack_lost;
	/* --- transfer --- */
	/* Transfers are counted here: marks of an earlier peer must not look like those of this
	 * one. What the peer calls the one under way is only compared. */
	uint8_t gen, peer_gen;
	bool begun;
	/* --- binding --- */
	uint64_t bound_generation; /* of the identities that unbound were last looked up in */
	uint64_t binding_generation;
	uint32_t binding_at;
	bool binding;
};

struct sync_recv *sync_recv_create(const struct sync_recv_config *config)
{
	struct sync_recv *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->c = *config;
	r->gen = 1;
	r->unbound = sync_unbound_create(config->max_unbound ? config->max_unbound : UNBOUND_MAX);
	if (r->unbound)
		return r;
	free(r);
	return NULL;
}

void sync_recv_destroy(struct sync_recv *r)
{
	if (!r)
		return;
	sync_unbound_destroy(r->unbound);
	free(r);
}

static void stream_begin(struct sync_recv *r, uint32_t stream)
{
	r->has_stream = true;
	r->stream = stream;
	r->next = 0;
	r->at = 0;
	r->begun = false;
	r->ack_lost = false;
	r->status.complete = false;
	for (unsigned int i = 0; i < SYNC_WINDOW; i++)
		r->came[i].len = 0;
}

void sync_recv_reset(struct sync_recv *r)
{
	stream_begin(r, 0);
	r->has_stream = false;
	r->ack_due = false;
}

void sync_recv_accept(struct sync_recv *r, bool accept, uint64_t now_ms)
{
	if (r->accept == accept)
		return;
	r->accept = accept;
	r->released_ms = now_ms;
	r->ack_due = false;
	if (accept)
		sync_recv_reset(r);
}

/* ---- records ---- */

/* False: the workers' rings are full. */
static bool put_done(struct sync_recv *r, const struct sync_record *rec)
{
	struct sync_event op;

	if (sync_record_op(r->c.identity, rec, r->gen, &op)) {
		if (r->c.access.give(r->c.access.arg, &op) < 0)
			return false;
		sync_unbound_del(r->unbound, &rec->e);
		return true;
	}
	if (!sync_unbound_put(r->unbound, rec, r->gen))
		r->status.unbound_refused++;
	return true;
}

static bool complete_done(struct sync_recv *r, uint8_t gen)
{
	const struct sync_event op = {.kind = SYNC_SWEEP, .gen = r->gen};

	if (!r->begun || gen != r->peer_gen)
		return true; /* of no transfer that began in this stream */
	if (r->c.access.tell(r->c.access.arg, &op) < 0)
		return false;
	sync_unbound_sweep(r->unbound, r->gen);
	r->status.complete = true;
	r->status.transfers++;
	return true;
}

static bool record_done(struct sync_recv *r, const struct sync_record *rec)
{
	struct sync_event op;

	switch (rec->kind) {
	case RECORD_PUT:
		return put_done(r, rec);
	case RECORD_END:
		sync_unbound_del(r->unbound, &rec->e);
		/* fall through */
	case RECORD_SEQ:
	case RECORD_EXPECT:
		sync_record_op(r->c.identity, rec, r->gen, &op);
		return r->c.access.give(r->c.access.arg, &op) == 0;
	case RECORD_BEGIN:
		r->gen = (uint8_t)(r->gen % SYNC_GEN_MAX + 1);
		r->peer_gen = rec->gen;
		r->begun = true;
		r->status.complete = false;
		return true;
	case RECORD_COMPLETE:
		return complete_done(r, rec->gen);
	case RECORD_BEHIND:
		r->status.complete = false;
		return true;
	}
	return true;
}

/* ---- datagrams ---- */

static bool sound(const uint8_t *bytes, size_t len)
{
	struct sync_record rec;
	size_t at = SYNC_HEADER_BYTES;
	unsigned int n = 0;

	if (len < SYNC_HEADER_BYTES || len > SYNC_DATAGRAM_BYTES || bytes[0] < SYNC_VERSION_LEAST ||
	    bytes[0] > SYNC_VERSION || bytes[1] != SYNC_DATA)
		return false;
	while (at < len) {
		int used = sync_record_decode(bytes + at, len - at, &rec);

		if (used < 0)
			return false;
		at += (size_t)used;
		n++;
	}
	return n == get16(bytes + 2);
}

void sync_recv_data(struct sync_recv *r, const uint8_t *bytes, size_t len)
{
	uint32_t stream, seq;
	struct came *c;

	if (!r->accept)
		return;
	if (!sound(bytes, len)) {
		r->status.refused++;
		return;
	}
	r->version = bytes[0];
	stream = get32(bytes + 4);
	seq = get32(bytes + 8);
	if (!r->has_stream || (int32_t)(stream - r->stream) > 0)
		stream_begin(r, stream);
	if (stream != r->stream) {
		r->status.stale++;
		return;
	}
	r->ack_due = true;
	if ((int32_t)(seq - r->next) < 0) {
		r->status.duplicates++;
		return;
	}
	/* Far ahead: this is a stream that we came to in its middle. */
	if (seq - r->next >= SYNC_WINDOW) {
		r->status.stale++;
		r->ack_lost = true;
		return;
	}
	c = &r->came[seq % SYNC_WINDOW];
	if (c->len) {
		r->status.duplicates++;
		return;
	}
	memcpy(c->bytes, bytes, len);
	c->len = (uint16_t)len;
	r->status.datagrams++;
}

static void deliver(struct sync_recv *r)
{
	struct sync_record rec;

	for (;;) {
		struct came *c = &r->came[r->next % SYNC_WINDOW];

		if (!c->len)
			return;
		if (r->at == 0)
			r->at = SYNC_HEADER_BYTES;
		while (r->at < c->len) {
			int used = sync_record_decode(c->bytes + r->at, (size_t)(c->len - r->at),
						      &rec);

			if (used < 0) /* checked when it came */
				break;
			if (!record_done(r, &rec))
				return;
			r->at = (uint16_t)(r->at + used);
			r->status.records += !sync_record_is_marker(&rec);
		}
		c->len = 0;
		r->at = 0;
		r->next++;
	}
}

static void acknowledge(struct sync_recv *r)
{
	uint8_t ack[SYNC_ACK_BYTES] = {r->version, SYNC_ACK};
	uint16_t flags = r->status.complete ? SYNC_ACK_COMPLETE : 0;

	if (r->ack_lost)
		flags |= SYNC_ACK_LOST;
	put16(ack + 2, flags);
	put32(ack + 4, r->stream);
	put32(ack + 8, r->next);
	for (uint32_t i = 0; i + 1 < SYNC_WINDOW; i++)
		if (r->came[(r->next + 1 + i) % SYNC_WINDOW].len)
			ack[SYNC_HEADER_BYTES + i / 8] |= (uint8_t)(1U << (i % 8));
	r->ack_due = r->ack_lost = false;
	r->c.output(r->c.output_arg, ack, sizeof(ack));
}

/* ---- binding ---- */

static bool bind_one(void *arg, const struct sync_record *rec, uint8_t gen, bool *wait)
{
	struct sync_recv *r = arg;
	struct sync_event op;

	if (!sync_record_op(r->c.identity, rec, gen, &op))
		return false;
	if (r->c.access.give(r->c.access.arg, &op) == 0)
		return true;
	*wait = true;
	return false;
}

static void bind_step(struct sync_recv *r)
{
	const uint64_t generation = identity_generation(r->c.identity);

	if (!r->binding) {
		if (generation == r->bound_generation)
			return;
		r->binding = true;
		r->binding_at = 0;
		r->binding_generation = generation;
	}
	if (!sync_unbound_each(r->unbound, &r->binding_at, UNBOUND_STEP, bind_one, r))
		return;
	r->binding = false;
	r->bound_generation = r->binding_generation;
}

void sync_recv_poll(struct sync_recv *r, uint64_t now_ms)
{
	deliver(r);
	if (!r->accept && now_ms - r->released_ms > UNBOUND_LIFE_MS &&
	    sync_unbound_count(r->unbound))
		sync_unbound_clear(r->unbound);
	bind_step(r);
	if (r->ack_due)
		acknowledge(r);
}

bool sync_recv_idle(const struct sync_recv *r)
{
	return r->c.access.pending(r->c.access.arg) == 0;
}

void sync_recv_status(const struct sync_recv *r, struct sync_recv_status *out)
{
	*out = r->status;
	out->position = (uint64_t)r->stream << 32 | r->next;
	out->unbound = sync_unbound_count(r->unbound);
}
