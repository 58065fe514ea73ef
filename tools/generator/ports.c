/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports of the generator, and its neighbours by ARP and ND. */
#include "generator.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>

#define DESCRIPTORS   1024
#define BUFFERS	      8191
#define LINK_WAIT_S   30
#define ROUTER_WAIT_S 10
#define ETH	      14U
#define ARP_LEN	      28U
#define ND_LEN	      32U /* of a solicitation or advertisement with one option */

static _Noreturn void die(const char *text, int rc)
{
	fprintf(stderr, "plvs-generator: %s%s%s\n", text, rc ? ": " : "", rc ? strerror(-rc) : "");
	exit(2);
}

static void port_start(struct gen *g, enum gen_side side)
{
	const uint16_t dev = g->dev[side];
	struct rte_eth_conf conf = {.rxmode = {.mq_mode = RTE_ETH_MQ_RX_NONE}};
	struct rte_ether_addr mac;
	struct rte_eth_link link;
	int rc = rte_eth_dev_configure(dev, 1, 1, &conf);

	if (rc == 0)
		rc = rte_eth_rx_queue_setup(dev, 0, DESCRIPTORS, SOCKET_ID_ANY, NULL, g->pool);
	if (rc == 0)
		rc = rte_eth_tx_queue_setup(dev, 0, DESCRIPTORS, SOCKET_ID_ANY, NULL);
	if (rc == 0)
		rc = rte_eth_dev_start(dev);
	if (rc == 0)
		rc = rte_eth_macaddr_get(dev, &mac);
	if (rc != 0)
		die("a port does not start", rc);
	rte_eth_promiscuous_enable(dev); /* drivers that cannot receive all frames anyway */
	memcpy(g->mac[side].byte, mac.addr_bytes, 6);
	for (unsigned int i = 0; i < LINK_WAIT_S * 20; i++) {
		if (rte_eth_link_get_nowait(dev, &link) == 0 && link.link_status)
			return;
		rte_delay_us_sleep(50000);
	}
	die("a port has no link", 0);
}

void gen_ports_start(struct gen *g)
{
	uint16_t n = 0, dev;

	RTE_ETH_FOREACH_DEV (dev) {
		if (n < 2)
			g->dev[n] = dev;
		n++;
	}
	if (n != 2)
		die("two ports are needed: clients' and servers' (-a or --vdev of EAL)", 0);
	g->pool = rte_pktmbuf_pool_create("generator", BUFFERS, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
					  SOCKET_ID_ANY);
	if (!g->pool)
		die("no memory for frames: give EAL more (-m)", 0);
	port_start(g, GEN_CLIENTS);
	port_start(g, GEN_SERVERS);
}

void gen_ports_stop(struct gen *g)
{
	for (unsigned int i = 0; i < 2; i++) {
		rte_eth_dev_stop(g->dev[i]);
		rte_eth_dev_close(g->dev[i]);
	}
}

struct rte_mbuf *gen_frame_alloc(struct gen *g, uint16_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(g->pool);

	if (!m || !rte_pktmbuf_append(m, len))
		die("no buffer for a frame", 0);
	return m;
}

bool gen_send(struct gen *g, enum gen_side side, struct rte_mbuf *m)
{
	return rte_eth_tx_burst(g->dev[side], 0, &m, 1) == 1;
}

void gen_wrong(struct gen *g, const char *text, const struct gen_frame *f)
{
	char from[ENDPOINT_STRLEN], to[ENDPOINT_STRLEN];

	if (g->wrong++ == 0)
		snprintf(g->wrong_text, sizeof(g->wrong_text), "%.40s: %s to %s", text,
			 endpoint_format(&f->from, from, sizeof(from)),
			 endpoint_format(&f->to, to, sizeof(to)));
}

/* --- neighbours --- */

static void frame_head(uint8_t *frame, const uint8_t *dst, const struct mac *src, uint16_t type)
{
	memcpy(frame, dst, 6);
	memcpy(frame + 6, src->byte, 6);
	frame[12] = (uint8_t)(type >> 8);
	frame[13] = (uint8_t)type;
}

static void send_or_free(struct gen *g, enum gen_side side, struct rte_mbuf *m)
{
	if (!gen_send(g, side, m))
		rte_pktmbuf_free(m);
}

/* op 1: who has `target`; 2: `own` is here, told to the station dst with the address target. */
static void arp_send(struct gen *g, enum gen_side side, uint8_t op, const uint8_t *dst,
		     const uint8_t own[4], const uint8_t target[4])
{
	static const uint8_t head[] = {0, 1, 8, 0, 6, 4, 0}, none[6];
	struct rte_mbuf *m = gen_frame_alloc(g, ETH + ARP_LEN);
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *), *arp = frame + ETH;

	frame_head(frame, dst, &g->mac[side], 0x0806);
	memcpy(arp, head, 7);
	arp[7] = op;
	memcpy(arp + 8, g->mac[side].byte, 6);
	memcpy(arp + 14, own, 4);
	memcpy(arp + 18, op == 1 ? none : dst, 6);
	memcpy(arp + 24, target, 4);
	send_or_free(g, side, m);
}

static uint16_t icmp6_sum(const uint8_t *ip, uint32_t len)
{
	uint32_t sum = len + IPPROTO_ICMPV6;

	for (uint32_t i = 8; i < 40 + len; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* type 135: who has `target`, by its multicast group; 136: `own` is here. */
static void nd_send(struct gen *g, enum gen_side side, uint8_t type, const uint8_t *dst_mac,
		    const uint8_t own[16], const uint8_t dst[16], const uint8_t target[16])
{
	struct rte_mbuf *m = gen_frame_alloc(g, ETH + 40 + ND_LEN);
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *), *ip = frame + ETH, *nd = ip + 40;
	uint16_t sum;

	memset(ip, 0, 40 + ND_LEN);
	frame_head(frame, dst_mac, &g->mac[side], 0x86dd);
	ip[0] = 0x60;
	ip[5] = ND_LEN;
	ip[6] = IPPROTO_ICMPV6;
	ip[7] = 255;
	memcpy(ip + 8, own, 16);
	memcpy(ip + 24, dst, 16);
	nd[0] = type;
	nd[4] = type == 136 ? 0x60 : 0; /* solicited, override */
	memcpy(nd + 8, target, 16);
	nd[24] = type == 136 ? 2 : 1;
	nd[25] = 1;
	memcpy(nd + 26, g->mac[side].byte, 6);
	sum = icmp6_sum(ip, ND_LEN);
	nd[2] = (uint8_t)(sum >> 8);
	nd[3] = (uint8_t)sum;
	send_or_free(g, side, m);
}

static bool is_gateway(const struct gen *g, enum gen_side side, const uint8_t *target, size_t n)
{
	const uint8_t *own = n == 4 ? (const uint8_t *)&g->o.gateway.v4 : g->o.gateway.v6;

	return side == GEN_CLIENTS && g->o.gateway.family == (n == 4 ? ADDR_V4 : ADDR_V6) &&
	       memcmp(own, target, n) == 0;
}

static void arp_answer(struct gen *g, enum gen_side side, const uint8_t *frame, uint16_t len)
{
	const uint8_t *arp = frame + ETH;

	if (len < ETH + ARP_LEN)
		return;
	if (arp[7] == 1 && !is_gateway(g, side, arp + 24, 4) && memcmp(arp + 14, arp + 24, 4) != 0)
		arp_send(g, side, 2, arp + 8, arp + 24, arp + 14);
	else if (arp[7] == 2 && is_gateway(g, side, arp + 14, 4))
		memcpy(g->router.byte, arp + 8, 6);
}

static void nd_answer(struct gen *g, enum gen_side side, const uint8_t *frame, uint16_t len)
{
	static const uint8_t any[16];
	const uint8_t *ip = frame + ETH, *nd = ip + 40;

	if (len < ETH + 40 + 24)
		return;
	if (nd[0] == 135 && memcmp(ip + 8, any, 16) != 0 && !is_gateway(g, side, nd + 8, 16))
		nd_send(g, side, 136, frame + 6, nd + 8, ip + 8, nd + 8);
	else if (nd[0] == 136 && is_gateway(g, side, nd + 8, 16))
		memcpy(g->router.byte, frame + 6, 6);
}

bool gen_neighbour(struct gen *g, enum gen_side side, struct rte_mbuf *m)
{
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	const uint16_t len = m->data_len;
	uint16_t type;

	if (len < ETH + 20)
		goto other;
	type = (uint16_t)(frame[12] << 8 | frame[13]);
	if (type == 0x0806)
		arp_answer(g, side, frame, len);
	else if (type == 0x86dd && len >= ETH + 40 && frame[ETH + 6] == IPPROTO_ICMPV6)
		nd_answer(g, side, frame, len);
	else if ((type == 0x0800 || type == 0x86dd) && !(frame[0] & 1))
		return false;
other:
	rte_pktmbuf_free(m);
	return true;
}

static void router_ask(struct gen *g)
{
	static const uint8_t broadcast[6] = {255, 255, 255, 255, 255, 255};
	const struct addr *to = &g->o.gateway;
	uint8_t group[16] = {0xff, 2, [11] = 1, [12] = 0xff}, mac[6] = {0x33, 0x33, 0xff};

	if (to->family == ADDR_V4) {
		arp_send(g, GEN_CLIENTS, 1, broadcast, (const uint8_t *)&g->o.address.v4,
			 (const uint8_t *)&to->v4);
		return;
	}
	memcpy(group + 13, to->v6 + 13, 3);
	memcpy(mac + 3, to->v6 + 13, 3);
	nd_send(g, GEN_CLIENTS, 135, mac, g->o.address.v6, group, to->v6);
}

void gen_router_find(struct gen *g)
{
	static const struct mac none;
	const uint64_t start = rte_rdtsc();
	struct rte_mbuf *m[GEN_BURST];
	uint64_t asked = 0;

	while (memcmp(&g->router, &none, sizeof(none)) == 0) {
		const uint64_t now = rte_rdtsc();

		if (now - start > ROUTER_WAIT_S * g->hz)
			die("the router does not answer at the address of --gateway", 0);
		if (now - asked > g->hz / 5) {
			asked = now;
			router_ask(g);
		}
		for (enum gen_side side = GEN_CLIENTS; side <= GEN_SERVERS; side++) {
			uint16_t n = rte_eth_rx_burst(g->dev[side], 0, m, GEN_BURST);

			for (uint16_t i = 0; i < n; i++)
				if (!gen_neighbour(g, side, m[i]))
					rte_pktmbuf_free(m[i]);
		}
	}
}
