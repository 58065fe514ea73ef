/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/pushed_programs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_LEN 64 /* of a key */

static const char *const default_directories[] = {"/usr/lib/plvs/checks", "/etc/plvs/programs"};

/* The file or directory is root's, and only root can write there. */
static bool is_roots(const char *file, bool directory)
{
	const mode_t others = S_IWGRP | S_IWOTH;
	struct stat st;

	if (lstat(file, &st) != 0 || st.st_uid != 0)
		return false;
	/* In a sticky directory nobody renames or removes what root has. */
	return !(st.st_mode & others) || (directory && st.st_mode & S_ISVTX);
}

/* The same of each directory above. file: without symbolic links. */
static bool is_safe(const char *file)
{
	char part[PATH_MAX];
	size_t len = strlen(file);

	if (len >= sizeof(part) || !is_roots(file, false) || !is_roots("/", true))
		return false;
	memcpy(part, file, len + 1);
	for (char *at = strrchr(part, '/'); at && at > part; at = strrchr(part, '/')) {
		*at = '\0';
		if (!is_roots(part, true))
			return false;
	}
	return true;
}

static bool is_below(const char *directory, const char *file)
{
	char real[PATH_MAX];
	size_t len;

	if (!realpath(directory, real))
		return false;
	len = strlen(real);
	return strncmp(file, real, len) == 0 && file[len] == '/';
}

static bool in_directories(const struct config_programs *p, const char *file)
{
	if (p->n_directories == 0) {
		for (size_t i = 0; i < sizeof(default_directories) / sizeof(char *); i++)
			if (is_below(default_directories[i], file))
				return true;
	}
	for (uint32_t i = 0; i < p->n_directories; i++)
		if (is_below(p->directories[i], file))
			return true;
	return false;
}

static bool runs_already(const struct config_shared *shared, const struct check_spec *check)
{
	for (uint32_t i = 0; i < shared->n_checks; i++)
		if (shared->checks[i].type == CHECK_EXEC &&
		    config_check_runs_same(&shared->checks[i], check))
			return true;
	return false;
}

static void program_check(const struct config *boot, const struct config *running,
			  const struct check_spec *check, uint32_t index,
			  struct config_errors *errors)
{
	const char *name = check->exec.argv[0], *user = check->exec.user;
	const char *allowed = boot->node.programs.user;
	char key[PATH_LEN], real[PATH_MAX];

	snprintf(key, sizeof(key), "shared.checks[%u].exec.argv[0]", index);
	if (!realpath(name, real))
		config_errors_add(errors, -EINVAL, key, "\"%.200s\": %s", name, strerror(errno));
	else if (!in_directories(&running->node.programs, real))
		config_errors_add(errors, -EINVAL, key,
				  "\"%.200s\" is in no directory of node.programs.directories of "
				  "this router: the peer cannot make this router run it",
				  name);
	else if (!is_safe(real))
		config_errors_add(errors, -EINVAL, key,
				  "\"%.200s\" or a directory above it belongs to another user than "
				  "root, or others may write to it",
				  name);
	snprintf(key, sizeof(key), "shared.checks[%u].exec.user", index);
	if (user && (!allowed || strcmp(user, allowed) != 0))
		config_errors_add(errors, -EINVAL, key,
				  "\"%.31s\" is not the user of node.programs.user of this router",
				  user);
}

void pushed_programs_check(const struct config *boot, const struct config *running,
			   const struct config *after, struct config_errors *errors)
{
	for (uint32_t i = 0; i < after->shared.n_checks; i++) {
		const struct check_spec *check = &after->shared.checks[i];

		if (check->type == CHECK_EXEC && check->exec.n_argv > 0 &&
		    !runs_already(&running->shared, check))
			program_check(boot, running, check, i, errors);
	}
}
