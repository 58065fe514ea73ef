/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which VIPs are announced: those whose services have their quorum, by each value of
 * shared.ha.withdraw, from the moment at which the checks have spoken. What the thread of the
 * routes is told is taken from the call (-Wl,--wrap=vip_routes_set).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>

#include "control_bed.h"
#include "announce/vip_routes.h"
#include "base/clock.h"
#include "link/nlreq.h"

static pthread_mutex_t told_lock = PTHREAD_MUTEX_INITIALIZER;
static char told[1024]; /* "192.0.2.80 40, pool 10.9.9.9 100" */

int __wrap_vip_routes_set(struct vip_routes *v, const struct vip_route *list, uint32_t n);
int __wrap_vip_routes_set(struct vip_routes *v, const struct vip_route *list, uint32_t n)
{
	char addr[ADDR_STRLEN];
	size_t at = 0;

	(void)v;
	pthread_mutex_lock(&told_lock);
	told[0] = '\0';
	for (uint32_t i = 0; i < n && at < sizeof(told); i++)
		at += (size_t)snprintf(told + at, sizeof(told) - at, "%s%s%s %u", i ? ", " : "",
				       list[i].home ? "pool " : "",
				       addr_format(&list[i].addr, addr, sizeof(addr)),
				       list[i].metric);
	pthread_mutex_unlock(&told_lock);
	return 0;
}

static bool told_is(const char *text)
{
	bool is;

	pthread_mutex_lock(&told_lock);
	is = strcmp(told, text) == 0;
	pthread_mutex_unlock(&told_lock);
	return is;
}

static void becomes(const char *text)
{
	const uint64_t end_us = clock_us() + DEADLINE_MS * 1000ULL;

	while (!told_is(text)) {
		if (clock_us() > end_us)
			fail_msg("told \"%s\", expected \"%s\"", told, text);
		usleep(2000);
	}
}

/* Holds for a while. */
static void stays(const char *text)
{
	for (int i = 0; i < 20; i++) {
		if (!told_is(text))
			fail_msg("told \"%s\", expected \"%s\"", told, text);
		usleep(10000);
	}
}

#define SERVICE(name, listen, server, more)                                                        \
	"{\"name\":\"" name "\",\"protocol\":\"tcp\",\"listen\":[\"" listen "\"],"                 \
	"\"scheduler\":\"mh\",\"forward\":\"dr\",\"adopt\":true," more "\"servers\":["             \
	"{\"address\":\"" server "\"}]}"

static const char node[] =
	"{\"node\":{\"name\":\"lb1\",\"ports\":[{\"name\":\"public\",\"device\":\"d0\"}],"
	"\"control\":{\"socket\":\"%s\"},"
	"\"announce\":{\"table\":7690,\"vips\":[{\"address\":\"192.0.2.80\",\"metric\":40}]},"
	"\"pool\":[{\"address\":\"10.9.9.9\",\"link\":\"public\"}]},\"shared\":";

#define OTHERS                                                                                     \
	SERVICE("quiet", "192.0.2.81:80", "10.0.0.1:80", "\"claim\":false,")                       \
	",{\"name\":\"marked\",\"mark\":7,\"scheduler\":\"mh\",\"forward\":\"dr\",\"servers\":["   \
	"{\"address\":\"10.0.0.4\"}]}"
#define TWO                                                                                        \
	"\"addresses\":[{\"address\":\"192.0.2.82\"}],"                                            \
	"\"services\":[" SERVICE("a", "192.0.2.80:80", "10.0.0.1:80", "") "," SERVICE(             \
		"b", "192.0.2.80:81", "10.0.0.2:81", "") "," OTHERS "]}}"
#define FLEET(more) "{\"ha\":{\"mode\":\"fleet\"" more "}," TWO

static void vips_open(struct fixture *f, const char *shared)
{
	char text[8192];
	size_t n;
	char error[256];
	struct control_options opt = {.pub = &f->pub, .link = &f->link};

	memset(f, 0, sizeof(*f));
	told[0] = '\0';
	log_set_sink(remember);
	strcpy(f->dir, "/tmp/plvs-vips-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/sock", f->dir);
	n = (size_t)snprintf(text, sizeof(text), node, f->path);
	snprintf(text + n, sizeof(text) - n, "%s", shared);
	assert_int_equal(runtime_init(&f->pub.runtime), 0);
	f->pub.grace = (struct grace){grace_start, grace_passed, f};
	assert_int_equal(control_create(&opt, parse(text), &f->control, error), 0);
	control_set_routes(f->control, (struct vip_routes *)f, NULL);
	assert_int_equal(control_start(f->control, error), 0);
	f->fd = dial(f);
}

static void vips_close(struct fixture *f)
{
	close(f->fd);
	control_stop(f->control);
	control_destroy(f->control);
	runtime_fini(&f->pub.runtime);
	rmdir(f->dir);
}

static void force(struct fixture *f, const char *service, const char *server, const char *to)
{
	char params[256];

	snprintf(params, sizeof(params), "{\"service\":\"%s\",\"server\":\"%s\",\"state\":\"%s\"}",
		 service, server, to);
	do_it(f, "health.force", params);
}

#define A	   "tcp:192.0.2.80:80", "10.0.0.1:80"
#define B	   "tcp:192.0.2.80:81", "10.0.0.2:81"
#define REST	   "192.0.2.82 100, pool 10.9.9.9 100"
#define EVERYTHING "192.0.2.80 40, " REST

static void a_vip_without_the_quorum_of_any_service_is_withdrawn(void **state)
{
	struct fixture f;

	(void)state;
	vips_open(&f, FLEET(""));
	becomes(EVERYTHING);
	force(&f, A, "down");
	becomes(REST);
	force(&f, B, "down");
	stays(REST);
	force(&f, A, "auto");
	stays(REST);
	force(&f, B, "auto");
	becomes(EVERYTHING);
	vips_close(&f);
}

static void with_all_one_service_is_enough(void **state)
{
	struct fixture f;

	(void)state;
	vips_open(&f, FLEET(",\"withdraw\":\"all\""));
	becomes(EVERYTHING);
	force(&f, A, "down");
	stays(EVERYTHING);
	force(&f, B, "down");
	becomes(REST);
	force(&f, A, "auto");
	becomes(EVERYTHING);
	vips_close(&f);
}

static void with_never_no_service_withdraws_its_vip(void **state)
{
	struct fixture f;

	(void)state;
	vips_open(&f, FLEET(",\"withdraw\":\"never\""));
	becomes(EVERYTHING);
	force(&f, A, "down");
	force(&f, B, "down");
	stays(EVERYTHING);
	vips_close(&f);
}

/* --- checks that have not spoken yet --- */

static bool has_netns;

/* A server that has the port, and whose queue of connections is full: connecting takes long. */
static int busy_server(int clients[4])
{
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(80)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	own.sin_addr.s_addr = inet_addr("10.0.0.1");
	assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
	assert_int_equal(listen(fd, 0), 0);
	for (int i = 0; i < 4; i++) {
		clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(clients[i], (struct sockaddr *)&own, sizeof(own));
	}
	return fd;
}

static void a_vip_is_not_announced_before_its_checks_have_spoken(void **state)
{
	int clients[4], fd, taken;
	struct fixture f;

	(void)state;
	if (!has_netns)
		skip();
	fd = busy_server(clients);
	vips_open(&f, "{\"ha\":{\"mode\":\"fleet\"},\"checks\":[{\"name\":\"c\",\"type\":\"tcp\","
		      "\"interval\":\"4s\",\"timeout\":\"30s\"}],"
		      "\"services\":[" SERVICE("a", "192.0.2.80:80", "10.0.0.1:80",
					       "\"check\":\"c\",") "]}}");
	becomes("pool 10.9.9.9 100");
	stays("pool 10.9.9.9 100");
	/* The server has room again: the check gets through. */
	for (int i = 0; i < 4; i++)
		close(clients[i]);
	for (int i = 0; i < 300 && !told_is("192.0.2.80 40, pool 10.9.9.9 100"); i++) {
		while ((taken = accept4(fd, NULL, NULL, SOCK_NONBLOCK)) >= 0)
			close(taken);
		usleep(50000);
	}
	becomes("192.0.2.80 40, pool 10.9.9.9 100");
	vips_close(&f);
	close(fd);
}

static void lo_prepare(void)
{
	struct nlreq req;
	struct addr a;

	if (!has_netns || nlreq_open(&req) < 0)
		return;
	(void)nlreq_link_set_up(&req, 1);
	(void)addr_parse("10.0.0.1", &a);
	(void)nlreq_addr_add(&req, 1, &a, 32, 0);
	nlreq_close(&req);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vip_without_the_quorum_of_any_service_is_withdrawn),
		cmocka_unit_test(with_all_one_service_is_enough),
		cmocka_unit_test(with_never_no_service_withdraws_its_vip),
		cmocka_unit_test(a_vip_is_not_announced_before_its_checks_have_spoken),
	};

	/* A user namespace where the test is not root. */
	has_netns = unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
	lo_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
