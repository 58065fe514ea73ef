/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/sync/sync_record.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "ha/wire/bytes.h"
#include "model/conn_state.h"
#include "model/service.h"

#define FLAG_FTP     0x01U
#define FLAG_SERVICE 0x02U
#define FLAG_SERVER  0x04U
#define FLAG_ASSURED 0x08U
#define FLAGS_PUT    (FLAG_FTP | FLAG_SERVICE | FLAG_SERVER | FLAG_ASSURED)

#define MARKER_BYTES  4
#define KEY_BYTES     16
#define PUT_BYTES     24
#define SERVICE_BYTES 8
#define SERVER_BYTES  8
#define SEQ_BYTES     28
#define EXPECT_BYTES  24

#define SEQ_SHIFT_MAX	65536 /* what rewritten answers of a connection may add up to */
#define EXPECT_MAX_S	3600
#define EXPECT_PORT_MIN 1024

/* Addresses and ports stay in network order. */
static void put_raw(uint8_t *p, const void *v, size_t n)
{
	memcpy(p, v, n);
}

static be32 get_be32(const uint8_t *p)
{
	be32 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static be16 get_be16(const uint8_t *p)
{
	be16 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* ---- encode ---- */

static bool service_implied(const struct sync_event *e, const struct sync_service *s)
{
	return !(e->proto & RECORD_TEMPLATE) && s->proto == e->proto && s->addr == e->vaddr &&
	       s->port == e->vport;
}

static bool server_implied(const struct sync_event *e, const struct sync_server *s)
{
	return s->addr == e->daddr && s->port == e->dport;
}

static size_t encode_put(const struct sync_record *r, uint8_t *out)
{
	const struct sync_event *e = &r->e;
	size_t n = PUT_BYTES;

	out[2] = (uint8_t)((e->flags & SYNC_F_FTP ? FLAG_FTP : 0) |
			   (e->flags & SYNC_F_ASSURED ? FLAG_ASSURED : 0));
	out[16] = e->proto & RECORD_TEMPLATE ? CONN_NONE : e->state;
	out[17] = e->method;
	put_raw(out + 18, &e->dport, 2);
	put_raw(out + 20, &e->daddr, 4);
	if (!service_implied(e, &r->server.service)) {
		uint32_t mark = be32_from(r->server.service.addr);

		out[2] |= FLAG_SERVICE;
		out[n] = r->server.service.proto;
		out[n + 1] = 0;
		put_raw(out + n + 2, &r->server.service.port, 2);
		put_raw(out + n + 4, r->server.service.proto ? &r->server.service.addr : &mark, 4);
		n += SERVICE_BYTES;
	}
	if (!server_implied(e, &r->server)) {
		out[2] |= FLAG_SERVER;
		put_raw(out + n, &r->server.addr, 4);
		put_raw(out + n + 4, &r->server.port, 2);
		put16(out + n + 6, 0);
		n += SERVER_BYTES;
	}
	return n;
}

static size_t encode_rest(const struct sync_record *r, uint8_t *out)
{
	const struct sync_event *e = &r->e;

	switch (r->kind) {
	case RECORD_PUT:
		return encode_put(r, out);
	case RECORD_SEQ:
		put32(out + 16, e->pos);
		put32(out + 20, (uint32_t)e->before);
		put32(out + 24, (uint32_t)e->after);
		return SEQ_BYTES;
	case RECORD_EXPECT:
		put32(out + 16, e->left_s);
		put_raw(out + 20, &e->data_cport, 2);
		put_raw(out + 22, &e->data_port, 2);
		return EXPECT_BYTES;
	default:
		return KEY_BYTES;
	}
}

size_t sync_record_encode(const struct sync_record *r, uint8_t *out)
{
	const struct sync_event *e = &r->e;
	size_t n = MARKER_BYTES;

	out[0] = (uint8_t)r->kind;
	out[2] = out[3] = 0;
	if (r->kind >= RECORD_BEGIN) {
		out[2] = r->gen;
	} else {
		out[3] = e->proto;
		put_raw(out + 4, &e->caddr, 4);
		put_raw(out + 8, &e->vaddr, 4);
		put_raw(out + 12, &e->cport, 2);
		put_raw(out + 14, &e->vport, 2);
		n = encode_rest(r, out);
	}
	out[1] = (uint8_t)n;
	return n;
}

/* ---- decode ---- */

static bool unicast(be32 addr)
{
	uint32_t a = be32_to(addr);

	return a >> 24 != 0 && a >> 24 != 127 && a >> 28 < 0xe;
}

static bool proto_sound(uint8_t proto)
{
	const uint8_t l4 = (uint8_t)(proto & ~RECORD_TEMPLATE);

	return l4 == IPPROTO_TCP || l4 == IPPROTO_UDP || proto == RECORD_TEMPLATE;
}

/* Never half-open: those are told to nobody. */
static bool state_sound(uint8_t proto, uint8_t state)
{
	if (proto & RECORD_TEMPLATE)
		return state == CONN_NONE;
	if (proto == IPPROTO_UDP)
		return state == CONN_UDP;
	return state < CONN_STATE_MAX && state != CONN_NONE && state != CONN_SYN_RECV &&
	       state != CONN_UDP;
}

static bool key_sound(const struct sync_event *e)
{
	if (!proto_sound(e->proto))
		return false;
	if (e->proto & RECORD_TEMPLATE)
		return e->cport == 0; /* a network, perhaps all; a mark for the virtual address */
	return unicast(e->caddr) && unicast(e->vaddr);
}

static bool service_sound(const struct sync_service *s)
{
	if (s->proto == 0)
		return s->addr != 0 && s->port == 0;
	return (s->proto == IPPROTO_TCP || s->proto == IPPROTO_UDP) && unicast(s->addr);
}

static bool decode_put(const uint8_t *b, size_t len, struct sync_record *r)
{
	const uint8_t flags = b[2];
	const size_t want = PUT_BYTES + (flags & FLAG_SERVICE ? SERVICE_BYTES : 0) +
			    (flags & FLAG_SERVER ? SERVER_BYTES : 0);
	const uint8_t *p = b + PUT_BYTES;

	if ((flags & ~FLAGS_PUT) || len != want)
		return false;
	r->e.kind = SYNC_PUT;
	r->e.flags = (uint8_t)((flags & FLAG_FTP ? SYNC_F_FTP : 0) |
			       (flags & FLAG_ASSURED ? SYNC_F_ASSURED : 0));
	r->e.state = b[16];
	r->e.method = b[17];
	r->e.dport = get_be16(b + 18);
	r->e.daddr = get_be32(b + 20);
	r->server = (struct sync_server){
		.service = {.proto = r->e.proto, .port = r->e.vport, .addr = r->e.vaddr},
		.addr = r->e.daddr,
		.port = r->e.dport};
	if (flags & FLAG_SERVICE) {
		if (p[1] != 0)
			return false;
		r->server.service = (struct sync_service){.proto = p[0],
							  .port = get_be16(p + 2),
							  .addr = p[0] ? get_be32(p + 4)
								       : be32_to(get_be32(p + 4))};
		p += SERVICE_BYTES;
	}
	if (flags & FLAG_SERVER) {
		if (get16(p + 6) != 0)
			return false;
		r->server.addr = get_be32(p);
		r->server.port = get_be16(p + 4);
	}
	if ((r->e.flags & SYNC_F_FTP) && r->e.proto != IPPROTO_TCP)
		return false;
	return state_sound(r->e.proto, r->e.state) && r->e.method < FWD_MAX &&
	       service_sound(&r->server.service) && unicast(r->e.daddr) && unicast(r->server.addr);
}

static bool decode_seq(const uint8_t *b, size_t len, struct sync_record *r)
{
	if (len != SEQ_BYTES || b[2] != 0 || r->e.proto != IPPROTO_TCP)
		return false;
	r->e.kind = SYNC_FTP_SEQ;
	r->e.pos = get32(b + 16);
	r->e.before = (int32_t)get32(b + 20);
	r->e.after = (int32_t)get32(b + 24);
	return r->e.before >= -SEQ_SHIFT_MAX && r->e.before <= SEQ_SHIFT_MAX &&
	       r->e.after >= -SEQ_SHIFT_MAX && r->e.after <= SEQ_SHIFT_MAX;
}

static bool decode_expect(const uint8_t *b, size_t len, struct sync_record *r)
{
	uint16_t active, passive;

	if (len != EXPECT_BYTES || b[2] != 0 || r->e.proto != IPPROTO_TCP)
		return false;
	r->e.kind = SYNC_FTP_EXPECT;
	r->e.left_s = get32(b + 16);
	r->e.data_cport = get_be16(b + 20);
	r->e.data_port = get_be16(b + 22);
	active = be16_to(r->e.data_cport);
	passive = be16_to(r->e.data_port);
	return r->e.left_s >= 1 && r->e.left_s <= EXPECT_MAX_S &&
	       (active ? active >= EXPECT_PORT_MIN && passive == 0 : passive >= EXPECT_PORT_MIN);
}

static bool decode_keyed(const uint8_t *b, size_t len, struct sync_record *r)
{
	r->e.proto = b[3];
	r->e.caddr = get_be32(b + 4);
	r->e.vaddr = get_be32(b + 8);
	r->e.cport = get_be16(b + 12);
	r->e.vport = get_be16(b + 14);
	if (!key_sound(&r->e))
		return false;
	switch (r->kind) {
	case RECORD_PUT:
		return len >= PUT_BYTES && decode_put(b, len, r);
	case RECORD_END:
		r->e.kind = SYNC_END;
		return len == KEY_BYTES && b[2] == 0;
	case RECORD_SEQ:
		return decode_seq(b, len, r);
	case RECORD_EXPECT:
		return decode_expect(b, len, r);
	default:
		return false;
	}
}

static bool decode_marker(const uint8_t *b, size_t len, struct sync_record *r)
{
	r->gen = b[2];
	if (len != MARKER_BYTES || b[3] != 0 || b[0] > RECORD_BEHIND)
		return false;
	return r->kind == RECORD_BEHIND ? r->gen == 0 : r->gen >= 1 && r->gen <= SYNC_GEN_MAX;
}

int sync_record_decode(const uint8_t *bytes, size_t len, struct sync_record *r)
{
	struct sync_record got = {0};
	bool ok;

	if (len < MARKER_BYTES || bytes[1] < MARKER_BYTES || bytes[1] > len)
		return -EINVAL;
	len = bytes[1];
	got.kind = bytes[0];
	if (bytes[0] >= RECORD_BEGIN)
		ok = decode_marker(bytes, len, &got);
	else
		ok = bytes[0] != 0 && len >= KEY_BYTES && decode_keyed(bytes, len, &got);
	if (!ok)
		return -EINVAL;
	*r = got;
	return (int)len;
}

/* ---- from and to workers ---- */

int sync_record_make(const struct identity *m, const struct sync_event *e, struct sync_record *r)
{
	static const enum sync_record_kind kinds[SYNC_KIND_MAX] = {
		[SYNC_PUT] = RECORD_PUT,
		[SYNC_END] = RECORD_END,
		[SYNC_FTP_SEQ] = RECORD_SEQ,
		[SYNC_FTP_EXPECT] = RECORD_EXPECT,
	};
	const struct sync_server *server;

	if (e->kind >= SYNC_KIND_MAX || !kinds[e->kind])
		return -EINVAL;
	*r = (struct sync_record){.kind = kinds[e->kind], .e = *e};
	if (e->kind != SYNC_PUT)
		return 0;
	server = identity_of(m, e->server);
	if (!server)
		return -ENOENT;
	r->e.server = 0;
	r->server = *server;
	return 0;
}

bool sync_record_op(const struct identity *m, const struct sync_record *r, uint8_t gen,
		    struct sync_event *op)
{
	*op = r->e;
	op->gen = gen;
	if (r->kind != RECORD_PUT)
		return true;
	op->server = identity_find(m, &r->server);
	return op->server != 0;
}
