/* SPDX-License-Identifier: BSD-3-Clause */
/* Single requests about services, servers and mark rules, through the control socket. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <unistd.h>

#include "control_bed.h"
#include "lib/counts.h"
#include "dataplane/stages/classify.h"
#include "model/owned_port.h"
#include "ha/sync/identity.h"
#include "lib/harness.h"
#include "model/mark.h"

/* --- services --- */

static bool has_ftp(const struct fixture *f, const char *key)
{
	return node_of(f, key)->policy.ftp;
}

#define FTP "tcp:192.0.2.21:21"

static void ftp_can_be_added_edited_planned_and_saved(void **state)
{
	struct fixture *f = *state;
	json_t *r;

	do_it(f, "service.add",
	      "{\"name\":\"files\",\"protocol\":\"tcp\",\"listen\":\"192.0.2.21:21\",\"ftp\":true,"
	      "\"servers\":[{\"address\":\"10.0.0.1:21\"}]}");
	assert_true(has_ftp(f, FTP));
	assert_false(has_ftp(f, WEB));
	r = get(f, "config.plan", "{}");
	json_decref(r);
	do_it(f, "config.save", "{}");
	do_it(f, "service.edit", "{\"service\":\"files\",\"set\":{\"ftp\":false}}");
	assert_false(has_ftp(f, FTP));
	r = get(f, "config.plan", "{}");
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json_object_get(r, "changes"), 0), "detail")),
			    "ftp: false -> true");
	json_decref(r);
	do_it(f, "config.apply", "{}");
	assert_true(has_ftp(f, FTP));
	do_it(f, "service.edit", "{\"service\":\"files\",\"set\":{\"ftp\":null}}");
	assert_false(has_ftp(f, FTP));
}

static void ftp_is_refused_where_it_cannot_work(void **state)
{
	struct fixture *f = *state;

	expect_error(f, "service.edit", "{\"service\":\"dns\",\"set\":{\"ftp\":true}}", RPC_INVALID,
		     "ftp: needs \"protocol\": \"tcp\"");
	expect_error(f, "service.add", "{\"mark\":7,\"ftp\":true}", RPC_INVALID, "ftp: needs");
	expect_error(f, "service.add",
		     "{\"protocol\":\"tcp\",\"listen\":\"192.0.2.21:21\",\"ftp\":true,"
		     "\"forward\":\"dr\"}",
		     RPC_INVALID, "ftp: needs \"forward\": \"nat\"");
	do_it(f, "service.edit", "{\"service\":\"web\",\"set\":{\"ftp\":true}}");
	expect_error(f, "server.add",
		     "{\"service\":\"web\",\"server\":{\"address\":\"10.0.0.9:80\","
		     "\"forward\":\"tunnel\"}}",
		     RPC_INVALID, "server.forward: expected \"nat\"");
	expect_error(f, "service.edit", "{\"service\":\"web\",\"set\":{\"forward\":\"dr\"}}",
		     RPC_INVALID, "ftp: needs");
	/* A sorry server on the router itself is none of its business. */
	do_it(f, "server.add",
	      "{\"service\":\"web\",\"server\":{\"address\":\"10.0.0.9:80\",\"forward\":\"local\"}"
	      "}");
}

static void what_service_get_gives_as_config_can_be_sent_back(void **state)
{
	struct fixture *f = *state;
	json_t *r = get(f, "service.get", "{\"service\":\"web\"}"), *p;
	char list[256], *text;

	strcpy(list, servers_of(f, WEB));
	p = json_pack("{s:s, s:O}", "service", WEB, "set", json_object_get(r, "config"));
	text = json_dumps(p, 0);
	do_it(f, "service.edit", text);
	assert_string_equal(servers_of(f, WEB), list);
	free(text);
	json_decref(p);
	/* The object for reading is refused rather than taken with its order reversed. */
	p = json_pack("{s:s, s:O}", "service", WEB, "set", json_object_get(r, "service"));
	text = json_dumps(p, 0);
	expect_error(f, "service.edit", text, RPC_INVALID, "is not a key");
	assert_string_equal(servers_of(f, WEB), list);
	do_it(f, "service.delete", "{\"service\":\"web\"}");
	free(text);
	text = json_dumps(json_object_get(r, "config"), 0);
	do_it(f, "service.add", text);
	assert_string_equal(servers_of(f, WEB), list);
	free(text);
	json_decref(p);
	json_decref(r);
}

/* --- mark rules --- */

/* "7 8 9": the marks of the rules that are published, which are the configuration's. */
static const char *marks_of(struct fixture *f)
{
	static char text[256];
	const struct mark_rule *rules;
	uint32_t n = classify_rules(snapshot_of(f)->marks, &rules);
	json_t *r = get(f, "config.get", "{\"part\":\"shared\"}"), *config, *list;
	size_t at = 0;

	text[0] = '\0';
	config = json_object_get(json_object_get(r, "config"), "shared");
	list = json_object_get(config ? config : json_object_get(r, "config"), "marks");
	assert_int_equal(json_array_size(list), n);
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(
			json_integer_value(json_object_get(json_array_get(list, i), "mark")),
			rules[i].mark);
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%u", i ? " " : "",
				       rules[i].mark);
	}
	json_decref(r);
	return text;
}

static void mark_rules_come_and_go_at_their_positions(void **state)
{
	struct fixture *f = *state;
	json_t *r;

	r = get(f, "mark.add", "{\"rule\":{\"destination\":\"10.1.0.0/16\",\"mark\":7}}");
	assert_int_equal(json_integer_value(json_object_get(r, "position")), 0);
	json_decref(r);
	do_it(f, "mark.add", "{\"rule\":{\"source_port\":\"80\",\"mark\":9}}");
	do_it(f, "mark.add", "{\"rule\":{\"link\":\"!public\",\"mark\":8},\"position\":1}");
	assert_string_equal(marks_of(f), "7 8 9");
	do_it(f, "mark.add", "{\"rule\":{\"mark\":6},\"position\":0}");
	assert_string_equal(marks_of(f), "6 7 8 9");
	do_it(f, "mark.delete", "{\"position\":3}");
	do_it(f, "mark.delete", "{\"position\":1}");
	assert_string_equal(marks_of(f), "6 8");
	do_it(f, "config.save", "{}");
	r = get(f, "config.plan", "{}");
	assert_int_equal(json_array_size(json_object_get(r, "changes")), 0);
	json_decref(r);
	do_it(f, "mark.delete", "{\"position\":0}");
	do_it(f, "mark.delete", "{\"position\":0}");
	assert_string_equal(marks_of(f), "");
	do_it(f, "config.apply", "{}");
	assert_string_equal(marks_of(f), "6 8");
}

static void mark_rules_that_cannot_be_are_refused(void **state)
{
	struct fixture *f = *state;

	expect_error(f, "mark.add", "{\"rule\":{\"destination\":\"10.1.0.0/16\"}}", RPC_INVALID,
		     "rule.mark: missing");
	expect_error(f, "mark.add", "{\"rule\":{\"link\":\"publik\",\"mark\":1}}", RPC_INVALID,
		     "rule.link: \"publik\" is not a link");
	expect_error(f, "mark.add", "{\"rule\":{\"mark\":1},\"position\":1}", RPC_INVALID,
		     "position: there is no rule 1: expected 0 to 0");
	expect_error(f, "mark.add", "{\"position\":0}", RPC_BAD_PARAMS, "\"rule\" is missing");
	expect_error(f, "mark.delete", "{\"position\":0}", RPC_NO_OBJECT, "there are none");
	do_it(f, "mark.add", "{\"rule\":{\"mark\":1}}");
	expect_error(f, "mark.delete", "{\"position\":4294967296}", RPC_NO_OBJECT, "position: ");
	assert_string_equal(marks_of(f), "1");
}

static bool covers(const struct fixture *f, const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	if (a.family == ADDR_V6)
		return snapshot_of(f)->cover6 &&
		       mark_cover6_has(snapshot_of(f)->cover6, addr6_of(&a));
	return snapshot_of(f)->cover4 && mark_cover4_has(snapshot_of(f)->cover4, a.v4);
}

static void wait_until_uncovered(const struct fixture *f, const char *text)
{
	for (int i = 0; i < 5000 && covers(f, text); i++)
		usleep(1000);
	assert_false(covers(f, text));
}

/* Differences between the families in the test below. */
struct mark_texts {
	const char *rule, *other_rule, *service, *key, *server;
	const char *covered, *other_covered;
};

static void a_mark_lingers(struct fixture *f, const struct mark_texts *t)
{
	struct server_rt *srv;
	struct endpoint ep = {0};
	char params[64];

	do_it(f, "mark.add", t->rule);
	do_it(f, "mark.add", t->other_rule);
	assert_false(covers(f, t->covered));
	do_it(f, "service.add", t->service);
	assert_true(covers(f, t->covered));
	assert_true(covers(f, t->other_covered));
	assert_int_equal(addr_parse(t->server, &ep.addr), 0);
	srv = runtime_server_find(&f->pub.runtime, runtime_service_find(&f->pub.runtime, t->key),
				  &ep);
	counts_bind(srv, true);
	do_it(f, "mark.delete", "{\"position\":1}");
	usleep(600000); /* the registry has looked twice */
	assert_true(covers(f, t->other_covered));
	snprintf(params, sizeof(params), "{\"service\":\"%s\"}", t->key);
	do_it(f, "service.delete", params);
	assert_true(covers(f, t->covered));
	counts_unbind(srv, true);
	wait_until_uncovered(f, t->other_covered);
	wait_until_uncovered(f, t->covered);
}

static void what_a_mark_took_lingers_until_its_connections_end(void **state)
{
	static const struct mark_texts ipv4 = {
		"{\"rule\":{\"destination\":\"10.1.0.0/16\",\"mark\":7}}",
		"{\"rule\":{\"destination\":\"10.3.0.0/16\",\"mark\":7}}",
		"{\"mark\":7,\"forward\":\"dr\",\"servers\":[{\"address\":\"10.0.0.9\"}]}",
		"fwmark:7",
		"10.0.0.9",
		"10.1.2.3",
		"10.3.2.3"};

	a_mark_lingers(*state, &ipv4);
}

static void the_same_of_ipv6_lingers(void **state)
{
	static const struct mark_texts ipv6 = {
		"{\"rule\":{\"destination\":\"2001:db8:1::/48\",\"mark\":7}}",
		"{\"rule\":{\"destination\":\"2001:db8:3::/48\",\"mark\":7}}",
		"{\"mark\":7,\"family\":\"ipv6\",\"forward\":\"dr\","
		"\"servers\":[{\"address\":\"2001:db8::9\"}]}",
		"fwmark:7/ipv6",
		"2001:db8::9",
		"2001:db8:1::3",
		"2001:db8:3::3"};

	a_mark_lingers(*state, &ipv6);
}

static void a_mark_leads_to_a_service_of_each_family(void **state)
{
	struct fixture *f = *state;
	const struct snapshot *s;

	do_it(f, "mark.add", "{\"rule\":{\"destination_port\":80,\"mark\":7}}");
	do_it(f, "service.add", "{\"mark\":7,\"servers\":[{\"address\":\"10.0.0.9\"}]}");
	assert_true(covers(f, "10.1.2.3"));
	assert_false(covers(f, "2001:db8::1"));
	do_it(f, "service.add",
	      "{\"mark\":7,\"family\":\"ipv6\",\"servers\":[{\"address\":\"2001:db8::9\"}]}");
	assert_true(covers(f, "2001:db8::1"));
	s = snapshot_of(f);
	assert_string_equal(s->services[listener_table4_find_mark(s->listeners4, 7)]->rt->key,
			    "fwmark:7");
	assert_string_equal(s->services[listener_table6_find_mark(s->listeners6, 7)]->rt->key,
			    "fwmark:7/ipv6");
}

static void services_of_ipv6_have_tables_of_their_own(void **state)
{
	struct fixture *f = *state;
	struct server_rt *srv;
	struct endpoint ep;

	do_it(f, "service.add",
	      "{\"protocol\":\"tcp\",\"listen\":\"[2001:db8::80]:80\",\"servers\":["
	      "{\"address\":\"[2001:db8:1::1]:8080\"},"
	      "{\"address\":\"192.0.2.201:80\",\"forward\":\"tunnel\"}]}");
	assert_int_not_equal(listener_of(f, IPPROTO_TCP, "[2001:db8::80]:80"), 0);
	assert_int_equal(listener_of(f, IPPROTO_TCP, "[2001:db8::80]:81"), 0);
	assert_int_equal(kinds_of(f, "2001:db8::80"), VIP);
	assert_int_equal(kinds_of(f, "2001:db8:1::1"), ADDR_KIND_NAT_SERVER);
	assert_int_equal(kinds_of(f, "192.0.2.201"), 0);
	assert_int_equal(endpoint_parse("[2001:db8:1::1]:8080", &ep), 0);
	assert_non_null(owned_port6_find(snapshot_of(f), IPPROTO_TCP, addr6_of(&ep.addr), ep.port));
	/* Its connections are looked up until they end. */
	srv = runtime_server_find(&f->pub.runtime,
				  runtime_service_find(&f->pub.runtime, "tcp:[2001:db8::80]:80"),
				  &ep);
	assert_non_null(srv);
	counts_bind(srv, true);
	do_it(f, "service.delete", "{\"service\":\"tcp:[2001:db8::80]:80\"}");
	assert_int_equal(kinds_of(f, "2001:db8::80"), ADDR_KIND_LINGERING);
	counts_unbind(srv, true);
	for (int i = 0; i < 5000 && kinds_of(f, "2001:db8::80"); i++)
		usleep(1000);
	assert_int_equal(kinds_of(f, "2001:db8::80"), 0);
}

/* Changes of one client are made in the order in which they came, however long each takes. */
static void changes_wait_for_those_before_them(void **state)
{
	struct fixture *f = *state;
	int n = 0;
	char params[64];

	for (int i = 0; i < 20; i++) {
		snprintf(params, sizeof(params), "{\"rule\":{\"mark\":%d},\"position\":0}", i + 1);
		say(f, "mark.add", params);
		snprintf(params, sizeof(params),
			 "{\"service\":\"dns\",\"set\":{\"name\":\"dns%d\"}}", i);
		if (i > 0)
			snprintf(params, sizeof(params),
				 "{\"service\":\"dns%d\",\"set\":{\"name\":\"dns%d\"}}", i - 1, i);
		say(f, "service.edit", params);
	}
	while (n < 40) {
		static char buf[65536];
		static size_t len;
		char *nl;
		ssize_t got = recv(f->fd, buf + len, sizeof(buf) - len, 0);

		assert_true(got > 0);
		len += (size_t)got;
		while ((nl = memchr(buf, '\n', len))) {
			json_t *doc;

			*nl = '\0';
			doc = json_loads(buf, 0, NULL);
			if (!json_object_get(doc, "result"))
				fail_msg("%s", buf);
			n++;
			json_decref(doc);
			len -= (size_t)(nl + 1 - buf);
			memmove(buf, nl + 1, len);
		}
	}
	assert_string_equal(marks_of(f), "20 19 18 17 16 15 14 13 12 11 10 9 8 7 6 5 4 3 2 1");
	assert_string_equal(node_of(f, DNS)->name, "dns19");
}

/* --- what the ha thread is told --- */

static uint32_t id_of(const struct identity *m, const char *server)
{
	struct sync_server s = {.service = {.proto = IPPROTO_TCP}};
	struct endpoint ep;

	assert_int_equal(endpoint_parse(&WEB[4], &ep), 0);
	s.service.addr = ep.addr;
	s.service.port = ep.port;
	assert_int_equal(endpoint_parse(server, &ep), 0);
	s.addr = ep.addr;
	s.port = ep.port;
	return identity_find(m, &s);
}

static void servers_are_told_by_identity_as_they_come_and_go(void **state)
{
	struct identity *m = identity_create();
	struct fixture *f = *state;
	struct identity_update *u;
	uint64_t before;
	uint32_t id;

	assert_int_equal(identity_poll(m, &f->identities), 0);
	id = id_of(m, "10.0.0.1:80");
	assert_int_not_equal(id, 0);
	assert_true(id == node_of(f, WEB)->servers[0].rt->id ||
		    id == node_of(f, WEB)->servers[1].rt->id);
	assert_int_equal(id_of(m, "10.0.0.3:80"), 0);
	before = identity_generation(m);
	/* A weight is told with its service's list alone, and is nothing new. */
	do_it(f, "server.edit",
	      "{\"service\":\"web\",\"server\":\"10.0.0.1:80\",\"set\":{\"weight\":9}}");
	u = identity_feed_take(&f->identities);
	assert_non_null(u);
	assert_null(u->next);
	assert_int_equal(identity_apply(m, u), 0);
	free(u);
	assert_int_equal(identity_generation(m), before);
	do_it(f, "server.add", "{\"service\":\"web\",\"server\":{\"address\":\"10.0.0.3:80\"}}");
	assert_int_equal(identity_poll(m, &f->identities), 0);
	assert_int_not_equal(id_of(m, "10.0.0.3:80"), 0);
	assert_true(identity_generation(m) > before);
	/* A removed one is known until its id is free for another. */
	do_it(f, "server.delete", "{\"service\":\"web\",\"server\":\"10.0.0.1:80\"}");
	for (unsigned int i = 0; i < 500 && id_of(m, "10.0.0.1:80"); i++) {
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
		assert_int_equal(identity_poll(m, &f->identities), 0);
	}
	assert_int_equal(id_of(m, "10.0.0.1:80"), 0);
	identity_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(ftp_can_be_added_edited_planned_and_saved),
		T(ftp_is_refused_where_it_cannot_work),
		T(what_service_get_gives_as_config_can_be_sent_back),
		T(mark_rules_come_and_go_at_their_positions),
		T(mark_rules_that_cannot_be_are_refused),
		T(what_a_mark_took_lingers_until_its_connections_end),
		T(the_same_of_ipv6_lingers),
		T(a_mark_leads_to_a_service_of_each_family),
		T(services_of_ipv6_have_tables_of_their_own),
		T(changes_wait_for_those_before_them),
		T(servers_are_told_by_identity_as_they_come_and_go),
	};
	int ret;

	if (harness_eal_init(0, 128, NULL) < 0)
		return 1;
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	harness_eal_fini();
	return ret;
}
