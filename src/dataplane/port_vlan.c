/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The VLAN filter of a port's device.
 *
 * A virtio device drops every tagged frame until the driver names the VLAN, because DPDK's
 * driver always takes up the device's filter. So each device that has a filter uses the filter,
 * and is told of each VLAN interface on the port's TAP: those of the configuration, and those
 * that an administrator makes later. VLAN 0, which frames with a priority and no VLAN carry, is
 * always let through. Some devices have room for few VLANs (8 for an untrusted iavf): a device
 * that refuses one is asked to stop filtering.
 */
#include <errno.h>
#include <string.h>

#include <rte_ethdev.h>

#include "base/log.h"
#include "dataplane/port_internal.h"

#define AREA "dataplane"

static bool vlan_wanted(const struct port_device *d, uint16_t vlan)
{
	return d->vlans[vlan / 64] >> vlan % 64 & 1;
}

/* 0 or -errno. */
static int filter_stop(struct port *p)
{
	int offloads = rte_eth_dev_get_vlan_offload(p->dev);
	int rc = offloads < 0 ? offloads
			      : rte_eth_dev_set_vlan_offload(
					p->dev, offloads & ~RTE_ETH_VLAN_FILTER_OFFLOAD);

	if (rc == 0)
		p->device.filters_vlans = false;
	return rc;
}

static void filter_set(struct port *p, uint16_t vlan, bool on)
{
	int rc = rte_eth_dev_vlan_filter(p->dev, vlan, on), stop;

	if (rc == 0 || !on)
		return;
	stop = filter_stop(p);
	if (stop == 0) {
		log_notice(AREA,
			   "port %s: the VLAN filter of driver %s takes no VLAN %u (%s): the "
			   "filter is off, every VLAN is received",
			   p->config.name, p->driver, vlan, strerror(-rc));
		__atomic_store_n(&p->device.vlans_refused, 0, __ATOMIC_RELAXED);
		return;
	}
	log_error(AREA,
		  "port %s: driver %s refuses to let VLAN %u through (%s) and to receive without "
		  "VLAN filter (%s): frames of VLAN %u may not arrive",
		  p->config.name, p->driver, vlan, strerror(-rc), strerror(-stop), vlan);
	__atomic_fetch_add(&p->device.vlans_refused, 1, __ATOMIC_RELAXED);
}

void port_vlans_set(struct port *p)
{
	struct port_device *d = &p->device;

	d->filters_vlans = (p->rx_offloads & RTE_ETH_RX_OFFLOAD_VLAN_FILTER) != 0;
	d->vlans[0] |= 1;
	__atomic_store_n(&d->vlans_refused, 0, __ATOMIC_RELAXED);
	for (unsigned int vlan = 0; vlan <= MAX_VLAN && d->filters_vlans; vlan++)
		if (vlan_wanted(d, (uint16_t)vlan))
			filter_set(p, (uint16_t)vlan, true);
}

void port_vlan_want(struct port *p, uint16_t vlan, bool wanted)
{
	uint64_t bit = 1ULL << vlan % 64;

	if (vlan == 0 || vlan > MAX_VLAN)
		return;
	port_hold(p);
	if (vlan_wanted(&p->device, vlan) != wanted) {
		p->device.vlans[vlan / 64] ^= bit;
		if (p->started && port_can_ask(p) && p->device.filters_vlans)
			filter_set(p, vlan, wanted);
	}
	port_unlock(p);
}
