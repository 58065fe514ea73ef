/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/net/discovery.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define URGENT	  7 /* the TAP's urgent queue */
#define BUFFER	  (256 * 1024)
#define SKIP_MAX  64 /* frames that are none, in one call */
#define FRAME_MAX 256

/* ARP, solicitations and advertisements: all other traffic of the interface stays in Linux. */
static struct sock_filter wanted_code[] = {
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_ARP, 6, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 0, 6),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 20), /* next header */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 58, 0, 4),
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 54), /* type */
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 135, 0, 2),
	BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 136, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, FRAME_MAX),
	BPF_STMT(BPF_RET | BPF_K, 0),
};
static const struct sock_fprog wanted = {sizeof(wanted_code) / sizeof(wanted_code[0]), wanted_code};

static int interface_find(struct discovery_socket *s)
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

int discovery_open(struct discovery_socket *s, link_id link, const char *ifname)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int value = URGENT, ret, one = 1;

	memset(s, 0, sizeof(*s));
	s->link = link;
	snprintf(s->ifname, sizeof(s->ifname), "%s", ifname);
	/* Protocol 0: nothing is received before it is bound to its interface. */
	s->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return -errno;
	ret = interface_find(s);
	(void)setsockopt(s->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));
	if (ret == 0 &&
	    setsockopt(s->fd, SOL_SOCKET, SO_ATTACH_FILTER, &wanted, sizeof(wanted)) < 0)
		ret = -errno;
	if (ret == 0) {
		at.sll_ifindex = s->ifindex;
		if (bind(s->fd, (struct sockaddr *)&at, sizeof(at)) < 0)
			ret = -errno;
	}
	if (ret < 0) {
		discovery_close(s);
		return ret;
	}
	/* Both only better: without them frames wait behind others. */
	(void)setsockopt(s->fd, SOL_SOCKET, SO_PRIORITY, &value, sizeof(value));
	value = BUFFER;
	(void)setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &value, sizeof(value));
	return 0;
}

void discovery_close(struct discovery_socket *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

int discovery_send(const struct discovery_socket *s, const struct discovery_packet *p)
{
	static const struct mac zero;
	struct discovery_packet full = *p;
	uint8_t frame[DISCOVERY_FRAME_BYTES];
	size_t len;

	if (s->fd < 0)
		return -ENODEV;
	if (memcmp(&full.sender_mac, &zero, sizeof(zero)) == 0)
		full.sender_mac = s->mac;
	len = discovery_format(&full, &s->mac, frame);
	if (send(s->fd, frame, len, MSG_NOSIGNAL) >= 0)
		return 0;
	if (errno == ENOBUFS)
		return -EAGAIN;
	return errno == ENXIO ? -ENODEV : -errno;
}

int discovery_receive_one(const struct discovery_socket *s, struct discovery_packet *p)
{
	uint8_t frame[FRAME_MAX];

	for (unsigned int i = 0; i < SKIP_MAX; i++) {
		ssize_t n = s->fd < 0 ? -1 : recv(s->fd, frame, sizeof(frame), MSG_DONTWAIT);

		if (s->fd < 0)
			return -ENODEV;
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		if (discovery_parse(frame, (size_t)n, p))
			return 1;
	}
	return 0;
}
