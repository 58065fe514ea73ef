/* SPDX-License-Identifier: BSD-3-Clause */
/* json_plain_parse() against jansson's parser: the same values, or none at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/json_plain.h"

#define MUTATIONS 200000

static json_t *theirs(const char *text, size_t len)
{
	return json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
}

/* Whether the text was read, by the same values as jansson's. */
static bool is_read(const char *text, size_t len)
{
	json_t *plain = json_plain_parse(text, len), *want;
	const bool read = plain != NULL;

	if (read) {
		want = theirs(text, len);
		if (!want || !json_equal(plain, want))
			print_error("%s\n", text);
		assert_non_null(want);
		assert_true(json_equal(plain, want));
		json_decref(want);
	}
	json_decref(plain);
	return read;
}

static void plain_texts_are_read_as_jansson_reads_them(void **state)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		" \t\r\n{ } \n",
		"{\"a\":1,\"b\":[true,false,null],\"c\":{\"d\":\"text\"}}",
		"[0,-0,-1,10,999999999999999999,-999999999999999999]",
		"[ \"\", \"\xc3\xa4\xe2\x82\xac\", \"/ # // , : { } [ ]\" ]",
		"{ \"\" : [ [ [ ] ] , { } ] }",
		"[1 , 2\n,\t3\r]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_true(is_read(texts[i], strlen(texts[i])));
}

static void members_keep_their_order(void **state)
{
	static const char text[] = "{\"z\":1,\"a\":2,\"m\":3}";
	json_t *json = json_plain_parse(text, strlen(text));
	char *out = json_dumps(json, JSON_COMPACT);

	(void)state;
	assert_string_equal(out, text);
	free(out);
	json_decref(json);
}

static void other_texts_are_left_to_jansson(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"1",
		"\"a\"",
		"true",
		"x",
		"{",
		"[",
		"{\"a\"",
		"{\"a\":",
		"{\"a\":1",
		"[1",
		"[1,",
		"[1,]",
		"[,1]",
		"[1 2]",
		"{,}",
		"{\"a\":1,}",
		"{\"a\" 1}",
		"{a:1}",
		"{1:1}",
		"[01]",
		"[-]",
		"[-01]",
		"[+1]",
		"[1.5]",
		"[1e3]",
		"[1E3]",
		"[.5]",
		"[1000000000000000000]",
		"[9223372036854775808]",
		"[\"a\\n\"]",
		"[\"\\u00e4\"]",
		"{\"a\\n\":1}",
		"[\"a\nb\"]",
		"[\"a]",
		"[\"",
		"[truee]",
		"[tru]",
		"[nul]",
		"[True]",
		"[]]",
		"{}}",
		"{} x",
		"[1]2",
		"{\"a\":1,\"a\":2}",
		"{\"a\":1,\"b\":2,\"a\":1}",
		"{\"b\":{\"a\":1,\"a\":1}}",
		"[1}",
		"{\"a\":1]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (is_read(texts[i], strlen(texts[i])))
			fail_msg("%s", texts[i]);
	}
	assert_null(json_plain_parse("[1]", 2)); /* ends before the text does */
}

/* A text with characters that were put, left out or exchanged at random. */
static void a_damaged_text_is_never_read_as_something_else(void **state)
{
	static const char good[] =
		"{\"shared\":{\"services\":[{\"name\":\"s1\",\"listen\":\"198.18.0.1:1\","
		"\"servers\":[{\"address\":\"10.0.0.1:80\",\"weight\":-12},{}],\"x\":true,"
		"\"y\":null,\"z\":false}]}}";
	static const char put[] = "{}[]:,\"\\ \n\t0123456789-+.eE/#abtrufalsn\x01";
	uint32_t random = 1, read = 0;

	(void)state;
	for (uint32_t i = 0; i < MUTATIONS; i++) {
		char text[sizeof(good) + 8];
		size_t len = sizeof(good) - 1;

		memcpy(text, good, sizeof(good));
		for (uint32_t k = 0; k <= i % 3; k++) {
			uint32_t at;

			random = random * 1664525 + 1013904223;
			at = (random >> 8) % (uint32_t)len;
			switch (random >> 30) {
			case 0:
				memmove(text + at, text + at + 1, len-- - at);
				break;
			case 1:
				memmove(text + at + 1, text + at, ++len - at);
				/* fall through */
			default:
				text[at] = put[(random >> 4) % (sizeof(put) - 1)];
			}
		}
		read += is_read(text, len);
	}
	print_message("%u of %u were read\n", read, MUTATIONS);
	assert_true(read > MUTATIONS / 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_texts_are_read_as_jansson_reads_them),
		cmocka_unit_test(members_keep_their_order),
		cmocka_unit_test(other_texts_are_left_to_jansson),
		cmocka_unit_test(a_damaged_text_is_never_read_as_something_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
