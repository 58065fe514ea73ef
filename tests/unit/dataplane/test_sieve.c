/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sieve as the kernel runs it, on frames made here, with maps that sieve.c fills. No socket is
 * in xsks_map, so a frame of the router is dropped: the verdict DROP means "to the router".
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "dataplane/dataplane.h"
#include "dataplane/sieve/sieve.h"
#include "dataplane/sieve/sieve_bpf.h"

enum verdict { ROUTER = 1, LINUX = 2 }; /* XDP_DROP, XDP_PASS */

static struct bpf_object *object;
static int program;
static struct sieve sieve;
static struct port port = {.config.name = "public"};

static struct addr address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct endpoint endpoint(const char *text)
{
	struct endpoint ep;

	assert_int_equal(endpoint_parse(text, &ep), 0);
	return ep;
}

/* The configuration of all tests: a VIP, a gateway, a covered prefix, two servers of which one has
 * FTP, of both families. */
static void tell(void)
{
	static const char *const vips[] = {"192.0.2.80", "2001:db8::80"};
	static const char *const gateways[] = {"192.0.2.254", "2001:db8::fe"};
	static const char *const servers[] = {"10.0.0.1:8080", "[2001:db8:1::1]:8080"};
	static const char *const any[] = {"10.0.0.2", "2001:db8:1::2"};
	static const char *const owns[] = {"192.0.2.10", "2001:db8::10", "198.51.100.9",
					   "192.0.2.254", "2001:db8::fe"};
	struct sieve_list control = {0}, link = {0};
	struct addr covered = address("198.51.100.0"), covered6 = address("2001:db8:c::");

	for (int i = 0; i < 2; i++) {
		struct addr vip = address(vips[i]), gateway = address(gateways[i]);
		struct addr of_ftp = address(any[i]);
		struct endpoint ep = endpoint(servers[i]);
		uint8_t len = vip.family == ADDR_V6 ? 128 : 32;

		sieve_add_to(&control, &vip, len, SIEVE_BALANCED);
		sieve_add_to(&control, &gateway, len, SIEVE_GATEWAY);
		sieve_add_server(&control, &ep.addr, false);
		sieve_add_endpoint(&control, &ep, 6);
		sieve_add_server(&control, &of_ftp, false);
		sieve_add_server(&control, &of_ftp, true);
	}
	sieve_add_to(&control, &covered, 24, SIEVE_BALANCED);
	sieve_add_to(&control, &covered6, 48, SIEVE_BALANCED);
	for (size_t i = 0; i < sizeof(owns) / sizeof(owns[0]); i++) {
		struct addr own = address(owns[i]);

		sieve_add_own(&link, &own);
	}
	assert_int_equal(sieve_replace(&sieve, SIEVE_BY_CONTROL, &control), 0);
	assert_int_equal(sieve_replace(&sieve, SIEVE_BY_LINK, &link), 0);
}

/* ---- frames ---- */

struct frame {
	uint8_t byte[256];
	uint32_t len;
};

static void put(struct frame *f, const void *bytes, uint32_t n)
{
	memcpy(f->byte + f->len, bytes, n);
	f->len += n;
}

static void put16(struct frame *f, uint16_t v)
{
	const uint8_t bytes[2] = {(uint8_t)(v >> 8), (uint8_t)v};

	put(f, bytes, 2);
}

static void ethernet(struct frame *f, uint16_t vlan, uint16_t type)
{
	static const uint8_t macs[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};

	memset(f, 0, sizeof(*f));
	put(f, macs, sizeof(macs));
	if (vlan) {
		put16(f, 0x8100);
		put16(f, vlan);
	}
	put16(f, type);
}

/* An IP header; fragment: in units of 8 bytes. */
static void ip(struct frame *f, const char *from, const char *to, uint8_t proto, uint16_t fragment)
{
	struct addr src = address(from), dst = address(to);

	if (src.family == ADDR_V4) {
		const uint8_t start[] = {
			0x45, 0,     0, 60, 0, 1, (uint8_t)(fragment >> 8), (uint8_t)fragment,
			64,   proto, 0, 0};

		put(f, start, sizeof(start));
		put(f, &src.v4, 4);
		put(f, &dst.v4, 4);
		return;
	}
	put(f, (const uint8_t[]){0x60, 0, 0, 0, 0, 60, fragment ? 44 : proto, 64}, 8);
	put(f, src.v6, 16);
	put(f, dst.v6, 16);
	if (fragment) {
		put(f, (const uint8_t[]){proto, 0}, 2);
		put16(f, (uint16_t)(fragment << 3));
		put(f, "\0\0\0\1", 4);
	}
}

static bool is_v6(const char *text)
{
	return strchr(text, ':');
}

static void packet(struct frame *f, uint16_t vlan, const char *from, const char *to, uint8_t proto,
		   uint16_t sport, uint16_t fragment)
{
	ethernet(f, vlan, is_v6(from) ? 0x86dd : 0x0800);
	ip(f, from, to, proto, fragment);
	put16(f, sport);
	put16(f, 40000);
	f->len += 32;
}

static int verdict(const struct frame *f)
{
	uint8_t out[512];
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = f->byte, .data_size_in = f->len,
		    .data_out = out, .data_size_out = sizeof(out));

	assert_int_equal(bpf_prog_test_run_opts(program, &run), 0);
	return (int)run.retval;
}

static void tcp_goes(const char *from, uint16_t sport, const char *to, enum verdict want)
{
	struct frame f;

	for (uint16_t vlan = 0; vlan <= 100; vlan += 100) {
		packet(&f, vlan, from, to, 6, sport, 0);
		if (verdict(&f) != (int)want)
			fail_msg("%s:%u to %s, VLAN %u: %s", from, sport, to, vlan,
				 want == ROUTER ? "goes to Linux" : "goes to the router");
	}
}

/* ---- tests ---- */

static void vips_go_to_the_router(void **state)
{
	(void)state;
	tcp_goes("203.0.113.5", 40000, "192.0.2.80", ROUTER);
	tcp_goes("2001:db8:f::5", 40000, "2001:db8::80", ROUTER);
	tcp_goes("203.0.113.5", 40000, "192.0.2.81", LINUX);
	tcp_goes("2001:db8:f::5", 40000, "2001:db8::81", LINUX);
	tcp_goes("203.0.113.5", 40000, "192.0.2.10", LINUX);
	tcp_goes("203.0.113.5", 40000, "192.0.2.254", LINUX);
}

static void covered_prefixes_go_to_the_router_but_own_addresses(void **state)
{
	(void)state;
	tcp_goes("203.0.113.5", 40000, "198.51.100.7", ROUTER);
	tcp_goes("2001:db8:f::5", 40000, "2001:db8:c:1::7", ROUTER);
	tcp_goes("203.0.113.5", 40000, "198.51.100.9", LINUX);
	tcp_goes("203.0.113.5", 40000, "198.51.101.7", LINUX);
}

static void replies_of_servers_go_to_the_router(void **state)
{
	struct frame f;

	(void)state;
	tcp_goes("10.0.0.1", 8080, "203.0.113.5", ROUTER);
	tcp_goes("2001:db8:1::1", 8080, "2001:db8:f::5", ROUTER);
	/* A connection of the server's own, and a reply to a check. */
	tcp_goes("10.0.0.1", 45000, "203.0.113.5", LINUX);
	tcp_goes("2001:db8:1::1", 45000, "2001:db8:f::5", LINUX);
	tcp_goes("10.0.0.1", 8080, "192.0.2.10", LINUX);
	tcp_goes("2001:db8:1::1", 8080, "2001:db8::10", LINUX);
	packet(&f, 0, "10.0.0.1", "203.0.113.5", 17, 8080, 0);
	assert_int_equal(verdict(&f), LINUX);
	/* Data connections of FTP. */
	tcp_goes("10.0.0.2", 45000, "203.0.113.5", ROUTER);
	tcp_goes("2001:db8:1::2", 45000, "2001:db8:f::5", ROUTER);
	tcp_goes("10.0.0.3", 8080, "203.0.113.5", LINUX);
}

static void fragments_go_by_addresses(void **state)
{
	struct frame f;

	(void)state;
	packet(&f, 0, "10.0.0.1", "203.0.113.5", 17, 9, 100);
	assert_int_equal(verdict(&f), ROUTER);
	packet(&f, 0, "2001:db8:1::1", "2001:db8:f::5", 17, 9, 100);
	assert_int_equal(verdict(&f), ROUTER);
	packet(&f, 0, "10.0.0.3", "203.0.113.5", 17, 9, 100);
	assert_int_equal(verdict(&f), LINUX);
}

static int error_about(const char *from, const char *to, uint8_t type, const char *quoted)
{
	const bool v6 = is_v6(from);
	struct frame f;

	ethernet(&f, 0, v6 ? 0x86dd : 0x0800);
	ip(&f, from, to, v6 ? 58 : 1, 0);
	put(&f, (const uint8_t[]){type, 0, 0, 0, 0, 0, 0, 0}, 8);
	ip(&f, v6 ? "2001:db8:f::5" : "203.0.113.5", quoted, 6, 0);
	f.len += 8;
	return verdict(&f);
}

static void errors_about_servers_go_to_the_router(void **state)
{
	(void)state;
	assert_int_equal(error_about("10.9.9.9", "203.0.113.5", 3, "10.0.0.1"), ROUTER);
	assert_int_equal(error_about("10.9.9.9", "203.0.113.5", 3, "10.0.0.7"), LINUX);
	assert_int_equal(error_about("10.9.9.9", "203.0.113.5", 8, "10.0.0.1"), LINUX);
	assert_int_equal(error_about("10.9.9.9", "192.0.2.10", 3, "10.0.0.1"), LINUX);
	assert_int_equal(error_about("2001:db8:9::9", "2001:db8:f::5", 2, "2001:db8:1::1"), ROUTER);
	assert_int_equal(error_about("2001:db8:9::9", "2001:db8:f::5", 2, "2001:db8:1::7"), LINUX);
	assert_int_equal(error_about("2001:db8:9::9", "2001:db8:f::5", 128, "2001:db8:1::1"),
			 LINUX);
}

static int asked(const char *sender, const char *target, uint16_t operation)
{
	struct addr from = address(sender), to = address(target);
	struct frame f;

	if (from.family == ADDR_V4) {
		ethernet(&f, 0, 0x0806);
		put(&f, (const uint8_t[]){0, 1, 8, 0, 6, 4}, 6);
		put16(&f, operation);
		put(&f, "\2\0\0\0\0\2", 6);
		put(&f, &from.v4, 4);
		put(&f, "\0\0\0\0\0\0", 6);
		put(&f, &to.v4, 4);
		return verdict(&f);
	}
	ethernet(&f, 0, 0x86dd);
	ip(&f, sender, "ff02::1:ff00:80", 58, 0);
	put(&f, (const uint8_t[]){operation == 1 ? 135 : 136, 0, 0, 0, 0, 0, 0, 0}, 8);
	put(&f, to.v6, 16);
	return verdict(&f);
}

static void questions_for_vips_go_to_the_router(void **state)
{
	(void)state;
	assert_int_equal(asked("192.0.2.1", "192.0.2.80", 1), ROUTER);
	assert_int_equal(asked("192.0.2.1", "192.0.2.10", 1), LINUX);
	assert_int_equal(asked("192.0.2.1", "198.51.100.7", 1), LINUX); /* of a covered prefix */
	assert_int_equal(asked("192.0.2.80", "192.0.2.80", 1), LINUX);	/* an announcement */
	assert_int_equal(asked("192.0.2.1", "192.0.2.80", 2), LINUX);
	assert_int_equal(asked("2001:db8::1", "2001:db8::80", 1), ROUTER);
	assert_int_equal(asked("2001:db8::1", "2001:db8::10", 1), LINUX);
	assert_int_equal(asked("2001:db8::1", "2001:db8::80", 2), LINUX);
}

/* Linux has the gateway's address for as long as the router that put it there runs. */
static void questions_for_a_gateway_are_dropped_without_a_router(void **state)
{
	(void)state;
	assert_int_equal(asked("192.0.2.1", "192.0.2.254", 1), 1 /* XDP_DROP */);
	assert_int_equal(asked("2001:db8::1", "2001:db8::fe", 1), 1);
}

static void short_and_odd_frames_go_to_linux(void **state)
{
	struct frame f;

	(void)state;
	packet(&f, 0, "203.0.113.5", "192.0.2.80", 6, 40000, 0);
	f.len = 30; /* test runs have 14 bytes and more */
	assert_int_equal(verdict(&f), LINUX);
	packet(&f, 0, "203.0.113.5", "192.0.2.80", 6, 40000, 0);
	f.byte[14] = 0x41; /* a header of 4 bytes */
	assert_int_equal(verdict(&f), LINUX);
	packet(&f, 0, "10.0.0.1", "203.0.113.5", 6, 8080, 0);
	f.byte[14] = 0x4f; /* options up to behind the end */
	f.len = 60;
	assert_int_equal(verdict(&f), LINUX);
	ethernet(&f, 0, 0x88cc);
	f.len = 100;
	assert_int_equal(verdict(&f), LINUX);
}

static void a_list_replaces_the_one_before(void **state)
{
	struct sieve_list control = {0}, nothing = {0};
	struct addr vip = address("192.0.2.81");

	(void)state;
	sieve_add_to(&control, &vip, 32, SIEVE_GATEWAY);
	sieve_add_to(&control, &vip, 32, SIEVE_BALANCED); /* the greater one holds */
	assert_int_equal(sieve_replace(&sieve, SIEVE_BY_CONTROL, &control), 0);
	tcp_goes("203.0.113.5", 40000, "192.0.2.81", ROUTER);
	tcp_goes("203.0.113.5", 40000, "192.0.2.80", LINUX);
	tcp_goes("10.0.0.1", 8080, "203.0.113.5", LINUX);
	assert_int_equal(sieve_replace(&sieve, SIEVE_BY_CONTROL, &nothing), 0);
	tcp_goes("203.0.113.5", 40000, "192.0.2.81", LINUX);
	tell();
}

static void a_port_that_is_opened_again_gets_everything(void **state)
{
	uint32_t newest = sieve_newest();
	struct bpf_object *again = bpf_object__open_file(SIEVE_OBJECT, NULL);
	int before = program;

	(void)state;
	sieve_close(&sieve, 0);
	assert_false(sieve_has(&sieve, 0));
	sieve_open(&sieve, &port, 0, newest);
	assert_false(sieve_has(&sieve, 0)); /* maps of before are not its own */
	assert_int_equal(bpf_object__load(again), 0);
	sieve_open(&sieve, &port, 0, newest);
	assert_true(sieve_has(&sieve, 0));
	program = bpf_program__fd(bpf_object__next_program(again, NULL));
	tcp_goes("203.0.113.5", 40000, "192.0.2.80", ROUTER);
	tcp_goes("10.0.0.1", 8080, "192.0.2.10", LINUX);
	program = before;
	sieve_close(&sieve, 0);
	bpf_object__close(again);
}

static int load(void **state)
{
	uint32_t newest = sieve_newest();

	(void)state;
	sieve_init(&sieve);
	object = bpf_object__open_file(SIEVE_OBJECT, NULL);
	if (!object || bpf_object__load(object) != 0)
		return -1;
	program = bpf_program__fd(bpf_object__next_program(object, NULL));
	sieve_open(&sieve, &port, 0, newest);
	if (!sieve_has(&sieve, 0))
		return -1;
	tell();
	return 0;
}

static int unload(void **state)
{
	(void)state;
	bpf_object__close(object);
	sieve_fini(&sieve);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vips_go_to_the_router),
		cmocka_unit_test(covered_prefixes_go_to_the_router_but_own_addresses),
		cmocka_unit_test(replies_of_servers_go_to_the_router),
		cmocka_unit_test(fragments_go_by_addresses),
		cmocka_unit_test(errors_about_servers_go_to_the_router),
		cmocka_unit_test(questions_for_vips_go_to_the_router),
		cmocka_unit_test(questions_for_a_gateway_are_dropped_without_a_router),
		cmocka_unit_test(short_and_odd_frames_go_to_linux),
		cmocka_unit_test(a_list_replaces_the_one_before),
		cmocka_unit_test(a_port_that_is_opened_again_gets_everything),
	};
	int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "try", 4, 4, 1, NULL);

	/* A build of the package runs as an ordinary user, or where bpf() is refused. */
	if (fd < 0 && errno == EPERM) {
		printf("skipped: bpf() needs root\n");
		return 77;
	}
	close(fd);
	return cmocka_run_group_tests(tests, load, unload);
}
