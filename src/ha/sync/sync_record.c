/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/sync/sync_record.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "ha/sync/sync_sound.h"
#include "ha/wire/bytes.h"
#include "model/conn_state.h"
#include "model/service.h"

#define FLAG_FTP     0x01U
#define FLAG_SERVICE 0x02U
#define FLAG_SERVER  0x04U
#define FLAG_ASSURED 0x08U
#define FLAG_IPV6    0x10U /* of every kind with a key */
#define FLAG_OTHER   0x20U /* the address of SERVER is of the other family */
#define FLAG_LOCAL   0x40U
#define FLAG_PROXY   0x80U
#define FLAGS_PUT                                                                                  \
	(FLAG_FTP | FLAG_SERVICE | FLAG_SERVER | FLAG_ASSURED | FLAG_OTHER | FLAG_LOCAL |          \
	 FLAG_PROXY)

/* Bytes, of a record whose addresses have n. */
#define MARKER_BYTES	 4
#define KEY_BYTES(n)	 (4 + 2 * (n) + 4)
#define PUT_BYTES(n)	 (KEY_BYTES(n) + 4 + (n))
#define SERVICE_BYTES(n) (4 + (n))
#define SERVER_BYTES(n)	 ((n) + 4)
#define LOCAL_BYTES(n)	 ((n) + 4)
#define PROXY_BYTES	 8
#define SEQ_BYTES	 12 /* behind the key */
#define EXPECT_BYTES	 8
#define DATA_LOCAL_BYTES 4 /* behind it, with LOCAL */

_Static_assert(PUT_BYTES(16) + SERVICE_BYTES(16) + SERVER_BYTES(16) + LOCAL_BYTES(16) +
			       PROXY_BYTES ==
		       SYNC_RECORD_MAX,
	       "the longest record");

/* Addresses and ports stay in network order. */
static void put_raw(uint8_t *p, const void *v, size_t n)
{
	memcpy(p, v, n);
}

static be16 get_be16(const uint8_t *p)
{
	be16 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static size_t addr_bytes(const struct sync_event *e)
{
	return e->flags & SYNC_F_V6 ? 16 : 4;
}

static struct addr get_addr(const uint8_t *p, size_t n)
{
	struct addr a = {.family = n == 16 ? ADDR_V6 : ADDR_V4};

	memcpy(a.v6, p, n);
	return a;
}

/* Bytes of a local address, which is of the server's family. */
static size_t local_bytes(uint8_t flags, size_t n)
{
	return flags & FLAG_OTHER ? 20 - n : n;
}

/* ---- encode ---- */

static bool service_implied(const struct sync_event *e, const struct sync_service *s)
{
	const struct addr vip = SYNC_EVENT_ADDR(e, vaddr);

	return !(e->proto & RECORD_TEMPLATE) && s->proto == e->proto && s->port == e->vport &&
	       addr_equal(&s->addr, &vip);
}

static bool server_implied(const struct sync_event *e, const struct sync_server *s)
{
	const struct addr server = SYNC_EVENT_ADDR(e, daddr);

	return s->port == e->dport && addr_equal(&s->addr, &server);
}

static size_t encode_service(const struct sync_service *s, size_t n, uint8_t *out)
{
	out[0] = s->proto;
	out[1] = 0;
	put_raw(out + 2, &s->port, 2);
	put_raw(out + 4, s->addr.v6, n);
	if (s->proto == 0)
		put32(out + 4, s->mark);
	return SERVICE_BYTES(n);
}

/* All encoders get the place behind the key. */
static size_t encode_put(const struct sync_record *r, size_t n, uint8_t *flags, uint8_t *out)
{
	const struct sync_event *e = &r->e;
	size_t at = 4 + n;

	*flags |= (uint8_t)((e->flags & SYNC_F_FTP ? FLAG_FTP : 0) |
			    (e->flags & SYNC_F_ASSURED ? FLAG_ASSURED : 0));
	out[0] = e->proto & RECORD_TEMPLATE ? CONN_NONE : e->state;
	out[1] = e->method;
	put_raw(out + 2, &e->dport, 2);
	put_raw(out + 4, &e->daddr6, n);
	if (!service_implied(e, &r->server.service)) {
		*flags |= FLAG_SERVICE;
		at += encode_service(&r->server.service, n, out + at);
	}
	if (!server_implied(e, &r->server)) {
		const size_t bytes = r->server.addr.family == ADDR_V6 ? 16 : 4;

		*flags |= FLAG_SERVER | (bytes != n ? FLAG_OTHER : 0);
		put_raw(out + at, r->server.addr.v6, bytes);
		put_raw(out + at + bytes, &r->server.port, 2);
		put16(out + at + bytes + 2, 0);
		at += SERVER_BYTES(bytes);
	}
	if (e->lport) {
		const size_t bytes = local_bytes(*flags, n);

		*flags |= FLAG_LOCAL;
		put_raw(out + at, &e->laddr6, bytes);
		put_raw(out + at + bytes, &e->lport, 2);
		put16(out + at + bytes + 2, 0);
		at += LOCAL_BYTES(bytes);
	}
	if (e->proxy) {
		*flags |= FLAG_PROXY;
		put32(out + at, e->first);
		put32(out + at + 4, (uint32_t)e->proxy << 24);
		at += PROXY_BYTES;
	}
	return at;
}

static size_t encode_rest(const struct sync_record *r, size_t n, uint8_t *flags, uint8_t *out)
{
	const struct sync_event *e = &r->e;

	switch (r->kind) {
	case RECORD_PUT:
		return encode_put(r, n, flags, out);
	case RECORD_SEQ:
		*flags |= e->flags & SYNC_F_CLIENT ? FLAG_LOCAL : 0;
		put32(out, e->pos);
		put32(out + 4, (uint32_t)e->before);
		put32(out + 8, (uint32_t)e->after);
		return SEQ_BYTES;
	case RECORD_EXPECT:
		put32(out, e->left_s);
		put_raw(out + 4, &e->data_cport, 2);
		put_raw(out + 6, &e->data_port, 2);
		if (!e->data_lport)
			return EXPECT_BYTES;
		*flags |= FLAG_LOCAL;
		put_raw(out + EXPECT_BYTES, &e->data_lport, 2);
		put16(out + EXPECT_BYTES + 2, 0);
		return EXPECT_BYTES + DATA_LOCAL_BYTES;
	default:
		return 0;
	}
}

size_t sync_record_encode(const struct sync_record *r, uint8_t *out)
{
	const struct sync_event *e = &r->e;
	const size_t n = addr_bytes(e);
	size_t len = MARKER_BYTES;

	out[0] = (uint8_t)r->kind;
	out[2] = out[3] = 0;
	if (r->kind >= RECORD_BEGIN) {
		out[2] = r->gen;
	} else {
		out[2] = n == 16 ? FLAG_IPV6 : 0;
		out[3] = e->proto;
		put_raw(out + 4, &e->caddr6, n);
		put_raw(out + 4 + n, &e->vaddr6, n);
		put_raw(out + 4 + 2 * n, &e->cport, 2);
		put_raw(out + 6 + 2 * n, &e->vport, 2);
		len = KEY_BYTES(n) + encode_rest(r, n, &out[2], out + KEY_BYTES(n));
	}
	out[1] = (uint8_t)len;
	return len;
}

/* ---- decode ---- */

bool sync_record_is_mixed(const struct sync_record *r)
{
	const bool v6 = r->e.flags & SYNC_F_V6;

	return r->kind == RECORD_PUT && v6 != (r->server.addr.family == ADDR_V6);
}

static bool service_sound(const struct sync_service *s)
{
	if (s->proto == 0)
		return s->mark != 0 && s->port == 0 && addr_is_zero(&s->addr);
	return (s->proto == IPPROTO_TCP || s->proto == IPPROTO_UDP) &&
	       sync_addr_is_unicast(s->addr);
}

static struct sync_service decode_service(const uint8_t *p, size_t n)
{
	struct sync_service s = {
		.proto = p[0], .port = get_be16(p + 2), .addr = get_addr(p + 4, n)};

	if (s.proto == 0) {
		s.mark = get32(p + 4);
		s.addr.v4 = 0; /* what stands behind the mark has to be zero */
	}
	return s;
}

/* All decoders get the place behind the key and the bytes from there on. */
static bool decode_put(const uint8_t *p, size_t len, uint8_t flags, struct sync_record *r)
{
	const size_t n = addr_bytes(&r->e), servers = flags & FLAG_OTHER ? 20 - n : n;
	const size_t want = 4 + n + (flags & FLAG_SERVICE ? SERVICE_BYTES(n) : 0) +
			    (flags & FLAG_SERVER ? SERVER_BYTES(servers) : 0) +
			    (flags & FLAG_LOCAL ? LOCAL_BYTES(local_bytes(flags, n)) : 0) +
			    (flags & FLAG_PROXY ? PROXY_BYTES : 0);
	struct addr server;

	if ((flags & ~FLAGS_PUT) || (flags & (FLAG_OTHER | FLAG_SERVER)) == FLAG_OTHER ||
	    len != want)
		return false;
	r->e.kind = SYNC_PUT;
	r->e.flags |= (uint8_t)((flags & FLAG_FTP ? SYNC_F_FTP : 0) |
				(flags & FLAG_ASSURED ? SYNC_F_ASSURED : 0));
	r->e.state = p[0];
	r->e.method = p[1];
	r->e.dport = get_be16(p + 2);
	put_raw((uint8_t *)&r->e.daddr6, p + 4, n);
	server = SYNC_EVENT_ADDR(&r->e, daddr);
	r->server = (struct sync_server){.service = {.proto = r->e.proto,
						     .port = r->e.vport,
						     .addr = SYNC_EVENT_ADDR(&r->e, vaddr)},
					 .addr = server,
					 .port = r->e.dport};
	p += 4 + n;
	if (flags & FLAG_SERVICE) {
		if (p[1] != 0)
			return false;
		r->server.service = decode_service(p, n);
		p += SERVICE_BYTES(n);
	}
	if (flags & FLAG_SERVER) {
		if (get16(p + servers + 2) != 0)
			return false;
		r->server.addr = get_addr(p, servers);
		r->server.port = get_be16(p + servers);
		p += SERVER_BYTES(servers);
	}
	if (flags & FLAG_LOCAL) {
		const size_t bytes = local_bytes(flags, n);

		if (get16(p + bytes + 2) != 0)
			return false;
		put_raw((uint8_t *)&r->e.laddr6, p, bytes);
		r->e.lport = get_be16(p + bytes);
		r->e.flags |= flags & FLAG_OTHER ? SYNC_F_OTHER : 0;
		p += LOCAL_BYTES(bytes);
	}
	if (flags & FLAG_PROXY) {
		r->e.first = get32(p);
		r->e.proxy = p[4];
		if (p[4] == 0 || p[5] != 0 || get16(p + 6) != 0)
			return false;
	}
	if (!(flags & FLAG_OTHER) != !addr_is_zero(&server))
		return false;
	return sync_put_sound(&r->e) && service_sound(&r->server.service) &&
	       sync_addr_is_unicast(r->server.addr);
}

static bool decode_seq(const uint8_t *p, size_t len, uint8_t flags, struct sync_record *r)
{
	if (len != SEQ_BYTES || (flags & ~FLAG_LOCAL))
		return false;
	r->e.kind = SYNC_FTP_SEQ;
	r->e.flags |= flags & FLAG_LOCAL ? SYNC_F_CLIENT : 0;
	r->e.pos = get32(p);
	r->e.before = (int32_t)get32(p + 4);
	r->e.after = (int32_t)get32(p + 8);
	return sync_seq_sound(&r->e);
}

static bool decode_expect(const uint8_t *p, size_t len, uint8_t flags, struct sync_record *r)
{
	const size_t local = flags & FLAG_LOCAL ? DATA_LOCAL_BYTES : 0;

	if ((flags & ~FLAG_LOCAL) || len != EXPECT_BYTES + local)
		return false;
	r->e.kind = SYNC_FTP_EXPECT;
	if (flags & FLAG_LOCAL) {
		r->e.data_lport = get_be16(p + EXPECT_BYTES);
		if (r->e.data_lport == 0 || get16(p + EXPECT_BYTES + 2) != 0)
			return false;
	}
	r->e.left_s = get32(p);
	r->e.data_cport = get_be16(p + 4);
	r->e.data_port = get_be16(p + 6);
	return sync_expect_sound(&r->e);
}

static bool decode_keyed(const uint8_t *b, size_t len, struct sync_record *r)
{
	const uint8_t flags = b[2] & (uint8_t)~FLAG_IPV6;
	const size_t n = b[2] & FLAG_IPV6 ? 16 : 4;

	if (len < KEY_BYTES(n))
		return false;
	r->e.flags = n == 16 ? SYNC_F_V6 : 0;
	r->e.proto = b[3];
	put_raw((uint8_t *)&r->e.caddr6, b + 4, n);
	put_raw((uint8_t *)&r->e.vaddr6, b + 4 + n, n);
	r->e.cport = get_be16(b + 4 + 2 * n);
	r->e.vport = get_be16(b + 6 + 2 * n);
	if (!sync_key_sound(&r->e))
		return false;
	b += KEY_BYTES(n);
	len -= KEY_BYTES(n);
	switch (r->kind) {
	case RECORD_PUT:
		return len >= 4 && decode_put(b, len, flags, r);
	case RECORD_END:
		r->e.kind = SYNC_END;
		return len == 0 && flags == 0;
	case RECORD_SEQ:
		return decode_seq(b, len, flags, r);
	case RECORD_EXPECT:
		return decode_expect(b, len, flags, r);
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
		ok = bytes[0] != 0 && decode_keyed(bytes, len, &got);
	if (!ok)
		return -EINVAL;
	*r = got;
	return (int)len;
}

bool sync_record_is_local(const struct sync_record *r)
{
	switch (r->kind) {
	case RECORD_PUT:
		return forward_has(r->e.method, FORWARD_BY_LOCAL) || r->e.proxy;
	case RECORD_SEQ:
		return r->e.flags & SYNC_F_CLIENT;
	case RECORD_EXPECT:
		return r->e.data_lport;
	default:
		return false;
	}
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
