/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration of a port's device: offloads, queues and MTU, each as far as the driver agrees.
 */
#include <stdio.h>
#include <string.h>

#include <rte_ethdev.h>

#include "dataplane/port_internal.h"

#define ERROR_LEN	256
#define RSS_KEY_DEFAULT 40

#define RX_WANTED (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_RSS_HASH)
/* Never TX checksums: they would repair what arrived broken. */
#define TX_WANTED RTE_ETH_TX_OFFLOAD_MULTI_SEGS

/* What is given up, in this order, when a driver refuses to be configured. */
enum port_step { STEP_ALL, STEP_NO_RSS, STEP_NO_OFFLOADS, STEP_ONE_QUEUE, STEP_MAX };

static const char *const step_names[STEP_MAX] = {
	"", "receive-side scaling", "receive-side scaling and offloads",
	"receive-side scaling, offloads and all queues but one"};

static void choose_offloads(struct port *p, const struct rte_eth_dev_info *info, bool fast_free)
{
	uint64_t rx = RX_WANTED, tx = TX_WANTED;

	/* A stripped tag can only be put back by software at a cost; strip where both ends
	 * are the NIC's work, else tags stay in the frame. */
	if ((info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_VLAN_STRIP) &&
	    (info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_VLAN_INSERT)) {
		rx |= RTE_ETH_RX_OFFLOAD_VLAN_STRIP;
		tx |= RTE_ETH_TX_OFFLOAD_VLAN_INSERT;
	}
	if (!port_fits_room(p, p->mtu))
		rx |= RTE_ETH_RX_OFFLOAD_SCATTER;
	if (fast_free)
		tx |= RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
	p->rx_offloads = rx & info->rx_offload_capa;
	p->tx_offloads = tx & info->tx_offload_capa;
}

static int configure(struct port *p, const struct rte_eth_dev_info *info, enum port_step step)
{
	struct rte_eth_conf conf = {0};
	uint64_t hf = port_rss_fields(p, info->flow_type_rss_offloads);
	int rc;

	if (step >= STEP_ONE_QUEUE)
		p->n_rx = p->n_tx = 1;
	if (step >= STEP_NO_OFFLOADS) {
		p->rx_offloads &= RTE_ETH_RX_OFFLOAD_SCATTER;
		p->tx_offloads &= RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	}
	p->rss = false;
	if (step < STEP_NO_RSS && p->n_rx > 1 && hf && info->hash_key_size <= OWNER_KEY_LEN) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_key = owner_rss_key;
		conf.rx_adv_conf.rss_conf.rss_key_len =
			info->hash_key_size ? info->hash_key_size : RSS_KEY_DEFAULT;
		conf.rx_adv_conf.rss_conf.rss_hf = hf;
		p->rss = true; /* until port_start() finds that the table is not to be had */
	} else {
		p->rx_offloads &= ~RTE_ETH_RX_OFFLOAD_RSS_HASH;
	}
	conf.rxmode.mtu = p->mtu;
	conf.rxmode.offloads = p->rx_offloads;
	conf.txmode.offloads = p->tx_offloads;
	conf.intr_conf.lsc = (*info->dev_flags & RTE_ETH_DEV_INTR_LSC) != 0;

	rc = rte_eth_dev_configure(p->dev, p->n_rx, p->n_tx, &conf);
	if (rc != 0 && conf.intr_conf.lsc) {
		conf.intr_conf.lsc = 0;
		rc = rte_eth_dev_configure(p->dev, p->n_rx, p->n_tx, &conf);
	}
	return rc;
}

static int setup_queues(struct port *p, const struct rte_eth_dev_info *info)
{
	unsigned int socket = p->socket < 0 ? (unsigned int)SOCKET_ID_ANY : (unsigned int)p->socket;
	struct rte_eth_rxconf rxconf = info->default_rxconf;
	struct rte_eth_txconf txconf = info->default_txconf;
	int rc = rte_eth_dev_adjust_nb_rx_tx_desc(p->dev, &p->rx_desc, &p->tx_desc);

	rxconf.offloads = p->rx_offloads;
	txconf.offloads = p->tx_offloads;
	for (uint16_t q = 0; rc == 0 && q < p->n_rx; q++)
		rc = rte_eth_rx_queue_setup(p->dev, q, p->rx_desc, socket, &rxconf, p->pool);
	for (uint16_t q = 0; rc == 0 && q < p->n_tx; q++)
		rc = rte_eth_tx_queue_setup(p->dev, q, p->tx_desc, socket, &txconf);
	return rc;
}

int port_configure(struct port *p, uint16_t n_workers, bool fast_free, char error[256])
{
	struct rte_eth_dev_info info;
	int rc = rte_eth_dev_info_get(p->dev, &info);
	enum port_step step;
	char text[128];

	for (step = STEP_ALL; rc == 0 && step < STEP_MAX; step++) {
		choose_offloads(p, &info, fast_free);
		rc = configure(p, &info, step);
		if (rc == 0)
			rc = setup_queues(p, &info);
		if (rc == 0)
			break;
		if (step + 1 < STEP_MAX)
			rc = 0;
	}
	if (rc != 0) {
		snprintf(error, ERROR_LEN,
			 "port %s: driver %s refuses to be configured: %s (packet buffers hold %d "
			 "bytes; one receive and one transmit queue were tried, too)",
			 p->config.name, p->driver, strerror(-rc),
			 rte_pktmbuf_data_room_size(p->pool) - RTE_PKTMBUF_HEADROOM);
		return rc;
	}
	if (step != STEP_ALL && (step != STEP_NO_RSS || n_workers > 1)) {
		snprintf(text, sizeof(text), "works without %s, which the driver refused",
			 step_names[step]);
		port_warn(p, text);
	}
	rc = rte_eth_dev_set_mtu(p->dev, p->mtu);
	if (rc != 0 && p->mtu != RTE_ETHER_MTU) {
		snprintf(text, sizeof(text), "the driver does not take MTU %u: %s", p->mtu,
			 strerror(-rc));
		port_warn(p, text);
	}
	port_link_watch(p);
	return 0;
}
