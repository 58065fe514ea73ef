/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counts of clients' SYNs and servers' answers by workers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>

#include "dataplane/conn/tcp_state.h"
#include "lib/lab.h"
#include "sched/sched.h"

#define VIP	"10.1.0.100"
#define CLIENT	"192.168.1.1"
#define SERVER	"10.10.0.1"
#define SERVER2 "10.10.0.2"

static int bed_make(void **state, uint64_t max_connections)
{
	static const struct world_server nat[] = {{SERVER ":8080", 1, FWD_NAT}};
	static const struct world_server dr[] = {{SERVER2 ":81", 1, FWD_DR}};

	if (lab_open(state, max_connections, false) < 0)
		return -1;
	world_service(&h, "tcp", VIP ":80", sched_find("rr"), nat, 1);
	return world_service(&h, "tcp", VIP ":81", sched_find("rr"), dr, 1);
}

static int bed_setup(void **state)
{
	return bed_make(state, 0);
}

static int bed_setup_small(void **state)
{
	return bed_make(state, 16);
}

static void put(unsigned int port, const char *from, const char *to, uint16_t sport, uint16_t dport,
		uint8_t flags)
{
	lab_put(port, lab_tcp(from, sport, to, dport, flags));
	lab_drain(0);
	lab_drain(1);
}

static void client_sends(uint16_t sport, uint8_t flags)
{
	put(0, CLIENT, VIP, sport, 80, flags);
}

static void server_sends(uint16_t cport, uint8_t flags)
{
	put(1, SERVER, CLIENT, 8080, cport, flags);
}

static void time_goes_on_us(uint64_t us)
{
	h.dp->workers[0]->now_tsc += h.dp->hz / 1000000 * us;
}

static struct passive_counters counted(const char *listen, const char *server)
{
	struct server_rt *rt = world_server(&h, "tcp", listen, server);
	struct passive_counters c;

	assert_non_null(rt);
	dataplane_passive_counters(h.dp, rt->id, &c);
	return c;
}

static void assert_counted(uint64_t syns, uint64_t answers, uint64_t refused, uint64_t no_answer)
{
	struct passive_counters c = counted(VIP ":80", SERVER ":8080");

	assert_int_equal(c.syns, syns);
	assert_int_equal(c.answers, answers);
	assert_int_equal(c.refused, refused);
	assert_int_equal(c.no_answer, no_answer);
}

static void an_answer_counts_once_with_its_time(void **state)
{
	struct passive_counters c;

	(void)state;
	client_sends(1001, TCP_SYN);
	assert_counted(1, 0, 0, 0);
	time_goes_on_us(300);
	server_sends(1001, TCP_SYN | TCP_ACK);
	time_goes_on_us(1000);
	server_sends(1001, TCP_SYN | TCP_ACK);
	client_sends(1001, TCP_ACK);
	client_sends(1001, TCP_ACK | TCP_PSH);
	server_sends(1001, TCP_ACK | TCP_PSH);
	client_sends(1002, TCP_SYN);
	time_goes_on_us(500);
	server_sends(1002, TCP_SYN | TCP_ACK);
	assert_counted(2, 2, 0, 0);
	c = counted(VIP ":80", SERVER ":8080");
	assert_in_range(c.answer_us, 795, 801);
	assert_in_range(c.answer_max_us, 497, 501);
	/* The SYN has been answered: the end of the connection says nothing. */
	server_sends(1002, TCP_RST | TCP_ACK);
	server_sends(1001, TCP_RST);
	assert_counted(2, 2, 0, 0);
}

static void a_reset_instead_of_an_answer_is_a_refusal(void **state)
{
	(void)state;
	client_sends(1001, TCP_SYN);
	server_sends(1001, TCP_RST | TCP_ACK);
	server_sends(1001, TCP_RST | TCP_ACK);
	assert_counted(1, 0, 1, 0);
}

static void a_syn_said_again_is_one_without_an_answer(void **state)
{
	(void)state;
	client_sends(1001, TCP_SYN);
	time_goes_on_us(1000000);
	client_sends(1001, TCP_SYN);
	assert_counted(1, 0, 0, 1);
	time_goes_on_us(2000000);
	client_sends(1001, TCP_SYN);
	assert_counted(1, 0, 0, 1);
	/* Too late to count as anything else. */
	server_sends(1001, TCP_SYN | TCP_ACK);
	assert_counted(1, 0, 0, 1);
}

static void a_syn_that_comes_twice_at_once_says_nothing(void **state)
{
	(void)state;
	client_sends(1001, TCP_SYN);
	time_goes_on_us(400);
	client_sends(1001, TCP_SYN);
	server_sends(1001, TCP_SYN | TCP_ACK);
	assert_counted(1, 1, 0, 0);
	time_goes_on_us(1000000);
	client_sends(1001, TCP_SYN); /* answered long ago */
	assert_counted(1, 1, 0, 0);
}

static void silence_until_the_end_is_no_answer(void **state)
{
	(void)state;
	client_sends(1001, TCP_SYN);
	harness_advance_ms(&h, 59000);
	assert_counted(1, 0, 0, 0);
	harness_advance_ms(&h, 3000);
	assert_int_equal(h.dp->workers[0]->counters.connections, 0);
	assert_counted(1, 0, 0, 1);
}

static void a_client_that_gives_up_says_nothing(void **state)
{
	(void)state;
	client_sends(1001, TCP_SYN);
	client_sends(1001, TCP_RST);
	harness_advance_ms(&h, 70000);
	assert_int_equal(h.dp->workers[0]->counters.connections, 0);
	assert_counted(1, 0, 0, 0);
}

static void what_gives_way_unanswered_counts_as_such(void **state)
{
	uint64_t evicted;

	(void)state;
	for (uint16_t i = 0; i < 100; i++)
		client_sends((uint16_t)(2000 + i), TCP_SYN);
	evicted = h.dp->workers[0]->counters.evicted;
	assert_true(evicted > 0);
	assert_counted(100, 0, 0, evicted);
}

static void nothing_is_known_of_direct_routing(void **state)
{
	struct passive_counters c;

	(void)state;
	put(0, CLIENT, VIP, 1001, 81, TCP_SYN);
	time_goes_on_us(1000000);
	put(0, CLIENT, VIP, 1001, 81, TCP_SYN);
	harness_advance_ms(&h, 130000);
	assert_int_equal(h.dp->workers[0]->counters.connections, 0);
	c = counted(VIP ":81", SERVER2 ":81");
	assert_int_equal(c.syns + c.answers + c.refused + c.no_answer, 0);
}

#define bed(test) LAB_TEST(test, bed_setup, 1)

int main(void)
{
	const struct CMUnitTest tests[] = {
		bed(an_answer_counts_once_with_its_time),
		bed(a_reset_instead_of_an_answer_is_a_refusal),
		bed(a_syn_said_again_is_one_without_an_answer),
		bed(a_syn_that_comes_twice_at_once_says_nothing),
		bed(silence_until_the_end_is_no_answer),
		bed(a_client_that_gives_up_says_nothing),
		LAB_TEST(what_gives_way_unanswered_counts_as_such, bed_setup_small, 1),
		bed(nothing_is_known_of_direct_routing),
	};

	return lab_run(256, tests);
}
