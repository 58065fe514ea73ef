/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_HISTORY_BED_H
#define PLVS_TESTS_HISTORY_BED_H

/* A control thread with a state directory: for configurations that are stored. One test program
 * includes this once, after cmocka.h. */

#include <pwd.h>
#include <unistd.h>

#include "control_bed.h"

static char state_dir[96];

/* Ends the control thread, as in a restart. */
static inline void control_end(struct fixture *f)
{
	close(f->fd);
	control_stop(f->control);
	control_destroy(f->control);
	identity_feed_fini(&f->identities);
	runtime_fini(&f->pub.runtime);
	memset(&f->pub, 0, sizeof(f->pub));
	assert_int_equal(runtime_init(&f->pub.runtime), 0);
	f->pub.grace = (struct grace){grace_start, grace_passed, f};
}

static inline int bed(void **state)
{
	struct fixture *f;
	char text[4096];

	setup(state);
	f = *state;
	control_end(f);
	snprintf(state_dir, sizeof(state_dir), "%s/state", f->dir);
	f->state_dir = state_dir;
	snprintf(text, sizeof(text), web, f->path);
	start(f, parse(text));
	return 0;
}

static inline int unbed(void **state)
{
	char command[128];

	/* The router may be writing there still. */
	snprintf(command, sizeof(command), "rm -rf %s 2> /dev/null", state_dir);
	for (int i = 0; system(command) != 0; i++) {
		if (i == 100)
			return -1;
		usleep(20000);
	}
	return teardown(state);
}

#define B(name) cmocka_unit_test_setup_teardown(name, bed, unbed)

static inline const json_t *version_at(const json_t *history, size_t i)
{
	return json_array_get(json_object_get(history, "versions"), i);
}

static inline const char *text_at(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

/* The history, once what the running version says is in its file. */
static inline json_t *stored_history(struct fixture *f)
{
	for (int ms = 0; ms < DEADLINE_MS; ms += 20) {
		json_t *h = get(f, "config.history", "{}");

		if (json_is_true(json_object_get(version_at(h, 0), "kept")))
			return h;
		json_decref(h);
		usleep(20000);
	}
	fail_msg("the running version is not kept");
	return NULL;
}

static inline void weight_set(struct fixture *f, int weight)
{
	char params[128];

	json_decref(stored_history(f));
	snprintf(params, sizeof(params),
		 "{\"service\":\"web\",\"server\":\"10.0.0.1:80\",\"set\":{\"weight\":%d}}",
		 weight);
	do_it(f, "server.edit", params);
}

/* As the history names whoever runs the test. */
static inline const char *user_name(void)
{
	static char buf[64];
	struct rpc_peer peer;
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	rpc_peer_read(fd[0], &peer);
	close(fd[0]);
	close(fd[1]);
	return rpc_peer_name(&peer, buf, sizeof(buf));
}

#endif
