/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

/* Keys of a fleet, and refusals in one. */

static const char *const schedulers[] = {"rr", "wlc", "mh", NULL};

#define NODE(more)                                                                                 \
	"{\"node\":{\"ports\":[{\"name\":\"public\",\"device\":\"d0\",\"linux\":{\"addresses\":["  \
	"\"192.0.2.10/24\"]}}]" more "},\"shared\":{"
#define LB1   NODE(",\"name\":\"lb1\",\"announce\":{\"table\":7690}")
#define FLEET "\"ha\":{\"mode\":\"fleet\"}"
#define SERVICE(more, server)                                                                      \
	"\"services\":[{\"name\":\"web\",\"protocol\":\"tcp\",\"listen\":\"198.51.100.80:"         \
	"80\"," more ",\"servers\":[{\"address\":\"192.0.2.21:80\"" server "}]}]"
#define MH "\"scheduler\":\"mh\",\"forward\":\"dr\""

static struct config *parse(const char *text, char said[2048])
{
	struct config_errors errors;
	struct config *config = NULL;
	char line[512];

	said[0] = '\0';
	config_errors_init(&errors);
	if (config_parse(text, strlen(text), NULL, schedulers, &config, &errors) < 0)
		config = NULL;
	for (uint32_t i = 0; i < errors.errors.n; i++)
		snprintf(said + strlen(said), 2048 - strlen(said), "%s\n",
			 config_error_format(&errors, &errors.errors.v[i], line, sizeof(line)));
	for (uint32_t i = 0; i < errors.warnings.n; i++)
		snprintf(said + strlen(said), 2048 - strlen(said), "warning: %s\n",
			 config_error_format(&errors, &errors.warnings.v[i], line, sizeof(line)));
	config_errors_fini(&errors);
	return config;
}

/* Valid, with nothing to say. */
static struct config *good(const char *text)
{
	char said[2048];
	struct config *c = parse(text, said);

	assert_string_equal(said, "");
	assert_non_null(c);
	return c;
}

static void refused(const char *text, const char *part)
{
	char said[2048];

	assert_null(parse(text, said));
	if (!strstr(said, part))
		assert_string_equal(said, part);
}

static void warned(const char *text, const char *part)
{
	char said[2048];
	struct config *c = parse(text, said);

	assert_non_null(c);
	if (!strstr(said, part))
		assert_string_equal(said, part);
	config_destroy(c);
}

static void a_member_is_read_and_written_back(void **state)
{
	struct config *c = good(NODE(
		",\"name\":\"lb1\",\"announce\":{\"table\":7690,\"metric\":50,\"vips\":[{"
		"\"address\":\"198.51.100.80\",\"metric\":200}],\"stuck\":\"300ms\","
		"\"drain\":\"5s\"},\"notify\":{\"announce\":[\"/bin/true\"]}") "\"ha\":{\"mode\":"
									       "\"fleet\","
									       "\"withdraw\":"
									       "\"all\"}}}");
	char *text, said[2048];

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(c->shared.ha.mode, CONFIG_HA_FLEET);
		assert_int_equal(c->shared.ha.withdraw, CONFIG_WITHDRAW_ALL);
		assert_int_equal(c->node.announce.table, 7690);
		assert_int_equal(c->node.announce.metric, 50);
		assert_int_equal(c->node.announce.n_vips, 1);
		assert_int_equal(c->node.announce.vips[0].metric, 200);
		assert_int_equal(c->node.announce.stuck_ms, 300);
		assert_int_equal(c->node.announce.drain_ms, 5000);
		assert_int_equal(c->node.notify.n_announce, 1);
		text = config_to_text(c);
		config_destroy(c);
		c = parse(text, said);
		free(text);
		assert_non_null(c);
	}
	config_destroy(c);
}

static void a_member_has_a_name_and_a_table(void **state)
{
	(void)state;
	refused(NODE(",\"announce\":{\"table\":7690}") FLEET "}}", "node.name: missing");
	warned(NODE(",\"name\":\"lb1\"") FLEET "}}", "node.announce.table: missing");
	refused(NODE(",\"announce\":{\"table\":254}") "}}", "\"main\"");
	refused(NODE(",\"announce\":{\"table\":7,\"vips\":[{\"address\":\"198.51.100.80\"},{"
		     "\"address\":\"198.51.100.80\"}]}") "}}",
		"stands here twice");
}

static void adopt_asks_for_mh_and_for_servers_that_have_the_vip(void **state)
{
	(void)state;
	config_destroy(good(LB1 FLEET "," SERVICE(MH ",\"adopt\":true", "") "}}"));
	refused(LB1 SERVICE("\"scheduler\":\"wlc\",\"forward\":\"dr\",\"adopt\":true", "") "}}",
		"services[0].adopt: needs \"scheduler\": \"mh\"");
	refused(LB1 SERVICE("\"scheduler\":\"mh\",\"forward\":\"nat\",\"adopt\":true", "") "}}",
		"servers[0].forward: expected \"dr\" or \"tunnel\"");
	refused(LB1 SERVICE(MH ",\"adopt\":true", ",\"forward\":\"local\"") "}}",
		"servers[0].forward: expected \"dr\" or \"tunnel\"");
	refused(LB1 SERVICE(MH ",\"adopt\":true", ",\"upper\":10") "}}", "servers[0].upper");
	refused(LB1 SERVICE(MH ",\"adopt\":true,\"persistence\":{\"timeout\":60}", "") "}}",
		"services[0].adopt: not with \"persistence\"");
}

static void the_table_of_mh_has_a_prime_of_slots(void **state)
{
	struct config *c = good(LB1 SERVICE(MH ",\"mh_slots\":1000003", "") "}}");

	(void)state;
	assert_int_equal(c->shared.services[0]->policy.service.mh_slots, 1000003);
	config_destroy(c);
	c = good(LB1 SERVICE(MH, "") "}}");
	assert_int_equal(c->shared.services[0]->policy.service.mh_slots, 4093);
	config_destroy(c);
	refused(LB1 SERVICE(MH ",\"mh_slots\":65536", "") "}}",
		"65536 is not a prime: expected one, as 65521");
	refused(LB1 SERVICE(MH ",\"mh_slots\":3",
			    "},{\"address\":\"192.0.2.22:80\"},{\"address\":"
			    "\"192.0.2.23:80\"},{\"address\":\"192.0.2.24:80\"") "}}",
		"3 slots are fewer than the 4 servers");
}

static void a_fleet_takes_methods_whose_replies_pass_no_router(void **state)
{
	(void)state;
	refused(LB1 FLEET "," SERVICE("\"scheduler\":\"mh\"", "") "}}",
		"servers[0].forward: not \"nat\" in a fleet");
	refused(LB1 FLEET "," SERVICE(MH ",\"adopt\":true", ",\"forward\":\"nat\"") "}}",
		"servers[0].forward: not \"nat\" in a fleet");
	config_destroy(good(LB1 SERVICE("\"scheduler\":\"mh\"", "") "}}")); /* of no fleet */
	warned(LB1 FLEET "," SERVICE("\"scheduler\":\"wlc\",\"forward\":\"dr\"", "") "}}",
	       "adopt: false in a fleet");
	refused(LB1 FLEET ",\"addresses\":[{\"address\":\"10.0.0.254/24\",\"kind\":\"gateway\","
			  "\"link\":\"public\"}]}}",
		"addresses[0].kind: not \"gateway\" in a fleet");
}

#define POOL(addresses)                                                                            \
	NODE(",\"name\":\"lb1\",\"announce\":{\"table\":7690},\"pool\":[" addresses "]")
#define HOME	"{\"address\":\"192.0.2.201\",\"link\":\"public\"}"
#define FULLNAT "\"forward\":\"fullnat\""

static void full_nat_in_a_fleet_has_a_pool_of_each_router(void **state)
{
	struct config *c = good(POOL(HOME) FLEET "," SERVICE(FULLNAT, "") "}}");
	char *text, said[2048];

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(c->node.n_pool, 1);
		assert_int_equal(c->node.pool[0].kind, CONFIG_ADDRESS_POOL);
		assert_int_equal(c->node.pool[0].link_id, link_id_of(0, 0));
		text = config_to_text(c);
		config_destroy(c);
		c = parse(text, said);
		free(text);
		assert_non_null(c);
	}
	config_destroy(c);
	warned(LB1 FLEET "," SERVICE(FULLNAT, "") "}}",
	       "\"fullnat\" needs an address of IPv4 in node.pool");
	refused(LB1 FLEET ",\"addresses\":[{\"address\":\"192.0.2.201\",\"kind\":\"pool\",\"link\":"
			  "\"public\"}]," SERVICE(FULLNAT, "") "}}",
		"addresses[0].kind: not \"pool\" in a fleet: every router would have the address "
		"at "
		"once, and a reply would meet another router");
	config_destroy(good(POOL(HOME) "\"ha\":{\"mode\":\"pair\"}}}")); /* a lone router */
	warned(NODE(",\"pool\":[" HOME
		    "],\"ha\":{\"role\":\"primary\",\"key_file\":\"/k\",\"paths\":[{"
		    "\"name\":\"p\",\"local\":\"192.0.2.10\",\"peer\":\"192.0.2.9\"}]}") "}}",
	       "node.pool: is not the other router's by itself");
	refused(POOL("{\"address\":\"192.0.2.201\"}") FLEET "}}", "node.pool[0].link: missing");
	refused(POOL("{\"address\":\"192.0.2.201\",\"link\":\"lan\"}") FLEET "}}",
		"\"lan\" is not a link");
	refused(POOL("{\"address\":\"192.0.2.201/24\",\"link\":\"public\"}") FLEET "}}",
		"an entry of a pool is one address");
	refused(POOL(HOME "," HOME) FLEET "}}", "192.0.2.201 stands in node.pool already");
	refused(POOL(HOME) FLEET ",\"addresses\":[{\"address\":\"192.0.2.201\"}]}}",
		"192.0.2.201 stands in node.pool already");
	refused(POOL("{\"address\":\"192.0.2.10\",\"link\":\"public\"}") FLEET "}}",
		"this router's own address");
	refused(POOL("{\"address\":\"198.51.100.80\",\"link\":\"public\"}") FLEET
		"," SERVICE(FULLNAT, "") "}}",
		"198.51.100.80 is in a pool");
	refused(POOL("{\"address\":\"192.0.2.21\",\"link\":\"public\"}") FLEET
		"," SERVICE(FULLNAT, "") "}}",
		"192.0.2.21 is in a pool");
}

/* The pool is no part of what all members have. */
static void the_pool_is_not_in_the_digest(void **state)
{
	char x[CONFIG_DIGEST_STRLEN], y[CONFIG_DIGEST_STRLEN];
	struct config *one = good(POOL(HOME) FLEET "," SERVICE(FULLNAT, "") "}}");
	struct config *other = good(POOL("{\"address\":\"192.0.2.202\",\"link\":\"public\"}") FLEET
				    "," SERVICE(FULLNAT, "") "}}");

	(void)state;
	assert_string_equal(config_digest(one, x), config_digest(other, y));
	config_destroy(one);
	config_destroy(other);
}

#define MEMBERS(second)                                                                            \
	"\"ha\":{\"mode\":\"fleet\",\"members\":[{\"name\":\"lb1\",\"address\":\"192.0.2.11:"      \
	"7696\"}," second "]}}}"

static void members_have_names_and_addresses_of_their_own(void **state)
{
	struct config *c =
		good(LB1 MEMBERS("{\"name\":\"lb2\",\"address\":\"[2001:db8::2]:7696\"}"));

	(void)state;
	assert_int_equal(c->shared.ha.n_members, 2);
	assert_string_equal(c->shared.ha.members[1].name, "lb2");
	config_destroy(c);
	refused(LB1 MEMBERS("{\"name\":\"lb1\",\"address\":\"192.0.2.12:7696\"}"),
		"shared.ha.members[1]: \"lb1\" stands here twice: two members of one name");
	refused(LB1 MEMBERS("{\"name\":\"lb2\",\"address\":\"192.0.2.11:7696\"}"),
		"192.0.2.11:7696 is the address of \"lb1\" already");
	refused(LB1 MEMBERS("{\"name\":\"lb2\"}"), "address");
	warned(NODE(",\"name\":\"lb9\",\"announce\":{\"table\":7690}")
		       MEMBERS("{\"name\":\"lb2\",\"address\":\"192.0.2.12:7696\"}"),
	       "names no member \"lb9\", which this router is");
	refused(NODE(",\"name\":\"lb1\",\"control\":{\"fleet\":\"192.0.2.11:7696\"}") "}}",
		"node.control.fleet: needs the keys of node.ha.key_file");
}

/* Members whose lists differ in order differ in their digests. */
static void the_order_of_servers_is_part_of_the_digest(void **state)
{
	static const char a[] = LB1 SERVICE(MH, "},{\"address\":\"192.0.2.22:80\"") "}}";
	static const char b[] =
		NODE(",\"name\":\"lb2\"") SERVICE(MH, "},{\"address\":\"192.0.2.22:80\"") "}}";
	static const char c[] =
		LB1 "\"services\":[{\"name\":\"web\",\"protocol\":\"tcp\",\"listen\":"
		    "\"198.51.100.80:80\"," MH ",\"servers\":[{\"address\":\"192.0.2.22:80\"},{"
		    "\"address\":\"192.0.2.21:80\"}]}]}}";
	char x[CONFIG_DIGEST_STRLEN], y[CONFIG_DIGEST_STRLEN], z[CONFIG_DIGEST_STRLEN];
	struct config *one = good(a), *same = good(b), *other = good(c);

	(void)state;
	assert_string_equal(config_digest(one, x), config_digest(same, y));
	assert_string_not_equal(x, config_digest(other, z));
	config_destroy(one);
	config_destroy(same);
	config_destroy(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_member_is_read_and_written_back),
		cmocka_unit_test(a_member_has_a_name_and_a_table),
		cmocka_unit_test(adopt_asks_for_mh_and_for_servers_that_have_the_vip),
		cmocka_unit_test(a_fleet_takes_methods_whose_replies_pass_no_router),
		cmocka_unit_test(the_table_of_mh_has_a_prime_of_slots),
		cmocka_unit_test(full_nat_in_a_fleet_has_a_pool_of_each_router),
		cmocka_unit_test(the_pool_is_not_in_the_digest),
		cmocka_unit_test(members_have_names_and_addresses_of_their_own),
		cmocka_unit_test(the_order_of_servers_is_part_of_the_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
