/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "rpc/rpc_server.h"

/*
 * The server runs on a thread of its own; the test is its client. Methods: "echo" answers
 * its parameters, "fail" an error, "later" answers when "now" comes, "big" answers
 * params.bytes of text, "rows" sends params.n rows.
 */

#define DEADLINE_MS 10000

struct fixture {
	char dir[64], path[80];
	struct event_base *base;
	struct rpc_server *server;
	struct event *stop;
	pthread_t thread;
	int pipe[2];
	struct rpc_request *held;
};

static void silent(enum log_level level, const char *area, const char *line)
{
	(void)level;
	(void)area;
	(void)line;
}

static void dispatch(void *arg, struct rpc_request *req, const char *method, json_t *params)
{
	struct fixture *f = arg;

	if (strcmp(method, "echo") == 0) {
		rpc_answer(req, params ? json_incref(params) : NULL);
	} else if (strcmp(method, "later") == 0) {
		f->held = req;
	} else if (strcmp(method, "now") == 0) {
		if (f->held)
			rpc_answer(f->held, json_pack("{s:b}", "late", 1));
		f->held = NULL;
		rpc_answer(req, NULL);
	} else if (strcmp(method, "big") == 0) {
		size_t n = (size_t)json_integer_value(json_object_get(params, "bytes"));
		char *text = malloc(n + 1);

		memset(text, 'x', n);
		rpc_answer(req, json_pack("{s:o}", "text", json_stringn(text, n)));
		free(text);
	} else if (strcmp(method, "rows") == 0) {
		int n = (int)json_integer_value(json_object_get(params, "n"));

		for (int i = 0; i < n; i++)
			rpc_rows(req, json_pack("[{s:i}]", "i", i));
		rpc_answer(req, json_pack("{s:i}", "count", n));
	} else {
		rpc_fail(req, RPC_NO_METHOD, NULL, "no such method: %s", method);
	}
}

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
	struct fixture *f = arg;

	(void)fd;
	(void)what;
	event_base_loopbreak(f->base);
}

static void *run(void *arg)
{
	struct fixture *f = arg;

	event_base_dispatch(f->base);
	return NULL;
}

static struct rpc_options options_of(struct fixture *f)
{
	return (struct rpc_options){
		.path = f->path,
		.dispatch = dispatch,
		.arg = f,
		.max_clients = 50,
		.half_request_ms = 200,
		.max_request = 1 << 20,
		.max_backlog = 8 << 20,
	};
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct rpc_options opt;
	char error[256] = "";

	log_set_sink(silent);
	strcpy(f->dir, "/tmp/plvs-rpc-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/sock", f->dir);
	opt = options_of(f);
	f->base = event_base_new();
	if (rpc_server_create(f->base, &opt, &f->server, error) < 0)
		fail_msg("%s", error);
	assert_int_equal(pipe(f->pipe), 0);
	f->stop = event_new(f->base, f->pipe[0], EV_READ, on_stop, f);
	event_add(f->stop, NULL);
	assert_int_equal(pthread_create(&f->thread, NULL, run, f), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(write(f->pipe[1], "x", 1), 1);
	pthread_join(f->thread, NULL);
	rpc_server_destroy(f->server);
	assert_int_equal(access(f->path, F_OK), -1);
	if (f->held)
		rpc_answer(f->held, NULL);
	event_free(f->stop);
	event_base_free(f->base);
	close(f->pipe[0]);
	close(f->pipe[1]);
	rmdir(f->dir);
	free(f);
	return 0;
}

static int dial(const struct fixture *f)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(sa.sun_path, f->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		assert_true(n > 0);
		text += n;
		len -= (size_t)n;
	}
}

/* A line, or NULL at the end of the connection. Fails at the deadline. */
static char *hear(int fd)
{
	size_t len = 0, cap = 256;
	char *line = malloc(cap);

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n;

		if (poll(&p, 1, DEADLINE_MS) != 1)
			fail_msg("no answer within %d ms", DEADLINE_MS);
		n = recv(fd, line + len, 1, 0);
		if (n <= 0) {
			assert_int_equal(len, 0);
			free(line);
			return NULL;
		}
		if (line[len] == '\n') {
			line[len] = '\0';
			return line;
		}
		if (++len + 1 == cap)
			line = realloc(line, cap *= 2);
	}
}

static void expect(int fd, const char *answer)
{
	char *line = hear(fd);

	assert_non_null(line);
	assert_string_equal(line, answer);
	free(line);
}

static void expect_code(int fd, int code)
{
	char *line = hear(fd);
	json_t *doc;
	int got;

	assert_non_null(line);
	doc = json_loads(line, 0, NULL);
	assert_non_null(doc);
	assert_int_equal(json_unpack(doc, "{s:{s:i}}", "error", "code", &got), 0);
	assert_int_equal(got, code);
	json_decref(doc);
	free(line);
}

static void expect_end(int fd)
{
	char *line = hear(fd);

	if (line)
		fail_msg("the connection should have ended: %s", line);
	close(fd);
}

#define ECHO	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":{\"a\":1}}\n"
#define ECHO_ANSWER "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"a\":1}}"

static void expect_served(const struct fixture *f)
{
	int fd = dial(f);

	say(fd, ECHO);
	expect(fd, ECHO_ANSWER);
	close(fd);
}

static void a_request_is_answered_with_its_id(void **state)
{
	int fd = dial(*state);

	say(fd, ECHO);
	expect(fd, ECHO_ANSWER);
	say(fd, "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"echo\"}\r\n\n");
	expect(fd, "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"result\":{}}");
	close(fd);
}

static void the_socket_is_for_its_owner_only(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void pipelined_requests_are_all_answered(void **state)
{
	int fd = dial(*state);
	char *all = malloc(500 * sizeof(ECHO));

	all[0] = '\0';
	for (int i = 0; i < 500; i++)
		strcpy(all + (size_t)i * (sizeof(ECHO) - 1), ECHO);
	say(fd, all);
	for (int i = 0; i < 500; i++)
		expect(fd, ECHO_ANSWER);
	free(all);
	close(fd);
}

static void a_request_may_come_byte_by_byte(void **state)
{
	int fd = dial(*state);

	for (const char *p = ECHO; *p; p++) {
		assert_int_equal(send(fd, p, 1, MSG_NOSIGNAL), 1);
		if ((p - ECHO) % 16 == 0)
			usleep(1000);
	}
	expect(fd, ECHO_ANSWER);
	close(fd);
}

static void what_is_not_json_ends_that_client_alone(void **state)
{
	int other = dial(*state), fd = dial(*state);

	say(fd, "GET / HTTP/1.1\r\n");
	expect_code(fd, RPC_NOT_JSON);
	expect_end(fd);
	say(other, ECHO);
	expect(other, ECHO_ANSWER);
	close(other);
}

static void what_is_not_a_request_is_refused_and_the_client_stays(void **state)
{
	static const char *const wrong[] = {
		"[]\n",
		"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}]\n",
		"1\n",
		"null\n",
		"{}\n",
		"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"echo\"}\n",
		"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"echo\"}\n",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}\n",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"echo\"}\n",
	};
	int fd = dial(*state);

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		say(fd, wrong[i]);
		expect_code(fd, RPC_NOT_REQUEST);
	}
	say(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":[1]}\n");
	expect_code(fd, RPC_BAD_PARAMS);
	say(fd, ECHO);
	expect(fd, ECHO_ANSWER);
	close(fd);
}

static void a_notification_is_not_answered(void **state)
{
	int fd = dial(*state);

	say(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"echo\"}\n"
		"{\"jsonrpc\":\"2.0\",\"method\":\"nonsense\"}\n" ECHO);
	expect(fd, ECHO_ANSWER);
	close(fd);
}

static void half_a_request_ends_after_its_time(void **state)
{
	int idle = dial(*state), fd = dial(*state);

	say(fd, "{\"jsonrpc\":\"2.0\",");
	expect_code(fd, RPC_NOT_REQUEST);
	expect_end(fd);
	/* A client that asks nothing may stay. */
	say(idle, ECHO);
	expect(idle, ECHO_ANSWER);
	close(idle);
}

static void a_request_over_the_limit_is_refused(void **state)
{
	int fd = dial(*state);
	char *text = malloc(65536);
	char *line;

	memset(text, ' ', 65536);
	/* The server stops reading: sending must not block for ever. */
	for (int i = 0; i < 64; i++)
		if (send(fd, text, 65536, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
			struct pollfd p = {.fd = fd, .events = POLLIN};

			if (poll(&p, 1, 5) == 1)
				break;
		}
	line = hear(fd);
	assert_non_null(line);
	assert_non_null(strstr(line, "\"code\":4"));
	free(line);
	free(text);
	close(fd);
	expect_served(*state);
}

/* A line as long as the limit is taken, one byte more is not: whole lines and halves alike. */
static void the_limit_of_a_request_is_exact(void **state)
{
	const size_t limit = 1 << 20;
	const char *const ends[] = {"\n", "x"};
	char *text = malloc(limit + 64);

	for (size_t over = 0; over <= 1; over++) {
		for (size_t k = 0; k <= over; k++) {
			int fd = dial(*state);
			char *line;

			memset(text, ' ', limit + over);
			memcpy(text, ECHO, strlen(ECHO) - 1);
			text[limit + over] = '\0';
			say(fd, text);
			(void)!send(fd, ends[k], 1, MSG_NOSIGNAL); /* it may be closed */
			line = hear(fd);
			assert_non_null(line);
			if (over)
				assert_non_null(strstr(line, "\"code\":4"));
			else
				assert_string_equal(line, ECHO_ANSWER);
			free(line);
			close(fd);
		}
	}
	free(text);
	expect_served(*state);
}

static void who_hangs_up_loses_only_the_own_answer(void **state)
{
	int fd = dial(*state);

	say(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"later\"}\n" ECHO);
	expect(fd, ECHO_ANSWER);
	close(fd);
	fd = dial(*state);
	say(fd, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"now\"}\n");
	expect(fd, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}");
	close(fd);
}

static void who_closes_the_sending_half_still_gets_answers(void **state)
{
	int fd = dial(*state), other = dial(*state);

	say(fd, "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"later\"}\n{\"half\":");
	shutdown(fd, SHUT_WR);
	usleep(20000);
	say(other, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"now\"}\n");
	expect(fd, "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{\"late\":true}}");
	expect_end(fd);
	close(other);
}

static void who_does_not_read_is_disconnected_and_others_are_served(void **state)
{
	int fd = dial(*state);

	say(fd,
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"big\",\"params\":{\"bytes\":16777216}}\n");
	/* Nothing of it was sent: it was over the bound when it was ready. */
	expect_end(fd);
	expect_served(*state);
}

static void requests_wait_while_answers_are_not_read(void **state)
{
	int fd = dial(*state);
	size_t total = 0;
	char buf[65536];

	for (int i = 0; i < 20; i++)
		say(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"big\",\"params\":{\"bytes\":"
			"1000000}}\n");
	usleep(50000);
	expect_served(*state);
	while (total < 20 * 1000000) {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);

		assert_true(n > 0);
		total += (size_t)n;
	}
	close(fd);
}

static void a_stream_comes_in_parts_and_ends_with_its_answer(void **state)
{
	int fd = dial(*state);

	say(fd, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"rows\",\"params\":{\"n\":2}}\n");
	expect(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"rows\",\"params\":{\"id\":7,\"rows\":[{\"i\":"
		   "0}]}}");
	expect(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"rows\",\"params\":{\"id\":7,\"rows\":[{\"i\":"
		   "1}]}}");
	expect(fd, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"count\":2}}");
	close(fd);
}

static void clients_over_the_limit_are_told_so(void **state)
{
	int fds[50], over;

	for (int i = 0; i < 50; i++)
		fds[i] = dial(*state);
	/* The last of them has been accepted when it is answered. */
	say(fds[49], ECHO);
	expect(fds[49], ECHO_ANSWER);
	over = dial(*state);
	expect_code(over, RPC_LIMIT);
	expect_end(over);
	for (int i = 0; i < 50; i++) {
		say(fds[i], ECHO);
		expect(fds[i], ECHO_ANSWER);
		close(fds[i]);
	}
}

static int open_second(struct fixture *f, char error[256])
{
	struct rpc_options opt = options_of(f);
	struct event_base *base = event_base_new();
	struct rpc_server *second = NULL;
	int ret = rpc_server_create(base, &opt, &second, error);

	rpc_server_destroy(second);
	event_base_free(base);
	return ret;
}

static void a_socket_in_use_is_not_taken(void **state)
{
	char error[256];

	assert_int_equal(open_second(*state, error), -EADDRINUSE);
	assert_non_null(strstr(error, "listens"));
	expect_served(*state);
}

static void a_stale_socket_is_replaced_and_another_file_is_not(void **state)
{
	struct fixture *f = *state, other = *f;
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	char error[256];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(other.path, sizeof(other.path), "%s/stale", f->dir);
	strcpy(sa.sun_path, other.path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	close(fd);
	assert_int_equal(open_second(&other, error), 0);
	assert_int_equal(access(other.path, F_OK), -1);

	fd = open(other.path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(open_second(&other, error), -EEXIST);
	assert_int_equal(unlink(other.path), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_request_is_answered_with_its_id),
		T(the_socket_is_for_its_owner_only),
		T(pipelined_requests_are_all_answered),
		T(a_request_may_come_byte_by_byte),
		T(what_is_not_json_ends_that_client_alone),
		T(what_is_not_a_request_is_refused_and_the_client_stays),
		T(a_notification_is_not_answered),
		T(half_a_request_ends_after_its_time),
		T(a_request_over_the_limit_is_refused),
		T(the_limit_of_a_request_is_exact),
		T(who_hangs_up_loses_only_the_own_answer),
		T(who_closes_the_sending_half_still_gets_answers),
		T(who_does_not_read_is_disconnected_and_others_are_served),
		T(requests_wait_while_answers_are_not_read),
		T(a_stream_comes_in_parts_and_ends_with_its_answer),
		T(clients_over_the_limit_are_told_so),
		T(a_socket_in_use_is_not_taken),
		T(a_stale_socket_is_replaced_and_another_file_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
