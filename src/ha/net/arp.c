/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/net/arp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ha/wire/bytes.h"

#define URGENT	  7 /* the TAP's urgent queue */
#define BUFFER	  (256 * 1024)
#define SKIP_MAX  64 /* frames that are none, in one call */
#define FRAME_MAX 128

const struct mac arp_broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

/* Hardware Ethernet, protocol IPv4, their lengths. */
static const uint8_t fixed[8] = {0x08, 0x06, 0, 1, 0x08, 0x00, 6, 4};

void arp_format(const struct arp_packet *p, const struct mac *src, uint8_t f[ARP_FRAME_BYTES])
{
	memcpy(f, p->dst.byte, 6);
	memcpy(f + 6, src->byte, 6);
	memcpy(f + 12, fixed, sizeof(fixed));
	put16(f + 20, p->op);
	memcpy(f + 22, p->sender_mac.byte, 6);
	memcpy(f + 28, &p->sender, 4);
	memcpy(f + 32, p->target_mac.byte, 6);
	memcpy(f + 38, &p->target, 4);
}

bool arp_parse(const uint8_t *f, size_t n, struct arp_packet *p)
{
	if (n < ARP_FRAME_BYTES || memcmp(f + 12, fixed, sizeof(fixed)) != 0)
		return false;
	memset(p, 0, sizeof(*p));
	p->op = get16(f + 20);
	memcpy(p->sender_mac.byte, f + 22, 6);
	memcpy(&p->sender, f + 28, 4);
	memcpy(p->target_mac.byte, f + 32, 6);
	memcpy(&p->target, f + 38, 4);
	return p->op == ARP_REQUEST || p->op == ARP_REPLY;
}

static int interface_find(struct arp_socket *s)
{
	struct ifreq ifr = {0};

	memcpy(ifr.ifr_name, s->ifname, sizeof(ifr.ifr_name));
	if (ioctl(s->fd, SIOCGIFINDEX, &ifr) < 0)
		return -errno;
	s->ifindex = ifr.ifr_ifindex;
	if (ioctl(s->fd, SIOCGIFHWADDR, &ifr) < 0)
		return -errno;
	memcpy(s->mac.byte, ifr.ifr_hwaddr.sa_data, 6);
	return 0;
}

int arp_open(struct arp_socket *s, link_id link, const char *ifname)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP)};
	int value = URGENT, ret;

	memset(s, 0, sizeof(*s));
	s->link = link;
	snprintf(s->ifname, sizeof(s->ifname), "%s", ifname);
	/* Protocol 0: nothing is received before it is bound to its interface. */
	s->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return -errno;
	ret = interface_find(s);
	if (ret == 0) {
		at.sll_ifindex = s->ifindex;
		if (bind(s->fd, (struct sockaddr *)&at, sizeof(at)) < 0)
			ret = -errno;
	}
	if (ret < 0) {
		arp_close(s);
		return ret;
	}
	/* Both only better: without them frames wait behind others. */
	(void)setsockopt(s->fd, SOL_SOCKET, SO_PRIORITY, &value, sizeof(value));
	value = BUFFER;
	(void)setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &value, sizeof(value));
	return 0;
}

void arp_close(struct arp_socket *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

int arp_send(const struct arp_socket *s, const struct arp_packet *p)
{
	static const struct mac zero;
	struct arp_packet full = *p;
	uint8_t frame[ARP_FRAME_BYTES];

	if (s->fd < 0)
		return -ENODEV;
	if (memcmp(&full.sender_mac, &zero, sizeof(zero)) == 0)
		full.sender_mac = s->mac;
	arp_format(&full, &s->mac, frame);
	if (send(s->fd, frame, sizeof(frame), MSG_NOSIGNAL) >= 0)
		return 0;
	if (errno == ENOBUFS)
		return -EAGAIN;
	return errno == ENXIO ? -ENODEV : -errno;
}

int arp_receive_one(const struct arp_socket *s, struct arp_packet *p)
{
	uint8_t frame[FRAME_MAX];

	for (unsigned int i = 0; i < SKIP_MAX; i++) {
		ssize_t n = s->fd < 0 ? -1 : recv(s->fd, frame, sizeof(frame), MSG_DONTWAIT);

		if (s->fd < 0)
			return -ENODEV;
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		if (arp_parse(frame, (size_t)n, p))
			return 1;
	}
	return 0;
}
