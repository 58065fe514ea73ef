/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_ethdev.h>

#include "base/log.h"

#define AREA		"dataplane"
#define DEFAULT_DESC	1024
#define ERROR_LEN	256
#define FRAME_OVERHEAD	(RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN + 2 * RTE_VLAN_HLEN)
#define RSS_KEY_DEFAULT 40

#define RX_WANTED (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_RSS_HASH)
/* Never TX checksums: they would repair what arrived broken. */
#define TX_WANTED RTE_ETH_TX_OFFLOAD_MULTI_SEGS

/* What is given up, in this order, when a driver refuses to be configured. */
enum port_step { STEP_ALL, STEP_NO_RSS, STEP_NO_OFFLOADS, STEP_ONE_QUEUE, STEP_MAX };

static const char *const step_names[STEP_MAX] = {
	"", "receive-side scaling", "receive-side scaling and offloads",
	"receive-side scaling, offloads and all queues but one"};

/* Appends to the operator's warnings of the port, once each, and logs. */
static void port_warn(struct port *p, const char *text)
{
	size_t len = strlen(p->warning);

	log_warning(AREA, "port %s: %s", p->config.name, text);
	snprintf(p->warning + len, sizeof(p->warning) - len, "%s%s", len ? "; " : "", text);
}

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

static uint16_t queues_asked(uint16_t wanted, uint16_t n_workers, uint16_t driver_max)
{
	uint16_t n = wanted && wanted < n_workers ? wanted : n_workers;

	if (n > driver_max)
		n = driver_max;
	return n ? n : 1;
}

static uint16_t desc_asked(uint16_t wanted, uint16_t preferred)
{
	if (wanted)
		return wanted;
	return preferred ? preferred : DEFAULT_DESC;
}

/* The largest MTU that a driver says it can. */
static uint16_t mtu_max(const struct rte_eth_dev_info *info)
{
	uint32_t overhead = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN, max = info->max_mtu;

	if (info->max_rx_pktlen > overhead && info->max_rx_pktlen - overhead < max)
		max = info->max_rx_pktlen - overhead;
	return (uint16_t)max;
}

static void choose_mtu(struct port *p, const struct rte_eth_dev_info *info)
{
	uint16_t max = mtu_max(info);
	char text[96];

	p->mtu = p->config.mtu ? p->config.mtu : RTE_ETHER_MTU;
	if (p->mtu <= max || p->config.mtu == 0)
		return;
	snprintf(text, sizeof(text), "MTU %u is more than driver %s can: %u is used", p->mtu,
		 p->driver, max);
	port_warn(p, text);
	p->mtu = max;
}

int port_find(struct port *p, uint16_t n_workers, char error[256])
{
	struct rte_eth_dev_info info;
	struct rte_ether_addr mac;
	char known[128];
	int rc;

	if (rte_eth_dev_get_port_by_name(p->config.device, &p->dev) != 0) {
		list_devices(known, sizeof(known));
		snprintf(error, ERROR_LEN,
			 "port %s: there is no DPDK port \"%.40s\" (%s%.60s): give EAL -a or "
			 "--vdev",
			 p->config.name, p->config.device,
			 known[0] ? "there are: " : "there is none", known);
		return -ENODEV;
	}
	rc = rte_eth_dev_info_get(p->dev, &info);
	if (rc == 0)
		rc = rte_eth_macaddr_get(p->dev, &mac);
	if (rc != 0) {
		snprintf(error, ERROR_LEN, "port %s: device %s does not answer: %s", p->config.name,
			 p->config.device, strerror(-rc));
		return rc;
	}
	p->found = true;
	memcpy(p->mac.byte, mac.addr_bytes, sizeof(p->mac.byte));
	p->socket = rte_eth_dev_socket_id(p->dev);
	snprintf(p->driver, sizeof(p->driver), "%s", info.driver_name);
	choose_mtu(p, &info);
	p->n_rx = queues_asked(p->config.rx_queues, n_workers, info.max_rx_queues);
	p->n_tx = queues_asked(p->config.tx_queues, n_workers, info.max_tx_queues);
	p->rx_desc = desc_asked(p->config.rx_desc, info.default_rxportconf.ring_size);
	p->tx_desc = desc_asked(p->config.tx_desc, info.default_txportconf.ring_size);
	return 0;
}

uint32_t port_frame_max(uint16_t mtu)
{
	return (uint32_t)mtu + FRAME_OVERHEAD;
}

/* Frames of this MTU fit into one mbuf of the port's pool. */
static bool fits_room(const struct port *p, uint16_t mtu)
{
	return port_frame_max(mtu) <=
	       (uint32_t)(rte_pktmbuf_data_room_size(p->pool) - RTE_PKTMBUF_HEADROOM);
}

bool port_can_scatter(const struct port *p)
{
	struct rte_eth_dev_info info;

	return rte_eth_dev_info_get(p->dev, &info) == 0 &&
	       (info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER) &&
	       (info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS);
}

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
	if (!fits_room(p, p->mtu))
		rx |= RTE_ETH_RX_OFFLOAD_SCATTER;
	if (fast_free)
		tx |= RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
	p->rx_offloads = rx & info->rx_offload_capa;
	p->tx_offloads = tx & info->tx_offload_capa;
}

/* Fields of the hash: all of them only spread, one side delivers to owners. */
static uint64_t rss_fields(const struct port *p, uint64_t supported)
{
	uint64_t hf = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP |
		      RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_IPV6 |
		      RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_NONFRAG_IPV6_UDP;
	uint64_t side = 0;

	hf &= supported;
	if (p->config.direction == PORT_IN)
		side = RTE_ETH_RSS_L3_SRC_ONLY | RTE_ETH_RSS_L4_SRC_ONLY;
	else if (p->config.direction == PORT_OUT)
		side = RTE_ETH_RSS_L3_DST_ONLY | RTE_ETH_RSS_L4_DST_ONLY;
	return side && (supported & side) == side ? hf | side : hf;
}

static int configure(struct port *p, const struct rte_eth_dev_info *info, enum port_step step)
{
	struct rte_eth_conf conf = {0};
	uint64_t hf = rss_fields(p, info->flow_type_rss_offloads);
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
	if (rte_eth_dev_callback_register(p->dev, RTE_ETH_EVENT_INTR_LSC, link_changed, p) != 0)
		log_debug(AREA, "port %s: no link-state events", p->config.name);
	return 0;
}

/* The same indirection as owners: entry i to the queue of the worker that owns step i. */
static bool set_reta(struct port *p, const struct owner_map *owners, uint16_t n_workers)
{
	struct rte_eth_rss_reta_entry64 reta[RTE_ETH_RSS_RETA_SIZE_512 / RTE_ETH_RETA_GROUP_SIZE];
	struct rte_eth_dev_info info;

	if (rte_eth_dev_info_get(p->dev, &info) != 0)
		return false;
	/* The low 7 bits of the hash must choose among 128 steps. */
	if (info.reta_size < OWNER_STEPS || info.reta_size > RTE_ETH_RSS_RETA_SIZE_512 ||
	    info.reta_size % OWNER_STEPS != 0)
		return false;
	for (uint16_t i = 0; i < info.reta_size; i++) {
		struct rte_eth_rss_reta_entry64 *e = &reta[i / RTE_ETH_RETA_GROUP_SIZE];

		e->mask = UINT64_MAX;
		e->reta[i % RTE_ETH_RETA_GROUP_SIZE] = owners->worker[i % OWNER_STEPS] % p->n_rx;
	}
	if (rte_eth_dev_rss_reta_update(p->dev, reta, info.reta_size) != 0)
		return false;
	return p->n_rx == n_workers && (rss_fields(p, info.flow_type_rss_offloads) &
					(RTE_ETH_RSS_L3_SRC_ONLY | RTE_ETH_RSS_L3_DST_ONLY)) != 0;
}

static void accept_multicast(struct port *p)
{
	if (rte_eth_allmulticast_enable(p->dev) == 0)
		return;
	if (rte_eth_promiscuous_enable(p->dev) != 0)
		log_info(AREA, "port %s: driver %s has neither allmulticast nor promiscuous mode",
			 p->config.name, p->driver);
}

int port_start(struct port *p, const struct owner_map *owners, uint16_t n_workers, char error[256])
{
	char mac[MAC_STRLEN];
	int rc = rte_eth_dev_start(p->dev);

	if (rc != 0) {
		snprintf(error, ERROR_LEN, "port %s: device %s does not start: %s", p->config.name,
			 p->config.device, strerror(-rc));
		return rc;
	}
	p->started = true;
	accept_multicast(p);
	if (p->rss)
		p->rss = set_reta(p, owners, n_workers);
	log_info(AREA,
		 "port %s: %s, driver %s, MAC %s, MTU %u, %u receive and %u transmit queues%s",
		 p->config.name, p->config.device, p->driver, mac_format(&p->mac, mac, sizeof(mac)),
		 p->mtu, p->n_rx, p->n_tx, p->rss ? ", delivers to owners" : "");
	return 0;
}

void port_stop(struct port *p)
{
	if (!p->started)
		return;
	p->started = false;
	rte_eth_dev_stop(p->dev);
}

void port_close(struct port *p)
{
	if (!p->found)
		return;
	p->found = false;
	rte_eth_dev_callback_unregister(p->dev, RTE_ETH_EVENT_INTR_LSC, link_changed, p);
	rte_eth_dev_close(p->dev);
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

int port_set_mtu(struct port *p, uint16_t mtu)
{
	int rc;

	if (!fits_room(p, mtu) && !(p->rx_offloads & RTE_ETH_RX_OFFLOAD_SCATTER))
		return -EINVAL;
	rc = rte_eth_dev_set_mtu(p->dev, mtu);
	if (rc == 0)
		__atomic_store_n(&p->mtu, mtu, __ATOMIC_RELAXED);
	return rc;
}
