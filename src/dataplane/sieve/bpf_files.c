/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/sieve/bpf_files.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_bpf(int fd)
{
	static const char *const kinds[] = {"anon_inode:bpf-prog", "anon_inode:bpf-map",
					    "anon_inode:btf"};
	char path[32], target[32];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(target, kinds[i]) == 0)
			return true;
	return false;
}

void bpf_files_list(struct bpf_files *out)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;

	out->n = 0;
	while (dir && out->n < BPF_FILES_MAX && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.' && is_bpf(atoi(entry->d_name)))
			out->fd[out->n++] = atoi(entry->d_name);
	if (dir)
		closedir(dir);
}

void bpf_files_since(struct bpf_files *now, const struct bpf_files *before)
{
	uint16_t n = 0;

	for (uint16_t i = 0; i < now->n; i++) {
		bool old = false;

		for (uint16_t j = 0; j < before->n && !old; j++)
			old = before->fd[j] == now->fd[i];
		if (!old)
			now->fd[n++] = now->fd[i];
	}
	now->n = n;
}

void bpf_files_close(struct bpf_files *files)
{
	for (uint16_t i = 0; i < files->n; i++)
		if (is_bpf(files->fd[i]))
			close(files->fd[i]);
	files->n = 0;
}
