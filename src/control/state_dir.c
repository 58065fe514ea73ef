/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/state_dir.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error_text.h"
#include "base/own_user.h"

int state_dir_make(const char *path)
{
	return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -errno;
}

bool state_dir_fault(const char *path, char error[ERROR_TEXT])
{
	char why[160] = "";
	struct stat st;

	if (stat(path, &st) != 0)
		snprintf(why, sizeof(why), "%s", strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		snprintf(why, sizeof(why), "it is not a directory");
	else if (!own_user_is(st.st_uid))
		snprintf(why, sizeof(why), "it belongs to user %u: chown it to root",
			 (unsigned int)st.st_uid);
	else if (st.st_mode & (S_IWGRP | S_IWOTH))
		snprintf(why, sizeof(why), "others may write there: chmod go-w");
	else if (access(path, R_OK | W_OK | X_OK) != 0)
		snprintf(why, sizeof(why), "plvs may not write there: %s", strerror(errno));
	if (why[0])
		error_text(error, 0,
			   "node.state_dir: %.100s: %.60s; connections do not outlive a restart of "
			   "plvs",
			   path, why);
	return why[0] != '\0';
}
