/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The descriptors that wake a worker when frames wait in a receive queue, for drivers of DPDK
 * 22.11:
 *
 * - net_af_packet, net_af_xdp: the driver's socket, which the driver hides; found among the
 *   descriptors of the process (kernel_socket.h). Readable while the queue's ring has frames.
 * - net_tap: the TAP, as the driver's receive interrupt. The driver has no function that arms the
 *   interrupt, and needs none: the TAP is readable while frames wait.
 * - PCI drivers by vfio-pci with MSI-X, net_virtio_user: the eventfd of the queue's interrupt.
 *   The interrupt is armed before each sleep. A uio device has one descriptor for all interrupts,
 *   and the descriptor belongs to EAL.
 * - net_memif: nothing, since the driver masks the interrupt of its rings whenever a peer connects.
 * - net_vhost, net_ring, net_null, net_pcap: nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_ethdev.h>

#include "base/log.h"
#include "dataplane/port_internal.h"

#define AREA "dataplane"

bool port_has_interrupts(const struct port *p)
{
	struct rte_eth_dev_info info;

	if (strcmp(p->driver, "net_tap") == 0 || strcmp(p->driver, "net_virtio_user") == 0)
		return true;
	return rte_eth_dev_info_get(p->dev, &info) == 0 && info.device &&
	       strcmp(rte_bus_name(rte_dev_bus(info.device)), "pci") == 0;
}

void port_wake_set(struct port *p, uint16_t queue, enum queue_wake_kind kind, int fd)
{
	p->wake[queue] = (struct queue_wake){.fd = fd, .kind = (uint8_t)kind};
}

/* The driver opened one socket for each queue, in the order of queues, and descriptors are
 * listed in the order in which they were opened. */
static void sockets_find(struct port *p)
{
	const struct kernel_sockets *sockets = &p->device.sockets;

	if (sockets->n != p->n_rx) {
		log_warning(AREA, "port %s: %u queues and %u sockets: workers sleep by the clock",
			    p->config.name, p->n_rx, sockets->n);
		return;
	}
	for (uint16_t q = 0; q < p->n_rx; q++)
		port_wake_set(p, q, QUEUE_WAKE_READABLE, sockets->v[q].fd);
}

/* The kind of file behind the descriptor of an interrupt. */
static enum queue_wake_kind kind_of(int fd)
{
	char link[64], target[64];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, target, sizeof(target) - 1);
	if (len < 0)
		return QUEUE_WAKE_NONE;
	target[len] = '\0';
	if (strcmp(target, "anon_inode:[eventfd]") == 0)
		return QUEUE_WAKE_INTERRUPT;
	return strcmp(target, "/dev/net/tun") == 0 ? QUEUE_WAKE_READABLE : QUEUE_WAKE_NONE;
}

static void interrupts_find(struct port *p)
{
	for (uint16_t q = 0; q < p->n_rx; q++) {
		int fd = rte_eth_dev_rx_intr_ctl_q_get_fd(p->dev, q);
		enum queue_wake_kind kind = fd >= 0 ? kind_of(fd) : QUEUE_WAKE_NONE;

		if (kind == QUEUE_WAKE_INTERRUPT && rte_eth_dev_rx_intr_disable(p->dev, q) != 0)
			kind = QUEUE_WAKE_NONE;
		port_wake_set(p, q, kind, fd);
	}
}

void port_wake_find(struct port *p)
{
	if (p->interrupts)
		interrupts_find(p);
	else if (p->device.sockets.n)
		sockets_find(p);
	log_debug(AREA, "port %s: a sleeping worker is woken by: %s", p->config.name,
		  port_wake_name(p));
}

void port_wake_forget(struct port *p)
{
	memset(p->wake, 0, sizeof(p->wake)); /* QUEUE_WAKE_NONE */
}

const char *port_wake_name(const struct port *p)
{
	const uint8_t kind = p->wake[0].kind;

	for (uint16_t q = 1; q < p->n_rx; q++)
		if (p->wake[q].kind != kind)
			return "clock";
	if (kind == QUEUE_WAKE_READABLE)
		return "descriptor";
	return kind == QUEUE_WAKE_INTERRUPT ? "interrupt" : "clock";
}
