/* SPDX-License-Identifier: BSD-3-Clause */
/* The lock of a port, its warnings, and the sizes of its frames, for the other files of a port. */
#include "dataplane/port_internal.h"

#include <stdio.h>
#include <string.h>

#include <rte_ethdev.h>

#include "base/log.h"
#include "dataplane/port_device.h"
#include "dataplane/umem_pool.h"

#define AREA	       "dataplane"
#define FRAME_OVERHEAD (RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN + 2 * RTE_VLAN_HLEN)

void port_warn(struct port *p, const char *text)
{
	size_t len = strlen(p->warning);

	if (strstr(p->warning, text)) /* said before the device was opened again */
		return;
	log_warning(AREA, "port %s: %s", p->config.name, text);
	snprintf(p->warning + len, sizeof(p->warning) - len, "%s%s", len ? "; " : "", text);
}

bool port_has_umem(const struct port *p)
{
	return strcmp(p->driver, "net_af_xdp") == 0;
}

void port_hold(struct port *p)
{
	pthread_mutex_lock(&p->device.lock);
}

bool port_can_ask(const struct port *p)
{
	return port_device_works(p) && p->found && !p->device.stopped;
}

bool port_lock(struct port *p)
{
	if (!port_device_works(p))
		return false;
	port_hold(p);
	if (port_can_ask(p))
		return true;
	port_unlock(p);
	return false;
}

void port_unlock(struct port *p)
{
	pthread_mutex_unlock(&p->device.lock);
}

uint32_t port_frame_max(uint16_t mtu)
{
	return (uint32_t)mtu + FRAME_OVERHEAD;
}

bool port_fits_room(const struct port *p, uint16_t mtu)
{
	uint32_t room = rte_pktmbuf_data_room_size(p->pool) - RTE_PKTMBUF_HEADROOM;

	return port_frame_max(mtu) <= (port_has_umem(p) ? UMEM_FRAME_MAX : room);
}

bool port_can_scatter(const struct port *p)
{
	struct rte_eth_dev_info info;

	return rte_eth_dev_info_get(p->dev, &info) == 0 &&
	       (info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER) &&
	       (info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS);
}
