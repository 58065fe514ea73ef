/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/array.h"
#include "base/csum.h"
#include "base/hash_table.h"
#include "base/json_write.h"
#include "base/text.h"

static void endpoints_parse_and_format_to_the_same_text(void **state)
{
	static const char *const texts[] = {"10.1.0.100:80", "0.0.0.0:0", "[2001:db8::1]:65535"};
	struct endpoint e;
	char buf[ENDPOINT_STRLEN];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(endpoint_parse(texts[i], &e), 0);
		assert_string_equal(endpoint_format(&e, buf, sizeof(buf)), texts[i]);
	}
}

static void what_is_no_endpoint_is_refused(void **state)
{
	static const char *const texts[] = {"",
					    "10.1.0.100",
					    "10.1.0.100:",
					    "1.2.3.4:65536",
					    "1.2.3.4:-1",
					    "1.2.3.4: 80",
					    "1.2.3:80",
					    "2001:db8::1:80",
					    "[1.2.3.4]:80",
					    "[::1]80",
					    "[::1:80",
					    "1.2.3.4:80 "};
	struct endpoint e;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(endpoint_parse(texts[i], &e), -EINVAL);
}

static void a_prefix_with_host_bits_is_refused(void **state)
{
	struct prefix p;
	struct addr a;
	uint8_t len;

	(void)state;
	assert_int_equal(prefix_parse("10.0.0.0/8", &p), 0);
	assert_int_equal(p.len, 8);
	assert_int_equal(prefix_parse("10.0.0.1/8", &p), -EINVAL);
	assert_int_equal(prefix_parse("10.0.0.0/33", &p), -EINVAL);
	assert_int_equal(prefix_parse("0.0.0.0/0", &p), 0);
	assert_int_equal(addr_with_len_parse("10.0.0.1/8", &a, &len), 0);
	assert_int_equal(len, 8);
	assert_int_equal(prefix_parse("10.0.0.0/8", &p), 0);
	assert_true(prefix_contains(&p, &a));
	assert_int_equal(addr_parse("11.0.0.1", &a), 0);
	assert_false(prefix_contains(&p, &a));
}

static void a_checksum_delta_equals_a_full_computation(void **state)
{
	uint8_t data[40];
	uint32_t x = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		be16 sum;
		be32 from, to;

		for (size_t i = 0; i < sizeof(data); i++) {
			x = x * 1103515245 + 12345;
			data[i] = (uint8_t)(x >> 16);
		}
		if (round % 7 == 0)
			memset(data, round % 2 ? 0xff : 0, 12);
		sum = csum_of(data, sizeof(data));
		memcpy(&from, data + 12, 4);
		to = round % 5 ? x : ~0U;
		memcpy(data + 12, &to, 4);
		sum = csum_apply(sum, csum_delta32(from, to));
		/* 0 and 0xffff are the same sum. */
		assert_int_equal((uint16_t)csum_fold(csum_add((uint16_t)sum, data, sizeof(data))),
				 0xffff);
	}
}

/* The short forms of stage parse and rewrite against those of RFC 1071 and RFC 1624. */
static void short_forms_of_checksums_equal_the_long_ones(void **state)
{
	static const uint16_t edges[] = {0, 1, 0x7fff, 0x8000, 0xfffe, 0xffff};
	uint64_t x = 88172645463325252ULL;

	(void)state;
	for (unsigned int c = 0; c <= UINT16_MAX; c += c % 251 ? 1 : 7)
		for (unsigned int i = 0; i < 6; i++)
			assert_int_equal(csum_apply((be16)c, edges[i]),
					 (be16)~csum_add16((uint16_t)~c, edges[i]));
	for (unsigned int round = 0; round < 100000; round++) {
		uint64_t sum;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		sum = round % 3 ? x >> 29 : x;
		if (round % 2) /* one that folds to 0xffff */
			sum = (sum / UINT16_MAX + 1) % (UINT64_MAX / UINT16_MAX) * UINT16_MAX;
		if (sum)
			assert_int_equal(csum_is_whole(sum), csum_fold(sum) == 0xffff);
	}
}

static void durations_keep_their_unit(void **state)
{
	uint32_t ms;
	char buf[32];

	(void)state;
	assert_int_equal(duration_parse("500ms", &ms), 0);
	assert_int_equal(ms, 500);
	assert_int_equal(duration_parse("1.5", &ms), 0);
	assert_int_equal(ms, 1500);
	assert_int_equal(duration_parse("15m", &ms), 0);
	assert_string_equal(duration_format(ms, buf, sizeof(buf)), "15m");
	assert_int_equal(duration_parse("50d", &ms), -ERANGE);
	assert_int_equal(duration_parse("-1s", &ms), -EINVAL);
	assert_int_equal(duration_parse("1.s", &ms), -EINVAL);
	assert_int_equal(duration_parse("", &ms), -EINVAL);
}

static void a_near_miss_is_suggested_and_a_far_one_is_not(void **state)
{
	static const char *const names[] = {"rr", "wrr", "lc", "wlc", "mh", NULL};
	static const char *const places[] = {"web", "dns-tcp", NULL};

	(void)state;
	assert_string_equal(text_near_miss("wlcc", names), "wlc");
	assert_null(text_near_miss("carrot", names));
	/* Two letters that changed places are one fault. */
	assert_string_equal(text_near_miss("wbe", places), "web");
	assert_string_equal(text_near_miss("dns-tpc", places), "dns-tcp");
	assert_null(text_near_miss("bwe", places));
}

/* --- Tables and arrays of the control plane --- */

struct number {
	struct hash_node node;
	int key, order;
};

static unsigned int destroyed;

static void number_destroy(struct hash_node *node)
{
	destroyed++;
	free(node);
}

static void number_add(struct hash_table *t, int key, int order)
{
	struct number *x = calloc(1, sizeof(*x));

	assert_non_null(x);
	x->key = key;
	x->order = order;
	hash_table_add(t, &x->node, hash_seeded(&key, sizeof(key)));
}

static struct number *number_find(const struct hash_table *t, int key)
{
	struct hash_node *node = hash_table_first(t, hash_seeded(&key, sizeof(key)));

	while (node && ((struct number *)node)->key != key)
		node = hash_table_next(node);
	return (struct number *)node;
}

static void a_hash_table_keeps_equal_keys_in_order_while_it_grows(void **state)
{
	struct hash_table t = {0};
	struct hash_node *node = NULL;
	uint32_t cursor = 0, seen = 0;

	(void)state;
	assert_null(number_find(&t, 1));
	assert_int_equal(hash_table_reserve(&t), 0);
	for (int order = 0; order < 3; order++)
		for (int key = 0; key < 1000; key++)
			number_add(&t, key, order);
	assert_true(t.size >= 2048);
	for (int key = 0; key < 1000; key++) {
		struct number *x = number_find(&t, key);

		assert_non_null(x);
		for (int order = 0; order < 3; order++) {
			assert_int_equal(x->order, order);
			x = (struct number *)hash_table_next(&x->node);
			while (x && x->key != key)
				x = (struct number *)hash_table_next(&x->node);
		}
		assert_null(x);
	}
	while ((node = hash_table_walk(&t, &cursor, node)))
		seen++;
	assert_int_equal(seen, 3000);
	node = &number_find(&t, 7)->node;
	hash_table_del(&t, node);
	hash_table_del(&t, node);
	assert_int_equal(t.n, 2999);
	assert_int_equal(number_find(&t, 7)->order, 1);
	free(node);
	destroyed = 0;
	hash_table_fini(&t, number_destroy);
	assert_int_equal(destroyed, 2999);
	assert_int_equal(t.size, 0);
}

static void hashes_of_texts_tell_null_from_empty(void **state)
{
	(void)state;
	assert_true(hash_text(HASH_START, NULL) != hash_text(HASH_START, ""));
	assert_true(hash_text(HASH_START, "a") != hash_text(HASH_START, "b"));
	/* Two texts are not their concatenation. */
	assert_true(hash_text(hash_text(HASH_START, "a"), "b") != hash_text(HASH_START, "ab"));
}

static void an_array_grows_and_keeps_its_elements(void **state)
{
	uint32_t *v = NULL, n = 0, max = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		assert_int_equal(array_room(&v, n, &max, sizeof(*v)), 0);
		assert_true(max > n);
		v[n++] = i;
	}
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(v[i], i);
	assert_int_equal(max, 1024);
	max = 0x80000000U;
	assert_int_equal(array_room(&v, max, &max, 1), -ENOMEM);
	free(v);
}

static void written_json_is_what_jansson_writes(void **state)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		"{\"a\":[1,-2,0,9223372036854775807,-9223372036854775808],\"b\":{\"c\":null}}",
		"[true,false,\"\",\"a\\\"b\\\\c\\n\\t\\r\\b\\f\\u0001\\u001F/\u00e4\u20ac\"]",
		"[1e300,-2.5e-9,3.14159]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_t *json = json_loads(texts[i], 0, NULL);
		char *text = json_write_text(json, NULL);
		char *jansson = json_dumps(json, JSON_COMPACT);

		assert_non_null(text);
		assert_string_equal(text, jansson);
		free(text);
		free(jansson);
		json_decref(json);
	}
}

static void tenths_are_written_short_and_read_back_the_same(void **state)
{
	(void)state;
	for (int i = -20000; i <= 20000; i++) {
		json_t *json = json_pack("[f]", (double)i / 10), *back;
		char *text = json_write_text(json, NULL);

		assert_true(strlen(text) <= sizeof("[-2000.0]") - 1);
		back = json_loads(text, 0, NULL);
		assert_true(json_equal(json, back));
		json_decref(json);
		json_decref(back);
		free(text);
	}
}

static int piece_append(const char *text, size_t n, void *arg)
{
	strncat(arg, text, n);
	return 0;
}

static int piece_refuse(const char *text, size_t n, void *arg)
{
	(void)text;
	(void)n;
	(void)arg;
	return -1;
}

static void json_is_written_without_brackets_and_not_too_deep(void **state)
{
	json_t *json = json_pack("{s:i, s:[i]}", "a", 1, "b", 2), *deep = json_array();
	char out[64] = "";

	(void)state;
	assert_int_equal(json_write(json, true, piece_append, out), 0);
	assert_string_equal(out, "\"a\":1,\"b\":[2]");
	assert_int_equal(json_write(json, false, piece_refuse, NULL), -1);
	assert_null(json_write_text(NULL, NULL));
	for (int i = 1; i < JSON_WRITE_DEPTH; i++)
		deep = json_pack("[o]", deep);
	out[0] = '\0';
	free(json_write_text(deep, NULL));
	deep = json_pack("[o]", deep);
	assert_null(json_write_text(deep, NULL));
	json_decref(json);
	json_decref(deep);
}

static void long_json_is_written_whole(void **state)
{
	char *text, *jansson, word[20001];
	json_t *json = json_array();
	size_t n;

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	for (int i = 0; i < 3000; i++)
		json_array_append_new(json, json_pack("{s:i, s:s}", "number", i, "text",
						      i % 1000 ? "short" : word));
	text = json_write_text(json, &n);
	jansson = json_dumps(json, JSON_COMPACT);
	assert_int_equal(n, strlen(jansson));
	assert_string_equal(text, jansson);
	free(text);
	free(jansson);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_json_is_what_jansson_writes),
		cmocka_unit_test(tenths_are_written_short_and_read_back_the_same),
		cmocka_unit_test(json_is_written_without_brackets_and_not_too_deep),
		cmocka_unit_test(long_json_is_written_whole),
		cmocka_unit_test(endpoints_parse_and_format_to_the_same_text),
		cmocka_unit_test(what_is_no_endpoint_is_refused),
		cmocka_unit_test(a_prefix_with_host_bits_is_refused),
		cmocka_unit_test(a_checksum_delta_equals_a_full_computation),
		cmocka_unit_test(short_forms_of_checksums_equal_the_long_ones),
		cmocka_unit_test(durations_keep_their_unit),
		cmocka_unit_test(a_near_miss_is_suggested_and_a_far_one_is_not),
		cmocka_unit_test(a_hash_table_keeps_equal_keys_in_order_while_it_grows),
		cmocka_unit_test(hashes_of_texts_tell_null_from_empty),
		cmocka_unit_test(an_array_grows_and_keeps_its_elements),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
