/* SPDX-License-Identifier: BSD-3-Clause */
/* Records of connections between routers: the vectors of docs/ha-protocol.md, and what cannot be.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ha/sync/sync_record.h"
#include "model/conn_state.h"
#include "model/service.h"

static struct addr ip(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

struct vector {
	const char *what;
	const char *hex;
	enum sync_record_kind kind;
	const char *client, *vip, *server; /* server: as the connection has it */
	uint16_t cport, vport, dport;
	uint8_t proto, state, method, flags;
	/* The service and the server as they are listed; NULL: as the connection has them. */
	const char *service, *listed;
	uint16_t service_port, listed_port;
	uint32_t mark;
	uint8_t proxy;
	uint32_t first;
	const char *local; /* by full NAT */
	uint16_t lport;
};

static const struct vector vectors[] = {
	{"put, TCP by NAT",
	 "01180806c0000201c63364640400005001000050" /* ... */
	 "0a0a0001",
	 RECORD_PUT, "192.0.2.1", "198.51.100.100", "10.10.0.1", 1024, 80, 80, IPPROTO_TCP,
	 CONN_ESTABLISHED, FWD_NAT, SYNC_F_ASSURED, NULL, NULL, 0, 0, 0},
	{"put, IPv6, TCP by NAT",
	 "013c180620010db8000000000000000000000001"
	 "20010db8000100000000000000000064040000500100005020010db8000a00000000000000000001",
	 RECORD_PUT, "2001:db8::1", "2001:db8:1::64", "2001:db8:a::1", 1024, 80, 80, IPPROTO_TCP,
	 CONN_ESTABLISHED, FWD_NAT, SYNC_F_ASSURED, NULL, NULL, 0, 0, 0},
	{"put, IPv6, UDP by DR of a mark, server listed with port 0",
	 "0164161120010db8000000000000000000000001"
	 "20010db8000100000000000000000064040000350b01003520010db8000a00000000000000000001"
	 "0000000000000007000000000000000000000000"
	 "20010db8000a0000000000000000000100000000",
	 RECORD_PUT, "2001:db8::1", "2001:db8:1::64", "2001:db8:a::1", 1024, 53, 53, IPPROTO_UDP,
	 CONN_UDP, FWD_DR, 0, "", "2001:db8:a::1", 0, 0, 7},
	{"put, TCP by tunnel to a server of IPv6",
	 "012c2406c0000201c63364640400005001020050"
	 "0000000020010db8000a0000000000000000000100500000",
	 RECORD_PUT, "192.0.2.1", "198.51.100.100", "0.0.0.0", 1024, 80, 80, IPPROTO_TCP,
	 CONN_ESTABLISHED, FWD_TUNNEL, 0, NULL, "2001:db8:a::1", 0, 80, 0},
	{"put, IPv6, UDP by tunnel to a server of IPv4",
	 "0144341120010db8000000000000000000000001"
	 "20010db8000100000000000000000064040000350b020035"
	 "000000000000000000000000000000000a0a000100350000",
	 RECORD_PUT, "2001:db8::1", "2001:db8:1::64", "::", 1024, 53, 53, IPPROTO_UDP, CONN_UDP,
	 FWD_TUNNEL, 0, NULL, "10.10.0.1", 0, 53, 0},
	{"put, TCP by NAT, whose server has the client's address",
	 "01208806c0000201c63364640400005001000050"
	 "0a0a00010000000082000000",
	 RECORD_PUT,
	 "192.0.2.1",
	 "198.51.100.100",
	 "10.10.0.1",
	 1024,
	 80,
	 80,
	 IPPROTO_TCP,
	 CONN_ESTABLISHED,
	 FWD_NAT,
	 SYNC_F_ASSURED,
	 NULL,
	 NULL,
	 0,
	 0,
	 0,
	 CLIENT_ADDRESS_PROXY_V2 | PROXY_DONE,
	 0},
	{"put, TCP by NAT, whose server is being told the client's address",
	 "01208806c0000201c63364640400005001000050"
	 "0a0a00011234567841000000",
	 RECORD_PUT,
	 "192.0.2.1",
	 "198.51.100.100",
	 "10.10.0.1",
	 1024,
	 80,
	 80,
	 IPPROTO_TCP,
	 CONN_ESTABLISHED,
	 FWD_NAT,
	 SYNC_F_ASSURED,
	 NULL,
	 NULL,
	 0,
	 0,
	 0,
	 CLIENT_ADDRESS_PROXY_V1 | PROXY_SENDING,
	 0x12345678},
	{"put, TCP by full NAT to a server of IPv6",
	 "01406406c0000201c63364640400005001041f9000000000"
	 "20010db8000a000000000000000000011f900000"
	 "20010db8000a000000000000000000c804010000",
	 RECORD_PUT,
	 "192.0.2.1",
	 "198.51.100.100",
	 "0.0.0.0",
	 1024,
	 80,
	 8080,
	 IPPROTO_TCP,
	 CONN_ESTABLISHED,
	 FWD_FULLNAT,
	 SYNC_F_OTHER,
	 NULL,
	 "2001:db8:a::1",
	 0,
	 8080,
	 0,
	 .local = "2001:db8:a::c8",
	 .lport = 1025},
	{"put, IPv6, TCP by full NAT to a server of IPv4",
	 "014c740620010db8000000000000000000000001"
	 "20010db80001000000000000000000640400005001041f90"
	 "000000000000000000000000000000000a0a00011f9000000a0a00c804010000",
	 RECORD_PUT,
	 "2001:db8::1",
	 "2001:db8:1::64",
	 "::",
	 1024,
	 80,
	 8080,
	 IPPROTO_TCP,
	 CONN_ESTABLISHED,
	 FWD_FULLNAT,
	 SYNC_F_OTHER,
	 NULL,
	 "10.10.0.1",
	 0,
	 8080,
	 0,
	 .local = "10.10.0.200",
	 .lport = 1025},
	{"end, IPv6",
	 "0228100620010db800000000000000000000000120010db800010000000000000000006404000050",
	 RECORD_END, "2001:db8::1", "2001:db8:1::64", NULL, 1024, 80, 0, IPPROTO_TCP, 0, 0, 0, NULL,
	 NULL, 0, 0, 0},
};

static size_t bytes_of(const char *hex, uint8_t *out)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++) {
		const char two[3] = {hex[2 * i], hex[2 * i + 1], 0};

		out[i] = (uint8_t)strtoul(two, NULL, 16);
	}
	return n;
}

static void addr_put(void *v4_or_v6, const struct addr *a)
{
	memcpy(v4_or_v6, a->v6, a->family == ADDR_V6 ? 16 : 4);
}

static struct sync_record record_of(const struct vector *v)
{
	const struct addr client = ip(v->client), vip = ip(v->vip);
	struct sync_record r = {0};
	struct addr server;

	r.kind = v->kind;
	r.e.kind = v->kind == RECORD_PUT ? SYNC_PUT : SYNC_END;
	r.e.flags = (uint8_t)(v->flags | (client.family == ADDR_V6 ? SYNC_F_V6 : 0));
	r.e.proto = v->proto;
	addr_put(&r.e.caddr6, &client);
	addr_put(&r.e.vaddr6, &vip);
	r.e.cport = be16_from(v->cport);
	r.e.vport = be16_from(v->vport);
	r.e.state = v->state;
	r.e.method = v->method;
	r.e.proxy = v->proxy;
	r.e.first = v->first;
	if (!v->server)
		return r;
	server = ip(v->server);
	r.server.addr = ip(v->listed ? v->listed : v->server);
	addr_put(&r.e.daddr6, &server);
	r.e.dport = be16_from(v->dport);
	r.server.port = be16_from(v->listed ? v->listed_port : v->dport);
	r.server.service.proto = v->mark ? 0 : v->proto;
	r.server.service.port = be16_from(v->mark ? 0 : v->vport);
	r.server.service.mark = v->mark;
	r.server.service.addr = vip;
	if (v->local) {
		const struct addr local = ip(v->local);

		addr_put(&r.e.laddr6, &local);
		r.e.lport = be16_from(v->lport);
	}
	if (v->mark)
		r.server.service.addr = (struct addr){.family = vip.family};
	return r;
}

/* A template's client port is the hash of a Call-ID: of UDP and of a mark alone. */
static void a_template_of_tcp_has_no_client_port(void **state)
{
	struct sync_event e = {.kind = SYNC_PUT, .proto = RECORD_TEMPLATE | IPPROTO_UDP};

	(void)state;
	e.caddr4 = be32_from(0xc0a80000);
	e.vaddr4 = be32_from(0x0a010064);
	e.vport = be16_from(5060);
	e.daddr4 = be32_from(0x0a0a0001);
	e.method = FWD_NAT;
	e.state = CONN_NONE;
	assert_true(sync_event_sound(&e));
	e.cport = be16_from(0xfedc);
	assert_true(sync_event_sound(&e));
	e.proto = RECORD_TEMPLATE;
	assert_true(sync_event_sound(&e));
	e.proto = RECORD_TEMPLATE | IPPROTO_TCP;
	assert_false(sync_event_sound(&e));
	e.cport = 0;
	assert_true(sync_event_sound(&e));
}

/* A local address of the wrong family, none, or one where the server is not of the other family. */
static void full_nat_between_the_families_has_a_local_address_of_the_servers_family(void **state)
{
	uint8_t bytes[SYNC_RECORD_MAX];
	struct sync_record r;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		if (!vectors[i].local)
			continue;
		n = bytes_of(vectors[i].hex, bytes);
		assert_int_equal(sync_record_decode(bytes, n, &r), (int)n);
		assert_true(sync_event_sound(&r.e));
		r.e.flags &= (uint8_t)~SYNC_F_OTHER;
		assert_false(sync_event_sound(&r.e));
		r.e.flags |= SYNC_F_OTHER;
		r.e.method = FWD_TUNNEL;
		assert_false(sync_event_sound(&r.e));
		bytes[2] &= (uint8_t)~0x40; /* no LOCAL */
		bytes[1] = (uint8_t)(n - (vectors[i].client[4] == ':' ? 8 : 20));
		assert_int_equal(sync_record_decode(bytes, bytes[1], &r), -EINVAL);
	}
	assert_true(n > 0);
}

static void records_are_the_bytes_of_the_document(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const struct sync_record r = record_of(&vectors[i]);
		uint8_t want[SYNC_RECORD_MAX], out[SYNC_RECORD_MAX];
		size_t n = bytes_of(vectors[i].hex, want);
		struct sync_record back;

		print_message("%s\n", vectors[i].what);
		assert_int_equal(sync_record_encode(&r, out), n);
		assert_memory_equal(out, want, n);
		assert_int_equal(sync_record_decode(want, n, &back), (int)n);
		assert_memory_equal(&back.e, &r.e, sizeof(r.e));
		assert_memory_equal(&back.server, &r.server, sizeof(r.server));
	}
}

/* No prefix of a record is one, whatever its length says. */
static void a_record_cut_short_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		uint8_t bytes[SYNC_RECORD_MAX];
		size_t n = bytes_of(vectors[i].hex, bytes);
		struct sync_record r;

		for (size_t cut = 0; cut < n; cut++) {
			uint8_t *copy = malloc(cut ? cut : 1);

			memcpy(copy, bytes, cut);
			assert_int_equal(sync_record_decode(copy, cut, &r), -EINVAL);
			if (cut > 1) {
				copy[1] = (uint8_t)cut;
				assert_int_equal(sync_record_decode(copy, cut, &r), -EINVAL);
			}
			free(copy);
		}
	}
}

/* The client's numbers of FTP, and the local port of a data connection, by full NAT. */
static void records_of_ftp_by_full_nat_are_those_of_the_document(void **state)
{
	static const char *const key = "06c0000201c633646404000015";
	static const struct {
		const char *head, *rest;
	} bad[] = {
		{"031c80", "0000006400000000fffffffd"}, /* a flag of another kind */
		{"041c40", "0000003c1388000003ff0000"}, /* a port below 1024 */
		{"041c40", "0000003c0000138904010000"}, /* passive */
		{"041c40", "0000003c1388000000000000"}, /* none */
	};
	uint8_t want[SYNC_RECORD_MAX], out[SYNC_RECORD_MAX];
	struct sync_record r;
	char text[2 * SYNC_RECORD_MAX];
	size_t n;

	(void)state;
	snprintf(text, sizeof(text), "031c40%s0000006400000000fffffffd", key);
	n = bytes_of(text, want);
	assert_int_equal(sync_record_decode(want, n, &r), (int)n);
	assert_int_equal(r.e.kind, SYNC_FTP_SEQ);
	assert_int_equal(r.e.flags, SYNC_F_CLIENT);
	assert_int_equal(r.e.after, -3);
	assert_true(sync_event_sound(&r.e));
	assert_true(sync_record_is_local(&r));
	assert_int_equal(sync_record_encode(&r, out), n);
	assert_memory_equal(out, want, n);
	snprintf(text, sizeof(text), "041c40%s0000003c1388000004010000", key);
	n = bytes_of(text, want);
	assert_int_equal(sync_record_decode(want, n, &r), (int)n);
	assert_int_equal(be16_to(r.e.data_cport), 5000);
	assert_int_equal(be16_to(r.e.data_lport), 1025);
	assert_true(sync_event_sound(&r.e));
	assert_true(sync_record_is_local(&r));
	assert_int_equal(sync_record_encode(&r, out), n);
	assert_memory_equal(out, want, n);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "%s%s%s", bad[i].head, key, bad[i].rest);
		n = bytes_of(text, want);
		assert_int_equal(sync_record_decode(want, want[1], &r), -EINVAL);
	}
}

/* Of UDP no header is under way; a state that no connection has; a beginning that nobody needs. */
static void a_told_address_that_cannot_be_is_refused(void **state)
{
	static const struct {
		uint8_t at, value;
	} bad[] = {{28, 0x43 | 0x80}, {28, 0x80}, {28, 0xc2}, {28, 0x00},   {28, 0x8a},
		   {29, 1},	      {31, 1},	  {24, 1},    {17, FWD_DR}, {2, 0x89}};
	size_t v = 0;

	(void)state;
	while (vectors[v].proxy != (CLIENT_ADDRESS_PROXY_V2 | PROXY_DONE))
		v++;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t bytes[SYNC_RECORD_MAX];
		const size_t n = bytes_of(vectors[v].hex, bytes);
		struct sync_record r;

		assert_int_equal(sync_record_decode(bytes, n, &r), (int)n);
		bytes[bad[i].at] = bad[i].value;
		assert_int_equal(sync_record_decode(bytes, n, &r), -EINVAL);
	}
}

static void what_cannot_be_an_address_is_refused(void **state)
{
	static const char *const bad[] = {"::",	    "::1", "ff02::1", "fe80::1", "::ffff:192.0.2.1",
					  "ff0e::5"};
	static const size_t at[] = {4, 20, 44}; /* client, virtual address, server */

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct addr a = ip(bad[i]);
		uint8_t bytes[SYNC_RECORD_MAX];
		size_t n = bytes_of(vectors[1].hex, bytes);
		struct sync_record r;

		for (size_t k = 0; k < 3; k++) {
			uint8_t copy[SYNC_RECORD_MAX];

			memcpy(copy, bytes, n);
			memcpy(copy + at[k], a.v6, 16);
			assert_int_equal(sync_record_decode(copy, n, &r), -EINVAL);
		}
	}
}

static void a_mark_has_nothing_behind_it(void **state)
{
	uint8_t bytes[SYNC_RECORD_MAX];
	size_t n = bytes_of(vectors[2].hex, bytes);
	struct sync_record r;

	(void)state;
	assert_int_equal(sync_record_decode(bytes, n, &r), (int)n);
	for (size_t at = 68; at < 80; at++) {
		bytes[at] = 1;
		assert_int_equal(sync_record_decode(bytes, n, &r), -EINVAL);
		bytes[at] = 0;
	}
}

/* A tunnel alone has a server of the other family, and then its own address of it is zero. */
static void a_server_of_the_other_family_is_a_tunnels(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} bad[] = {
		{2, 0x04},    /* no flag OTHER: the length is wrong */
		{2, 0x20},    /* no flag SERVER */
		{17, FWD_DR}, /* another method */
		{20, 192},    /* an address as well */
	};
	uint8_t bytes[SYNC_RECORD_MAX];
	const size_t n = bytes_of(vectors[3].hex, bytes);
	struct sync_record r;

	(void)state;
	assert_int_equal(sync_record_decode(bytes, n, &r), (int)n);
	assert_true(sync_record_is_mixed(&r));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t copy[SYNC_RECORD_MAX];

		memcpy(copy, bytes, n);
		copy[bad[i].at] = bad[i].value;
		assert_int_equal(sync_record_decode(copy, n, &r), -EINVAL);
	}
	/* By DR with an address of zero and a server of its own family. */
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(sync_record_decode(bytes, bytes_of(vectors[0].hex, bytes), &r), 24);
	assert_false(sync_record_is_mixed(&r));
	memset(bytes + 20, 0, 4);
	assert_int_equal(sync_record_decode(bytes, 24, &r), -EINVAL);
	bytes[17] = FWD_TUNNEL;
	assert_int_equal(sync_record_decode(bytes, 24, &r), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_the_bytes_of_the_document),
		cmocka_unit_test(a_template_of_tcp_has_no_client_port),
		cmocka_unit_test(
			full_nat_between_the_families_has_a_local_address_of_the_servers_family),
		cmocka_unit_test(a_record_cut_short_is_refused),
		cmocka_unit_test(records_of_ftp_by_full_nat_are_those_of_the_document),
		cmocka_unit_test(a_told_address_that_cannot_be_is_refused),
		cmocka_unit_test(what_cannot_be_an_address_is_refused),
		cmocka_unit_test(a_mark_has_nothing_behind_it),
		cmocka_unit_test(a_server_of_the_other_family_is_a_tunnels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
