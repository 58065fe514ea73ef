/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Evidence that assures a connection, and RST, SYN and FIN that are believed: by the stages, on
 * virtual time. Somebody else's segments are right in addresses and ports and wrong in numbers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "dataplane/conn/give_way.h"
#include "dataplane/conn/tcp_state.h"
#include "lib/flow.h"
#include "lib/lab.h"
#include "sched/sched.h"

#define CLIENT 0xc0000201U /* 192.0.2.1 */
#define WRONG  0x40000000U /* bytes off */

static int bed_setup(void **state)
{
	(void)state;
	return flow_bed_open(&h, 1, 0);
}

static int bed_teardown(void **state)
{
	struct resolve_request want;

	(void)state;
	while (harness_resolve_wanted(&h, &want))
		;
	return bed_close(&h);
}

static bool assured(const struct flow *f)
{
	return flow_entry(f)->c.evidence & EVIDENCE_ASSURED;
}

static enum conn_state state_of(const struct flow *f)
{
	return flow_entry(f)->c.state;
}

static void nat_assures_who_acknowledges_the_syn_ack(void **state)
{
	struct flow f = flow_of(&h, CLIENT, 4000, true);

	(void)state;
	flow_pass(&f, DIR_IN, TCP_SYN, 0);
	flow_pass(&f, DIR_OUT, TCP_SYN | TCP_ACK, 0);
	assert_false(assured(&f));
	/* Whoever does not see the answer has to guess its number. */
	flow_pass_raw(&f, DIR_IN, TCP_ACK, f.cseq, f.sseq + WRONG, 0);
	assert_int_equal(state_of(&f), CONN_ESTABLISHED);
	assert_false(assured(&f));
	assert_int_equal(give_way_list_of(&flow_entry(&f)->c), GIVE_WAY_NOT_ASSURED);
	flow_pass_raw(&f, DIR_IN, TCP_ACK, f.cseq + WRONG, f.sseq, 0);
	assert_false(assured(&f));
	flow_pass(&f, DIR_IN, TCP_ACK, 0);
	assert_true(assured(&f));
	assert_int_equal(give_way_list_of(&flow_entry(&f)->c), GIVE_WAY_NONE);
}

static void nat_assures_when_the_server_sends_data(void **state)
{
	static const struct world_policy unjudged = {.sequence_off = true};
	static const struct world_server nat[] = {{FLOW_SERVER ":8080", 1, FWD_NAT}};
	struct flow f = flow_of(&h, CLIENT, 4001, true);

	(void)state;
	world_policy(&h, &unjudged);
	world_service(&h, "tcp", FLOW_VIP ":80", sched_find("rr"), nat, 1);
	flow_open(&f);
	assert_false(assured(&f));
	flow_pass(&f, DIR_OUT, TCP_ACK, 0);
	assert_false(assured(&f));
	flow_pass(&f, DIR_OUT, TCP_ACK | TCP_PSH, 10);
	assert_true(assured(&f));
}

/* seconds: between ACKs. Returns after how many the entry was assured; 0: it was not. */
static unsigned int acks_until_assured(uint16_t port, unsigned int seconds, unsigned int max)
{
	struct flow f = flow_of(&h, CLIENT, port, false);

	flow_open(&f);
	for (unsigned int i = 1; i <= max; i++) {
		harness_advance_ms(&h, seconds * 1000);
		flow_pass(&f, DIR_IN, TCP_ACK | TCP_PSH, 1);
		if (assured(&f))
			return i;
	}
	return 0;
}

static void dr_assures_who_goes_on_for_a_minute(void **state)
{
	(void)state;
	assert_int_equal(acks_until_assured(1, 30, 1), 0);
	assert_int_equal(acks_until_assured(2, 15, 2), 0);
	assert_int_equal(acks_until_assured(3, 6, 5), 0); /* five in half a minute */
	assert_int_equal(acks_until_assured(4, 1, 30), 0);
	assert_int_equal(acks_until_assured(5, 20, 10), 4);
	assert_in_range(acks_until_assured(6, 1, 100), 49, 65);
}

static void datagrams_assure_who_goes_on_for_a_minute(void **state)
{
	struct packet p = {.saddr = be32_from(CLIENT),
			   .daddr = ipv4(FLOW_VIP),
			   .sport = be16_from(4000),
			   .dport = be16_from(54),
			   .proto = IPPROTO_UDP,
			   .dst = {{2, 0, 0, 0, 0, 1}}};
	const struct give_way *way = &h.dp->workers[0]->v4.way;
	uint8_t frame[FRAME_MAX];
	size_t len = packet_build(&p, frame);
	unsigned int n = 0;

	(void)state;
	do {
		harness_receive(&h, 0, 0, harness_frame(&h, frame, (uint16_t)len));
		flow_drain(&h);
		harness_advance_ms(&h, 2000);
		n++;
	} while (n < 100 && way->list[GIVE_WAY_HALF_OPEN].n + way->list[GIVE_WAY_NOT_ASSURED].n);
	assert_in_range(n, 25, 33);
	assert_int_equal(h.dp->workers[0]->counters.connections, 1);
}

static void a_reset_with_a_wrong_number_ends_nothing(bool nat)
{
	struct flow f = flow_of(&h, CLIENT, 5000, nat);
	struct worker *w = h.dp->workers[0];
	uint64_t before = w->counters.unproven;

	flow_open(&f);
	flow_pass(&f, DIR_IN, TCP_ACK | TCP_PSH, 100);
	flow_pass(&f, DIR_OUT, TCP_ACK | TCP_PSH, 1000);
	flow_pass(&f, DIR_IN, TCP_ACK, 0);
	harness_advance_ms(&h, 800000);
	/* The RST is passed on: the server judges for itself. */
	assert_true(flow_pass_raw(&f, DIR_IN, TCP_RST, f.cseq + WRONG, 0, 0));
	assert_true(flow_pass_raw(&f, DIR_IN, TCP_RST, f.cseq + 1, 0, 0));
	assert_true(flow_pass_raw(&f, DIR_IN, TCP_RST, 0, 0, 0));
	assert_int_equal(state_of(&f), CONN_ESTABLISHED);
	assert_int_equal(give_way_list_of(&flow_entry(&f)->c), GIVE_WAY_ENDING);
	assert_int_equal(w->counters.unproven, before + 3);
	/* The time-out is left alone: neither 10 s nor another 15 minutes. */
	harness_advance_ms(&h, 90000);
	assert_non_null(flow_entry(&f));
	flow_pass(&f, DIR_IN, TCP_ACK | TCP_PSH, 1);
	assert_int_not_equal(give_way_list_of(&flow_entry(&f)->c), GIVE_WAY_ENDING);
	harness_advance_ms(&h, 890000);
	assert_non_null(flow_entry(&f));
	flow_pass(&f, DIR_IN, TCP_RST, 0);
	assert_int_equal(state_of(&f), CONN_CLOSE);
	harness_advance_ms(&h, 11000);
	assert_null(flow_entry(&f));
}

static void a_clients_reset_is_judged_by_nat_and_dr(void **state)
{
	(void)state;
	a_reset_with_a_wrong_number_ends_nothing(true);
	a_reset_with_a_wrong_number_ends_nothing(false);
}

static void an_unproven_reset_starts_no_new_time_out(void **state)
{
	struct flow f = flow_of(&h, CLIENT, 5001, true);

	(void)state;
	flow_open(&f);
	harness_advance_ms(&h, 800000);
	flow_pass_raw(&f, DIR_IN, TCP_RST, f.cseq + WRONG, 0, 0);
	harness_advance_ms(&h, 101000);
	assert_null(flow_entry(&f));
}

static void a_servers_reset_is_judged(void **state)
{
	struct flow f = flow_of(&h, CLIENT, 5002, true);

	(void)state;
	flow_open(&f);
	/* In flight, and nobody acknowledged it: the server's own last number counts. */
	flow_pass(&f, DIR_OUT, TCP_ACK | TCP_PSH, 1000);
	flow_pass_raw(&f, DIR_OUT, TCP_RST | TCP_ACK, f.sseq + WRONG, f.cseq, 0);
	flow_pass_raw(&f, DIR_OUT, TCP_RST | TCP_ACK, f.sseq - 1000, f.cseq, 0);
	assert_int_equal(state_of(&f), CONN_ESTABLISHED);
	flow_pass(&f, DIR_OUT, TCP_RST | TCP_ACK, 0);
	assert_int_equal(state_of(&f), CONN_CLOSE);
}

static void a_fin_with_a_wrong_number_ends_nothing(void **state)
{
	struct flow f = flow_of(&h, CLIENT, 5003, true);

	(void)state;
	flow_open(&f);
	flow_pass_raw(&f, DIR_IN, TCP_FIN | TCP_ACK, f.cseq + WRONG, f.sseq, 0);
	assert_int_equal(state_of(&f), CONN_ESTABLISHED);
	flow_pass_raw(&f, DIR_IN, TCP_FIN | TCP_ACK, f.cseq, f.sseq + WRONG, 0);
	assert_int_equal(state_of(&f), CONN_ESTABLISHED);
	flow_pass(&f, DIR_IN, TCP_FIN | TCP_ACK, 10);
	assert_int_equal(state_of(&f), CONN_CLOSE_WAIT);
	flow_pass(&f, DIR_OUT, TCP_FIN | TCP_ACK, 0);
	assert_int_equal(state_of(&f), CONN_TIME_WAIT);
}

static void blind_segments_and_syns_move_no_number(void **state)
{
	struct flow f = flow_of(&h, CLIENT, 5004, true);

	(void)state;
	flow_open(&f);
	for (uint32_t i = 1; i < 64; i++) {
		const uint32_t guess = i * (WRONG / 16 - 1);

		flow_pass_raw(&f, DIR_IN, TCP_SYN, guess, 0, 0);
		flow_pass_raw(&f, DIR_IN, TCP_ACK, guess, ~guess, 10);
		flow_pass_raw(&f, DIR_OUT, TCP_ACK, guess, ~guess, 10);
		flow_pass_raw(&f, DIR_IN, TCP_RST, guess + 10, 0, 0);
		flow_pass_raw(&f, DIR_OUT, TCP_RST, guess + 10, 0, 0);
	}
	assert_int_equal(state_of(&f), CONN_ESTABLISHED);
	flow_pass(&f, DIR_IN, TCP_RST, 0);
	assert_int_equal(state_of(&f), CONN_CLOSE);
}

static void numbers_follow_a_long_transfer_with_losses(void **state)
{
	struct flow f = flow_of(&h, CLIENT, 5005, true);

	(void)state;
	f.sseq = UINT32_MAX - 100000; /* wraps */
	flow_open(&f);
	for (unsigned int i = 0; i < 4000; i++) {
		if (i % 50 == 7) /* the router does not see it: lost before */
			f.sseq += 1000;
		else
			flow_send(&f, DIR_OUT, TCP_ACK, 1000);
		if (i % 32 == 0) {
			flow_send(&f, DIR_IN, TCP_ACK, 0);
			flow_drain(&h);
		}
	}
	flow_drain(&h);
	assert_int_equal(h.dp->workers[0]->counters.unproven, 0);
	flow_pass(&f, DIR_OUT, TCP_RST | TCP_ACK, 0);
	assert_int_equal(state_of(&f), CONN_CLOSE);
}

/* The client rebooted and uses its port again: SYN, challenge ACK, RST, SYN. */
static void reboot(bool nat)
{
	struct flow f = flow_of(&h, CLIENT, 6000, nat), again;

	flow_open(&f);
	flow_pass(&f, DIR_IN, TCP_ACK | TCP_PSH, 100);
	flow_pass(&f, DIR_OUT, TCP_ACK | TCP_PSH, 1000);
	flow_pass(&f, DIR_IN, TCP_ACK, 0);
	harness_advance_ms(&h, 5000);
	again = f;
	again.cseq = f.cseq + WRONG;
	assert_true(flow_pass_raw(&again, DIR_IN, TCP_SYN, again.cseq, 0, 0));
	flow_pass(&f, DIR_OUT, TCP_ACK, 0);
	/* RFC 9293: the number that the server acknowledged. */
	assert_true(flow_pass_raw(&f, DIR_IN, TCP_RST, f.cseq, 0, 0));
	assert_int_equal(state_of(&f), CONN_CLOSE);
	harness_advance_ms(&h, 1000);
	flow_open(&again);
	assert_int_equal(state_of(&again), CONN_ESTABLISHED);
	assert_int_equal(h.dp->workers[0]->counters.reused, nat ? 1 : 2);
	flow_pass(&again, DIR_IN, TCP_RST, 0);
	assert_int_equal(state_of(&again), CONN_CLOSE);
}

static void a_client_that_reboots_uses_its_port_again(void **state)
{
	(void)state;
	reboot(true);
	reboot(false);
}

static void without_right_numbers_a_reset_does_as_in_the_kernel(void **state)
{
	struct flow f = flow_of(&h, CLIENT, 6001, false);

	(void)state;
	flow_pass_raw(&f, DIR_IN, TCP_SYN, 0, 0, 0);
	flow_pass_raw(&f, DIR_IN, TCP_ACK, 0, 0, 0);
	flow_pass_raw(&f, DIR_IN, TCP_RST, 0, 0, 0);
	assert_int_equal(state_of(&f), CONN_CLOSE);
}

static struct packet syn_to(uint16_t vport, uint32_t seq)
{
	return (struct packet){.saddr = be32_from(CLIENT),
			       .daddr = ipv4(FLOW_VIP),
			       .sport = be16_from(7000),
			       .dport = be16_from(vport),
			       .proto = IPPROTO_TCP,
			       .tcp_flags = TCP_SYN,
			       .seq = seq};
}

static void put_syn(uint16_t vport, uint32_t seq)
{
	lab_put(0, syn_to(vport, seq));
}

/* Waits in the port for the next burst. */
static void queue_syn(uint16_t vport)
{
	struct packet p = syn_to(vport, 77);
	uint8_t frame[FRAME_MAX];
	struct rte_mbuf *m;

	packet_to_port(&p, 0, &lab_station);
	m = harness_frame(&h, frame, (uint16_t)packet_build(&p, frame));
	assert_non_null(m);
	assert_int_equal(harness_receive(&h, 0, 0, m), 0);
}

static void a_port_in_use_by_an_assured_connection_is_refused(void **state)
{
	static const struct world_server nat[] = {{FLOW_SERVER ":8080", 1, FWD_NAT}};
	struct flow f = flow_of(&h, CLIENT, 7000, true);
	struct packet p;

	(void)state;
	world_service(&h, "tcp", FLOW_VIP ":8000", sched_find("rr"), nat, 1);
	flow_open(&f);
	put_syn(8000, 77);
	assert_true(lab_got(0, &p));
	assert_int_equal(p.tcp_flags, TCP_RST | TCP_ACK);
	assert_int_equal(p.ack, 78);
	assert_int_equal(p.saddr, ipv4(FLOW_VIP));
	assert_int_equal(p.sport, be16_from(8000));
	assert_int_equal(lab_drain(1), 0);
	assert_int_equal(bed_dropped(&h, DROP_KEY_COLLISION), 1);
	assert_int_equal(state_of(&f), CONN_ESTABLISHED);
}

static void a_port_in_use_by_nobody_assured_is_given_to_the_new_one(void **state)
{
	static const struct world_server nat[] = {{FLOW_SERVER ":8080", 1, FWD_NAT}};
	struct flow f = flow_of(&h, CLIENT, 7000, true);

	(void)state;
	world_service(&h, "tcp", FLOW_VIP ":8000", sched_find("rr"), nat, 1);
	flow_pass(&f, DIR_IN, TCP_SYN, 0);
	flow_pass_raw(&f, DIR_IN, TCP_ACK, f.cseq, f.sseq + WRONG, 0);
	assert_int_equal(state_of(&f), CONN_ESTABLISHED);
	put_syn(8000, 77);
	assert_int_equal(flow_drain(&h), 1);
	assert_null(flow_entry(&f));
	assert_int_equal(bed_dropped(&h, DROP_KEY_COLLISION), 0);
}

/* Of all servers: connections that are counted now, and that were made; SYNs, and those without an
 * answer. */
struct sums {
	uint64_t bound, made, syns, no_answer;
};

static struct sums sums_of_servers(void)
{
	const struct worker *w = h.dp->workers[0];
	struct sums sum = {0};

	for (uint32_t id = 1; id < 16; id++) {
		const struct server_rt *rt = runtime_server(&h.dp->pub.runtime, id);
		const uint64_t counts = rt ? server_rt_counts(rt) : 0;

		sum.bound += counts_active(counts) + counts_inactive(counts);
		sum.made += w->servers[id].counters.conns;
		sum.syns += w->handshakes[id].syns;
		sum.no_answer += w->handshakes[id].no_answer;
	}
	return sum;
}

/* NAT keys are linked when a burst's connections have been made. */
static void of_two_in_a_burst_with_one_port_the_second_goes_to_another_server(void **state)
{
	static const struct world_server nat[] = {{FLOW_SERVER ":8080", 1, FWD_NAT},
						  {FLOW_SERVER ":8081", 1, FWD_NAT}};
	const struct worker_counters *c = &h.dp->workers[0]->counters;
	struct sums sum;

	(void)state;
	world_service(&h, "tcp", FLOW_VIP ":8000", sched_find("rr"), nat, 2);
	queue_syn(FLOW_PORT_NAT);
	queue_syn(8000);
	assert_int_equal(flow_drain(&h), 2);
	sum = sums_of_servers();
	assert_int_equal(c->connections, 2);
	assert_int_equal(c->created, 2);
	assert_int_equal(c->reused, 0);
	assert_int_equal(sum.bound, 2);
	assert_int_equal(sum.made, 2);
	assert_int_equal(sum.syns, 2);
	assert_int_equal(sum.no_answer, 0);
}

static void of_two_in_a_burst_with_one_port_and_one_server_the_second_stays(void **state)
{
	static const struct world_server nat[] = {{FLOW_SERVER ":8080", 1, FWD_NAT}};
	const struct worker_counters *c = &h.dp->workers[0]->counters;
	struct sums sum;

	(void)state;
	world_service(&h, "tcp", FLOW_VIP ":8000", sched_find("rr"), nat, 1);
	queue_syn(FLOW_PORT_NAT);
	queue_syn(8000);
	assert_int_equal(flow_drain(&h), 1);
	sum = sums_of_servers();
	assert_int_equal(bed_dropped(&h, DROP_TABLE_FULL), 1);
	assert_int_equal(bed_dropped(&h, DROP_KEY_COLLISION), 0);
	assert_int_equal(c->connections, 1);
	assert_int_equal(c->created, 2);
	assert_int_equal(c->reused, 1);
	assert_int_equal(sum.bound, 1);
	assert_int_equal(sum.made, 2);
	assert_int_equal(sum.syns, 2);
	assert_int_equal(sum.no_answer, 1);
}

#define ON_BED(name) cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BED(nat_assures_who_acknowledges_the_syn_ack),
		ON_BED(nat_assures_when_the_server_sends_data),
		ON_BED(dr_assures_who_goes_on_for_a_minute),
		ON_BED(datagrams_assure_who_goes_on_for_a_minute),
		ON_BED(a_clients_reset_is_judged_by_nat_and_dr),
		ON_BED(an_unproven_reset_starts_no_new_time_out),
		ON_BED(a_servers_reset_is_judged),
		ON_BED(a_fin_with_a_wrong_number_ends_nothing),
		ON_BED(blind_segments_and_syns_move_no_number),
		ON_BED(numbers_follow_a_long_transfer_with_losses),
		ON_BED(a_client_that_reboots_uses_its_port_again),
		ON_BED(without_right_numbers_a_reset_does_as_in_the_kernel),
		ON_BED(a_port_in_use_by_an_assured_connection_is_refused),
		ON_BED(a_port_in_use_by_nobody_assured_is_given_to_the_new_one),
		ON_BED(of_two_in_a_burst_with_one_port_the_second_goes_to_another_server),
		ON_BED(of_two_in_a_burst_with_one_port_and_one_server_the_second_stays),
	};

	return lab_run(512, tests);
}
