/* SPDX-License-Identifier: BSD-3-Clause */
/* Servers that do harm, all at once, and good ones beside them that must not notice. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "config/health_config.h"
#include "health/health.h"
#include "health/pattern.h"
#include "health_servers.h"
#include "descriptors.h"

#define BOMB	"(x+x+)+[yz]"
#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

static struct event_base *base;

static void ignore(enum log_level level, const char *area, const char *line)
{
	(void)level;
	(void)area;
	(void)line;
}

static uint64_t clock_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Each server, the question to it, and the answer about it. */
static const struct row {
	enum manner manner;
	const char *text;
	bool tls_server;
	uint8_t type;
	bool tls_check;
	uint8_t kind; /* enum match_kind: of the body or of the script's only step */
	const char *match;
	const char *said; /* NULL: any of several things */
} rows[] = {
	{HANGS, NULL, false, CHECK_HTTP, false, MATCH_NONE, "", "no answer to the request from"},
	{HANGS, NULL, false, CHECK_SCRIPT, false, MATCH_LITERAL, "ok", "no answer in step 1 of 1"},
	{DRIPS, "HTTP/1.1 200 OK\r\nX: ", false, CHECK_HTTP, false, MATCH_NONE, "",
	 "no end of the answer"},
	{DRIPS, "HTTP/1.1 200 OK\r\n\r\n", false, CHECK_HTTP, false, MATCH_LITERAL, "ok",
	 "HTTP 200, but no end of the answer"},
	{DRIPS, NULL, false, CHECK_SCRIPT, false, MATCH_PATTERN, BOMB, "script"},
	{ENDLESS, "HTTP/1.1 200 OK\r\nX: ", false, CHECK_HTTP, false, MATCH_NONE, "",
	 "a header of more than 16 KiB"},
	{ENDLESS, "HTTP/1.1 200 OK\r\n\r\n", false, CHECK_HTTP, false, MATCH_LITERAL, "ok",
	 "HTTP 200, but 65536 bytes of another body"},
	{ENDLESS, "HTTP/1.1 200 OK\r\n\r\n", false, CHECK_HTTP, false, MATCH_PATTERN, BOMB,
	 "the pattern takes too much work on the body"},
	{ENDLESS, NULL, false, CHECK_SCRIPT, false, MATCH_PATTERN, BOMB,
	 "the pattern takes too much work in step 1"},
	{ENDLESS, NULL, false, CHECK_SCRIPT, false, MATCH_LITERAL, "ok",
	 "too much came without the answer of step 1"},
	{ENDLESS, NULL, false, CHECK_HTTP, false, MATCH_NONE, "", "no HTTP answer"},
	{CLOSES, NULL, false, CHECK_HTTP, false, MATCH_NONE, "", NULL},
	{RESETS, NULL, false, CHECK_HTTP, false, MATCH_NONE, "", NULL},
	{HANGS, NULL, false, CHECK_HTTP, true, MATCH_NONE, "", "no end of the TLS handshake from"},
	{GREETS, "220 hello\r\n", false, CHECK_HTTP, true, MATCH_NONE, "", "TLS handshake with"},
	{ENDLESS, NULL, false, CHECK_HTTP, true, MATCH_NONE, "", "TLS handshake with"},
	{DRIPS, "\x16\x03\x03\x3f\xff\x02", false, CHECK_HTTP, true, MATCH_NONE, "",
	 "no end of the TLS handshake"},
	{CLOSES, NULL, false, CHECK_HTTP, true, MATCH_NONE, "", NULL},
	{HANGS, NULL, true, CHECK_HTTP, true, MATCH_NONE, "", "no answer to the request"},
	{ENDLESS, "HTTP/1.1 200 OK\r\n\r\n", true, CHECK_HTTP, true, MATCH_LITERAL, "ok",
	 "HTTP 200, but 65536 bytes of another body"},
	{HANGS, NULL, true, CHECK_SCRIPT, false, MATCH_LITERAL, "ok", "step 1 of 1"},
};

static struct test_server servers[N_OF(rows)];

static struct endpoint at(uint16_t port)
{
	struct endpoint ep = {.port = be16_from(port)};

	addr_parse("127.0.0.1", &ep.addr);
	return ep;
}

static void inquiry_one(struct health *h, const char *key, uint16_t port,
			const struct check_spec *spec)
{
	const struct check_spec *const checks[] = {spec, NULL};
	const struct health_server s = {.ep = at(port), .weight = 1, .checks = checks};
	const struct health_policy policy = {0};
	struct endpoint vip = at(80);

	assert_int_equal(health_set_service(h, key, &vip, &policy, &s, 1), 0);
}

static void inquiry_row(struct health *h, uint32_t i, SSL_CTX *tls)
{
	const struct row *row = &rows[i];
	struct match m = {.kind = row->kind,
			  .len = (uint32_t)strlen(row->match),
			  .bytes = (char *)row->match};
	struct check_spec spec = {.name = (char *)"bad",
				  .type = row->type,
				  .interval_ms = 300,
				  .timeout_ms = 1500,
				  .tls = {.on = row->tls_check}};
	char key[16];

	servers[i] = (struct test_server){.base = base, .manner = row->manner, .text = row->text};
	servers[i].tls = row->tls_server ? tls : NULL;
	server_start(&servers[i]);
	if (row->type == CHECK_HTTP) {
		spec.http.body = m;
	} else {
		spec.steps = &m;
		spec.n_steps = 1;
	}
	snprintf(key, sizeof(key), "bad%u", i);
	inquiry_one(h, key, servers[i].port, &spec);
}

static struct health_view view(struct health *h, const char *name, uint32_t i, uint16_t port)
{
	struct endpoint ep = at(port);
	struct health_view v;
	char key[16];

	snprintf(key, sizeof(key), "%s%u", name, i);
	assert_int_equal(health_get(h, key, &ep, &v), 0);
	return v;
}

static bool all_told(struct health *h)
{
	for (uint32_t i = 0; i < N_OF(rows); i++)
		if (view(h, "bad", i, servers[i].port).failures < 2)
			return false;
	return true;
}

#define N_GOOD 40U

static void bad_servers_are_told_and_the_others_stay_on_time(void **state)
{
	const struct health_options o = {.base = base, .specs = &config_spec_ops};
	const struct check_spec tcp = {
		.name = (char *)"good", .type = CHECK_TCP, .interval_ms = 100, .timeout_ms = 20000};
	struct check_spec http = tcp;
	struct test_server good = {
		.base = base, .manner = ANSWERS, .text = "HTTP/1.1 200 OK\r\n\r\nwell"};
	SSL_CTX *tls = server_tls(NULL, false);
	uint64_t deadline = clock_ms(CLOCK_MONOTONIC) + 40000;
	uint32_t descriptors, most = 0;
	struct health_counters c;
	struct health *h;
	size_t memory;
	char key[16];

	(void)state;
	assert_int_equal(health_create(&o, &h), 0);
	http.type = CHECK_HTTP;
	server_start(&good);
	for (uint32_t i = 0; i < N_GOOD; i++) {
		snprintf(key, sizeof(key), "good%u", i);
		http.interval_ms = 100 + i; /* or they would be one inquiry */
		inquiry_one(h, key, good.port, &http);
	}
	memory = mallinfo2().uordblks;
	descriptors = count_descriptors();
	for (uint32_t i = 0; i < N_OF(rows); i++)
		inquiry_row(h, i, tls);
	while (!all_told(h) && clock_ms(CLOCK_MONOTONIC) < deadline) {
		event_base_loop(base, EVLOOP_ONCE);
		if (count_descriptors() > most)
			most = count_descriptors();
	}
	for (uint32_t i = 0; i < N_OF(rows); i++) {
		struct health_view v = view(h, "bad", i, servers[i].port);

		if (v.state != HEALTH_DOWN || (rows[i].said && !strstr(v.reason, rows[i].said)))
			print_error("row %u: %s\n", i, v.reason);
		assert_int_equal(v.state, HEALTH_DOWN);
		assert_true(!rows[i].said || strstr(v.reason, rows[i].said));
	}
	for (uint32_t i = 0; i < N_GOOD; i++) {
		struct health_view v = view(h, "good", i, good.port);

		assert_int_equal(v.state, HEALTH_UP);
		assert_int_equal(v.failures + v.errors, 0);
		assert_true(v.probes > 5);
	}
	health_counters(h, &c);
	assert_true(c.late_us[0] < 250000);
	assert_true(c.late_us[2] < 3000000);
	/* Two ends of a connection for each, a listener, and what is being closed. */
	assert_true(most < descriptors + 6 * (N_OF(rows) + N_GOOD));
	/* Buffers of both ends of all of them; the servers' are the larger part. */
	assert_true(mallinfo2().uordblks < memory + 32 * 1024 * 1024);
	health_destroy(h);
	server_stop(&good);
	for (uint32_t i = 0; i < N_OF(rows); i++)
		server_stop(&servers[i]);
	/* Both ends go: ours at once, the servers' when they have seen it. */
	while (count_descriptors() >= descriptors && clock_ms(CLOCK_MONOTONIC) < deadline + 10000)
		event_base_loop(base, EVLOOP_NONBLOCK);
	assert_true(count_descriptors() < descriptors);
	SSL_CTX_free(tls);
}

static void patterns_that_explode_end_within_bounds(void **state)
{
	static const char *const bombs[] = {
		BOMB,
		"(x*)*(x*)*(x*)*[yz]",
		"((x|xx)+)+[yz]",
		"(.*)(.*)(.*)(.*)(.*)(.*)[yz]",
		"^(((x+)+)+)+$z?[yz]",
		"(x?){50}x{50}[yz]",
		"(?R)?x",
	};
	static char data[CHECK_MAX_BODY];
	struct pattern_cache *c;
	size_t end, memory;

	(void)state;
	assert_int_equal(pattern_cache_create(&c), 0);
	memset(data, 'x', sizeof(data));
	for (uint32_t i = 0; i < N_OF(bombs); i++) {
		uint64_t before = clock_ms(CLOCK_THREAD_CPUTIME_ID);

		memory = mallinfo2().uordblks;
		pattern_find(c, bombs[i], strlen(bombs[i]), data, sizeof(data), &end);
		assert_true(clock_ms(CLOCK_THREAD_CPUTIME_ID) - before < 500);
		assert_true(mallinfo2().uordblks < memory + 2 * 1024 * 1024);
	}
	assert_int_equal(pattern_find(c, BOMB, strlen(BOMB), data, sizeof(data), &end), -E2BIG);
	pattern_cache_destroy(c);
}

static int setup(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	log_set_sink(ignore);
	base = event_base_new();
	return !base;
}

static int teardown(void **state)
{
	(void)state;
	event_base_free(base);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_servers_are_told_and_the_others_stay_on_time),
		cmocka_unit_test(patterns_that_explode_end_within_bounds),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
