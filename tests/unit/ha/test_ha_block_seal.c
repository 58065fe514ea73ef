/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "ha/wire/block_seal.h"

#define KEYS  "1 000102030405060708090a0b0c0d0e0f\n"
#define OTHER "1 ff0102030405060708090a0b0c0d0e0f\n"
#define NEWER "2 a0a1a2a3a4a5a6a7a8a9aaabacadaeaf\n"

static const struct ha_session a = {{1}}, b = {{2}};
static const struct block_way way = {&a, &b, BULK_REQUEST};
static const char secret[] = "{\"headers\": \"Authorization: Basic c2VjcmV0\"}";

static void keys_of(struct ha_keys *k, const char *text)
{
	char error[ERROR_TEXT];

	memset(k, 0, sizeof(*k));
	assert_int_equal(ha_keys_parse(k, "keys", text, strlen(text), error), 0);
}

static void what_is_sealed_shows_nothing_and_is_opened_whole(void **state)
{
	struct ha_keys keys, both;
	uint8_t *sealed, *again, *text;
	size_t n, n_again, n_text;

	(void)state;
	keys_of(&keys, KEYS);
	keys_of(&both, NEWER KEYS);
	assert_int_equal(block_seal(&keys, &way, secret, sizeof(secret), &sealed, &n), 0);
	assert_int_equal(block_seal(&keys, &way, secret, sizeof(secret), &again, &n_again), 0);
	assert_int_equal(n, sizeof(secret) + BLOCK_SEAL_BYTES);
	assert_null(memmem(sealed, n, "secret", 6));
	assert_null(memmem(sealed, n, "Authorization", 13));
	/* Another nonce, another text. */
	assert_memory_not_equal(sealed + 8, again + 8, 12);
	assert_memory_not_equal(sealed + 20, again + 20, sizeof(secret));
	/* While keys are changed, each of the two opens. */
	assert_int_equal(block_open(&both, &way, sealed, n, &text, &n_text), 0);
	assert_int_equal(n_text, sizeof(secret));
	assert_memory_equal(text, secret, n_text);
	assert_int_equal(text[n_text], 0);
	free(text);
	free(sealed);
	free(again);
	ha_keys_fini(&keys);
	ha_keys_fini(&both);
}

static void any_turned_bit_is_noticed(void **state)
{
	struct ha_keys keys;
	uint8_t *sealed, *text;
	size_t n, n_text;

	(void)state;
	keys_of(&keys, KEYS);
	assert_int_equal(block_seal(&keys, &way, secret, sizeof(secret), &sealed, &n), 0);
	for (size_t bit = 0; bit < n * 8; bit++) {
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_true(block_open(&keys, &way, sealed, n, &text, &n_text) < 0);
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t len = 0; len < n; len++)
		assert_true(block_open(&keys, &way, sealed, len, &text, &n_text) < 0);
	free(sealed);
	ha_keys_fini(&keys);
}

static void a_block_is_of_two_sessions_one_direction_and_one_kind(void **state)
{
	const struct ha_session c = {{3}};
	const struct block_way others[] = {{&b, &a, BULK_REQUEST},
					   {&a, &c, BULK_REQUEST},
					   {&c, &b, BULK_REQUEST},
					   {&a, &b, BULK_ANSWER}};
	struct ha_keys keys, other, newer;
	uint8_t *sealed, *text;
	size_t n, n_text;

	(void)state;
	keys_of(&keys, KEYS);
	keys_of(&other, OTHER);
	keys_of(&newer, NEWER);
	assert_int_equal(block_seal(&keys, &way, secret, sizeof(secret), &sealed, &n), 0);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(block_open(&keys, &others[i], sealed, n, &text, &n_text), -EPERM);
	assert_int_equal(block_open(&other, &way, sealed, n, &text, &n_text), -EPERM);
	assert_int_equal(block_open(&newer, &way, sealed, n, &text, &n_text), -ENOKEY);
	assert_int_equal(block_open(&keys, &way, secret, sizeof(secret), &text, &n_text), -EBADMSG);
	free(sealed);
	ha_keys_fini(&keys);
	ha_keys_fini(&other);
	ha_keys_fini(&newer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sealed_shows_nothing_and_is_opened_whole),
		cmocka_unit_test(any_turned_bit_is_noticed),
		cmocka_unit_test(a_block_is_of_two_sessions_one_direction_and_one_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
