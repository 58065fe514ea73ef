/* SPDX-License-Identifier: BSD-3-Clause */
#include "spawn/permit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int permit_create(void)
{
	int fd = memfd_create("plvs-permit", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	return fd < 0 ? -errno : fd;
}

bool permit_has(const struct permit *permit, uid_t uid)
{
	for (uint32_t i = 0; i < permit->n; i++)
		if (permit->uids[i] == uid)
			return true;
	return false;
}

int permit_add(struct permit *permit, uid_t uid)
{
	if (permit_has(permit, uid))
		return 0;
	if (permit->n == PERMIT_USERS)
		return -ENOSPC;
	permit->uids[permit->n++] = uid;
	return 0;
}

int permit_seal(int fd, const struct permit *permit)
{
	ssize_t len = pwrite(fd, permit, sizeof(*permit), 0);

	if (len != (ssize_t)sizeof(*permit))
		return len < 0 ? -errno : -EIO;
	return fcntl(fd, F_ADD_SEALS, SEALS) < 0 ? -errno : 0;
}

int permit_read(int fd, struct permit *permit)
{
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0)
		return -EINVAL;
	if ((seals & SEALS) != SEALS)
		return -EAGAIN;
	if (pread(fd, permit, sizeof(*permit), 0) != (ssize_t)sizeof(*permit) ||
	    permit->n > PERMIT_USERS)
		return -EINVAL;
	return 0;
}
