/* SPDX-License-Identifier: BSD-3-Clause */
/* Checkers against servers on loopback; hostile ones are in test_health_hostile.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "health/http_answer.h"
#include "health/pattern.h"
#include "health/source.h"
#include "health/tls.h"
#include "fake_probe.h"
#include "health_servers.h"

/* The machine may be busy: short only where it is waited for. */
static uint32_t limit_ms = 20000;

static struct match bytes(enum match_kind kind, const char *text)
{
	return (struct match){
		.kind = (uint8_t)kind, .len = (uint32_t)strlen(text), .bytes = (char *)text};
}

/* The server's address, and the VIP of probes that go by one. */
static const char *target = "127.0.0.1", *vip = "10.1.0.100";

/* A probe of a port on loopback. */
static void ask_from(const struct check_spec *spec, uint16_t port, enum probe_via via,
		     uint64_t start_us)
{
	asked = (struct probe){
		.target.port = be16_from(port), .via = (uint8_t)via, .start_us = start_us};
	assert_int_equal(addr_parse(target, &asked.target.addr), 0);
	assert_int_equal(addr_parse(vip, &asked.vip.addr), 0);
	probe_begin(spec);
	probe_await(limit_ms);
	source_release(&asked, start_us);
	assert_int_equal(asked.source_port, 0);
}

static void ask(const struct check_spec *spec, uint16_t port)
{
	ask_from(spec, port, VIA_NONE, 0);
}

static void tcp_connects_are_told_from_refusals(void **state)
{
	const struct check_spec tcp = {.type = CHECK_TCP};
	struct test_server s = {.base = env.base, .manner = HANGS};

	(void)state;
	server_start(&s);
	ask(&tcp, s.port);
	assert_said(PROBE_OK, "connected to 127.0.0.1:");
	ask(&tcp, server_free_port());
	assert_said(PROBE_FAIL, "refused the connection");
	server_stop(&s);
}

static void a_check_comes_from_where_it_is_told(void **state)
{
	struct check_spec tcp = {.type = CHECK_TCP};
	struct test_server s = {.base = env.base, .manner = HANGS};
	char text[ENDPOINT_STRLEN];

	(void)state;
	server_start(&s);
	assert_int_equal(addr_parse("127.0.0.7", &tcp.source), 0);
	ask(&tcp, s.port);
	assert_said(PROBE_OK, "connected to 127.0.0.1:");
	addr_format(&s.from.addr, text, sizeof(text));
	assert_string_equal(text, "127.0.0.7");
	/* A port of its own, again and again: a check leaves nothing in TIME_WAIT. */
	tcp.source_port = server_free_port();
	for (unsigned int i = 0; i < 3; i++) {
		ask(&tcp, s.port);
		assert_said(PROBE_OK, "connected to 127.0.0.1:");
		assert_int_equal(be16_to(s.from.port), tcp.source_port);
	}
	/* An address that is not of this machine, or of the other family: nothing is said of the
	 * server. */
	assert_int_equal(addr_parse("192.0.2.7", &tcp.source), 0);
	ask(&tcp, s.port);
	assert_int_equal(last.verdict, PROBE_ERROR);
	assert_int_equal(addr_parse("::1", &tcp.source), 0);
	ask(&tcp, s.port);
	assert_int_equal(last.verdict, PROBE_ERROR);
	server_stop(&s);
}

static struct check_spec http(void)
{
	return (struct check_spec){.type = CHECK_HTTP};
}

static void servers_are_asked_at_ipv6_addresses(void **state)
{
	const struct check_spec tcp = {.type = CHECK_TCP};
	struct check_spec spec = http();
	struct test_server s = {.v6 = true,
				.base = env.base,
				.manner = ANSWERS,
				.text = "HTTP/1.1 204 No Content\r\n\r\n"};
	uint16_t source = server_free_port();
	char host[64];

	(void)state;
	server_start(&s);
	target = "::1";
	ask(&tcp, s.port);
	assert_said(PROBE_OK, "connected to [::1]:");
	ask(&tcp, server_free_port());
	assert_said(PROBE_FAIL, "refused the connection");
	ask(&spec, s.port);
	assert_said(PROBE_OK, "HTTP 204 from [::1]:");
	snprintf(host, sizeof(host), "\r\nHost: [::1]:%u\r\n", s.port);
	assert_non_null(strstr(s.request, host));
	/* By the VIP: from a port that workers know. */
	assert_int_equal(check_ports_create(source, source, &env.ports), 0);
	ask_from(&tcp, s.port, VIA_DR, 0);
	assert_said(PROBE_ERROR, "");
	vip = "2001:db8:1::100";
	ask_from(&tcp, s.port, VIA_DR, 0);
	assert_said(PROBE_OK, "connected to [::1]:");
	check_ports_destroy(env.ports);
	env.ports = NULL;
	target = "127.0.0.1";
	vip = "10.1.0.100";
	server_stop(&s);
}

static void probes_leave_no_port_in_time_wait(void **state)
{
	const struct check_spec tcp = {.type = CHECK_TCP};
	struct test_server s = {.base = env.base, .manner = HANGS};
	uint16_t source = server_free_port();

	(void)state;
	server_start(&s);
	assert_int_equal(check_ports_create(source, source, &env.ports), 0);
	/* The same source port each time: it would be refused after one that lingers. */
	for (uint64_t i = 0; i < 20; i++) {
		ask_from(&tcp, s.port, VIA_DR, i * 1000000);
		assert_said(PROBE_OK, "connected");
		assert_int_equal(check_ports_bound(env.ports), 0);
	}
	check_ports_destroy(env.ports);
	env.ports = NULL;
	ask_from(&tcp, s.port, VIA_DR, 0);
	assert_said(PROBE_ERROR, "no source ports are reserved");
	server_stop(&s);
}

static void checks_go_on_when_others_have_their_ports(void **state)
{
	const struct check_spec tcp = {.type = CHECK_TCP};
	struct test_server s = {.base = env.base, .manner = HANGS};

	(void)state;
	server_start(&s);
	/* The server listens on it: nobody else can bind it. */
	assert_int_equal(check_ports_create(s.port, s.port, &env.ports), 0);
	ask(&tcp, s.port);
	assert_said(PROBE_OK, "connected");
	ask_from(&tcp, s.port, VIA_DR, 1000000);
	assert_int_equal(last.verdict, PROBE_ERROR);
	check_ports_destroy(env.ports);
	env.ports = NULL;
	server_stop(&s);
}

static void too_few_descriptors_are_not_the_servers_failure(void **state)
{
	const struct check_spec tcp = {.type = CHECK_TCP};
	struct test_server s = {.base = env.base, .manner = HANGS};
	struct rlimit old, few;

	(void)state;
	server_start(&s);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = old;
	few.rlim_cur = 3; /* less than are open: no further one can be */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	ask(&tcp, s.port);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_said(PROBE_ERROR, "Too many open files");
	server_stop(&s);
}

static void scripts_go_step_by_step(void **state)
{
	struct match steps[] = {
		bytes(MATCH_PREFIX, "220 "),
		bytes(MATCH_LITERAL, "\r\n"),
		bytes(MATCH_SEND, "NOOP\r\n"),
		bytes(MATCH_PATTERN, "^25[0-9] (ok|fine)$"),
	};
	struct check_spec spec = {.type = CHECK_SCRIPT, .steps = steps, .n_steps = 4};
	struct test_server s = {
		.base = env.base, .manner = GREETS, .text = "220 hello\r\n", .reply = "250 ok"};

	(void)state;
	server_start(&s);
	ask(&spec, s.port);
	assert_said(PROBE_OK, "3 answers as expected from 127.0.0.1:");
	s.reply = "450 busy";
	limit_ms = 1000;
	ask(&spec, s.port);
	limit_ms = 20000;
	assert_said(PROBE_FAIL, "no answer in step 4 of 4");
	assert_true(last.timeout);
	/* The time of a step is its own: that of the first ends with it. */
	steps[0].timeout_ms = 60;
	limit_ms = 400;
	ask(&spec, s.port);
	limit_ms = 20000;
	assert_said(PROBE_FAIL, "no answer in step 4 of 4");
	steps[3].timeout_ms = 60;
	ask(&spec, s.port);
	assert_said(PROBE_FAIL, "no answer within 60 ms in step 4 of 4");
	assert_true(last.timeout);
	s.reply = "250 ok";
	ask(&spec, s.port);
	assert_said(PROBE_OK, "3 answers as expected from 127.0.0.1:");
	s.text = "554 go away\r\n";
	ask(&spec, s.port);
	assert_said(PROBE_FAIL, "another answer than expected in step 1 of 4");
	server_stop(&s);
}

static void a_step_waits_no_longer_for_what_comes_byte_by_byte(void **state)
{
	struct match steps[] = {bytes(MATCH_LITERAL, "the end")};
	struct check_spec spec = {.type = CHECK_SCRIPT, .steps = steps, .n_steps = 1};
	struct test_server s = {.base = env.base, .manner = DRIPS, .text = "220 "};

	(void)state;
	server_start(&s);
	steps[0].timeout_ms = 100;
	limit_ms = 1500;
	ask(&spec, s.port);
	limit_ms = 20000;
	assert_said(PROBE_FAIL, "no answer within 100 ms in step 1 of 1");
	server_stop(&s);
}

static void http_judges_the_status(void **state)
{
	struct check_status_range only_404 = {404, 404};
	struct check_spec spec = http();
	struct test_server s = {.base = env.base,
				.manner = ANSWERS,
				.text = "HTTP/1.1 100 Continue\r\n\r\n"
					"HTTP/1.1 204 No Content\r\n\r\n"};

	(void)state;
	server_start(&s);
	spec.http.path = (char *)"/health";
	ask(&spec, s.port);
	assert_said(PROBE_OK, "HTTP 204 from 127.0.0.1:");
	assert_said(PROBE_OK, "/health");
	assert_non_null(strstr(s.request, "GET /health HTTP/1.1\r\nHost: 127.0.0.1:"));
	s.text = "HTTP/1.0 503 Service Unavailable\r\nContent-Length: 5\r\n\r\nsorry";
	ask(&spec, s.port);
	assert_said(PROBE_FAIL, "HTTP 503 from");
	spec.http.statuses = &only_404;
	spec.http.n_statuses = 1;
	s.text = "HTTP/1.1 404\r\n\r\n";
	ask(&spec, s.port);
	assert_said(PROBE_OK, "HTTP 404");
	s.text = "SSH-2.0-OpenSSH\r\n";
	ask(&spec, s.port);
	assert_said(PROBE_FAIL, "no HTTP answer");
	server_stop(&s);
}

static void http_sends_method_host_and_headers(void **state)
{
	char *headers[] = {(char *)"X-Probe:1", (char *)"user-agent: mine"};
	struct check_spec spec = http();
	struct test_server s = {
		.base = env.base, .manner = ANSWERS, .text = "HTTP/1.1 200 OK\r\n\r\n"};

	(void)state;
	server_start(&s);
	spec.http.method = (char *)"HEAD";
	spec.http.host = (char *)"www.example";
	spec.http.headers = headers;
	spec.http.n_headers = 2;
	ask(&spec, s.port);
	assert_said(PROBE_OK, "HTTP 200");
	assert_string_equal(s.request,
			    "HEAD / HTTP/1.1\r\nHost: www.example\r\n"
			    "Connection: close\r\nX-Probe: 1\r\nuser-agent: mine\r\n\r\n");
	server_stop(&s);
}

static void a_request_comes_behind_a_header_where_one_is_configured(void **state)
{
	static const char v2[16] = "\r\n\r\n\0\r\nQUIT\n\x20";
	struct check_spec spec = http();
	struct test_server s = {
		.base = env.base, .manner = ANSWERS, .text = "HTTP/1.1 200 OK\r\n\r\n"};

	(void)state;
	server_start(&s);
	spec.header = CLIENT_ADDRESS_PROXY_V1;
	ask(&spec, s.port);
	assert_said(PROBE_OK, "HTTP 200");
	assert_memory_equal(s.request, "PROXY UNKNOWN\r\nGET / HTTP/1.1\r\n", 31);
	spec.header = CLIENT_ADDRESS_PROXY_V2;
	ask(&spec, s.port);
	assert_said(PROBE_OK, "HTTP 200");
	assert_memory_equal(s.request, v2, sizeof(v2));
	server_stop(&s);
}

#define MD5_WELL "d08a91c76ebb8802b929907c6daa91a9" /* of "all is well!" */

static void http_looks_into_the_body_however_it_comes(void **state)
{
	static const char *const texts[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nall is well!",
		"HTTP/1.1 200 OK\r\n\r\nall is well!",
		("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "4\r\nall \r\n8;x=y\r\nis well!\r\n0\r\nT: 1\r\n\r\n"),
	};
	struct check_spec spec = http();
	struct test_server s = {.base = env.base, .manner = ANSWERS};

	(void)state;
	server_start(&s);
	for (size_t i = 0; i < 3; i++) {
		s.text = texts[i];
		spec.http.body = bytes(MATCH_LITERAL, "is well");
		ask(&spec, s.port);
		assert_said(PROBE_OK, "HTTP 200 and the expected body");
		spec.http.body = bytes(MATCH_PREFIX, "all");
		ask(&spec, s.port);
		assert_said(PROBE_OK, "HTTP 200 and the expected body");
		spec.http.body = bytes(MATCH_PATTERN, "w[[:alpha:]]+!$");
		ask(&spec, s.port);
		assert_said(PROBE_OK, "HTTP 200 and the expected body");
		spec.http.body = bytes(MATCH_PATTERN, "^all is bad");
		ask(&spec, s.port);
		assert_said(PROBE_FAIL, "HTTP 200, but 12 bytes of another body");
		spec.http.body_not = true;
		ask(&spec, s.port);
		assert_said(PROBE_OK, "HTTP 200 without the body that must not come");
		spec.http.body = bytes(MATCH_LITERAL, "is well");
		ask(&spec, s.port);
		assert_said(PROBE_FAIL, "HTTP 200, but a body that must not come");
		spec.http.body_not = false;
	}
	for (size_t i = 0; i < 3; i++) {
		s.text = texts[i];
		spec.http.body = bytes(MATCH_MD5, "C4D354440CB41EE38E162BC1F431E29B");
		ask(&spec, s.port);
		assert_said(PROBE_FAIL, "HTTP 200 and 12 bytes with the MD5 digest ");
		spec.http.body = bytes(MATCH_MD5, MD5_WELL);
		ask(&spec, s.port);
		assert_said(PROBE_OK, "HTTP 200 and 12 bytes with the MD5 digest " MD5_WELL);
		spec.http.body_not = true;
		ask(&spec, s.port);
		assert_int_equal(last.verdict, PROBE_FAIL);
		spec.http.body_not = false;
	}
	/* Files end with a newline; people mean what stands before it. */
	s.text = "HTTP/1.1 200 OK\r\n\r\nwell\n";
	spec.http.body = bytes(MATCH_PATTERN, "^well$");
	ask(&spec, s.port);
	assert_said(PROBE_OK, "HTTP 200 and the expected body");
	server_stop(&s);
}

/* The same answer, whatever pieces it comes in. */
static void answers_parse_the_same_in_every_cut(void **state)
{
	static const struct {
		const char *text;
		uint8_t stage;
		uint16_t status;
		const char *body;
	} rows[] = {
		{"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", HTTP_DONE, 200, "hello"},
		{"HTTP/1.1 200 OK\nContent-Length:5\n\nhello", HTTP_DONE, 200, "hello"},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: "
		 "chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
		 HTTP_DONE, 200, "hello"},
		{"HTTP/1.1 200 OK\r\n\r\nhe", HTTP_BODY, 200, "he"},
		{"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", HTTP_DONE, 304, ""},
		{"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", HTTP_BAD, 200, ""},
		{"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n", HTTP_BAD,
		 200, ""},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", HTTP_BAD, 200,
		 ""},
		{"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", HTTP_BAD, 200, ""},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", HTTP_BAD, 200, ""},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello", HTTP_BAD, 200,
		 "he"},
		{"HTTP/2 200\r\n\r\n", HTTP_BAD, 0, ""},
		{"HTTP/1.1 20\r\n\r\n", HTTP_BAD, 0, ""},
		{"hello\r\n", HTTP_BAD, 0, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = strlen(rows[i].text);

		for (size_t piece = 1; piece <= len; piece++) {
			char body[64] = "";
			struct http_answer a = {.body = body, .body_room = sizeof(body)};
			size_t have = 0, used = 0;

			while (have < len) {
				have = have + piece < len ? have + piece : len;
				used += http_answer_take(&a, rows[i].text + used, have - used);
			}
			if (rows[i].stage == HTTP_BAD && a.stage != HTTP_BAD)
				http_answer_close(&a);
			assert_int_equal(a.stage, rows[i].stage);
			assert_int_equal(a.status, rows[i].status);
			assert_int_equal(a.body_len, strlen(rows[i].body));
			assert_memory_equal(body, rows[i].body, a.body_len);
		}
	}
}

static void patterns_take_posix_syntax_and_refuse_what_differs(void **state)
{
	static const struct {
		const char *pattern, *text;
		int found;
	} rows[] = {
		{"^[[:space:]]*[[:digit:]]+$", "  42", 1},
		{"a.c", "a\nc", 1},
		{"end$", "end\n", 0},
		{"(one|two) three", "two three", 1},
		{"x{2,3}", "axxb", 1},
	};
	static const char *const bad[] = {"(",	"[[:nothing:]]", "\\<word\\>",
					  "*a", "(*UTF)a",	 "(((((((((a{500}){500}){500}",
					  "\\C"};
	struct pattern_cache *c;
	char why[128] = "", longer[CHECK_MAX_PATTERN + 2];
	size_t end;

	(void)state;
	assert_int_equal(pattern_cache_create(&c), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(pattern_find(c, rows[i].pattern, strlen(rows[i].pattern),
					      rows[i].text, strlen(rows[i].text), &end),
				 rows[i].found);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why[0] = '\0';
		assert_int_equal(pattern_check(bad[i], strlen(bad[i]), why, sizeof(why)), -EINVAL);
		assert_int_not_equal(why[0], '\0');
	}
	memset(longer, 'a', sizeof(longer));
	assert_int_equal(pattern_check(longer, sizeof(longer), why, sizeof(why)), -EINVAL);
	pattern_cache_destroy(c);
}

static void https_verifies_only_on_request_and_says_what_is_wrong(void **state)
{
	char pem[] = "/tmp/plvs-health-XXXXXX";
	int fd = mkstemp(pem);
	struct check_spec spec = http();
	struct test_server s = {
		.base = env.base, .manner = ANSWERS, .text = "HTTP/1.1 200 OK\r\n\r\n"};

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	s.tls = server_tls(pem, false);
	server_start(&s);
	spec.tls.on = true;
	ask(&spec, s.port);
	assert_said(PROBE_OK, "HTTP 200");
	spec.tls.verify = true;
	ask(&spec, s.port);
	assert_said(PROBE_FAIL, "certificate: self-signed");
	spec.tls.ca_file = pem;
	ask(&spec, s.port);
	assert_said(PROBE_OK, "HTTP 200");
	spec.tls.sni = (char *)"good.example";
	ask(&spec, s.port);
	assert_said(PROBE_OK, "HTTP 200");
	spec.tls.sni = (char *)"other.example";
	ask(&spec, s.port);
	assert_said(PROBE_FAIL, "certificate: hostname mismatch");
	SSL_CTX_free(s.tls);
	/* The file changes, and so does what is believed. */
	s.tls = server_tls(pem, true);
	spec.tls.sni = NULL;
	ask(&spec, s.port);
	assert_said(PROBE_FAIL, "certificate has expired");
	spec.tls.ca_file = (char *)"/nonexistent.pem";
	ask(&spec, s.port);
	assert_said(PROBE_ERROR, "/nonexistent.pem");
	SSL_CTX_free(s.tls);
	server_stop(&s);
	unlink(pem);
}

static void tls_sessions_are_resumed_only_where_nothing_is_verified(void **state)
{
	char pem[] = "/tmp/plvs-health-XXXXXX";
	int fd = mkstemp(pem);
	struct check_spec spec = http();
	struct test_server s = {.base = env.base,
				.manner = ANSWERS,
				.text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"};

	(void)state;
	close(fd);
	s.tls = server_tls(pem, false);
	server_start(&s);
	spec.tls.on = true;
	spec.http.body = bytes(MATCH_LITERAL, "ok");
	for (int i = 0; i < 5; i++) {
		ask(&spec, s.port);
		assert_said(PROBE_OK, "HTTP 200");
	}
	event_base_loop(env.base, EVLOOP_NONBLOCK);
	assert_true(s.resumed >= 3);
	s.resumed = 0;
	spec.tls.verify = true;
	spec.tls.ca_file = pem;
	for (int i = 0; i < 5; i++)
		ask(&spec, s.port);
	event_base_loop(env.base, EVLOOP_NONBLOCK);
	assert_said(PROBE_OK, "HTTP 200");
	assert_int_equal(s.resumed, 0);
	SSL_CTX_free(s.tls);
	server_stop(&s);
	unlink(pem);
}

static void scripts_speak_tls_too(void **state)
{
	struct match steps[] = {
		bytes(MATCH_PREFIX, "220 "),
		bytes(MATCH_SEND, "NOOP\r\n"),
		/* The rest of the greeting is no part of the answer. */
		bytes(MATCH_PREFIX, "250 ok"),
	};
	struct check_spec spec = {
		.type = CHECK_SCRIPT, .steps = steps, .n_steps = 3, .tls = {.on = true}};
	struct test_server s = {
		.base = env.base, .manner = GREETS, .text = "220 hello\r\n", .reply = "250 ok"};

	(void)state;
	s.tls = server_tls(NULL, false);
	server_start(&s);
	ask(&spec, s.port);
	assert_said(PROBE_OK, "2 answers as expected");
	SSL_CTX_free(s.tls);
	server_stop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_connects_are_told_from_refusals),
		cmocka_unit_test(servers_are_asked_at_ipv6_addresses),
		cmocka_unit_test(probes_leave_no_port_in_time_wait),
		cmocka_unit_test(checks_go_on_when_others_have_their_ports),
		cmocka_unit_test(too_few_descriptors_are_not_the_servers_failure),
		cmocka_unit_test(scripts_go_step_by_step),
		cmocka_unit_test(a_step_waits_no_longer_for_what_comes_byte_by_byte),
		cmocka_unit_test(http_judges_the_status),
		cmocka_unit_test(http_sends_method_host_and_headers),
		cmocka_unit_test(a_request_comes_behind_a_header_where_one_is_configured),
		cmocka_unit_test(http_looks_into_the_body_however_it_comes),
		cmocka_unit_test(a_check_comes_from_where_it_is_told),
		cmocka_unit_test(answers_parse_the_same_in_every_cut),
		cmocka_unit_test(patterns_take_posix_syntax_and_refuse_what_differs),
		cmocka_unit_test(https_verifies_only_on_request_and_says_what_is_wrong),
		cmocka_unit_test(tls_sessions_are_resumed_only_where_nothing_is_verified),
		cmocka_unit_test(scripts_speak_tls_too),
	};

	return cmocka_run_group_tests(tests, probe_env_setup, probe_env_teardown);
}
