/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "dataplane/owner.h"
#include "dataplane/conn/table.h"
#include "dataplane/conn/tcp_state.h"

#define CAPACITY 5000

static struct conn4 *conn_make(struct table4 *t, uint32_t i, unsigned int dirs)
{
	struct conn4 *c = table4_alloc(t);

	if (!c)
		return NULL;
	c->c.proto = 6;
	c->caddr = be32_from(0x0a000000 + i / 1000);
	c->cport = be16_from((uint16_t)(1024 + i % 1000));
	c->vaddr = be32_from(0x0a010064);
	c->vport = be16_from(80);
	c->daddr = be32_from(0x0a0a0001 + i % 4);
	c->dport = be16_from(8080);
	assert_int_equal(table4_link(t, c, DIR_IN, NULL), 0);
	if (dirs > 1)
		assert_int_equal(table4_link(t, c, DIR_OUT, NULL), 0);
	return c;
}

static struct conn4 *conn_find(const struct table4 *t, const struct conn4 *like, unsigned int dir)
{
	struct key4 k;

	conn4_key(t, like, dir, &k);
	return table4_find(t, &k, table4_hash(t, &k), dir);
}

static void conn_drop(struct table4 *t, struct conn4 *c, unsigned int dirs)
{
	table4_unlink(t, c, DIR_IN);
	if (dirs > 1)
		table4_unlink(t, c, DIR_OUT);
	table4_free(t, c);
}

static void every_connection_is_found_by_both_keys_until_it_is_gone(void **state)
{
	static struct conn4 *made[CAPACITY];
	struct conn4 gone;
	struct table4 t;

	(void)state;
	assert_int_equal(table4_create(&t, CAPACITY, -1, 1), 0);
	for (uint32_t i = 0; i < CAPACITY; i++)
		made[i] = conn_make(&t, i, 2);
	assert_null(table4_alloc(&t));
	for (uint32_t i = 0; i < CAPACITY; i++) {
		assert_ptr_equal(conn_find(&t, made[i], DIR_IN), made[i]);
		assert_ptr_equal(conn_find(&t, made[i], DIR_OUT), made[i]);
	}
	for (uint32_t i = 0; i < CAPACITY; i += 2) {
		gone = *made[i];
		conn_drop(&t, made[i], 2);
		assert_null(conn_find(&t, &gone, DIR_IN));
		assert_null(conn_find(&t, &gone, DIR_OUT));
	}
	for (uint32_t i = 1; i < CAPACITY; i += 2)
		assert_ptr_equal(conn_find(&t, made[i], DIR_OUT), made[i]);
	assert_int_equal(t.n, CAPACITY / 2);
	table4_destroy(&t);
}

static void a_taken_key_is_refused_and_its_holder_is_named(void **state)
{
	struct conn4 *a, *b, *other = NULL;
	struct table4 t;

	(void)state;
	assert_int_equal(table4_create(&t, 8, -1, 2), 0);
	a = conn_make(&t, 1, 2);
	b = table4_alloc(&t);
	b->caddr = a->caddr;
	b->cport = a->cport;
	b->daddr = a->daddr;
	b->dport = a->dport;
	b->vaddr = be32_from(0x0a010065);
	b->vport = a->vport;
	b->c.proto = a->c.proto;
	assert_int_equal(table4_link(&t, b, DIR_IN, NULL), 0);
	assert_int_equal(table4_link(&t, b, DIR_OUT, &other), -EEXIST);
	assert_ptr_equal(other, a);
	table4_destroy(&t);
}

static void random_inserts_and_removals_never_lose_a_connection(void **state)
{
	static struct conn4 *slot[CAPACITY * 3];
	static unsigned int dirs[CAPACITY * 3];
	struct table4 t;
	uint32_t live = 0;

	(void)state;
	srand(7);
	assert_int_equal(table4_create(&t, CAPACITY, -1, 3), 0);
	memset(slot, 0, sizeof(slot));
	for (int round = 0; round < 400000; round++) {
		uint32_t i = (uint32_t)rand() % (CAPACITY * 3);

		if (slot[i]) {
			assert_ptr_equal(conn_find(&t, slot[i], DIR_IN), slot[i]);
			conn_drop(&t, slot[i], dirs[i]);
			slot[i] = NULL;
			live--;
		} else if (live < CAPACITY) {
			dirs[i] = 1 + (unsigned int)(rand() & 1);
			slot[i] = conn_make(&t, i, dirs[i]);
			live++;
		}
		assert_int_equal(t.n, live);
	}
	for (uint32_t i = 0; i < CAPACITY * 3; i++) {
		if (!slot[i])
			continue;
		assert_ptr_equal(conn_find(&t, slot[i], DIR_IN), slot[i]);
		conn_drop(&t, slot[i], dirs[i]);
	}
	assert_int_equal(t.n, 0);
	/* Every overflow bucket has come back. */
	{
		uint32_t n = t.n_buckets + t.n_overflow - t.overflow_unused;

		assert_true(n < t.n_overflow);
		for (uint32_t b = t.overflow_free; b; b = t.buckets[b].overflow)
			n++;
		assert_int_equal(n, t.n_overflow);
	}
	table4_destroy(&t);
}

static size_t pages_in_use(void *p, size_t bytes)
{
	const size_t n = (bytes + 4095) / 4096;
	unsigned char *in_core = malloc(n);
	size_t used = 0;

	assert_non_null(in_core);
	assert_int_equal(mincore(p, bytes, in_core), 0);
	for (size_t i = 0; i < n; i++)
		used += in_core[i] & 1;
	free(in_core);
	return used;
}

/* Both families have a table of the full size: that of a family without traffic must be free. */
static void a_table_without_connections_uses_no_memory(void **state)
{
	struct table6 t;

	(void)state;
	assert_int_equal(table6_create(&t, 100000, -1, 1), 0);
	assert_int_equal(pages_in_use(t.buckets, t.map_bytes[0]), 0);
	assert_int_equal(pages_in_use(t.conns, t.map_bytes[1]), 0);
	assert_non_null(table6_alloc(&t));
	assert_true(pages_in_use(t.conns, t.map_bytes[1]) > 0);
	table6_destroy(&t);
}

/* A full table at the most keys a bucket, whose entries come and go: overflow buckets that
 * keep a key or two must not use up all there are. */
static void a_full_table_with_much_coming_and_going_has_room_for_every_key(void **state)
{
	enum { FULL = 1533 }; /* six keys a bucket of eight */
	static struct conn4 *made[FULL];
	struct table4 t;

	(void)state;
	assert_int_equal(table4_create(&t, FULL, -1, 3), 0);
	assert_int_equal(t.n_buckets, 512);
	for (uint32_t i = 0; i < FULL; i++)
		made[i] = conn_make(&t, i, 2);
	srand(5);
	for (uint32_t i = FULL; i < FULL * 100; i++) {
		uint32_t k = (uint32_t)rand() % FULL;

		conn_drop(&t, made[k], 2);
		made[k] = conn_make(&t, i, 2);
	}
	for (uint32_t i = 0; i < FULL; i++) {
		assert_ptr_equal(conn_find(&t, made[i], DIR_IN), made[i]);
		assert_ptr_equal(conn_find(&t, made[i], DIR_OUT), made[i]);
	}
	table4_destroy(&t);
}

/* Entries that differ in one part of their out key each. A key finds its own entry, also where hash
 * and tag are the same. */
static void an_out_key_of_full_nat_is_told_by_each_of_its_parts(void **state)
{
	const be32 locals[] = {0, be32_from(0x0a0a0064), be32_from(0x0a0a0065)};
	struct conn4 *c[6];
	struct table4 t;

	(void)state;
	assert_int_equal(table4_create(&t, CAPACITY, -1, 1), 0);
	t.locals = locals;
	for (uint32_t i = 0; i < 6; i++) {
		c[i] = table4_alloc(&t);
		c[i]->c.proto = i == 4 ? 17 : 6;
		c[i]->c.method = i == 5 ? FWD_NAT : FWD_FULLNAT;
		/* By NAT the same key is (server, client). */
		c[i]->caddr = i == 5 ? locals[1] : be32_from(0xc0a80101);
		c[i]->cport = be16_from(i == 5 ? 2000 : 3000);
		c[i]->vaddr = be32_from(0x0a010064);
		c[i]->vport = be16_from(80);
		c[i]->daddr = be32_from(0x0a0a0001 + (i == 3));
		c[i]->dport = be16_from(8080);
		c[i]->c.lport = be16_from(i == 2 ? 2001 : 2000);
		c[i]->c.local_id = i == 1 ? 2 : 1;
	}
	for (uint32_t i = 0; i < 6; i++) {
		struct key4 k;

		conn4_key(&t, c[i], DIR_OUT, &k);
		assert_int_equal(k.saddr, c[i]->daddr);
		assert_int_equal(k.daddr, locals[i == 1 ? 2 : 1]);
		assert_int_equal(k.dport, be16_from(i == 2 ? 2001 : 2000));
		for (uint32_t n = 0; n < 6; n++) {
			const bool same = n == i || (i % 5 == 0 && n % 5 == 0);

			assert_int_equal(conn4_has_key(&t, c[n], &k, DIR_OUT), same);
			assert_int_equal(conn4_has_key_any(&t, c[n], &k, DIR_OUT), same);
		}
		conn4_key(&t, c[i], DIR_IN, &k);
		assert_int_equal(k.saddr, c[i]->caddr);
		assert_int_equal(k.daddr, c[i]->vaddr);
		assert_true(conn4_has_key(&t, c[i], &k, DIR_IN));
		assert_true(conn4_has_key_any(&t, c[i], &k, DIR_IN));
		assert_false(conn4_has_key(&t, c[i], &k, DIR_OUT));
		assert_false(conn4_has_key_any(&t, c[i], &k, DIR_OUT));
	}
	table4_destroy(&t);
}

static void client_and_server_halves_have_one_owner(void **state)
{
	struct owner_map map;

	(void)state;
	owner_init();
	owner_map_init(&map, 3);
	for (uint32_t i = 0; i < 1000; i++) {
		be32 client = be32_from(0xc0a80000 + i * 77);
		be16 port = be16_from((uint16_t)(i * 31));

		assert_true(owner4(&map, client, port) < 3);
	}
	/* Toeplitz by definition, bit by bit, over source and over destination alone. */
	for (uint32_t i = 0; i < 1000; i++) {
		uint8_t in[12] = {0}, out[12] = {0};
		be32 client = be32_from(0x01020304 + i * 7919);
		be16 port = be16_from((uint16_t)(i * 104729));
		uint32_t t[2] = {0, 0};

		memcpy(in, &client, 4);
		memcpy(in + 8, &port, 2);
		memcpy(out + 4, &client, 4);
		memcpy(out + 10, &port, 2);
		for (int side = 0; side < 2; side++) {
			const uint8_t *data = side ? out : in;

			for (unsigned int bit = 0; bit < 96; bit++) {
				uint32_t window = 0;

				if (!(data[bit / 8] & 0x80 >> bit % 8))
					continue;
				for (unsigned int k = 0; k < 32; k++) {
					unsigned int at = bit + k;

					window = window << 1 |
						 (owner_rss_key[at / 8] >> (7 - at % 8) & 1);
				}
				t[side] ^= window;
			}
		}
		assert_int_equal(t[0], t[1]);
		assert_int_equal(owner4_step(client, port), t[0] & 127);
	}
}

static void flags_that_no_stack_sends_are_nonsense(void **state)
{
	(void)state;
	assert_true(tcp_flags_nonsense(0));
	assert_true(tcp_flags_nonsense(TCP_FIN));
	assert_true(tcp_flags_nonsense(TCP_SYN | TCP_FIN));
	assert_true(tcp_flags_nonsense(TCP_SYN | TCP_RST));
	assert_true(tcp_flags_nonsense(TCP_FIN | TCP_PSH | TCP_URG));
	assert_false(tcp_flags_nonsense(TCP_SYN));
	assert_false(tcp_flags_nonsense(TCP_SYN | TCP_ACK));
	assert_false(tcp_flags_nonsense(TCP_ACK));
	assert_false(tcp_flags_nonsense(TCP_FIN | TCP_ACK));
	assert_false(tcp_flags_nonsense(TCP_RST));
}

struct step {
	enum tcp_table table;
	uint8_t flags;
	enum conn_state state;
};

static void walk(const struct step *s, size_t n)
{
	enum conn_state st = CONN_NONE;

	for (size_t i = 0; i < n; i++) {
		st = tcp_state_next(s[i].table, st, s[i].flags);
		assert_int_equal(st, s[i].state);
	}
}

#define WALK(...)                                                                                  \
	do {                                                                                       \
		static const struct step steps[] = {__VA_ARGS__};                                  \
		walk(steps, sizeof(steps) / sizeof(steps[0]));                                     \
	} while (0)

static void tcp_states_follow_the_recorded_kernel(void **state)
{
	(void)state;
	WALK({TCP_TABLE_INPUT, TCP_SYN, CONN_SYN_RECV},
	     {TCP_TABLE_OUTPUT, TCP_SYN | TCP_ACK, CONN_SYN_RECV},
	     {TCP_TABLE_INPUT, TCP_ACK, CONN_ESTABLISHED},
	     {TCP_TABLE_INPUT, TCP_FIN | TCP_ACK, CONN_CLOSE_WAIT},
	     {TCP_TABLE_OUTPUT, TCP_ACK, CONN_CLOSE_WAIT},
	     {TCP_TABLE_OUTPUT, TCP_FIN | TCP_ACK, CONN_TIME_WAIT},
	     {TCP_TABLE_INPUT, TCP_ACK, CONN_TIME_WAIT});
	WALK({TCP_TABLE_INPUT, TCP_SYN, CONN_SYN_RECV},
	     {TCP_TABLE_INPUT, TCP_ACK, CONN_ESTABLISHED},
	     {TCP_TABLE_OUTPUT, TCP_FIN | TCP_ACK, CONN_FIN_WAIT},
	     {TCP_TABLE_INPUT, TCP_ACK, CONN_FIN_WAIT},
	     {TCP_TABLE_INPUT, TCP_FIN | TCP_ACK, CONN_TIME_WAIT},
	     {TCP_TABLE_OUTPUT, TCP_ACK, CONN_TIME_WAIT});
	WALK({TCP_TABLE_INPUT, TCP_SYN, CONN_SYN_RECV}, {TCP_TABLE_INPUT, TCP_RST, CONN_SYN_RECV},
	     {TCP_TABLE_OUTPUT, TCP_RST | TCP_ACK, CONN_CLOSE});
	WALK({TCP_TABLE_INPUT_ONLY, TCP_SYN, CONN_SYN_RECV},
	     {TCP_TABLE_INPUT_ONLY, TCP_ACK, CONN_ESTABLISHED},
	     {TCP_TABLE_INPUT_ONLY, TCP_FIN | TCP_ACK, CONN_FIN_WAIT},
	     {TCP_TABLE_INPUT_ONLY, TCP_ACK, CONN_FIN_WAIT},
	     {TCP_TABLE_INPUT_ONLY, TCP_RST, CONN_CLOSE},
	     {TCP_TABLE_INPUT_ONLY, TCP_SYN, CONN_SYN_RECV});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_connection_is_found_by_both_keys_until_it_is_gone),
		cmocka_unit_test(a_taken_key_is_refused_and_its_holder_is_named),
		cmocka_unit_test(random_inserts_and_removals_never_lose_a_connection),
		cmocka_unit_test(a_full_table_with_much_coming_and_going_has_room_for_every_key),
		cmocka_unit_test(a_table_without_connections_uses_no_memory),
		cmocka_unit_test(an_out_key_of_full_nat_is_told_by_each_of_its_parts),
		cmocka_unit_test(client_and_server_halves_have_one_owner),
		cmocka_unit_test(flags_that_no_stack_sends_are_nonsense),
		cmocka_unit_test(tcp_states_follow_the_recorded_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
