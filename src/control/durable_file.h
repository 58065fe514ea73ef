/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_DURABLE_FILE_H
#define PLVS_CONTROL_DURABLE_FILE_H

/*
 * Files of node.state_dir that are whole after a crash. The steps of a replacement are a new file,
 * fsync, rename, and fsync of the directory. Context: any thread; all functions wait for the disk.
 */

/* The directory is made if only its last part is missing. name: up to 50 bytes. 0 once the file is
 * durable, or -errno with the old file as it was. */
int durable_file_replace(const char *dir, const char *name, const char *text);
/* *out: the bytes and a NUL, to be freed. 0 or -errno; -EPERM: no regular file of this process's
 * user, or more than 256 MiB. */
int durable_file_read(const char *path, char **out);
/* 0 once the name is gone durably, also if there was none; or -errno. */
int durable_file_remove(const char *dir, const char *name);

#endif
