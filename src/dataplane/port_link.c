/* SPDX-License-Identifier: BSD-3-Clause */
/* The link state of a port's device, and the Linux interface that the device reads. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_ethdev.h>

#include "base/log.h"
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
		return 0; /* full: whoever reads it will wake anyhow */
	return 0;
}

void port_link_watch(struct port *p)
{
	if (rte_eth_dev_callback_register(p->dev, RTE_ETH_EVENT_INTR_LSC, link_changed, p) != 0)
		log_debug(AREA, "port %s: no link-state events", p->config.name);
}

void port_link_unwatch(struct port *p)
{
	rte_eth_dev_callback_unregister(p->dev, RTE_ETH_EVENT_INTR_LSC, link_changed, p);
}

bool port_link_up(const struct port *p)
{
	struct rte_eth_link link;

	return rte_eth_link_get_nowait(p->dev, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

void port_kernel_if(const struct port *p, char *buf, size_t len)
{
	const struct rte_devargs *args = NULL;
	struct rte_eth_dev_info info;
	const char *iface;

	buf[0] = '\0';
	if (strcmp(p->driver, "net_af_packet") != 0 && strcmp(p->driver, "net_af_xdp") != 0)
		return;
	if (rte_eth_dev_info_get(p->dev, &info) == 0 && info.device)
		args = rte_dev_devargs(info.device);
	iface = args && args->args ? strstr(args->args, "iface=") : NULL;
	if (iface)
		snprintf(buf, len, "%.*s", (int)strcspn(iface + 6, ","), iface + 6);
}

uint32_t port_speed_mbps(const struct port *p)
{
	struct rte_eth_link link;

	if (rte_eth_link_get_nowait(p->dev, &link) != 0 ||
	    link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN)
		return 0;
	return link.link_speed;
}
