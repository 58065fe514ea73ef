/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many checks one loop carries, and how late they start:
 *
 *	health_bench [tcp|http|https|https-verify] [CHECKS] [INTERVAL_MS] [SECONDS]
 *
 * 10,000 TCP checks at 2,000 ms for 30 s if nothing is said. Each server has an address of
 * its own (127.x.y.z); one process answers for all of them. The first 10 s are not counted.
 * Run by hand on a quiet machine; it asserts nothing.
 */
#include <arpa/inet.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "base/log.h"
#include "health/health.h"
#include "responder.h"

#define SERVERS_A_SERVICE 100U
#define WARM_S		  10

static struct event_base *base;

static double seconds(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	event_base_loopbreak(base);
}

static void run_for(int s)
{
	const struct timeval tv = {s, 0};

	event_base_once(base, -1, EV_TIMEOUT, on_time, NULL, &tv);
	event_base_dispatch(base);
}

static void watch(struct health *h, const struct check_spec *spec, uint32_t n, uint16_t port)
{
	const struct check_spec *const checks[] = {spec, NULL};
	const struct health_policy policy = {0};
	struct health_server list[SERVERS_A_SERVICE];
	struct endpoint vip = {.port = be16_from(80)};
	char key[32];

	addr_parse("10.9.9.9", &vip.addr);
	for (uint32_t first = 0; first < n; first += SERVERS_A_SERVICE) {
		uint32_t count = n - first < SERVERS_A_SERVICE ? n - first : SERVERS_A_SERVICE;

		for (uint32_t i = 0; i < count; i++) {
			list[i] = (struct health_server){.weight = 1, .checks = checks};
			list[i].ep.addr = addr_from_v4(be32_from(0x7f000101U + first + i));
			list[i].ep.port = be16_from(port);
		}
		snprintf(key, sizeof(key), "tcp:10.9.9.9:%u", 1 + first / SERVERS_A_SERVICE);
		if (health_set_service(h, key, &vip, &policy, list, count))
			exit(2);
	}
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "tcp";
	uint32_t n = argc > 2 ? (uint32_t)atoi(argv[2]) : 10000;
	uint32_t interval = argc > 3 ? (uint32_t)atoi(argv[3]) : 2000;
	int time_s = argc > 4 ? atoi(argv[4]) : 30;
	bool talk = strcmp(kind, "tcp") != 0, tls = strncmp(kind, "https", 5) == 0;
	struct check_spec spec = {.name = (char *)"bench",
				  .type = talk ? CHECK_HTTP : CHECK_TCP,
				  .interval_ms = interval,
				  .timeout_ms = 2000,
				  .fall = 3,
				  .tls = {.on = tls}};
	/* One descriptor for each probe under way, and room. */
	struct rlimit fds = {65536, 65536};
	struct health_options o = {0};
	struct health_counters a, b;
	double wall, cpu, probes;
	struct health *h;
	uint16_t port;
	pid_t pid;

	setlinebuf(stdout);
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_NOFILE, &fds);
	log_set_level(LOG_LEVEL_WARNING);
	pid = responder_start(talk, tls, &port);
	base = event_base_new();
	o.base = base;
	if (!base || health_create(&o, &h))
		return 2;
	watch(h, &spec, n, port);
	run_for(WARM_S);
	health_counters(h, &a);
	wall = seconds(CLOCK_MONOTONIC);
	cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
	printf("%-8s %8s %8s %8s %8s %9s %9s %9s %6s\n", "kind", "checks", "started/s", "failed",
	       "errors", "p50 ms", "p99 ms", "max ms", "CPU %");
	for (int t = 10; t <= time_s; t += 10) {
		run_for(10);
		health_counters(h, &b);
		printf("%-8s %8u %8.0f %8lu %8lu %9.2f %9.2f %9.2f %6.1f\n", kind, n,
		       (double)(b.probes - a.probes) / (seconds(CLOCK_MONOTONIC) - wall),
		       b.failures - a.failures, b.errors - a.errors, (double)b.late_p50_us / 1e3,
		       (double)b.late_p99_us / 1e3, (double)b.late_max_us / 1e3,
		       100 * (seconds(CLOCK_THREAD_CPUTIME_ID) - cpu) /
			       (seconds(CLOCK_MONOTONIC) - wall));
	}
	cpu = seconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
	probes = (double)(b.probes - a.probes);
	printf("%.1f us of CPU a probe: one core carries %.0f a second\n", cpu / probes * 1e6,
	       probes / cpu);
	health_destroy(h);
	event_base_free(base);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return 0;
}
