/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/net/frame_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ha/wire/bytes.h"
#include "model/exchange.h"

#define URGENT	     7 /* the TAP's urgent queue */
#define BUFFER	     (256 * 1024)
#define HEADER_BYTES 14

static int interface_find(struct frame_link *l)
{
	struct ifreq ifr = {0};

	memcpy(ifr.ifr_name, l->ifname, sizeof(ifr.ifr_name));
	if (ioctl(l->fd, SIOCGIFINDEX, &ifr) < 0)
		return -errno;
	l->ifindex = ifr.ifr_ifindex;
	if (ioctl(l->fd, SIOCGIFHWADDR, &ifr) < 0)
		return -errno;
	memcpy(l->mac.byte, ifr.ifr_hwaddr.sa_data, 6);
	return 0;
}

int frame_link_open(struct frame_link *l, const char *ifname)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETHER_TYPE_PEER)};
	int value = URGENT, ret, one = 1;

	snprintf(l->ifname, sizeof(l->ifname), "%s", ifname);
	/* Protocol 0: nothing is received before the socket is bound to its interface. */
	l->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return -errno;
	ret = interface_find(l);
	(void)setsockopt(l->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));
	at.sll_ifindex = l->ifindex;
	if (ret == 0 && bind(l->fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		ret = -errno;
	if (ret < 0) {
		frame_link_close(l);
		return ret;
	}
	/* Both only better: without them frames wait behind others. */
	(void)setsockopt(l->fd, SOL_SOCKET, SO_PRIORITY, &value, sizeof(value));
	value = BUFFER;
	(void)setsockopt(l->fd, SOL_SOCKET, SO_RCVBUF, &value, sizeof(value));
	return 0;
}

void frame_link_close(struct frame_link *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

int frame_link_send(const struct frame_link *l, const struct mac *to, const uint8_t *datagram,
		    size_t len)
{
	uint8_t frame[FRAME_LINK_MAX];

	if (l->fd < 0)
		return -ENODEV;
	if (len > sizeof(frame) - HEADER_BYTES)
		return -EMSGSIZE;
	memcpy(frame, to->byte, 6);
	memcpy(frame + 6, l->mac.byte, 6);
	put16(frame + 12, ETHER_TYPE_PEER);
	memcpy(frame + HEADER_BYTES, datagram, len);
	if (send(l->fd, frame, HEADER_BYTES + len, MSG_NOSIGNAL) >= 0)
		return 0;
	if (errno == ENOBUFS)
		return -EAGAIN;
	return errno == ENXIO ? -ENODEV : -errno;
}

int frame_link_receive(const struct frame_link *l, uint8_t datagram[FRAME_LINK_MAX])
{
	uint8_t header[HEADER_BYTES];
	struct iovec parts[2] = {{header, sizeof(header)}, {datagram, FRAME_LINK_MAX}};
	ssize_t n = l->fd < 0 ? -1 : readv(l->fd, parts, 2);

	if (l->fd < 0)
		return -ENODEV;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	/* A frame to all, or of no length: refused as any other datagram that is not ours. */
	if (n <= HEADER_BYTES || memcmp(header, l->mac.byte, 6) != 0) {
		datagram[0] = 0;
		return 1;
	}
	return (int)n - HEADER_BYTES;
}
