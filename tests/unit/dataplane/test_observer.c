/* SPDX-License-Identifier: BSD-3-Clause */
/* Trace, capture and the drop log: what a worker tells of live packets, and what it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <string.h>

#include "dataplane/conn/tcp_state.h"
#include "dataplane/exits/drop_log.h"
#include "dataplane/observe/observer.h"
#include "lib/bed.h"
#include "lib/packet.h"
#include "lib/world.h"
#include "sched/sched.h"

#define VIP    "10.1.0.100"
#define CLIENT "192.168.1.7"
#define SERVER "10.10.0.1"

static struct harness h;
static struct observer *observers[3];

static int setup_n(unsigned int workers)
{
	static const struct world_server nat[] = {{SERVER ":8080", 1, FWD_NAT}};
	static const char *const servers[] = {SERVER, NULL};

	if (bed_open(&h, workers, 3000, false) < 0)
		return -1;
	bed_neighbours(&h, link_id_of(1, 0), servers);
	world_service(&h, "tcp", VIP ":80", sched_find("rr"), nat, 1);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return setup_n(1);
}

static int setup_three(void **state)
{
	(void)state;
	return setup_n(3);
}

static void observer_end(void)
{
	for (unsigned int i = 0; i < h.dp->n_workers; i++) {
		h.dp->workers[i]->observer = NULL;
		observer_destroy(observers[i]);
		observers[i] = NULL;
	}
}

static int teardown(void **state)
{
	(void)state;
	observer_end();
	return bed_close(&h);
}

static void observer_begins(const char *filter, bool stages, uint32_t per_s, uint64_t packets)
{
	pcap_t *none = pcap_open_dead(DLT_EN10MB, 65535);
	struct bpf_program p;

	assert_int_equal(pcap_compile(none, &p, filter, 1, PCAP_NETMASK_UNKNOWN), 0);
	assert_true(bpf_validate(p.bf_insns, (int)p.bf_len));
	for (unsigned int i = 0; i < h.dp->n_workers; i++) {
		struct worker_command cmd = {.kind = CMD_OBSERVE, .eventfd = -1};

		observers[i] = observer_create(p.bf_insns, p.bf_len, stages, 128, per_s, packets);
		assert_non_null(observers[i]);
		cmd.observer = observers[i];
		assert_int_equal(dataplane_command(h.dp, (uint16_t)i, &cmd), 0);
		harness_run(&h);
		assert_int_equal(cmd.done, 1);
	}
	pcap_freecode(&p);
	pcap_close(none);
}

static uint16_t payload; /* of packets that follow */

static void send_packet(uint16_t sport, uint16_t dport, uint8_t flags)
{
	struct packet p = {.payload = payload,
			   .dst = {{2, 0, 0, 0, 0, 1}},
			   .src = {{2, 9, 9, 9, 9, 9}},
			   .saddr = ipv4(CLIENT),
			   .daddr = ipv4(VIP),
			   .sport = be16_from(sport),
			   .dport = be16_from(dport),
			   .proto = IPPROTO_TCP,
			   .tcp_flags = flags};
	uint8_t frame[FRAME_MAX];
	size_t len = packet_build(&p, frame);

	harness_receive(&h, 0, 0, harness_frame(&h, frame, (uint16_t)len));
	harness_run(&h);
	rte_pktmbuf_free(harness_sent(&h, 1));
	rte_pktmbuf_free(harness_sent(&h, 0));
}

/* Takes the next record of a worker, which must be of this point. */
static struct observe_record took(unsigned int worker, enum observe_point point,
				  unsigned int detail)
{
	const struct observe_record *r = observer_next(observers[worker]);
	struct observe_record copy;

	assert_non_null(r);
	assert_string_equal(observe_point_names[r->point], observe_point_names[point]);
	assert_int_equal(r->detail, detail);
	copy = *r;
	observer_took(observers[worker]);
	return copy;
}

static void a_trace_tells_each_stage_of_a_packet_that_matches(void **state)
{
	struct observe_record in, out, resolved, found;

	(void)state;
	observer_begins("tcp port 80", true, 1000, 100);
	send_packet(4000, 81, TCP_SYN); /* does not match */
	assert_null(observer_next(observers[0]));
	send_packet(4000, 80, TCP_SYN);
	in = took(0, OBSERVE_IN, 0);
	assert_int_equal(in.port, 0);
	took(0, OBSERVE_STAGE, OBSERVE_STEER);
	assert_false(took(0, OBSERVE_STAGE, OBSERVE_LOOKUP).found);
	assert_true(took(0, OBSERVE_STAGE, OBSERVE_SCHEDULE).made);
	resolved = took(0, OBSERVE_STAGE, OBSERVE_RESOLVE);
	assert_int_equal(resolved.nh_port, 1);
	assert_int_equal(took(0, OBSERVE_STAGE, OBSERVE_TRACK).state, CONN_SYN_RECV);
	took(0, OBSERVE_STAGE, OBSERVE_REWRITE);
	out = took(0, OBSERVE_OUT, 0);
	/* Rewritten, so that the filter does not match it: it is the same packet. */
	assert_int_equal(out.port, 1);
	assert_int_equal(out.packet, in.packet);
	assert_null(observer_next(observers[0]));
	/* The connection is known behind look-up, and not before. */
	send_packet(4000, 80, TCP_ACK);
	took(0, OBSERVE_IN, 0);
	assert_false(took(0, OBSERVE_STAGE, OBSERVE_STEER).found);
	found = took(0, OBSERVE_STAGE, OBSERVE_LOOKUP);
	assert_true(found.found);
	assert_int_equal(found.server, world_server(&h, "tcp", VIP ":80", SERVER ":8080")->id);
	assert_int_equal(found.method, FWD_NAT);
	observer_end();
	send_packet(4001, 80, TCP_SYN); /* as ever */
	/* A packet is judged as it arrives: one that matches as it leaves alone is not traced. */
	observer_begins("dst host " SERVER, true, 1000, 100);
	send_packet(4002, 80, TCP_SYN);
	assert_null(observer_next(observers[0]));
}

static void a_packet_is_followed_to_the_worker_that_it_is_handed_to(void **state)
{
	unsigned int port = 4000;

	(void)state;
	while (owner4(&h.dp->owners, ipv4(CLIENT), be16_from((uint16_t)port)) == 0)
		port++;
	observer_begins("tcp port 80", true, 1000, 100);
	send_packet((uint16_t)port, 80,
		    TCP_SYN); /* arrives at worker 0, the only one with a queue */
	took(0, OBSERVE_IN, 0);
	took(0, OBSERVE_HANDED_OFF, owner4(&h.dp->owners, ipv4(CLIENT), be16_from((uint16_t)port)));
	took(owner4(&h.dp->owners, ipv4(CLIENT), be16_from((uint16_t)port)), OBSERVE_STAGE,
	     OBSERVE_STEER);
}

static void a_capture_has_a_packet_before_and_after_it_is_rewritten(void **state)
{
	const struct observe_record *r;

	(void)state;
	observer_begins("host " VIP, false, 1000, 100);
	send_packet(4000, 80, TCP_SYN);
	r = observer_next(observers[0]);
	assert_int_equal(r->point, OBSERVE_IN);
	assert_int_equal(r->bytes[30 + 3], 100); /* the VIP */
	observer_took(observers[0]);
	r = observer_next(observers[0]);
	assert_int_equal(r->point, OBSERVE_OUT);
	assert_int_equal(r->bytes[30 + 3], 1); /* the server */
	observer_took(observers[0]);
	/* A packet that is dropped is shown with the reason. */
	send_packet(4100, 80, TCP_SYN | TCP_FIN);
	took(0, OBSERVE_IN, 0);
	took(0, OBSERVE_DROPPED, DROP_BAD_TCP);
	assert_null(observer_next(observers[0]));
}

/* The filter is asked of what leaves as well: an ICMP error is captured, the SYN that it answers is
 * not, wherever that ends. */
static void a_capture_has_what_another_packet_caused(void **state)
{
	(void)state;
	world_service(&h, "tcp", VIP ":82", sched_find("rr"), NULL, 0);
	world_neighbour(&h, link_id_of(0, 0), CLIENT, "02:06:00:00:00:01");
	observer_begins("icmp", false, 1000, 100);
	send_packet(4000, 82, TCP_SYN);
	assert_int_equal(took(0, OBSERVE_OUT, 0).port, 0);
	assert_null(observer_next(observers[0]));
	assert_int_equal(observers[0]->packets, 0);
}

static void no_more_of_a_packet_is_kept_than_was_asked_for(void **state)
{
	struct observe_record r;

	(void)state;
	observer_begins("tcp", false, 1000, 100);
	payload = 73; /* 127 bytes of a frame with its headers */
	send_packet(4000, 80, TCP_SYN);
	r = took(0, OBSERVE_IN, 0);
	assert_int_equal(r.len, 127);
	assert_int_equal(r.caplen, 127);
	took(0, OBSERVE_OUT, 0);
	payload = 700;
	send_packet(4001, 80, TCP_SYN);
	payload = 0;
	r = took(0, OBSERVE_IN, 0);
	assert_int_equal(r.len, 754);
	assert_int_equal(r.caplen, 128);
}

static void a_packet_that_waited_is_told_once(void **state)
{
	static const struct world_server far[] = {{"10.10.0.9:8080", 1, FWD_NAT}};
	const struct observe_record *r;
	unsigned int points[OBSERVE_POINTS] = {0};

	(void)state;
	world_service(&h, "tcp", VIP ":81", sched_find("rr"), far, 1);
	observer_begins("tcp port 81", true, 1000, 100);
	send_packet(4000, 81, TCP_SYN); /* no next hop yet */
	world_neighbour(&h, link_id_of(1, 0), "10.10.0.9", "02:01:0a:0a:00:09");
	harness_run(&h);
	rte_pktmbuf_free(harness_sent(&h, 1));
	for (; (r = observer_next(observers[0])); observer_took(observers[0]))
		points[r->point]++;
	assert_int_equal(points[OBSERVE_IN], 1);
	assert_int_equal(points[OBSERVE_PARKED], 1);
	assert_int_equal(points[OBSERVE_OUT], 1);
	assert_int_equal(observers[0]->packets, 1);
}

static void bounds_are_kept_and_what_is_left_out_is_counted(void **state)
{
	(void)state;
	observer_begins("tcp", false, CONN_TICK_HZ * 3, UINT64_MAX); /* 3 records a tick */
	for (uint16_t i = 0; i < 5; i++)
		send_packet((uint16_t)(5000 + i), 80, TCP_SYN);
	assert_int_equal(observers[0]->packets, 5);
	assert_int_equal(observers[0]->over_rate, 7); /* of ten records, in and out */
	observer_end();
	observer_begins("tcp", false, 100000, 2);
	for (uint16_t i = 0; i < 5; i++)
		send_packet((uint16_t)(6000 + i), 80, TCP_SYN);
	assert_int_equal(observers[0]->packets, 2);
	observer_end();
	observer_begins("tcp", false, 1000000, UINT64_MAX);
	observers[0]->n_slots = 4; /* nobody reads */
	for (uint16_t i = 0; i < 5; i++)
		send_packet((uint16_t)(7000 + i), 80, TCP_SYN);
	assert_int_equal(observers[0]->lost, 6);
}

/* --- the drop log --- */

static void heads_of_dropped_packets_are_kept_by_reason(void **state)
{
	const struct drop_ring *r = &h.dp->workers[0]->drop_log->reason[DROP_BAD_TCP];
	unsigned int n = 0;
	bool newest = false;

	(void)state;
	for (uint16_t i = 0; i < 20; i++)
		send_packet((uint16_t)(4000 + i), 80, TCP_SYN | TCP_FIN);
	for (unsigned int i = 0; i < DROP_LOG_RECORDS; i++)
		n += r->record[i].seq != 0;
	assert_int_equal(n, DROP_LOG_RECORDS);
	/* A flood within a tick is kept in part; the next tick's packets are kept again. */
	harness_advance_ms(&h, 200);
	send_packet(4099, 80, TCP_SYN | TCP_FIN);
	for (unsigned int i = 0; i < DROP_LOG_RECORDS; i++)
		newest |= r->record[i].head[35] == (4099 & 0xff);
	assert_true(newest);
	assert_int_equal(h.dp->workers[0]->drop_log->reason[DROP_NO_SERVER].record[0].seq, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_trace_tells_each_stage_of_a_packet_that_matches,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_packet_is_followed_to_the_worker_that_it_is_handed_to, setup_three,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_capture_has_a_packet_before_and_after_it_is_rewritten, setup, teardown),
		cmocka_unit_test_setup_teardown(a_capture_has_what_another_packet_caused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(no_more_of_a_packet_is_kept_than_was_asked_for,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_packet_that_waited_is_told_once, setup, teardown),
		cmocka_unit_test_setup_teardown(bounds_are_kept_and_what_is_left_out_is_counted,
						setup, teardown),
		cmocka_unit_test_setup_teardown(heads_of_dropped_packets_are_kept_by_reason, setup,
						teardown),
	};
	int rc;

	if (harness_eal_init(0, 256, NULL) < 0)
		return 1;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	harness_eal_fini();
	return rc;
}
