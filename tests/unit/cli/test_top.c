/* SPDX-License-Identifier: BSD-3-Clause */
/* top on a terminal of 80 columns and 24 lines. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/session.h"
#include "fake_router.h"

#define SERVICES    40
#define DEADLINE_MS 10000

struct screen {
	struct fake_router *router;
	char *answer;
	int fd;
	pid_t pid;
	char text[1 << 20];
	size_t len;
};

/* 40 services; the rates fall with the number, those of bytes rise. */
static char *answer_make(void)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	fputs("{\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":{\"name\":\"lb1\",\"drops\":[],"
	      "\"services\":[",
	      f);
	for (int i = 1; i <= SERVICES; i++)
		fprintf(f,
			"%s{\"key\":\"tcp:192.0.2.%d:80\",\"name\":\"name%02d\",\"scheduler\":"
			"\"wlc\","
			"\"active\":%d,\"inactive\":0,\"rates\":{\"conns\":%d,\"in_pkts\":7,"
			"\"out_pkts\":7,\"in_bytes\":%d,\"out_bytes\":0},\"servers\":[]}",
			i > 1 ? "," : "", i, i, i, 1000 - i, i);
	fputs("]}}\n", f);
	fclose(f);
	return text;
}

static int top_start(void **state)
{
	struct winsize size = {.ws_row = 24, .ws_col = 80};
	struct screen *s = calloc(1, sizeof(*s));
	char *argv[] = {(char *)"plvsctl",  (char *)"--socket", NULL, (char *)"top",
			(char *)"interval", (char *)"100ms",	NULL};

	assert_non_null(s);
	s->answer = answer_make();
	s->router = fake_router_start(s->answer, 0);
	argv[2] = (char *)(uintptr_t)fake_router_path(s->router);
	s->pid = forkpty(&s->fd, NULL, NULL, &size);
	if (s->pid == 0)
		_exit(cli_main(6, argv, stdin, stdout, stderr));
	*state = s;
	return s->pid > 0 ? 0 : -1;
}

static int top_end(void **state)
{
	struct screen *s = *state;

	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	close(s->fd);
	fake_router_stop(s->router);
	free(s->answer);
	free(s);
	return 0;
}

static void keys(struct screen *s, const char *text)
{
	assert_int_equal(write(s->fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* The last whole picture, to be freed; NULL: none yet. */
static char *picture(struct screen *s)
{
	struct pollfd p = {.fd = s->fd, .events = POLLIN};
	char *at, *start = NULL, *end = NULL;

	while (poll(&p, 1, 20) == 1 && s->len < sizeof(s->text) - 1) {
		ssize_t n = read(s->fd, s->text + s->len, sizeof(s->text) - 1 - s->len);

		if (n <= 0)
			break;
		s->len += (size_t)n;
		s->text[s->len] = '\0';
	}
	for (at = s->text; (at = strstr(at, "\033[H")); at += 3) {
		char *close = strstr(at, "\033[J");

		if (!close)
			break;
		start = at;
		end = close;
	}
	return start ? strndup(start, (size_t)(end - start)) : NULL;
}

/* Waits for a picture with one text, and without the other. */
static void shows(struct screen *s, const char *with, const char *without)
{
	const uint64_t until = clock_ms() + DEADLINE_MS;
	char *seen = NULL;

	do {
		free(seen);
		seen = picture(s);
		if (seen && strstr(seen, with) && !(without && strstr(seen, without))) {
			free(seen);
			return;
		}
	} while (clock_ms() < until);
	fail_msg("not \"%s\" without \"%s\" in %s", with, without ? without : "", seen);
}

static void it_scrolls(void **state)
{
	struct screen *s = *state;

	shows(s, "(name01)", "(name40)");
	keys(s, "\033[B\033[B");
	shows(s, "(name03)", "(name02)");
	keys(s, "k");
	shows(s, "(name02)", "(name01)");
	keys(s, "\033[F");
	shows(s, "(name40)", "(name01)");
	keys(s, "\033[5~");
	shows(s, "(name20)", "(name40)");
	keys(s, "\033[H");
	shows(s, "(name01)", "(name40)");
}

static void it_filters_by_a_part_of_a_name(void **state)
{
	struct screen *s = *state;

	shows(s, "(name01)", NULL);
	/* q is a letter here. */
	keys(s, "/q\177NAME3");
	shows(s, "filter: NAME3_", "(name01)");
	shows(s, "(name39)", "(name01)");
	keys(s, "\r");
	shows(s, "filter: NAME3", "NAME3_");
	keys(s, "\033");
	shows(s, "(name01)", "filter:");
}

static void it_shows_the_column_that_it_sorts_by(void **state)
{
	struct screen *s = *state;

	shows(s, "CONN/S", "IN BIT/S");
	keys(s, "b");
	shows(s, "IN BIT/S", "(name01)");
	shows(s, "(name40)", NULL);
	keys(s, "p");
	shows(s, "IN PKT/S", "IN BIT/S");
}

static void it_ends_by_q(void **state)
{
	struct screen *s = *state;
	int status;

	shows(s, "(name01)", NULL);
	keys(s, "q");
	while (waitpid(s->pid, &status, WNOHANG) == 0)
		free(picture(s));
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, top_start, top_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_scrolls),
		T(it_filters_by_a_part_of_a_name),
		T(it_shows_the_column_that_it_sorts_by),
		T(it_ends_by_q),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
