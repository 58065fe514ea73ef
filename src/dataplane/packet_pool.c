/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/packet_pool.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "base/error_text.h"
#include "dataplane/port.h"
#include "dataplane/umem_pool.h"

#define POOL_CACHE	  256  /* mbufs per lcore */
#define POOL_PER_PORT_MIN 2048 /* mbufs; small pools stay in the cache */
#define POOL_PER_WORKER	  2048 /* in buffers, rings, parked, and its cache */
/* With an MP/MC ring, other workers spin while a worker loses its CPU within an enqueue or
 * dequeue. */
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

/* Two ports that take their buffers from one pool. */
static bool share_pool(const struct dataplane *dp, const struct port *a, const struct port *b)
{
	return packet_pool_socket(dp, a) == packet_pool_socket(dp, b) &&
	       port_has_umem(a) == port_has_umem(b);
}

/* Buffers of the pool of a port. */
static uint32_t pool_size(const struct dataplane *dp, const struct port *port, uint32_t per_port)
{
	uint32_t n = 0;

	for (unsigned int i = 0; i < dp->n_ports; i++) {
		const struct port *p = &dp->ports[i];
		uint32_t need = (uint32_t)p->n_rx * p->rx_desc + (uint32_t)p->n_tx * p->tx_desc;

		/* The buffers that the kernel may keep for good when such a port stalls. */
		if (port_has_umem(p))
			need += (uint32_t)p->n_rx * p->rx_desc;
		if (share_pool(dp, p, port))
			n += per_port ? per_port : RTE_MAX(need, (uint32_t)POOL_PER_PORT_MIN);
	}
	return n + (uint32_t)dp->n_workers * POOL_PER_WORKER;
}

static struct rte_mempool *pool_create(struct dataplane *dp, const struct port *port, uint32_t n)
{
	int socket = packet_pool_socket(dp, port);
	bool umem = port_has_umem(port);
	char name[RTE_MEMPOOL_NAMESIZE];
	struct rte_mempool *pool;

	snprintf(name, sizeof(name), "plvs%s_%s_%d", dp->suffix, umem ? "umem" : "pool",
		 (int16_t)socket);
	if (umem)
		return umem_pool_create(name, n, POOL_CACHE, socket, POOL_OPS);
	pool = rte_pktmbuf_pool_create_by_ops(name, n, POOL_CACHE, 0, data_room(dp), socket,
					      POOL_OPS);
	if (!pool && rte_errno != ENOMEM && rte_errno != EEXIST)
		pool = rte_pktmbuf_pool_create(name, n, POOL_CACHE, 0, data_room(dp), socket);
	return pool;
}

/* Makes the pool of a port. 0 or -ENOMEM, and then error says what and why. */
static int port_pool_create(struct dataplane *dp, struct port *p, uint32_t n,
			    char error[ERROR_TEXT])
{
	uint64_t outside;

	p->pool = pool_create(dp, p, n);
	if (!p->pool) {
		return error_text(
			error, -ENOMEM,
			"no memory for %u packet buffers of %u bytes on NUMA node %d (EAL -m, "
			"--socket-mem or huge pages): %s",
			n, port_has_umem(p) ? UMEM_FRAME_MAX : data_room(dp),
			packet_pool_socket(dp, p), rte_strerror(rte_errno));
	}
	dp->pools[dp->n_pools++] = p->pool;
	outside = port_has_umem(p) ? umem_pool_outside(p->pool) : 0;
	if (outside) {
		return error_text(
			error, -ENOMEM,
			"port %s: %" PRIu64 " bytes of the packet buffers lie outside of the "
			"memory that driver %s registers with the kernel, so frames would be "
			"lost: give EAL more memory in one piece (-m, huge pages)",
			p->config.name, outside, p->driver);
	}
	return 0;
}

int packet_pools_create(struct dataplane *dp, uint32_t per_port, char error[ERROR_TEXT])
{
	int rc = 0;

	for (unsigned int i = 0; i < dp->n_ports && rc == 0; i++) {
		struct port *p = &dp->ports[i];

		for (unsigned int j = 0; j < i && !p->pool; j++)
			if (share_pool(dp, p, &dp->ports[j]))
				p->pool = dp->ports[j].pool;
		if (!p->pool)
			rc = port_pool_create(dp, p, pool_size(dp, p, per_port), error);
		dp->exchange.pool[i] = p->pool;
	}
	return rc;
}

void packet_pools_free(struct dataplane *dp)
{
	for (unsigned int i = 0; i < dp->n_pools; i++)
		rte_mempool_free(dp->pools[i]);
	dp->n_pools = 0;
}
