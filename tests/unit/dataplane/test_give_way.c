/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Entries that give way when the table is full: attacks and floods on a table of five thousand
 * entries, a fortieth of the one in docs/limits, by the stages and on virtual time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/conn/give_way.h"
#include "dataplane/conn/tcp_state.h"
#include "lib/flow.h"
#include "lib/lab.h"

#define TABLE	    4096 /* entries, and a quarter more over all workers */
#define IDLE	    500	 /* established before the attack, and silent during it */
#define ATTACK_TICK 16	 /* pairs of SYN and ACK a tick: 256/s, 10,000/s in a table of 200,000 */
#define CLIENT_TICK 2	 /* new clients a tick: 32/s, 1,250/s there */
#define ATTACK_S    90
#define LIFE	    14 /* ticks of a new client's connection */

static void open_bed(unsigned int workers)
{
	assert_int_equal(flow_bed_open(&h, workers, TABLE), 0);
}

static void close_bed(void)
{
	struct resolve_request want;

	while (harness_resolve_wanted(&h, &want))
		;
	assert_int_equal(bed_close(&h), 0);
}

static uint64_t counter(size_t offset)
{
	struct worker_counters c;

	dataplane_worker_counters(h.dp, &c);
	return *(const uint64_t *)((const uint8_t *)&c + offset);
}
#define COUNTER(name) counter(offsetof(struct worker_counters, name))

static void tick(void)
{
	h.now_tick++;
	h.now_s += h.now_tick % CONN_TICK_HZ == 0;
	flow_drain(&h);
}

/* Addresses all over the Internet, none of them twice. */
static uint32_t spread(uint32_t block, uint32_t i)
{
	return block + (uint32_t)((uint64_t)i * 2654435761U & 0x0fffffffU);
}

/* Connections that did something at five moments within 80 s, and then nothing. */
static void idle_open(struct flow *idle, bool nat)
{
	for (unsigned int i = 0; i < IDLE; i++) {
		idle[i] = flow_of(&h, spread(0x30000000U, i), 1024, nat);
		flow_open(&idle[i]);
	}
	for (unsigned int k = 0; k < 5; k++) {
		harness_advance_ms(&h, 16000);
		for (unsigned int i = 0; i < IDLE; i++)
			flow_pass(&idle[i], DIR_IN, TCP_ACK | TCP_PSH, 10);
	}
}

/* Attacker i: a SYN, an ACK 60 ms later, and `more` ACKs over 30 s. Nobody answers, by NAT
 * because the server's answers go to who knows whom. */
static void attack_tick(uint32_t now, unsigned int more, bool nat)
{
	for (unsigned int k = 0; k <= more + 1; k++) {
		const uint32_t after = k < 2 ? k : (30U * CONN_TICK_HZ) * (k - 1) / more;

		if (now < after)
			continue;
		for (uint32_t i = 0; i < ATTACK_TICK; i++) {
			const struct flow f =
				flow_of(&h, spread(0x50000000U, (now - after) * ATTACK_TICK + i),
					5000, nat);

			flow_raw(&f, DIR_IN, k ? TCP_ACK : TCP_SYN, f.cseq + (k != 0),
				 k ? 12345 : 0, 0);
		}
	}
}

/* Client and server, tick by tick; 100 ms from one to the other. */
static void client_step(struct flow *f, uint32_t age)
{
	switch (age) {
	case 0:
		flow_send(f, DIR_IN, TCP_SYN, 0);
		break;
	case 2:
		flow_send(f, DIR_OUT, TCP_SYN | TCP_ACK, 0);
		break;
	case 4:
		flow_send(f, DIR_IN, TCP_ACK, 0);
		flow_send(f, DIR_IN, TCP_ACK | TCP_PSH, 100);
		break;
	case 6:
		flow_send(f, DIR_OUT, TCP_ACK | TCP_PSH, 1000);
		break;
	case 8:
		flow_send(f, DIR_IN, TCP_ACK, 0);
		break;
	case LIFE - 4:
		flow_send(f, DIR_IN, TCP_ACK | TCP_FIN, 0);
		break;
	case LIFE - 2:
		flow_send(f, DIR_OUT, TCP_ACK | TCP_FIN, 0);
		break;
	case LIFE - 1:
		flow_send(f, DIR_IN, TCP_ACK, 0);
		break;
	}
}

static struct flow *client_at(struct flow *clients, uint32_t id)
{
	return &clients[id % (CLIENT_TICK * LIFE)];
}

/* A tick of new clients, the gateway's included; a client that is cut short counts as not served.
 */
static void clients_tick(struct flow *clients, uint32_t now, bool nat, uint32_t *cut)
{
	for (uint32_t age = 0; age < LIFE && age <= now; age++) {
		for (uint32_t i = 0; i < CLIENT_TICK; i++) {
			const uint32_t id = (now - age) * CLIENT_TICK + i;
			struct flow *f = client_at(clients, id);

			if (age == 0) /* every other one is behind one gateway */
				*f = flow_of(&h, id % 2 ? 0x70010101U : spread(0x60000000U, id),
					     (uint16_t)(1024 + id % 60000), nat);
			else if (age < LIFE - 4 && !flow_entry(f))
				(*cut)++;
			client_step(f, age);
		}
	}
}

static unsigned int alive(const struct flow *flows, unsigned int n)
{
	unsigned int sum = 0;

	for (unsigned int i = 0; i < n; i++)
		sum += flow_entry(&flows[i]) != NULL;
	return sum;
}

static void attack(unsigned int workers, bool nat, unsigned int more)
{
	static struct flow idle[IDLE], young[IDLE], clients[CLIENT_TICK * LIFE];
	uint32_t cut = 0, n = 0;

	open_bed(workers);
	idle_open(idle, nat);
	for (unsigned int i = 0; i < IDLE; i++) {
		young[i] = flow_of(&h, spread(0x20000000U, i), 1024, nat);
		flow_open(&young[i]);
	}
	for (uint32_t now = 0; now < ATTACK_S * CONN_TICK_HZ; now++) {
		attack_tick(now, more, nat);
		clients_tick(clients, now, nat, &cut);
		n += CLIENT_TICK;
		tick();
	}
	print_message("%s, %u workers, %u ACKs more: %u of %u clients cut short, %u of %u idle "
		      "ones survive, %u of %u young ones\n",
		      nat ? "NAT" : "DR", workers, more, cut, n, alive(idle, IDLE), IDLE,
		      alive(young, IDLE), IDLE);
	assert_true(COUNTER(evicted) + COUNTER(evicted_not_assured) > 10000);
	assert_true(cut * 100 <= n);
	assert_int_equal(alive(idle, IDLE), IDLE);
	/* By DR a connection of a second, and idle since, looks like an attacker's. */
	if (nat)
		assert_int_equal(alive(young, IDLE), IDLE);
	close_bed();
}

static void an_attack_of_answered_syns_displaces_itself_by_nat(void **state)
{
	(void)state;
	for (unsigned int workers = 1; workers <= 4; workers += 3) {
		attack(workers, true, 1);
		attack(workers, true, 2);
		attack(workers, true, 5);
	}
}

static void an_attack_of_answered_syns_displaces_itself_by_dr(void **state)
{
	(void)state;
	for (unsigned int workers = 1; workers <= 4; workers += 3) {
		attack(workers, false, 1);
		attack(workers, false, 2);
		attack(workers, false, 5);
	}
}

/* A conversation of `n` datagrams, every second one by the server, two ticks apart. */
static void datagram_at(struct flow *f, uint32_t age, uint32_t n)
{
	if (age % 2 == 0 && age / 2 < n)
		flow_send(f, age % 4 ? DIR_OUT : DIR_IN, 0, 30);
}

/* Datagrams from sources that do not exist: the server answers all or none; by DR each source
 * sends two or one. Clients ask, and ask again, and their entry must live until the last answer. */
static void datagram_attack(bool nat, bool seen_twice)
{
	static struct flow idle[IDLE], clients[CLIENT_TICK * LIFE];
	const uint32_t last = 6; /* age at the fourth datagram */
	uint32_t cut = 0, n = 0;

	open_bed(1);
	for (unsigned int i = 0; i < IDLE; i++) {
		idle[i] = flow_of(&h, spread(0x30000000U, i), 1024, nat);
		idle[i].udp = true;
		flow_pass(&idle[i], DIR_IN, 0, 10);
		flow_pass(&idle[i], DIR_OUT, 0, 10);
	}
	for (unsigned int k = 0; k < 5; k++) {
		harness_advance_ms(&h, 16000);
		for (unsigned int i = 0; i < IDLE; i++)
			flow_pass(&idle[i], DIR_IN, 0, 10);
	}
	for (uint32_t now = 0; now < ATTACK_S * CONN_TICK_HZ; now++) {
		for (uint32_t back = 0; back <= (seen_twice ? 1U : 0U) && back <= now; back++) {
			for (uint32_t i = 0; i < ATTACK_TICK; i++) {
				struct flow f = flow_of(
					&h, spread(0x50000000U, (now - back) * ATTACK_TICK + i),
					5000, nat);

				f.udp = true;
				flow_send(&f, back && nat ? DIR_OUT : DIR_IN, 0, 30);
			}
		}
		for (uint32_t age = 0; age <= last && age <= now; age++) {
			for (uint32_t i = 0; i < CLIENT_TICK; i++) {
				const uint32_t id = (now - age) * CLIENT_TICK + i;
				struct flow *f = client_at(clients, id);

				if (age == 0) {
					*f = flow_of(&h, spread(0x60000000U, id), 1024, nat);
					f->udp = true;
				} else if (!flow_entry(f)) {
					cut++;
				}
				datagram_at(f, age, 4);
			}
		}
		n += CLIENT_TICK;
		tick();
	}
	print_message("UDP, %s, %s: %u of %u clients cut short, %u of %u idle ones survive\n",
		      nat ? "NAT" : "DR", seen_twice ? "two datagrams a source" : "one a source",
		      cut, n, alive(idle, IDLE), IDLE);
	assert_true(COUNTER(evicted) + COUNTER(evicted_not_assured) > 10000);
	assert_int_equal(COUNTER(dropped[DROP_TABLE_FULL]), 0);
	assert_int_equal(COUNTER(dropped[DROP_NETWORK_FULL]), 0);
	assert_true(cut * 100 <= n);
	assert_int_equal(alive(idle, IDLE), IDLE);
	close_bed();
}

static void an_attack_of_datagrams_displaces_itself(void **state)
{
	(void)state;
	datagram_attack(true, false);
	datagram_attack(true, true);
	datagram_attack(false, false);
	datagram_attack(false, true);
}

/* Ends alone fill the table in 20 s: twelve tables of them pass. */
static void connections_go_on(bool nat)
{
	static struct flow idle[IDLE], clients[16 * LIFE];
	uint32_t cut = 0;

	open_bed(1);
	idle_open(idle, nat);
	for (uint32_t now = 0; now < 240 * CONN_TICK_HZ; now++) {
		for (uint32_t age = 0; age < LIFE && age <= now; age++) {
			for (uint32_t i = 0; i < 16; i++) {
				const uint32_t id = (now - age) * 16 + i;
				struct flow *f = &clients[id % (16 * LIFE)];

				if (age == 0)
					*f = flow_of(&h, spread(0x60000000U, id), 1024, nat);
				else
					cut += age < LIFE - 4 && !flow_entry(f);
				client_step(f, age);
			}
		}
		tick();
	}
	assert_int_equal(cut, 0);
	assert_int_equal(COUNTER(dropped[DROP_TABLE_FULL]), 0);
	assert_int_equal(COUNTER(created), 240 * CONN_TICK_HZ * 16 + IDLE);
	assert_true(COUNTER(evicted_ending) > 240 * CONN_TICK_HZ * 16 - 2 * TABLE);
	assert_int_equal(alive(idle, IDLE), IDLE);
	close_bed();
}

static void a_rate_that_fills_the_table_with_ends_goes_on(void **state)
{
	(void)state;
	connections_go_on(true);
	connections_go_on(false);
}

static void a_half_closed_download_outlives_a_flood_of_ends(void **state)
{
	struct flow down;

	(void)state;
	open_bed(1);
	down = flow_of(&h, 0xc0000201U, 2000, true);
	flow_open(&down);
	flow_pass(&down, DIR_IN, TCP_ACK | TCP_FIN, 0);
	for (uint32_t id = 0; id < 4 * TABLE; id++) {
		struct flow f = flow_of(&h, spread(0x60000000U, id), 1024, true);

		flow_open(&f);
		flow_pass(&f, DIR_IN, TCP_FIN | TCP_ACK, 0);
		flow_pass(&f, DIR_OUT, TCP_FIN | TCP_ACK, 0);
		if (id % 16 == 0) {
			flow_pass(&down, DIR_OUT, TCP_ACK, 1000);
			tick();
		}
	}
	assert_true(COUNTER(evicted_ending) > TABLE);
	assert_non_null(flow_entry(&down));
	close_bed();
}

static void one_network_has_a_share_and_others_go_on(void **state)
{
	struct worker *w;
	uint32_t before;

	(void)state;
	open_bed(1);
	w = h.dp->workers[0];
	for (uint32_t id = 0; id < 2 * TABLE; id++) { /* half of it is others' */
		struct flow f = flow_of(&h, spread(0x60000000U, id), 1024, true);

		flow_open(&f);
		if (w->v4.table.n > w->v4.table.capacity / 2)
			break;
	}
	for (uint32_t id = 0; id < 2 * TABLE; id++) {
		struct flow f = flow_of(&h, 0xc0000200U + id % 256, (uint16_t)(1024 + id), false);

		flow_open(&f);
	}
	assert_true(w->v4.table.n <= w->v4.table.capacity / 2 + 1 + w->v4.way.max_network);
	before = w->v4.table.n;
	for (uint32_t id = 0; id < 100; id++) {
		struct flow f = flow_of(&h, spread(0x40000000U, id), 1024, false);

		flow_open(&f);
		assert_non_null(flow_entry(&f));
	}
	assert_int_equal(w->v4.table.n, before + 100);
	close_bed();
}

static void a_full_table_of_assured_ones_is_left_alone_unless_configured(void **state)
{
	struct worker *w;
	struct flow f;

	(void)state;
	open_bed(1);
	w = h.dp->workers[0];
	for (uint32_t id = 0; w->v4.table.n < w->v4.table.capacity; id++) {
		f = flow_of(&h, spread(0x60000000U, id), 1024, true);
		flow_open(&f);
	}
	harness_advance_ms(&h, 100000);
	f = flow_of(&h, 0xc0000201U, 1024, true);
	flow_pass(&f, DIR_IN, TCP_SYN, 0);
	assert_null(flow_entry(&f));
	assert_int_equal(COUNTER(dropped[DROP_TABLE_FULL]), 1);
	w->v4.way.idle_ticks = 90 * CONN_TICK_HZ;
	f = flow_of(&h, 0xc0000201U, 1024, true);
	flow_open(&f);
	assert_non_null(flow_entry(&f));
	assert_int_equal(COUNTER(evicted_idle), 1);
	close_bed();
}

/* Every entry that may give way is in its list once, and the networks' counters add up. */
static void lists_add_up(const struct worker *w)
{
	uint32_t n[GIVE_WAY_MAX] = {0}, shares = 0, counted = 0;

	for (uint32_t i = 1; i < w->v4.table.unused; i++)
		if (w->v4.table.conns[i].c.flags & CONN_F_LIVE)
			n[give_way_list_of(&w->v4.table.conns[i].c)]++;
	for (unsigned int l = GIVE_WAY_ENDING; l < GIVE_WAY_MAX; l++) {
		const struct give_way_ends *ends = &w->v4.way.list[l];
		uint32_t before = 0, k = 0;

		for (uint32_t at = ends->head; at;
		     before = at, at = w->v4.way.links[at].next, k++) {
			assert_int_equal(w->v4.way.links[at].prev, before);
			assert_int_equal(give_way_list_of(&w->v4.table.conns[at].c), l);
		}
		assert_int_equal(before, ends->tail);
		assert_int_equal(k, ends->n);
		assert_int_equal(k, n[l]);
	}
	for (unsigned int i = 0; i < GIVE_WAY_NETWORKS; i++)
		counted += w->v4.way.network[i];
	shares = n[GIVE_WAY_HALF_OPEN] + n[GIVE_WAY_NOT_ASSURED];
	assert_int_equal(counted, shares);
}

static void lists_add_up_whatever_comes(void **state)
{
	static const uint8_t flags[] = {TCP_SYN,	   TCP_ACK, TCP_RST, TCP_FIN | TCP_ACK,
					TCP_SYN | TCP_ACK, TCP_ACK, TCP_ACK};

	(void)state;
	open_bed(1);
	srand(7);
	for (unsigned int i = 0; i < 60000; i++) {
		const struct flow f = flow_of(&h, 0xc0000200U + (uint32_t)rand() % 8192,
					      (uint16_t)(1024 + rand() % 2), rand() % 2);
		const uint8_t event = flags[(unsigned int)rand() % sizeof(flags)];

		flow_raw(&f, f.nat && rand() % 3 == 0 ? DIR_OUT : DIR_IN, event,
			 f.cseq + (event != TCP_SYN) + (uint32_t)(rand() % 3 == 0),
			 f.sseq + (uint32_t)(rand() % 2), (uint16_t)(rand() % 2));
		if (i % 32 == 0)
			flow_drain(&h);
		if (i % 512 == 0)
			harness_advance_ms(&h, 3000);
		if (i % 4096 == 0)
			lists_add_up(h.dp->workers[0]);
	}
	flow_drain(&h);
	lists_add_up(h.dp->workers[0]);
	assert_true(h.dp->workers[0]->v4.table.n > 1000);
	harness_advance_ms(&h, 1000000);
	lists_add_up(h.dp->workers[0]);
	assert_int_equal(h.dp->workers[0]->v4.table.n, 0);
	while (flow_drain(&h))
		;
	lab_drain_punted();
	close_bed();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_attack_of_answered_syns_displaces_itself_by_nat),
		cmocka_unit_test(an_attack_of_answered_syns_displaces_itself_by_dr),
		cmocka_unit_test(an_attack_of_datagrams_displaces_itself),
		cmocka_unit_test(a_rate_that_fills_the_table_with_ends_goes_on),
		cmocka_unit_test(a_half_closed_download_outlives_a_flood_of_ends),
		cmocka_unit_test(one_network_has_a_share_and_others_go_on),
		cmocka_unit_test(a_full_table_of_assured_ones_is_left_alone_unless_configured),
		cmocka_unit_test(lists_add_up_whatever_comes),
	};

	return lab_run(512, tests);
}
