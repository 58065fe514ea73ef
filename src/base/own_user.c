/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/own_user.h"

#include <errno.h>
#include <unistd.h>

static bool set;
static uid_t own_uid;
static gid_t own_gid;

void own_user_set(uid_t uid, gid_t gid)
{
	set = true;
	own_uid = uid;
	own_gid = gid;
}

bool own_user_is(uid_t uid)
{
	return uid == 0 || uid == (set ? own_uid : geteuid());
}

bool own_group_is(gid_t gid)
{
	return gid == 0 || gid == (set ? own_gid : getegid());
}

int own_user_give(int fd)
{
	return !set || fchown(fd, own_uid, own_gid) == 0 ? 0 : -errno;
}
