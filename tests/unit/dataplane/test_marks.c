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

#include "dataplane/stages/classify4.h"
#include "dataplane/conn/tcp_state.h"
#include "lib/bed.h"
#include "lib/harness.h"
#include "lib/packet.h"
#include "lib/world.h"
#include "sched/sched.h"

#define VIP	"10.1.0.100"
#define SERVER1 "10.10.0.1"
#define SERVER2 "10.10.0.2"

static struct harness h;
static char error[256];

static const struct world_server dr[] = {{SERVER1 ":0", 1, FWD_DR}, {SERVER2 ":0", 1, FWD_DR}};
static const struct world_server nat[] = {{SERVER1 ":8080", 1, FWD_NAT}};

static struct mark_rule4 rule(const char *dest, uint8_t len, uint8_t proto, uint16_t port,
			      uint32_t mark)
{
	struct mark_rule4 r = {.link = LINK_ANY, .mark = mark, .proto = proto};

	r.dest.addr = ipv4(dest);
	r.dest.len = len;
	r.dport.first = r.dport.last = port;
	return r;
}

static int bed_setup_n(unsigned int workers)
{
	static const char *const servers[] = {SERVER1, SERVER2, NULL};

	if (bed_open(&h, workers, 3000, true) < 0)
		return -1;
	bed_neighbours(&h, link_id_of(1, 0), servers);
	return 0;
}

static int bed_setup(void **state)
{
	(void)state;
	return bed_setup_n(1);
}

static int bed_setup_three(void **state)
{
	(void)state;
	return bed_setup_n(3);
}

static int bed_teardown(void **state)
{
	(void)state;
	return bed_close(&h);
}

/* A segment from an address comes in at a port. Returns the last byte of the MAC it leaves for,
 * 'L' when Linux gets it to route, 'O' as its own, or 0. */
static int segment(unsigned int port, const char *from, uint16_t sport, const char *to,
		   uint16_t dport, uint8_t flags)
{
	struct packet p = {.saddr = ipv4(from),
			   .daddr = ipv4(to),
			   .sport = be16_from(sport),
			   .dport = be16_from(dport),
			   .proto = IPPROTO_TCP,
			   .tcp_flags = flags};
	uint8_t frame[FRAME_MAX];
	enum punt_class class;
	struct rte_mbuf *m;
	int to_whom = 0;
	size_t len;

	p.dst = (struct mac){{2, 0, 0, 0, 0, (uint8_t)(port + 1)}};
	p.src = (struct mac){{2, 9, 9, 9, 9, 9}};
	len = packet_build(&p, frame);
	harness_receive(&h, (uint16_t)port, 0, harness_frame(&h, frame, (uint16_t)len));
	harness_run(&h);
	m = harness_sent(&h, 1);
	if (!m)
		m = harness_sent(&h, 0);
	if (m) {
		to_whom = rte_pktmbuf_mtod(m, uint8_t *)[5];
	} else {
		m = harness_punted(&h, &class);
		if (m)
			to_whom = class == PUNT_TRANSIT ? 'L' : 'O';
	}
	rte_pktmbuf_free(m);
	return to_whom;
}

static int syn(unsigned int port, const char *from, uint16_t sport, const char *to, uint16_t dport)
{
	return segment(port, from, sport, to, dport, TCP_SYN);
}

static void a_marked_network_is_balanced_whatever_the_destination(void **state)
{
	const struct mark_rule4 r = rule("10.2.0.0", 16, IPPROTO_TCP, 0, 7);

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
	assert_int_equal(h.dp->workers[0]->table4.n, 8);
	world_service_del(&h, "mark", "7");
	assert_int_equal(syn(0, "192.168.7.1", 4900, "10.2.0.1", 80), 'L');
}

static void a_connection_outlives_its_rule(void **state)
{
	const struct mark_rule4 r = rule("10.2.0.0", 16, IPPROTO_TCP, 0, 7);

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
	const struct mark_rule4 r = rule("10.2.0.0", 16, IPPROTO_TCP, 0, 7);

	(void)state;
	world_marks(&h, &r, 1);
	world_service(&h, "mark", "7", sched_find("rr"), dr, 1);
	for (uint16_t i = 0; i < 3; i++)
		assert_int_equal(syn(0, "192.168.7.1", (uint16_t)(4000 + i), "10.2.3.4", 80), 1);
	/* A NAT server's packets are replies first, whatever a mark says. */
	assert_int_equal(syn(1, SERVER1, 4000, "10.2.3.4", 80), 1);
	world_service(&h, "tcp", VIP ":80", sched_find("rr"), nat, 1);
	assert_int_equal(syn(1, SERVER1, 4000, "10.2.3.4", 80), 1);
	/* Nobody speaks as a VIP. */
	assert_int_equal(syn(0, VIP, 4000, "10.2.3.4", 80), 0);
	world_service(&h, "tcp", "10.2.3.4:80", sched_find("rr"), dr + 1, 1);
	world_service_del(&h, "mark", "7");
	assert_int_equal(syn(0, "192.168.7.1", 5000, "10.2.3.4", 80), 2);
	assert_int_equal(syn(0, "192.168.7.1", 5000, "10.2.3.4", 81), 'O');
}

static void a_mark_beats_address_and_port(void **state)
{
	const struct mark_rule4 r[] = {rule(VIP, 32, IPPROTO_TCP, 80, 7),
				       rule(VIP, 32, IPPROTO_TCP, 81, 8)};

	(void)state;
	world_service(&h, "tcp", VIP ":80", sched_find("rr"), nat, 1);
	world_service(&h, "tcp", VIP ":81", sched_find("rr"), nat, 1);
	world_service(&h, "mark", "7", sched_find("rr"), dr + 1, 1);
	world_marks(&h, r, 2);
	assert_int_equal(syn(0, "192.168.7.1", 4000, VIP, 80), 2);
	assert_int_equal(syn(0, "192.168.7.1", 4000, VIP, 81), 1); /* nobody has mark 8 */
	assert_int_equal(syn(0, "192.168.7.1", 4000, VIP, 82), 'O');
	assert_int_equal(classify4_hits(h.dp->pub.snapshot->marks, 0), 1);
	assert_int_equal(classify4_hits(h.dp->pub.snapshot->marks, 1), 1);
}

static void the_routers_own_address_can_be_marked(void **state)
{
	const struct mark_rule4 r = rule("192.168.1.254", 32, IPPROTO_TCP, 80, 7);

	(void)state;
	world_marks(&h, &r, 1);
	world_service(&h, "mark", "7", sched_find("rr"), dr, 1);
	assert_int_equal(syn(0, "192.168.7.1", 4000, "192.168.1.254", 80), 1);
	assert_int_equal(syn(0, "192.168.7.1", 4000, "192.168.1.254", 22), 'O');
}

static void what_a_nat_server_opens_may_be_marked_too(void **state)
{
	const struct mark_rule4 r = rule("10.2.0.0", 16, IPPROTO_TCP, 0, 7);

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
	const struct mark_rule4 r = rule("10.2.0.0", 16, IPPROTO_TCP, 0, 7);

	(void)state;
	world_marks(&h, &r, 1);
	world_service(&h, "mark", "7", sched_find("rr"), dr, 1);
	h.dp->pub.vip_lease = VIP_LEASE_OFF;
	assert_int_equal(syn(0, "192.168.7.1", 4000, "10.2.0.9", 80), 'L');
}

static void a_mark_groups_the_services_of_a_persistent_client(void **state)
{
	const struct mark_rule4 r[] = {rule(VIP, 32, IPPROTO_TCP, 80, 1),
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

/* --- the classifier against a walk over the rules --- */

static bool prefix_hits(const struct mark_prefix *p, be32 a)
{
	uint32_t mask = p->len ? ~0U << (32 - p->len) : 0;

	return ((be32_to(a) & mask) == be32_to(p->addr)) != (p->negate != 0);
}

static bool ports_hit(const struct mark_ports *p, be16 port)
{
	uint16_t v = be16_to(port);

	return p->last == 0 || (v >= p->first && v <= p->last) != (p->negate != 0);
}

static uint32_t walk(const struct mark_rule4 *r, uint32_t n, link_id link, const struct key4 *k)
{
	uint32_t mark = 0;

	for (uint32_t i = 0; i < n; i++)
		if (prefix_hits(&r[i].source, k->saddr) && prefix_hits(&r[i].dest, k->daddr) &&
		    ports_hit(&r[i].sport, k->sport) && ports_hit(&r[i].dport, k->dport) &&
		    (!r[i].proto || r[i].proto == k->proto) &&
		    (r[i].link == LINK_ANY || (r[i].link == link) != (r[i].link_negate != 0)))
			mark = r[i].mark;
	return mark;
}

static struct mark_prefix random_prefix(void)
{
	static const uint8_t lens[] = {0, 8, 16, 24, 30, 32};
	struct mark_prefix p = {.len = lens[rand() % 6]};

	if (p.len) {
		p.addr = be32_from((0x0a000000U | ((uint32_t)rand() & 0x030303)) &
				   (~0U << (32 - p.len)));
		p.negate = rand() % 8 == 0;
	}
	return p;
}

static struct mark_ports random_ports(void)
{
	struct mark_ports p = {0};

	if (rand() % 3)
		return p;
	p.first = (uint16_t)(rand() % 8);
	p.last = (uint16_t)(p.first + 1 + rand() % 4);
	p.negate = rand() % 4 == 0;
	return p;
}

static void the_last_rule_that_matches_decides(void **state)
{
	struct mark_rule4 r[200];
	struct mark_table *t;

	(void)state;
	srand(7);
	for (uint32_t i = 0; i < 200; i++) {
		r[i] = (struct mark_rule4){.source = random_prefix(),
					   .dest = random_prefix(),
					   .sport = random_ports(),
					   .dport = random_ports(),
					   .link = rand() % 4 ? LINK_ANY
							      : link_id_of(rand() % 3, 0),
					   .mark = (uint32_t)rand() % 20};
		r[i].proto = rand() % 2 ? 0 : rand() % 2 ? IPPROTO_TCP : IPPROTO_UDP;
		r[i].link_negate = r[i].link != LINK_ANY && rand() % 2;
	}
	for (uint32_t n = 1; n <= 200; n += 33) {
		t = classify4_create(r, n, NULL, error);
		assert_non_null(t);
		for (unsigned int i = 0; i < 3000; i++) {
			const struct key4 k = {
				.saddr = be32_from(0x0a000000U | ((uint32_t)rand() & 0x030303)),
				.daddr = be32_from(0x0a000000U | ((uint32_t)rand() & 0x030303)),
				.sport = be16_from((uint16_t)(rand() % 14)),
				.dport = be16_from((uint16_t)(rand() % 14)),
				.proto = rand() % 2 ? IPPROTO_TCP : IPPROTO_UDP};
			link_id link = link_id_of(rand() % 3, 0);

			assert_int_equal(classify4(t, link, &k, false), walk(r, n, link, &k));
		}
		mark_table_put(t);
	}
}

static void counters_go_on_when_other_rules_change(void **state)
{
	struct mark_rule4 r[] = {rule("10.2.0.0", 16, 0, 0, 1), rule("10.3.0.0", 16, 0, 0, 2)};
	const struct key4 k = {.daddr = ipv4("10.3.0.1"), .proto = IPPROTO_TCP};
	struct mark_table *t = classify4_create(r, 2, NULL, error), *next;

	(void)state;
	assert_int_equal(classify4(t, 0, &k, true), 2);
	assert_true(classify4_same(t, r, 2));
	r[0] = r[1];
	r[1] = rule("10.4.0.0", 16, 0, 0, 3);
	assert_false(classify4_same(t, r, 2));
	next = classify4_create(r, 2, t, error);
	mark_table_put(t);
	assert_int_equal(classify4(next, 0, &k, true), 2);
	assert_int_equal(classify4_hits(next, 0), 2);
	assert_int_equal(classify4_hits(next, 1), 0);
	mark_table_put(next);
}

static void ten_thousand_rules_compile(void **state)
{
	struct mark_rule4 *r = calloc(10000, sizeof(*r));
	struct mark_table *t;

	(void)state;
	for (uint32_t i = 0; i < 10000; i++) {
		r[i] = rule("10.0.0.0", 24, IPPROTO_TCP, (uint16_t)(i % 7 ? 80 : 443), i + 1);
		r[i].dest.addr = be32_from(0x0a000000U + (i << 8));
	}
	t = classify4_create(r, 10000, NULL, error);
	assert_non_null(t);
	for (uint32_t i = 0; i < 10000; i++) {
		const struct key4 k = {.daddr = be32_from(0x0a000000U + (i << 8) + i % 256),
				       .dport = r[i].dport.first == 80 ? be16_from(80)
								       : be16_from(443),
				       .proto = IPPROTO_TCP};

		assert_int_equal(classify4(t, 0, &k, false), i + 1);
	}
	mark_table_put(t);
	free(r);
}

#define ONE(f)	 cmocka_unit_test_setup_teardown(f, bed_setup, bed_teardown)
#define THREE(f) cmocka_unit_test_setup_teardown(f, bed_setup_three, bed_teardown)

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
		cmocka_unit_test(the_last_rule_that_matches_decides),
		cmocka_unit_test(counters_go_on_when_other_rules_change),
		cmocka_unit_test(ten_thousand_rules_compile),
	};
	int ret;

	if (harness_eal_init(0, 256, NULL) < 0)
		return 1;
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	harness_eal_fini();
	return ret;
}
