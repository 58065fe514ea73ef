/* SPDX-License-Identifier: BSD-3-Clause */
#include "router/cpus_awake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

#define AREA "main"

int cpus_awake_hold(const char *file)
{
	const int32_t us = 0;
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, &us, sizeof(us));
	if (n == (ssize_t)sizeof(us))
		return fd;
	n = n < 0 ? -errno : -EIO;
	close(fd);
	return (int)n;
}

/* By `auto` a router that polls pays for latency in any case. A NIC of DPDK's own needs no CPU but
 * the worker's, so there other CPUs would only take power and clock rate from the worker. */
bool cpus_awake_wanted(const struct config_node *node, bool kernel_port)
{
	if (node->cpus_awake == CONFIG_CPUS_AWAKE_AUTO)
		return node->idle == CONFIG_IDLE_POLL && kernel_port;
	return node->cpus_awake == CONFIG_CPUS_AWAKE_ALWAYS;
}

int cpus_awake_start(bool wanted)
{
	int fd = wanted ? cpus_awake_hold(CPUS_AWAKE_FILE) : -1;

	if (!wanted)
		return -1;
	if (fd >= 0) {
		log_notice(AREA, "the CPUs of this host stay awake");
		return fd;
	}
	log_warning(AREA, "the CPUs of this host may sleep: " CPUS_AWAKE_FILE ": %s",
		    strerror(-fd));
	return -1;
}
