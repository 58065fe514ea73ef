/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/state_dir.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/error_text.h"
#include "base/own_user.h"

int state_dir_make(const char *path)
{
	return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -errno;
}

#define ROOM_LEAST (64 << 10) /* bytes; a version of the configuration alone may need more */

static bool is_full(const char *path)
{
	struct statvfs fs;

	if (statvfs(path, &fs) != 0)
		return false;
	return (uint64_t)fs.f_bavail * fs.f_frsize < ROOM_LEAST || (fs.f_files && !fs.f_favail);
}

bool state_dir_fault(const char *path, char error[ERROR_TEXT])
{
	char why[160] = "";
	struct stat st;

	if (stat(path, &st) != 0)
		snprintf(why, sizeof(why), "%s: make it, with mode 0700", strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		snprintf(why, sizeof(why), "it is not a directory");
	else if (!own_user_is(st.st_uid))
		snprintf(why, sizeof(why), "it belongs to user %u: chown it to root",
			 (unsigned int)st.st_uid);
	else if (st.st_mode & (S_IWGRP | S_IWOTH))
		snprintf(why, sizeof(why), "others may write there: chmod go-w");
	else if (access(path, W_OK) != 0 && errno == EROFS)
		snprintf(why, sizeof(why),
			 "the file system is read-only: mount it writable, or name another folder");
	else if (access(path, R_OK | W_OK | X_OK) != 0)
		snprintf(why, sizeof(why), "plvs may not write there: %s", strerror(errno));
	else if (is_full(path))
		snprintf(why, sizeof(why),
			 "the file system is full: free some of it, or name another folder");
	if (why[0])
		error_text(error, 0,
			   "node.state_dir: %.100s: %.80s; connections do not outlive a restart of "
			   "plvs",
			   path, why);
	return why[0] != '\0';
}
