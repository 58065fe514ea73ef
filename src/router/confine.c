/* SPDX-License-Identifier: BSD-3-Clause */
#include "router/confine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <rte_eal.h>

#include "base/error_text.h"
#include "base/log.h"
#include "base/own_user.h"
#include "control/host_check.h"
#include "router/syscall_filter.h"
#include "spawn/spawner.h"

#define AREA "main"

int confine_user(struct privileges *p, const char *name)
{
	int rc = privileges_user(p, name);

	if (rc == -ENOENT)
		fprintf(stderr,
			"plvs: --user: there is no user \"%s\": \"adduser --system --group %s\"\n",
			name, name);
	else if (rc == -EPERM)
		fprintf(stderr, "plvs: --user: only root becomes another user\n");
	else if (rc != 0)
		fprintf(stderr, "plvs: --user: %s: %s\n", name, strerror(-rc));
	if (rc == 0 && p->become) {
		own_user_set(p->uid, p->gid);
		spawner_confine(name);
	}
	return rc;
}

int confine_programs(const struct privileges *p, struct spawner *spawner,
		     const struct config *config)
{
	struct permit permit = {.netns = config->node.netns != NULL};
	int rc = 0;

	if (p->become)
		rc = permit_add(&permit, p->uid);
	if (rc == 0)
		rc = host_users(config, &permit);
	if (rc == -ENOSPC)
		fprintf(stderr, "plvs: the configuration names more than %d users for programs\n",
			PERMIT_USERS);
	if (rc == 0) {
		rc = spawner_permit(spawner, &permit);
		if (rc != 0)
			fprintf(stderr, "plvs: the users of programs cannot be fixed: %s\n",
				strerror(-rc));
	}
	return rc;
}

/* A file that the user has to be able to remove. any: whoever has it, as a router before this one
 * may have been another user. */
static void give(const struct privileges *p, const char *path, bool any)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_PATH);

	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid != p->uid && (any || st.st_uid == 0) &&
	    fchownat(fd, "", p->uid, p->gid, AT_EMPTY_PATH) != 0)
		log_warning(AREA, "%s stays another user's: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void give_folder(const struct privileges *p, const char *path, bool any)
{
	DIR *dir = opendir(path);
	const struct dirent *e;
	char file[512];

	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
		give(p, file, any);
	}
	if (dir)
		closedir(dir);
	give(p, path, any);
}

/* EAL gives hugepages back to Linux and takes them again as files in its folder, for example when a
 * port is opened again. */
static void hugepages_check(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[1024], *path, *name;
	struct statfs fs;

	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		path = strchr(line, '/');
		name = strrchr(line, '/');
		if (!path || !strstr(name, "map_") || statfs(path, &fs) != 0 ||
		    fs.f_type != HUGETLBFS_MAGIC)
			continue;
		*name = '\0';
		if (access(path, W_OK | X_OK) != 0)
			log_warning(AREA,
				    "hugepages cannot be taken again by this user: %s: %s; a port "
				    "that is lost may not open again: give EAL --in-memory",
				    path, strerror(errno));
		break;
	}
	if (f)
		fclose(f);
}

/* libxdp needs more than the kernel's sockets do: most where no program is given to it. */
static enum privileges_xdp xdp_of(const struct dataplane *dp)
{
	enum privileges_xdp xdp = XDP_NONE;

	for (uint16_t i = 0; i < dp->n_ports; i++)
		if (strcmp(dp->ports[i].driver, "net_af_xdp") == 0)
			xdp = RTE_MAX(xdp,
				      sieve_is_asked(&dp->ports[i]) ? XDP_OF_FILE : XDP_OF_LIBXDP);
	return xdp;
}

int confine(const struct privileges *p, const char *state_dir, const struct dataplane *dp,
	    char error[ERROR_TEXT])
{
	const enum privileges_xdp xdp = xdp_of(dp);
	int rc;

	/* libxdp takes a lock there to detach its program at the end. */
	if (xdp == XDP_OF_LIBXDP)
		give_folder(p, "/run/xdp", true);
	give_folder(p, rte_eal_get_runtime_dir(), true);
	if (p->become && state_dir)
		give_folder(p, state_dir, false);
	rc = privileges_drop(p, privileges_left(xdp));
	if (rc != 0)
		return error_text(
			error, rc,
			"rights cannot be given up: %s; --unconfined starts with all of them",
			strerror(-rc));
	hugepages_check();
	rc = syscall_filter_load(xdp != XDP_NONE);
	if (rc == -ENOSYS) {
		log_warning(AREA, "built with a sanitizer: system calls are not filtered");
		return 0;
	}
	if (rc != 0)
		error_text(error, 0,
			   "system calls cannot be filtered: %s; --unconfined starts without",
			   strerror(-rc));
	else
		log_info(AREA,
			 "rights given up: user %u, capabilities %#llx, system calls filtered",
			 (unsigned int)geteuid(), (unsigned long long)privileges_left(xdp));
	return rc;
}
