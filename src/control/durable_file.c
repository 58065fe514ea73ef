/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/durable_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own_user.h"

#define FILE_LIMIT (256 << 20)

/* An open directory, made if only its last part is missing; or -errno. */
static int directory(const char *dir)
{
	int fd;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		const ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

int durable_file_replace(const char *dir, const char *name, const char *text)
{
	const int at = directory(dir);
	char new[64];
	int fd, ret;

	if (at < 0)
		return at;
	snprintf(new, sizeof(new), "%.50s.new", name);
	(void)unlinkat(at, new, 0);
	fd = openat(at, new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	ret = fd < 0 ? -errno : write_all(fd, text, strlen(text));
	if (ret == 0 && fsync(fd) < 0)
		ret = -errno;
	if (fd >= 0 && close(fd) < 0 && ret == 0)
		ret = -errno;
	if (ret == 0 && renameat(at, new, at, name) < 0)
		ret = -errno;
	if (ret < 0 && fd >= 0)
		(void)unlinkat(at, new, 0);
	if (ret == 0 && fsync(at) < 0)
		ret = -errno;
	close(at);
	return ret;
}

int durable_file_read(const char *path, char **out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), ret = 0;
	char *text = NULL;
	struct stat st;
	size_t n = 0;
	ssize_t got = 1;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		ret = -errno;
	else if (!S_ISREG(st.st_mode) || !own_user_is(st.st_uid) || st.st_size > FILE_LIMIT)
		ret = -EPERM;
	else if (!(text = malloc((size_t)st.st_size + 1)))
		ret = -ENOMEM;
	while (ret == 0 && got > 0 && n < (size_t)st.st_size) {
		got = read(fd, text + n, (size_t)st.st_size - n);
		if (got < 0)
			ret = -errno;
		else
			n += (size_t)got;
	}
	close(fd);
	if (ret < 0) {
		free(text);
		return ret;
	}
	text[n] = '\0';
	*out = text;
	return 0;
}

int durable_file_remove(const char *dir, const char *name)
{
	const int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret = 0;

	if (at < 0)
		return errno == ENOENT ? 0 : -errno;
	if (unlinkat(at, name, 0) < 0)
		ret = errno == ENOENT ? 0 : -errno;
	else if (fsync(at) < 0)
		ret = -errno;
	close(at);
	return ret;
}
