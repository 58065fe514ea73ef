/* SPDX-License-Identifier: BSD-3-Clause */
#include "link/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

#define AREA "link"
#define PATH "/proc/sys/net/ipv4/ip_local_reserved_ports"

static int list_read(char list[RESERVE_LEN])
{
	int fd = open(PATH, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, list, RESERVE_LEN - 1);
	close(fd);
	if (n < 0)
		return -EIO;
	if (n == RESERVE_LEN - 1)
		return -E2BIG;
	list[n] = '\0';
	list[strcspn(list, "\n")] = '\0';
	return 0;
}

static int list_write(const char *list)
{
	char line[RESERVE_LEN + 32];
	int fd = open(PATH, O_WRONLY | O_CLOEXEC), err = 0;
	int len = snprintf(line, sizeof(line), "%s\n", list);

	if (fd < 0)
		return -errno;
	if (write(fd, line, (size_t)len) != len)
		err = -errno;
	close(fd);
	return err;
}

void reserve_ports(struct reserve *r, uint16_t first, uint16_t last)
{
	char list[RESERVE_LEN + 16];
	int err;

	r->ours[0] = '\0';
	if (first == 0)
		return;
	err = list_read(r->before);
	snprintf(list, sizeof(list), "%s%s%u-%u", r->before, r->before[0] ? "," : "", first, last);
	if (err == 0)
		err = list_write(list);
	if (err == 0)
		err = list_read(r->ours);
	if (err)
		log_warning(AREA, "cannot reserve ports %u to %u for checks in " PATH ": %s", first,
			    last, strerror(-err));
	if (err || strcmp(r->ours, r->before) == 0) /* they are reserved already */
		r->ours[0] = '\0';
}

void reserve_undo(struct reserve *r)
{
	char now[RESERVE_LEN];

	if (r->ours[0] && list_read(now) == 0 && strcmp(now, r->ours) == 0)
		list_write(r->before);
	r->ours[0] = '\0';
}
