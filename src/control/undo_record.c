/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/undo_record.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error_text.h"
#include "control/durable_file.h"

#define RECORD_FILE "unconfirmed.json"
#define PATH_LEN    512

/* The mark of a file: device, inode, size and mtime, which change when the file is written again.
 * null: there is no file. */
static json_t *file_mark(const char *file)
{
	struct stat st;

	if (!file || stat(file, &st) < 0)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "device", (json_int_t)st.st_dev, "inode",
			 (json_int_t)st.st_ino, "size", (json_int_t)st.st_size, "mtime_s",
			 (json_int_t)st.st_mtim.tv_sec, "mtime_ns", (json_int_t)st.st_mtim.tv_nsec);
}

int undo_record_save(const char *dir, const char *file, json_t *config, char error[ERROR_TEXT])
{
	json_t *doc = json_pack("{s:i, s:o, s:O}", "format", 1, "file", file_mark(file), "config",
				config);
	char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	int ret = text ? durable_file_replace(dir, RECORD_FILE, text) : -ENOMEM;

	free(text);
	json_decref(doc);
	if (ret < 0)
		error_text(error, 0, "%.160s/" RECORD_FILE ": %s", dir, strerror(-ret));
	return ret;
}

int undo_record_load(const char *dir, const char *file, char **text)
{
	char path[PATH_LEN], *data = NULL;
	json_t *doc, *config, *mark;
	int ret;

	snprintf(path, sizeof(path), "%.400s/" RECORD_FILE, dir);
	ret = durable_file_read(path, &data);
	if (ret < 0)
		return ret == -ENOTDIR ? -ENOENT : ret;
	doc = json_loads(data, 0, NULL);
	free(data);
	config = json_object_get(doc, "config");
	mark = file_mark(file);
	if (json_integer_value(json_object_get(doc, "format")) != 1 || !json_is_object(config))
		ret = -EBADMSG;
	else if (!json_equal(json_object_get(doc, "file"), mark))
		ret = -ESTALE;
	else if (!(*text = json_dumps(config, JSON_COMPACT)))
		ret = -ENOMEM;
	json_decref(mark);
	json_decref(doc);
	return ret;
}

int undo_record_remove(const char *dir, char error[ERROR_TEXT])
{
	const int ret = dir[0] ? durable_file_remove(dir, RECORD_FILE) : 0;

	if (ret < 0)
		error_text(error, 0, "%.160s/" RECORD_FILE ": %s", dir, strerror(-ret));
	return ret;
}
