/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "router/service_manager.h"

#define WATCHDOG_US UINT64_C(20000000)

static int manager = -1; /* the other end */

/* A manager at an abstract address of this process. */
static int setup(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	char name[64];
	int n;

	(void)state;
	n = snprintf(name, sizeof(name), "@plvs-test-%d", (int)getpid());
	memcpy(addr.sun_path, name, (size_t)n);
	addr.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setenv("NOTIFY_SOCKET", name, 1);
	setenv("WATCHDOG_USEC", "20000000", 1);
	unsetenv("WATCHDOG_PID");
	return bind(manager, (struct sockaddr *)&addr,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n));
}

static int teardown(void **state)
{
	(void)state;
	return close(manager);
}

/* The next datagram, or "" when there is none. */
static const char *heard(void)
{
	static char buf[512];
	ssize_t n = recv(manager, buf, sizeof(buf) - 1, 0);

	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

static void lines_reach_the_manager_and_the_variables_go(void **state)
{
	struct service_manager sm;

	(void)state;
	assert_int_equal(service_manager_open(&sm), 0);
	assert_null(getenv("NOTIFY_SOCKET"));
	assert_null(getenv("WATCHDOG_USEC"));
	assert_int_equal(sm.watchdog_us, WATCHDOG_US);
	service_manager_say(&sm, "READY=1");
	assert_string_equal(heard(), "READY=1");
	service_manager_status(&sm, "active: no peer is configured");
	assert_string_equal(heard(), "STATUS=active: no peer is configured");
	service_manager_status(&sm, "active: no peer is configured");
	assert_string_equal(heard(), "");
	service_manager_reloading(&sm, 12345);
	assert_string_equal(heard(), "RELOADING=1\nMONOTONIC_USEC=12345");
	service_manager_close(&sm);
}

static void without_a_manager_nothing_is_sent(void **state)
{
	struct service_manager sm;

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(service_manager_open(&sm), 0);
	assert_int_equal(sm.fd, -1);
	service_manager_say(&sm, "READY=1");
	assert_true(service_manager_feed(&sm, clock_us()));
	setenv("NOTIFY_SOCKET", "relative", 1);
	assert_int_equal(service_manager_open(&sm), -EINVAL);
	setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
	assert_int_equal(service_manager_open(&sm), -ENOENT);
}

static void a_watchdog_of_another_process_is_not_fed(void **state)
{
	struct service_manager sm;

	(void)state;
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(service_manager_open(&sm), 0);
	assert_int_equal(sm.watchdog_us, 0);
	service_manager_close(&sm);
}

static void the_watchdog_is_fed_only_when_every_loop_moved(void **state)
{
	uint64_t loops[2] = {5, 7}, now;
	struct service_manager sm;

	(void)state;
	assert_int_equal(service_manager_open(&sm), 0);
	service_manager_add(&sm, &loops[0]);
	service_manager_add(&sm, &loops[1]);
	now = sm.fed_us;
	loops[0]++;
	loops[1]++;
	assert_true(service_manager_feed(&sm, now + WATCHDOG_US / 4 - 1));
	assert_string_equal(heard(), "");
	assert_true(service_manager_feed(&sm, now + WATCHDOG_US / 4));
	assert_string_equal(heard(), "WATCHDOG=1");
	/* A loop stands still: the watchdog is not fed, and this is said after half of the
	 * interval. */
	now += WATCHDOG_US / 4;
	loops[0]++;
	assert_true(service_manager_feed(&sm, now + WATCHDOG_US / 4));
	assert_false(service_manager_feed(&sm, now + WATCHDOG_US / 2));
	assert_string_equal(heard(), "");
	loops[1]++;
	assert_true(service_manager_feed(&sm, now + WATCHDOG_US / 2));
	assert_string_equal(heard(), "WATCHDOG=1");
	service_manager_close(&sm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lines_reach_the_manager_and_the_variables_go, setup,
						teardown),
		cmocka_unit_test_setup_teardown(without_a_manager_nothing_is_sent, setup, teardown),
		cmocka_unit_test_setup_teardown(a_watchdog_of_another_process_is_not_fed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_watchdog_is_fed_only_when_every_loop_moved,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
