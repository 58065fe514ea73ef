/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control connections of a fleet with hostile ends: strangers at the port of a member, a member
 * with the key that asks for nonsense, and a member with the key that answers nonsense. Each is
 * refused with a sentence, changes nothing, and the next member is served.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>

#include "control_bed.h"
#include "control/fleet_keys.h"
#include "link/nlreq.h"

#define OWN_PORT   7696 /* of the router, in a network namespace of the test's own */
#define OTHER_PORT 7697 /* of the member that the test is */

#define KEY	  "1 hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define OTHER_KEY "1 hex:ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"

#define SHARED                                                                                     \
	"{\"ha\":{\"mode\":\"fleet\",\"members\":["                                                \
	"{\"name\":\"lb1\",\"address\":\"127.0.0.1:7696\"},"                                       \
	"{\"name\":\"lb2\",\"address\":\"127.0.0.1:7697\"},"                                       \
	"{\"name\":\"lb3\",\"address\":\"127.0.0.1:7698\"}]},"                                     \
	"\"services\":[{\"name\":\"web\",\"protocol\":\"tcp\",\"listen\":[\"192.0.2.80:80\"],"     \
	"\"scheduler\":\"mh\",\"forward\":\"dr\",\"adopt\":true,\"servers\":["                     \
	"{\"address\":\"10.0.0.1:80\"}]}]}"

static bool has_netns;

struct wire {
	struct fixture f;
	char key[96], other_key[96];
	struct fleet_keys *keys, *other_keys;
	char digest[CONFIG_DIGEST_STRLEN];
};

static void key_put(char path[96], const struct wire *w, const char *name, const char *text)
{
	FILE *file;

	snprintf(path, 96, "%s/%s", w->f.dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, 0600), 0);
}

static void digest_get(struct wire *w, char out[CONFIG_DIGEST_STRLEN])
{
	json_t *status = get(&w->f, "fleet.status", "{}");

	snprintf(out, CONFIG_DIGEST_STRLEN, "%s",
		 json_string_value(json_object_get(status, "digest")));
	json_decref(status);
}

static int wire_setup(void **state)
{
	struct wire *w;
	char text[4096], error[ERROR_TEXT];
	struct fixture *f;

	if (!has_netns)
		return 0;
	w = calloc(1, sizeof(*w));
	f = &w->f;
	log_set_sink(remember);
	strcpy(f->dir, "/tmp/plvs-wire-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/sock", f->dir);
	snprintf(f->file, sizeof(f->file), "%s/plvs.json", f->dir);
	key_put(w->key, w, "key", KEY);
	key_put(w->other_key, w, "other", OTHER_KEY);
	assert_int_equal(fleet_keys_create(w->key, &w->keys, error), 0);
	assert_int_equal(fleet_keys_create(w->other_key, &w->other_keys, error), 0);
	snprintf(text, sizeof(text),
		 "{\"node\":{\"name\":\"lb1\",\"ports\":[{\"name\":\"public\",\"device\":\"d0\"}],"
		 "\"control\":{\"socket\":\"%s\",\"fleet\":\"127.0.0.1:7696\"},"
		 "\"ha\":{\"key_file\":\"%s\"}},\"shared\":" SHARED "}",
		 f->path, w->key);
	write_file(f, text);
	assert_int_equal(runtime_init(&f->pub.runtime), 0);
	f->pub.grace = (struct grace){grace_start, grace_passed, f};
	start(f, parse(text));
	digest_get(w, w->digest);
	*state = w;
	return 0;
}

static int wire_teardown(void **state)
{
	struct wire *w = *state;
	struct fixture *f;

	if (!w)
		return 0;
	f = &w->f;
	close(f->fd);
	control_stop(f->control);
	control_destroy(f->control);
	identity_feed_fini(&f->identities);
	runtime_fini(&f->pub.runtime);
	fleet_keys_destroy(w->keys);
	fleet_keys_destroy(w->other_keys);
	unlink(f->file);
	unlink(w->key);
	unlink(w->other_key);
	rmdir(f->dir);
	free(w);
	return 0;
}

#define NEED_NETNS()                                                                               \
	do {                                                                                       \
		if (!has_netns)                                                                    \
			skip();                                                                    \
	} while (0)

/* --- the test as a client --- */

static struct sockaddr_in at_port(uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void patience(int fd)
{
	static const struct timeval limit = {.tv_sec = DEADLINE_MS / 1000};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

static int stranger(void)
{
	const struct sockaddr_in to = at_port(OWN_PORT);
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	patience(fd);
	assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

struct end {
	int fd;
	SSL *ssl;
};

/* False: the handshake fails. */
static bool end_connect(struct end *e, SSL_CTX *ctx)
{
	e->fd = stranger();
	e->ssl = SSL_new(ctx);
	SSL_set_fd(e->ssl, e->fd);
	return SSL_connect(e->ssl) == 1;
}

static void end_close(struct end *e)
{
	SSL_free(e->ssl);
	close(e->fd);
	ERR_clear_error();
}

static void end_put(struct end *e, const char *text, size_t len)
{
	if (len)
		assert_true(SSL_write(e->ssl, text, (int)len) == (int)len);
}

/* A line of the other end, or "" at its end. */
static const char *end_line(struct end *e)
{
	static char line[65536];
	size_t n = 0;

	while (n + 1 < sizeof(line) && SSL_read(e->ssl, line + n, 1) == 1)
		if (line[n++] == '\n')
			break;
	line[n] = '\0';
	return line;
}

/* A member is served, and nothing has changed. */
static void all_is_well(struct wire *w)
{
	static const char request[] =
		"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"fleet.status\"}\n";
	char digest[CONFIG_DIGEST_STRLEN];
	struct end e;

	assert_true(end_connect(&e, fleet_keys_client(w->keys)));
	assert_true(tls_psk_proven(e.ssl));
	end_put(&e, request, sizeof(request) - 1);
	assert_non_null(strstr(end_line(&e), "\"member\":\"lb1\""));
	end_close(&e);
	digest_get(w, digest);
	assert_string_equal(digest, w->digest);
}

/* --- strangers --- */

static void strangers_bytes_are_no_requests(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} said[] = {
		{"", 0},
		{"GET / HTTP/1.0\r\n\r\n", 18},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"fleet.drain\"}\n", 49},
		{"\x16\x03\x01\xff\xff\x01", 6},
		{"\x16\x03\x01\x00\x00\x16\x03\x01\x00\x00", 10},
		{"\x17\x03\x03\x00\x10garbagegarbage!!", 21},
		{"\x80\x2e\x01\x00\x02", 5},
	};
	struct wire *w = *state;
	char big[70000], got;

	NEED_NETNS();
	memset(big, 0x16, sizeof(big));
	for (size_t i = 0; i <= sizeof(said) / sizeof(said[0]); i++) {
		const bool last = i == sizeof(said) / sizeof(said[0]);
		const int fd = stranger();

		(void)!send(fd, last ? big : said[i].bytes, last ? sizeof(big) : said[i].n,
			    MSG_NOSIGNAL);
		shutdown(fd, SHUT_WR);
		/* Alerts of TLS at the most, and then the end. */
		while (recv(fd, &got, 1, 0) == 1)
			assert_true(got != '{');
		close(fd);
		all_is_well(w);
	}
}

static void connections_of_strangers_make_room_for_members(void **state)
{
	struct wire *w = *state;
	int fds[100];

	NEED_NETNS();
	for (size_t i = 0; i < 100; i++)
		fds[i] = stranger();
	all_is_well(w);
	for (size_t i = 0; i < 100; i++)
		close(fds[i]);
	all_is_well(w);
}

static void without_the_key_no_handshake_ends(void **state)
{
	struct wire *w = *state;
	SSL_CTX *plain = SSL_CTX_new(TLS_client_method());
	struct end e;

	NEED_NETNS();
	SSL_CTX_set_verify(plain, SSL_VERIFY_NONE, NULL);
	assert_false(end_connect(&e, plain));
	end_close(&e);
	SSL_CTX_set_max_proto_version(plain, TLS1_2_VERSION);
	assert_false(end_connect(&e, plain));
	end_close(&e);
	SSL_CTX_free(plain);
	(void)end_connect(&e, fleet_keys_client(w->other_keys));
	assert_string_equal(end_line(&e), "");
	end_close(&e);
	all_is_well(w);
}

/* --- a member that asks for nonsense --- */

#define APPLY(text) "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"fleet.apply\",\"params\":" text "}"
#define TEXT(text)  APPLY("{\"text\":\"" text "\"}")

static void nonsense_of_a_member_is_refused_and_changes_nothing(void **state)
{
	static const char *const said[] = {
		"nonsense",
		"[]",
		"{}",
		"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"fleet.status\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"fleet.status\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"fleet.status\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"no.such\"}",
		APPLY("{}"),
		APPLY("[]"),
		APPLY("{\"text\":3}"),
		APPLY("{\"text\":null}"),
		APPLY("{\"text\":\"{}\",\"plan\":1}"),
		APPLY("{\"text\":\"{}\",\"other\":true}"),
		TEXT(""),
		TEXT("["),
		TEXT("[]"),
		TEXT("null"),
		TEXT("3"),
		TEXT("{\\\"shared\\\":3}"),
		TEXT("{\\\"shared\\\":null}"),
		TEXT("{\\\"shared\\\":[]}"),
		TEXT("{\\\"services\\\":3}"),
		TEXT("{\\\"services\\\":[{\\\"name\\\":\\\"web\\\",\\\"name\\\":\\\"x\\\"}]}"),
		TEXT("{\\\"services\\\":[{\\\"listen\\\":[\\\"999.0.2.80:80\\\"]}]}"),
		TEXT("{\\\"ha\\\":{\\\"mode\\\":\\\"fleet\\\",\\\"members\\\":[{\\\"name\\\":"
		     "\\\"x\\\"}]}}"),
		TEXT("{\\\"node\\\":{}}"),
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"fleet.ask\",\"params\":{\"member\":"
		"\"nobody\",\"method\":\"fleet.status\"}}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"fleet.ask\",\"params\":{\"member\":"
		"\"lb1\",\"method\":\"no.such\"}}",
	};
	struct wire *w = *state;

	NEED_NETNS();
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		const char *answer;
		struct end e;

		assert_true(end_connect(&e, fleet_keys_client(w->keys)));
		end_put(&e, said[i], strlen(said[i]));
		end_put(&e, "\n", 1);
		answer = end_line(&e);
		if (!strstr(answer, "\"error\":"))
			fail_msg("%s: %s", said[i], answer);
		end_close(&e);
	}
	all_is_well(w);
}

/* Text of a depth that no configuration has, and a request that has no end. */
static void depth_and_length_are_bounded(void **state)
{
	struct wire *w = *state;
	char *text = malloc(300000);
	struct end e;
	size_t n;

	NEED_NETNS();
	n = (size_t)sprintf(text, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"fleet.apply\","
				  "\"params\":{\"text\":\"");
	memset(text + n, '[', 200000);
	n += 200000;
	n += (size_t)sprintf(text + n, "\"}}\n");
	assert_true(end_connect(&e, fleet_keys_client(w->keys)));
	end_put(&e, text, n);
	assert_non_null(strstr(end_line(&e), "\"error\":"));
	end_close(&e);
	/* Half a request, and its sender goes. */
	assert_true(end_connect(&e, fleet_keys_client(w->keys)));
	end_put(&e, text, n / 2);
	end_close(&e);
	free(text);
	all_is_well(w);
}

/* --- a member that answers nonsense --- */

static int member_open(void)
{
	const struct sockaddr_in own = at_port(OTHER_PORT);
	const int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(fd, (const struct sockaddr *)&own, sizeof(own)), 0);
	assert_int_equal(listen(fd, 4), 0);
	patience(fd);
	return fd;
}

/* The router asks lb2, which the test is, and lb2 says so many bytes and hangs up. The answer of
 * the router's own control socket. */
static json_t *asked(struct wire *w, int listener, SSL_CTX *ctx, const char *answer, size_t len)
{
	struct end e;

	say(&w->f, "fleet.ask", "{\"member\":\"lb2\",\"method\":\"fleet.status\"}");
	e.fd = accept(listener, NULL, NULL);
	assert_true(e.fd >= 0);
	patience(e.fd);
	if (!ctx) { /* a member that does not speak TLS */
		(void)!send(e.fd, answer, len, MSG_NOSIGNAL);
		close(e.fd);
		return hear(&w->f);
	}
	e.ssl = SSL_new(ctx);
	SSL_set_fd(e.ssl, e.fd);
	if (SSL_accept(e.ssl) == 1) {
		assert_non_null(strstr(end_line(&e), "\"method\":\"fleet.status\""));
		end_put(&e, answer, len);
		(void)SSL_shutdown(e.ssl);
	}
	end_close(&e);
	return hear(&w->f);
}

static void nonsense_of_a_member_that_was_asked_is_told_as_such(void **state)
{
	static const struct {
		const char *answer, *part;
		int code;
	} rows[] = {
		{"", "hung up", RPC_AWAY},
		{"{\"result\":{}", "hung up", RPC_AWAY},
		{"nonsense\n", "answers what nobody understands", RPC_INVALID},
		{"\n", "answers what nobody understands", RPC_INVALID},
		{"[]\n", "answers what nobody understands", RPC_INVALID},
		{"null\n", "answers what nobody understands", RPC_INVALID},
		{"{}\n", "answers what nobody understands", RPC_INVALID},
		{"{\"error\":3}\n", "answers what nobody understands", RPC_INVALID},
		{"{\"error\":{\"code\":\"x\",\"message\":[]}}\n", "answers what nobody understands",
		 RPC_INVALID},
		{"{\"error\":{\"code\":1000000000000000000,\"message\":\"m\"}}\n", "member lb2: m",
		 RPC_INVALID},
		{"{\"error\":{\"code\":7,\"message\":\"m\"}}\n", "member lb2: m", RPC_INVALID},
		{"{\"error\":{\"code\":2,\"message\":\"m\"}}\n", "member lb2: m", RPC_NO_OBJECT},
		{"\xff\xfe\n", "answers what nobody understands", RPC_INVALID},
	};
	struct wire *w = *state;
	char *deep = malloc(200001);
	int fd;

	NEED_NETNS();
	fd = member_open();
	memset(deep, '[', 200000);
	deep[200000] = '\n';
	for (size_t i = 0; i <= sizeof(rows) / sizeof(rows[0]); i++) {
		const bool last = i == sizeof(rows) / sizeof(rows[0]);
		json_t *doc = asked(w, fd, fleet_keys_server(w->keys), last ? deep : rows[i].answer,
				    last ? 200001 : strlen(rows[i].answer));
		const json_t *error = json_object_get(doc, "error");
		const char *message = json_string_value(json_object_get(error, "message"));

		if (!message || !strstr(message, last ? "nobody understands" : rows[i].part))
			fail_msg("row %zu: %s", i, message ? message : "no error");
		assert_int_equal(json_integer_value(json_object_get(error, "code")),
				 last ? RPC_INVALID : rows[i].code);
		json_decref(doc);
	}
	close(fd);
	free(deep);
	all_is_well(w);
}

static void what_a_member_answers_is_passed_on(void **state)
{
	static const char answer[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"x\":[1,2]}}\n"
				     "{\"a second line\":\"nobody reads it\"}\n";
	struct wire *w = *state;
	json_t *doc;
	int fd;

	NEED_NETNS();
	fd = member_open();
	doc = asked(w, fd, fleet_keys_server(w->keys), answer, sizeof(answer) - 1);
	assert_int_equal(json_array_size(json_object_get(json_object_get(doc, "result"), "x")), 2);
	json_decref(doc);
	close(fd);
	all_is_well(w);
}

static void a_member_without_the_key_is_not_believed(void **state)
{
	static const char answer[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"x\":1}}\n";
	struct wire *w = *state;
	json_t *doc;
	int fd;

	NEED_NETNS();
	fd = member_open();
	for (int i = 0; i < 2; i++) {
		doc = asked(w, fd, i ? NULL : fleet_keys_server(w->other_keys), answer,
			    sizeof(answer) - 1);
		assert_null(json_object_get(doc, "result"));
		assert_non_null(strstr(json_string_value(json_object_get(
					       json_object_get(doc, "error"), "message")),
				       "same key"));
		json_decref(doc);
	}
	close(fd);
	expect_error(&w->f, "fleet.ask", "{\"member\":\"lb3\",\"method\":\"fleet.status\"}",
		     RPC_AWAY, "cannot be reached");
	all_is_well(w);
}

#define WIRE(test) cmocka_unit_test_setup_teardown(test, wire_setup, wire_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WIRE(strangers_bytes_are_no_requests),
		WIRE(connections_of_strangers_make_room_for_members),
		WIRE(without_the_key_no_handshake_ends),
		WIRE(nonsense_of_a_member_is_refused_and_changes_nothing),
		WIRE(depth_and_length_are_bounded),
		WIRE(nonsense_of_a_member_that_was_asked_is_told_as_such),
		WIRE(what_a_member_answers_is_passed_on),
		WIRE(a_member_without_the_key_is_not_believed),
	};
	struct nlreq req;

	signal(SIGPIPE, SIG_IGN);
	/* A user namespace where the test is not root. */
	has_netns = unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
	if (has_netns && nlreq_open(&req) == 0) {
		(void)nlreq_link_set_up(&req, 1);
		nlreq_close(&req);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
