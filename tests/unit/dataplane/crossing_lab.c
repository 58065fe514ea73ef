/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "crossing_lab.h"

static int bed_of(void **state, uint64_t max)
{
	static const struct world_server v4[] = {{SERVER4 ":8080", 1, FWD_FULLNAT}};
	static const struct world_server v6[] = {{"[" SERVER6 "]:8080", 1, FWD_FULLNAT}};

	if (lab_families_open(state, max) < 0)
		return -1;
	world_service(&h, "tcp", VIP4 ":80", NULL, v6, 1);
	world_service(&h, "udp", VIP4 ":53", NULL, v6, 1);
	world_service(&h, "tcp", "[" VIP6 "]:80", NULL, v4, 1);
	world_service(&h, "udp", "[" VIP6 "]:53", NULL, v4, 1);
	return lab_families_pools(LOCAL4, LOCAL6);
}

int crossing_setup(void **state)
{
	return bed_of(state, 0);
}

int crossing_setup_small(void **state)
{
	return bed_of(state, 40);
}

struct packet from_client(bool v6, uint8_t proto, uint16_t sport, uint8_t flags)
{
	struct packet p = {.v6 = v6,
			   .sport = be16_from(sport),
			   .dport = be16_from(proto == IPPROTO_TCP ? 80 : 53),
			   .proto = proto,
			   .tcp_flags = flags,
			   .payload = proto == IPPROTO_UDP ? 21 : 0,
			   .df = 1};

	if (v6) {
		p.saddr6 = ipv6(CLIENT6);
		p.daddr6 = ipv6(VIP6);
	} else {
		p.saddr = ipv4(CLIENT4);
		p.daddr = ipv4(VIP4);
	}
	return p;
}

struct packet answer(const struct packet *got, uint8_t flags)
{
	struct packet p = lab_answer(got, flags);

	p.payload = got->proto == IPPROTO_UDP ? 22 : 0;
	p.df = 1;
	return p;
}

void is_at_server(const struct packet *p, bool v6)
{
	assert_int_equal(p->v6, v6);
	assert_int_equal(be16_to(p->dport), 8080);
	assert_true(be16_to(p->sport) >= 1024);
	if (v6) {
		assert_true(addr6_equal(p->saddr6, ipv6(LOCAL6)));
		assert_true(addr6_equal(p->daddr6, ipv6(SERVER6)));
	} else {
		assert_int_equal(p->saddr, ipv4(LOCAL4));
		assert_int_equal(p->daddr, ipv4(SERVER4));
	}
}

void is_at_client(const struct packet *p, bool v6, uint16_t port)
{
	assert_int_equal(p->v6, v6);
	assert_int_equal(be16_to(p->dport), port);
	if (v6) {
		assert_true(addr6_equal(p->saddr6, ipv6(VIP6)));
		assert_true(addr6_equal(p->daddr6, ipv6(CLIENT6)));
	} else {
		assert_int_equal(p->saddr, ipv4(VIP4));
		assert_int_equal(p->daddr, ipv4(CLIENT4));
	}
}
