/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_BIG_PACKET_SOCKET_H
#define PLVS_DATAPLANE_BIG_PACKET_SOCKET_H

/*
 * AF_PACKET sockets of one Linux interface that carry big frames (big_frame.h) in and out: what the
 * driver net_af_packet of DPDK 22.11 does, and PACKET_VNET_HDR, which that driver lacks.
 *
 * Short frames arrive in a ring of memory that the kernel shares, without a system call. A frame
 * that is longer than a slot of the ring waits in the socket, and its slot says so: the order
 * stays, and memory is taken for bytes that arrive, not for the longest frame times the slots.
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

/* The kernel has what these sockets need. 0 or -errno. */
int packet_sockets_try(void);
/* slots: of the ring. 0 or -errno. */
int packet_sockets_open(struct packet_sockets *s, uint32_t if_index, uint32_t slots);
void packet_sockets_close(struct packet_sockets *s);

/* Another socket, of a driver, gets no frames any more. 0 or -errno. */
int packet_socket_silence(int fd);

#endif
