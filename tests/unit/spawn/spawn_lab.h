/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TEST_SPAWN_LAB_H
#define PLVS_TEST_SPAWN_LAB_H

/* A spawner with a client, and real programs, mostly of the shell. Each test has a spawner of
 * its own. Include cmocka first. */

#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "spawn/keeper.h"
#include "spawn/spawn.h"
#include "spawn/spawner.h"
#include "base/clock.h"
#include "spawn/spawner_wire.h"

#define DEADLINE_MS 20000
#define LIMIT_MS    15000 /* of programs that are expected to end */

struct fixture {
	struct spawner *spawner;
	struct event_base *base;
	struct spawn_client *client;
};

/* A result as a callback saw it. */
struct seen {
	uint32_t calls;
	enum spawn_outcome outcome;
	enum spawn_step step;
	int code;
	uint32_t waited_ms, ran_ms, output_len;
	uint64_t output_dropped;
	char output[SPAWN_MAX_OUTPUT + 1], error[SPAWN_MAX_OUTPUT + 1], text[512];
};

static uint32_t logged __attribute__((unused));
static char log_last[1024] __attribute__((unused));

static inline void log_count(enum log_level level, const char *area, const char *line)
{
	(void)level;
	(void)area;
	logged++;
	snprintf(log_last, sizeof(log_last), "%s", line);
}

static inline void fixture_start(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	assert_int_equal(spawner_start(2, &f->spawner), 0);
	f->base = event_base_new();
	assert_non_null(f->base);
	assert_int_equal(spawn_client_create(f->base, spawner_take_fd(f->spawner, 0), &f->client),
			 0);
	logged = 0;
	log_set_sink(log_count);
}

static inline void fixture_stop(struct fixture *f)
{
	spawn_client_destroy(f->client);
	spawner_stop(f->spawner);
	event_base_free(f->base);
	log_set_sink(NULL);
}

static inline int spawner_pid(struct spawner *s)
{
	struct spawner_status status;

	spawner_status(s, &status);
	return status.spawner;
}

/* The socket to the spawner itself, for bytes that no client would send. */
static inline int spawner_socket(struct spawner *s, uint32_t client)
{
	int line = spawner_take_fd(s, client), fd = line_receive(line);

	close(line);
	return fd;
}

static inline void on_done(void *arg, const struct spawn_result *r)
{
	struct seen *s = arg;

	s->calls++;
	s->outcome = r->outcome;
	s->step = r->step;
	s->code = r->code;
	s->waited_ms = r->waited_ms;
	s->ran_ms = r->ran_ms;
	s->output_len = r->output_len;
	s->output_dropped = r->output_dropped;
	memcpy(s->output, r->output, r->output_len + 1);
	memcpy(s->error, r->error, r->error_len + 1);
	spawn_result_format(r, "it", s->text, sizeof(s->text));
}

static inline void loop_once(struct fixture *f)
{
	const struct timeval tick = {.tv_usec = 10000};

	event_base_loopexit(f->base, &tick);
	event_base_loop(f->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

static inline void wait_calls(struct fixture *f, const struct seen *seen, uint32_t n,
			      uint32_t calls)
{
	uint64_t until = clock_us() + 1000 * DEADLINE_MS;
	uint32_t had;

	do {
		loop_once(f);
		had = 0;
		for (uint32_t i = 0; i < n; i++)
			had += seen[i].calls;
	} while (had < calls && clock_us() < until);
	assert_int_equal(had, calls);
}

static inline void wait_works(struct fixture *f, bool works)
{
	uint64_t until = clock_us() + 1000 * DEADLINE_MS;

	while (spawn_client_works(f->client) != works && clock_us() < until)
		loop_once(f);
	assert_int_equal(spawn_client_works(f->client), works);
}

/* The keeper's note comes a moment after the client has its line. */
static inline void wait_restarts(struct fixture *f, uint32_t n, struct spawner_status *out)
{
	uint64_t until = clock_us() + 1000 * DEADLINE_MS;

	do {
		loop_once(f);
		spawner_status(f->spawner, out);
	} while (out->restarts != n && clock_us() < until);
	assert_int_equal(out->restarts, n);
}

static inline void run(struct fixture *f, const struct spawn_request *request, struct seen *seen)
{
	memset(seen, 0, sizeof(*seen));
	assert_int_equal(spawn_run(f->client, request, on_done, seen, NULL), 0);
	assert_int_equal(seen->calls, 0);
	wait_calls(f, seen, 1, 1);
}

static inline void run_shell(struct fixture *f, const char *script, uint32_t limit_ms,
			     struct seen *seen)
{
	const char *argv[] = {"/bin/sh", "-c", script, NULL};
	struct spawn_request r = {.argv = argv, .time_limit_ms = limit_ms, .grace_ms = 100};

	run(f, &r, seen);
}

static inline void start_shell(struct fixture *f, const char *script, struct seen *seen,
			       uint64_t *id)
{
	const char *argv[] = {"/bin/sh", "-c", script, NULL};
	struct spawn_request r = {.argv = argv, .time_limit_ms = LIMIT_MS};

	memset(seen, 0, sizeof(*seen));
	assert_int_equal(spawn_run(f->client, &r, on_done, seen, id), 0);
}

static inline bool has_argument(const char *pid, const char *text)
{
	char path[300], args[4096];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	len = read(fd, args, sizeof(args) - 1);
	close(fd);
	args[len > 0 ? len : 0] = '\0';
	for (const char *at = args; at < args + len; at += strlen(at) + 1)
		if (strcmp(at, text) == 0)
			return true;
	return false;
}

/* Processes with this text as an argument. */
static inline uint32_t processes_with(const char *text)
{
	DIR *dir = opendir("/proc");
	struct dirent *e;
	uint32_t n = 0;

	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL)
		if (e->d_name[0] >= '0' && e->d_name[0] <= '9')
			n += has_argument(e->d_name, text);
	closedir(dir);
	return n;
}

/* A time to sleep for that no other process of this machine has as its argument. */
static inline const char *odd_time(char buf[32])
{
	static uint32_t serial;

	snprintf(buf, 32, "3%u.%u", (uint32_t)getpid(), serial++);
	return buf;
}

static inline void wait_processes(const char *text, uint32_t n)
{
	uint64_t until = clock_us() + 1000 * DEADLINE_MS;

	while (processes_with(text) != n && clock_us() < until)
		usleep(20000);
	assert_int_equal(processes_with(text), n);
}

static inline int set_up(void **state)
{
	static struct fixture f;

	fixture_start(&f);
	*state = &f;
	return 0;
}

static inline int tear_down(void **state)
{
	fixture_stop(*state);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
