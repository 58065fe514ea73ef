/* SPDX-License-Identifier: BSD-3-Clause */
/* The wire on both sides of plvs: raw sockets, and hosts that answer ARP. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/csum.h"
#include "base/netns.h"
#include "golden/live.h"

/* Bound to the interface of this name in the thread's namespace. */
static int socket_open(const char *ifname)
{
	struct sockaddr_ll ll = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
	struct packet_mreq promisc = {.mr_type = PACKET_MR_PROMISC};
	struct ifreq ifr = {0};

	if (fd < 0)
		return -errno;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	if (ioctl(fd, SIOCGIFINDEX, &ifr) == 0) {
		ll.sll_ifindex = promisc.mr_ifindex = ifr.ifr_ifindex;
		if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) == 0 &&
		    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promisc, sizeof(promisc)) ==
			    0 &&
		    bind(fd, (struct sockaddr *)&ll, sizeof(ll)) == 0)
			return fd;
	}
	on = errno;
	close(fd);
	return -on;
}

int live_port_open(struct scenario *s, struct live_port *p, const char *netns, const char *ifname)
{
	char error[ERROR_TEXT] = "";
	int home, ret = netns_visit(netns, &home, error);

	p->fd = ret < 0 ? ret : socket_open(ifname);
	ret = netns_return(home, 0, error);
	if (ret < 0)
		p->fd = ret;
	p->n = 0;
	if (p->fd < 0)
		return scenario_fail(s, p->fd, "%s in %s: %s", ifname, netns, strerror(-p->fd));
	return 0;
}

void live_port_close(struct live_port *p)
{
	if (p->fd > 0)
		close(p->fd);
	p->fd = -1;
}

/* Every address that is asked for is there, at its MAC. */
static void arp_answer(const struct live_port *p, const uint8_t *frame)
{
	uint8_t out[ETHER_HDR_LEN + sizeof(struct ether_arp)];
	struct ether_arp arp;
	struct mac mac;
	be32 wanted;

	memcpy(&arp, frame + ETHER_HDR_LEN, sizeof(arp));
	if (ntohs(arp.ea_hdr.ar_op) != ARPOP_REQUEST || memcmp(arp.arp_spa, arp.arp_tpa, 4) == 0)
		return;
	memcpy(&wanted, arp.arp_tpa, 4);
	const struct addr addr = addr_from_v4(wanted);

	mac = traffic_mac(&addr);
	memcpy(arp.arp_tha, arp.arp_sha, ETH_ALEN);
	memcpy(arp.arp_tpa, arp.arp_spa, 4);
	memcpy(arp.arp_sha, &mac, ETH_ALEN);
	memcpy(arp.arp_spa, &wanted, 4);
	arp.ea_hdr.ar_op = htons(ARPOP_REPLY);
	memcpy(out, arp.arp_tha, ETH_ALEN);
	memcpy(out + ETH_ALEN, &mac, ETH_ALEN);
	memcpy(out + 12, frame + 12, 2);
	memcpy(out + ETHER_HDR_LEN, &arp, sizeof(arp));
	if (send(p->fd, out, sizeof(out), 0) < 0)
		perror("replay: ARP answer");
}

/* Neighbour discovery: true. A solicitation is answered: every address is there, at its MAC. */
static bool discovery_take(const struct live_port *p, const uint8_t *frame, size_t len)
{
	const uint8_t *ip = frame + ETHER_HDR_LEN, *nd = ip + 40;
	uint8_t out[ETHER_HDR_LEN + 40 + 32] = {0}, *l3 = out + ETHER_HDR_LEN, *na = l3 + 40;
	struct addr target = {.family = ADDR_V6};
	struct mac mac;
	uint16_t sum;

	if (len < ETHER_HDR_LEN + 40 + 8 || ip[6] != IPPROTO_ICMPV6 || nd[0] < 130)
		return false;
	if (nd[0] != 135 || len < ETHER_HDR_LEN + 40 + 24)
		return true;
	memcpy(target.v6, nd + 8, 16);
	mac = traffic_mac(&target);
	memcpy(out, frame + ETH_ALEN, ETH_ALEN);
	memcpy(out + ETH_ALEN, &mac, ETH_ALEN);
	memcpy(out + 12, frame + 12, 2);
	l3[0] = 0x60;
	l3[5] = 32;
	l3[6] = IPPROTO_ICMPV6;
	l3[7] = 255;
	memcpy(l3 + 8, target.v6, 16);
	memcpy(l3 + 24, ip + 8, 16);
	na[0] = 136;
	na[4] = 0x60;
	memcpy(na + 8, target.v6, 16);
	na[24] = 2;
	na[25] = 1;
	memcpy(na + 26, &mac, ETH_ALEN);
	sum = csum_fold(csum_add(csum_add(0, l3 + 8, 32), na, 32) + be16_from(32) +
			be16_from(IPPROTO_ICMPV6));
	sum = (uint16_t)~sum;
	memcpy(na + 2, &sum, 2);
	if (memcmp(ip + 8, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16) != 0 &&
	    send(p->fd, out, sizeof(out), 0) < 0)
		perror("replay: neighbour advertisement");
	return true;
}

static void port_read(struct live_port *p)
{
	while (p->n < QUEUE) {
		struct live_frame *f = &p->queue[p->n];
		ssize_t len = recv(p->fd, f->bytes, sizeof(f->bytes), 0);
		uint16_t type;

		if (len < 0)
			return;
		if (len < ETHER_HDR_LEN + 20)
			continue;
		memcpy(&type, f->bytes + 12, 2);
		if (ntohs(type) == ETHERTYPE_ARP &&
		    len >= (ssize_t)(ETHER_HDR_LEN + sizeof(struct ether_arp)))
			arp_answer(p, f->bytes);
		/* Multicast (IGMP of the Linux side) is no answer to anybody. */
		if (ntohs(type) == ETHERTYPE_IPV6 && discovery_take(p, f->bytes, (size_t)len))
			continue;
		if ((ntohs(type) != ETHERTYPE_IP && ntohs(type) != ETHERTYPE_IPV6) ||
		    f->bytes[0] & 1)
			continue;
		f->len = (size_t)len;
		p->n++;
	}
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

bool live_pump(struct scenario *s, unsigned int ms, bool (*done)(struct scenario *s))
{
	struct live *l = s->at;
	const uint64_t end = now_ms() + ms;
	struct pollfd fds[PORTS];

	for (;;) {
		uint64_t now;

		for (unsigned int i = 0; i < PORTS; i++) {
			port_read(&l->ports[i]);
			fds[i] = (struct pollfd){.fd = l->ports[i].fd, .events = POLLIN};
			/* A full queue would make poll() return at once, again and again. */
			if (l->ports[i].n == QUEUE)
				fds[i].fd = -1;
		}
		if (done && done(s))
			return true;
		now = now_ms();
		if (now >= end)
			return false;
		poll(fds, PORTS, (int)(end - now));
	}
}
