/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests that wait when control stops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include "control_bed.h"

/* The next line of everything that the client was sent, or NULL at the end. */
static char *line_next(struct fixture *f, char *buf, size_t len)
{
	size_t n = 0;

	while (n + 1 < len && recv(f->fd, buf + n, 1, 0) == 1)
		if (buf[n++] == '\n')
			break;
	buf[n] = '\0';
	return n ? buf : NULL;
}

/* Keeps the change queue, since nobody ends its turn. */
struct blocker {
	struct control_note note;
	struct turn turn;
	uint32_t begun;
};

static void block_begin(struct control *c, struct turn *t)
{
	(void)c;
	__atomic_store_n(&turn_owner(t, struct blocker)->begun, 1, __ATOMIC_RELEASE);
}

static void block_run(struct control *c, struct control_note *note)
{
	turn_take(c, &((struct blocker *)note)->turn);
}

static void waiting_requests_are_told_that_control_stops(void **state)
{
	struct blocker blocker = {.note.run = block_run, .turn.begin = block_begin};
	struct fixture *f = *state;
	char line[4096];
	uint32_t told = 0;
	json_t *doc;

	control_post(f->control, &blocker.note);
	while (!__atomic_load_n(&blocker.begun, __ATOMIC_ACQUIRE))
		usleep(1000);
	say(f, "service.edit", "{\"service\": \"web\", \"set\": {\"scheduler\": \"rr\"}}");
	say(f, "config.get", "{}");
	say(f, "mark.add", "{\"rule\": {\"mark\": 1, \"source\": \"10.0.0.0/8\"}}");
	/* The first answer is that of a request that waits for nothing. */
	doc = ask(f, "log.level", "{}");
	assert_int_equal(json_integer_value(json_object_get(doc, "id")), f->next_id);
	json_decref(doc);
	control_stop(f->control);
	while (line_next(f, line, sizeof(line)))
		told += strstr(line, "plvs is stopping") != NULL;
	assert_int_equal(told, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(waiting_requests_are_told_that_control_stops, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("pending", tests, NULL, NULL);
}
