/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "config/config.h"
#include "config/json_arena.h"
#include "sched/sched.h"

#define SERVICES 3000
#define SERVERS	 10
#define TEXT_MAX (4U << 20)

static const char begin[] =
	"{\"node\": {\"name\": \"lb\", \"ports\": [{\"name\": \"p\", \"device\": "
	"\"net_null0\"}]}, \"shared\": {\"services\": [";

/* A text of more than a MiB. */
static char *text_make(const char *end)
{
	char *text = malloc(TEXT_MAX);
	size_t n = (size_t)snprintf(text, TEXT_MAX, "%s", begin);

	for (unsigned int i = 0; i < SERVICES; i++) {
		n += (size_t)snprintf(text + n, TEXT_MAX - n,
				      "%s{\"protocol\": \"tcp\", \"listen\": \"192.0.2.%u:%u\", "
				      "\"forward\": \"nat\", \"servers\": [",
				      i ? ", " : "", i / 250 + 1, i % 250 + 1);
		for (unsigned int k = 0; k < SERVERS; k++)
			n += (size_t)snprintf(text + n, TEXT_MAX - n,
					      "%s{\"address\": \"10.%u.%u.%u:80\"}", k ? ", " : "",
					      k, i / 250, i % 250 + 1);
		n += (size_t)snprintf(text + n, TEXT_MAX - n, "]}");
	}
	snprintf(text + n, TEXT_MAX - n, "%s", end);
	assert_true(n > 1U << 20);
	return text;
}

static int parse(const char *text, struct config **out, struct config_errors *errors)
{
	config_errors_init(errors);
	*out = NULL;
	return config_parse(text, strlen(text), NULL, sched_names(), out, errors);
}

static void digest_of(const char *text, char digest[CONFIG_DIGEST_STRLEN])
{
	struct config_errors errors;
	struct config *config;

	assert_int_equal(parse(text, &config, &errors), 0);
	assert_int_equal(config->shared.n_services, SERVICES);
	assert_int_equal(config->n_servers, SERVICES * SERVERS);
	config_digest(config, digest);
	config_destroy(config);
	config_errors_fini(&errors);
}

static void large_text_means_the_same_with_and_without_the_arena(void **state)
{
	char *text = text_make("]}}");
	char with[CONFIG_DIGEST_STRLEN], without[CONFIG_DIGEST_STRLEN];

	(void)state;
	digest_of(text, with);
	assert_true(json_arena_take());
	digest_of(text, without);
	json_arena_give();
	assert_string_equal(with, without);
	free(text);
}

static void errors_of_a_large_text_are_reported(void **state)
{
	static const char *const ends[] = {"]}", "], \"nonsense\": 1}}"};

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		char *text = text_make(ends[i]);
		struct config_errors errors;
		struct config *config;

		assert_int_equal(parse(text, &config, &errors), -EINVAL);
		assert_null(config);
		assert_int_equal(errors.errors.n, 1);
		config_errors_fini(&errors);
		free(text);
	}
	/* The arena was given back each time. */
	assert_true(json_arena_take());
	json_arena_give();
}

static void *digest_run(void *arg)
{
	char digest[CONFIG_DIGEST_STRLEN];

	digest_of(arg, digest);
	return strdup(digest);
}

static void two_large_texts_are_read_at_once(void **state)
{
	char *text = text_make("]}}");
	pthread_t threads[4];
	char *digests[4];

	(void)state;
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, digest_run, text), 0);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], (void **)&digests[i]), 0);
	for (unsigned int i = 0; i < 4; i++) {
		assert_string_equal(digests[i], digests[0]);
		if (i)
			free(digests[i]);
	}
	free(digests[0]);
	free(text);
}

static void values_lie_in_order_and_their_memory_is_used_again(void **state)
{
	json_t *first[3], *again, *other;
	uintptr_t at;

	(void)state;
	assert_true(json_arena_take());
	assert_false(json_arena_take());
	json_arena_fill(true);
	for (unsigned int i = 0; i < 3; i++)
		first[i] = json_integer(i);
	json_arena_fill(false);
	other = json_integer(3);
	at = (uintptr_t)first[0];
	assert_true((uintptr_t)first[1] - at <= 64 && (uintptr_t)first[2] - at <= 128);
	assert_true((uintptr_t)other - at > 128);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(json_integer_value(first[i]), i);
		json_decref(first[i]);
	}
	json_arena_give();
	assert_true(json_arena_take());
	json_arena_fill(true);
	again = json_integer(4);
	assert_true((uintptr_t)again == at);
	json_decref(again);
	json_arena_give();
	assert_int_equal(json_integer_value(other), 3);
	json_decref(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(large_text_means_the_same_with_and_without_the_arena),
		cmocka_unit_test(errors_of_a_large_text_are_reported),
		cmocka_unit_test(two_large_texts_are_read_at_once),
		cmocka_unit_test(values_lie_in_order_and_their_memory_is_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
