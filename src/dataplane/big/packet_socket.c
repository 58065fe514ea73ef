/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/big/packet_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

#define BLOCK 65536 /* of the ring: memory that the kernel finds in one piece */
#define RECEIVE_ROOM                                                                               \
	(16U << 20)	       /* bytes of frames that wait in the socket, as the kernel counts    \
				*/
#define SEND_ROOM   (4U << 20) /* bytes of frames that the interface has not sent */
#define NO_PROTOCOL 0xffff     /* reserved: RFC 1701 */
#define SLOTS_MIN   (BLOCK / PACKET_SLOT)
#define SLOTS_MAX   65536U

static int option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) == 0 ? 0 : -errno;
}

/* Without CAP_NET_ADMIN as much as every process may have. */
static void room(int fd, int force, int ask, uint32_t bytes)
{
	if (option(fd, SOL_SOCKET, force, (int)bytes) != 0)
		(void)option(fd, SOL_SOCKET, ask, (int)bytes);
}

static int socket_open(void)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); /* 0: nothing until bound */

	return fd >= 0 ? fd : -errno;
}

static int socket_bind(int fd, uint32_t if_index, uint16_t protocol)
{
	const struct sockaddr_ll at = {.sll_family = AF_PACKET,
				       .sll_protocol = htons(protocol),
				       .sll_ifindex = (int)if_index};

	return bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0 ? 0 : -errno;
}

static int ring_open(struct packet_sockets *s, uint32_t slots)
{
	struct tpacket_req req = {.tp_block_size = BLOCK, .tp_frame_size = PACKET_SLOT};
	void *at;

	slots = slots < SLOTS_MIN ? SLOTS_MIN : slots > SLOTS_MAX ? SLOTS_MAX : slots;
	req.tp_block_nr = (slots + SLOTS_MIN - 1) / SLOTS_MIN;
	req.tp_frame_nr = req.tp_block_nr * SLOTS_MIN;
	if (setsockopt(s->rx, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)) != 0)
		return -errno;
	s->slots = req.tp_frame_nr;
	s->ring_len = (uint64_t)req.tp_block_nr * BLOCK;
	at = mmap(NULL, s->ring_len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, s->rx, 0);
	if (at == MAP_FAILED)
		return -errno;
	s->ring = at;
	return 0;
}

/* The order matters: the header before the ring, the ring before the first frame. */
static int rx_open(struct packet_sockets *s, uint32_t if_index, uint32_t slots)
{
	int rc;

	s->rx = socket_open();
	if (s->rx < 0)
		return s->rx;
	rc = option(s->rx, SOL_PACKET, PACKET_VERSION, TPACKET_V2);
	if (rc == 0)
		rc = option(s->rx, SOL_PACKET, PACKET_VNET_HDR, 1);
	if (rc == 0)
		rc = option(s->rx, SOL_PACKET, PACKET_COPY_THRESH, 1);
	if (rc == 0)
		rc = option(s->rx, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
	if (rc != 0)
		return rc;
	room(s->rx, SO_RCVBUFFORCE, SO_RCVBUF, RECEIVE_ROOM);
	rc = ring_open(s, slots);
	return rc ? rc : socket_bind(s->rx, if_index, ETH_P_ALL);
}

static int tx_open(struct packet_sockets *s, uint32_t if_index)
{
	int rc;

	s->tx = socket_open();
	if (s->tx < 0)
		return s->tx;
	rc = option(s->tx, SOL_PACKET, PACKET_VNET_HDR, 1);
	if (rc != 0)
		return rc;
	room(s->tx, SO_SNDBUFFORCE, SO_SNDBUF, SEND_ROOM);
	return socket_bind(s->tx, if_index, 0);
}

int packet_sockets_try(void)
{
	int fd = socket_open(), rc;

	if (fd < 0)
		return fd;
	rc = option(fd, SOL_PACKET, PACKET_VNET_HDR, 1);
	if (rc == 0)
		rc = option(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
	close(fd);
	return rc;
}

int packet_sockets_open(struct packet_sockets *s, uint32_t if_index, uint32_t slots)
{
	int rc;

	*s = (struct packet_sockets){.rx = -1, .tx = -1};
	rc = tx_open(s, if_index);
	if (rc == 0)
		rc = rx_open(s, if_index, slots);
	if (rc != 0)
		packet_sockets_close(s);
	return rc;
}

void packet_sockets_close(struct packet_sockets *s)
{
	if (s->ring)
		munmap(s->ring, s->ring_len);
	if (s->rx >= 0)
		close(s->rx);
	if (s->tx >= 0)
		close(s->tx);
	*s = (struct packet_sockets){.rx = -1, .tx = -1};
}

int packet_socket_silence(int fd)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog filter = {.len = 1, .filter = &nothing};
	struct sockaddr_ll at = {0};
	socklen_t len = sizeof(at);

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) != 0)
		return -errno;
	/* A socket of a protocol that no frame has is not even asked. One in a fanout group keeps
	 * its own. */
	if (getsockname(fd, (struct sockaddr *)&at, &len) == 0 && at.sll_family == AF_PACKET)
		(void)socket_bind(fd, (uint32_t)at.sll_ifindex, NO_PROTOCOL);
	return option(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
}
