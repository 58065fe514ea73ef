/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_SPAWN_PERMIT_H
#define PLVS_SPAWN_PERMIT_H

/*
 * The permit: users that programs may run as, and whether programs enter a network namespace.
 * Keeper and spawner are forked before the router reads its configuration, so the permit is a memfd
 * that all three have. The router writes the permit once, and the kernel seals the memfd: from then
 * on no process changes the permit, the router included.
 *
 * Context: any; the file is read with pread().
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PERMIT_USERS 256

struct permit {
	uint32_t netns; /* 1: programs may enter a network namespace */
	uint32_t n;
	uid_t uids[PERMIT_USERS];
};

/* An empty memfd, close-on-exec, or -errno. */
int permit_create(void);
/* Adds a user, if it is not there yet. 0 or -ENOSPC. */
int permit_add(struct permit *permit, uid_t uid);
bool permit_has(const struct permit *permit, uid_t uid);
/* Writes and seals. 0 or -errno; -EPERM: it was sealed before. */
int permit_seal(int fd, const struct permit *permit);
/* 0, or -EAGAIN: not sealed yet; -EINVAL: no permit. */
int permit_read(int fd, struct permit *permit);

#endif
