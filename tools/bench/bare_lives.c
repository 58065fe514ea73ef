/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The least that a connection by full NAT needs of the table and of the pool, and nothing else: a
 * local port, an entry, both keys in the table; at its end all of these back. No
 * packets, no wheel, no counters, no service. As many connections as the population live at a time;
 * a port is back in use 60 s after its end at the earliest, as in the data path.
 */
#include "bench.h"

#include <stdlib.h>

#include <rte_cycles.h>

#include "dataplane/conn/table.h"
#include "dataplane/fullnat/local_port.h"

#define POOL 64U

struct bare_life {
	uint32_t conn;
	struct local_end4 end;
};

struct bare_lives {
	struct table4 table;
	struct local_ports4 ports;
	be32 pool[POOL];
	struct bare_life *life;
	uint32_t n, made, now_s;
};

/* hash: of both keys. */
static struct conn4 *conn_make(struct bare_lives *b, uint32_t i, struct local_end4 *end,
			       uint32_t hash[2])
{
	struct conn4 *c = table4_alloc(&b->table);
	struct key4 key;

	if (!c)
		fail("the bare lives have no entry");
	c->caddr = be32_from(0x0a000000U + i / 40000);
	c->cport = be16_from((uint16_t)(1024 + i % 40000));
	c->vaddr = be32_from(0xc0000250U);
	c->vport = be16_from(SCENE_VIP_PORT);
	c->daddr = be32_from(0x0a0a0001U + (uint32_t)be16_to(c->cport) % 16);
	c->dport = be16_from(SCENE_SERVER_PORT);
	c->c.proto = IPPROTO_TCP;
	c->c.method = FWD_FULLNAT;
	*end = (struct local_end4){.server = c->daddr,
				   .dport = c->dport,
				   .proto = IPPROTO_TCP,
				   .step = (uint8_t)owner4_step(c->caddr, c->cport)};
	if (local_port4_choose(&b->ports, end, b->pool, POOL, b->now_s) < 0)
		fail("the bare lives have no local port");
	c->c.lport = end->lport;
	c->c.local_id = end->local_id;
	for (unsigned int dir = DIR_IN; dir <= DIR_OUT; dir++) {
		conn4_key(&b->table, c, dir, &key);
		hash[dir] = table4_hash(&b->table, &key);
		table4_prefetch_bucket(&b->table, hash[dir]);
	}
	return c;
}

static void lives_make(struct bare_lives *b)
{
	uint32_t hash[BURST_MAX][2];
	struct conn4 *c[BURST_MAX];

	for (unsigned int k = 0; k < BURST_MAX; k++) {
		struct bare_life *l = &b->life[(b->made + k) % b->n];

		c[k] = conn_make(b, b->made + k, &l->end, hash[k]);
		l->conn = conn4_index(&b->table, c[k]);
	}
	for (unsigned int k = 0; k < BURST_MAX; k++)
		for (unsigned int dir = DIR_IN; dir <= DIR_OUT; dir++)
			if (table4_add(&b->table, c[k], dir, hash[k][dir]) < 0)
				fail("the bare lives have no bucket");
	b->made += BURST_MAX;
}

static void lives_end(struct bare_lives *b)
{
	for (unsigned int k = 0; k < BURST_MAX; k++) {
		const struct bare_life *l = &b->life[(b->made + k) % b->n];
		struct conn4 *c = &b->table.conns[l->conn];

		table4_prefetch_conn(&b->table, c, DIR_IN);
		table4_prefetch_conn(&b->table, c, DIR_OUT);
		local_port4_prefetch(&b->ports, l->end.group, be16_to(l->end.lport) & 1);
	}
	for (unsigned int k = 0; k < BURST_MAX; k++) {
		const struct bare_life *l = &b->life[(b->made + k) % b->n];
		struct conn4 *c = &b->table.conns[l->conn];

		table4_unlink(&b->table, c, DIR_IN);
		table4_unlink(&b->table, c, DIR_OUT);
		local_port4_release(&b->ports, &l->end, b->now_s);
		table4_free(&b->table, c);
	}
}

double bare_lives_cycles(uint32_t population, uint32_t rounds)
{
	struct bare_lives b = {.n = population / BURST_MAX * BURST_MAX};
	double *cycles = calloc(rounds, sizeof(double)), result;

	b.life = calloc(b.n, sizeof(*b.life));
	if (!cycles || !b.life || table4_create(&b.table, b.n * 2, -1, 1) < 0 ||
	    local_ports4_create(&b.ports, local_port_groups(b.n * 2), -1, 1, 0) < 0)
		fail("no memory for bare lives");
	b.table.locals = b.ports.locals;
	for (uint32_t i = 0; i < POOL; i++)
		b.pool[i] = be32_from(0x0a0a8000U + i);
	while (b.made < b.n)
		lives_make(&b);
	for (uint32_t i = 0; i < rounds; i++) {
		const uint64_t start = rte_rdtsc_precise();

		b.now_s = i * (uint64_t)BATCH * 120 / b.n;
		for (unsigned int k = 0; k < BATCH; k += BURST_MAX) {
			lives_end(&b);
			lives_make(&b);
		}
		cycles[i] = (double)(rte_rdtsc_precise() - start) / BATCH;
	}
	result = median(cycles, rounds);
	table4_destroy(&b.table);
	local_ports4_destroy(&b.ports);
	free(b.life);
	free(cycles);
	return result;
}
