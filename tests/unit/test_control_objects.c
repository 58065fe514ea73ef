/* SPDX-License-Identifier: BSD-3-Clause */
/* Single requests about services, servers and mark rules, through the control socket. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "control_bed.h"

/* --- services --- */

static bool has_ftp(const struct fixture *f, const char *key)
{
	return node_of(f, key)->flags & SERVICE_FTP;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(ftp_can_be_added_edited_planned_and_saved),
		T(ftp_is_refused_where_it_cannot_work),
		T(what_service_get_gives_as_config_can_be_sent_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
