/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/kernel_socket.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <linux/if_packet.h>
#include <linux/if_xdp.h>

#ifndef AF_XDP
#define AF_XDP 44
#endif
#ifndef SOL_XDP
#define SOL_XDP 283
#endif

/* A socket of one of the two families. */
static bool socket_read(int fd, struct kernel_socket *out)
{
	socklen_t len = sizeof(out->family);
	struct stat st;

	out->fd = fd;
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &out->family, &len) != 0 ||
	    (out->family != AF_XDP && out->family != AF_PACKET) || fstat(fd, &st) != 0)
		return false;
	out->inode = st.st_ino;
	return true;
}

void kernel_sockets_list(struct kernel_sockets *out)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;

	out->n = 0;
	while (dir && out->n < KERNEL_SOCKETS_MAX && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (socket_read(atoi(entry->d_name), &out->v[out->n]))
			out->n++;
	}
	if (dir)
		closedir(dir);
}

void kernel_sockets_since(struct kernel_sockets *now, const struct kernel_sockets *before)
{
	uint16_t n = 0;

	for (uint16_t i = 0; i < now->n; i++) {
		bool old = false;

		for (uint16_t j = 0; j < before->n && !old; j++)
			old = before->v[j].inode == now->v[i].inode;
		if (!old)
			now->v[n++] = now->v[i];
	}
	now->n = n;
}

void kernel_sockets_without(struct kernel_sockets *list, uint32_t if_index)
{
	uint16_t n = 0;

	for (uint16_t i = 0; i < list->n; i++) {
		struct sockaddr_ll at = {0};
		socklen_t len = sizeof(at);

		if (list->v[i].family != AF_PACKET ||
		    getsockname(list->v[i].fd, (struct sockaddr *)&at, &len) != 0 ||
		    at.sll_ifindex != (int)if_index)
			list->v[n++] = list->v[i];
	}
	list->n = n;
}

int kernel_sockets_one(struct kernel_sockets *out, int fd)
{
	out->n = 0;
	if (!socket_read(fd, &out->v[0]))
		return -EBADF;
	out->n = 1;
	return 0;
}

bool kernel_socket_is(const struct kernel_socket *s)
{
	struct kernel_socket now;

	return socket_read(s->fd, &now) && now.family == s->family && now.inode == s->inode;
}

static void xdp_count(int fd, struct device_counters *out)
{
	struct xdp_statistics st;
	socklen_t len = sizeof(st);

	/* A kernel older than 5.9 knows the first three only. */
	memset(&st, 0, sizeof(st));
	if (getsockopt(fd, SOL_XDP, XDP_STATISTICS, &st, &len) != 0)
		return;
	out->xdp_rx_dropped += st.rx_dropped;
	out->xdp_rx_invalid += st.rx_invalid_descs;
	out->xdp_tx_invalid += st.tx_invalid_descs;
	out->xdp_rx_ring_full += st.rx_ring_full;
	out->xdp_rx_fill_empty += st.rx_fill_ring_empty_descs;
	out->xdp_tx_empty += st.tx_ring_empty_descs;
}

void kernel_sockets_count(const struct kernel_sockets *sockets, uint64_t *packet_drops,
			  struct device_counters *out)
{
	for (uint16_t i = 0; i < sockets->n; i++) {
		const struct kernel_socket *s = &sockets->v[i];
		struct tpacket_stats st = {0};
		socklen_t len = sizeof(st);

		if (s->family == AF_XDP)
			xdp_count(s->fd, out);
		else if (getsockopt(s->fd, SOL_PACKET, PACKET_STATISTICS, &st, &len) == 0)
			*packet_drops += st.tp_drops;
	}
	out->socket_rx_dropped += *packet_drops;
}
