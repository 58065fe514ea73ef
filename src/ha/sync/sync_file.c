/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/sync/sync_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error_text.h"
#include "base/own_user.h"
#include "ha/wire/bytes.h"

#define MAGIC	      "plvs connections" /* 16 bytes */
#define VERSION	      4			 /* 3: without connections of IPv6 */
#define VERSION_LEAST 2			 /* without the flag that a connection is assured */
#define HEADER_BYTES  80
#define SUM_FROM      48 /* bytes of the header that the checksum covers begin here */
#define TERM_MAX      (UINT64_C(1) << 62)
#define FNV_START     0xcbf29ce484222325ULL
#define FNV_PRIME     0x100000001b3ULL
#define OPS_STEP      64

static uint64_t checksum(uint64_t sum, const uint8_t *bytes, size_t n)
{
	while (n--)
		sum = (sum ^ *bytes++) * FNV_PRIME;
	return sum;
}

static int fail(char error[ERROR_TEXT], int ret, const char *path, const char *what)
{
	if (what)
		error_text(error, 0, "%.180s: %s", path, what);
	else
		error_text(error, 0, "%.180s: %s", path, strerror(-ret));
	return ret;
}

/* ---- write ---- */

struct writer {
	const struct identity *identity;
	FILE *f;
	uint8_t header[HEADER_BYTES];
	uint64_t bytes, sum;
	int64_t records;
};

static int write_event(void *arg, const struct sync_event *e)
{
	uint8_t bytes[SYNC_RECORD_MAX];
	struct writer *w = arg;
	struct sync_record r;
	size_t n;

	if (sync_record_make(w->identity, e, &r) < 0)
		return 0;
	n = sync_record_encode(&r, bytes);
	if (fwrite(bytes, 1, n, w->f) != n)
		return -EIO;
	w->sum = checksum(w->sum, bytes, n);
	w->bytes += n;
	w->records++;
	return 0;
}

static int write_header(struct writer *w)
{
	put64(w->header + 32, w->bytes);
	put64(w->header + 40, w->sum);
	return fwrite(w->header, 1, HEADER_BYTES, w->f) == HEADER_BYTES ? 0 : -EIO;
}

static void header_make(struct writer *w, const struct sync_file_time *now, uint64_t term)
{
	memcpy(w->header, MAGIC, 16);
	put32(w->header + 16, VERSION);
	put64(w->header + 24, now->now_s);
	memcpy(w->header + 48, now->boot, SYNC_BOOT_BYTES);
	put64(w->header + 64, now->up_s);
	put64(w->header + 72, term);
	w->sum = checksum(FNV_START, w->header + SUM_FROM, HEADER_BYTES - SUM_FROM);
}

static int write_all(struct writer *w, sync_file_each *each, void *arg)
{
	int ret = write_header(w); /* its place */

	if (ret == 0)
		ret = each(arg, write_event, w);
	if (ret == 0 && fseek(w->f, 0, SEEK_SET) != 0)
		ret = -errno;
	if (ret == 0)
		ret = write_header(w);
	if (ret == 0 && (fflush(w->f) != 0 || fsync(fileno(w->f)) != 0))
		ret = -errno;
	return ret;
}

int64_t sync_file_write(const char *path, const struct sync_file_time *now, uint64_t term,
			const struct identity *m, sync_file_each *each, void *arg,
			char error[ERROR_TEXT])
{
	struct writer w = {.identity = m};
	char temporary[4096];
	int fd, ret;

	if (snprintf(temporary, sizeof(temporary), "%s.new", path) >= (int)sizeof(temporary))
		return fail(error, -ENAMETOOLONG, path, NULL);
	unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(error, -errno, path, NULL);
	w.f = fdopen(fd, "w");
	if (!w.f) {
		close(fd);
		unlink(temporary);
		return fail(error, -ENOMEM, path, NULL);
	}
	header_make(&w, now, term);
	ret = write_all(&w, each, arg);
	if (fclose(w.f) != 0 && ret == 0)
		ret = -EIO;
	if (ret == 0 && rename(temporary, path) != 0)
		ret = -errno;
	if (ret == 0)
		return w.records;
	unlink(temporary);
	return fail(error, ret, path, NULL);
}

/* ---- read ---- */

/* The next record; 0: the end; -EBADMSG. */
static int record_next(FILE *f, uint64_t *left, uint64_t *sum, struct sync_record *r)
{
	uint8_t bytes[SYNC_RECORD_MAX];

	if (*left == 0)
		return 0;
	if (*left < 2 || fread(bytes, 1, 2, f) != 2 || bytes[1] < 2 || bytes[1] > sizeof(bytes) ||
	    bytes[1] > *left)
		return -EBADMSG;
	if (fread(bytes + 2, 1, bytes[1] - 2U, f) != bytes[1] - 2U)
		return -EBADMSG;
	if (sync_record_decode(bytes, bytes[1], r) != bytes[1] || r->kind >= RECORD_BEGIN ||
	    r->kind == RECORD_END)
		return -EBADMSG;
	*left -= bytes[1];
	*sum = checksum(*sum, bytes, bytes[1]);
	return 1;
}

static bool is_old(const struct sync_file_read *r, const uint8_t *h)
{
	static const uint8_t unknown[SYNC_BOOT_BYTES];
	const bool same_boot = memcmp(h + 48, r->now.boot, SYNC_BOOT_BYTES) == 0 &&
			       memcmp(h + 48, unknown, SYNC_BOOT_BYTES) != 0;
	const uint64_t written = same_boot ? get64(h + 64) : get64(h + 24);
	const uint64_t now = same_boot ? r->now.up_s : r->now.now_s;

	return written > now || now - written > r->max_age_s;
}

/* Checks owner, mode, header, length and age of the file, and that every record and the checksum
 * are sound. 0, or -errno with the text in error. */
static int look(FILE *f, const char *path, struct sync_file_read *r, uint64_t *bytes, char *error)
{
	uint8_t h[HEADER_BYTES];
	uint64_t left, sum;
	struct sync_record rec;
	struct stat st;
	int got;

	if (fstat(fileno(f), &st) != 0)
		return fail(error, -errno, path, NULL);
	if (!S_ISREG(st.st_mode) || !own_user_is(st.st_uid) || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return fail(error, -EPERM, path, "not a file that only this user can have written");
	if (fread(h, 1, sizeof(h), f) != sizeof(h) || memcmp(h, MAGIC, 16) != 0)
		return fail(error, -EBADMSG, path, "not a file of connections");
	if (get32(h + 16) < VERSION_LEAST || get32(h + 16) > VERSION || get32(h + 20) != 0)
		return fail(error, -EBADMSG, path, "of another version");
	left = *bytes = get64(h + 32);
	sum = checksum(FNV_START, h + SUM_FROM, HEADER_BYTES - SUM_FROM);
	if ((uint64_t)st.st_size < HEADER_BYTES || left != (uint64_t)st.st_size - HEADER_BYTES)
		return fail(error, -EBADMSG, path, "not as long as it says");
	if (is_old(r, h))
		return fail(error, -ESTALE, path, "too old");
	while ((got = record_next(f, &left, &sum, &rec)) > 0)
		;
	r->term = get64(h + 72);
	if (got < 0 || r->term > TERM_MAX)
		return fail(error, -EBADMSG, path, "holds what is no connection");
	return sum == get64(h + 40) ? 0 : fail(error, -EBADMSG, path, "the checksum is wrong");
}

static void take_all(FILE *f, struct sync_file_read *r, uint64_t left)
{
	struct sync_event ops[OPS_STEP];
	struct sync_record rec;
	uint64_t sum = 0;
	uint32_t n = 0;

	while (record_next(f, &left, &sum, &rec) > 0) {
		if (!sync_record_op(r->identity, &rec, 0, &ops[n])) {
			r->unknown++;
			continue;
		}
		r->taken += rec.kind == RECORD_PUT;
		if (++n < OPS_STEP)
			continue;
		r->take(r->arg, ops, n);
		n = 0;
	}
	if (n)
		r->take(r->arg, ops, n);
}

int sync_file_load(const char *path, struct sync_file_read *r, char error[ERROR_TEXT])
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK), ret;
	uint64_t bytes = 0;
	FILE *f;

	if (fd < 0)
		return fail(error, -errno, path, NULL);
	f = fdopen(fd, "r");
	if (!f) {
		close(fd);
		return fail(error, -ENOMEM, path, NULL);
	}
	ret = look(f, path, r, &bytes, error);
	if (ret == 0 && fseek(f, HEADER_BYTES, SEEK_SET) == 0)
		take_all(f, r, bytes);
	fclose(f);
	/* Once is enough: a crash later must not bring back what was long ago. */
	unlink(path);
	return ret;
}
