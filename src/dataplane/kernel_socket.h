/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_KERNEL_SOCKET_H
#define PLVS_DATAPLANE_KERNEL_SOCKET_H

/*
 * The sockets by which the drivers net_af_xdp and net_af_packet reach the kernel. The drivers
 * keep them to themselves, so they are found among the process's descriptors: the sockets that
 * are there after a device was opened and were not before. Control context.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/counters.h"

#define KERNEL_SOCKETS_MAX 128 /* of all ports together */

struct kernel_socket {
	int fd;
	int family; /* AF_XDP or AF_PACKET */
	ino_t inode;
};

struct kernel_sockets {
	uint16_t n;
	struct kernel_socket v[KERNEL_SOCKETS_MAX];
};

/* All AF_XDP and AF_PACKET sockets of the process. */
void kernel_sockets_list(struct kernel_sockets *out);
/* Leaves those that are not in before. */
void kernel_sockets_since(struct kernel_sockets *now, const struct kernel_sockets *before);
/* Leaves all but AF_PACKET sockets that are bound to this interface. */
void kernel_sockets_without(struct kernel_sockets *list, uint32_t if_index);
/* Fills *out with one socket. 0, or -EBADF: the socket is of another family. */
int kernel_sockets_one(struct kernel_sockets *out, int fd);
/* The descriptor is still this socket. */
bool kernel_socket_is(const struct kernel_socket *s);

/* Adds what the sockets' own counters say to the fields socket_* and xdp_*. The kernel sets
 * those of AF_PACKET to 0 at each reading, and counts those of AF_XDP from the opening on:
 * packet_drops keeps the sum of the former. */
void kernel_sockets_count(const struct kernel_sockets *sockets, uint64_t *packet_drops,
			  struct device_counters *out);

#endif
