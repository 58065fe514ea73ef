/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The link state of a port's device, and the Linux interface that the device reads.
 *
 * The link thread asks each device ten times a second, and ports are configured without
 * link-state interrupts: with them, DPDK answers from the state that the last interrupt left,
 * so that one lost interrupt (QEMU's e1000e and vmxnet3 lose them) leaves a dead link "up" for
 * good. Without them every question goes to the driver's link_update(), which for a question
 * that must not wait
 *
 *	reads a register or the configuration space	e1000, igc, ixgbe, i40e, vmxnet3, virtio
 *	asks the firmware				ice, bnxt, qede
 *	asks the kernel, or the other end's socket	mlx5, tap, virtio_user
 *	tells its own last word				memif, vhost, af_packet, af_xdp, ring, null
 *
 * (DPDK 22.11). Drivers of the last row raise the event without being asked to where they know
 * better (memif, vhost): the event wakes the link thread, which then looks at once.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_ethdev.h>

#include "base/log.h"
#include "dataplane/port_device.h"
#include "dataplane/port_internal.h"

#define AREA "dataplane"

/* Interrupt thread. */
static int link_changed(uint16_t dev, enum rte_eth_event_type type, void *arg, void *ret)
{
	struct port *p = arg;
	uint64_t one = 1;

	(void)dev;
	(void)type;
	(void)ret;
	__atomic_fetch_add(&p->link_changes, 1, __ATOMIC_RELEASE);
	if (p->link_eventfd >= 0 && write(p->link_eventfd, &one, sizeof(one)) < 0)
		return 0; /* full: the reader will wake anyhow */
	return 0;
}

void port_link_subscribe(struct port *p)
{
	if (rte_eth_dev_callback_register(p->dev, RTE_ETH_EVENT_INTR_LSC, link_changed, p) != 0)
		log_debug(AREA, "port %s: no link-state events", p->config.name);
}

void port_link_unsubscribe(struct port *p)
{
	rte_eth_dev_callback_unregister(p->dev, RTE_ETH_EVENT_INTR_LSC, link_changed, p);
}

void port_link_look(struct port *p)
{
	struct rte_eth_link link = {0};
	uint32_t speed = 0;
	bool up;

	if (pthread_mutex_trylock(&p->device.lock) != 0)
		return;
	if (!port_can_ask(p)) {
		port_unlock(p);
		return;
	}
	up = rte_eth_link_get_nowait(p->dev, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
	port_unlock(p);
	if (link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN)
		speed = link.link_speed;
	__atomic_store_n(&p->device.link_up, up, __ATOMIC_RELAXED);
	__atomic_store_n(&p->device.speed_mbps, speed, __ATOMIC_RELAXED);
}

bool port_link_up(const struct port *p)
{
	return port_device_works(p) &&
	       (p->device.interface[0] || __atomic_load_n(&p->device.link_up, __ATOMIC_RELAXED));
}

bool port_on_kernel(const struct port *p)
{
	return strcmp(p->driver, "net_af_packet") == 0 || strcmp(p->driver, "net_af_xdp") == 0;
}

void port_kernel_if(const struct port *p, char *buf, size_t len)
{
	const struct rte_devargs *args = NULL;
	struct rte_eth_dev_info info;
	const char *iface;

	buf[0] = '\0';
	if (!port_on_kernel(p))
		return;
	if (rte_eth_dev_info_get(p->dev, &info) == 0 && info.device)
		args = rte_dev_devargs(info.device);
	iface = args && args->args ? strstr(args->args, "iface=") : NULL;
	if (iface)
		snprintf(buf, len, "%.*s", (int)strcspn(iface + 6, ","), iface + 6);
}

/* Receive queues that Linux shows of an interface; 0: unknown, as in another network namespace. */
static unsigned int interface_queues(const char *interface)
{
	char path[64];
	unsigned int n = 0;
	struct dirent *entry;
	DIR *queues;

	snprintf(path, sizeof(path), "/sys/class/net/%.15s/queues", interface);
	queues = opendir(path);
	while (queues && (entry = readdir(queues)))
		n += strncmp(entry->d_name, "rx-", 3) == 0;
	if (queues)
		closedir(queues);
	return n;
}

void port_queues_compare(struct port *p)
{
	unsigned int n = p->device.interface[0] ? interface_queues(p->device.interface) : 0;
	char text[160];

	if (strcmp(p->driver, "net_af_xdp") != 0 || n <= p->n_rx)
		return;
	snprintf(text, sizeof(text),
		 "reads %u of the %u receive queues of %s; Linux takes the frames of the others "
		 "(docs/ports.md)",
		 p->n_rx, n, p->device.interface);
	port_warn(p, text);
}

uint32_t port_speed_mbps(const struct port *p)
{
	return __atomic_load_n(&p->device.speed_mbps, __ATOMIC_RELAXED);
}
