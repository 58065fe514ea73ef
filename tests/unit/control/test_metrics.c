/* SPDX-License-Identifier: BSD-3-Clause */
/* The page at /metrics: its form, its page of documentation, and what it costs others. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "control_bed.h"

#define N_SERVICES 10000
#define N_SERVERS  4
/* Of the control thread's own time. Meant are 20 ms; a machine whose caches belong to others
 * takes twice that. */
#define MAX_STEP_MS 40

/* A router with metrics on a socket beside its own, in place of the fixture's. */
static void start_with(struct fixture *f, uint32_t n_services, uint32_t n_servers)
{
	FILE *t = fopen(f->file, "w");
	size_t room = 1 << 23;
	char *text = malloc(room);

	close(f->fd);
	control_stop(f->control);
	control_destroy(f->control);
	identity_feed_fini(&f->identities);
	fprintf(t,
		"{\"node\":{\"name\":\"lb\",\"ports\":[{\"name\":\"public\",\"device\":\"d0\"}],"
		"\"control\":{\"socket\":\"%s\"},\"metrics\":{\"socket\":\"%s.m\"}},\"shared\":{"
		"\"services\":[",
		f->path, f->path);
	for (uint32_t i = 0; i < n_services; i++) {
		fprintf(t,
			"%s{\"name\":\"s%u\",\"protocol\":\"tcp\",\"listen\":\"192.%u.%u.1:80\","
			"\"servers\":[",
			i ? ",\n" : "", i, i / 250 + 1, i % 250);
		for (uint32_t k = 0; k < n_servers; k++)
			fprintf(t, "%s{\"address\":\"10.%u.%u.%u:80\",\"weight\":%u}", k ? "," : "",
				i / 250, i % 250, k + 1, k + 1);
		fprintf(t, "]}");
	}
	fprintf(t, "]}}\n");
	fclose(t);
	t = fopen(f->file, "r");
	text[fread(text, 1, room - 1, t)] = '\0';
	fclose(t);
	start(f, parse(text));
	free(text);
}

#define OPENMETRICS "GET /metrics HTTP/1.0\r\nAccept: application/openmetrics-text\r\n\r\n"

static int scrape_dial(const struct fixture *f, const char *request)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s.m", f->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(send(fd, request, strlen(request), 0), (ssize_t)strlen(request));
	return fd;
}

/* The whole answer. */
static char *ask_http(const struct fixture *f, const char *request)
{
	size_t len = 0, room = 1 << 20;
	char *text = malloc(room);
	int fd = scrape_dial(f, request);
	ssize_t n;

	while ((n = recv(fd, text + len, room - len - 1, 0)) > 0) {
		len += (size_t)n;
		if (room - len < 65536)
			text = realloc(text, room *= 2);
	}
	close(fd);
	text[len] = '\0';
	return text;
}

/* The body of a document. */
static char *scrape(const struct fixture *f)
{
	char *text = ask_http(f, OPENMETRICS), *body = strstr(text, "\r\n\r\n");

	assert_non_null(body);
	memmove(text, body + 4, strlen(body + 4) + 1);
	return text;
}

static void has_line(const char *text, const char *line)
{
	size_t len = strlen(line);

	for (const char *p = text; (p = strstr(p, line)) != NULL; p++)
		if ((p == text || p[-1] == '\n') && p[len] == '\n')
			return;
	fail_msg("no line \"%s\"", line);
}

static void services_and_servers_are_shown_with_what_health_makes_of_them(void **state)
{
	struct fixture *f = *state;
	char *text;

	start_with(f, 2, 3);
	do_it(f, "health.force",
	      "{\"service\":\"s1\",\"server\":\"10.0.1.2:80\",\"state\":\"maintenance\"}");
	text = scrape(f);
	has_line(text, "plvs_service_info{service=\"tcp:192.1.1.1:80\",name=\"s1\",scheduler="
		       "\"wlc\"} 1");
	has_line(text, "plvs_service_servers{service=\"tcp:192.1.1.1:80\"} 3");
	has_line(text, "plvs_service_servers_up{service=\"tcp:192.1.1.1:80\"} 2");
	has_line(text, "plvs_service_quorum_held{service=\"tcp:192.1.1.1:80\"} 1");
	has_line(text, "plvs_server_weight{service=\"tcp:192.1.0.1:80\",server=\"10.0.0.3:80\"} 3");
	has_line(text, "plvs_server_state{service=\"tcp:192.1.1.1:80\",server=\"10.0.1.2:80\"} 3");
	has_line(text, "plvs_server_forced{service=\"tcp:192.1.1.1:80\",server=\"10.0.1.2:80\"} 3");
	has_line(text, "plvs_server_chosen{service=\"tcp:192.1.1.1:80\",server=\"10.0.1.2:80\"} 0");
	has_line(text, "plvs_server_transitions_total{service=\"tcp:192.1.1.1:80\",server="
		       "\"10.0.1.2:80\"} 1");
	has_line(text, "plvs_services 2");
	has_line(text, "plvs_health_members 6");
	has_line(text, "plvs_health_edges_total 1");
	assert_string_equal(text + strlen(text) - 7, "\n# EOF\n");
	free(text);
	/* The one before was whole by then. */
	text = scrape(f);
	has_line(text, "plvs_metrics_answered_total 1");
	free(text);
	/* Words, of the server that is not up alone. */
	text = ask_http(f, "GET /reasons HTTP/1.0\r\n\r\n");
	assert_non_null(strstr(text, "\r\n\r\n{\"reasons\":[{\"service\":\"tcp:192.1.1.1:80\","
				     "\"server\":\"10.0.1.2:80\",\"reason\":\""));
	assert_null(strstr(text, "10.0.1.1:80"));
	free(text);
}

/* Rows of docs/metrics.md as "name|type|unit", and families of a document. */
static void every_family_is_documented(void **state)
{
	struct fixture *f = *state;
	const char *source = getenv("PLVS_SOURCE");
	char path[512], *page = calloc(1, 1 << 18), *text, *save = NULL;
	uint32_t families = 0, rows = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/docs/metrics.md", source ? source : ".");
	file = fopen(path, "r");
	assert_non_null(file);
	assert_true(fread(page, 1, (1 << 18) - 1, file) > 0);
	fclose(file);
	start_with(f, 1, 1);
	text = scrape(f);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char name[96], type[16], row[160];

		if (sscanf(line, "# TYPE %95s %15s", name, type) != 2)
			continue;
		families++;
		snprintf(row, sizeof(row), "\n| `%s` | %s | ", name, type);
		if (!strstr(page, row))
			fail_msg("docs/metrics.md has no row for %s, a %s", name, type);
	}
	for (const char *p = page; (p = strstr(p, "\n| `plvs_")) != NULL; p++)
		rows++;
	assert_int_equal(rows, families);
	assert_true(families > 100);
	free(text);
	free(page);
}

/* The browser is told to load and to run nothing but the page, and the page wants nothing else.
 * Names become text: no call makes elements of them. */
static void the_page_has_no_foreign_parts(void **state)
{
	static const char *const foreign[] = {
		"//",	     " src=",	  " href=",	    "url(",	      "@import",
		"innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(",
		"Function(", "import(",	  " style=",	    " onclick=",      "<iframe",
		"<link",     "<form",	  "localStorage"};
	static const char *const headers[] = {
		"\r\nContent-Type: text/html; charset=utf-8\r\n",
		"\r\nContent-Security-Policy: default-src 'none'; script-src 'sha256-",
		"'; style-src 'sha256-",
		("'; connect-src 'self'; base-uri 'none'; form-action "
		 "'none'; frame-ancestors 'none'\r\n"),
		"\r\nX-Content-Type-Options: nosniff\r\n",
		"\r\nCache-Control: no-store\r\n"};
	struct fixture *f = *state;
	char *text, *body;

	start_with(f, 1, 1);
	text = ask_http(f, "GET / HTTP/1.0\r\n\r\n");
	body = strstr(text, "\r\n\r\n");
	assert_non_null(body);
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		if (!strstr(text, headers[i]) || strstr(text, headers[i]) > body)
			fail_msg("no header with %s", headers[i]);
	assert_null(strstr(text, "unsafe-"));
	assert_int_equal(strncmp(body + 4, "<!DOCTYPE html>\n", 16), 0);
	assert_string_equal(text + strlen(text) - 8, "</html>\n");
	assert_non_null(strstr(body, "fetch(\"/metrics\""));
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		if (strstr(body, foreign[i]))
			fail_msg("the page has %s", foreign[i]);
	free(text);
}

static uint64_t cpu_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void ten_thousand_services_keep_nobody_waiting(void **state)
{
	struct fixture *f = *state;
	uint64_t longest = 0, size = 0, start;
	static char buf[1 << 16];
	uint32_t pings = 0;
	clockid_t clock;
	ssize_t n = 1;
	int fd;

	start_with(f, N_SERVICES, N_SERVERS);
	assert_int_equal(pthread_getcpuclockid(f->control->thread, &clock), 0);
	do_it(f, "log.level", "{}");
	start = clock_us();
	fd = scrape_dial(f, OPENMETRICS);
	do {
		uint64_t cpu = cpu_us(clock);

		do_it(f, "log.level", "{}");
		cpu = cpu_us(clock) - cpu;
		longest = cpu > longest ? cpu : longest;
		pings++;
		while ((n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
			size += (uint64_t)n;
	} while (n < 0 && errno == EAGAIN);
	close(fd);
	assert_int_equal(n, 0);
	printf("%.1f MB in %.0f ms, %u pings meanwhile: %.1f ms of the control thread the "
	       "longest\n",
	       (double)size / 1e6, (double)(clock_us() - start) / 1e3, pings,
	       (double)longest / 1e3);
	assert_true(size > N_SERVICES * N_SERVERS * 1000);
	assert_true(pings > 2); /* a scrape in one step leaves room for one */
	if (longest > MAX_STEP_MS * 1000)
		fail_msg("others waited for %.1f ms of work", (double)longest / 1e3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(services_and_servers_are_shown_with_what_health_makes_of_them),
		T(every_family_is_documented),
		T(the_page_has_no_foreign_parts),
		T(ten_thousand_services_keep_nobody_waiting),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
