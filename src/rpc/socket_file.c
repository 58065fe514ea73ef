/* SPDX-License-Identifier: BSD-3-Clause */
#include "rpc/socket_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTEN_BACKLOG 1024

static int fail(char error[ERROR_TEXT], const char *path, const char *what, int err)
{
	return error_text(error, err ? -err : -EINVAL, "socket %s: %s%s%s", path, what,
			  err ? ": " : "", err ? strerror(err) : "");
}

static int open_stream(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* Removes what a crash left; refuses to touch anything else. */
static int remove_stale(const struct sockaddr_un *sa, char error[ERROR_TEXT])
{
	const char *path = sa->sun_path;
	struct stat st;
	int fd, err;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : fail(error, path, "cannot look at it", errno);
	if (!S_ISSOCK(st.st_mode)) {
		fail(error, path, "exists and is not a socket", 0);
		return -EEXIST;
	}
	fd = open_stream();
	if (fd < 0)
		return fail(error, path, "no socket", errno);
	err = connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) < 0 ? errno : 0;
	close(fd);
	/* EAGAIN: somebody listens and is busy. */
	if (err == 0 || err == EAGAIN) {
		fail(error, path, "another process listens there", 0);
		return -EADDRINUSE;
	}
	if (err != ECONNREFUSED)
		return fail(error, path, "cannot tell whether anybody listens", err);
	if (unlink(path) < 0 && errno != ENOENT)
		return fail(error, path, "cannot remove the stale socket", errno);
	return 0;
}

static void make_directory(const char *path)
{
	char dir[108];
	char *slash;

	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (!slash || slash == dir)
		return;
	*slash = '\0';
	/* A fault here shows when the socket is bound. */
	(void)!mkdir(dir, 0755);
}

int listen_socket_open(struct listen_socket *s, const char *path, uint32_t mode,
		       char error[ERROR_TEXT])
{
	const mode_t bits = mode ? (mode_t)mode : 0600;
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct stat st;
	int fd, ret;

	if (path[0] == '\0' || strlen(path) >= sizeof(sa.sun_path)) {
		fail(error, path, "the path must have 1 to 107 characters", 0);
		return -ENAMETOOLONG;
	}
	memcpy(sa.sun_path, path, strlen(path) + 1);
	make_directory(path);
	ret = remove_stale(&sa, error);
	if (ret < 0)
		return ret;
	fd = open_stream();
	if (fd < 0)
		return fail(error, path, "no socket", errno);
	/* Before bind, so that the file never has a wider mode than this. */
	if (fchmod(fd, bits) < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		ret = fail(error, path, "cannot bind", errno);
		goto err_close;
	}
	if (chmod(path, bits) < 0 || stat(path, &st) < 0 || listen(fd, LISTEN_BACKLOG) < 0) {
		ret = fail(error, path, "cannot listen", errno);
		unlink(path);
		goto err_close;
	}
	s->fd = fd;
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	memcpy(s->path, path, strlen(path) + 1);
	return 0;

err_close:
	close(fd);
	return ret;
}

int listen_socket_own(const struct listen_socket *s, uid_t uid, gid_t gid, char error[ERROR_TEXT])
{
	if (lchown(s->path, uid, gid) == 0)
		return 0;
	return fail(error, s->path, "cannot change its owner", errno);
}

void listen_socket_close(struct listen_socket *s)
{
	struct stat st;

	if (lstat(s->path, &st) == 0 && st.st_dev == s->dev && st.st_ino == s->ino)
		unlink(s->path);
	close(s->fd);
	s->fd = -1;
}
