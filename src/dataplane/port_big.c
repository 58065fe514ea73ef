/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port_big.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_ethdev.h>

#include "base/error_text.h"
#include "base/log.h"
#include "dataplane/big/packet_queue.h"
#include "dataplane/packet_pool.h"

#define AREA	   "dataplane"
#define DRIVER	   "net_af_packet"
#define SLOTS	   512U /* of the ring: the driver's own default */
#define PER_PORT   64U	/* long buffers */
#define PER_WORKER 64U	/* parked, on the way to another worker, and in the cache */
#define POOL_CACHE 32

struct port_big {
	struct packet_sockets sockets;
	struct packet_rx rx;
	struct packet_tx tx;
	void *rx_queues[1], *tx_queues[1]; /* as DPDK wants them */
};

/* ---- which ports ---- */

/* The reason why a port cannot, or NULL. */
static const char *reason_of(const struct port *p)
{
	if (strcmp(p->driver, DRIVER) != 0)
		return "its driver is another one than " DRIVER;
	if (p->n_rx != 1 || p->n_tx != 1)
		return "it has several queues";
	return NULL;
}

static bool wanted(const struct dataplane *dp)
{
	unsigned int able = 0;
	int rc;

	for (unsigned int i = 0; i < dp->n_ports; i++)
		able += reason_of(&dp->ports[i]) == NULL;
	if (able < dp->n_ports) {
		for (unsigned int i = 0; i < dp->n_ports && able; i++)
			if (reason_of(&dp->ports[i]))
				log_notice(AREA,
					   "no port takes big frames: port %s cannot, since %s",
					   dp->ports[i].config.name, reason_of(&dp->ports[i]));
		return false;
	}
	rc = packet_sockets_try();
	if (rc != 0)
		log_notice(AREA, "no port takes big frames: the kernel refuses: %s", strerror(-rc));
	return rc == 0;
}

void port_big_choose(struct dataplane *dp)
{
	bool all = wanted(dp);

	for (unsigned int i = 0; i < dp->n_ports && all; i++) {
		struct port_big *big = aligned_alloc(
			RTE_CACHE_LINE_SIZE, RTE_ALIGN_CEIL(sizeof(*big), RTE_CACHE_LINE_SIZE));

		all = big != NULL;
		if (!big)
			break;
		memset(big, 0, sizeof(*big));
		big->sockets.rx = big->sockets.tx = -1;
		dp->ports[i].big = big;
	}
	for (unsigned int i = 0; i < dp->n_ports && !all; i++)
		port_big_free(&dp->ports[i]);
}

const char *port_big_name(const struct port *p)
{
	return p->big ? "whole" : "no";
}

/* ---- long buffers ---- */

int port_big_pool_create(struct dataplane *dp, char error[ERROR_TEXT])
{
	const uint32_t n = dp->n_ports * PER_PORT + dp->n_workers * PER_WORKER;
	char name[RTE_MEMPOOL_NAMESIZE];

	if (!dp->ports[0].big)
		return 0;
	snprintf(name, sizeof(name), "plvs%s_big", dp->suffix);
	dp->big_pool = rte_pktmbuf_pool_create(name, n, POOL_CACHE, 0, PACKET_BIG_ROOM,
					       packet_pool_socket(dp, &dp->ports[0]));
	if (dp->big_pool)
		return 0;
	return error_text(
		error, -ENOMEM,
		"no memory for %u packet buffers of 64 KiB (EAL -m, --socket-mem or huge pages): "
		"%s",
		n, rte_strerror(rte_errno));
}

void port_big_pool_free(struct dataplane *dp)
{
	rte_mempool_free(dp->big_pool);
	dp->big_pool = NULL;
}

/* ---- life ---- */

/* As many slots as the driver's own ring was to have. */
static uint32_t slots_of(const struct port *p)
{
	const char *at = p->device.args ? strstr(p->device.args, "framecnt=") : NULL;
	uint32_t n = at ? (uint32_t)strtoul(at + strlen("framecnt="), NULL, 10) : 0;

	return n ? n : SLOTS;
}

int port_big_open(struct dataplane *dp, struct port *p, struct kernel_sockets *sockets,
		  char error[ERROR_TEXT])
{
	struct port_big *big = p->big;
	int rc = 0;

	if (!big)
		return 0;
	for (uint16_t i = 0; i < sockets->n && rc == 0; i++)
		rc = packet_socket_silence(sockets->v[i].fd);
	if (rc == 0)
		rc = packet_sockets_open(&big->sockets, p->device.if_index, slots_of(p));
	if (rc == 0)
		rc = kernel_sockets_one(sockets, big->sockets.rx);
	if (rc != 0) {
		return error_text(error, rc, "port %s: the sockets of interface %s do not open: %s",
				  p->config.name, p->device.interface, strerror(-rc));
	}
	packet_rx_init(&big->rx, &big->sockets, p->pool, dp->big_pool);
	big->tx = (struct packet_tx){.fd = big->sockets.tx};
	big->rx_queues[0] = &big->rx;
	big->tx_queues[0] = &big->tx;
	return 0;
}

void port_big_attach(struct port *p)
{
	struct rte_eth_fp_ops *ops = &rte_eth_fp_ops[p->dev];

	if (!p->big)
		return;
	/* rte_eth_dev_stop() gives the entry up, and rte_eth_dev_start() writes the driver's. */
	ops->rxq.data = p->big->rx_queues;
	ops->txq.data = p->big->tx_queues;
	ops->rx_pkt_burst = packet_rx_burst;
	ops->tx_pkt_burst = packet_tx_burst;
}

void port_big_close(struct port *p)
{
	if (p->big)
		packet_sockets_close(&p->big->sockets);
}

void port_big_free(struct port *p)
{
	port_big_close(p);
	free(p->big);
	p->big = NULL;
}

/* ---- counters ---- */

static uint64_t counter_read(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

void port_big_count(const struct port *p, struct device_counters *out)
{
	const struct port_big *big = p->big;

	if (!big)
		return;
	out->rx_no_buffer += counter_read(&big->rx.counters.no_buffer);
	out->socket_rx_cut += counter_read(&big->rx.counters.cut);
	out->socket_rx_unknown += counter_read(&big->rx.counters.unknown);
	out->tx_errors += counter_read(&big->tx.refused);
}
