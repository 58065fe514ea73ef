/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "spawn/notify.h"
#include "spawn_lab.h"

struct told {
	char path[64];
	struct notify *n;
};

static void told_start(struct fixture *f, struct told *t, const char *script,
		       const struct notify_config *timing)
{
	static char file[sizeof(t->path)];
	const char *argv[] = {"/bin/sh", "-c", script, file, NULL};
	struct notify_config c = *timing;
	int fd;

	snprintf(t->path, sizeof(t->path), "/tmp/plvs-told-XXXXXX");
	fd = mkstemp(t->path);
	close(fd);
	snprintf(file, sizeof(file), "%s", t->path);
	c.argv = argv;
	assert_int_equal(notify_create(f->base, f->client, "test", &c, &t->n), 0);
}

static void told_wait(struct fixture *f, const struct told *t)
{
	uint64_t until = clock_us() + 1000 * DEADLINE_MS;

	while (!notify_idle(t->n) && clock_us() < until)
		loop_once(f);
	assert_true(notify_idle(t->n));
}

static void told_stop(struct told *t, char *text, size_t len)
{
	int fd = open(t->path, O_RDONLY);
	ssize_t n = read(fd, text, len - 1);

	assert_true(n >= 0);
	text[n] = '\0';
	close(fd);
	unlink(t->path);
	notify_destroy(t->n);
}

#define TELL "echo \"$PLVS_OBJECT $(cat) $PLVS_SKIPPED\" >> $0"

static void transitions_of_an_object_are_told_in_order(void **state)
{
	const struct notify_config timing = {.burst = 10, .interval_ms = 100};
	struct fixture *f = *state;
	char text[512];
	struct told t;

	told_start(f, &t, "sleep 0.0$PLVS_SKIPPED; " TELL, &timing);
	for (int i = 0; i < 5; i++) {
		char json[32];

		snprintf(json, sizeof(json), "{\"n\":%d}", i);
		assert_int_equal(notify_send(t.n, "router", json), 0);
	}
	told_wait(f, &t);
	told_stop(&t, text, sizeof(text));
	assert_string_equal(text, "router {\"n\":0} 0\nrouter {\"n\":1} 0\nrouter {\"n\":2} 0\n"
				  "router {\"n\":3} 0\nrouter {\"n\":4} 0\n");
}

static void over_the_rate_the_last_state_is_told(void **state)
{
	const struct notify_config timing = {.burst = 2, .interval_ms = 300};
	struct fixture *f = *state;
	struct notify_counters c;
	char text[512];
	struct told t;

	told_start(f, &t, TELL, &timing);
	for (int i = 0; i < 100; i++) {
		char json[32];

		snprintf(json, sizeof(json), "%d", i);
		assert_int_equal(notify_send(t.n, "a", json), 0);
	}
	assert_int_equal(notify_send(t.n, "b", "x"), 0);
	told_wait(f, &t);
	notify_counters(t.n, &c);
	told_stop(&t, text, sizeof(text));
	assert_string_equal(text, "a 0 0\na 1 0\na 99 97\nb x 0\n");
	assert_int_equal(c.sent, 4);
	assert_int_equal(c.done, 4);
	assert_int_equal(c.coalesced, 97);
	assert_int_equal(c.dropped, 0);
}

static void what_the_queue_cannot_hold_is_dropped_and_said_once(void **state)
{
	const struct notify_config timing = {.burst = 1, .interval_ms = 60000};
	struct fixture *f = *state;
	struct notify_counters c;
	char text[512], object[32];
	struct told t;

	told_start(f, &t, TELL, &timing);
	logged = 0;
	for (int i = 0; i < 400; i++) {
		snprintf(object, sizeof(object), "server%d", i);
		assert_int_equal(notify_send(t.n, object, "{}"),
				 i < NOTIFY_MAX_WAITING + 1 ? 0 : -ENOBUFS);
	}
	/* An object that waits gets its last state all the same. */
	assert_int_equal(notify_send(t.n, "server9", "{}"), 0);
	notify_counters(t.n, &c);
	assert_int_equal(c.waiting, NOTIFY_MAX_WAITING);
	assert_int_equal(c.dropped, 400 - NOTIFY_MAX_WAITING - 1);
	assert_int_equal(c.coalesced, 1);
	assert_int_equal(logged, 1);
	told_stop(&t, text, sizeof(text));
}

/* Arguments as scripts of keepalived have them: no shell sees the values. */
static void arguments_have_values_of_the_document(void **state)
{
	static const char *const script =
		"for a; do printf '%s.' \"$a\"; done >> \"$0\"; cat > /dev/null";
	char path[] = "/tmp/plvs-told-XXXXXX", text[512];
	const char *argv[] = {"/bin/sh", "-c",	 script,    path, "INSTANCE", "VI_%{n}",
			      "%{vrrp}", "100%", "%{none}", "%{", "%{open",   "%{reason}-%{yes}",
			      NULL};
	const struct notify_config config = {.argv = argv};
	struct fixture *f = *state;
	struct told t = {{0}, NULL};

	close(mkstemp(path));
	snprintf(t.path, sizeof(t.path), "%s", path);
	assert_int_equal(notify_create(f->base, f->client, "test", &config, &t.n), 0);
	assert_int_equal(notify_send(t.n, "a",
				     "{\"vrrp\": \"MASTER\", \"n\": -7, \"yes\": true, \"reason\": "
				     "\"$(id) %{n}; 'x'\"}"),
			 0);
	told_wait(f, &t);
	told_stop(&t, text, sizeof(text));
	assert_string_equal(text, "INSTANCE.VI_-7.MASTER.100%..%{.%{open.$(id) %{n}; 'x'-true.");
}

static void a_failing_notify_program_is_one_line_until_it_works(void **state)
{
	const struct notify_config timing = {0};
	struct fixture *f = *state;
	struct notify_counters c;
	char text[512];
	struct told t;

	told_start(f, &t, "echo broken >&2; exit $(cat)", &timing);
	logged = 0;
	for (int i = 0; i < 5; i++)
		assert_int_equal(notify_send(t.n, "a", "1"), 0);
	told_wait(f, &t);
	assert_int_equal(logged, 1);
	assert_non_null(strstr(log_last, "exit code 1 after"));
	assert_non_null(strstr(log_last, ": \"broken\" (told of a)"));
	for (int i = 0; i < 3; i++)
		assert_int_equal(notify_send(t.n, "a", "0"), 0);
	told_wait(f, &t);
	assert_int_equal(logged, 2);
	assert_non_null(strstr(log_last, "works again"));
	notify_counters(t.n, &c);
	assert_int_equal(c.failed, 5);
	assert_int_equal(c.done, 3);
	told_stop(&t, text, sizeof(text));
}

static void nothing_is_lost_when_the_spawner_dies(void **state)
{
	const struct notify_config timing = {.burst = 10, .interval_ms = 100};
	struct fixture *f = *state;
	struct notify_counters c;
	char text[512];
	struct told t;

	told_start(f, &t, "sleep 0.3; " TELL, &timing);
	assert_int_equal(notify_send(t.n, "a", "1"), 0); /* runs */
	assert_int_equal(notify_send(t.n, "a", "2"), 0); /* waits for the first one's end */
	kill(spawner_pid(f->spawner), SIGKILL);
	while (spawn_client_works(f->client))
		loop_once(f);
	assert_int_equal(notify_send(t.n, "b", "3"), 0);
	told_wait(f, &t);
	notify_counters(t.n, &c);
	assert_int_equal(c.done, 2);
	assert_int_equal(c.failed, 0);
	assert_int_equal(c.coalesced, 1);
	told_stop(&t, text, sizeof(text));
	assert_non_null(strstr(text, "a 2 1\n"));
	assert_non_null(strstr(text, "b 3 0\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(transitions_of_an_object_are_told_in_order),
		TEST(over_the_rate_the_last_state_is_told),
		TEST(what_the_queue_cannot_hold_is_dropped_and_said_once),
		TEST(arguments_have_values_of_the_document),
		TEST(a_failing_notify_program_is_one_line_until_it_works),
		TEST(nothing_is_lost_when_the_spawner_dies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
