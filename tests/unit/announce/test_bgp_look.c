/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "announce/bgp_look.h"
#include "link/nlreq.h"

/* Sockets of a network namespace of the test's own, as Linux lists them. */

#define PORT	   179
#define OTHER_PORT 1179

static bool has_netns;

/* A listening socket at the port of a family, or -1. */
static int listener(int family, uint16_t port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	const int fd = socket(family, SOCK_STREAM, 0), one = 1;

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	assert_int_equal(bind(fd, family == AF_INET ? (void *)&v4 : (void *)&v6,
			      family == AF_INET ? sizeof(v4) : sizeof(v6)),
			 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static int dial(uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void looks(struct bgp_look *l, int n)
{
	while (n--)
		(void)bgp_look(l);
}

static int set_up(void **state)
{
	static struct bgp_look l;
	char error[ERROR_TEXT];

	if (!has_netns)
		return 0;
	assert_int_equal(bgp_look_open(&l, "", error), 0);
	l.port = PORT;
	looks(&l, 1);
	*state = l.error ? NULL : &l; /* a kernel that does not list sockets */
	return 0;
}

static int tear_down(void **state)
{
	if (*state)
		bgp_look_close(*state);
	return 0;
}

#define NEED_LIST()                                                                                \
	do {                                                                                       \
		if (!*state)                                                                       \
			skip();                                                                    \
	} while (0)

static void a_daemon_that_does_not_come_is_missing_from_the_tenth_look_on(void **state)
{
	struct bgp_look *l = *state;
	int other;

	NEED_LIST();
	other = listener(AF_INET, OTHER_PORT); /* another program */
	looks(l, BGP_LOOKS_FIRST - 2);
	assert_int_equal(l->state, BGP_UNKNOWN);
	assert_int_equal(bgp_look(l), BGP_UNKNOWN);
	assert_int_equal(l->state, BGP_MISSING);
	assert_int_equal(bgp_look(l), BGP_MISSING);
	close(other);
}

static void a_daemon_of_either_family_is_found_and_its_end_too(void **state)
{
	static const int families[] = {AF_INET, AF_INET6};
	struct bgp_look *l = *state;

	NEED_LIST();
	looks(l, BGP_LOOKS_FIRST);
	for (int i = 0; i < 2; i++) {
		const int fd = listener(families[i], PORT);

		looks(l, 1); /* good news at once */
		assert_int_equal(l->state, BGP_IDLE);
		assert_int_equal(l->listeners, 1);
		assert_int_equal(l->sessions, 0);
		close(fd);
		looks(l, BGP_LOOKS - 1);
		assert_int_equal(l->state, BGP_IDLE);
		looks(l, 1);
		assert_int_equal(l->state, BGP_MISSING);
	}
}

static void a_connection_by_the_port_is_a_session_and_its_end_leaves_the_daemon(void **state)
{
	struct bgp_look *l = *state;
	int fd, client, server;

	NEED_LIST();
	fd = listener(AF_INET, PORT);
	client = dial(PORT);
	server = accept(fd, NULL, NULL);
	looks(l, 1);
	assert_int_equal(l->state, BGP_CONNECTED);
	assert_int_equal(l->sessions, 2); /* both ends are here */
	/* The end that called: a daemon that does not listen. */
	close(fd);
	looks(l, BGP_LOOKS);
	assert_int_equal(l->state, BGP_CONNECTED);
	fd = listener(AF_INET, PORT);
	close(client);
	close(server);
	looks(l, BGP_LOOKS - 1);
	assert_int_equal(l->state, BGP_CONNECTED);
	looks(l, 1);
	assert_int_equal(l->state, BGP_IDLE);
	assert_int_equal(l->sessions, 0);
	close(fd);
}

static void another_port_is_looked_at_where_the_configuration_says_so(void **state)
{
	struct bgp_look *l = *state;
	int fd;

	NEED_LIST();
	fd = listener(AF_INET, OTHER_PORT);
	l->port = OTHER_PORT;
	looks(l, BGP_LOOKS_FIRST);
	assert_int_equal(l->state, BGP_IDLE);
	l->port = 0;
	looks(l, BGP_LOOKS);
	assert_int_equal(l->state, BGP_UNKNOWN);
	close(fd);
}

/* Many sockets: an answer of several parts, all of which are counted. */
static void sessions_of_many_neighbours_are_counted(void **state)
{
	struct bgp_look *l = *state;
	int fd, ends[600];

	NEED_LIST();
	fd = listener(AF_INET, PORT);
	for (int i = 0; i < 600; i += 2) {
		ends[i] = dial(PORT);
		ends[i + 1] = accept(fd, NULL, NULL);
	}
	looks(l, 1);
	assert_int_equal(l->sessions, 600);
	assert_int_equal(l->listeners, 1);
	for (int i = 0; i < 600; i++)
		close(ends[i]);
	close(fd);
}

static void a_state_goes_by_what_linux_says_and_by_looks_that_agree(void **state)
{
	static const struct {
		int ret;
		uint32_t listeners, sessions;
		enum bgp_state then;
		int times;
	} steps[] = {
		{0, 0, 0, BGP_UNKNOWN, 9},	 {0, 1, 0, BGP_UNKNOWN, 9},
		{0, 1, 0, BGP_IDLE, 1},		 {0, 1, 2, BGP_CONNECTED, 1},
		{0, 0, 0, BGP_CONNECTED, 2},	 {0, 1, 0, BGP_CONNECTED, 1},
		{0, 0, 0, BGP_CONNECTED, 2},	 {0, 0, 0, BGP_MISSING, 1},
		{0, 1, 0, BGP_IDLE, 1},		 {-ENOENT, 0, 0, BGP_IDLE, 2},
		{-ENOENT, 9, 9, BGP_UNKNOWN, 1}, {0, 1, 1, BGP_CONNECTED, 1},
	};
	struct bgp_look l = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		for (int k = 0; k < steps[i].times; k++) {
			(void)bgp_look_take(&l, steps[i].ret, steps[i].listeners,
					    steps[i].sessions);
			if (l.state != steps[i].then)
				fail_msg("step %zu: %s", i, bgp_state_names[l.state]);
		}
	}
}

static void without_a_socket_the_state_is_unknown(void **state)
{
	struct bgp_look l = {.port = PORT};

	(void)state;
	looks(&l, 2 * BGP_LOOKS_FIRST);
	assert_int_equal(l.state, BGP_UNKNOWN);
	assert_true(l.error < 0);
}

#define LOOK_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOOK_TEST(a_daemon_that_does_not_come_is_missing_from_the_tenth_look_on),
		LOOK_TEST(a_daemon_of_either_family_is_found_and_its_end_too),
		LOOK_TEST(a_connection_by_the_port_is_a_session_and_its_end_leaves_the_daemon),
		LOOK_TEST(another_port_is_looked_at_where_the_configuration_says_so),
		LOOK_TEST(sessions_of_many_neighbours_are_counted),
		cmocka_unit_test(a_state_goes_by_what_linux_says_and_by_looks_that_agree),
		cmocka_unit_test(without_a_socket_the_state_is_unknown),
	};
	struct nlreq req;

	/* A user namespace where the test is not root. */
	has_netns = unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
	if (has_netns && nlreq_open(&req) == 0) {
		(void)nlreq_link_set_up(&req, 1);
		nlreq_close(&req);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
