/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys and options of telnet clients, hostile ones too; names and passwords. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "telnet/telnet_stream.h"
#include "telnet/telnetd.h"

static void give(struct telnet_stream *s, const void *bytes, size_t n)
{
	telnet_stream_received(s, bytes, n);
}

static void keys_are(struct telnet_stream *s, const char *expected)
{
	assert_int_equal(s->keys.n, strlen(expected));
	assert_memory_equal(s->keys.v + s->keys.start, expected, strlen(expected));
	stream_bytes_take(&s->keys, s->keys.n);
}

static void open_quiet(struct telnet_stream *s)
{
	assert_int_equal(telnet_stream_open(s), 0);
	stream_bytes_take(&s->out, s->out.n);
}

static void test_enter_is_one_key_however_it_is_sent(void **state)
{
	struct telnet_stream s;

	(void)state;
	open_quiet(&s);
	give(&s, "a\r\0b\r\nc\nd\re", 11);
	keys_are(&s, "a\rb\rc\nd\re");
	/* Cut between the two bytes. */
	give(&s, "x\r", 2);
	give(&s, "\0y", 2);
	keys_are(&s, "x\ry");
	telnet_stream_close(&s);
}

static void test_commands_of_telnet_are_keys(void **state)
{
	struct telnet_stream s;

	(void)state;
	open_quiet(&s);
	give(&s, "\xff\xf4\xff\xf3\xff\xf7\xff\xf8\xff\xec", 10);
	keys_are(&s, "\x03\x03\x7f\x15\x04");
	give(&s, "\xff\xff", 2);
	keys_are(&s, "\xff");
	give(&s, "\xff\xf6", 2);
	assert_int_equal(s.keys.n, 0);
	assert_memory_equal(s.out.v + s.out.start, "\r\n[yes]\r\n", 9);
	telnet_stream_close(&s);
}

static void test_terminal_and_window_are_learnt(void **state)
{
	struct telnet_stream s;

	(void)state;
	open_quiet(&s);
	assert_false(telnet_stream_agreed(&s));
	give(&s, "\xff\xfb\x1f\xff\xfb\x18", 6);
	give(&s, "\xff\xfa\x1f\x00\x64\x00\x1e\xff\xf0", 9);
	give(&s, "\xff\xfa\x18\x00XTERM-256COLOR\xff\xf0", 20);
	assert_int_equal(s.columns, 100);
	assert_int_equal(s.rows, 30);
	assert_string_equal(s.term, "xterm-256color");
	assert_true(s.resized && s.speaks && telnet_stream_agreed(&s));
	telnet_stream_close(&s);
}

static bool said(const struct telnet_stream *s, const char *bytes, size_t n)
{
	for (size_t i = 0; i + n <= s->out.n; i++)
		if (memcmp(s->out.v + s->out.start + i, bytes, n) == 0)
			return true;
	return false;
}

/* PuTTY's active negotiation, in its order: WILL NAWS, TSPEED, TTYPE, NEW-ENVIRON; DO ECHO; WILL
 * SGA; DO SGA. Its answers follow what it is asked. */
static void test_putty_negotiates_and_nothing_goes_round(void **state)
{
	struct telnet_stream s;

	(void)state;
	assert_int_equal(telnet_stream_open(&s), 0);
	assert_true(said(&s, "\xff\xfb\x01", 3)); /* WILL ECHO */
	assert_true(said(&s, "\xff\xfb\x03", 3)); /* WILL SGA */
	assert_true(said(&s, "\xff\xfd\x1f", 3)); /* DO NAWS */
	assert_true(said(&s, "\xff\xfd\x18", 3)); /* DO TTYPE */
	stream_bytes_take(&s.out, s.out.n);
	give(&s,
	     "\xff\xfb\x1f\xff\xfb\x20\xff\xfb\x18\xff\xfb\x27\xff\xfd\x01\xff\xfb\x03\xff\xfd\x03",
	     21);
	assert_true(said(&s, "\xff\xfe\x20", 3));	      /* DONT TSPEED */
	assert_true(said(&s, "\xff\xfe\x27", 3));	      /* DONT NEW-ENVIRON */
	assert_true(said(&s, "\xff\xfa\x18\x01\xff\xf0", 6)); /* SB TTYPE SEND */
	stream_bytes_take(&s.out, s.out.n);
	give(&s, "\xff\xfc\x20\xff\xfc\x27", 6); /* it gives both up */
	give(&s, "\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0", 9);
	give(&s, "\xff\xfa\x18\x00XTERM\xff\xf0", 11);
	assert_int_equal(s.out.n, 0);
	assert_int_equal(s.keys.n, 0);
	assert_int_equal(s.columns, 80);
	assert_int_equal(s.rows, 24);
	assert_string_equal(s.term, "xterm");
	assert_true(s.speaks && telnet_stream_agreed(&s) && !s.broken);
	/* Its Enter, and its keep-alive (NOP). */
	give(&s, "status\r\n\xff\xf1", 10);
	keys_are(&s, "status\r");
	telnet_stream_close(&s);
}

static void test_a_terminal_type_names_no_other_file(void **state)
{
	static const char *const names[] = {"../../etc/passwd",
					    "/etc/passwd",
					    ".x",
					    "a b",
					    "x\033[2J",
					    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	struct telnet_stream s;
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t n = strlen(names[i]);

		open_quiet(&s);
		give(&s, "\xff\xfb\x18", 3);
		memcpy(text, "\xff\xfa\x18\x00", 4);
		memcpy(text + 4, names[i], n);
		memcpy(text + 4 + n, "\xff\xf0", 2);
		give(&s, text, n + 6);
		assert_string_equal(s.term, "");
		telnet_stream_close(&s);
	}
}

/* Options that toggle for ever end the connection; nothing grows meanwhile. */
static void test_a_storm_of_options_ends_the_connection(void **state)
{
	struct telnet_stream s;
	int i = 0;

	(void)state;
	open_quiet(&s);
	while (!s.broken && i++ < 100000) {
		if (!telnet_stream_takes_input(&s))
			stream_bytes_take(&s.out, s.out.n);
		give(&s, "\xff\xfd\x01\xff\xfe\x01", 6);
	}
	assert_true(s.broken);
	assert_true(i < STREAM_OPTIONS + 10);
	telnet_stream_close(&s);
}

/* Whatever comes, what waits stays within its room as long as the loop keeps its rules. */
static void test_binary_garbage_stays_within_bounds(void **state)
{
	unsigned char bytes[STREAM_READ];
	struct telnet_stream s;

	(void)state;
	srand(1);
	for (int round = 0; round < 200; round++) {
		open_quiet(&s);
		for (int i = 0; i < 50 && !s.broken; i++) {
			for (size_t k = 0; k < sizeof(bytes); k++)
				bytes[k] = rand() % 3 ? (unsigned char)rand() : 0xff;
			if (telnet_stream_takes_input(&s))
				give(&s, bytes, sizeof(bytes));
			if (telnet_stream_takes_output(&s))
				telnet_stream_print(&s, bytes, sizeof(bytes));
			assert_true(s.out.n <= STREAM_OUT_ROOM && s.keys.n <= STREAM_KEYS_ROOM);
			if (i % 3 == 0) {
				stream_bytes_take(&s.out, s.out.n);
				stream_bytes_take(&s.keys, s.keys.n);
			}
		}
		telnet_stream_close(&s);
	}
}

static void test_what_is_printed_is_telnet(void **state)
{
	struct telnet_stream s;

	(void)state;
	open_quiet(&s);
	give(&s, "\xff\xfb\x1f", 3);
	stream_bytes_take(&s.out, s.out.n);
	telnet_stream_print(&s, "a\r\nb\rc\xff", 7);
	assert_int_equal(s.out.n, 9);
	assert_memory_equal(s.out.v + s.out.start, "a\r\nb\r\0c\xff\xff", 9);
	telnet_stream_close(&s);
}

/* --- logins --- */

static char document[1024];

static void config_parse_ok(struct telnet_config *c)
{
	char error[256];

	snprintf(document, sizeof(document),
		 "{\"node\": {\"control\": {\"socket\": \"/run/x.sock\"}, \"telnet\": {\"listen\": "
		 "\"127.0.0.1:23\", \"users\": [{\"name\": \"eve\", \"password\": \"%s\"}, "
		 "{\"name\": \"adam\", \"password\": \"%s\", \"level\": \"change\"}]}}}",
		 crypt("see", "$6$abcdefgh$"), "$6$broken");
	assert_int_equal(telnet_config_parse(document, strlen(document), c, error), 0);
}

static void test_a_password_opens_its_users_level_alone(void **state)
{
	struct telnet_config c;
	const struct telnet_user *u;

	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip(); /* the sanitizer's crypt_r() calls a null pointer (gcc 12) */
#endif
	config_parse_ok(&c);
	u = telnet_user_check(&c, "eve", "see");
	assert_non_null(u);
	assert_int_equal(u->level, TELNET_READ);
	assert_null(telnet_user_check(&c, "eve", "sea"));
	assert_null(telnet_user_check(&c, "eve", ""));
	assert_null(telnet_user_check(&c, "eve", c.users[0].hash));
	assert_null(telnet_user_check(&c, "nobody", "see"));
	/* A hash that is none opens for nobody. */
	assert_null(telnet_user_check(&c, "adam", "see"));
	assert_null(telnet_user_check(&c, "adam", c.users[1].hash));
	assert_string_equal(c.sockets[TELNET_READ], "/run/x.sock.read");
	assert_string_equal(c.sockets[TELNET_CHANGE], "/run/x.sock.change");
	telnet_config_free(&c);
}

static void test_a_configuration_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{\"node\": 3}",
		"{\"node\": {\"telnet\": {}}}",
		"{\"node\": {\"telnet\": {\"listen\": \"nowhere\"}}}",
		"{\"node\": {\"telnet\": {\"listen\": \"1.2.3.4:\"}}}",
		"{\"node\": {\"telnet\": {\"listen\": \"127.0.0.1:1\", \"users\": [{}]}}}",
		"{\"node\": {\"telnet\": {\"listen\": \"127.0.0.1:1\", \"users\": "
		"[{\"name\": \"a\", \"password\": \"plain\"}]}}}",
		"{\"node\": {\"telnet\": {\"listen\": \"127.0.0.1:1\", \"users\": "
		"[{\"name\": \"a\", \"password\": \"$6$x\", \"level\": \"root\"}]}}}",
		"{\"node\": {\"telnet\": {\"listen\": \"127.0.0.1:1\", \"sessions\": 100000}}}",
		"{\"node\": {\"telnet\": {\"listen\": \"127.0.0.1:1\", \"idle\": \"soon\"}}}"};
	struct telnet_config c;
	char error[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_true(telnet_config_parse(bad[i], strlen(bad[i]), &c, error) < 0);
		assert_true(error[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_enter_is_one_key_however_it_is_sent),
		cmocka_unit_test(test_commands_of_telnet_are_keys),
		cmocka_unit_test(test_terminal_and_window_are_learnt),
		cmocka_unit_test(test_putty_negotiates_and_nothing_goes_round),
		cmocka_unit_test(test_a_terminal_type_names_no_other_file),
		cmocka_unit_test(test_a_storm_of_options_ends_the_connection),
		cmocka_unit_test(test_binary_garbage_stays_within_bounds),
		cmocka_unit_test(test_what_is_printed_is_telnet),
		cmocka_unit_test(test_a_password_opens_its_users_level_alone),
		cmocka_unit_test(test_a_configuration_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
