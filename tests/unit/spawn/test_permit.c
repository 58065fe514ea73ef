/* SPDX-License-Identifier: BSD-3-Clause */
/* A confined spawner: users that programs may run as are fixed once, by the router, and sealed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pwd.h>
#include <sys/mman.h>

#include "base/capabilities.h"
#include "spawn_lab.h"

/* Users of every Debian. */
#define OWN	"daemon"
#define NAMED	"nobody"
#define UNNAMED "games"

static int confined_set_up(void **state)
{
	spawner_confine(geteuid() == 0 ? OWN : NULL);
	return set_up(state);
}

static int confined_tear_down(void **state)
{
	spawner_confine(NULL);
	return tear_down(state);
}

static uid_t uid_of(const char *name)
{
	const struct passwd *pw = getpwnam(name);

	assert_non_null(pw);
	return pw->pw_uid;
}

/* NULL: the default. */
static void assert_runs_as(struct fixture *f, const char *user, bool runs)
{
	const char *argv[] = {"/bin/sh", "-c", "id -u", NULL};
	struct spawn_request r = {.argv = argv, .time_limit_ms = LIMIT_MS, .user = user};
	char expected[16];
	struct seen s;

	run(f, &r, &s);
	snprintf(expected, sizeof(expected), "%u\n", uid_of(user ? user : OWN));
	if (runs) {
		assert_string_equal(s.output, expected);
	} else {
		assert_int_equal(s.outcome, SPAWN_NOT_STARTED);
		assert_int_equal(s.step, SPAWN_STEP_IDENTITY);
		assert_int_equal(s.code, EPERM);
	}
}

static uint64_t capabilities_of(int pid)
{
	unsigned long long permitted = ~0ULL;
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "CapPrm: %llx", &permitted) == 1)
			break;
	if (f)
		fclose(f);
	return permitted;
}

static void permit_make(struct permit *p, bool netns)
{
	*p = (struct permit){.netns = netns};
	assert_int_equal(permit_add(p, uid_of(OWN)), 0);
	assert_int_equal(permit_add(p, uid_of(NAMED)), 0);
	assert_int_equal(permit_add(p, uid_of(NAMED)), 0);
	assert_int_equal(p->n, 2);
}

static void programs_run_as_users_of_the_permit_alone(void **state)
{
	struct fixture *f = *state;
	struct permit permit;

	if (geteuid() != 0)
		skip();
	assert_runs_as(f, NULL, false);
	assert_runs_as(f, NAMED, false);
	permit_make(&permit, true);
	assert_int_equal(spawner_permit(f->spawner, &permit), 0);
	assert_runs_as(f, NULL, true);
	assert_runs_as(f, NAMED, true);
	assert_runs_as(f, UNNAMED, false);
	assert_runs_as(f, "root", false);
	/* The permit does not change afterwards. */
	assert_int_equal(permit_add(&permit, uid_of(UNNAMED)), 0);
	assert_int_equal(spawner_permit(f->spawner, &permit), -EPERM);
	assert_false(permit_has(spawner_permitted(f->spawner), uid_of(UNNAMED)));
	assert_runs_as(f, UNNAMED, false);
	/* The next spawner has the same one. */
	kill(spawner_pid(f->spawner), SIGKILL);
	wait_works(f, false);
	wait_works(f, true);
	assert_runs_as(f, NAMED, true);
	assert_runs_as(f, UNNAMED, false);
}

static void without_a_namespace_no_process_keeps_sys_admin(void **state)
{
	const uint64_t rights = CAPABILITY(SETUID) | CAPABILITY(SETGID) | CAPABILITY(KILL);
	struct fixture *f = *state;
	struct spawner_status status;
	struct permit permit;

	if (geteuid() != 0)
		skip();
	spawner_status(f->spawner, &status);
	assert_int_equal(capabilities_of(status.spawner), rights | CAPABILITY(SYS_ADMIN));
	permit_make(&permit, false);
	assert_int_equal(spawner_permit(f->spawner, &permit), 0);
	/* The keeper's next question to the spawner is at most a second away. */
	for (int i = 0; i < DEADLINE_MS / 10 && (capabilities_of(status.spawner) != rights ||
						 capabilities_of(status.keeper) != rights);
	     i++)
		loop_once(f);
	assert_int_equal(capabilities_of(status.spawner), rights);
	assert_int_equal(capabilities_of(status.keeper), rights);
	assert_runs_as(f, NAMED, true);
}

static void a_sealed_permit_takes_no_write(void **state)
{
	struct permit permit = {0}, read;
	int fd = permit_create();

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(permit_read(fd, &read), -EAGAIN);
	for (uint32_t i = 0; i < PERMIT_USERS; i++)
		assert_int_equal(permit_add(&permit, 1 + i), 0);
	assert_int_equal(permit_add(&permit, 1 + PERMIT_USERS), -ENOSPC);
	assert_int_equal(permit_seal(fd, &permit), 0);
	assert_int_equal(permit_seal(fd, &permit), -EPERM);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_ptr_equal(mmap(NULL, 1, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_int_equal(permit_read(fd, &read), 0);
	assert_memory_equal(&read, &permit, sizeof(read));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(programs_run_as_users_of_the_permit_alone,
						confined_set_up, confined_tear_down),
		cmocka_unit_test_setup_teardown(without_a_namespace_no_process_keeps_sys_admin,
						confined_set_up, confined_tear_down),
		cmocka_unit_test(a_sealed_permit_takes_no_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
