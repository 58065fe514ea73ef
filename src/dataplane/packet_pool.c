/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/packet_pool.h"

#include <errno.h>
#include <stdio.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "dataplane/port.h"

#define ERROR_LEN	  256
#define POOL_CACHE	  256  /* mbufs per lcore */
#define POOL_PER_PORT_MIN 2048 /* mbufs; small pools stay in the cache */
#define POOL_PER_WORKER	  2048 /* in buffers, rings, parked, and its cache */
/* An MP/MC ring makes the others spin while a worker is off its CPU in the middle of it. */
#define POOL_OPS "ring_mt_rts"

int packet_pool_socket(const struct dataplane *dp, const struct port *p)
{
	int socket = p->socket;

	if (socket < 0 || !rte_eal_has_hugepages())
		socket = dp->workers[0]->socket;
	return socket < 0 ? 0 : socket;
}

/* Bytes of a frame in one mbuf: more than usual only where a long MTU meets a port that
 * cannot take frames in several segments. */
static uint16_t data_room(const struct dataplane *dp)
{
	uint32_t longest = PORT_DATA_ROOM;
	bool scatter = true;

	for (unsigned int i = 0; i < dp->n_ports; i++) {
		uint32_t frame = port_frame_max(dp->ports[i].mtu);

		if (frame > longest)
			longest = frame;
		scatter = scatter && port_can_scatter(&dp->ports[i]);
	}
	if (scatter)
		longest = PORT_DATA_ROOM;
	longest = RTE_ALIGN_CEIL(longest, 64U);
	return (uint16_t)RTE_MIN(longest + RTE_PKTMBUF_HEADROOM, (uint32_t)UINT16_MAX);
}

static uint32_t pool_size(const struct dataplane *dp, int socket, uint32_t per_port)
{
	uint32_t n = 0;

	for (unsigned int i = 0; i < dp->n_ports; i++) {
		const struct port *p = &dp->ports[i];
		uint32_t need = (uint32_t)p->n_rx * p->rx_desc + (uint32_t)p->n_tx * p->tx_desc;

		if (packet_pool_socket(dp, p) == socket)
			n += per_port ? per_port : RTE_MAX(need, (uint32_t)POOL_PER_PORT_MIN);
	}
	return n + (uint32_t)dp->n_workers * POOL_PER_WORKER;
}

static struct rte_mempool *pool_create(struct dataplane *dp, int socket, uint32_t n)
{
	char name[RTE_MEMPOOL_NAMESIZE];
	struct rte_mempool *pool;

	snprintf(name, sizeof(name), "plvs%s_pool_%d", dp->suffix, (int16_t)socket);
	pool = rte_pktmbuf_pool_create_by_ops(name, n, POOL_CACHE, 0, data_room(dp), socket,
					      POOL_OPS);
	if (!pool && rte_errno != ENOMEM && rte_errno != EEXIST)
		pool = rte_pktmbuf_pool_create(name, n, POOL_CACHE, 0, data_room(dp), socket);
	return pool;
}

int packet_pools_create(struct dataplane *dp, uint32_t per_port, char error[256])
{
	for (unsigned int i = 0; i < dp->n_ports; i++) {
		struct port *p = &dp->ports[i];
		int socket = packet_pool_socket(dp, p);
		uint32_t n = pool_size(dp, socket, per_port);

		for (unsigned int j = 0; j < i && !p->pool; j++)
			if (packet_pool_socket(dp, &dp->ports[j]) == socket)
				p->pool = dp->ports[j].pool;
		if (!p->pool) {
			p->pool = pool_create(dp, socket, n);
			if (!p->pool) {
				snprintf(error, ERROR_LEN,
					 "no memory for %u packet buffers of %u bytes on NUMA node "
					 "%d "
					 "(EAL -m, --socket-mem or huge pages): %s",
					 n, data_room(dp), socket, rte_strerror(rte_errno));
				return -ENOMEM;
			}
			dp->pools[dp->n_pools++] = p->pool;
		}
		dp->exchange.pool[i] = p->pool;
	}
	return 0;
}

void packet_pools_free(struct dataplane *dp)
{
	for (unsigned int i = 0; i < dp->n_pools; i++)
		rte_mempool_free(dp->pools[i]);
	dp->n_pools = 0;
}
