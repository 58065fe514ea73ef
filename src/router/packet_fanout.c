/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * setsockopt() of the whole process, drivers included: the program's own definition comes before
 * that of the C library.
 *
 * The driver net_af_packet (DPDK 22.11) puts each of its sockets into a fanout group, also the
 * only one, with a flag that has the kernel join IP fragments. A joined datagram of more than
 * about 2000 bytes does not fit into a frame of the ring, arrives cut off, and is dropped as
 * malformed. There is no argument of the driver against this, and a socket cannot leave its
 * group. So the flag is left out here; everything else passes unchanged.
 *
 * A group costs each frame of the interface a hash, and each frame that leaves a copy of its
 * description, whatever its sockets do with frames. So sockets of devices with one queue join none.
 */
#include "router/packet_fanout.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/if_packet.h>

#define FLAGS_SHIFT 16 /* of the option's value: flags and mode, then the group */

static bool no_groups;

static bool has_queues(const char *argument)
{
	const char *at = strstr(argument, "qpairs=");

	return at && strtoul(at + strlen("qpairs="), NULL, 10) != 1;
}

void packet_fanout_start(int argc, char **argv)
{
	no_groups = true;
	for (int i = 1; i < argc; i++)
		no_groups = no_groups && !has_queues(argv[i]);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	int fanout;

	if (level == SOL_PACKET && name == PACKET_FANOUT && len == sizeof(fanout)) {
		if (no_groups)
			return 0;
		memcpy(&fanout, value, sizeof(fanout));
		fanout &= ~(int)((unsigned int)PACKET_FANOUT_FLAG_DEFRAG << FLAGS_SHIFT);
		return (int)syscall(SYS_setsockopt, fd, level, name, &fanout, len);
	}
	return (int)syscall(SYS_setsockopt, fd, level, name, value, len);
}
