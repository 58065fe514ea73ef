/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_BIG_PACKET_SOCKET_H
#define PLVS_DATAPLANE_BIG_PACKET_SOCKET_H

/*
 * AF_PACKET sockets of one Linux interface that receive and send big frames (big_frame.h). They
 * replace the driver net_af_packet of DPDK 22.11, which lacks PACKET_VNET_HDR.
 *
 * Short frames arrive in a ring of memory that the kernel shares, without a system call. A frame
 * that is longer than a slot of the ring waits in the socket, with a note in its slot. So the order
 * stays, and the ring needs no room for the longest frame in each slot.
 *
 * Control context.
 */

#include <stdbool.h>
#include <stdint.h>

#define PACKET_SLOT 2048 /* bytes of a slot, the kernel's header included */

struct packet_sockets {
	int rx, tx; /* -1: not open */
	uint8_t *ring;
	uint64_t ring_len;
	uint32_t slots;
};

/* Tries whether the kernel supports these sockets. 0 or -errno. */
int packet_sockets_try(void);
/* slots: of the ring. 0 or -errno. */
int packet_sockets_open(struct packet_sockets *s, uint32_t if_index, uint32_t slots);
void packet_sockets_close(struct packet_sockets *s);

/* Stops the delivery of frames to another socket, of a driver. 0 or -errno. */
int packet_socket_silence(int fd);

#endif
