/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counts never drift: clients, servers and an administrator do what they like for a long
 * time; after every step the servers' counts are what the tables hold, and every template
 * knows its children.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/conn/tcp_state.h"
#include "lib/lab.h"
#include "sched/sched.h"

#define VIP	  "10.1.0.100"
#define N_SERVERS 5
#define STEPS	  12000

static char error[256];
static uint64_t dice;

static uint32_t roll(uint32_t n)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (uint32_t)((dice >> 11) % n);
}

/* --- what must hold --- */

struct tally {
	uint64_t entries, active, templates;   /* of the tables */
	uint64_t counts, counts_active, named; /* of the servers */
};

static uint32_t children_of(unsigned int worker, uint32_t index)
{
	uint32_t n = 0;

	for (unsigned int i = 0; i < h.dp->n_workers; i++) {
		const struct table4 *t = &h.dp->workers[i]->v4.table;

		for (uint32_t k = 1; k < t->unused; k++)
			n += (t->conns[k].c.flags & CONN_F_LIVE) &&
			     t->conns[k].control == CONTROL(worker, index);
	}
	return n;
}

static void tables_add(struct tally *sum, bool children)
{
	for (unsigned int i = 0; i < h.dp->n_workers; i++) {
		const struct table4 *t = &h.dp->workers[i]->v4.table;

		for (uint32_t k = 1; k < t->unused; k++) {
			const struct conn *c = &t->conns[k].c;

			if (!(c->flags & CONN_F_LIVE))
				continue;
			if (!(c->flags & CONN_F_TEMPLATE)) {
				sum->entries++;
				sum->active += (c->flags & CONN_F_ACTIVE) != 0;
				continue;
			}
			sum->templates++;
			if (children)
				assert_int_equal(c->children, children_of(i, k));
		}
	}
}

static void servers_add(struct tally *sum)
{
	const struct runtime *rt = &h.dp->pub.runtime;

	for (uint32_t id = 1; id < 200; id++) {
		const struct server_rt *srv = runtime_server(rt, id);

		if (!srv)
			continue;
		sum->counts_active += counts_active(server_rt_counts(srv));
		sum->counts += counts_active(server_rt_counts(srv)) +
			       counts_inactive(server_rt_counts(srv));
		sum->named += srv->templates;
	}
}

static struct tally check(bool children)
{
	struct worker_counters w;
	struct tally sum = {0};

	tables_add(&sum, children);
	servers_add(&sum);
	dataplane_worker_counters(h.dp, &w);
	assert_int_equal(sum.counts, sum.entries);
	assert_int_equal(sum.counts_active, sum.active);
	assert_int_equal(sum.named, sum.templates);
	assert_int_equal(w.templates, sum.templates);
	assert_int_equal(w.connections, sum.entries);
	return sum;
}

/* --- what happens --- */

static const char *server_address(uint32_t i, char buf[32])
{
	snprintf(buf, 32, "10.10.0.%u", i + 1);
	return buf;
}

static void put(unsigned int port, const struct packet *from)
{
	struct packet p = *from;
	uint8_t frame[FRAME_MAX];
	size_t len;

	packet_to_port(&p, port, NULL);
	p.payload = p.proto == IPPROTO_UDP ? 18 : 0;
	len = packet_build(&p, frame);
	harness_receive(&h, (uint16_t)port, 0, harness_frame(&h, frame, (uint16_t)len));
}

static void drain(void)
{
	enum punt_class class;
	struct rte_mbuf *m;

	harness_run(&h);
	while ((m = harness_sent(&h, 0)) || (m = harness_sent(&h, 1)) ||
	       (m = harness_punted(&h, &class)))
		rte_pktmbuf_free(m);
}

static struct packet random_client(void)
{
	static const uint8_t flags[] = {TCP_SYN, TCP_SYN,	    TCP_SYN, TCP_ACK,
					TCP_ACK, TCP_FIN | TCP_ACK, TCP_RST};
	static const uint16_t ports[] = {80, 80, 443, 53, 21, 50000};

	return (struct packet){
		.saddr = be32_from(0xc0a80700U + (roll(4) << 8) + roll(12)),
		.daddr = roll(8) ? ipv4(VIP) : be32_from(0x0a020000U + roll(5)),
		.sport = be16_from((uint16_t)(4000 + roll(30))),
		.dport = be16_from(ports[roll(6)]),
		.proto = roll(4) ? IPPROTO_TCP : IPPROTO_UDP,
		.tcp_flags = flags[roll(7)],
	};
}

/* An answer to some connection that exists, or would. */
static struct packet random_server(void)
{
	const struct table4 *t = &h.dp->workers[roll(h.dp->n_workers)]->v4.table;
	const struct conn4 *c = t->unused > 1 ? &t->conns[1 + roll(t->unused - 1)] : t->conns;
	static const uint8_t flags[] = {TCP_SYN | TCP_ACK, TCP_ACK, TCP_FIN | TCP_ACK, TCP_RST};

	return (struct packet){
		.saddr = c->daddr ? c->daddr : ipv4("10.10.0.1"),
		.daddr = c->caddr ? c->caddr : ipv4("192.168.7.1"),
		.sport = c->dport,
		.dport = c->cport,
		.proto = c->c.proto == IPPROTO_UDP ? IPPROTO_UDP : IPPROTO_TCP,
		.tcp_flags = flags[roll(4)],
	};
}

static const struct {
	const char *proto, *listen;
} services[] = {
	{"tcp", VIP ":80"}, {"tcp", VIP ":21"}, {"udp", VIP ":53"},
	{"tcp", VIP ":0"},  {"mark", "7"},
};

static void random_edit(void)
{
	static const char *const schedulers[] = {"rr", "wrr", "wlc", "sh", "lblcr"};
	static const uint8_t masks[] = {32, 24, 16, 30};
	uint32_t which = roll(5), n = 0;
	struct world_server list[N_SERVERS];
	char names[N_SERVERS][40], addr[32];
	struct world_policy policy = {0};

	if (roll(6) == 0) {
		world_service_del(&h, services[which].proto, services[which].listen);
		return;
	}
	for (uint32_t i = 0; i < N_SERVERS; i++) {
		uint32_t k = (i + roll(2)) % N_SERVERS;

		if (roll(3) == 0 || (n && strstr(names[n - 1], server_address(k, addr))))
			continue;
		snprintf(names[n], sizeof(names[n]), "%s:%u", server_address(k, addr),
			 which == 3 || which == 4 ? 0 : 8080);
		list[n] = (struct world_server){names[n], roll(4), roll(3) ? FWD_NAT : FWD_DR};
		n++;
	}
	if (roll(3) || which == 3)
		policy = (struct world_policy){.persist_s = 5 + roll(60),
					       .netmask = masks[roll(4)],
					       .expire_quiescent = roll(2)};
	policy.one_packet = roll(3) == 0;
	world_policy(&h, &policy);
	world_service(&h, services[which].proto, services[which].listen,
		      sched_find(schedulers[roll(5)]), list, n);
	for (uint32_t i = 0; i < n; i++) {
		struct server_rt *rt =
			world_server(&h, services[which].proto, services[which].listen, names[i]);

		server_rt_set_thresholds(rt, roll(3) ? 0 : 1 + roll(20), 0);
	}
}

static void step(uint32_t i)
{
	switch (roll(40)) {
	case 0:
		random_edit();
		break;
	case 1:
		harness_advance_ms(&h, roll(20000));
		break;
	default:
		for (uint32_t k = roll(12); k > 0; k--) {
			struct packet p = roll(3) ? random_client() : random_server();

			put(roll(2), &p);
		}
		break;
	}
	drain();
	check(i % 50 == 0);
}

static void bed(unsigned int workers)
{
	/* Small tables: they fill up, and half-open ones give way. */
	const struct harness_config hc = {.n_workers = (uint16_t)workers, .max_connections = 400};
	struct mark_rule rule = {.link = LINK_ANY, .mark = 7};
	char addr[32], mac[32];

	dice = 88172645463325252ULL + workers;
	assert_int_equal(harness_create(&h, &hc, error), 0);
	world_route(&h, "0.0.0.0/0", link_id_of(0, 0), "192.168.1.253");
	world_route(&h, "10.10.0.0/16", link_id_of(1, 0), NULL);
	world_neighbour(&h, link_id_of(0, 0), "192.168.1.253", "02:01:c0:a8:01:01");
	for (uint32_t i = 0; i < N_SERVERS; i++) {
		snprintf(mac, sizeof(mac), "02:01:0a:0a:00:%02x", i + 1);
		world_neighbour(&h, link_id_of(1, 0), server_address(i, addr), mac);
	}
	rule.dest.addr = addr_from_v4(ipv4("10.2.0.0"));
	rule.dest.len = 16;
	assert_int_equal(world_marks(&h, &rule, 1), 0);
}

static void run(unsigned int workers)
{
	struct worker_counters w;
	struct tally end;

	bed(workers);
	for (uint32_t i = 0; i < 40; i++)
		random_edit();
	for (uint32_t i = 0; i < STEPS; i++)
		step(i);
	dataplane_worker_counters(h.dp, &w);
	/* Choices of both kinds were made. */
	assert_true(w.created > 1000);
	assert_true(w.expired > 100);
	assert_true(w.evicted > 0);
	assert_true(check(true).entries + w.expired > 100);
	harness_advance_ms(&h, 1900000);
	end = check(true);
	assert_int_equal(end.entries, 0);
	assert_int_equal(end.templates, 0);
	assert_int_equal(end.counts, 0);
	assert_true(harness_doors_add_up(&h, error));
	assert_int_equal(harness_destroy(&h), 0);
}

static void counts_hold_on_one_worker(void **state)
{
	(void)state;
	run(1);
}

static void counts_hold_on_three_workers(void **state)
{
	(void)state;
	run(3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_hold_on_one_worker),
		cmocka_unit_test(counts_hold_on_three_workers),
	};

	return lab_run(256, tests);
}
