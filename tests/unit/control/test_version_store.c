/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "control/version_store.h"

static char dir[64];
static struct version_store store, other;

static struct version_entry entry_of(uint32_t n, uint8_t says)
{
	struct version_entry e = {.time_s = 1000 + n, .author = "test", .comment = "a \"comment\""};

	memcpy(e.id.byte, &n, sizeof(n));
	e.id.byte[15] = 1;
	e.digest[0] = says;
	return e;
}

static void store_of(struct version_store *s, uint32_t first, uint32_t n)
{
	memset(s, 0, sizeof(*s));
	for (uint32_t i = 0; i < n; i++) {
		const struct version_entry e = entry_of(first + i, (uint8_t)(first + i));

		version_store_child(s, &e);
	}
}

static void save(const struct version_store *s)
{
	json_t *json = version_store_json(s);
	char *text = json_dumps(json, JSON_COMPACT), error[256];

	assert_int_equal(version_store_save(dir, text, error), 0);
	free(text);
	json_decref(json);
}

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test_version_store.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static void what_is_saved_is_loaded(void **state)
{
	char error[256];

	(void)state;
	assert_int_equal(version_store_load(&other, dir, error), 0);
	assert_int_equal(other.n, 0);
	store_of(&store, 1, 300);
	assert_int_equal(store.n, VERSION_STORE_ENTRIES);
	save(&store);
	assert_int_equal(version_store_load(&other, dir, error), 0);
	assert_memory_equal(&other, &store, sizeof(store));
}

static void versions_are_named_by_place_and_by_digits(void **state)
{
	char error[256];

	(void)state;
	store_of(&store, 1, 3);
	/* Ids begin with 03, 02 and 01. */
	store.entry[2].id = store.entry[1].id;
	store.entry[2].id.byte[14] = 9;
	assert_int_equal(version_store_find(&store, "0"), 0);
	assert_int_equal(version_store_find(&store, "2"), 2);
	assert_int_equal(version_store_find(&store, "3"), -ENOENT);
	assert_int_equal(version_store_find(&store, "999"), -ENOENT);
	assert_int_equal(version_store_find(&store, "0300"), 0);
	assert_int_equal(version_store_find(&store, "0200"), -EEXIST);
	assert_int_equal(version_store_find(&store, "02000000000000000000000000000901"), 2);
	assert_int_equal(version_store_find(&store, "020000000000000000000000000009010"), -EINVAL);
	assert_int_equal(version_store_find(&store, "0400"), -ENOENT);
	assert_int_equal(version_store_find(&store, ""), -EINVAL);
	assert_int_equal(version_store_find(&store, "03f"), -EINVAL);
	assert_int_equal(version_store_find(&store, "0300 "), -EINVAL);
	assert_false(version_store_has_text(dir, &store.entry[0].id));
	assert_int_equal(
		version_store_put_text(dir, &store.entry[0].id, "{}", &store.entry[0].id, 1, error),
		0);
	assert_true(version_store_has_text(dir, &store.entry[0].id));
}

static void damaged(const char *text, int ret)
{
	char path[128], error[256] = "";
	FILE *f;

	snprintf(path, sizeof(path), "%s/versions.json", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	store_of(&other, 1, 2);
	assert_int_equal(version_store_load(&other, dir, error), ret);
	assert_non_null(strstr(error, "versions.json"));
	assert_int_equal(other.n, 0);
}

#define ID     "00000000000000000000000000000001"
#define DIGEST "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void a_damaged_file_is_refused_in_words(void **state)
{
	(void)state;
	damaged("", -EBADMSG);
	damaged("{}", -EBADMSG);
	damaged("{\"format\": 2, \"versions\": []}", -EBADMSG);
	damaged("{\"format\": 1, \"versions\": [{\"id\": \"" ID "\"}]}", -EBADMSG);
	damaged("{\"format\": 1, \"versions\": [{\"id\": \"1\", \"digest\": \"" DIGEST "\"}]}",
		-EBADMSG);
	/* The same id twice. */
	damaged("{\"format\": 1, \"versions\": [{\"id\": \"" ID "\", \"digest\": \"" DIGEST
		"\"}, {\"id\": \"" ID "\", \"digest\": \"" DIGEST "\"}]}",
		-EBADMSG);
}

static void a_full_or_missing_directory_is_told_and_keeps_the_old_file(void **state)
{
	char error[256] = "", path[128];

	(void)state;
	store_of(&store, 1, 3);
	save(&store);
	assert_int_equal(version_store_save("/proc/none/versions", "{}", error), -ENOENT);
	assert_non_null(strstr(error, "/proc/none/versions"));
	/* A directory in the way of the new file. */
	snprintf(path, sizeof(path), "%s/versions.json.new", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(version_store_save(dir, "{}", error), -EEXIST);
	assert_int_equal(version_store_load(&other, dir, error), 0);
	assert_int_equal(other.n, 3);
}

static uint32_t texts(void)
{
	char path[128];
	uint32_t n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/configurations", dir);
	d = opendir(path);
	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static void the_last_twenty_texts_are_kept(void **state)
{
	struct version_id stored[40];
	char error[256], *text;

	(void)state;
	for (uint32_t i = 0; i < 40; i++) {
		const struct version_entry e = entry_of(i + 1, 0);
		char says[32];

		memmove(stored + 1, stored, i * sizeof(stored[0]));
		stored[0] = e.id;
		snprintf(says, sizeof(says), "{\"shared\":%u}", i);
		/* Not every version is written. */
		if (i % 4 == 1)
			continue;
		assert_int_equal(version_store_put_text(dir, &e.id, says, stored, i + 1, error), 0);
		assert_true(texts() <= VERSION_STORE_TEXTS);
	}
	assert_int_equal(texts(), VERSION_STORE_TEXTS);
	assert_int_equal(version_store_get_text(dir, &stored[0], &text), 0);
	assert_string_equal(text, "{\"shared\":39}");
	free(text);
	assert_int_equal(version_store_get_text(dir, &stored[39], &text), -ENOENT);
}

static void a_start_finds_the_version_of_its_file(void **state)
{
	const struct version_entry made = entry_of(99, 77);
	struct version_entry newer;
	struct version v;

	(void)state;
	store_of(&store, 1, 0);
	assert_int_equal(version_store_start(&store, made.digest, &made, &newer),
			 VERSION_START_NEW);
	version_store_version(&store, &v);
	assert_true(version_id_equal(&v.id, &made.id));
	assert_int_equal(v.n_ancestors, 0);

	store_of(&store, 1, 5);
	assert_int_equal(version_store_start(&store, store.entry[0].digest, &made, &newer),
			 VERSION_START_SAME);
	assert_int_equal(store.n, 5);

	assert_int_equal(version_store_start(&store, made.digest, &made, &newer),
			 VERSION_START_EDITED);
	assert_int_equal(store.n, 6);
	assert_true(version_id_equal(&store.entry[0].id, &made.id));

	store_of(&store, 1, 5);
	assert_int_equal(version_store_start(&store, store.entry[2].digest, &made, &newer),
			 VERSION_START_OLD);
	assert_int_equal(store.n, 3);
	assert_int_equal(store.entry[0].id.byte[0], 3);
	assert_int_equal(newer.id.byte[0], 5);
}

static void what_is_adopted_keeps_what_was_equal(void **state)
{
	struct version mine, peers;

	(void)state;
	store_of(&store, 1, 3);
	store_of(&other, 1, 6);
	version_store_adopt(&store, &other);
	assert_memory_equal(&store, &other, sizeof(store));
	/* Another family with the same digest. */
	store_of(&store, 50, 1);
	version_store_version(&store, &mine);
	version_store_adopt(&store, &other);
	version_store_version(&store, &peers);
	assert_true(version_id_equal(&peers.id, &other.entry[0].id));
	assert_true(version_has(&peers, &mine.id));
	assert_false(version_store_unite(&store, &mine.id, mine.digest));
}

static void two_ids_of_one_configuration_become_the_lower_one(void **state)
{
	struct version low, high;

	(void)state;
	store_of(&store, 10, 1);
	store_of(&other, 20, 1);
	memcpy(other.entry[0].digest, store.entry[0].digest, VERSION_DIGEST_BYTES);
	version_store_version(&store, &low);
	version_store_version(&other, &high);
	assert_true(version_store_unite(&store, &high.id, high.digest));
	assert_true(version_store_unite(&other, &low.id, low.digest));
	for (uint32_t i = 0; i < 2; i++) {
		const struct version_store *s = i ? &store : &other;

		assert_int_equal(s->n, 2);
		assert_true(version_id_equal(&s->entry[0].id, &low.id));
		assert_true(version_id_equal(&s->entry[1].id, &high.id));
	}
	assert_false(version_store_unite(&store, &high.id, high.digest));
	assert_false(version_store_unite(&other, &low.id, low.digest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_saved_is_loaded, setup, teardown),
		cmocka_unit_test_setup_teardown(versions_are_named_by_place_and_by_digits, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_damaged_file_is_refused_in_words, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			a_full_or_missing_directory_is_told_and_keeps_the_old_file, setup,
			teardown),
		cmocka_unit_test_setup_teardown(the_last_twenty_texts_are_kept, setup, teardown),
		cmocka_unit_test(a_start_finds_the_version_of_its_file),
		cmocka_unit_test(what_is_adopted_keeps_what_was_equal),
		cmocka_unit_test(two_ids_of_one_configuration_become_the_lower_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
