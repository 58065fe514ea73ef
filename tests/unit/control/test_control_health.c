/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>

#include "control/checking.h"
#include "control_bed.h"

/* Verdicts of checks against real sockets on loopback, as they come out in nodes. */

#define KEY "tcp:192.0.2.80:80"

static int serve(uint16_t port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fd, 64), 0);
	return fd;
}

static uint16_t free_port(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	close(fd);
	return ntohs(sa.sin_port);
}

/* A server of the service in the answer of service.get: "down", as workers have it. */
static bool is_down(struct fixture *f, const char *server)
{
	json_t *o = get(f, "service.get", "{\"service\":\"web\"}"), *s;
	bool down = false, found = false;
	size_t i;

	json_array_foreach (json_object_get(json_object_get(o, "service"), "servers"), i, s)
		if (strcmp(json_string_value(json_object_get(s, "address")), server) == 0) {
			found = true;
			down = json_is_true(json_object_get(s, "down"));
		}
	json_decref(o);
	assert_true(found);
	return down;
}

static void until(struct fixture *f, const char *server, bool down)
{
	for (int i = 0; i < DEADLINE_MS / 20; i++) {
		if (is_down(f, server) == down)
			return;
		poll(NULL, 0, 20);
	}
	fail_msg("%s is not %s in time", server, down ? "down" : "up");
}

static void apply_checks(struct fixture *f, uint16_t port, const char *more)
{
	char text[2048], *params;
	json_t *p;

	snprintf(text, sizeof(text),
		 "{\"node\":{\"name\":\"lb1\",\"ports\":[{\"name\":\"public\",\"device\":\"d0\"}],"
		 "\"control\":{\"socket\":\"%s\"}},\"shared\":{\"checks\":[{\"name\":\"up\","
		 "\"type\":\"tcp\",\"address\":\"127.0.0.1\",\"port\":%u,\"interval\":\"50ms\","
		 "\"rise\":1,\"fall\":2}],\"services\":[{\"name\":\"web\",\"protocol\":\"tcp\","
		 "\"listen\":[\"192.0.2.80:80\"]%s,\"servers\":[{\"address\":\"10.0.0.1:80\","
		 "\"check\":\"up\"},{\"address\":\"10.0.0.2:80\"}]}]}}",
		 f->path, port, more);
	p = json_pack("{s:s}", "text", text);
	params = json_dumps(p, 0);
	do_it(f, "config.apply", params);
	free(params);
	json_decref(p);
}

static void a_server_that_ends_is_left_out_and_comes_back(void **state)
{
	struct fixture *f = *state;
	uint16_t port = free_port();
	const struct server_rt *rt;
	struct endpoint ep;
	int fd = serve(port);
	json_t *o;

	apply_checks(f, port, "");
	until(f, "10.0.0.1:80", false);
	assert_false(is_down(f, "10.0.0.2:80"));
	close(fd);
	until(f, "10.0.0.1:80", true);
	assert_int_equal(endpoint_parse("10.0.0.1:80", &ep), 0);
	rt = runtime_server_find(&f->pub.runtime, runtime_service_find(&f->pub.runtime, KEY), &ep);
	assert_true(server_rt_removed(rt)); /* its connections are treated as gone */
	assert_false(server_rt_left(rt));
	o = get(f, "health.show", "{\"service\":\"web\",\"server\":\"10.0.0.1:80\"}");
	assert_string_equal(json_string_value(json_object_get(o, "state")), "down");
	json_decref(o);
	/* Its place stays: a file that says the same changes nothing. */
	apply_checks(f, port, "");
	assert_true(is_down(f, "10.0.0.1:80"));
	assert_true(server_rt_removed(rt));
	fd = serve(port);
	until(f, "10.0.0.1:80", false);
	assert_false(server_rt_removed(rt));
	o = get(f, "health.counters", "{}");
	assert_true(json_integer_value(json_object_get(o, "swaps")) > 0);
	json_decref(o);
	close(fd);
}

static void quiesce_leaves_connections(void **state)
{
	struct fixture *f = *state;
	const struct server_rt *rt;
	struct endpoint ep;

	apply_checks(f, free_port(), ",\"on_server_down\":\"quiesce\"");
	until(f, "10.0.0.1:80", true);
	assert_int_equal(endpoint_parse("10.0.0.1:80", &ep), 0);
	rt = runtime_server_find(&f->pub.runtime, runtime_service_find(&f->pub.runtime, KEY), &ep);
	assert_false(server_rt_removed(rt));
}

static void an_operators_word_holds_over_a_reload(void **state)
{
	struct fixture *f = *state;

	expect_error(f, "health.force",
		     "{\"service\":\"web\",\"server\":\"10.0.0.1:80\",\"state\":\"dwon\"}", -32602,
		     "expected up, down, maintenance or auto");
	do_it(f, "health.force",
	      "{\"service\":\"web\",\"server\":\"10.0.0.1:80\",\"state\":\"down\",\"reason\":"
	      "\"disk\"}");
	until(f, "10.0.0.1:80", true);
	do_it(f, "config.apply", "{}");
	assert_true(is_down(f, "10.0.0.1:80"));
	do_it(f, "health.force",
	      "{\"service\":\"web\",\"server\":\"10.0.0.1:80\",\"state\":\"none\"}");
	until(f, "10.0.0.1:80", false);
}

/* Services and servers of health.list, as "web/10.0.0.1:80=down ". */
static const char *listed(struct fixture *f, const char *params)
{
	json_t *o = get(f, "health.list", params), *row;
	static char text[512];
	size_t i, len = 0;

	text[0] = '\0';
	json_array_foreach (json_object_get(o, "servers"), i, row) {
		const char *name, *server, *standing;

		assert_int_equal(json_unpack(row, "{s:s, s:s, s:s}", "name", &name, "server",
					     &server, "standing", &standing),
				 0);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s/%s=%s ", name, server,
					standing);
	}
	json_decref(o);
	return text;
}

#define SERVER(n) "{\"service\":\"web\",\"server\":\"10.0.0." n ":80\""

static void a_listing_is_filtered_by_service_server_and_state(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(listed(f, "{}"),
			    "web/10.0.0.1:80=up web/10.0.0.2:80=up dns/10.0.1.1:53=up ");
	do_it(f, "health.force", SERVER("1") ",\"state\":\"maintenance\"}");
	do_it(f, "health.force", SERVER("2") ",\"state\":\"down\"}");
	assert_string_equal(listed(f, "{\"service\":\"dns\"}"), "dns/10.0.1.1:53=up ");
	assert_string_equal(listed(f, "{\"state\":\"up\"}"), "dns/10.0.1.1:53=up ");
	assert_string_equal(listed(f, "{\"state\":\"down\"}"), "web/10.0.0.2:80=down ");
	assert_string_equal(listed(f, "{\"state\":\"forced\"}"),
			    "web/10.0.0.1:80=maintenance web/10.0.0.2:80=down ");
	assert_string_equal(listed(f, "{\"server\":\"10.0.0.1\"}"), "web/10.0.0.1:80=maintenance ");
	assert_string_equal(listed(f, "{\"server\":\"10.0.0.1:81\"}"), "");
	expect_error(f, "health.list", "{\"state\":\"dow\"}", -32602, "did you mean \"down\"?");
	expect_error(f, "health.list", "{\"service\":\"webb\"}", 2, "did you mean \"web\"?");
	expect_error(f, "health.list", "{\"service\":\"tcp:192.0.2.80:81\"}", 2,
		     "did you mean \"tcp:192.0.2.80:80\"?");
	expect_error(f, "health.list", "{\"server\":\"x\"}", -32602, "expected an address");
}

static bool warned(struct fixture *f, const char *part)
{
	json_t *o = get(f, "status", "{}"), *w;
	bool found = false;
	size_t i;

	json_array_foreach (json_object_get(o, "warnings"), i, w)
		found |= strstr(json_string_value(w), part) != NULL;
	json_decref(o);
	return found;
}

static void a_word_is_answered_when_workers_have_it_and_a_lost_quorum_is_said(void **state)
{
	struct fixture *f = *state;
	uint64_t generation = snapshot_of(f)->generation;
	const char *text;
	json_t *o;

	o = get(f, "health.force", SERVER("1") ",\"state\":\"down\"}");
	/* Not a moment later. */
	assert_true(node_of(f, WEB)->servers[1].down);
	assert_int_equal(json_integer_value(json_object_get(o, "generation")), generation + 1);
	assert_non_null(strstr(json_string_value(json_object_get(o, "text")),
			       "is forced down: it counts as down and gets no new connections"));
	json_decref(o);
	assert_false(warned(f, "quorum"));
	o = get(f, "health.force", SERVER("2") ",\"state\":\"maintenance\"}");
	text = json_string_value(json_object_get(o, "text"));
	assert_non_null(strstr(text, "the service has lost its quorum"));
	json_decref(o);
	assert_non_null(strstr(last_log, "tcp:192.0.2.80:80: the quorum is lost: 0 of 2 servers "
					 "are up, which counts 0 of the 1 needed: new connections "
					 "are refused"));
	assert_true(warned(f, "service tcp:192.0.2.80:80 has lost its quorum: 0 of 2 servers up"));
	o = get(f, "service.get", "{\"service\":\"web\"}");
	assert_true(json_is_true(json_object_get(json_object_get(o, "service"), "quorum_lost")));
	json_decref(o);
	do_it(f, "health.force", SERVER("1") ",\"state\":\"auto\"}");
	assert_false(node_of(f, WEB)->servers[1].down);
	assert_false(warned(f, "quorum"));
	o = get(f, "health.show", SERVER("1") "}");
	assert_int_equal(json_integer_value(json_object_get(o, "transitions")), 2);
	assert_int_equal(json_array_size(json_object_get(o, "history")), 2);
	assert_true(json_is_true(json_object_get(json_object_get(o, "quorum"), "held")));
	json_decref(o);
}

/* Something for the control thread to do, in one turn of its loop. */
struct errand {
	struct control_note note;
	struct fixture *f;
	uint32_t steps, done;
};

static void run_errand(struct fixture *f, void (*run)(struct control *, struct control_note *),
		       struct errand *e)
{
	*e = (struct errand){.note = {.run = run}, .f = f};
	control_post(f->control, &e->note);
	for (int i = 0; i < DEADLINE_MS && !__atomic_load_n(&e->done, __ATOMIC_ACQUIRE); i++)
		poll(NULL, 0, 1);
	assert_true(__atomic_load_n(&e->done, __ATOMIC_ACQUIRE));
}

static void end_errand(struct errand *e)
{
	__atomic_store_n(&e->done, 1, __ATOMIC_RELEASE);
}

/* As a configuration that cannot be built leaves it. */
static void discard_a_draft(struct control *c, struct control_note *note)
{
	struct errand *e = (struct errand *)note;
	struct checking_run run = {0};
	struct endpoint ep;

	(void)endpoint_parse("10.0.0.1:80", &ep);
	publisher_hold(&c->publisher);
	(void)health_force(checking_health(c), WEB, &ep, HEALTH_ADMIN_DOWN, "");
	health_settle(checking_health(c), WEB);
	publisher_discard(&c->publisher);
	publisher_release(&c->publisher);
	/* A step that has no time takes one service. */
	do
		e->steps++;
	while (checking_restore(c, &run, 0));
	end_errand(e);
}

static void a_verdict_outlives_a_draft_that_is_discarded(void **state)
{
	struct fixture *f = *state;
	struct errand e;

	run_errand(f, discard_a_draft, &e);
	assert_int_equal(e.steps, 3);
	until(f, "10.0.0.1:80", true);
	assert_true(node_of(f, WEB)->servers[1].down);
}

#define N_SERVICES 4000
#define IDS_BYTES  ((MAX_SERVERS / 64 + 1) * sizeof(uint64_t))

/* Services of one server; with more the last has two. */
static void write_services(const struct fixture *f, uint32_t weight, bool more)
{
	FILE *t = fopen(f->file, "w");

	assert_non_null(t);
	fprintf(t,
		"{\"node\":{\"name\":\"lb1\",\"ports\":[{\"name\":\"public\",\"device\":\"d0\"}],"
		"\"control\":{\"socket\":\"%s\"}},\"shared\":{\"services\":[",
		f->path);
	for (uint32_t i = 0; i < N_SERVICES; i++)
		fprintf(t,
			"%s{\"name\":\"s%u\",\"protocol\":\"tcp\",\"listen\":\"192.%u.%u.1:80\","
			"\"servers\":[{\"address\":\"10.1.%u.%u:80\",\"weight\":%u}%s]}",
			i ? ",\n" : "", i, i / 250, i % 250, i / 250, i % 250, weight,
			more && i + 1 == N_SERVICES ? ",{\"address\":\"10.2.0.1:80\"}" : "");
	fprintf(t, "]}}\n");
	fclose(t);
}

static uint64_t *ids_before;

/* No server can be added from here on. */
static void exhaust_ids(struct control *c, struct control_note *note)
{
	ids_before = malloc(IDS_BYTES);
	memcpy(ids_before, c->pub->runtime.server_ids, IDS_BYTES);
	memset(c->pub->runtime.server_ids, 0xff, IDS_BYTES);
	end_errand((struct errand *)note);
}

static void restore_ids(struct control *c, struct control_note *note)
{
	memcpy(c->pub->runtime.server_ids, ids_before, IDS_BYTES);
	free(ids_before);
	end_errand((struct errand *)note);
}

static void a_configuration_that_cannot_be_built_takes_no_verdict_along(void **state)
{
	struct fixture *f = *state;
	int first = f->fd, second = dial(f);
	struct errand e;
	json_t *doc;

	write_services(f, 1, false);
	do_it(f, "config.apply", "{}");
	/* Ids of the servers that were there before come free. */
	for (int i = 0;
	     i < DEADLINE_MS && __atomic_load_n(&f->pub.runtime.n_leavers, __ATOMIC_RELAXED); i++)
		poll(NULL, 0, 1);
	run_errand(f, exhaust_ids, &e);
	write_services(f, 2, true);
	say(f, "config.apply", "{}");
	while (!__atomic_load_n(&f->control->publisher.held, __ATOMIC_RELAXED) &&
	       poll(&(struct pollfd){.fd = first, .events = POLLIN}, 1, 0) == 0)
		;
	/* A node of it stands in the draft already. */
	f->fd = second;
	say(f, "health.force",
	    "{\"service\":\"s0\",\"server\":\"10.1.0.0:80\",\"state\":\"down\"}");
	f->fd = first;
	doc = hear(f);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(doc, "error"), "code")),
			 RPC_LIMIT);
	json_decref(doc);
	f->fd = second;
	doc = hear(f);
	assert_non_null(json_object_get(doc, "result"));
	json_decref(doc);
	assert_true(node_of(f, "tcp:192.0.0.1:80")->servers[0].down);
	assert_string_equal(servers_of(f, "tcp:192.0.0.1:80"), "10.1.0.0:80/1");
	run_errand(f, restore_ids, &e);
	f->fd = first;
	close(second);
}

#define MANY 100

static void fail_many(struct control *c, struct control_note *note)
{
	for (uint32_t i = 1; i < MANY; i++) {
		char text[32];
		struct endpoint ep;

		snprintf(text, sizeof(text), "10.0.2.%u:80", i);
		(void)endpoint_parse(text, &ep);
		(void)health_force(checking_health(c), WEB, &ep, HEALTH_ADMIN_DOWN, "");
	}
	end_errand((struct errand *)note);
}

static json_int_t counter(struct fixture *f, const char *name)
{
	json_t *o = get(f, "health.counters", "{}");
	json_int_t v = json_integer_value(json_object_get(o, name));

	json_decref(o);
	return v;
}

static void a_hundred_failures_at_once_make_one_table_and_one_swap(void **state)
{
	struct fixture *f = *state;
	json_t *servers = json_array(), *o;
	char *params;
	struct errand e;
	json_int_t swaps;

	for (uint32_t i = 1; i <= MANY; i++)
		json_array_append_new(
			servers, json_pack("{s:o}", "address", json_sprintf("10.0.2.%u:80", i)));
	o = json_pack("{s:s, s:{s:s, s:[s], s:o}}", "service", "web", "set", "scheduler", "mh",
		      "scheduler_flags", "fallback", "servers", servers);
	params = json_dumps(o, 0);
	do_it(f, "service.edit", params);
	free(params);
	json_decref(o);
	swaps = counter(f, "swaps");
	assert_int_equal(counter(f, "rebuilds"), 0);
	run_errand(f, fail_many, &e);
	until(f, "10.0.2.1:80", true);
	assert_false(is_down(f, "10.0.2.100:80"));
	assert_int_equal(counter(f, "rebuilds"), 1);
	assert_int_equal(counter(f, "swaps"), swaps + 1);
}

/* Workers run before the control thread does: what they find first must be right. */
static void the_first_snapshot_has_nobody_who_was_not_asked(void **state)
{
	static const char text[] =
		"{\"node\":{\"name\":\"lb1\",\"ports\":[{\"name\":\"public\",\"device\":\"d0\"}]},"
		"\"shared\":{\"checks\":[{\"name\":\"up\",\"type\":\"tcp\"}],\"services\":["
		"{\"protocol\":\"tcp\",\"listen\":[\"192.0.2.80:80\"],\"servers\":["
		"{\"address\":\"10.0.0.1:80\",\"check\":\"up\"},{\"address\":\"10.0.0.2:80\"}]}]}}";
	struct fixture *f = *state;
	struct published pub = {.grace = f->pub.grace};
	struct control_options opt = {.pub = &pub};
	const struct service *svc;
	struct control *other;
	char error[256];

	assert_int_equal(runtime_init(&pub.runtime), 0);
	if (control_create(&opt, parse(text), &other, error) < 0)
		fail_msg("%s", error);
	svc = pub.snapshot->services[runtime_service_find(&pub.runtime, KEY)->id];
	assert_int_equal(svc->n_servers, 2);
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(svc->servers[i].down,
				 be32_to(svc->servers[i].addr.v4) == 0x0a000001);
	control_destroy(other);
	runtime_fini(&pub.runtime);
}

static void expect_try(struct fixture *f, const char *params, const char *verdict,
		       const char *reason)
{
	json_t *r = get(f, "health.try", params);

	assert_string_equal(json_string_value(json_object_get(r, "check")), "up");
	assert_string_equal(json_string_value(json_object_get(r, "type")), "tcp");
	assert_string_equal(json_string_value(json_object_get(r, "verdict")), verdict);
	if (!strstr(json_string_value(json_object_get(r, "reason")), reason))
		fail_msg("%s", json_string_value(json_object_get(r, "reason")));
	json_decref(r);
}

static void a_check_is_tried_once_and_counts_for_nothing(void **state)
{
	static const char first[] = "{\"service\":\"web\",\"server\":\"10.0.0.1:80\"}";
	struct fixture *f = *state;
	uint16_t port = free_port();
	int fd;

	apply_checks(f, port, "");
	until(f, "10.0.0.1:80", true);
	expect_try(f, first, "fail", "refused");
	fd = serve(port);
	until(f, "10.0.0.1:80", false);
	expect_try(f, first, "ok", "connected to 127.0.0.1:");
	expect_try(f, "{\"service\":\"web\",\"server\":\"10.0.0.1:80\",\"check\":\"up\"}", "ok",
		   "connected");
	assert_false(is_down(f, "10.0.0.1:80"));
	expect_error(f, "health.try",
		     "{\"service\":\"web\",\"server\":\"10.0.0.1:80\",\"check\":\"other\"}",
		     RPC_NO_OBJECT, "no check other");
	expect_error(f, "health.try", "{\"service\":\"web\",\"server\":\"10.0.0.2:80\"}",
		     RPC_NO_OBJECT, "no check at all");
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_check_is_tried_once_and_counts_for_nothing),
		T(the_first_snapshot_has_nobody_who_was_not_asked),
		T(a_server_that_ends_is_left_out_and_comes_back),
		T(quiesce_leaves_connections),
		T(an_operators_word_holds_over_a_reload),
		T(a_listing_is_filtered_by_service_server_and_state),
		T(a_word_is_answered_when_workers_have_it_and_a_lost_quorum_is_said),
		T(a_verdict_outlives_a_draft_that_is_discarded),
		T(a_configuration_that_cannot_be_built_takes_no_verdict_along),
		T(a_hundred_failures_at_once_make_one_table_and_one_swap),
	};

	return cmocka_run_group_tests_name("health in control", tests, NULL, NULL);
}
