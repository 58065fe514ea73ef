/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/config.h"

/* Single changes, and what a plan says about two configurations. */

static const char *const schedulers[] = {"lc", "rr", "wlc", "wrr", NULL};

static const char document[] =
	"{\"node\":{\"ports\":[{\"name\":\"public\",\"device\":\"d0\",\"linux\":{\"addresses\":["
	"\"192.0.2.10/24\"]}}]},\"shared\":{\"addresses\":[{\"address\":\"192.0.2.90\"}],"
	"\"services\":["
	"{\"name\":\"web\",\"protocol\":\"tcp\",\"listen\":[\"192.0.2.80:80\"],\"servers\":["
	"{\"address\":\"10.0.0.1:80\"},{\"address\":\"10.0.0.2:80\",\"weight\":2},"
	"{\"address\":\"10.0.0.3:80\"}]},"
	"{\"name\":\"dns\",\"protocol\":\"udp\",\"listen\":[\"192.0.2.80:53\"],\"servers\":["
	"{\"address\":\"10.0.0.1:53\"}]}]}}";

static struct config *parse(const char *text)
{
	struct config *config = NULL;
	struct config_errors errors;
	char line[1024];

	config_errors_init(&errors);
	if (config_parse(text, strlen(text), NULL, schedulers, &config, &errors) < 0)
		fail_msg("%s",
			 config_error_format(&errors, &errors.errors.v[0], line, sizeof(line)));
	config_errors_fini(&errors);
	return config;
}

static json_t *object(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	assert_non_null(json);
	return json;
}

enum op {
	SERVICE_ADD,
	SERVICE_EDIT,
	SERVICE_DELETE,
	SERVER_ADD,
	SERVER_EDIT,
	SERVER_DELETE,
	ADDRESS_ADD,
	ADDRESS_DELETE,
};

static int prepare(struct config *c, enum op op, const char *service, const char *server,
		   const char *json, struct config_change *change, struct config_errors *errors)
{
	json_t *o = json ? object(json) : NULL;
	int ret = -ENOSYS;

	config_errors_init(errors);
	if (op == SERVICE_ADD)
		ret = config_service_add(c, o, change, errors);
	else if (op == SERVICE_EDIT)
		ret = config_service_edit(c, service, o, change, errors);
	else if (op == SERVICE_DELETE)
		ret = config_service_delete(c, service, change, errors);
	else if (op == SERVER_ADD)
		ret = config_server_add(c, service, o, change, errors);
	else if (op == SERVER_EDIT)
		ret = config_server_edit(c, service, server, o, change, errors);
	else if (op == SERVER_DELETE)
		ret = config_server_delete(c, service, server, change, errors);
	else if (op == ADDRESS_ADD)
		ret = config_address_add(c, o, change, errors);
	else if (op == ADDRESS_DELETE)
		ret = config_address_delete(c, o, change, errors);
	json_decref(o);
	return ret;
}

static char *shared_text(const struct config *c)
{
	json_t *json = config_to_json(c, CONFIG_SHARED);
	char *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	return text;
}

/* The change is made, and what there is now is a valid file that says the same. */
static void change(struct config *c, enum op op, const char *service, const char *server,
		   const char *json)
{
	struct config_change ch;
	struct config_errors errors;
	struct config *again;
	char a[CONFIG_DIGEST_STRLEN], b[CONFIG_DIGEST_STRLEN], line[1024], *text;

	if (prepare(c, op, service, server, json, &ch, &errors) < 0)
		fail_msg("%s",
			 config_error_format(&errors, &errors.errors.v[0], line, sizeof(line)));
	config_change_commit(c, &ch);
	config_errors_fini(&errors);
	text = config_to_text(c);
	again = parse(text);
	assert_string_equal(config_digest(c, a), config_digest(again, b));
	assert_int_equal(c->n_servers, again->n_servers);
	free(text);
	config_destroy(again);
}

/* The change is refused for that reason with that error, and nothing is different. */
static void refused(struct config *c, enum op op, const char *service, const char *server,
		    const char *json, int reason, const char *error)
{
	struct config_change ch;
	struct config_errors errors;
	char line[1024], *before = shared_text(c), *after;

	assert_int_equal(prepare(c, op, service, server, json, &ch, &errors), reason);
	assert_string_equal(config_error_format(&errors, &errors.errors.v[0], line, sizeof(line)),
			    error);
	config_errors_fini(&errors);
	after = shared_text(c);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void a_server_that_is_added_goes_to_the_end_of_the_file(void **state)
{
	struct config *c = parse(document);
	const struct config_service *web;
	struct endpoint ep;

	(void)state;
	change(c, SERVER_ADD, "web", NULL, "{\"address\":\"10.0.0.4:80\",\"weight\":7}");
	web = config_service_find(c, "tcp:192.0.2.80:80");
	assert_int_equal(web->n_servers, 4);
	assert_int_equal(web->servers[3].weight, 7);
	change(c, SERVER_EDIT, "web", "10.0.0.2:80", "{\"weight\":0}");
	web = config_service_find(c, "web");
	endpoint_parse("10.0.0.2:80", &ep);
	assert_int_equal(config_server_find(web, &ep), 1);
	assert_int_equal(web->servers[1].weight, 0);
	change(c, SERVER_EDIT, "web", "10.0.0.2:80", "{\"weight\":null}");
	assert_int_equal(config_service_find(c, "web")->servers[1].weight, 1);
	change(c, SERVER_DELETE, "web", "10.0.0.1:80", NULL);
	web = config_service_find(c, "web");
	assert_int_equal(web->n_servers, 3);
	assert_int_equal(config_server_find(web, &ep), 0);
	config_destroy(c);
}

static void a_service_is_added_edited_and_deleted(void **state)
{
	struct config *c = parse(document);
	const struct config_service *web;

	(void)state;
	change(c, SERVICE_ADD, NULL, NULL,
	       "{\"protocol\":\"tcp\",\"listen\":\"192.0.2.81:80\",\"servers\":[{\"address\":"
	       "\"10.0.0.1:80\"}]}");
	assert_non_null(config_service_find(c, "tcp:192.0.2.81:80"));
	change(c, SERVICE_EDIT, "web", NULL,
	       "{\"scheduler\":\"rr\",\"forward\":\"dr\",\"timeouts\":{\"established\":60}}");
	web = config_service_find(c, "web");
	assert_string_equal(web->policy.scheduler, "rr");
	assert_int_equal(web->n_servers, 3);
	assert_int_equal(web->servers[2].forward, FWD_DR);
	/* Merged, not replaced; null gives a key back. */
	change(c, SERVICE_EDIT, "web", NULL,
	       "{\"timeouts\":{\"udp\":10},\"scheduler\":null,\"name\":\"www\"}");
	web = config_service_find(c, "www");
	assert_non_null(web);
	assert_null(config_service_find(c, "web"));
	assert_string_equal(web->policy.scheduler, "wlc");
	assert_int_equal(web->policy.service.timeout_s[CONN_ESTABLISHED], 60);
	assert_int_equal(web->policy.service.timeout_s[CONN_UDP], 10);
	change(c, SERVICE_EDIT, "www", NULL, "{\"servers\":[]}");
	assert_int_equal(config_service_find(c, "www")->n_servers, 0);
	change(c, SERVICE_DELETE, "www", NULL, NULL);
	assert_null(config_service_find(c, "tcp:192.0.2.80:80"));
	assert_int_equal(c->shared.n_services, 2);
	/* Its names are free again. */
	change(c, SERVICE_ADD, NULL, NULL,
	       "{\"name\":\"www\",\"protocol\":\"tcp\",\"listen\":\"192.0.2.80:80\"}");
	config_destroy(c);
}

static void addresses_are_added_and_deleted(void **state)
{
	struct config *c = parse(document);

	(void)state;
	change(c, ADDRESS_ADD, NULL, NULL,
	       "{\"address\":\"10.0.0.254/24\",\"kind\":\"gateway\",\"link\":\"public\"}");
	assert_int_equal(c->shared.n_addresses, 2);
	assert_int_equal(c->shared.addresses[1].link_id, 0);
	change(c, ADDRESS_DELETE, NULL, NULL, "{\"address\":\"192.0.2.90\"}");
	assert_int_equal(c->shared.n_addresses, 1);
	refused(c, ADDRESS_DELETE, NULL, NULL, "{\"address\":\"192.0.2.90\"}", -ENOENT,
		"address: 192.0.2.90 is not in shared.addresses");
	change(c, ADDRESS_ADD, NULL, NULL, "{\"address\":\"192.0.2.90\"}");
	config_destroy(c);
}

static void a_change_that_is_refused_changes_nothing(void **state)
{
	static const struct {
		enum op op;
		const char *service, *server, *json;
		int reason;
		const char *error;
	} rows[] = {
		{SERVICE_ADD, NULL, NULL, "{\"protocol\":\"tcp\",\"listen\":\"192.0.2.80:80\"}",
		 -EEXIST,
		 "listen[0]: tcp:192.0.2.80:80 is a listener of service \"web\" "
		 "(tcp:192.0.2.80:80) "
		 "already"},
		{SERVICE_ADD, NULL, NULL, "{\"protocol\":\"tcp\",\"listen\":\"10.0.0.1:80\"}",
		 -EINVAL,
		 "listen[0]: 10.0.0.1 is a real server by \"nat\": it cannot be a VIP as well"},
		{SERVICE_ADD, NULL, NULL, "{\"protocol\":\"tcp\",\"listen\":\"192.0.2.10:80\"}",
		 -EINVAL,
		 "listen[0]: 192.0.2.10 is this router's own address (node.ports): expected one "
		 "that "
		 "can move to the peer"},
		{SERVICE_ADD, NULL, NULL, "{\"protocol\":\"tcq\",\"listen\":\"192.0.2.81:80\"}",
		 -EINVAL, "protocol: \"tcq\" is not a protocol (did you mean \"tcp\"?)"},
		{SERVICE_EDIT, "nope", NULL, "{}", -ENOENT,
		 "service: there is no virtual service \"nope\""},
		{SERVICE_EDIT, "web", NULL, "{\"name\":\"dns\"}", -EEXIST,
		 "set.name: \"dns\" is the name of another service already"},
		{SERVICE_EDIT, "web", NULL, "{\"scheduler\":\"rrr\"}", -EINVAL,
		 "set.scheduler: \"rrr\" is not a scheduler (did you mean \"rr\"?)"},
		{SERVICE_EDIT, "web", NULL, "{\"schedular\":null}", -EINVAL,
		 "set.schedular: \"schedular\" is not a key of a virtual service (did you mean "
		 "\"scheduler\"?)"},
		{SERVICE_EDIT, "web", NULL, "{\"listen\":null}", -EINVAL,
		 "set.listen: missing: expected at least one address:port"},
		{SERVICE_EDIT, "web", NULL, "[]", -EINVAL,
		 "set: expected an object: the keys to change in { }"},
		{SERVER_ADD, "web", NULL, "{\"address\":\"10.0.0.1:80\"}", -EEXIST,
		 "server.address: 10.0.0.1:80 is a real server of service \"web\" "
		 "(tcp:192.0.2.80:80) "
		 "already"},
		{SERVER_ADD, "web", NULL, "{\"address\":\"192.0.2.80:80\"}", -EINVAL,
		 "server.address: 192.0.2.80 is a VIP: it cannot be a real server by \"nat\" as "
		 "well"},
		{SERVER_ADD, "web", NULL, "{\"address\":\"192.0.2.90:80\"}", -EINVAL,
		 "server.address: 192.0.2.90 is a VIP: it cannot be a real server by \"nat\" as "
		 "well"},
		{SERVER_ADD, "web", NULL, "{\"weight\":1}", -EINVAL,
		 "server.address: missing: expected address:port, as \"10.1.0.100:80\" or "
		 "\"[2001:db8::1]:80\""},
		{SERVER_ADD, "nope", NULL, "{}", -ENOENT,
		 "service: there is no virtual service \"nope\""},
		{SERVER_EDIT, "web", "10.0.0.9:80", "{\"weight\":1}", -ENOENT,
		 "server: service \"web\" (tcp:192.0.2.80:80) has no real server \"10.0.0.9:80\""},
		{SERVER_EDIT, "web", "10.0.0.1:80", "{\"weight\":2147483648}", -EINVAL,
		 "set.weight: 2147483648 is out of range: expected a number from 0 to 2147483647 "
		 "(MAX_WEIGHT)"},
		{SERVER_EDIT, "web", "10.0.0.1:80", "{\"address\":\"10.0.0.2:80\"}", -EEXIST,
		 "set.address: 10.0.0.2:80 is a real server of service \"web\" (tcp:192.0.2.80:80) "
		 "already"},
		{SERVER_DELETE, "web", "x", NULL, -ENOENT,
		 "server: service \"web\" (tcp:192.0.2.80:80) has no real server \"x\""},
		{ADDRESS_ADD, NULL, NULL, "{\"address\":\"10.0.0.1\"}", -EINVAL,
		 "address: 10.0.0.1 is a real server by \"nat\": it cannot be a VIP as well"},
		{ADDRESS_ADD, NULL, NULL, "{\"address\":\"192.0.2.90\"}", -EEXIST,
		 "address: 192.0.2.90 stands in shared.addresses already"},
	};
	struct config *c = parse(document);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		refused(c, rows[i].op, rows[i].service, rows[i].server, rows[i].json,
			rows[i].reason, rows[i].error);
	config_destroy(c);
}

static void a_change_that_is_aborted_changes_nothing(void **state)
{
	struct config *c = parse(document);
	char *before = shared_text(c), *after;
	struct config_change ch;
	struct config_errors errors;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(prepare(c, SERVICE_EDIT, "web", NULL,
					 "{\"listen\":\"192.0.2.99:80\",\"name\":\"x\"}", &ch,
					 &errors),
				 0);
		config_change_abort(&ch);
		config_errors_fini(&errors);
	}
	assert_non_null(config_service_find(c, "web"));
	assert_null(config_service_find(c, "x"));
	after = shared_text(c);
	assert_string_equal(before, after);
	/* The listener is free for another. */
	change(c, SERVICE_ADD, NULL, NULL, "{\"protocol\":\"tcp\",\"listen\":\"192.0.2.99:80\"}");
	free(before);
	free(after);
	config_destroy(c);
}

/* ---- plan ---- */

static void assert_plan(const char *a, const char *b, const char *expected)
{
	struct config *before = a ? parse(a) : NULL, *after = parse(b);
	struct config_plan *plan = NULL;
	struct config_words *words = NULL;
	char text[4096] = "";
	size_t at = 0;

	assert_int_equal(config_plan(before, after, &plan), 0);
	assert_int_equal(config_words(plan, &words), 0);
	for (uint32_t i = 0; i < words->n; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s %s%s%s\n",
				       config_action_names[words->v[i].action], words->v[i].object,
				       words->v[i].detail[0] ? ": " : "", words->v[i].detail);
	for (uint32_t i = 0; i < words->n_restart; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "restart %s\n",
				       words->restart[i]);
	for (uint32_t i = 0; i < words->n_live; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "live %s\n", words->live[i]);
	assert_string_equal(text, expected);
	config_words_destroy(words);
	config_plan_destroy(plan);
	config_destroy(before);
	config_destroy(after);
}

#define S(id, more) "{\"protocol\":\"tcp\",\"listen\":\"192.0.2." id ":80\"" more "}"
#define R(...)	    ",\"servers\":[" __VA_ARGS__ "]"
#define A(id)	    "{\"address\":\"10.0.0." id ":80\"}"
#define DOC(list)   "{\"shared\":{\"services\":[" list "]}}"

static void a_plan_names_what_would_change_and_no_more(void **state)
{
	(void)state;
	assert_plan(document, document, "");
	assert_plan(NULL, DOC(S("1", R(A("1")))), "add service tcp:192.0.2.1:80: 1 servers\n");
	assert_plan(DOC(S("1", "") "," S("2", "")), DOC(S("3", "") "," S("1", "")),
		    "delete service tcp:192.0.2.2:80: 0 servers\n"
		    "add service tcp:192.0.2.3:80: 0 servers\n");
	assert_plan(DOC(S("1", R(A("1") "," A("2") "," A("3") "," A("4")))),
		    DOC(S("1", R(A("5") "," A("2") "," A("3") "," A("1")))),
		    "delete server 10.0.0.4:80 of tcp:192.0.2.1:80\n"
		    "add server 10.0.0.5:80 of tcp:192.0.2.1:80\n"
		    "move server 10.0.0.1:80 of tcp:192.0.2.1:80\n");
	assert_plan(DOC(S("1", R("{\"address\":\"10.0.0.1:80\",\"weight\":2}"))),
		    DOC(S("1", ",\"name\":\"a\",\"timeouts\":{\"udp\":60}" R(
				       "{\"address\":\"10.0.0.1:80\",\"upper\":3}"))),
		    "edit service tcp:192.0.2.1:80: name: (none) -> a; timeouts.udp: 5m -> 1m\n"
		    "edit server 10.0.0.1:80 of tcp:192.0.2.1:80: weight: 2 -> 1; upper: 0 -> 3\n");
	assert_plan(DOC(S("1", "") "," S("2", "") "," S("3", "")),
		    DOC(S("3", "") "," S("1", "") "," S("2", "")),
		    "move service tcp:192.0.2.3:80\n");
	/* Spelled out or not is the same. */
	assert_plan(DOC(S("1", "")), DOC(S("1", ",\"scheduler\":\"wlc\"")), "");
	assert_plan(
		DOC(S("1", "")),
		"{\"shared\":{\"defaults\":{\"scheduler\":\"rr\"},\"services\":[" S("1", "") "]}}",
		"edit defaults: scheduler: wlc -> rr\n"
		"edit service tcp:192.0.2.1:80: scheduler: wlc -> rr\n");
	assert_plan("{\"shared\":{\"addresses\":[{\"address\":\"192.0.2.1\"},{\"address\":"
		    "\"192.0.2.2\"}]}}",
		    "{\"shared\":{\"addresses\":[{\"address\":\"192.0.2.3\"},{\"address\":"
		    "\"192.0.2.1\"}]}}",
		    "delete address 192.0.2.2\nadd address 192.0.2.3\n");
}

#define MARKS(list)   "{\"shared\":{\"marks\":[" list "]}}"
#define M(dest, mark) "{\"destination\":\"10." dest ".0.0/16\",\"mark\":" mark "}"

/* Words are made once for neighbours that change alike. */
static void servers_that_change_alike_or_not_have_their_own_words(void **state)
{
#define V(id, more) "{\"address\":\"10.0.0." id ":80\"," more "}"
#define W(n)	    "\"weight\":" #n
	(void)state;
	assert_plan(
		DOC(S("1", R(V("1", W(1)) "," V("2", W(1)) "," V("3", W(1)) "," V("4", W(2)) "," V(
				   "5", W(1)) "," V("6", W(1))))),
		DOC(S("1", R(V("1", W(2)) "," V("2", W(2)) "," V("3", W(3)) "," V("4", W(3)) "," V(
				   "5", W(1) ",\"upper\":9") "," V("6", W(2) ",\"upper\":9")))),
		"edit server 10.0.0.1:80 of tcp:192.0.2.1:80: weight: 1 -> 2\n"
		"edit server 10.0.0.2:80 of tcp:192.0.2.1:80: weight: 1 -> 2\n"
		"edit server 10.0.0.3:80 of tcp:192.0.2.1:80: weight: 1 -> 3\n"
		"edit server 10.0.0.4:80 of tcp:192.0.2.1:80: weight: 2 -> 3\n"
		"edit server 10.0.0.5:80 of tcp:192.0.2.1:80: upper: 0 -> 9\n"
		"edit server 10.0.0.6:80 of tcp:192.0.2.1:80: weight: 1 -> 2; upper: 0 -> 9\n");
#undef W
#undef V
}

static void a_plan_goes_through_mark_rules_one_by_one(void **state)
{
	(void)state;
	assert_plan(MARKS(M("1", "1") "," M("2", "2")), MARKS(M("1", "1") "," M("2", "2")), "");
	assert_plan(NULL, MARKS(M("1", "1")), "add mark rule 0: destination 10.1.0.0/16, mark 1\n");
	/* Deleted by the old position, added by the new one; what only shifts is not named. */
	assert_plan(MARKS(M("1", "1") "," M("2", "2") "," M("3", "3")),
		    MARKS(M("4", "4") "," M("2", "2") "," M("3", "3")),
		    "delete mark rule 0: destination 10.1.0.0/16, mark 1\n"
		    "add mark rule 0: destination 10.4.0.0/16, mark 4\n");
	assert_plan(MARKS(M("1", "1") "," M("2", "2") "," M("3", "3")),
		    MARKS(M("3", "3") "," M("1", "1") "," M("2", "2")),
		    "move mark rule 0: position: 2 -> 0; destination 10.3.0.0/16, mark 3\n");
	/* A rule may stand there twice. */
	assert_plan(MARKS(M("1", "1") "," M("2", "2")),
		    MARKS(M("1", "1") "," M("2", "2") "," M("1", "1")),
		    "add mark rule 2: destination 10.1.0.0/16, mark 1\n");
	assert_plan(MARKS("{\"mark\":7,\"comment\":\"a\"}"),
		    MARKS("{\"mark\":7,\"comment\":\"b\"}"), "edit mark rule 0: comment: a -> b\n");
	assert_plan(MARKS("{\"mark\":7}"), MARKS("{\"mark\":8}"),
		    "delete mark rule 0: mark 7\nadd mark rule 0: mark 8\n");
}

static void a_plan_tells_what_of_the_node_waits_for_a_restart(void **state)
{
	(void)state;
	assert_plan("{\"node\":{\"ports\":[{\"name\":\"a\",\"device\":\"d\"}]}}",
		    "{\"node\":{\"ports\":[{\"name\":\"a\",\"device\":\"d\",\"mtu\":9000}],"
		    "\"workers\":{\"connections\":2000000},\"log\":{\"level\":\"debug\"}}}",
		    "restart node.ports[0].mtu: 1500 -> 9000\n"
		    "restart node.workers.connections: 0 -> 2000000\n"
		    "live node.log.level: info -> debug\n");
}

/* ---- cost ---- */

static double cpu_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static struct config *with_services(unsigned int n)
{
	char *text = malloc(n * 128UL + 64), *p = text;
	struct config *c;

	assert_non_null(text);
	p += sprintf(p, "{\"shared\":{\"services\":[");
	for (unsigned int i = 0; i < n; i++)
		p += sprintf(
			p,
			"%s"
			"{\"protocol\":\"tcp\",\"listen\":\"192.10.%u.%u:80\",\"name\":\"s%u\"" R(
				A("1")) "}",
			i ? "," : "", i >> 8, i & 255, i);
	sprintf(p, "]}}");
	c = parse(text);
	free(text);
	return c;
}

/* Of 200 weight changes, best of three. */
static double edits_cost(struct config *c, const char *service)
{
	json_t *set = object("{\"weight\":5}");
	double best = 1e9;

	for (int round = 0; round < 3; round++) {
		double start = cpu_s(), took;

		for (int i = 0; i < 200; i++) {
			struct config_change ch;
			struct config_errors errors;

			config_errors_init(&errors);
			assert_int_equal(
				config_server_edit(c, service, "10.0.0.1:80", set, &ch, &errors),
				0);
			config_change_commit(c, &ch);
			config_errors_fini(&errors);
		}
		took = cpu_s() - start;
		best = took < best ? took : best;
	}
	json_decref(set);
	return best;
}

static void a_change_costs_one_service_whatever_is_loaded(void **state)
{
	struct config *small = with_services(10), *large = with_services(20000);
	double few = edits_cost(small, "s9"), many = edits_cost(large, "s19999");

	(void)state;
	print_message("a weight change: %.0f us of 10 services, %.0f us of 20,000\n", few * 5e3,
		      many * 5e3);
	/* 2000 times as many services; copying or walking them all would show. */
	assert_true(many < few * 20);
	config_destroy(small);
	config_destroy(large);
}

/* A frozen copy says the same, whatever becomes of the configuration, also after its end. */
static void a_frozen_configuration_does_not_change(void **state)
{
	struct config *c = with_services(5), *frozen = config_freeze(c);
	char *before = config_shared_text(c), *text;
	json_t *set = object("{\"weight\":5}");
	struct config_errors errors;
	struct config_change ch;

	(void)state;
	config_errors_init(&errors);
	assert_int_equal(config_server_edit(c, "s1", "10.0.0.1:80", set, &ch, &errors), 0);
	config_change_commit(c, &ch);
	assert_int_equal(config_server_edit(c, "s1", "10.0.0.1:80", set, &ch, &errors), 0);
	config_change_abort(&ch);
	assert_int_equal(config_service_delete(c, "s3", &ch, &errors), 0);
	config_change_commit(c, &ch);
	text = config_shared_text(frozen);
	assert_string_equal(text, before);
	free(text);
	config_destroy(c);
	text = config_shared_text(frozen);
	assert_string_equal(text, before);
	config_destroy(frozen);
	config_errors_fini(&errors);
	json_decref(set);
	free(text);
	free(before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_that_is_added_goes_to_the_end_of_the_file),
		cmocka_unit_test(a_frozen_configuration_does_not_change),
		cmocka_unit_test(a_service_is_added_edited_and_deleted),
		cmocka_unit_test(addresses_are_added_and_deleted),
		cmocka_unit_test(a_change_that_is_refused_changes_nothing),
		cmocka_unit_test(a_change_that_is_aborted_changes_nothing),
		cmocka_unit_test(a_plan_names_what_would_change_and_no_more),
		cmocka_unit_test(servers_that_change_alike_or_not_have_their_own_words),
		cmocka_unit_test(a_plan_goes_through_mark_rules_one_by_one),
		cmocka_unit_test(a_plan_tells_what_of_the_node_waits_for_a_restart),
		cmocka_unit_test(a_change_costs_one_service_whatever_is_loaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
