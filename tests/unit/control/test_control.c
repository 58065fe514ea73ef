/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "control_bed.h"
#include "lib/counts.h"

static void the_first_snapshot_is_the_configuration(void **state)
{
	struct fixture *f = *state;

	/* The file's order is the order of adding: the last is the head. */
	assert_string_equal(servers_of(f, WEB), "10.0.0.2:80/1 10.0.0.1:80/2");
	assert_string_equal(node_of(f, WEB)->sched->name, "wlc");
	assert_int_equal(kinds_of(f, "192.0.2.80"), VIP);
	assert_int_equal(kinds_of(f, "10.0.0.1"), ADDR_KIND_NAT_SERVER);
	/* A DR server's packets never come back this way. */
	assert_int_equal(kinds_of(f, "10.0.1.1"), 0);
	assert_int_equal(listener_of(f, 6, "192.0.2.80:80"), node_of(f, WEB)->rt->id);
	assert_int_equal(listener_of(f, 17, "192.0.2.80:80"), 0);
}

static void a_weight_changes_one_node_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	const struct snapshot *before = snapshot_of(f);
	const struct service *web_before = node_of(f, WEB), *dns_before = node_of(f, DNS);
	const struct addr_table4 *addrs = before->addrs4;
	uint32_t gen = f->pub.resolve_gen;

	/* Old nodes stay while a worker may read them: the answer waits for that. */
	f->stuck = 1;
	say(f, "server.edit",
	    "{\"service\":\"web\",\"server\":\"10.0.0.1:80\",\"set\":{\"weight\":7}}");
	for (int i = 0; i < 5000 && snapshot_of(f) == before; i++)
		usleep(1000);
	assert_string_equal(servers_of(f, WEB), "10.0.0.2:80/1 10.0.0.1:80/7");
	assert_int_equal(web_before->servers[1].weight, 2);
	assert_ptr_not_equal(node_of(f, WEB), web_before);
	assert_ptr_equal(node_of(f, DNS), dns_before);
	assert_ptr_equal(snapshot_of(f)->addrs4, addrs);
	assert_int_equal(f->pub.resolve_gen, gen);
	assert_int_equal(snapshot_of(f)->generation, before->generation + 1);
	__atomic_store_n(&f->stuck, 0, __ATOMIC_RELEASE);
	json_decref(hear(f));
}

static void an_answer_waits_for_every_worker_but_not_for_ever(void **state)
{
	struct fixture *f = *state;

	f->stuck = 1;
	expect_error(f, "server.edit",
		     "{\"service\":\"web\",\"server\":\"10.0.0.1:80\",\"set\":{\"weight\":9}}",
		     RPC_TIMEOUT, "within 2 s");
	__atomic_store_n(&f->stuck, 0, __ATOMIC_RELEASE);
	assert_string_equal(servers_of(f, WEB), "10.0.0.2:80/1 10.0.0.1:80/9");
}

static void a_server_that_is_added_becomes_the_head(void **state)
{
	struct fixture *f = *state;
	uint32_t gen = f->pub.resolve_gen;

	do_it(f, "server.add", "{\"service\":\"web\",\"server\":{\"address\":\"10.0.0.3:80\"}}");
	assert_string_equal(servers_of(f, WEB), "10.0.0.3:80/1 10.0.0.2:80/1 10.0.0.1:80/2");
	assert_int_equal(kinds_of(f, "10.0.0.3"), ADDR_KIND_NAT_SERVER);
	assert_int_not_equal(f->pub.resolve_gen, gen);
	expect_error(f, "server.add",
		     "{\"service\":\"web\",\"server\":{\"address\":\"10.0.0.3:80\"}}", RPC_EXISTS,
		     "10.0.0.3:80");
}

/* ipvsadm takes a VIP as a server by NAT. Packets from the VIP stay those of nobody but the router.
 */
static void a_vip_as_a_server_by_nat_is_a_vip_alone(void **state)
{
	struct fixture *f = *state;

	expect_error(f, "server.add",
		     "{\"service\":\"web\",\"server\":{\"address\":\"192.0.2.80:8080\"}}",
		     RPC_INVALID, "is a VIP: it cannot be a real server");
	do_it(f, "service.add",
	      "{\"protocol\":\"tcp\",\"listen\":\"192.0.2.88:80\",\"claim\":false,\"forward\":"
	      "\"nat\","
	      "\"servers\":[{\"address\":\"192.0.2.88:8080\"},{\"address\":\"10.0.0.8:80\"}]}");
	assert_int_equal(kinds_of(f, "192.0.2.88") & (ADDR_KIND_VIP | ADDR_KIND_NAT_SERVER),
			 ADDR_KIND_VIP);
	assert_int_equal(kinds_of(f, "10.0.0.8"), ADDR_KIND_NAT_SERVER);
	/* A change of servers alone patches the table. */
	do_it(f, "server.add",
	      "{\"service\":\"tcp:192.0.2.88:80\",\"server\":{\"address\":\"192.0.2.80:81\"}}");
	assert_int_equal(kinds_of(f, "192.0.2.80") & (ADDR_KIND_VIP | ADDR_KIND_NAT_SERVER),
			 ADDR_KIND_VIP);
}

static struct server_rt *server_of(const struct fixture *f, const char *key, const char *text)
{
	struct endpoint ep;

	assert_int_equal(endpoint_parse(text, &ep), 0);
	return runtime_server_find(&f->pub.runtime, runtime_service_find(&f->pub.runtime, key),
				   &ep);
}

static void a_removed_server_waits_for_its_connections_and_revives(void **state)
{
	struct fixture *f = *state;
	struct server_rt *srv = server_of(f, WEB, "10.0.0.1:80");
	uint32_t id = srv->id;

	counts_bind(srv, true);
	do_it(f, "server.delete", "{\"service\":\"web\",\"server\":\"10.0.0.1:80\"}");
	assert_string_equal(servers_of(f, WEB), "10.0.0.2:80/1");
	assert_true(server_rt_removed(srv));
	/* Its replies are still translated. */
	assert_int_equal(kinds_of(f, "10.0.0.1"), ADDR_KIND_NAT_SERVER);
	usleep(600000);
	assert_ptr_equal(runtime_server(&f->pub.runtime, id), srv);
	do_it(f, "server.add", "{\"service\":\"web\",\"server\":{\"address\":\"10.0.0.1:80\"}}");
	assert_string_equal(servers_of(f, WEB), "10.0.0.1:80/1 10.0.0.2:80/1");
	assert_int_equal(node_of(f, WEB)->servers[0].rt->id, id);
	assert_int_equal(srv->removed, 0);
	assert_int_equal(counts_active(server_rt_counts(srv)), 1);
	counts_unbind(srv, true);
}

static json_int_t connections_of(struct fixture *f, const char *method, const char *params)
{
	json_t *r = get(f, method, params);
	const json_int_t n = json_integer_value(json_object_get(r, "connections"));

	json_decref(r);
	return n;
}

static void a_deletion_says_how_many_connections_there_were(void **state)
{
	struct fixture *f = *state;
	struct server_rt *one = server_of(f, WEB, "10.0.0.1:80");
	struct server_rt *two = server_of(f, WEB, "10.0.0.2:80");

	counts_bind(one, true);
	counts_bind(two, true);
	counts_bind(two, false);
	assert_int_equal(connections_of(f, "server.delete",
					"{\"service\":\"web\",\"server\":\"10.0.0.2:80\"}"),
			 2);
	assert_int_equal(connections_of(f, "service.delete", "{\"service\":\"web\"}"), 1);
	counts_unbind(one, true);
	counts_unbind(two, true);
	counts_unbind(two, false);
}

static void a_removed_server_is_forgotten_when_its_last_connection_ends(void **state)
{
	struct fixture *f = *state;
	struct server_rt *srv = server_of(f, WEB, "10.0.0.1:80");
	uint32_t id = srv->id;

	counts_bind(srv, true);
	do_it(f, "server.delete", "{\"service\":\"web\",\"server\":\"10.0.0.1:80\"}");
	counts_unbind(srv, true);
	for (int i = 0; i < 5000 && runtime_server(&f->pub.runtime, id); i++)
		usleep(1000);
	assert_null(runtime_server(&f->pub.runtime, id));
	for (int i = 0; i < 5000 && kinds_of(f, "10.0.0.1"); i++)
		usleep(1000);
	assert_int_equal(kinds_of(f, "10.0.0.1"), 0);
}

static void a_server_that_leaves_nat_is_steered_until_its_connections_end(void **state)
{
	struct fixture *f = *state;
	struct server_rt *srv = server_of(f, WEB, "10.0.0.1:80");

	counts_bind(srv, true);
	do_it(f, "server.edit",
	      "{\"service\":\"web\",\"server\":\"10.0.0.1:80\",\"set\":{\"forward\":\"dr\"}}");
	assert_int_equal(srv->method, FWD_DR);
	assert_int_equal(kinds_of(f, "10.0.0.1"), ADDR_KIND_NAT_SERVER);
	counts_unbind(srv, true);
	for (int i = 0; i < 5000 && kinds_of(f, "10.0.0.1"); i++)
		usleep(1000);
	assert_int_equal(kinds_of(f, "10.0.0.1"), 0);
}

static void a_service_comes_and_goes(void **state)
{
	struct fixture *f = *state;

	do_it(f, "service.add",
	      "{\"name\":\"mail\",\"protocol\":\"tcp\",\"listen\":[\"192.0.2.25:25\"],"
	      "\"servers\":[{\"address\":\"10.0.2.1:25\"},{\"address\":\"10.0.2.2:25\"}]}");
	assert_string_equal(servers_of(f, "tcp:192.0.2.25:25"), "10.0.2.2:25/1 10.0.2.1:25/1");
	assert_int_equal(kinds_of(f, "192.0.2.25"), VIP);
	do_it(f, "service.edit", "{\"service\":\"mail\",\"set\":{\"scheduler\":\"rr\"}}");
	assert_string_equal(node_of(f, "tcp:192.0.2.25:25")->sched->name, "rr");
	do_it(f, "service.delete", "{\"service\":\"tcp:192.0.2.25:25\"}");
	assert_int_equal(kinds_of(f, "192.0.2.25") & VIP, 0);
	assert_int_equal(listener_of(f, 6, "192.0.2.25:25"), 0);
	expect_error(f, "service.get", "{\"service\":\"mail\"}", RPC_NO_OBJECT, "mail");
}

static bool told(const struct fixture *f, const char *text, uint8_t kind)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, &addr), 0);
	for (uint32_t i = 0; i < f->link.n_addresses; i++)
		if (addr_equal(&f->link.addresses[i].addr, &addr))
			return f->link.addresses[i].kind == kind && f->link.addresses[i].active;
	return false;
}

static void wait_for_kinds(const struct fixture *f, const char *text, uint32_t kinds)
{
	for (int i = 0; i < 5000 && kinds_of(f, text) != kinds; i++)
		usleep(1000);
	assert_int_equal(kinds_of(f, text), kinds);
}

static void a_vip_without_services_lingers_until_its_connections_end(void **state)
{
	struct fixture *f = *state;
	struct server_rt *srv = server_of(f, WEB, "10.0.0.1:80");

	counts_bind(srv, true);
	do_it(f, "service.delete", "{\"service\":\"web\"}");
	assert_int_equal(kinds_of(f, "192.0.2.80"), ADDR_KIND_LINGERING);
	assert_false(told(f, "192.0.2.80", LINK_ADDRESS_VIP));
	/* Its service again: nothing is left of it, and a removal begins anew. */
	do_it(f, "config.apply", "{}");
	assert_int_equal(kinds_of(f, "192.0.2.80"), VIP);
	do_it(f, "service.edit",
	      "{\"service\":\"web\",\"set\":{\"listen\":[\"192.0.2.80:80\",\"192.0.2.81:80\"]}}");
	assert_int_equal(kinds_of(f, "192.0.2.81"), VIP);
	do_it(f, "service.edit", "{\"service\":\"web\",\"set\":{\"listen\":\"192.0.2.80:80\"}}");
	assert_int_equal(kinds_of(f, "192.0.2.81"), ADDR_KIND_LINGERING);
	do_it(f, "service.delete", "{\"service\":\"web\"}");
	usleep(600000); /* the registry has looked twice */
	assert_int_equal(kinds_of(f, "192.0.2.80"), ADDR_KIND_LINGERING);
	counts_unbind(srv, true);
	wait_for_kinds(f, "192.0.2.80", 0);
	wait_for_kinds(f, "192.0.2.81", 0);
}

static void a_service_inside_a_routed_prefix_answers_no_arp(void **state)
{
	struct fixture *f = *state;

	do_it(f, "service.add", "{\"protocol\":\"tcp\",\"listen\":\"203.0.113.9:80\"}");
	assert_int_equal(kinds_of(f, "203.0.113.9"), VIP);
	do_it(f, "address.add",
	      "{\"address\":\"203.0.113.0/24\",\"kind\":\"prefix\",\"link\":\"public\"}");
	assert_int_equal(kinds_of(f, "203.0.113.9"), VIP | ADDR_KIND_ROUTED);
	/* The operator wants this one answered. */
	do_it(f, "address.add", "{\"address\":\"203.0.113.9\"}");
	assert_int_equal(kinds_of(f, "203.0.113.9"), VIP);
	do_it(f, "address.delete", "{\"address\":\"203.0.113.9\"}");
	do_it(f, "address.delete",
	      "{\"address\":\"203.0.113.0/24\",\"kind\":\"prefix\",\"link\":\"public\"}");
	assert_int_equal(kinds_of(f, "203.0.113.9"), VIP);
}

static void addresses_are_listed_with_those_that_services_imply(void **state)
{
	struct fixture *f = *state;
	json_t *r;

	do_it(f, "address.add",
	      "{\"address\":\"10.0.255.254/16\",\"kind\":\"gateway\",\"link\":\"public\"}");
	assert_int_equal(kinds_of(f, "10.0.255.254"), ADDR_KIND_GATEWAY);
	r = get(f, "address.list", "{}");
	assert_int_equal(json_array_size(json_object_get(r, "addresses")), 3);
	json_decref(r);
	do_it(f, "address.delete",
	      "{\"address\":\"10.0.255.254/16\",\"kind\":\"gateway\",\"link\":\"public\"}");
	assert_int_equal(kinds_of(f, "10.0.255.254"), 0);
}

static void linux_is_told_of_vips_gateways_and_servers(void **state)
{
	struct fixture *f = *state;
	json_t *r, *route;

	assert_int_equal(f->link.n_addresses, 2);
	assert_true(told(f, "192.0.2.80", LINK_ADDRESS_VIP));
	assert_true(told(f, "192.0.2.53", LINK_ADDRESS_VIP));
	assert_int_equal(f->link.n_wants, 3);
	do_it(f, "address.add",
	      "{\"address\":\"10.0.255.254/16\",\"kind\":\"gateway\",\"link\":\"public\"}");
	assert_int_equal(f->link.n_addresses, 3);
	assert_true(told(f, "10.0.255.254", LINK_ADDRESS_GATEWAY));
	/* The same machine behind two services is one next hop. */
	do_it(f, "server.add", "{\"service\":\"dns\",\"server\":{\"address\":\"10.0.0.1:53\"}}");
	assert_int_equal(f->link.n_wants, 3);
	do_it(f, "service.delete", "{\"service\":\"dns\"}");
	assert_int_equal(f->link.n_wants, 2);
	assert_false(told(f, "192.0.2.53", LINK_ADDRESS_VIP));
	r = get(f, "route.list", "{}");
	route = json_array_get(json_object_get(r, "routes"), 0);
	assert_string_equal(json_string_value(json_object_get(route, "via")), "192.0.2.1");
	json_decref(r);
	expect_error(f, "nexthop.list", "{}", RPC_INTERNAL, "link thread");
}

static void what_is_wrong_is_refused_with_the_near_miss(void **state)
{
	struct fixture *f = *state;

	expect_error(f, "service.lists", "{}", RPC_NO_METHOD, "service.list");
	expect_error(f, "service.get", "{\"servicex\":\"web\"}", RPC_BAD_PARAMS, "\"service\"");
	expect_error(f, "service.get", "{}", RPC_BAD_PARAMS, "\"service\" is missing");
	expect_error(f, "service.get", "{\"service\":7}", RPC_BAD_PARAMS, "a string");
	/* A method that another router is asked for is looked up before its level is. */
	expect_error(f, "fleet.ask", "{\"member\":\"b\",\"method\":\"service.lists\"}",
		     RPC_NO_METHOD, "service.list");
	expect_error(f, "fleet.ask", "{\"member\":\"b\",\"method\":7}", RPC_BAD_PARAMS, "method");
	expect_error(f, "fleet.ask", "{\"member\":\"b\",\"method\":\"fleet.ask\"}", RPC_BAD_PARAMS,
		     "again");
	expect_error(f, "fleet.ask", "{\"member\":\"b\",\"method\":\"status\"}", RPC_NO_OBJECT,
		     "names no member");
	expect_error(f, "service.get", "{\"service\":\"webb\"}", RPC_NO_OBJECT, "\"web\"");
	expect_error(f, "service.delete", "{\"service\":\"wbe\"}", RPC_NO_OBJECT, "\"web\"");
	expect_error(f, "drop.show", "{\"reason\":\"bad_verison\"}", RPC_NO_OBJECT,
		     "\"bad_version\"");
	expect_error(f, "drop.show", "{\"reason\":\"?\"}", RPC_NO_OBJECT, "drops list");
	expect_error(f, "connection.list", "{\"limit\":-1}", RPC_BAD_PARAMS, "a number");
	expect_error(f, "connection.list", "{\"state\":\"OPEN\"}", RPC_BAD_PARAMS, "state");
	expect_error(f, "connection.list", "{\"client\":\"10.0.0.1/8\"}", RPC_BAD_PARAMS, "prefix");
	expect_error(f, "connection.list", "{\"worker\":0}", RPC_BAD_PARAMS, "worker");
	expect_error(f, "counter.list", "{\"object\":\"all the things\"}", RPC_BAD_PARAMS, "drops");
	expect_error(f, "config.get", "{\"part\":\"half\"}", RPC_BAD_PARAMS, "shared");
	expect_error(f, "config.check", "{}", RPC_BAD_PARAMS, "missing");
	expect_error(f, "config.check", "{\"path\":\"/nowhere/plvs.json\"}", RPC_INVALID,
		     "nowhere");
	expect_error(f, "server.edit",
		     "{\"service\":\"web\",\"server\":\"10.0.0.1:80\",\"set\":{\"weightx\":1}}",
		     RPC_INVALID, "weight");
	expect_error(
		f, "server.edit",
		"{\"service\":\"web\",\"server\":\"10.0.0.1:80\",\"set\":{\"weight\":2147483648}}",
		RPC_INVALID, "weight");
	expect_error(f, "service.add",
		     "{\"protocol\":\"tcp\",\"listen\":[\"192.0.2.80:80\"],\"servers\":[]}",
		     RPC_EXISTS, "192.0.2.80:80");
	expect_error(f, "log.level", "{\"level\":\"loud\"}", RPC_BAD_PARAMS, "debug");
	assert_string_equal(servers_of(f, WEB), "10.0.0.2:80/1 10.0.0.1:80/2");
}

static void every_listing_answers(void **state)
{
	static const char *const listings[] = {
		"version",	    "status",	    "config.get",   "config.schema",
		"service.list",	    "address.list", "counter.list", "route.list",
		"connection.list",  "worker.list",  "port.list",    "log.level",
		"connection.count", "mark.list",    "health.list",  "fleet.status",
		"config.history",
	};
	struct fixture *f = *state;
	json_t *r, *s;

	for (size_t i = 0; i < sizeof(listings) / sizeof(listings[0]); i++)
		do_it(f, listings[i], "{}");
	r = get(f, "service.get", "{\"service\":\"web\"}");
	/* Effective time-outs, of the protocol's own states. */
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(r, "timeouts"), "ESTABLISHED")),
		900);
	assert_null(json_object_get(json_object_get(r, "timeouts"), "UDP"));
	s = json_object_get(r, "service");
	assert_string_equal(json_string_value(json_object_get(s, "key")), WEB);
	s = json_array_get(json_object_get(s, "servers"), 0);
	assert_string_equal(json_string_value(json_object_get(s, "address")), "10.0.0.2:80");
	assert_int_equal(json_integer_value(json_object_get(s, "active")), 0);
	assert_non_null(json_object_get(json_object_get(s, "rates"), "out_bytes"));
	json_decref(r);
	expect_error(
		f, "connection.find",
		"{\"protocol\":\"tcp\",\"client\":\"1.2.3.4:5\",\"virtual\":\"192.0.2.80:80\"}",
		RPC_NO_OBJECT, "no such connection");
}

static void apply_sets_lists_from_the_file_and_keeps_what_is_the_same(void **state)
{
	struct fixture *f = *state;
	const struct service *dns;
	json_t *r;

	do_it(f, "server.add", "{\"service\":\"web\",\"server\":{\"address\":\"10.0.0.3:80\"}}");
	dns = node_of(f, DNS);
	r = get(f, "config.plan", "{}");
	assert_true(json_array_size(json_object_get(r, "changes")) > 0);
	json_decref(r);
	r = get(f, "config.apply", "{}");
	assert_true(json_array_size(json_object_get(r, "changes")) > 0);
	assert_int_equal(json_array_size(json_object_get(r, "restart")), 0);
	json_decref(r);
	assert_string_equal(servers_of(f, WEB), "10.0.0.2:80/1 10.0.0.1:80/2");
	assert_ptr_equal(node_of(f, DNS), dns);
	r = get(f, "config.apply", "{}");
	assert_int_equal(json_array_size(json_object_get(r, "changes")), 0);
	json_decref(r);
}

static void texts_check(const json_t *result, const char *key, const char *only)
{
	const json_t *list = json_object_get(result, key);

	assert_int_equal(json_array_size(list), only != NULL);
	if (only)
		assert_string_equal(json_string_value(json_array_get(list, 0)), only);
}

/* The file with other keys in `node`. */
static void node_write(const struct fixture *f, const char *name, const char *more)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "{\"node\":{\"name\":\"%s\",\"control\":{\"socket\":\"%s\"},"
		 "\"ports\":[{\"name\":\"public\",\"device\":\"d0\"}]%s}}",
		 name, f->path, more);
	write_file(f, text);
}

static void keys_of_node_change_at_once_or_with_a_restart(void **state)
{
	static const char level[] = "node.log.level: info -> debug";
	static const char back[] = "node.log.level: debug -> info";
	static const char name[] = "node.name: lb1 -> lb2";
	static const char *const methods[] = {"config.plan", "config.apply"};
	struct fixture *f = *state;
	json_t *r;

	node_write(f, "lb2", ",\"log\":{\"level\":\"debug\"}");
	for (size_t i = 0; i < 2; i++) {
		r = get(f, methods[i], "{}");
		texts_check(r, "at_once", level);
		texts_check(r, "restart", name);
		json_decref(r);
	}
	/* The name waits still; the level is there. */
	r = get(f, "config.plan", "{}");
	texts_check(r, "at_once", NULL);
	texts_check(r, "restart", name);
	json_decref(r);
	node_write(f, "lb1", "");
	r = get(f, "config.apply", "{}");
	texts_check(r, "at_once", back);
	texts_check(r, "restart", NULL);
	json_decref(r);
}

static void a_file_that_is_wrong_changes_nothing(void **state)
{
	struct fixture *f = *state;
	const struct snapshot *before = snapshot_of(f);

	write_file(f, "{\"node\":{},\n \"shared\":{\"servicesx\":[]}}\n");
	expect_error(f, "config.apply", "{}", RPC_INVALID, "services");
	control_reload(f->control);
	for (int i = 0; i < 5000 && !strstr(last_log, "nothing was changed"); i++)
		usleep(1000);
	assert_non_null(strstr(last_log, "nothing was changed"));
	assert_ptr_equal(snapshot_of(f), before);
}

static void a_reload_applies_the_file(void **state)
{
	struct fixture *f = *state;
	const struct snapshot *before = snapshot_of(f);
	char text[4096], *weight;

	snprintf(text, sizeof(text), web, f->path);
	weight = strstr(text, "\"weight\": 2");
	weight[strlen("\"weight\": ")] = '5';
	write_file(f, text);
	f->stuck = 1;
	control_reload(f->control);
	for (int i = 0; i < 5000 && snapshot_of(f) == before; i++)
		usleep(1000);
	assert_string_equal(servers_of(f, WEB), "10.0.0.2:80/1 10.0.0.1:80/5");
	__atomic_store_n(&f->stuck, 0, __ATOMIC_RELEASE);
}

static void what_is_saved_loads_as_the_same(void **state)
{
	struct fixture *f = *state;
	json_t *r;

	do_it(f, "server.add",
	      "{\"service\":\"web\",\"server\":{\"address\":\"10.0.0.3:80\",\"weight\":4}}");
	do_it(f, "config.save", "{}");
	r = get(f, "config.plan", "{}");
	assert_int_equal(json_array_size(json_object_get(r, "changes")), 0);
	json_decref(r);
}

/* --- many changes --- */

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct lines {
	char **v;
	size_t n, max;
};

static void line_add(struct lines *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void line_add(struct lines *l, const char *fmt, ...)
{
	va_list ap;

	if (l->n == l->max)
		l->v = realloc(l->v, (l->max = l->max * 2 + 64) * sizeof(*l->v));
	va_start(ap, fmt);
	assert_true(vasprintf(&l->v[l->n++], fmt, ap) >= 0);
	va_end(ap);
}

/* All that workers read of a snapshot, without ids, generations and order of tables. */
static char *describe(const struct snapshot *s)
{
	struct lines l = {0};
	char a[ENDPOINT_STRLEN], *text;
	size_t len = 1;

	for (uint32_t id = 0; id <= s->max_service_id; id++) {
		const struct service *svc = s->services[id];

		if (!svc)
			continue;
		line_add(&l, "service %s %s %s %u %u %u %u %u %u %u", svc->rt->key,
			 svc->name ? svc->name : "-", svc->sched->name, svc->policy.one_packet,
			 svc->fwmark, svc->proto, svc->policy.forward,
			 (unsigned int)svc->policy.netmask, svc->policy.persist_s,
			 svc->policy.timeout_s[CONN_ESTABLISHED]);
		for (uint32_t i = 0; i < svc->n_servers; i++) {
			const struct server *v = &svc->servers[i];

			assert_int_equal(v->rt->removed, 0);
			assert_int_equal(v->rt->method, v->method);
			assert_int_equal(v->rt->service_id, svc->rt->id);
			assert_int_equal(v->rt->upper, v->upper);
			line_add(&l, "service %s %04u %s %u %u %u %u", svc->rt->key, i,
				 endpoint_format(&v->rt->ep, a, sizeof(a)), v->method, v->weight,
				 v->upper, v->lower);
		}
	}
	for (uint32_t i = 0; i <= s->listeners4->mask; i++) {
		const struct listener4 *v = &s->listeners4->slots[i];

		if (v->proto)
			line_add(&l, "listener %u %08x %u %s", v->proto, v->addr, v->port,
				 s->services[v->service_id]->rt->key);
	}
	for (uint32_t i = 0; i <= s->addrs4->mask; i++) {
		const struct addr_entry4 *v = &s->addrs4->slots[i];

		if (v->kinds)
			line_add(&l, "address %08x %u %u", v->addr, v->kinds, v->link);
	}
	qsort(l.v, l.n, sizeof(*l.v), compare_text);
	for (size_t i = 0; i < l.n; i++)
		len += strlen(l.v[i]) + 1;
	text = calloc(1, len);
	len = 0;
	for (size_t i = 0; i < l.n; i++) {
		len += (size_t)sprintf(text + len, "%s\n", l.v[i]);
		free(l.v[i]);
	}
	free(l.v);
	return text;
}

static uint32_t seed = 1;

static uint32_t below(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static void random_change(struct fixture *f)
{
	static const char *const schedulers[] = {"rr", "wrr", "lc", "wlc"};
	static const char *const forwards[] = {"nat", "dr"};
	uint32_t vip = below(12), server = below(6);
	char text[512], service[40], address[40];
	const char *method = "server.edit";

	snprintf(service, sizeof(service), "tcp:198.51.100.%u:80", vip + 1);
	snprintf(address, sizeof(address), "10.9.%u.%u:80", vip % 3, server + 1);
	switch (below(8)) {
	case 0:
		method = "service.add";
		snprintf(text, sizeof(text),
			 "{\"protocol\":\"tcp\",\"listen\":[\"198.51.100.%u:80\","
			 "\"198.51.100.%u:443\"],\"scheduler\":\"%s\",\"servers\":["
			 "{\"address\":\"%s\"}]}",
			 vip + 1, vip + 1, schedulers[below(4)], address);
		break;
	case 1:
		method = below(3) ? "service.edit" : "service.delete";
		snprintf(text, sizeof(text),
			 strcmp(method, "service.edit") == 0
				 ? "{\"service\":\"%s\",\"set\":{\"scheduler\":\"%s\",\"forward\":"
				   "\"%s\"}}"
				 : "{\"service\":\"%s\"}",
			 service, schedulers[below(4)], forwards[below(2)]);
		break;
	case 2:
	case 3:
		method = "server.add";
		snprintf(text, sizeof(text),
			 "{\"service\":\"%s\",\"server\":{\"address\":\"%s\",\"weight\":%u}}",
			 service, address, below(10));
		break;
	case 4:
		method = "server.delete";
		snprintf(text, sizeof(text), "{\"service\":\"%s\",\"server\":\"%s\"}", service,
			 address);
		break;
	case 5:
		snprintf(text, sizeof(text),
			 "{\"service\":\"%s\",\"server\":\"%s\",\"set\":{\"forward\":\"%s\"}}",
			 service, address, forwards[below(2)]);
		break;
	default:
		snprintf(text, sizeof(text),
			 "{\"service\":\"%s\",\"server\":\"%s\",\"set\":{\"weight\":%u,"
			 "\"upper_threshold\":%u}}",
			 service, address, below(10), 10 + below(3));
	}
	say(f, method, text);
}

/* The snapshot that control published, all leavers gone, against a fresh build of the
 * configuration. */
static void expect_as_fresh(struct fixture *f)
{
	struct published pub = {.grace = f->pub.grace};
	struct control_options opt = {.pub = &pub};
	json_t *json = config_to_json(f->control->config, CONFIG_ALL);
	char *text = json_dumps(json, 0), *ours, *fresh, error[256];
	struct control *other;

	for (int i = 0; i < 8; i++) {
		publisher_reap(&f->control->publisher);
		assert_int_equal(publisher_flush(&f->control->publisher), 0);
	}
	assert_int_equal(runtime_init(&pub.runtime), 0);
	if (control_create(&opt, parse(text), &other, error) < 0)
		fail_msg("%s", error);
	ours = describe(snapshot_of(f));
	fresh = describe(pub.snapshot);
	assert_string_equal(ours, fresh);
	assert_int_equal(f->pub.runtime.n_servers, pub.runtime.n_servers);
	assert_int_equal(f->pub.runtime.n_services, pub.runtime.n_services);
	free(ours);
	free(fresh);
	control_destroy(other);
	runtime_fini(&pub.runtime);
	free(text);
	json_decref(json);
}

static void random_changes_lead_where_a_fresh_build_does(void **state)
{
	struct fixture *f = *state;
	int done = 0;

	for (int i = 0; i < 1000; i++) {
		/* Some in one batch, some alone. */
		json_t *doc;
		char *text;

		random_change(f);
		doc = hear(f);
		done += json_object_get(doc, "result") != NULL;
		text = json_dumps(json_object_get(doc, "error"), 0);
		if (text && strstr(text, "unknown"))
			fail_msg("%s", text);
		free(text);
		json_decref(doc);
	}
	/* Most must hit something, or the test says nothing. */
	assert_true(done > 300);
	control_stop(f->control);
	expect_as_fresh(f);
}

static void changes_of_one_moment_go_out_together(void **state)
{
	struct fixture *f = *state;
	uint64_t before = snapshot_of(f)->generation;
	char all[16384] = "", one[256], *answers;
	size_t got = 0, want = 100;

	for (int i = 0; i < 100; i++) {
		snprintf(one, sizeof(one),
			 "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"server.edit\",\"params\":"
			 "{\"service\":\"web\",\"server\":\"10.0.0.1:80\",\"set\":{\"weight\":%d}}}"
			 "\n",
			 i, i + 1);
		strcat(all, one);
	}
	assert_int_equal(send(f->fd, all, strlen(all), 0), strlen(all));
	answers = malloc(65536);
	while (got < want) {
		ssize_t n = recv(f->fd, answers, 65536, 0);

		assert_true(n > 0);
		for (ssize_t i = 0; i < n; i++)
			got += answers[i] == '\n';
	}
	free(answers);
	assert_string_equal(servers_of(f, WEB), "10.0.0.2:80/1 10.0.0.1:80/100");
	assert_true(snapshot_of(f)->generation - before < 50);
}

static void fifty_reloads_in_a_row_end_as_the_last_says(void **state)
{
	struct fixture *f = *state;
	char text[4096], *weight, params[8192];

	for (int i = 0; i < 50; i++) {
		json_t *doc;
		char *dump;

		snprintf(text, sizeof(text), web, f->path);
		weight = strstr(text, "\"weight\": 2");
		weight[strlen("\"weight\": ")] = (char)('1' + i % 9);
		doc = json_pack("{s:s}", "text", text);
		dump = json_dumps(doc, 0);
		snprintf(params, sizeof(params), "%s", dump);
		free(dump);
		json_decref(doc);
		do_it(f, "config.apply", params);
	}
	assert_string_equal(servers_of(f, WEB), "10.0.0.2:80/1 10.0.0.1:80/5");
	control_stop(f->control);
	expect_as_fresh(f);
}

/* n services more than the file has. */
static void apply_many(struct fixture *f, int n)
{
	json_t *doc = config_to_json(f->control->config, CONFIG_NODE), *list;
	char *text, *params;

	json_object_set_new(doc, "shared", json_pack("{s:[]}", "services"));
	list = json_object_get(json_object_get(doc, "shared"), "services");
	for (int i = 0; i < n; i++)
		json_array_append_new(
			list, json_pack("{s:s, s:[o], s:[{s:s}]}", "protocol", "tcp", "listen",
					json_sprintf("203.0.113.%d:%d", i % 250, 1000 + i),
					"servers", "address", "10.3.0.1:80"));
	text = json_dumps(doc, 0);
	json_decref(doc);
	doc = json_pack("{s:s}", "text", text);
	params = json_dumps(doc, 0);
	do_it(f, "config.apply", params);
	json_decref(doc);
	free(text);
	free(params);
}

/* So many services that their listing takes longer than a change on a busy machine. */
#define LISTED	      9000
#define LISTING_BYTES (32U << 20)

static void a_change_is_live_while_a_long_listing_is_made(void **state)
{
	struct fixture *f = *state;
	json_t *first, *second, *list;
	char *text = malloc(LISTING_BYTES), *end = NULL;
	size_t len = 0;

	apply_many(f, LISTED);
	say(f, "service.list", "{}");
	say(f, "server.edit",
	    "{\"service\":\"tcp:203.0.113.7:1007\",\"server\":\"10.3.0.1:80\","
	    "\"set\":{\"weight\":9}}");
	while (!end || !memchr(end + 1, '\n', len - (size_t)(end + 1 - text))) {
		ssize_t n = recv(f->fd, text + len, LISTING_BYTES - len, 0);

		assert_true(n > 0);
		len += (size_t)n;
		end = memchr(text, '\n', len);
	}
	first = json_loadb(text, (size_t)(end - text), 0, NULL);
	second = json_loadb(end + 1, len - (size_t)(end + 1 - text), 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(first, "id")), f->next_id);
	list = json_object_get(json_object_get(second, "result"), "services");
	assert_int_equal(json_array_size(list), LISTED);
	json_decref(first);
	json_decref(second);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_first_snapshot_is_the_configuration),
		T(a_weight_changes_one_node_and_nothing_else),
		T(an_answer_waits_for_every_worker_but_not_for_ever),
		T(a_server_that_is_added_becomes_the_head),
		T(a_vip_as_a_server_by_nat_is_a_vip_alone),
		T(a_removed_server_waits_for_its_connections_and_revives),
		T(a_deletion_says_how_many_connections_there_were),
		T(a_removed_server_is_forgotten_when_its_last_connection_ends),
		T(a_server_that_leaves_nat_is_steered_until_its_connections_end),
		T(a_service_comes_and_goes),
		T(a_vip_without_services_lingers_until_its_connections_end),
		T(a_service_inside_a_routed_prefix_answers_no_arp),
		T(addresses_are_listed_with_those_that_services_imply),
		T(linux_is_told_of_vips_gateways_and_servers),
		T(what_is_wrong_is_refused_with_the_near_miss),
		T(every_listing_answers),
		T(apply_sets_lists_from_the_file_and_keeps_what_is_the_same),
		T(keys_of_node_change_at_once_or_with_a_restart),
		T(a_file_that_is_wrong_changes_nothing),
		T(a_reload_applies_the_file),
		T(what_is_saved_loads_as_the_same),
		T(random_changes_lead_where_a_fresh_build_does),
		T(changes_of_one_moment_go_out_together),
		T(a_change_is_live_while_a_long_listing_is_made),
		T(fifty_reloads_in_a_row_end_as_the_last_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
