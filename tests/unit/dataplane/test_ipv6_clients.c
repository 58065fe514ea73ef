/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * State of IPv6 clients: persistence by prefix, marks that lead to a service of each
 * family, data connections of FTP.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "dataplane/conn/tcp_state.h"
#include "sched/sched.h"
#include "unit/dataplane/ftp_talk.h"

#define OTHER6 "2001:db8:10::2"

/* ---- persistence and marks ---- */

static int two_servers(void **state)
{
	if (lab_open(state, 0, false) < 0)
		return -1;
	world_route(&h, "::/0", link_id_of(0, 0), NULL);
	world_route(&h, "2001:db8:10::/48", link_id_of(1, 0), NULL);
	world_neighbour(&h, link_id_of(1, 0), SERVER6, "02:06:00:00:00:01");
	return world_neighbour(&h, link_id_of(1, 0), OTHER6, "02:06:00:00:00:02");
}

/* The server, 1 or 2, that gets a SYN of this client to this address; 0: none. */
static int served(const char *from, uint16_t sport, const char *to, uint16_t dport)
{
	struct packet p = {.v6 = true,
			   .saddr6 = ipv6(from),
			   .daddr6 = ipv6(to),
			   .sport = be16_from(sport),
			   .dport = be16_from(dport),
			   .proto = IPPROTO_TCP,
			   .tcp_flags = TCP_SYN};

	lab_put(0, p);
	return lab_got(1, &p) ? p.dst.byte[5] : 0;
}

static void persistent(uint8_t len)
{
	static const struct world_server nat[] = {{"[" OTHER6 "]:80", 1, FWD_NAT},
						  {"[" SERVER6 "]:80", 1, FWD_NAT}};
	const struct world_policy policy = {.persist_s = 300, .netmask = len};

	world_policy(&h, &policy);
	assert_int_equal(world_service(&h, "tcp", "[" VIP6 "]:80", sched_find("rr"), nat, 2), 0);
}

static void a_prefix_of_any_length_stays_with_its_server(void **state)
{
	int first, other;

	(void)state;
	persistent(61);
	first = served("2001:db8:c:0::1", 1001, VIP6, 80);
	other = served("2001:db8:c:8::1", 1001, VIP6, 80); /* the 61st bit differs */
	assert_int_equal(first + other, 1 + 2);
	for (uint16_t i = 0; i < 4; i++) {
		assert_int_equal(served("2001:db8:c:7:ffff:ffff:ffff:ffff", 2000 + i, VIP6, 80),
				 first);
		assert_int_equal(served("2001:db8:c:f::5", 2000 + i, VIP6, 80), other);
	}
}

static void a_whole_address_is_a_client_of_its_own(void **state)
{
	int first;

	(void)state;
	persistent(128);
	first = served("2001:db8:c::1", 1001, VIP6, 80);
	assert_int_equal(served("2001:db8:c::2", 1001, VIP6, 80), 3 - first);
	assert_int_equal(served("2001:db8:c::1", 1002, VIP6, 80), first);
}

static void a_mark_leads_to_a_service_of_each_family(void **state)
{
	static const struct world_server six[] = {{"[" OTHER6 "]:0", 1, FWD_DR}};
	static const struct world_server four[] = {{SERVER ":0", 1, FWD_DR}};
	const struct world_policy policy = {0};
	struct mark_rule r[2] = {{.link = LINK_ANY, .mark = 7, .proto = IPPROTO_TCP},
				 {.link = LINK_ANY, .mark = 7, .proto = IPPROTO_TCP}};
	struct packet p;

	(void)state;
	r[0].dest = (struct mark_prefix){.addr = addr_from_v4(ipv4("10.2.0.0")), .len = 16};
	r[1].dest = (struct mark_prefix){.addr = addr_from_addr6(ipv6("2001:db8:2::")), .len = 48};
	world_policy(&h, &policy);
	assert_int_equal(world_marks(&h, r, 2), 0);
	assert_int_equal(world_service(&h, "mark6", "7", NULL, six, 1), 0);
	/* IPv4 with this mark has no service yet. */
	lab_put(0, lab_tcp(CLIENT, 1001, "10.2.3.4", 80, TCP_SYN));
	assert_int_equal(lab_punted(NULL), PUNT_TRANSIT);
	assert_int_equal(served("2001:db8:c::1", 1001, "2001:db8:2::9", 80), 2);
	assert_int_equal(world_service(&h, "mark", "7", NULL, four, 1), 0);
	lab_put(0, lab_tcp(CLIENT, 1002, "10.2.3.4", 80, TCP_SYN));
	assert_true(lab_got(1, &p));
	assert_int_equal(p.dst.byte[5], 1);
	assert_int_equal(served("2001:db8:c::1", 1002, "2001:db8:2::9", 80), 2);
	/* The template goes by itself, too. */
	assert_int_equal(world_service_del(&h, "mark6", "7"), 0);
	assert_int_equal(served("2001:db8:c::1", 1003, "2001:db8:2::9", 80), 0);
	assert_int_equal(lab_punted(NULL), PUNT_TRANSIT);
	lab_put(0, lab_tcp(CLIENT, 1003, "10.2.3.4", 80, TCP_SYN));
	assert_true(lab_got(1, &p));
}

/* ---- FTP ---- */

static void epsv_expects_the_clients_data_connection(void **state)
{
	(void)state;
	logged_in();
	command("EPSV\r\n");
	says(answer("229 Entering Extended Passive Mode (|||50200|).\r\n"),
	     "229 Entering Extended Passive Mode (|||50200|).\r\n");
	assert_false(data_reaches_server(9802, 50201));
	assert_true(data_reaches_server(9802, 50200));
	/* Lower case, with an argument. */
	command("epsv 2\r\n");
	answer("229 Entering Extended Passive Mode (|||50201|)\r\n");
	assert_true(data_reaches_server(9803, 50201));
	assert_int_equal(refused(), 0);
}

static void eprt_expects_the_servers_data_connection(void **state)
{
	struct packet p;

	(void)state;
	logged_in();
	says(command("EPRT |2|2001:db8:c::1|51200|\r\n"), "EPRT |2|2001:db8:c::1|51200|\r\n");
	p = from_server(20, 51200, TCP_SYN, 1, "");
	assert_int_equal(p.proto, IPPROTO_TCP);
	assert_true(addr6_equal(p.saddr6, ipv6(VIP6)));
	assert_int_equal(p.sport, be16_from(20));
	assert_int_equal(refused(), 0);
}

static void eprt_of_another_address_or_family_is_refused(void **state)
{
	static const char *const bad[] = {
		"EPRT |2|2001:db8:c::2|51200|\r\n",
		"EPRT |1|192.168.1.1|51200|\r\n",
		"EPRT |2|2001:db8:c::1|80|\r\n",
	};

	(void)state;
	logged_in();
	for (unsigned int i = 0; i < 3; i++) {
		says(command(bad[i]), bad[i]);
		assert_int_equal(refused(), i + 1);
		assert_int_equal(from_server(20, 51200, TCP_SYN, 1, "").proto, 0);
		lab_drain_punted();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(a_prefix_of_any_length_stays_with_its_server, two_servers, 1),
		LAB_TEST(a_prefix_of_any_length_stays_with_its_server, two_servers, 3),
		LAB_TEST(a_whole_address_is_a_client_of_its_own, two_servers, 1),
		LAB_TEST(a_mark_leads_to_a_service_of_each_family, two_servers, 1),
		LAB_TEST(epsv_expects_the_clients_data_connection, bed_setup6, 1),
		LAB_TEST(epsv_expects_the_clients_data_connection, bed_setup6, 3),
		LAB_TEST(eprt_expects_the_servers_data_connection, bed_setup6, 3),
		LAB_TEST(eprt_of_another_address_or_family_is_refused, bed_setup6, 1),
	};

	return lab_run(64, tests);
}
