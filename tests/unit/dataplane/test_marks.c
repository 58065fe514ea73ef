/* SPDX-License-Identifier: BSD-3-Clause */
/* Mark rules: what they match, and where marked packets go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/stages/classify.h"
#include "dataplane/conn/tcp_state.h"
#include "lib/lab.h"
#include "sched/sched.h"

#define VIP	"10.1.0.100"
#define SERVER1 "10.10.0.1"
#define SERVER2 "10.10.0.2"

static const struct world_server dr[] = {{SERVER1 ":0", 1, FWD_DR}, {SERVER2 ":0", 1, FWD_DR}};
static const struct world_server nat[] = {{SERVER1 ":8080", 1, FWD_NAT}};

static struct mark_rule rule(const char *dest, uint8_t len, uint8_t proto, uint16_t port,
			     uint32_t mark)
{
	struct mark_rule r = {.link = LINK_ANY, .mark = mark, .proto = proto};

	r.dest.addr = addr_from_v4(ipv4(dest));
	r.dest.len = len;
	r.dport.first = r.dport.last = port;
	return r;
}

static int bed_setup(void **state)
{

	if (lab_open(state, 3000, true) < 0)
		return -1;
	return 0;
}

/* A segment from an address comes in at a port. Returns the last byte of the MAC it leaves for,
 * 'L' when Linux gets it to route, 'O' as its own, or 0. */
static int segment(unsigned int port, const char *from, uint16_t sport, const char *to,
		   uint16_t dport, uint8_t flags)
{
	enum punt_class class;
	struct packet p;

	lab_put(port, lab_tcp(from, sport, to, dport, flags));
	if (lab_got(1, &p) || lab_got(0, &p))
		return p.dst.byte[5];
	class = lab_punted(NULL);
	return class == PUNT_MAX ? 0 : class == PUNT_TRANSIT ? 'L' : 'O';
}

static int syn(unsigned int port, const char *from, uint16_t sport, const char *to, uint16_t dport)
{
	return segment(port, from, sport, to, dport, TCP_SYN);
}

static void a_marked_network_is_balanced_whatever_the_destination(void **state)
{
	const struct mark_rule r = rule("10.2.0.0", 16, IPPROTO_TCP, 0, 7);

	(void)state;
	world_marks(&h, &r, 1);
	assert_int_equal(syn(0, "192.168.7.1", 4000, "10.2.3.4", 80), 'L'); /* no service yet */
	world_service(&h, "mark", "7", sched_find("rr"), dr, 2);
	for (uint16_t i = 0; i < 8; i++) {
		char to[32];

		snprintf(to, sizeof(to), "10.2.%u.1", i);
		assert_int_equal(syn(0, "192.168.7.1", (uint16_t)(4001 + i), to, 80), i % 2 + 1);
		assert_int_equal(syn(0, "192.168.7.1", (uint16_t)(4001 + i), to, 80), i % 2 + 1);
	}
	assert_int_equal(syn(0, "192.168.7.1", 4000, "10.3.0.1", 80), 'L');
	assert_int_equal(h.dp->workers[0]->v4.table.n, 8);
	world_service_del(&h, "mark", "7");
	assert_int_equal(syn(0, "192.168.7.1", 4900, "10.2.0.1", 80), 'L');
}

static void a_connection_outlives_its_rule(void **state)
{
	const struct mark_rule r = rule("10.2.0.0", 16, IPPROTO_TCP, 0, 7);

	(void)state;
	world_marks(&h, &r, 1);
	world_service(&h, "mark", "7", sched_find("rr"), dr, 1);
	assert_int_equal(syn(0, "192.168.7.1", 4000, "10.2.3.4", 80), 1);
	assert_int_equal(segment(0, "192.168.7.1", 4000, "10.2.3.4", 80, TCP_ACK), 1);
	world_marks(&h, NULL, 0);
	assert_int_equal(segment(0, "192.168.7.1", 4000, "10.2.3.4", 80, TCP_ACK), 1);
	assert_int_equal(syn(0, "192.168.7.1", 4001, "10.2.3.4", 80), 'L');
	assert_int_equal(segment(0, "192.168.7.1", 4001, "10.2.3.4", 80, TCP_ACK), 'L');
	/* The policy of the service that goes as well: a RST, once. */
	world_service_del(&h, "mark", "7");
	assert_int_equal(segment(0, "192.168.7.1", 4000, "10.2.3.4", 80, TCP_ACK), 9);
	assert_int_equal(segment(0, "192.168.7.1", 4000, "10.2.3.4", 80, TCP_ACK), 'L');
}

/* The guess by address must not outlive what it was made from. */
static void what_was_marked_before_is_looked_at_again_after_a_change(void **state)
{
	const struct mark_rule r = rule("10.2.0.0", 16, IPPROTO_TCP, 0, 7);

	(void)state;
	world_marks(&h, &r, 1);
	world_service(&h, "mark", "7", sched_find("rr"), dr, 1);
	for (uint16_t i = 0; i < 3; i++)
		assert_int_equal(syn(0, "192.168.7.1", (uint16_t)(4000 + i), "10.2.3.4", 80), 1);
	/* A NAT server's packets are replies first, whatever a mark says. */
	assert_int_equal(syn(1, SERVER1, 4000, "10.2.3.4", 80), 1);
	world_service(&h, "tcp", VIP ":80", sched_find("rr"), nat, 1);
	assert_int_equal(syn(1, SERVER1, 4000, "10.2.3.4", 80), 1);
	/* No station speaks as a VIP. */
	assert_int_equal(syn(0, VIP, 4000, "10.2.3.4", 80), 0);
	world_service(&h, "tcp", "10.2.3.4:80", sched_find("rr"), dr + 1, 1);
	world_service_del(&h, "mark", "7");
	assert_int_equal(syn(0, "192.168.7.1", 5000, "10.2.3.4", 80), 2);
	assert_int_equal(syn(0, "192.168.7.1", 5000, "10.2.3.4", 81), 'O');
}

static void a_mark_beats_address_and_port(void **state)
{
	const struct mark_rule r[] = {rule(VIP, 32, IPPROTO_TCP, 80, 7),
				      rule(VIP, 32, IPPROTO_TCP, 81, 8)};

	(void)state;
	world_service(&h, "tcp", VIP ":80", sched_find("rr"), nat, 1);
	world_service(&h, "tcp", VIP ":81", sched_find("rr"), nat, 1);
	world_service(&h, "mark", "7", sched_find("rr"), dr + 1, 1);
	world_marks(&h, r, 2);
	assert_int_equal(syn(0, "192.168.7.1", 4000, VIP, 80), 2);
	assert_int_equal(syn(0, "192.168.7.1", 4000, VIP, 81), 1); /* nobody has mark 8 */
	assert_int_equal(syn(0, "192.168.7.1", 4000, VIP, 82), 'O');
	assert_int_equal(classify_hits(h.dp->pub.snapshot->marks, 0), 1);
	assert_int_equal(classify_hits(h.dp->pub.snapshot->marks, 1), 1);
}

static void the_routers_own_address_can_be_marked(void **state)
{
	const struct mark_rule r = rule("192.168.1.254", 32, IPPROTO_TCP, 80, 7);

	(void)state;
	world_marks(&h, &r, 1);
	world_service(&h, "mark", "7", sched_find("rr"), dr, 1);
	assert_int_equal(syn(0, "192.168.7.1", 4000, "192.168.1.254", 80), 1);
	assert_int_equal(syn(0, "192.168.7.1", 4000, "192.168.1.254", 22), 'O');
}

static void what_a_nat_server_opens_may_be_marked_too(void **state)
{
	const struct mark_rule r = rule("10.2.0.0", 16, IPPROTO_TCP, 0, 7);

	(void)state;
	world_service(&h, "tcp", VIP ":80", sched_find("rr"), nat, 1);
	world_marks(&h, &r, 1);
	world_service(&h, "mark", "7", sched_find("rr"), dr + 1, 1);
	for (uint16_t i = 0; i < 30; i++) {
		assert_int_equal(syn(1, SERVER1, (uint16_t)(4000 + i), "10.2.0.9", 80), 2);
		assert_int_equal(syn(1, SERVER1, (uint16_t)(4000 + i), "10.3.0.9", 80), 'L');
	}
}

static void a_backup_balances_no_marks(void **state)
{
	const struct mark_rule r = rule("10.2.0.0", 16, IPPROTO_TCP, 0, 7);

	(void)state;
	world_marks(&h, &r, 1);
	world_service(&h, "mark", "7", sched_find("rr"), dr, 1);
	h.dp->pub.vip_lease = VIP_LEASE_OFF;
	assert_int_equal(syn(0, "192.168.7.1", 4000, "10.2.0.9", 80), 'L');
}

static void a_mark_groups_the_services_of_a_persistent_client(void **state)
{
	const struct mark_rule r[] = {rule(VIP, 32, IPPROTO_TCP, 80, 1),
				      rule(VIP, 32, IPPROTO_TCP, 443, 1)};
	const struct world_policy policy = {.persist_s = 300};

	(void)state;
	world_policy(&h, &policy);
	world_marks(&h, r, 2);
	world_service(&h, "mark", "1", sched_find("rr"), dr, 2);
	for (uint16_t i = 0; i < 20; i++) {
		char from[32];

		snprintf(from, sizeof(from), "192.168.7.%u", i + 1);
		assert_int_equal(syn(0, from, 4000, VIP, 80), i % 2 + 1);
		assert_int_equal(syn(0, from, 4001, VIP, 443), i % 2 + 1);
	}
}

#define ONE(f)	 LAB_TEST(f, bed_setup, 1)
#define THREE(f) LAB_TEST(f, bed_setup, 3)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(a_marked_network_is_balanced_whatever_the_destination),
		ONE(a_connection_outlives_its_rule),
		ONE(what_was_marked_before_is_looked_at_again_after_a_change),
		ONE(a_mark_beats_address_and_port),
		ONE(the_routers_own_address_can_be_marked),
		ONE(what_a_nat_server_opens_may_be_marked_too),
		THREE(what_a_nat_server_opens_may_be_marked_too),
		ONE(a_backup_balances_no_marks),
		ONE(a_mark_groups_the_services_of_a_persistent_client),
		THREE(a_mark_groups_the_services_of_a_persistent_client),
	};

	return lab_run(256, tests);
}
