/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "announce/vip_routes.h"
#include "base/clock.h"
#include "base/log.h"
#include "link/nlreq.h"

/* Routes of VIPs in a real table, in a network namespace of the test's own. */

#define TABLE 7690

static bool has_netns;
static bool is_up, is_active;
static uint64_t progress;
static bool runs;
static int n_added, n_removed;

static bool ports_up(void *arg)
{
	(void)arg;
	return __atomic_load_n(&is_up, __ATOMIC_RELAXED);
}

static bool active(void *arg)
{
	(void)arg;
	return __atomic_load_n(&is_active, __ATOMIC_RELAXED);
}

static void wake(void *arg)
{
	(void)arg;
	if (__atomic_load_n(&runs, __ATOMIC_RELAXED))
		__atomic_fetch_add(&progress, 1, __ATOMIC_RELAXED);
}

static void changed(void *arg, const struct vip_route *list, uint32_t n, bool announced)
{
	(void)arg;
	(void)list;
	__atomic_fetch_add(announced ? &n_added : &n_removed, (int)n, __ATOMIC_RELAXED);
}

static struct vip_route route(const char *addr, uint32_t metric)
{
	struct vip_route r = {.metric = metric};

	assert_int_equal(addr_parse(addr, &r.addr), 0);
	return r;
}

/* The table as "192.0.2.80 100, 2001:db8::80 100". */
struct text {
	char v[512];
};

static void text_add(void *arg, const struct nl_event *ev)
{
	struct text *t = arg;
	char addr[ADDR_STRLEN];
	const size_t n = strlen(t->v);

	if (ev->route.table == TABLE && ev->route.proto == NLREQ_PROTO)
		snprintf(t->v + n, sizeof(t->v) - n, "%s%s %u", n ? ", " : "",
			 addr_format(&ev->route.dest.addr, addr, sizeof(addr)), ev->route.metric);
}

static struct text table(void)
{
	struct text t = {""};
	struct nlreq req;

	assert_int_equal(nlreq_open(&req), 0);
	assert_int_equal(nlreq_announced_dump(&req, TABLE, text_add, &t), 0);
	nlreq_close(&req);
	return t;
}

static void put(const char *addr, uint32_t metric, bool add)
{
	const struct vip_route r = route(addr, metric);
	struct nlreq req;

	assert_int_equal(nlreq_open(&req), 0);
	assert_int_equal(nlreq_announced_set(&req, TABLE, &r.addr, metric, add), 0);
	nlreq_close(&req);
}

static void becomes(const char *text)
{
	const uint64_t end_us = clock_us() + 10000000;
	struct text t;

	do {
		t = table();
		if (strcmp(t.v, text) == 0)
			return;
		usleep(5000);
	} while (clock_us() < end_us);
	assert_string_equal(t.v, text);
}

static struct vip_routes *start(uint32_t stuck_ms)
{
	struct vip_routes_config config = {.table = TABLE,
					   .stuck_ms = stuck_ms,
					   .progress = {&progress},
					   .n_workers = 1,
					   .host = {ports_up, active, wake, changed, NULL}};
	struct vip_routes *v;
	char error[ERROR_TEXT];

	is_up = is_active = runs = true;
	n_added = n_removed = 0;
	assert_int_equal(vip_routes_start(&config, &v, error), 0);
	return v;
}

#define NEED_NETNS()                                                                               \
	do {                                                                                       \
		if (!has_netns)                                                                    \
			skip();                                                                    \
	} while (0)

#define BOTH "192.0.2.80 100, 2001:db8::80 100"

static struct vip_routes *start_both(void)
{
	const struct vip_route list[] = {route("2001:db8::80", 100), route("192.0.2.80", 100)};
	struct vip_routes *v = start(0);

	assert_int_equal(vip_routes_set(v, list, 2), 0);
	usleep(50000);
	becomes(""); /* not before everything runs */
	vip_routes_ready(v);
	becomes(BOTH);
	return v;
}

static void routes_follow_readiness_orders_and_the_end(void **state)
{
	struct vip_routes_status s;
	struct vip_routes *v;

	(void)state;
	NEED_NETNS();
	v = start_both();
	__atomic_store_n(&is_up, false, __ATOMIC_RELAXED);
	becomes("");
	vip_routes_status(v, &s);
	__atomic_store_n(&is_up, true, __ATOMIC_RELAXED);
	becomes(BOTH);
	__atomic_store_n(&is_active, false, __ATOMIC_RELAXED);
	becomes("");
	__atomic_store_n(&is_active, true, __ATOMIC_RELAXED);
	becomes(BOTH);
	vip_routes_drain(v, true);
	becomes("");
	vip_routes_drain(v, false);
	becomes(BOTH);
	vip_routes_leave(v);
	becomes("");
	usleep(30000);
	vip_routes_status(v, &s);
	assert_int_equal(s.state, VIP_ROUTES_LEAVING);
	assert_int_equal(s.announced, 0);
	assert_int_equal(s.added, 8);
	assert_int_equal(s.removed, 8);
	assert_int_equal(__atomic_load_n(&n_added, __ATOMIC_RELAXED), 8);
	assert_int_equal(__atomic_load_n(&n_removed, __ATOMIC_RELAXED), 8);
	vip_routes_stop(v);
}

static void a_vip_changes_alone_and_with_its_metric(void **state)
{
	const struct vip_route one[] = {route("192.0.2.80", 100)};
	const struct vip_route other[] = {route("192.0.2.80", 200), route("192.0.2.81", 100)};
	struct vip_routes *v;

	(void)state;
	NEED_NETNS();
	v = start_both();
	assert_int_equal(vip_routes_set(v, one, 1), 0);
	becomes("192.0.2.80 100");
	assert_int_equal(__atomic_load_n(&n_added, __ATOMIC_RELAXED), 2); /* that one stayed */
	assert_int_equal(vip_routes_set(v, other, 2), 0);
	becomes("192.0.2.80 200, 192.0.2.81 100");
	vip_routes_stop(v);
	becomes("");
}

/* Servers answer there, and connections go on. */
static void an_address_of_a_pool_stays_until_the_process_ends(void **state)
{
	struct vip_route list[] = {route("192.0.2.80", 100), route("2001:db8::7", 100)};
	struct vip_routes_status s;
	struct vip_routes *v = NULL;

	(void)state;
	NEED_NETNS();
	list[1].home = 1;
	v = start(0);
	assert_int_equal(vip_routes_set(v, list, 2), 0);
	vip_routes_ready(v);
	becomes("192.0.2.80 100, 2001:db8::7 100");
	usleep(30000);
	vip_routes_status(v, &s);
	assert_int_equal(s.wanted, 1);
	assert_int_equal(s.announced, 1);
	assert_int_equal(s.homes, 1);
	vip_routes_drain(v, true);
	becomes("2001:db8::7 100");
	vip_routes_drain(v, false);
	becomes("192.0.2.80 100, 2001:db8::7 100");
	__atomic_store_n(&is_up, false, __ATOMIC_RELAXED);
	becomes("2001:db8::7 100");
	put("2001:db8::7", 100, false); /* by somebody else */
	becomes("");
	becomes("2001:db8::7 100");
	__atomic_store_n(&is_active, false,
			 __ATOMIC_RELAXED); /* the other router of a pair has it */
	becomes("");
	__atomic_store_n(&is_active, true, __ATOMIC_RELAXED);
	becomes("2001:db8::7 100");
	vip_routes_leave(v);
	usleep(50000);
	becomes("2001:db8::7 100");
	vip_routes_stop(v);
	becomes("");
}

static void routes_that_others_change_are_put_right(void **state)
{
	struct vip_routes *v;

	(void)state;
	NEED_NETNS();
	v = start_both();
	put("192.0.2.80", 100, false);
	put("192.0.2.99", 100, true);
	becomes(BOTH);
	vip_routes_stop(v);
}

static void routes_of_a_killed_process_go_at_the_next_start(void **state)
{
	char error[ERROR_TEXT];

	(void)state;
	NEED_NETNS();
	put("192.0.2.80", 100, true);
	put("2001:db8::80", 7, true);
	assert_int_equal(vip_routes_clear(TABLE, "", error), 0);
	becomes("");
	assert_int_equal(vip_routes_clear(TABLE, "", error), 0); /* a table that is not there */
}

static int told_fd;

static void errors_tell(enum log_level level, const char *area, const char *line)
{
	(void)area;
	if (level == LOG_LEVEL_ERROR)
		(void)!write(told_fd, line, strlen(line));
}

/* In a process of its own, which is to end by itself. Time counts while the thread looks: on a busy
 * machine the process may end later. */
static void a_stuck_worker_withdraws_and_ends_the_process_in_200_ms(void **state)
{
	const struct vip_route list[] = {route("192.0.2.80", 100)};
	unsigned long long still_ms = 0;
	uint64_t begin_us, ms;
	int fds[2], status;
	char ready, line[512];
	const char *at;
	ssize_t n;
	pid_t pid;

	(void)state;
	NEED_NETNS();
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		struct vip_routes *v = start(150);

		told_fd = fds[1];
		log_set_sink(errors_tell);

		vip_routes_set(v, list, 1);
		vip_routes_ready(v);
		becomes("192.0.2.80 100");
		__atomic_store_n(&runs, false, __ATOMIC_RELAXED);
		(void)!write(fds[1], "r", 1);
		sleep(60);
		_exit(0);
	}
	assert_int_equal(read(fds[0], &ready, 1), 1);
	begin_us = clock_us();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	ms = (clock_us() - begin_us) / 1000;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 3);
	assert_string_equal(table().v, "");
	n = read(fds[0], line, sizeof(line) - 1);
	assert_true(n > 0);
	line[n] = '\0';
	at = strstr(line, "no progress for ");
	assert_non_null(at);
	assert_int_equal(sscanf(at, "no progress for %llu ms", &still_ms), 1);
	printf("found after %llu ms, the process ended after %llu ms\n", still_ms,
	       (unsigned long long)ms);
	assert_true(still_ms >= 150 && still_ms < 200);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_follow_readiness_orders_and_the_end),
		cmocka_unit_test(a_vip_changes_alone_and_with_its_metric),
		cmocka_unit_test(an_address_of_a_pool_stays_until_the_process_ends),
		cmocka_unit_test(routes_that_others_change_are_put_right),
		cmocka_unit_test(routes_of_a_killed_process_go_at_the_next_start),
		cmocka_unit_test(a_stuck_worker_withdraws_and_ends_the_process_in_200_ms),
	};

	/* A user namespace where the test is not root. */
	has_netns = unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
