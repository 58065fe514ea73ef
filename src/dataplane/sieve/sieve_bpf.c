/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/sieve/sieve_bpf.h"

#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/error_text.h"
#include "base/log.h"
#include "dataplane/dataplane.h"
#include "dataplane/xsk_queue.h"

#define AREA	 "dataplane"
#define PAUSE_MS 100 /* until the kernel gives a queue free after its socket was closed */

int sieve_map_set(int fd, const void *key, const void *value)
{
	return bpf_map_update_elem(fd, key, value, BPF_ANY) == 0 ? 0 : -errno;
}

int sieve_map_del(int fd, const void *key)
{
	return bpf_map_delete_elem(fd, key) == 0 || errno == ENOENT ? 0 : -errno;
}

/* The maps of the process, each with its name and id. */
static void maps_walk(void (*seen)(void *arg, int fd, const char *name, uint32_t id), void *arg)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	char target[64];

	while (dir && (entry = readdir(dir)) != NULL) {
		struct bpf_map_info info = {0};
		uint32_t len = sizeof(info);
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		int fd = atoi(entry->d_name);

		if (n < 0)
			continue;
		target[n] = '\0';
		if (strcmp(target, "anon_inode:bpf-map") == 0 &&
		    bpf_obj_get_info_by_fd(fd, &info, &len) == 0)
			seen(arg, fd, info.name, info.id);
	}
	if (dir)
		closedir(dir);
}

static void newest_seen(void *arg, int fd, const char *name, uint32_t id)
{
	uint32_t *newest = arg;

	(void)fd;
	(void)name;
	*newest = id > *newest ? id : *newest;
}

uint32_t sieve_newest(void)
{
	uint32_t newest = 0;

	maps_walk(newest_seen, &newest);
	return newest;
}

struct found {
	uint32_t id[SIEVE_MAPS];
	int fds[SIEVE_MAPS];
};

static void map_seen(void *arg, int fd, const char *name, uint32_t id)
{
	static const char *const names[SIEVE_MAPS] = {SIEVE_TO, SIEVE_FROM, SIEVE_OWN};
	struct found *found = arg;

	for (unsigned int i = 0; i < SIEVE_MAPS; i++) {
		if (strcmp(name, names[i]) != 0 || id <= found->id[i])
			continue;
		found->id[i] = id;
		found->fds[i] = fd;
	}
}

int sieve_maps_find(uint32_t after, int fds[SIEVE_MAPS])
{
	struct found found = {.fds = {-1, -1, -1}};

	for (unsigned int i = 0; i < SIEVE_MAPS; i++)
		found.id[i] = after;
	maps_walk(map_seen, &found);
	for (unsigned int i = 0; i < SIEVE_MAPS; i++)
		if (found.fds[i] < 0)
			return -ENOENT;
	memcpy(fds, found.fds, sizeof(found.fds));
	return 0;
}

/* The program on the interface is a sieve. */
static bool is_sieve(uint32_t id)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);
	bool is = fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &len) == 0 &&
		  strcmp(info.name, SIEVE_PROGRAM) == 0;

	if (fd >= 0)
		close(fd);
	return is;
}

bool sieve_interface_is_read(const char *interface, uint32_t queue)
{
	const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000};
	int index = (int)if_nametoindex(interface), rc;
	uint32_t id = 0;

	if (index == 0 || bpf_xdp_query_id(index, 0, &id) != 0 || id == 0)
		return false;
	rc = xsk_queue_try((uint32_t)index, queue);
	if (rc == 0)
		nanosleep(&pause, NULL);
	return rc == -EBUSY;
}

/* The driver reports only that it cannot make a queue. */
static int program_check(const struct port *p, char error[ERROR_TEXT])
{
	const char *at = strstr(p->device.args, "xdp_prog=") + strlen("xdp_prog=");
	char path[128];
	int rc;

	snprintf(path, sizeof(path), "%.*s", (int)strcspn(at, ","), at);
	if (access(path, R_OK) == 0)
		return 0;
	rc = -errno;
	return error_text(
		error, rc,
		"port %.30s: xdp_prog=%.80s: %.40s: plvs's own program is lib/plvs/" SIEVE_FILE
		" of the installation, if built with clang",
		p->config.name, path, strerror(-rc));
}

int sieve_clear_way(const struct port *p, char error[ERROR_TEXT])
{
	const char *interface = p->device.interface;
	int rc, index = (int)if_nametoindex(interface);
	uint32_t id = 0;

	rc = program_check(p, error);
	if (rc != 0)
		return rc;
	if (index == 0 || bpf_xdp_query_id(index, 0, &id) != 0 || id == 0 || !is_sieve(id))
		return 0;
	rc = bpf_xdp_detach(index, 0, NULL);
	if (rc != 0) {
		return error_text(
			error, rc,
			"port %.30s: the XDP program of a killed router stays on %s: %.40s; "
			"\"ip link set dev %s xdp off\"",
			p->config.name, interface, strerror(-rc), interface);
	}
	log_notice(AREA, "port %s: the XDP program of a killed router was taken from %s",
		   p->config.name, interface);
	return 0;
}
