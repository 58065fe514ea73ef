/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The test that every key reaches its readers (test_config_reach) fails for each row of the schema
 * that a walk leaves out. Rows are left out one by one, each of them of each walk that carries its
 * value: parsing, comparison, inheritance and output. Rows, and values for them, come from the
 * schema as in test_config_reach.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "control_bed.h"
#include "reach_bed.h"

/* ---- a row that a walk leaves out ---- */

static const struct config_field *left_out; /* NULL: none */
static enum config_walk left_out_of;
static bool with_twins;

/* Rows that carry the same value as another one: keys of one text (`body`, `body_prefix`), and the
 * key of a service that its servers inherit. */
static bool is_twin(const struct config_field *f, const struct config_field *of)
{
	return (f->one_of && f->one_of == of->one_of) ||
	       (f->type == of->type && strcmp(f->name, of->name) == 0);
}

static bool is_left_out(const struct config_field *f, enum config_walk walk)
{
	const struct config_field *of = __atomic_load_n(&left_out, __ATOMIC_ACQUIRE);

	return of && walk == left_out_of && (f == of || (with_twins && is_twin(f, of)));
}

bool __real_config_row_takes_part(const struct config_field *f, enum config_walk walk,
				  unsigned int but);
bool __wrap_config_row_takes_part(const struct config_field *f, enum config_walk walk,
				  unsigned int but);
bool __wrap_config_row_takes_part(const struct config_field *f, enum config_walk walk,
				  unsigned int but)
{
	return !is_left_out(f, walk) && __real_config_row_takes_part(f, walk, but);
}

static void leave_out(const struct config_field *f, enum config_walk walk, bool twins)
{
	left_out_of = walk;
	with_twins = twins;
	__atomic_store_n(&left_out, f, __ATOMIC_RELEASE);
}

/* ---- the walks that carry a row ---- */

static const char *const walk_names[] = {
	[WALK_PARSE] = "parsing",
	[WALK_COMPARE] = "comparison",
	[WALK_INHERIT] = "inheritance",
	[WALK_RENDER] = "output",
};

/* Rows by which objects of two configurations are paired. Another value is another object, which
 * no comparison has to find. Of checks the name also stands where a service refers to the check. */
static const char *const identities[] = {
	"shared.addresses[0].address", "shared.checks[0].name",	    "shared.services[0].protocol",
	"shared.services[0].mark",     "shared.services[0].family",
};

static bool is_identity(const struct row *r)
{
	for (size_t i = 0; i < ARRAY_LEN(identities); i++)
		if (strcmp(r->name, identities[i]) == 0)
			return true;
	return false;
}

static bool is_carried(const struct row *r, enum config_walk walk)
{
	switch (walk) {
	case WALK_COMPARE:
		/* Differences of node are those of its output. */
		return strncmp(r->name, "node.", 5) != 0 && !is_identity(r);
	case WALK_INHERIT:
		return strncmp(r->name, "shared.defaults.", 16) == 0;
	case WALK_RENDER:
		return strcmp(r->name, "shared.checks[0].name") != 0;
	case WALK_PARSE:
		break;
	}
	return true;
}

/* ---- every row ---- */

#define LIMIT_S 60 /* of a process */

/* A document in which the row has another value. */
struct other {
	json_t *changed; /* NULL: not found yet */
	size_t at;	 /* documents[at], changed */
};

struct rows {
	struct attempt t;
	struct other other[1024]; /* by the number of the row */
	uint32_t n_left_out, n_unnoticed;
	uint32_t n_twins; /* noticed only without the rows that carry the same */
	uint32_t n_ended; /* by a signal */
};

static bool value_take(void *arg, const struct row *r, const json_t *changed)
{
	struct rows *rows = arg;
	struct other *o = &rows->other[rows->t.number];

	(void)r;
	if (o->changed || !differs(changed, rows->t.config))
		return false;
	*o = (struct other){json_deep_copy(changed), rows->t.at};
	return true;
}

/* Ways that row_find() leaves aside: those come last that give an object another identity. */
static unsigned int ways_off;

static void row_find(void *arg, const struct row *r)
{
	struct rows *rows = arg;

	assert_true(rows->t.number < ARRAY_LEN(rows->other));
	if (row_wanted(r) && !rows->other[rows->t.number].changed)
		(void)ways_try(documents[rows->t.at], r, ways_off, value_take, rows);
	rows->t.number++;
}

static void rows_find(struct rows *rows, unsigned int off)
{
	const struct row root = {0};

	ways_off = off;
	for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
		rows->t.at = i;
		rows->t.number = 0;
		rows->t.config = parse(documents[i]);
		rows_walk(&config_object_root, &root, row_find, rows);
		config_destroy(rows->t.config);
	}
}

/* The test of the row fails: its document means nothing else, or readers do not see the value. */
static bool row_fails(struct attempt *t, const struct row *r, const struct other *o)
{
	json_t *was = document_load(documents[o->at]);
	struct config *config = parse_or_null(was);
	bool fails = !config || !differs(o->changed, config);

	config_destroy(config);
	json_decref(was);
	if (fails || trial_open(t, o->at) < 0)
		return true;
	(void)row_try(t, r, o->changed);
	trial_close(t);
	return t->n_failed > 0;
}

static unsigned int walks_try(struct rows *rows, const struct row *r, const struct other *o,
			      unsigned int walks, bool twins)
{
	unsigned int unnoticed = 0;

	for (unsigned int walk = 0; walk < ARRAY_LEN(walk_names); walk++) {
		if (!(walks >> walk & 1))
			continue;
		rows->t.n_failed = 0;
		leave_out(r->field, (enum config_walk)walk, twins);
		if (!row_fails(&rows->t, r, o))
			unnoticed |= 1U << walk;
	}
	return unnoticed;
}

/* Bits of the walks whose loss nobody notices. Runs in a process of its own: without a name or an
 * address a router may end, which is noticed as well. */
static unsigned int unnoticed_of(struct rows *rows, const struct row *r, const struct other *o,
				 unsigned int walks, bool twins)
{
	static const int signals[] = {SIGSEGV, SIGABRT, SIGFPE, SIGILL, SIGBUS};
	unsigned int unnoticed = 0;
	int status, null;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		null = open("/dev/null", O_WRONLY);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		for (size_t i = 0; i < ARRAY_LEN(signals); i++)
			signal(signals[i], SIG_DFL);
		alarm(LIMIT_S);
		_exit((int)walks_try(rows, r, o, walks, twins));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status))
		return (unsigned int)WEXITSTATUS(status) & walks;
	if ((walks & (walks - 1)) == 0) {
		rows->n_ended++;
		return 0;
	}
	for (unsigned int walk = 0; walk < ARRAY_LEN(walk_names); walk++)
		if (walks >> walk & 1)
			unnoticed |= unnoticed_of(rows, r, o, 1U << walk, twins);
	return unnoticed;
}

static void row_leave_out(void *arg, const struct row *r)
{
	struct rows *rows = arg;
	const struct other *o = &rows->other[rows->t.number++];
	unsigned int walks = 0, alone, unnoticed;

	if (!row_wanted(r))
		return;
	assert_non_null(o->changed);
	for (unsigned int walk = 0; walk < ARRAY_LEN(walk_names); walk++)
		walks |= is_carried(r, (enum config_walk)walk) ? 1U << walk : 0;
	alone = unnoticed_of(rows, r, o, walks, false);
	unnoticed = alone ? unnoticed_of(rows, r, o, alone, true) : 0;
	rows->n_left_out += (uint32_t)__builtin_popcount(walks);
	rows->n_twins += (uint32_t)__builtin_popcount(alone);
	rows->n_unnoticed += (uint32_t)__builtin_popcount(unnoticed);
	for (unsigned int walk = 0; walk < ARRAY_LEN(walk_names); walk++)
		if (unnoticed >> walk & 1)
			fprintf(stderr, "%s: nobody notices that %s leaves the row out\n", r->name,
				walk_names[walk]);
	json_decref(o->changed);
}

static void a_row_that_a_walk_leaves_out_is_noticed(void **state)
{
	static struct rows rows = {.t.quiet = true};
	const struct row root = {0};

	(void)state;
	rows_find(&rows, 1U << WAY_SET | 1U << WAY_RENAME);
	rows_find(&rows, 1U << WAY_RENAME);
	rows_find(&rows, 0);
	becomes_ms = 30;
	rows.t.number = 0;
	rows_walk(&config_object_root, &root, row_leave_out, &rows);
	printf("%u rows were left out: %u with those of the same value, %u of a router that "
	       "ended\n",
	       rows.n_left_out, rows.n_twins, rows.n_ended);
	if (!getenv("REACH_ONLY"))
		assert_true(rows.n_left_out > 700);
	assert_int_equal(rows.n_unnoticed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_that_a_walk_leaves_out_is_noticed),
	};

	return REACH_RUN(tests);
}
