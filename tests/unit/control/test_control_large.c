/* SPDX-License-Identifier: BSD-3-Clause */
/* The control loop with ten thousand services and mark rules: whatever one client asks,
 * others are answered meanwhile. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <pthread.h>
#include <time.h>

#include "control_bed.h"
#include "lib/harness.h"

#define N_SERVICES 10000
#define N_SERVERS  4
#define N_RULES	   10000
/* Of the control thread's own time: what others do to the machine does not count. Meant are
 * 20 ms; a machine whose caches belong to others takes twice that. */
#ifdef __SANITIZE_ADDRESS__
#define MAX_STEP_MS 600 /* checked memory is some times slower */
#else
#define MAX_STEP_MS 60
#endif

static void write_large(const struct fixture *f, uint32_t n_services, int variant)
{
	FILE *t = fopen(f->file, "w");

	assert_non_null(t);
	fprintf(t,
		"{\"node\":{\"name\":\"lb1\",\"ports\":[{\"name\":\"public\",\"device\":\"d0\"}],"
		"\"control\":{\"socket\":\"%s\"}},\n\"shared\":{\"marks\":[",
		f->path);
	for (uint32_t i = 0; i < (variant < 0 ? 0 : N_RULES); i++)
		fprintf(t,
			"%s{\"destination\":\"%u.%u.%u.0/24\",\"protocol\":\"tcp\","
			"\"destination_port\":%u,\"mark\":%u}",
			i ? ",\n" : "", 100 + i / 62500, i / 250 % 250, i % 250,
			80 + (i + (uint32_t)variant) % 7, 1 + i % 9);
	fprintf(t, "],\n\"services\":[");
	for (uint32_t i = 0; i < n_services; i++) {
		fprintf(t,
			"%s{\"name\":\"s%u\",\"protocol\":\"tcp\",\"listen\":\"192.%u.%u.1:80\","
			"\"forward\":\"nat\",\"servers\":[",
			i ? ",\n" : "", i, i / 250 + 1, i % 250);
		for (uint32_t k = 0; k < N_SERVERS; k++)
			fprintf(t, "%s{\"address\":\"10.%u.%u.%u:80\",\"weight\":%u}", k ? "," : "",
				i / 250, i % 250, k + 1, 1 + (k + (uint32_t)(variant + 1)) % 5);
		fprintf(t, "]}");
	}
	fprintf(t, "]}}\n");
	fclose(t);
}

static double ms(uint64_t us)
{
	return (double)us / 1000;
}

static uint64_t cpu_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* An answer, or its first rows, is there to be read; waits for a millisecond. */
static bool answered(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 1) == 1;
}

/* Takes whatever comes, up to the answer; errors fail the test. */
static void take_answer(int fd, const char *method)
{
	static char buf[1 << 20];
	size_t len = 0;

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n;

		if (poll(&p, 1, DEADLINE_MS) != 1)
			fail_msg("%s: no answer within %d ms", method, DEADLINE_MS);
		n = recv(fd, buf + len, sizeof(buf) - len, 0);
		assert_true(n > 0);
		len += (size_t)n;
		/* Only the beginning of the last line is of interest. */
		for (char *nl; (nl = memchr(buf, '\n', len));) {
			if (memmem(buf, len < 200 ? len : 200, "\"error\"", 7))
				fail_msg("%s: %.200s", method, buf);
			if (memmem(buf, len < 200 ? len : 200, "\"result\"", 8))
				return;
			len -= (size_t)(nl + 1 - buf);
			memmove(buf, nl + 1, len);
		}
		if (len > sizeof(buf) / 2)
			len = sizeof(buf) / 4; /* of a long line its end is not needed */
	}
}

/* Asks method on one connection and pings on another until it is answered: the longest that
 * a ping waited, by the clock and by the control thread's own time. */
static void others_are_answered(struct fixture *f, const char *method, const char *params)
{
	int fd = f->fd, other = dial(f);
	uint64_t start = clock_us(), longest = 0, longest_cpu = 0;
	uint32_t n = 0;
	clockid_t clock;

	assert_int_equal(pthread_getcpuclockid(f->control->thread, &clock), 0);
	say(f, method, params);
	do {
		uint64_t t = clock_us(), cpu = cpu_us(clock);

		f->fd = other;
		do_it(f, "log.level", "{}");
		f->fd = fd;
		t = clock_us() - t;
		cpu = cpu_us(clock) - cpu;
		longest = t > longest ? t : longest;
		longest_cpu = cpu > longest_cpu ? cpu : longest_cpu;
		n++;
	} while (!answered(fd));
	take_answer(fd, method);
	close(other);
	printf("%-14s %7.1f ms, %5u pings meanwhile: %.1f ms the longest, %.1f ms of the control "
	       "thread\n",
	       method, ms(clock_us() - start), n, ms(longest), ms(longest_cpu));
	if (longest_cpu > MAX_STEP_MS * 1000)
		fail_msg("%s: others waited for %.1f ms of work", method, ms(longest_cpu));
}

static void others_are_answered_while_all_is_applied(void **state)
{
	struct fixture *f = *state;
	json_t *r;

	write_large(f, N_SERVICES, 0);
	others_are_answered(f, "config.plan", "{}");
	others_are_answered(f, "config.apply", "{}");
	r = get(f, "status", "{}");
	assert_int_equal(json_integer_value(json_object_get(r, "services")), N_SERVICES);
	json_decref(r);
	write_large(f, N_SERVICES, 1);
	others_are_answered(f, "config.plan", "{}");
	others_are_answered(f, "config.apply", "{}");
	others_are_answered(f, "config.apply", "{}");
	others_are_answered(f, "config.get", "{}");
	others_are_answered(f, "config.save", "{}");
	others_are_answered(f, "status", "{}");
	others_are_answered(f, "service.list", "{}");
	others_are_answered(f, "counter.list", "{}");
	others_are_answered(f, "mark.list", "{}");
	others_are_answered(f, "address.list", "{}");
	write_large(f, 1, -1);
	others_are_answered(f, "config.apply", "{}");
}

#ifndef __SANITIZE_ADDRESS__ /* whose allocator keeps what was freed */
static uint64_t resident_mib(void)
{
	unsigned long size, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu %lu", &size, &resident), 2);
	fclose(f);
	return (uint64_t)resident * 4096 >> 20;
}

#define KEPT_MIB 16 /* of free memory, for the next change */

/* A second after the last large work malloc keeps little that is free. */
static void memory_of_a_large_configuration_goes_back_to_the_system(void **state)
{
	const struct timespec pause = {.tv_nsec = 50000000};
	const uint64_t until = clock_us() + DEADLINE_MS * 1000ULL;
	struct fixture *f = *state;
	uint64_t before = resident_mib(), large, now;

	write_large(f, N_SERVICES, 0);
	others_are_answered(f, "config.apply", "{}");
	large = resident_mib();
	write_large(f, 1, -1);
	others_are_answered(f, "config.apply", "{}");
	do {
		nanosleep(&pause, NULL);
		now = resident_mib();
	} while (now > before + (large - before) / 2 + KEPT_MIB && clock_us() < until);
	printf("%u MiB before, %u MiB with %u services, %u MiB afterwards\n", (unsigned int)before,
	       (unsigned int)large, N_SERVICES, (unsigned int)now);
	assert_true(large > before + 30 + KEPT_MIB);
	assert_true(now <= before + (large - before) / 2 + KEPT_MIB);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifndef __SANITIZE_ADDRESS__
		/* First: nothing of others is there to be given back. */
		T(memory_of_a_large_configuration_goes_back_to_the_system),
#endif
		T(others_are_answered_while_all_is_applied),
	};
	int ret;

	if (harness_eal_init(0, 512, NULL) < 0)
		return 1;
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	harness_eal_fini();
	return ret;
}
