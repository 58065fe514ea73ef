/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/version_store.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error_text.h"
#include "control/durable_file.h"

#define STORE_FILE "versions.json"
#define TEXTS	   "configurations"
#define NAME_LEN   (VERSION_ID_STRLEN + 5) /* ID.json */
#define PATH_LEN   512

/* --- the list --- */

void version_store_version(const struct version_store *s, struct version *out)
{
	memset(out, 0, sizeof(*out));
	if (s->n == 0)
		return;
	out->id = s->entry[0].id;
	memcpy(out->digest, s->entry[0].digest, sizeof(out->digest));
	for (uint32_t i = 1; i < s->n; i++)
		out->ancestor[out->n_ancestors++] = s->entry[i].id;
}

static bool known(const struct version_store *s, const struct version_id *id)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (version_id_equal(&s->entry[i].id, id))
			return true;
	return false;
}

static void insert(struct version_store *s, uint32_t at, const struct version_entry *e)
{
	const uint32_t n = s->n < VERSION_STORE_ENTRIES ? s->n : VERSION_STORE_ENTRIES - 1;

	memmove(&s->entry[at + 1], &s->entry[at], (n - at) * sizeof(s->entry[0]));
	s->entry[at] = *e;
	s->n = n + 1;
}

void version_store_child(struct version_store *s, const struct version_entry *child)
{
	if (!known(s, &child->id))
		insert(s, 0, child);
}

void version_store_ancestor(struct version_store *s, const struct version_id *id,
			    const uint8_t digest[VERSION_DIGEST_BYTES])
{
	struct version_entry e = {.id = *id};

	if (s->n == 0 || version_id_is_none(id) || known(s, id))
		return;
	memcpy(e.digest, digest, sizeof(e.digest));
	snprintf(e.author, sizeof(e.author), "peer");
	insert(s, 1, &e);
}

bool version_store_unite(struct version_store *s, const struct version_id *id,
			 const uint8_t digest[VERSION_DIGEST_BYTES])
{
	if (s->n == 0 || version_id_is_none(id) || known(s, id))
		return false;
	if (memcmp(id->byte, s->entry[0].id.byte, sizeof(id->byte)) > 0) {
		version_store_ancestor(s, id, digest);
	} else {
		insert(s, 0, &s->entry[0]);
		s->entry[0].id = *id;
	}
	return true;
}

void version_store_adopt(struct version_store *s, const struct version_store *peers)
{
	const struct version_entry mine = s->entry[0];
	const bool had = s->n > 0;

	*s = *peers;
	/* The same digest under another id. */
	if (had && !known(s, &mine.id))
		insert(s, 1, &mine);
}

enum version_start version_store_start(struct version_store *s,
				       const uint8_t digest[VERSION_DIGEST_BYTES],
				       const struct version_entry *made,
				       struct version_entry *newer)
{
	const bool stored = s->n > 0;

	memset(newer, 0, sizeof(*newer));
	for (uint32_t i = 0; i < s->n; i++) {
		if (memcmp(s->entry[i].digest, digest, VERSION_DIGEST_BYTES) != 0)
			continue;
		if (i == 0)
			return VERSION_START_SAME;
		*newer = s->entry[0];
		memmove(s->entry, &s->entry[i], (s->n - i) * sizeof(s->entry[0]));
		s->n -= i;
		return VERSION_START_OLD;
	}
	insert(s, 0, made);
	return stored ? VERSION_START_EDITED : VERSION_START_NEW;
}

int version_store_find(const struct version_store *s, const char *text)
{
	const size_t len = strlen(text);
	char id[VERSION_ID_STRLEN];
	int found = -ENOENT;

	if (len > 0 && len < VERSION_PREFIX_MIN && strspn(text, "0123456789") == len) {
		found = atoi(text);
		return (uint32_t)found < s->n ? found : -ENOENT;
	}
	if (len < VERSION_PREFIX_MIN || len >= sizeof(id) ||
	    strspn(text, "0123456789abcdef") != len)
		return -EINVAL;
	for (uint32_t i = 0; i < s->n; i++) {
		if (strncmp(version_id_format(&s->entry[i].id, id), text, len) != 0)
			continue;
		if (found >= 0)
			return -EEXIST;
		found = (int)i;
	}
	return found;
}

/* --- as JSON --- */

static void digest_format(const uint8_t digest[VERSION_DIGEST_BYTES],
			  char out[2 * VERSION_DIGEST_BYTES + 1])
{
	for (size_t i = 0; i < VERSION_DIGEST_BYTES; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static bool digest_parse(const char *text, uint8_t digest[VERSION_DIGEST_BYTES])
{
	if (!text || strlen(text) != 2 * VERSION_DIGEST_BYTES ||
	    strspn(text, "0123456789abcdef") != 2 * VERSION_DIGEST_BYTES)
		return false;
	for (size_t i = 0; i < VERSION_DIGEST_BYTES; i++) {
		unsigned int byte = 0;

		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			return false;
		digest[i] = (uint8_t)byte;
	}
	return true;
}

json_t *version_store_json(const struct version_store *s)
{
	json_t *list = json_array();

	for (uint32_t i = 0; list && i < s->n; i++) {
		const struct version_entry *e = &s->entry[i];
		char id[VERSION_ID_STRLEN], digest[2 * VERSION_DIGEST_BYTES + 1];

		digest_format(e->digest, digest);
		json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:s, s:s}", "id",
						      version_id_format(&e->id, id), "digest",
						      digest, "time", (json_int_t)e->time_s,
						      "author", e->author, "comment", e->comment));
	}
	if (list && json_array_size(list) != s->n) {
		json_decref(list);
		return NULL;
	}
	return json_pack("{s:i, s:o}", "format", 1, "versions", list);
}

static bool entry_parse(const json_t *o, struct version_entry *e)
{
	const char *author = json_string_value(json_object_get(o, "author"));
	const char *comment = json_string_value(json_object_get(o, "comment"));

	memset(e, 0, sizeof(*e));
	if (!version_id_parse(json_string_value(json_object_get(o, "id")), &e->id) ||
	    !digest_parse(json_string_value(json_object_get(o, "digest")), e->digest))
		return false;
	e->time_s = json_integer_value(json_object_get(o, "time"));
	snprintf(e->author, sizeof(e->author), "%s", author ? author : "");
	snprintf(e->comment, sizeof(e->comment), "%s", comment ? comment : "");
	return true;
}

int version_store_parse(struct version_store *s, const json_t *json)
{
	const json_t *list = json_object_get(json, "versions");
	const size_t n = json_array_size(list);
	struct version_store *out;
	int ret = 0;

	if (json_integer_value(json_object_get(json, "format")) != 1 || n == 0 ||
	    n > VERSION_STORE_ENTRIES)
		return -EBADMSG;
	out = calloc(1, sizeof(*out));
	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < n && ret == 0; i++) {
		struct version_entry e;

		if (!entry_parse(json_array_get(list, i), &e) || known(out, &e.id))
			ret = -EBADMSG;
		else
			out->entry[out->n++] = e;
	}
	if (ret == 0)
		*s = *out;
	free(out);
	return ret;
}

/* --- files --- */

int version_store_load(struct version_store *s, const char *dir, char error[ERROR_TEXT])
{
	char path[PATH_LEN], *text = NULL;
	json_t *json;
	int ret;

	s->n = 0;
	snprintf(path, sizeof(path), "%.400s/" STORE_FILE, dir);
	ret = durable_file_read(path, &text);
	if (ret == -ENOENT || ret == -ENOTDIR)
		return 0;
	if (ret == 0) {
		json = json_loads(text, 0, NULL);
		ret = version_store_parse(s, json);
		json_decref(json);
		free(text);
	}
	if (ret < 0)
		error_text(error, 0, "%.160s: %s", path,
			   ret == -EBADMSG ? "not a list of versions" : strerror(-ret));
	return ret;
}

int version_store_save(const char *dir, const char *text, char error[ERROR_TEXT])
{
	const int ret = durable_file_replace(dir, STORE_FILE, text);

	if (ret < 0)
		error_text(error, 0, "%.160s/" STORE_FILE ": %s", dir, strerror(-ret));
	return ret;
}

/* --- what versions say --- */

static void text_name(const struct version_id *id, char name[NAME_LEN])
{
	char text[VERSION_ID_STRLEN];

	snprintf(name, NAME_LEN, "%s.json", version_id_format(id, text));
}

static bool is_wanted(const char *name, const struct version_id *wanted, uint32_t n_wanted, int at)
{
	uint32_t seen = 0;
	char other[NAME_LEN];

	for (uint32_t i = 0; i < n_wanted && seen < VERSION_STORE_TEXTS; i++) {
		text_name(&wanted[i], other);
		if (strcmp(name, other) == 0)
			return true;
		seen += faccessat(at, other, F_OK, 0) == 0;
	}
	return false;
}

static void prune(const char *dir, const struct version_id *wanted, uint32_t n_wanted)
{
	DIR *d = opendir(dir);
	const struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d)))
		if (strlen(e->d_name) == NAME_LEN - 1 &&
		    strcmp(e->d_name + NAME_LEN - 6, ".json") == 0 &&
		    !is_wanted(e->d_name, wanted, n_wanted, dirfd(d)))
			(void)unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
}

int version_store_put_text(const char *dir, const struct version_id *id, const char *text,
			   const struct version_id *wanted, uint32_t n_wanted,
			   char error[ERROR_TEXT])
{
	char path[PATH_LEN], name[NAME_LEN];
	int ret;

	snprintf(path, sizeof(path), "%.400s/" TEXTS, dir);
	text_name(id, name);
	ret = durable_file_replace(path, name, text);
	if (ret < 0)
		error_text(error, 0, "%.160s/%s: %s", path, name, strerror(-ret));
	else
		prune(path, wanted, n_wanted);
	return ret;
}

int version_store_get_text(const char *dir, const struct version_id *id, char **text)
{
	char path[PATH_LEN], name[NAME_LEN];

	text_name(id, name);
	snprintf(path, sizeof(path), "%.400s/" TEXTS "/%s", dir, name);
	return durable_file_read(path, text);
}

bool version_store_has_text(const char *dir, const struct version_id *id)
{
	char path[PATH_LEN], name[NAME_LEN];

	text_name(id, name);
	snprintf(path, sizeof(path), "%.400s/" TEXTS "/%s", dir, name);
	return access(path, F_OK) == 0;
}
