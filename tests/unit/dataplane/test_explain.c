/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Explain: the answer is what the next packet does, and comes from the stages; nothing changes.
 * The recordings of tests/golden hold explain against many more packets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/conn/tcp_state.h"
#include "dataplane/explain/explain.h"
#include "dataplane/stages/classify.h"
#include "lib/bed.h"
#include "lib/packet.h"
#include "lib/world.h"

#define VIP	"10.1.0.100"
#define CLIENT	"192.168.1.7"
#define SERVER1 "10.10.0.1"
#define SERVER2 "10.10.0.2"
#define SERVER3 "10.10.0.3"

static struct harness h;
static struct explain *x;

static const struct world_server nat[] = {{SERVER1 ":8080", 1, FWD_NAT},
					  {SERVER2 ":8080", 2, FWD_NAT},
					  {SERVER3 ":8080", 1, FWD_NAT}};

static int setup_n(unsigned int workers)
{
	static const char *const servers[] = {SERVER1, SERVER2, SERVER3, NULL};
	static const char *const clients[] = {CLIENT, NULL};

	if (bed_open(&h, workers, 30000, false) < 0)
		return -1;
	bed_neighbours(&h, link_id_of(1, 0), servers);
	bed_neighbours(&h, link_id_of(0, 0), clients);
	harness_run(&h);
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

static int teardown(void **state)
{
	(void)state;
	explain_destroy(x);
	x = NULL;
	return bed_close(&h);
}

static void run(void)
{
	harness_run(&h);
	while (explain_leg(h.dp->workers[x->next], x))
		;
	assert_null(x->fault);
	assert_true(x->n_legs > 0);
}

static void ask(const char *from, const char *to, uint8_t proto, uint16_t first)
{
	explain_destroy(x);
	x = explain_create(h.dp);
	assert_non_null(x);
	assert_int_equal(endpoint_parse(from, &x->packet.source), 0);
	assert_int_equal(endpoint_parse(to, &x->packet.dest), 0);
	x->packet.proto = proto;
	x->packet.tcp_flags = TCP_SYN;
	x->packet.hops = 64;
	x->next = first;
	run();
}

static void send_syn(const char *from, uint16_t sport, const char *to, uint16_t dport)
{
	struct packet p = {.dst = {{2, 0, 0, 0, 0, 1}},
			   .src = {{2, 9, 9, 9, 9, 9}},
			   .saddr = ipv4(from),
			   .daddr = ipv4(to),
			   .sport = be16_from(sport),
			   .dport = be16_from(dport),
			   .proto = IPPROTO_TCP,
			   .tcp_flags = TCP_SYN};
	uint8_t frame[FRAME_MAX];
	size_t len = packet_build(&p, frame);

	harness_receive(&h, 0, 0, harness_frame(&h, frame, (uint16_t)len));
	harness_run(&h);
}

/* The last byte of the address of the server that the next frame goes to; 0: no frame. */
static int went_to(void)
{
	struct rte_mbuf *m = harness_sent(&h, 1);
	int to = m ? rte_pktmbuf_mtod(m, uint8_t *)[33] : 0;

	rte_pktmbuf_free(m);
	return to;
}

static uint8_t door(void)
{
	return explain_last(x)->door;
}

static int said(void)
{
	return door() == EXPLAIN_SENT ? x->out[0].head[33] : 0;
}

static void the_answer_is_what_the_next_packet_does(void **state)
{
	(void)state;
	world_service(&h, "tcp", VIP ":80", sched_find("wlc"), nat, 3);
	for (uint16_t i = 0; i < 12; i++) {
		char from[40];

		snprintf(from, sizeof(from), CLIENT ":%u", 4000 + i);
		ask(from, VIP ":80", IPPROTO_TCP, 0);
		assert_true(x->scheduled);
		assert_string_equal(x->scheduler, "wlc");
		assert_int_equal(x->n_servers, 3);
		assert_true(x->made && x->resolved && x->exact);
		send_syn(CLIENT, (uint16_t)(4000 + i), VIP, 80);
		assert_int_equal(went_to(), said());
	}
	/* Of a connection that exists no scheduler is asked. */
	ask(CLIENT ":4000", VIP ":80", IPPROTO_TCP, 0);
	assert_true(x->found && !x->made && !x->scheduled);
}

/* --- a scheduler that is changed --- */

static int wanted;

static int wanted_choose(const struct service *svc, const struct sched_request *req)
{
	(void)svc;
	(void)req;
	return wanted;
}

static const struct sched_ops sched_wanted = {.name = "wanted", .choose = wanted_choose};

static void a_scheduler_that_is_changed_changes_the_answer(void **state)
{
	(void)state;
	world_service(&h, "tcp", VIP ":80", &sched_wanted, nat, 3);
	for (wanted = 0; wanted < 3; wanted++) {
		ask(CLIENT ":4000", VIP ":80", IPPROTO_TCP, 0);
		assert_string_equal(x->scheduler, "wanted");
		assert_int_equal(said(), wanted + 1);
		assert_int_equal(x->choice, wanted);
	}
	wanted = SCHED_NONE;
	ask(CLIENT ":4000", VIP ":80", IPPROTO_TCP, 0);
	assert_int_equal(door(), EXPLAIN_DROPPED);
	assert_int_equal(explain_last(x)->reason, DROP_NO_SERVER);
	/* The client is told: the frame is in the answer, and nowhere else. */
	assert_int_equal(x->n_out, 1);
	assert_true(x->out[0].told);
	assert_null(harness_sent(&h, 0));
}

/* --- nothing changes --- */

struct picture {
	struct worker_counters counters[3];
	struct server_rt servers[3];
	uint64_t cursor;
	uint32_t n[3], random[3];
	unsigned int buffers;
};

static void picture_take(struct picture *p)
{
	memset(p, 0, sizeof(*p));
	for (unsigned int i = 0; i < h.dp->n_workers; i++) {
		p->counters[i] = h.dp->workers[i]->counters;
		p->counters[i].loops = 0;
		p->n[i] = h.dp->workers[i]->v4.table.n;
		p->random[i] = (uint32_t)h.dp->workers[i]->random;
	}
	for (unsigned int i = 0; i < 3; i++)
		p->servers[i] = *world_server(&h, "tcp", VIP ":80", nat[i].endpoint);
	p->cursor = h.dp->pub.snapshot->services[1]->rt->cursor;
	p->buffers = harness_mbufs_in_use(&h);
}

static void persistent(uint32_t seconds)
{
	const struct world_policy policy = {.persist_s = seconds, .netmask = 24};

	world_policy(&h, &policy);
}

/* The client's worker and the home of its network's template are different ones for some port. */
static void a_template_of_another_worker_is_asked_and_nothing_changes(void **state)
{
	unsigned int over = 0;

	(void)state;
	persistent(300);
	world_service(&h, "tcp", VIP ":80", sched_find("rr"), nat, 3);
	for (uint16_t port = 5000; port < 5024; port++) {
		struct picture before, after;
		char from[40];

		snprintf(from, sizeof(from), CLIENT ":%u", port);
		harness_run(&h);
		picture_take(&before);
		ask(from, VIP ":80", IPPROTO_TCP, 0);
		picture_take(&after);
		assert_memory_equal(&before, &after, sizeof(before));
		assert_int_equal(door(), EXPLAIN_SENT);
		assert_int_equal(x->persist_s, 300);
		/* The first client makes the template, the others have it. */
		assert_int_equal(x->template_found, port != 5000);
		assert_int_equal(x->scheduled, port == 5000);
		over += x->owner != x->home;
		send_syn(CLIENT, port, VIP, 80);
		assert_int_equal(went_to(), said());
	}
	assert_true(over > 0);
	world_policy(&h, NULL);
}

static void a_cache_of_destinations_learns_nothing_by_asking(void **state)
{
	const struct mark_rule rule = {.link = LINK_ANY,
				       .mark = 7,
				       .dest = {.addr = addr_from_v4(ipv4("10.2.0.0")), .len = 16}};
	static const struct world_server dr[] = {{SERVER1 ":0", 1, FWD_DR},
						 {SERVER2 ":0", 1, FWD_DR}};

	(void)state;
	world_marks(&h, &rule, 1);
	world_service(&h, "mark", "7", sched_find("lblc"), dr, 2);
	ask(CLIENT ":4000", "10.2.0.9:80", IPPROTO_TCP, 0);
	assert_int_equal(x->choice, 0);
	assert_int_equal(x->mark, 7);
	assert_int_equal(x->mark_rule, 1);
	assert_int_equal(classify_hits(h.dp->pub.snapshot->marks, 0), 0);
	/* Another destination loads the first server; had the question been noted, 10.2.0.9 would
	 * stay there nevertheless. */
	send_syn(CLIENT, 4001, "10.2.0.8", 80);
	ask(CLIENT ":4000", "10.2.0.9:80", IPPROTO_TCP, 0);
	assert_int_equal(x->choice, 1);
	rte_pktmbuf_free(harness_sent(&h, 1));
}

/* --- doors --- */

static void each_door_has_its_reason(void **state)
{
	(void)state;
	world_service(&h, "tcp", VIP ":80", sched_find("rr"), nat, 1);
	ask(CLIENT ":4000", VIP ":81", IPPROTO_TCP, 0);
	assert_int_equal(door(), EXPLAIN_PUNTED);
	assert_int_equal(explain_last(x)->reason, PUNT_OWN);
	ask(VIP ":4000", VIP ":80", IPPROTO_TCP, 0);
	assert_int_equal(door(), EXPLAIN_DROPPED);
	assert_int_equal(explain_last(x)->reason, DROP_BAD_SOURCE);
	/* A next hop that nobody has asked for yet: nobody is asked now either. */
	world_service_del(&h, "tcp", VIP ":80");
	world_service(&h, "tcp", VIP ":80", sched_find("rr"),
		      (const struct world_server[]){{"10.10.0.99:80", 1, FWD_NAT}}, 1);
	ask(CLIENT ":4000", VIP ":80", IPPROTO_TCP, 0);
	assert_int_equal(door(), EXPLAIN_PARKED);
	assert_int_equal(x->wanted.v4, ipv4("10.10.0.99"));
	assert_false(harness_resolve_wanted(&h, &(struct resolve_request){0}));
}

static void a_full_table_says_so(void **state)
{
	struct table4 *t = &h.dp->workers[0]->v4.table;
	const uint32_t unused = t->unused, n = t->n;

	(void)state;
	world_service(&h, "tcp", VIP ":80", sched_find("rr"), nat, 1);
	harness_run(&h);
	t->unused = t->capacity + 1; /* full, and nothing gives way */
	t->n = t->capacity;
	ask(CLIENT ":4000", VIP ":80", IPPROTO_TCP, 0);
	t->unused = unused;
	t->n = n;
	assert_int_equal(door(), EXPLAIN_DROPPED);
	assert_int_equal(explain_last(x)->reason, DROP_TABLE_FULL);
}

static void a_packet_of_ipv6_is_explained(void **state)
{
	static const struct world_server server[] = {{"[2001:db8:10::1]:8080", 1, FWD_NAT}};

	(void)state;
	world_route(&h, "::/0", link_id_of(0, 0), NULL);
	world_route(&h, "2001:db8:10::/48", link_id_of(1, 0), NULL);
	world_neighbour(&h, link_id_of(1, 0), "2001:db8:10::1", "02:06:00:00:00:02");
	world_service(&h, "udp", "[2001:db8:1::100]:53", sched_find("rr"), server, 1);
	ask("[2001:db8:c::1]:4000", "[2001:db8:1::100]:53", IPPROTO_UDP, 0);
	assert_int_equal(door(), EXPLAIN_SENT);
	assert_int_equal(x->family, ADDR_V6);
	assert_int_equal(x->nh.l2[5], 2);
	assert_int_equal(x->out[0].port, 1);
	assert_int_equal(h.dp->workers[0]->v6.table.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_answer_is_what_the_next_packet_does, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_scheduler_that_is_changed_changes_the_answer,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_template_of_another_worker_is_asked_and_nothing_changes, setup_three,
			teardown),
		cmocka_unit_test_setup_teardown(a_cache_of_destinations_learns_nothing_by_asking,
						setup, teardown),
		cmocka_unit_test_setup_teardown(each_door_has_its_reason, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_table_says_so, setup, teardown),
		cmocka_unit_test_setup_teardown(a_packet_of_ipv6_is_explained, setup, teardown),
	};
	int rc;

	if (harness_eal_init(0, 256, NULL) < 0)
		return 1;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	harness_eal_fini();
	return rc;
}
