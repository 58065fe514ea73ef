/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The real loop (loop_round()) on a port without a NIC behind it, against a bare loop on
 * the same port: receive, bare_dr() or bare_nat(), transmit.
 *
 *	net_null	gives buffers without content; a receive callback copies a prepared
 *			frame into each, for both subjects alike
 *	net_ring	gives the prepared buffers themselves, and keeps what is sent
 */
#include "bench.h"

#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_eth_ring.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RING_SIZE (BATCH * 2)

struct port_arg {
	struct scene s;
	struct dataplane *dp;
	bool bare;
	/* net_null */
	const struct rte_eth_rxtx_callback *callback;
	struct rte_mbuf **templates;
	unsigned int next_template;
	/* net_ring */
	struct rte_ring *rx, *tx;
};

static uint16_t null_receive(uint16_t dev, uint16_t queue, struct rte_mbuf **pkts, uint16_t n,
			     uint16_t max, void *arg)
{
	struct port_arg *a = arg;

	(void)dev;
	(void)queue;
	(void)max;
	for (uint16_t i = 0; i < n; i++) {
		const struct rte_mbuf *t = a->templates[a->next_template++ % BATCH];

		memcpy(rte_pktmbuf_mtod(pkts[i], void *), rte_pktmbuf_mtod(t, void *), t->data_len);
		pkts[i]->data_len = t->data_len;
		pkts[i]->pkt_len = t->pkt_len;
	}
	return n;
}

static void bare_round(struct port_arg *a)
{
	struct rte_mbuf *frames[BURST_MAX];
	uint16_t dev = a->dp->ports[0].dev;
	uint16_t n = rte_eth_rx_burst(dev, 0, frames, BURST_MAX);

	bare4_burst(&a->s, frames, n);
	if (rte_eth_tx_burst(dev, 0, frames, n) != n)
		fail("%s does not take what it gave", a->dp->ports[0].config.device);
}

static uint64_t rounds(struct port_arg *a)
{
	uint64_t start = rte_rdtsc_precise();

	for (unsigned int i = 0; i < BATCH_BURSTS; i++) {
		if (a->bare)
			bare_round(a);
		else
			loop_round(a->s.w, a->s.tick, 1);
	}
	return rte_rdtsc_precise() - start;
}

static uint64_t batch_null(struct port_arg *a, struct rte_mbuf **frames)
{
	a->templates = frames;
	a->next_template = 0;
	return rounds(a);
}

static uint64_t batch_ring(struct port_arg *a, struct rte_mbuf **frames)
{
	uint64_t cycles;

	if (rte_ring_enqueue_bulk(a->rx, (void **)frames, BATCH, NULL) != BATCH)
		fail("the receive ring is full");
	cycles = rounds(a);
	if (rte_ring_dequeue_bulk(a->tx, (void **)frames, BATCH, NULL) != BATCH)
		fail("packets of a ring port are missing");
	return cycles;
}

static uint64_t batch_loop(void *arg, struct rte_mbuf **frames)
{
	struct port_arg *a = arg;

	a->bare = false;
	return a->rx ? batch_ring(a, frames) : batch_null(a, frames);
}

static uint64_t batch_bare_port(void *arg, struct rte_mbuf **frames)
{
	struct port_arg *a = arg;

	a->bare = true;
	return a->rx ? batch_ring(a, frames) : batch_null(a, frames);
}

static struct rte_ring *ring_make(const char *name, unsigned int serial)
{
	char full[RTE_RING_NAMESIZE];
	struct rte_ring *r;

	snprintf(full, sizeof(full), "bench_%s%u", name, serial);
	r = rte_ring_create(full, RING_SIZE, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	if (!r)
		fail("no memory for a ring");
	return r;
}

static void device_make(struct port_arg *a, bool ring, char *device, size_t len)
{
	static unsigned int serial = 100; /* devices of the command line come first */
	char name[32];

	serial++;
	if (!ring) {
		snprintf(device, len, "net_null%u", serial);
		if (rte_eal_hotplug_add("vdev", device, "") != 0)
			fail("%s cannot be made", device);
		return;
	}
	a->rx = ring_make("rx", serial);
	a->tx = ring_make("tx", serial);
	snprintf(name, sizeof(name), "bench%u", serial);
	snprintf(device, len, "net_ring_%s", name);
	if (rte_eth_from_rings(name, &a->rx, 1, &a->tx, 1, SOCKET_ID_ANY) < 0)
		fail("%s cannot be made", device);
}

static void dataplane_make(struct port_arg *a, enum forward_method method, uint32_t n, bool ring)
{
	struct dataplane_config config = {
		.n_ports = 1, .max_connections = n, .seed = 42, .n_manual_workers = 1};
	char error[256];

	snprintf(config.ports[0].name, sizeof(config.ports[0].name), "bench");
	device_make(a, ring, config.ports[0].device, sizeof(config.ports[0].device));
	if (dataplane_create(&config, &a->dp, error) != 0)
		fail("%s", error);
	a->s = (struct scene){.family = ADDR_V4,
			      .servers = ADDR_V4,
			      .method = method,
			      .n = n,
			      .pub = &a->dp->pub};
	a->s.sink = a->tx;
	a->s.w = a->dp->workers[0];
	a->s.server_of = calloc(n, sizeof(*a->s.server_of));
	if (!a->s.server_of)
		fail("no memory for %u connections", n);
	scene_publish(a->s.pub, ADDR_V4, method);
	if (dataplane_start(a->dp, error) != 0)
		fail("%s", error);
	worker_env_update(a->s.w, a->s.tick, 1);
}

static void bench_port(const struct options *o, enum forward_method method, uint32_t n, bool ring,
		       struct rte_mempool *pool)
{
	char loop[32], bare[32];
	static struct port_arg a;
	struct subject subjects[] = {{loop, batch_loop, &a, 0}, {bare, batch_bare_port, &a, 0}};
	const char *path = method == FWD_NAT ? "nat" : "dr";
	const char *port = ring ? "ring" : "null";

	snprintf(loop, sizeof(loop), "loop-%s/%s", port, path);
	snprintf(bare, sizeof(bare), "bare-%s/%s", port, path);
	if (!wanted(o, loop) && !wanted(o, bare))
		return;
	memset(&a, 0, sizeof(a));
	dataplane_make(&a, method, n, ring);
	scene_connect(&a.s, pool);
	if (!ring)
		a.callback = rte_eth_add_rx_callback(a.dp->ports[0].dev, 0, null_receive, &a);
	measure(&a.s, subjects, RTE_DIM(subjects), o->blocks, pool);
	for (unsigned int r = 0; r < DROP_MAX; r++)
		if (a.s.w->counters.dropped[r] != 0)
			fail("the loop dropped packets: %s", drop_names[r]);
	row_add_cycles(bare, n, subjects[1].cycles, 0);
	row_add_cycles(loop, n, subjects[0].cycles, subjects[1].cycles);
	if (a.callback) /* would stay with the number of the port */
		rte_eth_remove_rx_callback(a.dp->ports[0].dev, 0, a.callback);
	frozen4_free(&a.s);
	dataplane_stop(a.dp);
	scene_unpublish(a.s.pub);
	dataplane_destroy(a.dp);
	free(a.s.server_of);
	rte_ring_free(a.rx);
	rte_ring_free(a.tx);
}

void bench_ports(const struct options *o, enum forward_method method, uint32_t n,
		 struct rte_mempool *pool)
{
	bench_port(o, method, n, false, pool);
	bench_port(o, method, n, true, pool);
}
