/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration of a port's device: offloads, queues and MTU, each as far as the driver agrees.
 */
#include <stdio.h>
#include <string.h>

#include <rte_ethdev.h>

#include "base/error_text.h"
#include "dataplane/port_internal.h"

#define RSS_KEY_DEFAULT 40

#define RX_WANTED (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_RSS_HASH)
/* Never TX checksums: they would repair damaged packets. */
#define TX_WANTED RTE_ETH_TX_OFFLOAD_MULTI_SEGS

/*
 * Requests to the driver, best first. Within a step the number of queues goes down (see
 * queues_fewer()), so that a driver that takes, say, powers of two only keeps all else.
 */
enum port_step {
	STEP_ALL,
	STEP_NO_RSS,
	STEP_NO_OFFLOADS, /* but those without which frames would be lost */
	STEP_ONE_QUEUE,
	STEP_BARE, /* one queue each way, no offloads */
	STEP_MAX
};

/* The feature that a step gives up beside queues, or NULL. */
static const char *const step_names[STEP_MAX] = {
	[STEP_NO_RSS] = "receive-side scaling",
	[STEP_NO_OFFLOADS] = "receive-side scaling and offloads",
	[STEP_BARE] = "offloads",
};

/* Frames longer than a buffer, and frames with a tag, need these. */
#define RX_NEEDED (RTE_ETH_RX_OFFLOAD_SCATTER | RTE_ETH_RX_OFFLOAD_VLAN_FILTER)

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
	rx |= RTE_ETH_RX_OFFLOAD_VLAN_FILTER; /* see port_vlan.c */
	p->rx_offloads = rx & info->rx_offload_capa;
	p->tx_offloads = tx & info->tx_offload_capa;
}

static int configure(struct port *p, const struct rte_eth_dev_info *info, enum port_step step)
{
	struct rte_eth_conf conf = {0};
	uint64_t hf = port_rss_fields(p, info->flow_type_rss_offloads);

	if (step == STEP_NO_OFFLOADS)
		p->rx_offloads &= RX_NEEDED;
	if (step == STEP_BARE)
		p->rx_offloads &= RTE_ETH_RX_OFFLOAD_SCATTER;
	if (step == STEP_NO_OFFLOADS || step == STEP_BARE)
		p->tx_offloads &= RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	p->rss = PORT_RSS_NONE;
	if (step < STEP_NO_RSS && p->n_rx > 1 && hf && info->hash_key_size <= OWNER_KEY_LEN) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_key = owner_rss_key;
		conf.rx_adv_conf.rss_conf.rss_key_len =
			info->hash_key_size ? info->hash_key_size : RSS_KEY_DEFAULT;
		conf.rx_adv_conf.rss_conf.rss_hf = hf;
		p->rss = PORT_RSS_SPREADS; /* port_start() sees whether it delivers to owners */
	} else {
		p->rx_offloads &= ~RTE_ETH_RX_OFFLOAD_RSS_HASH;
	}
	conf.rxmode.mtu = p->mtu;
	conf.rxmode.offloads = p->rx_offloads;
	conf.txmode.offloads = p->tx_offloads;
	conf.intr_conf.rxq = p->interrupts; /* no link-state interrupts: see port_link.c */
	return rte_eth_dev_configure(p->dev, p->n_rx, p->n_tx, &conf);
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

/* The configuration of this step with this many queues. 0 or -errno. */
static int attempt_once(struct port *p, const struct rte_eth_dev_info *info, enum port_step step)
{
	int rc;

	choose_offloads(p, info, p->fast_free);
	rc = configure(p, info, step);
	return rc ? rc : setup_queues(p, info);
}

/* The same, without receive interrupts if they are what the driver refuses. */
static int attempt(struct port *p, const struct rte_eth_dev_info *info, enum port_step step)
{
	bool interrupts = p->interrupts;
	int rc = attempt_once(p, info, step);

	if (rc == 0 || !interrupts)
		return rc;
	p->interrupts = false;
	rc = attempt_once(p, info, step);
	p->interrupts = rc != 0;
	return rc;
}

/* From rx receive and tx transmit queues at the most, the next smaller numbers: first fewer to
 * receive by, which is where drivers are particular, then as few to send by. False: there are
 * none but one queue each way, which has a step of its own. */
static bool queues_fewer(struct port *p, uint16_t tx)
{
	if (p->n_tx > p->n_rx && p->n_rx > 1) {
		p->n_tx = p->n_rx;
		return true;
	}
	if (p->n_rx > 2) {
		p->n_rx--;
		p->n_tx = tx;
		return true;
	}
	if (p->n_tx > 2) {
		p->n_tx--;
		return true;
	}
	return false;
}

/* Goes down the steps until the driver agrees. 0 with *step, or what the driver said last. */
static int agree(struct port *p, const struct rte_eth_dev_info *info, enum port_step *step)
{
	const uint16_t rx = p->n_rx, tx = p->n_tx;
	int rc = -EINVAL;

	for (*step = STEP_ALL; *step < STEP_MAX; ++*step) {
		bool one = *step >= STEP_ONE_QUEUE;

		if (one && *step == STEP_ONE_QUEUE && rx == 1 && tx == 1)
			continue; /* the same as the first one */
		p->n_rx = one ? 1 : rx;
		p->n_tx = one ? 1 : tx;
		do {
			rc = attempt(p, info, *step);
			if (rc == 0)
				return 0;
		} while (!one && queues_fewer(p, tx));
	}
	return rc;
}

static void warn_of_less(struct port *p, enum port_step step, uint16_t rx, uint16_t tx)
{
	char text[160];

	if (p->n_rx < rx || p->n_tx < tx) {
		snprintf(text, sizeof(text),
			 "works with %u receive and %u transmit queues, since the driver refused "
			 "%u and %u",
			 p->n_rx, p->n_tx, rx, tx);
		port_warn(p, text);
	}
	if (!step_names[step] || (step == STEP_NO_RSS && p->n_asked == 1))
		return;
	snprintf(text, sizeof(text), "works without %s, which the driver refused",
		 step_names[step]);
	port_warn(p, text);
}

int port_configure(struct port *p, bool fast_free, char error[ERROR_TEXT])
{
	const uint16_t rx = p->n_rx, tx = p->n_tx;
	enum port_step step = (enum port_step)p->step;
	struct rte_eth_dev_info info;
	char text[128];
	int rc;

	p->fast_free = fast_free;
	p->rss_asked = (uint8_t)port_rss_wanted(p, p->n_asked);
	port_hold(p);
	rc = rte_eth_dev_info_get(p->dev, &info);
	/* Opened again: the step and the numbers of queues that the driver took before. */
	if (rc == 0)
		rc = p->configured ? attempt(p, &info, step) : agree(p, &info, &step);
	port_unlock(p);
	if (rc != 0) {
		return error_text(
			error, rc,
			"port %s: driver %s refuses to be configured: %s (packet buffers hold %d "
			"bytes; one receive and one transmit queue were tried, too)",
			p->config.name, p->driver, strerror(-rc),
			rte_pktmbuf_data_room_size(p->pool) - RTE_PKTMBUF_HEADROOM);
	}
	if (!p->configured)
		warn_of_less(p, step, rx, tx);
	p->configured = true;
	p->step = (uint8_t)step;
	port_hold(p);
	rc = rte_eth_dev_set_mtu(p->dev, p->mtu);
	port_unlock(p);
	if (rc != 0 && p->mtu != RTE_ETHER_MTU) {
		snprintf(text, sizeof(text), "the driver does not take MTU %u: %s", p->mtu,
			 strerror(-rc));
		port_warn(p, text);
	}
	port_link_subscribe(p);
	return 0;
}
