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
