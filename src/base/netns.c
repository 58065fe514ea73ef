/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DIRECTORY "/run/netns/"

int netns_enter(const char *netns, char error[ERROR_TEXT])
{
	char path[sizeof(DIRECTORY) + 256];
	int fd, ret = 0;

	if (!netns || !netns[0])
		return 0;
	snprintf(path, sizeof(path), "%s%s", netns[0] == '/' ? "" : DIRECTORY, netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		ret = error_text(error, -errno, "node.linux.netns: %.200s: %s", path,
				 strerror(errno));
	if (fd >= 0)
		close(fd);
	return ret;
}

int netns_visit(const char *netns, int *home, char error[ERROR_TEXT])
{
	int ret;

	*home = -1;
	if (!netns || !netns[0])
		return 0;
	*home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (*home < 0)
		return error_text(error, -errno, "/proc/thread-self/ns/net: %s", strerror(errno));
	ret = netns_enter(netns, error);
	if (ret < 0) {
		close(*home);
		*home = -1;
	}
	return ret;
}

int netns_return(int home, int ret, char error[ERROR_TEXT])
{
	if (home < 0)
		return ret;
	if (setns(home, CLONE_NEWNET) < 0 && ret == 0)
		ret = error_text(error, -errno, "the way back from node.linux.netns: %s",
				 strerror(errno));
	close(home);
	return ret;
}
