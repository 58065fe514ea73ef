/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "rpc/openmetrics.h"
#include "rpc/scrape.h"

/* The server of metrics on a socket of its own, the clients in this thread. */

#define DEADLINE_MS 10000
#define N_CLIENTS   4
#define HEADER_MS   300
#define TOTAL_MS    1500

struct world {
	char dir[64], path[80];
	struct event_base *base;
	struct scrape_server *server;
	uint32_t lines;		 /* of a document */
	uint32_t fail_at;	 /* of a document's lines; 0 = never */
	uint32_t n_alive;	 /* documents */
	enum expo_format format; /* of the last document */
	size_t longest;		 /* slice */
};

struct document {
	uint32_t next;
};

static const struct scrape_page page = {
	.headers = "Content-Type: text/html\r\n", .body = "<p>page", .len = 7};

static void ignore(enum log_level level, const char *area, const char *line)
{
	(void)level;
	(void)area;
	(void)line;
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void *begin(void *arg, enum expo_format format)
{
	((struct world *)arg)->format = format;
	((struct world *)arg)->n_alive++;
	return calloc(1, sizeof(struct document));
}

static int more(void *arg, void *document, struct evbuffer *out, uint64_t end_us)
{
	struct document *d = document;
	struct world *w = arg;

	(void)end_us;
	while (d->next < w->lines && evbuffer_get_length(out) < SCRAPE_SLICE) {
		if (w->fail_at && d->next == w->fail_at)
			return -1;
		evbuffer_add_printf(out, "line %u\n", d->next++);
	}
	if (evbuffer_get_length(out) > w->longest)
		w->longest = evbuffer_get_length(out);
	return d->next < w->lines;
}

static void end(void *arg, void *document)
{
	((struct world *)arg)->n_alive--;
	free(document);
}

static bool reasons(void *arg, struct evbuffer *out)
{
	return ((struct world *)arg)->lines && evbuffer_add_printf(out, "{}") == 2;
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct scrape_options opt = {.page = &page,
				     .begin = begin,
				     .more = more,
				     .end = end,
				     .reasons = reasons,
				     .arg = w,
				     .max_clients = N_CLIENTS,
				     .max_documents = 2,
				     .max_header = 1024,
				     .header_ms = HEADER_MS,
				     .total_ms = TOTAL_MS};
	char error[256];

	log_set_sink(ignore);
	signal(SIGPIPE, SIG_IGN); /* as the router does */
	strcpy(w->dir, "/tmp/plvs-scrape-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof(w->path), "%s/sock", w->dir);
	w->base = event_base_new();
	w->lines = 10;
	opt.path = w->path;
	if (scrape_server_create(w->base, &opt, &w->server, error) < 0)
		fail_msg("%s", error);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	scrape_server_destroy(w->server);
	assert_int_equal(w->n_alive, 0);
	event_base_free(w->base);
	assert_int_equal(rmdir(w->dir), 0);
	free(w);
	return 0;
}

static void run_for(struct world *w, uint32_t ms)
{
	uint64_t until = now_ms() + ms;

	while (now_ms() < until) {
		event_base_loop(w->base, EVLOOP_NONBLOCK);
		poll(NULL, 0, 1);
	}
}

static int dial(const struct world *w)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	strcpy(sa.sun_path, w->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	(void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

/* All that comes until the other end closes; it is to close within the deadline. */
static char *hear(struct world *w, int fd, size_t *len)
{
	uint64_t until = now_ms() + DEADLINE_MS;
	size_t room = 1 << 16;
	char *text = malloc(room);
	ssize_t n = -1;

	*len = 0;
	while (now_ms() < until) {
		event_base_loop(w->base, EVLOOP_NONBLOCK);
		n = recv(fd, text + *len, room - *len - 1, 0);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			break;
		if (n > 0)
			*len += (size_t)n;
		if (room - *len < 4096)
			text = realloc(text, room *= 2);
	}
	if (n < 0 && errno == EAGAIN)
		fail_msg("the connection stays open");
	text[*len] = '\0';
	close(fd);
	return text;
}

static char *ask(struct world *w, const char *request)
{
	size_t len;
	int fd = dial(w);

	say(fd, request);
	return hear(w, fd, &len);
}

static void expect(struct world *w, const char *request, const char *status)
{
	char *text = ask(w, request);

	if (strncmp(text, "HTTP/1.1 ", 9) != 0 || strncmp(text + 9, status, strlen(status)) != 0)
		fail_msg("%s: %s", request, text);
	free(text);
}

/* The body of chunks; NULL: it is not whole. */
static char *dechunk(const char *text)
{
	const char *p = strstr(text, "\r\n\r\n");
	char *out = calloc(1, strlen(text) + 1), *to = out;

	for (p = p ? p + 4 : ""; *p;) {
		char *after;
		size_t n = strtoul(p, &after, 16);

		assert_int_equal(strncmp(after, "\r\n", 2), 0);
		if (n == 0)
			return out;
		if (strlen(after + 2) < n + 2)
			break;
		memcpy(to, after + 2, n);
		to += n;
		p = after + 2 + n + 2;
	}
	free(out);
	return NULL;
}

static void a_document_comes_whole_in_chunks(void **state)
{
	struct world *w = *state;
	struct scrape_counters c;
	char *text, *body;

	w->lines = 100000;
	text = ask(w, "GET /metrics?x=1 HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n");
	assert_int_equal(strncmp(text, "HTTP/1.1 200 OK\r\n", 17), 0);
	assert_non_null(strstr(text, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
	body = dechunk(text);
	assert_non_null(body);
	assert_int_equal(strncmp(body, "line 0\nline 1\n", 14), 0);
	assert_non_null(strstr(body, "\nline 99999\n"));
	assert_in_range(w->longest, 1, SCRAPE_SLICE + 64);
	free(body);
	free(text);
	scrape_server_counters(w->server, &c);
	assert_int_equal(c.answered, 1);
	assert_int_equal(c.broken + c.bad + c.refused, 0);
	/* An old client knows the end by the end. */
	text = ask(w, "GET /metrics HTTP/1.0\n\n");
	assert_null(strstr(text, "chunked"));
	assert_non_null(strstr(text, "\r\n\r\nline 0\n"));
	assert_non_null(strstr(text, "line 99999\n"));
	free(text);
}

static void what_is_no_request_for_it_is_answered_and_closed(void **state)
{
	struct world *w = *state;
	struct scrape_counters c;
	char big[4096];

	expect(w, "GET /x HTTP/1.1\r\n\r\n", "404");
	expect(w, "GET /metricsx HTTP/1.1\r\n\r\n", "404");
	expect(w, "POST /metrics HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", "405");
	expect(w, "HEAD /metrics HTTP/1.1\r\n\r\n", "200");
	expect(w, "GET /metrics\r\n\r\n", "400");
	expect(w, "GET /metrics SMTP\r\n\r\n", "400");
	expect(w, "\r\n\r\n", "400");
	expect(w, "\x16\x03\x01 \x01 \r\n\r\n", "400");
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	expect(w, big, "431");
	scrape_server_counters(w->server, &c);
	assert_int_equal(c.bad, 8);
	assert_int_equal(c.answered, 0);
}

static void a_page_is_served_at_the_root_only(void **state)
{
	struct world *w = *state;
	struct scrape_counters c;
	char *text;

	text = ask(w, "GET /?x HTTP/1.1\r\nAccept: text/html\r\n\r\n");
	assert_string_equal(text, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
				  "Content-Length: 7\r\nConnection: close\r\n\r\n<p>page");
	free(text);
	text = ask(w, "HEAD / HTTP/1.0\r\n\r\n");
	assert_string_equal(text, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
				  "Content-Length: 7\r\nConnection: close\r\n\r\n");
	free(text);
	expect(w, "POST / HTTP/1.1\r\n\r\n", "405");
	expect(w, "GET // HTTP/1.1\r\n\r\n", "404");
	expect(w, "GET /index.html HTTP/1.1\r\n\r\n", "404");
	expect(w, "GET /../ HTTP/1.1\r\n\r\n", "404");
	scrape_server_counters(w->server, &c);
	assert_int_equal(c.bad, 4);
	assert_int_equal(c.answered, 0);
}

static void the_small_document_is_made_at_once(void **state)
{
	struct world *w = *state;
	char *text;

	w->lines = 1;
	text = ask(w, "GET /reasons?x HTTP/1.1\r\n\r\n");
	assert_string_equal(text, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
				  "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n"
				  "Content-Length: 2\r\nConnection: close\r\n\r\n{}");
	free(text);
	text = ask(w, "HEAD /reasons HTTP/1.1\r\n\r\n");
	assert_non_null(strstr(text, "Content-Length: 2\r\n"));
	assert_null(strstr(text, "{}"));
	free(text);
	w->lines = 0;
	expect(w, "GET /reasons HTTP/1.1\r\n\r\n", "503");
	expect(w, "POST /reasons HTTP/1.1\r\n\r\n", "405");
}

#define OPENMETRICS "application/openmetrics-text"

static void the_accept_header_chooses_the_format(void **state)
{
	static const struct {
		const char *accept;
		enum expo_format format;
	} cases[] = {
		{NULL, EXPO_TEXT},
		{"", EXPO_TEXT},
		{"*/*", EXPO_TEXT},
		{"text/html,*/*;q=0.8", EXPO_TEXT},
		{OPENMETRICS, EXPO_OPENMETRICS},
		{"Application/OpenMetrics-Text ; Version=\"1.0.0\" ; Q=0.1", EXPO_OPENMETRICS},
		/* Prometheus 2.42 and 3. */
		{OPENMETRICS ";version=1.0.0," OPENMETRICS ";version=0.0.1;q=0.75,"
			     "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
		 EXPO_OPENMETRICS},
		{"application/vnd.google.protobuf;q=0.7," OPENMETRICS
		 ";version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.3",
		 EXPO_OPENMETRICS},
		{OPENMETRICS ";version=0.0.1,*/*;q=0.1", EXPO_TEXT},
		{OPENMETRICS ";version=1.0.0;q=0", EXPO_TEXT},
		{OPENMETRICS ";q=0.3,text/plain;q=0.5", EXPO_TEXT},
		{"text/plain;q=0.5, " OPENMETRICS ";q=0.5", EXPO_OPENMETRICS},
		{OPENMETRICS "x", EXPO_TEXT},
		{"x" OPENMETRICS, EXPO_TEXT},
		{OPENMETRICS ";q=nan", EXPO_TEXT},
		{OPENMETRICS ";q=-1", EXPO_TEXT},
		{OPENMETRICS ";q=", EXPO_TEXT},
		{";,;;q=;version=,,", EXPO_TEXT},
	};
	struct world *w = *state;
	char request[512], head[128], *text;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (expo_format_of(cases[i].accept) != cases[i].format)
			fail_msg("Accept: %s", cases[i].accept);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(request, sizeof(request),
			 "GET /metrics HTTP/1.1\r\nHost: a\r\n%s%s%sA: b\r\n\r\n",
			 cases[i].accept ? "aCCEPT:" : "", cases[i].accept ? cases[i].accept : "",
			 cases[i].accept ? "\r\n" : "");
		text = ask(w, request);
		snprintf(head, sizeof(head),
			 "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nVary: Accept\r\n",
			 expo_content_type(cases[i].format));
		assert_int_equal(strncmp(text, head, strlen(head)), 0);
		assert_int_equal(w->format, cases[i].format);
		free(text);
	}
}

static void heads_of_both_formats_say_the_same(void **state)
{
	static const struct expo_family info = {"a", EXPO_INFO, NULL, "A."},
					counter = {"b_seconds", EXPO_COUNTER, "seconds", "B."},
					gauge = {"c", EXPO_GAUGE, NULL, "C."};
	struct evbuffer *out = evbuffer_new();

	(void)state;
	for (enum expo_format f = EXPO_TEXT; f <= EXPO_OPENMETRICS; f++) {
		expo_head(out, f, &info);
		expo_count(out, &info, "x=\"y\"", 1);
		expo_head(out, f, &counter);
		expo_count(out, &counter, "", 2);
		expo_head(out, f, &gauge);
		expo_count(out, &gauge, "", 3);
		expo_end(out, f);
	}
	evbuffer_add(out, "", 1);
	assert_string_equal((char *)evbuffer_pullup(out, -1),
			    "# HELP a_info A.\n# TYPE a_info gauge\na_info{x=\"y\"} 1\n"
			    "# HELP b_seconds_total B.\n# TYPE b_seconds_total counter\n"
			    "b_seconds_total 2\n# HELP c C.\n# TYPE c gauge\nc 3\n"
			    "# TYPE a info\n# HELP a A.\na_info{x=\"y\"} 1\n"
			    "# TYPE b_seconds counter\n# UNIT b_seconds seconds\n"
			    "# HELP b_seconds B.\nb_seconds_total 2\n"
			    "# TYPE c gauge\n# HELP c C.\nc 3\n# EOF\n");
	evbuffer_free(out);
}

static void who_asks_slowly_or_not_at_all_is_closed(void **state)
{
	struct world *w = *state;
	struct scrape_counters c;
	uint64_t start = now_ms();
	size_t len;
	int fd = dial(w), drip = dial(w);

	for (int i = 0; i < 8 && now_ms() - start < 2 * HEADER_MS; i++) {
		say(drip, "G");
		run_for(w, HEADER_MS / 5);
	}
	free(hear(w, fd, &len));
	assert_int_equal(len, 0);
	free(hear(w, drip, &len));
	assert_int_equal(len, 0);
	assert_in_range(now_ms() - start, HEADER_MS / 2, DEADLINE_MS);
	scrape_server_counters(w->server, &c);
	assert_int_equal(c.broken, 2);
	assert_int_equal(c.clients, 0);
}

static void who_does_not_read_holds_one_slice_and_not_for_long(void **state)
{
	struct world *w = *state;
	struct scrape_counters c;
	int slow[2];

	w->lines = 10000000;
	for (int i = 0; i < 2; i++) {
		slow[i] = dial(w);
		say(slow[i], "GET /metrics HTTP/1.1\r\n\r\n");
	}
	run_for(w, 100);
	scrape_server_counters(w->server, &c);
	assert_int_equal(c.documents, 2);
	assert_int_equal(w->n_alive, 2);
	/* A third document has to wait; what is short is answered. */
	expect(w, "GET /metrics HTTP/1.1\r\n\r\n", "503");
	expect(w, "GET /x HTTP/1.1\r\n\r\n", "404");
	run_for(w, TOTAL_MS + 200);
	scrape_server_counters(w->server, &c);
	assert_int_equal(c.documents + c.clients, 0);
	assert_int_equal(w->n_alive, 0);
	assert_int_equal(c.broken, 2);
	w->lines = 10;
	expect(w, "GET /metrics HTTP/1.1\r\n\r\n", "200");
	close(slow[0]);
	close(slow[1]);
}

static void clients_are_bounded_and_the_idle_make_room(void **state)
{
	struct world *w = *state;
	int fds[3 * N_CLIENTS], asking[N_CLIENTS];
	struct scrape_counters c;

	for (int i = 0; i < 3 * N_CLIENTS; i++)
		fds[i] = dial(w);
	run_for(w, 50);
	scrape_server_counters(w->server, &c);
	assert_in_range(c.clients, 1, N_CLIENTS);
	expect(w, "GET /metrics HTTP/1.1\r\n\r\n", "200");
	/* Clients that are being answered do not. */
	w->lines = 10000000;
	for (int i = 0; i < 3 * N_CLIENTS; i++)
		close(fds[i]);
	run_for(w, 20);
	for (int i = 0; i < N_CLIENTS; i++) {
		asking[i] = dial(w);
		say(asking[i], i < 2 ? "GET /metrics HTTP/1.1\r\n\r\n" : "GET /x HTTP/1.1\r\n");
		run_for(w, 20);
	}
	for (int i = 2; i < N_CLIENTS; i++)
		say(asking[i], "\r\n");
	run_for(w, 20);
	expect(w, "GET /x HTTP/1.1\r\n\r\n", "404");
	for (int i = 0; i < N_CLIENTS; i++)
		close(asking[i]);
	run_for(w, 50);
	scrape_server_counters(w->server, &c);
	assert_int_equal(c.clients, 0);
}

static void a_document_that_fails_is_seen_to_be_cut(void **state)
{
	struct world *w = *state;
	char *text;

	w->lines = 100000;
	w->fail_at = 50000;
	text = ask(w, "GET /metrics HTTP/1.1\r\n\r\n");
	assert_int_equal(strncmp(text, "HTTP/1.1 200", 12), 0);
	assert_null(dechunk(text));
	free(text);
}

static void labels_are_escaped_and_never_cut(void **state)
{
	char labels[32] = "";

	(void)state;
	expo_label(labels, sizeof(labels), "a", "x\"y\\z\n");
	assert_string_equal(labels, "a=\"x\\\"y\\\\z\\n\"");
	expo_label(labels, sizeof(labels), "b", "0123456789");
	assert_string_equal(labels, "a=\"x\\\"y\\\\z\\n\",b=\"0123456789\"");
	expo_label(labels, sizeof(labels), "c", "1");
	assert_string_equal(labels, "a=\"x\\\"y\\\\z\\n\",b=\"0123456789\"");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_document_comes_whole_in_chunks),
		T(what_is_no_request_for_it_is_answered_and_closed),
		T(a_page_is_served_at_the_root_only),
		T(the_small_document_is_made_at_once),
		T(the_accept_header_chooses_the_format),
		cmocka_unit_test(heads_of_both_formats_say_the_same),
		T(who_asks_slowly_or_not_at_all_is_closed),
		T(who_does_not_read_holds_one_slice_and_not_for_long),
		T(clients_are_bounded_and_the_idle_make_room),
		T(a_document_that_fails_is_seen_to_be_cut),
		cmocka_unit_test(labels_are_escaped_and_never_cut),
	};

	return cmocka_run_group_tests_name("metrics over http", tests, NULL, NULL);
}
