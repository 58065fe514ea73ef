/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/error_text.h"
#include "config/config_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/comments.h"
#include "config/json_text.h"

/* From a configuration to its file: beside it first, then renamed. Comments of the file are carried
 * over, and the bytes from before are kept in a file of their own. */

#define BEFORE_SUFFIX ".bak"

static int write_all(int fd, const char *text, size_t n)
{
	while (n > 0) {
		ssize_t did = write(fd, text, n);

		if (did < 0 && errno == EINTR)
			continue;
		if (did < 0)
			return -errno;
		text += did;
		n -= (size_t)did;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* The rename is only safe once the directory is on disk. */
static void directory_sync(const char *path)
{
	char dir[PATH_MAX];
	int fd;

	snprintf(dir, sizeof(dir), "%s", path);
	fd = open(dirname(dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

/* path is no symbolic link. Owner and mode are those of `like`; NULL: it is a new file. */
static int file_replace(const char *path, const char *text, size_t len, const struct stat *like)
{
	char beside[PATH_MAX];
	int fd, ret;

	if ((size_t)snprintf(beside, sizeof(beside), "%s.XXXXXX", path) >= sizeof(beside))
		return -ENAMETOOLONG;
	fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = write_all(fd, text, len);
	if (ret == 0 && like && fchown(fd, like->st_uid, like->st_gid) < 0 && errno != EPERM)
		ret = -errno;
	if (ret == 0 && fchmod(fd, like ? like->st_mode & 07777 : 0640) < 0)
		ret = -errno;
	if (close(fd) < 0 && ret == 0)
		ret = -errno;
	if (ret == 0 && rename(beside, path) < 0)
		ret = -errno;
	if (ret < 0)
		unlink(beside);
	else
		directory_sync(path);
	return ret;
}

/* The new text with the comments of the old one, or NULL: the old one is no configuration, or there
 * is no memory. */
static char *with_comments(const struct config *config, const char *old, size_t len)
{
	json_t *json = config_to_json(config, CONFIG_ALL), *old_json = NULL;
	struct config_errors errors;
	struct config *before = NULL;
	char *out = NULL;

	config_errors_init(&errors);
	if (config_parse(old, len, NULL, config->schedulers, &before, &errors) == 0)
		old_json = config_to_json(before, CONFIG_ALL);
	if (json && old_json)
		out = comments_carry(old, len, old_json, json);
	config_errors_fini(&errors);
	config_destroy(before);
	json_decref(old_json);
	json_decref(json);
	return out;
}

static int copy_save(const char *path, const char *old, size_t len, const struct stat *st,
		     char **before)
{
	char *name = NULL;
	int ret;

	if (asprintf(&name, "%s" BEFORE_SUFFIX, path) < 0)
		return -ENOMEM;
	ret = file_replace(name, old, len, st);
	if (ret == 0)
		*before = name;
	else
		free(name);
	return ret;
}

/* path is no symbolic link. */
static int text_save(const struct config *config, const char *path, char **before)
{
	char error[ERROR_TEXT], *old = NULL, *text = NULL;
	size_t len = 0;
	struct stat st;
	const bool exists = stat(path, &st) == 0;
	int ret = 0;

	if (exists && !S_ISREG(st.st_mode))
		return -EINVAL;
	if (exists)
		ret = json_text_read(path, CONFIG_MAX_BYTES, &old, &len, error);
	if (ret == 0 && old)
		text = with_comments(config, old, len);
	if (ret == 0 && !text)
		text = config_to_text(config);
	if (ret == 0 && !text)
		ret = -ENOMEM;
	if (ret == 0 && (!old || len != strlen(text) || memcmp(old, text, len) != 0)) {
		if (old)
			ret = copy_save(path, old, len, &st, before);
		if (ret == 0)
			ret = file_replace(path, text, strlen(text), exists ? &st : NULL);
	}
	free(text);
	free(old);
	return ret;
}

int config_save(const struct config *config, const char *path, char **before,
		struct config_errors *errors)
{
	struct config_context ctx = {.errors = errors};
	char *real, message[PATH_MAX + 128];
	int ret;

	*before = NULL;
	/* A link stays a link; its target is replaced. */
	real = realpath(path, NULL);
	ret = text_save(config, real ? real : path, before);
	free(real);
	if (ret == -ENOMEM) {
		config_report_memory(&ctx);
	} else if (ret < 0) {
		snprintf(message, sizeof(message), "%s cannot be written: %s", path,
			 ret == -EINVAL ? "not a regular file" : strerror(-ret));
		config_report_text(&ctx, ret, SIZE_MAX, message);
	}
	if (ret < 0) {
		free(*before);
		*before = NULL;
	}
	return ret;
}
