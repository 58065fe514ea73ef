/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_KERNEL_SOCKET_H
#define PLVS_DATAPLANE_KERNEL_SOCKET_H

/*
 * The sockets by which the drivers net_af_xdp and net_af_packet reach the kernel. The drivers do
 * not show these sockets, so plvs finds them among the process's descriptors: sockets that exist
 * after a device was opened and did not exist before. Control context.
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
/* Removes sockets from *now that are in *before. */
void kernel_sockets_since(struct kernel_sockets *now, const struct kernel_sockets *before);
/* Removes AF_PACKET sockets that are bound to this interface. */
void kernel_sockets_without(struct kernel_sockets *list, uint32_t if_index);
/* Fills *out with one socket. 0, or -EBADF: the socket is of another family. */
int kernel_sockets_one(struct kernel_sockets *out, int fd);
/* True: the descriptor is still this socket. */
bool kernel_socket_is(const struct kernel_socket *s);

/* Adds the sockets' own counters to the fields socket_* and xdp_*. The kernel sets counters of
 * AF_PACKET to 0 at each reading, so packet_drops keeps their sum; counters of AF_XDP grow from the
 * opening on. */
void kernel_sockets_count(const struct kernel_sockets *sockets, uint64_t *packet_drops,
			  struct device_counters *out);

#endif
