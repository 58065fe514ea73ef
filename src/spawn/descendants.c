/* SPDX-License-Identifier: BSD-3-Clause */
#include "spawn/descendants.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

struct descendant {
	pid_t pid, parent;
};

struct descendants {
	uint32_t n;
	struct descendant v[DESCENDANTS_MAX];
};

static void add(struct descendants *f, pid_t pid, pid_t parent)
{
	if (f->n < DESCENDANTS_MAX)
		f->v[f->n++] = (struct descendant){pid, parent};
}

/* Children of one thread. */
static void add_children(struct descendants *f, pid_t parent, const char *thread)
{
	char path[64], text[4096];
	size_t left_over = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%.20s/children", (int)parent, thread);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	for (;;) {
		ssize_t len = read(fd, text + left_over, sizeof(text) - 1 - left_over);
		char *at = text, *end;

		if (len <= 0)
			break;
		text[left_over + (size_t)len] = '\0';
		/* A number counts once the blank behind it is there. */
		for (;;) {
			long pid = strtol(at, &end, 10);

			if (end == at || *end != ' ')
				break;
			add(f, (pid_t)pid, parent);
			at = end + 1;
		}
		left_over = strlen(at);
		memmove(text, at, left_over);
	}
	close(fd);
}

static void add_children_of_all_threads(struct descendants *f, pid_t parent)
{
	char path[32];
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)parent);
	dir = opendir(path);
	if (!dir)
		return;
	while ((e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.')
			add_children(f, parent, e->d_name);
	closedir(dir);
}

static pid_t parent_of(pid_t pid)
{
	char path[32], text[512];
	const char *name_end;
	int fd, parent = -1;
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len <= 0)
		return -1;
	text[len] = '\0';
	/* A name may hold anything, a bracket too: the last one ends it. */
	name_end = strrchr(text, ')');
	if (!name_end || sscanf(name_end + 1, " %*c %d", &parent) != 1)
		return -1;
	return parent;
}

/* The process with this pid must still be the same child: pids are reused. */
static void member_signal(const struct descendant *m, int sig)
{
	int fd = pidfd_open(m->pid, 0);
	pid_t parent;

	if (fd < 0)
		return;
	parent = parent_of(m->pid);
	if (parent == m->parent || parent == getpid())
		(void)pidfd_send_signal(fd, sig, NULL, 0);
	close(fd);
}

static bool is_spared(pid_t pid, const pid_t *spared, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (spared[i] == pid)
			return true;
	return false;
}

uint32_t descendants_signal(int sig, const pid_t *spared, uint32_t n)
{
	static struct descendants f;
	uint32_t signalled = 0;

	f.n = 0;
	add_children_of_all_threads(&f, getpid());
	for (uint32_t i = 0; i < f.n; i++) {
		if (is_spared(f.v[i].pid, spared, n))
			continue;
		/* Parents first: a process with a deadly signal forks no more. */
		member_signal(&f.v[i], sig);
		add_children_of_all_threads(&f, f.v[i].pid);
		signalled++;
	}
	return signalled;
}
