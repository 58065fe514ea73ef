/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/cpu_wait.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool task_read(pid_t tid, const char *file, char *buf, int size)
{
	char path[64];
	bool read;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/%s", (int)tid, file);
	f = fopen(path, "re");
	if (!f)
		return false;
	read = fgets(buf, size, f) != NULL;
	fclose(f);
	return read;
}

/* Of a line "ran waited slices", in nanoseconds. */
static uint64_t thread_wait_us(pid_t tid)
{
	char line[96];
	uint64_t waited_ns;

	if (!task_read(tid, "schedstat", line, sizeof(line)) ||
	    sscanf(line, "%*u %" SCNu64, &waited_ns) != 1)
		return 0;
	return waited_ns / 1000;
}

/* The next thread in the listing, or 0. */
static pid_t task_next(DIR *d)
{
	const struct dirent *e;

	while ((e = readdir(d)) != NULL)
		if (atoi(e->d_name) > 0)
			return (pid_t)atoi(e->d_name);
	return 0;
}

uint64_t cpu_wait_us(pid_t tid)
{
	uint64_t sum = 0;
	DIR *d;

	if (tid != 0)
		return thread_wait_us(tid);
	d = opendir("/proc/self/task");
	if (!d)
		return 0;
	while ((tid = task_next(d)) != 0)
		sum += thread_wait_us(tid);
	closedir(d);
	return sum;
}

pid_t cpu_wait_lcore(unsigned int lcore)
{
	DIR *d = opendir("/proc/self/task");
	char end[32], name[64];
	pid_t tid;

	if (!d)
		return 0;
	snprintf(end, sizeof(end), "worker-%u\n", lcore); /* lcore-worker-3, rte-worker-3 */
	while ((tid = task_next(d)) != 0) {
		size_t n;

		if (!task_read(tid, "comm", name, sizeof(name)))
			continue;
		n = strlen(name);
		if (n >= strlen(end) && strcmp(name + n - strlen(end), end) == 0)
			break;
	}
	closedir(d);
	return tid;
}
