/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_VERSION_STORE_H
#define PLVS_CONTROL_VERSION_STORE_H

/*
 * The record of versions of the shared configuration (model/version.h), in
 * node.state_dir:
 *
 *	versions.json			the present version and its ancestors, the youngest first,
 *					each with digest, time, author and comment
 *	configurations/ID.json		the text of a version: {"shared": ...}, of the last 20 that
 *					were written
 *
 * Files are replaced durably: a new file, fsync, rename, fsync of the directory. Time, author and
 * comment are for people; no decision depends on them.
 *
 * Context: functions with a `dir` do file work and may be called on any thread; the others are
 * pure.
 */

#include <jansson.h>

#include "base/error_text.h"
#include "model/version.h"

#define VERSION_STORE_TEXTS   20
#define VERSION_STORE_ENTRIES (VERSION_ANCESTORS + 1)
#define VERSION_AUTHOR_LEN    64
#define VERSION_COMMENT_LEN   160
#define VERSION_PREFIX_MIN    4 /* digits that name a version */

struct version_entry {
	struct version_id id;
	uint8_t digest[VERSION_DIGEST_BYTES];
	int64_t time_s; /* of the wall clock of the router that made it */
	char author[VERSION_AUTHOR_LEN];
	char comment[VERSION_COMMENT_LEN];
};

struct version_store {
	uint32_t n; /* 0: no versions */
	struct version_entry entry[VERSION_STORE_ENTRIES];
};

enum version_start {
	VERSION_START_NEW,    /* nothing was stored: a version without ancestors */
	VERSION_START_SAME,   /* the file has the stored version */
	VERSION_START_OLD,    /* the file has a version that was replaced later: *newer */
	VERSION_START_EDITED, /* a child of the stored version */
};

/* Ids and digest of the present version; all zero without one. */
void version_store_version(const struct version_store *s, struct version *out);
/* Makes child the present version; the version before is its ancestor. */
void version_store_child(struct version_store *s, const struct version_entry *child);
/* Adds an ancestor of which only id and digest are known. */
void version_store_ancestor(struct version_store *s, const struct version_id *id,
			    const uint8_t digest[VERSION_DIGEST_BYTES]);
/* The peer has the same configuration under another id: both routers take the lower id from now on,
 * with the higher one as its ancestor. True: *s changed. */
bool version_store_unite(struct version_store *s, const struct version_id *id,
			 const uint8_t digest[VERSION_DIGEST_BYTES]);
/* Replaces the versions here by the peer's; the caller has checked that this is allowed. */
void version_store_adopt(struct version_store *s, const struct version_store *peers);
/* At the start with a configuration of this digest. `made` is the version to make if no known
 * version has the digest. *newer: the version that was present before. */
enum version_start version_store_start(struct version_store *s,
				       const uint8_t digest[VERSION_DIGEST_BYTES],
				       const struct version_entry *made,
				       struct version_entry *newer);

/* The place of the version that a person names by a number of changes ago (at most three digits) or
 * by the first digits of its id. -EINVAL: neither; -ENOENT: there is none; -EEXIST: several. */
int version_store_find(const struct version_store *s, const char *text);

/* New reference, or NULL: no memory. */
json_t *version_store_json(const struct version_store *s);
/* 0, or -EBADMSG with *s untouched. */
int version_store_parse(struct version_store *s, const json_t *json);

/* Without a file: 0 with n = 0. -errno with a sentence: the file is unreadable or damaged. */
int version_store_load(struct version_store *s, const char *dir, char error[ERROR_TEXT]);
/* text: of version_store_json(). 0 once durable, or -errno with a sentence. */
int version_store_save(const char *dir, const char *text, char error[ERROR_TEXT]);
/* Stores the text of a version; then removes texts beyond the first VERSION_STORE_TEXTS of
 * `wanted`. */
int version_store_put_text(const char *dir, const struct version_id *id, const char *text,
			   const struct version_id *wanted, uint32_t n_wanted,
			   char error[ERROR_TEXT]);
/* *text: {"shared": ...}, to be freed. 0, -ENOENT: not kept, or -errno. */
int version_store_get_text(const char *dir, const struct version_id *id, char **text);
bool version_store_has_text(const char *dir, const struct version_id *id);

#endif
