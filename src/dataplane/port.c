/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_ethdev.h>

#include "base/error_text.h"
#include "base/log.h"
#include "dataplane/port_big.h"
#include "dataplane/port_device.h"
#include "dataplane/port_internal.h"
#include "dataplane/umem_pool.h"

#define AREA	     "dataplane"
#define DEFAULT_DESC 1024

static void list_devices(char *buf, size_t len)
{
	char name[RTE_ETH_NAME_MAX_LEN];
	uint16_t dev;
	size_t n = 0;

	buf[0] = '\0';
	RTE_ETH_FOREACH_DEV (dev) {
		if (n >= len || rte_eth_dev_get_name_by_port(dev, name) != 0)
			continue;
		n += (size_t)snprintf(buf + n, len - n, "%s%s", n ? ", " : "", name);
	}
}

static uint16_t queues_asked(uint16_t wanted, uint16_t n_workers)
{
	return wanted && wanted < n_workers ? wanted : n_workers;
}

static uint16_t queues_possible(uint16_t asked, uint16_t driver_max)
{
	uint16_t n = asked < driver_max ? asked : driver_max;

	return n ? n : 1;
}

static uint16_t desc_asked(uint16_t wanted, uint16_t preferred)
{
	if (wanted)
		return wanted;
	return preferred ? preferred : DEFAULT_DESC;
}

/* The largest MTU that the driver says it can; and of an AF_XDP port, that its buffers can. */
static uint16_t mtu_max(const struct port *p, const struct rte_eth_dev_info *info)
{
	uint32_t overhead = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN, max = info->max_mtu;

	if (info->max_rx_pktlen > overhead && info->max_rx_pktlen - overhead < max)
		max = info->max_rx_pktlen - overhead;
	if (port_has_umem(p))
		max = RTE_MIN(max, UMEM_FRAME_MAX - port_frame_max(0));
	return (uint16_t)max;
}

static void choose_mtu(struct port *p, const struct rte_eth_dev_info *info)
{
	uint16_t max = mtu_max(p, info);
	char text[96];

	p->mtu = p->config.mtu ? p->config.mtu : RTE_ETHER_MTU;
	if (p->mtu <= max || p->config.mtu == 0)
		return;
	snprintf(text, sizeof(text), "MTU %u is more than driver %s can: %u is used", p->mtu,
		 p->driver, max);
	port_warn(p, text);
	p->mtu = max;
}

int port_find(struct port *p, uint16_t n_workers, char error[ERROR_TEXT])
{
	struct rte_eth_dev_info info;
	struct rte_ether_addr mac;
	char known[128];
	int rc;

	if (rte_eth_dev_get_port_by_name(p->config.device, &p->dev) != 0) {
		list_devices(known, sizeof(known));
		return error_text(
			error, -ENODEV,
			"port %s: there is no DPDK port \"%.40s\" (%s%.60s): give EAL -a or "
			"--vdev",
			p->config.name, p->config.device,
			known[0] ? "there are: " : "there is none", known);
	}
	rc = rte_eth_dev_info_get(p->dev, &info);
	if (rc == 0)
		rc = rte_eth_macaddr_get(p->dev, &mac);
	if (rc != 0) {
		return error_text(error, rc, "port %s: device %s does not answer: %s",
				  p->config.name, p->config.device, strerror(-rc));
	}
	p->found = true;
	memcpy(p->mac.byte, mac.addr_bytes, sizeof(p->mac.byte));
	p->socket = rte_eth_dev_socket_id(p->dev);
	snprintf(p->driver, sizeof(p->driver), "%s", info.driver_name);
	choose_mtu(p, &info);
	p->n_asked = queues_asked(p->config.queues, n_workers);
	p->n_rx = queues_possible(p->n_asked, info.max_rx_queues);
	p->n_tx = queues_possible(p->n_asked, info.max_tx_queues);
	p->rx_desc = desc_asked(p->config.rx_desc, info.default_rxportconf.ring_size);
	p->tx_desc = desc_asked(p->config.tx_desc, info.default_txportconf.ring_size);
	return 0;
}

static void accept_multicast(struct port *p)
{
	if (rte_eth_allmulticast_enable(p->dev) == 0)
		return;
	if (rte_eth_promiscuous_enable(p->dev) != 0)
		log_info(AREA, "port %s: driver %s has neither allmulticast nor promiscuous mode",
			 p->config.name, p->driver);
}

/* A driver can accept the request for receive interrupts and fail at the start, for lack of
 * vectors. */
static int device_start(struct port *p, char error[ERROR_TEXT])
{
	int rc;

	port_hold(p);
	rc = rte_eth_dev_start(p->dev);
	port_unlock(p);
	if (rc == 0 || !p->interrupts)
		return rc;
	p->interrupts = false;
	log_info(AREA, "port %s: no receive interrupts: %s", p->config.name, strerror(-rc));
	if (port_configure(p, p->fast_free, error) != 0)
		return rc;
	port_hold(p);
	rc = rte_eth_dev_start(p->dev);
	port_unlock(p);
	return rc;
}

int port_start(struct port *p, const struct owner_map *owners, uint16_t n_workers,
	       char error[ERROR_TEXT])
{
	char mac[MAC_STRLEN];
	int rc;

	rc = device_start(p, error);
	port_hold(p);
	if (rc == 0) {
		port_big_attach(p);
		p->started = true;
		p->device.stopped = false;
		accept_multicast(p);
		port_vlans_set(p);
		if (p->rss != PORT_RSS_NONE)
			p->rss = port_rss_table_set(p, owners, n_workers) ? PORT_RSS_OWNERS
									  : PORT_RSS_SPREADS;
		port_wake_find(p);
	}
	port_unlock(p);
	if (rc != 0) {
		return error_text(error, rc, "port %s: device %s does not start: %s",
				  p->config.name, p->config.device, strerror(-rc));
	}
	port_queues_compare(p);
	log_info(AREA,
		 "port %s: %s, driver %s, MAC %s, MTU %u, receive queues: %u, transmit queues: %u "
		 "(asked for: %u), RSS: %s (asked for: %s)",
		 p->config.name, p->config.device, p->driver, mac_format(&p->mac, mac, sizeof(mac)),
		 p->mtu, p->n_rx, p->n_tx, p->n_asked, port_rss_name(p->rss),
		 port_rss_name(p->rss_asked));
	return 0;
}

void port_stop(struct port *p)
{
	if (!p->started)
		return;
	port_hold(p);
	p->started = false;
	p->device.stopped = true;
	rte_eth_dev_stop(p->dev);
	port_unlock(p);
}

void port_close(struct port *p)
{
	if (!p->found)
		return;
	port_link_unsubscribe(p);
	port_hold(p);
	p->found = false;
	port_wake_forget(p);
	rte_eth_dev_close(p->dev);
	port_big_close(p);
	port_unlock(p);
}

/* vmxnet3 stops and starts its device by itself, under the workers that use it, and takes the
 * device for stopped from then on: the state of the link stands still (DPDK 22.11). */
static bool stops_for_mtu(const struct port *p)
{
	return strcmp(p->driver, "net_vmxnet3") == 0;
}

int port_set_mtu(struct port *p, uint16_t mtu)
{
	int rc;

	if (!port_fits_room(p, mtu) && !(p->rx_offloads & RTE_ETH_RX_OFFLOAD_SCATTER))
		return -EINVAL;
	if (!port_lock(p))
		return -ENODEV;
	rc = stops_for_mtu(p) ? -EBUSY : rte_eth_dev_set_mtu(p->dev, mtu);
	if (rc == -EBUSY && !p->device.args) {
		p->device.mtu_wanted = mtu;
		rc = 0;
	} else if (rc == 0) {
		p->device.mtu_wanted = 0;
		__atomic_store_n(&p->mtu, mtu, __ATOMIC_RELAXED);
	}
	port_unlock(p);
	return rc;
}

bool port_mtu_is_wanted(struct port *p)
{
	bool wanted;

	port_hold(p);
	wanted = p->device.mtu_wanted != 0;
	port_unlock(p);
	return wanted;
}

void port_set_wanted_mtu(struct port *p)
{
	uint16_t mtu;
	int rc = 0;

	port_hold(p);
	mtu = p->device.mtu_wanted;
	p->device.mtu_wanted = 0;
	if (mtu)
		rc = rte_eth_dev_set_mtu(p->dev, mtu);
	if (mtu && rc == 0)
		__atomic_store_n(&p->mtu, mtu, __ATOMIC_RELAXED);
	port_unlock(p);
	if (rc != 0)
		log_error(AREA, "port %s: the driver does not take MTU %u: %s", p->config.name, mtu,
			  strerror(-rc));
}
