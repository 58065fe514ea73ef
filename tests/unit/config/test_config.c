/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "config/config.h"
#include "sched/sched.h"

static const char document[] =
	"// a pair's file\n"
	"{ \"node\": { \"name\": \"lb1\", \"ports\": [\n"
	"    { \"name\": \"public\", \"device\": \"0000:01:00.0\", \"mtu\": 1500,\n"
	"      \"linux\": { \"addresses\": [\"192.0.2.10/24\"],\n"
	"                 \"routes\": [\"default via 192.0.2.1\", \"10.0.0.0/8  via 192.0.2.2 "
	"metric "
	"7\"],\n"
	"                 \"vlans\": [{\"id\": 20, \"addresses\": [\"198.51.100.1\"]}] } },\n"
	"    { \"name\": \"private\", \"device\": \"net_tap0\", \"tap\": \"priv0\" } ],\n"
	"  \"control\": { \"mode\": \"0660\" }, \"workers\": { \"idle\": \"poll\" } }, # node\n"
	"  \"shared\": {\n"
	"  \"defaults\": { \"scheduler\": \"rr\", \"timeouts\": { \"established\": \"15m\" } },\n"
	"  \"addresses\": [ { \"address\": \"10.10.255.254/16\", \"kind\": \"gateway\", \"link\": "
	"\"public.20\" },\n"
	"                 { \"address\": \"192.0.2.90\" } ],\n"
	"  \"services\": [\n"
	"    { \"name\": \"web\", \"protocol\": \"tcp\", \"listen\": [\"192.0.2.80:80\", "
	"\"192.0.2.80:443\"],\n"
	"      \"timeouts\": { \"established\": 60, \"fin_wait\": \"2m\" },\n"
	"      \"servers\": [ { \"address\": \"10.10.0.1:80\", \"weight\": 2 },\n"
	"                   { \"address\": \"10.10.0.2:80\", \"weight\": 1, \"upper\": 10 },\n"
	"                   { \"address\": \"10.10.0.3:80\", \"forward\": \"dr\" } ] },\n"
	"    { \"protocol\": \"udp\", \"listen\": \"192.0.2.80:53\", \"scheduler\": \"rr\", "
	"\"forward\": \"dr\",\n"
	"      \"servers\": [ { \"address\": \"10.10.0.1:5353\" } ] } ] } }\n";

/* The text that versions are kept as says what the objects say. */
static void text_is_as_objects(const struct config *config)
{
	json_t *json = config_to_json(config, CONFIG_SHARED);
	char *objects = json_dumps(json, JSON_COMPACT), *text = config_shared_text(config);

	assert_non_null(text);
	assert_string_equal(text, objects);
	free(objects);
	free(text);
	json_decref(json);
}

static struct config *parse(const char *text)
{
	struct config *config = NULL;
	struct config_errors errors;
	char line[1024];

	config_errors_init(&errors);
	if (config_parse(text, strlen(text), NULL, sched_names(), &config, &errors) < 0)
		fail_msg("%s",
			 config_error_format(&errors, &errors.errors.v[0], line, sizeof(line)));
	config_errors_fini(&errors);
	text_is_as_objects(config);
	return config;
}

static char *dump(json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	assert_non_null(text);
	json_decref(json);
	return text;
}

static void assert_json(json_t *json, const char *expected)
{
	char *text = dump(json);

	assert_string_equal(text, expected);
	free(text);
}

static void values_are_typed_and_every_default_is_filled_in(void **state)
{
	struct config *c = parse(document);
	const struct config_service *web = c->shared.services[0], *dns = c->shared.services[1];

	(void)state;
	assert_string_equal(c->node.socket, "/run/plvs/plvs.sock");
	assert_int_equal(c->node.mode, 0660);
	assert_int_equal(c->node.connections, 0);
	assert_int_equal(c->node.idle, CONFIG_IDLE_POLL);
	assert_string_equal(c->node.ports[0].tap, "public");
	assert_int_equal(c->node.ports[0].routes[1].metric, 7);
	assert_int_equal(c->node.ports[0].vlans[0].addresses[0].len, 32);
	assert_int_equal(c->shared.addresses[0].link_id, link_id_of(0, 20));
	assert_int_equal(c->shared.addresses[0].address.len, 16);
	assert_int_equal(c->shared.addresses[1].link_id, LINK_ANY);
	assert_int_equal(web->proto, IPPROTO_TCP);
	assert_string_equal(web->policy.scheduler, "rr");
	assert_int_equal(web->policy.service.timeout_s[CONN_ESTABLISHED], 60);
	assert_int_equal(web->policy.service.timeout_s[CONN_UDP], 300);
	assert_int_equal(web->policy.service.netmask, 32);
	assert_int_equal(web->servers[0].weight, 2);
	assert_int_equal(web->servers[2].weight, 1);
	assert_int_equal(web->servers[0].forward, FWD_NAT);
	assert_int_equal(web->servers[2].forward, FWD_DR);
	assert_int_equal(dns->policy.service.timeout_s[CONN_ESTABLISHED], 900);
	assert_int_equal(dns->servers[0].forward, FWD_DR);
	/* Nothing but NAT rewrites a port. */
	assert_int_equal(be16_to(dns->servers[0].ep.port), 53);
	config_destroy(c);
}

static void time_outs_default_to_those_of_the_model(void **state)
{
	struct config *c = parse("{\"shared\":{\"services\":[{\"protocol\":\"tcp\",\"listen\":"
				 "\"192.0.2.1:80\"}]}}");

	(void)state;
	assert_memory_equal(c->shared.services[0]->policy.service.timeout_s, conn_state_timeouts_s,
			    sizeof(uint32_t) * CONN_STATE_MAX);
	config_destroy(c);
}

static void compat_ipvs_fills_what_nobody_states(void **state)
{
	static const char text[] =
		"{\"shared\":{\"compat\":\"ipvs\",\"defaults\":{\"conn_reuse\":3},\"services\":["
		"{\"protocol\":\"tcp\",\"listen\":[\"192.0.2.1:80\"]},"
		"{\"protocol\":\"tcp\",\"listen\":[\"192.0.2.1:81\"],\"on_server_gone\":"
		"\"reset\"}]"
		"}}";
	struct config *c = parse(text);

	(void)state;
	assert_int_equal(c->shared.services[0]->policy.service.on_removed, ON_REMOVED_KEEP);
	assert_int_equal(c->shared.services[0]->policy.service.reuse, 3);
	assert_int_equal(c->shared.services[0]->policy.service.unknown_reply, REPLY_ROUTE);
	assert_true(c->shared.services[0]->policy.service.any_flags);
	assert_int_equal(c->shared.services[1]->policy.service.on_removed, ON_REMOVED_RESET);
	assert_json(config_to_json(c, CONFIG_SHARED), text);
	config_destroy(c);
	c = parse("{\"shared\":{\"services\":[{\"protocol\":\"tcp\",\"listen\":"
		  "\"192.0.2.1:80\"}]}}");
	assert_int_equal(c->shared.services[0]->policy.service.on_removed, ON_REMOVED_RESET);
	assert_int_equal(c->shared.services[0]->policy.service.unknown_reply, REPLY_RESET);
	assert_false(c->shared.services[0]->policy.service.any_flags);
	assert_int_equal(c->shared.services[0]->policy.service.locality_s, 86400);
	config_destroy(c);
}

static void output_keeps_order_and_stated_policies_and_drops_defaults(void **state)
{
	struct config *c = parse(document);

	(void)state;
	assert_json(
		config_to_json(c, CONFIG_NODE),
		"{\"node\":{\"name\":\"lb1\",\"ports\":[{\"name\":\"public\",\"device\":"
		"\"0000:01:00.0\",\"linux\":{\"addresses\":[\"192.0.2.10/24\"],\"routes\":["
		"\"default via 192.0.2.1\",\"10.0.0.0/8 via 192.0.2.2 metric 7\"],\"vlans\":[{"
		"\"id\":20,\"addresses\":[\"198.51.100.1\"]}]}},{\"name\":\"private\",\"device\":"
		"\"net_tap0\",\"tap\":\"priv0\"}],\"control\":{\"mode\":\"0660\"},\"workers\":{"
		"\"idle\":\"poll\"}}}");
	assert_json(
		config_to_json(c, CONFIG_SHARED),
		"{\"shared\":{\"defaults\":{\"scheduler\":\"rr\",\"timeouts\":{\"established\":"
		"\"15m\"}},\"addresses\":[{\"address\":\"10.10.255.254/16\",\"kind\":\"gateway\","
		"\"link\":\"public.20\"},{\"address\":\"192.0.2.90\"}],\"services\":[{\"name\":"
		"\"web\",\"protocol\":\"tcp\",\"listen\":[\"192.0.2.80:80\",\"192.0.2.80:443\"],"
		"\"timeouts\":{\"established\":\"1m\",\"fin_wait\":\"2m\"},\"servers\":[{"
		"\"address\":\"10.10.0.1:80\",\"weight\":2},{\"address\":\"10.10.0.2:80\","
		"\"upper\":10},{\"address\":\"10.10.0.3:80\",\"forward\":\"dr\"}]},{\"protocol\":"
		"\"udp\",\"listen\":[\"192.0.2.80:53\"],\"scheduler\":\"rr\",\"forward\":\"dr\","
		"\"servers\":[{\"address\":\"10.10.0.1:53\"}]}]}}");
	config_destroy(c);
}

static void file_write(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void file_expect(const char *path, const char *text)
{
	char got[4096];
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(got, 1, sizeof(got) - 1, f);
	got[n] = '\0';
	fclose(f);
	assert_string_equal(got, text);
}

static void comments_stay_where_their_objects_do(void **state)
{
	static const char old[] =
		"// lb1, # of two\n"
		"{ # all\n"
		"\"node\": {\"name\": \"lb1\", // here\n"
		"  // the ports\n"
		"  \"ports\": [{\"name\": \"public\", \"device\": \"d0#1\"}]},\n"
		"\"shared\": {\n"
		"  # wlc is the default\n"
		"  \"defaults\": {\"scheduler\": \"wlc\"},\n"
		"  \"services\": [\n"
		"    // gone with it\n"
		"    {\"protocol\": \"udp\", \"listen\": [\"192.0.2.53:53\"]}, // as well\n"
		"    // the # web\n"
		"    {\"name\": \"web\", \"protocol\": \"tcp\", \"listen\": [\"192.0.2.80:80\"],\n"
		"     \"servers\": [ // two\n"
		"       {\"address\": \"10.0.0.1:80\"}, // old\n"
		"       // strong\n"
		"       {\"address\": \"10.0.0.2:80\", \"weight\": 2}\n"
		"       // no third\n"
		"     ]} // end of web\n"
		"  ]\n"
		"}}\n"
		"// end";
	static const char new[] =
		"{\"node\":{\"name\":\"lb1\",\"ports\":[{\"name\":\"public\",\"device\":\"d0#1\"}]}"
		","
		"\"shared\":{\"services\":[{\"protocol\":\"tcp\",\"listen\":[\"192.0.2.99:9\"]},"
		"{\"name\":\"web\",\"protocol\":\"tcp\",\"listen\":[\"192.0.2.80:80\"],\"servers\":"
		"["
		"{\"address\":\"10.0.0.3:80\"},{\"address\":\"10.0.0.2:80\",\"weight\":7}]}]}}";
	static const char expected[] = "// lb1, # of two\n"
				       "{ # all\n"
				       "\t\"node\": {\n"
				       "\t\t\"name\": \"lb1\", // here\n"
				       "\t\t// the ports\n"
				       "\t\t\"ports\": [\n"
				       "\t\t\t{\n"
				       "\t\t\t\t\"name\": \"public\",\n"
				       "\t\t\t\t\"device\": \"d0#1\"\n"
				       "\t\t\t}\n"
				       "\t\t]\n"
				       "\t},\n"
				       "\t\"shared\": {\n"
				       "\t\t# wlc is the default\n"
				       "\t\t\"services\": [\n"
				       "\t\t\t{\n"
				       "\t\t\t\t\"protocol\": \"tcp\",\n"
				       "\t\t\t\t\"listen\": [\n"
				       "\t\t\t\t\t\"192.0.2.99:9\"\n"
				       "\t\t\t\t]\n"
				       "\t\t\t},\n"
				       "\t\t\t// the # web\n"
				       "\t\t\t{\n"
				       "\t\t\t\t\"name\": \"web\",\n"
				       "\t\t\t\t\"protocol\": \"tcp\",\n"
				       "\t\t\t\t\"listen\": [\n"
				       "\t\t\t\t\t\"192.0.2.80:80\"\n"
				       "\t\t\t\t],\n"
				       "\t\t\t\t\"servers\": [ // two\n"
				       "\t\t\t\t\t{\n"
				       "\t\t\t\t\t\t\"address\": \"10.0.0.3:80\"\n"
				       "\t\t\t\t\t},\n"
				       "\t\t\t\t\t// strong\n"
				       "\t\t\t\t\t{\n"
				       "\t\t\t\t\t\t\"address\": \"10.0.0.2:80\",\n"
				       "\t\t\t\t\t\t\"weight\": 7\n"
				       "\t\t\t\t\t}\n"
				       "\t\t\t\t\t// no third\n"
				       "\t\t\t\t]\n"
				       "\t\t\t} // end of web\n"
				       "\t\t]\n"
				       "\t}\n"
				       "}\n"
				       "// end\n";
	char dir[] = "/tmp/plvs-config-XXXXXX", path[64], *copy;
	struct config *c = parse(new), *again = NULL;
	struct config_errors errors;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/plvs.json", dir);
	config_errors_init(&errors);
	file_write(path, old);
	assert_int_equal(config_save(c, path, &copy, &errors), 0);
	file_expect(path, expected);
	file_expect(copy, old);
	assert_int_equal(config_load(path, sched_names(), &again, &errors), 0);
	config_errors_fini(&errors);
	config_destroy(c);
	config_destroy(again);
	unlink(copy);
	free(copy);
	unlink(path);
	assert_int_equal(rmdir(dir), 0);
}

static void what_is_saved_loads_as_the_same(void **state)
{
	char dir[] = "/tmp/plvs-config-XXXXXX", path[64], a[CONFIG_DIGEST_STRLEN],
	     b[CONFIG_DIGEST_STRLEN];
	struct config *c = parse(document), *again = NULL;
	struct config_errors errors;
	char *before, *after, *copy;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/plvs.json", dir);
	config_errors_init(&errors);
	assert_int_equal(config_save(c, path, &copy, &errors), 0);
	assert_null(copy);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(chmod(path, 0600), 0);
	file_write(path, "{\"node\": 1}\n");
	assert_int_equal(config_save(c, path, &copy, &errors), 0);
	assert_string_equal(copy + strlen(path), ".bak");
	file_expect(copy, "{\"node\": 1}\n");
	assert_int_equal(stat(copy, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	unlink(copy);
	free(copy);
	/* Nothing changes: the copy of before is not replaced. */
	assert_int_equal(config_save(c, path, &copy, &errors), 0);
	assert_null(copy);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(config_load(path, sched_names(), &again, &errors), 0);
	before = config_to_text(c);
	after = config_to_text(again);
	assert_string_equal(before, after);
	assert_string_equal(config_digest(c, a), config_digest(again, b));
	assert_int_equal(config_save(c, "/nonexistent/x.json", &copy, &errors), -ENOENT);
	config_errors_fini(&errors);
	free(before);
	free(after);
	config_destroy(c);
	config_destroy(again);
	unlink(path);
	/* Nothing was left beside it. */
	assert_int_equal(rmdir(dir), 0);
}

static void digest_of(const char *text, char buf[CONFIG_DIGEST_STRLEN])
{
	struct config *c = parse(text);

	config_digest(c, buf);
	config_destroy(c);
}

#define TWO(defaults, a, b)                                                                        \
	"{\"shared\":{" defaults                                                                   \
	"\"services\":[{\"protocol\":\"tcp\",\"listen\":\"192.0.2.1:80\","                         \
	"\"servers\":[{\"address\":\"10.0.0." a ":80\"},{\"address\":\"10.0.0." b ":80\"}]}]}}"

static void the_digest_is_of_meaning_and_order(void **state)
{
	char a[CONFIG_DIGEST_STRLEN], b[CONFIG_DIGEST_STRLEN];

	(void)state;
	digest_of(TWO("", "1", "2"), a);
	digest_of(TWO("\"defaults\":{\"scheduler\":\"wlc\",\"timeouts\":{\"udp\":300}},", "1", "2"),
		  b);
	assert_string_equal(a, b);
	digest_of(TWO("", "2", "1"), b);
	assert_string_not_equal(a, b);
	digest_of(TWO("\"defaults\":{\"scheduler\":\"rr\"},", "1", "2"), b);
	assert_string_not_equal(a, b);
	digest_of(
		"{\"node\":{\"name\":\"x\"},\"shared\":{\"services\":[{\"listen\":[\"192.0.2.1:"
		"80\"],"
		"\"protocol\":\"tcp\",\"scheduler\":\"wlc\",\"servers\":[{\"weight\":1,\"address\":"
		"\"10.0.0.1:80\"},{\"address\":\"10.0.0.2:80\",\"forward\":\"nat\"}]}]}}",
		b);
	assert_string_equal(a, b);
}

static void the_digest_is_sha256(void **state)
{
	/* Of 32 bytes, SHA-256 of "{}": an empty shared part and no service. Computed with
	 * sha256sum: printf '{}' | sha256sum | xxd -r -p | sha256sum */
	char a[CONFIG_DIGEST_STRLEN];

	(void)state;
	digest_of("{}", a);
	assert_string_equal(a, "c74f3008fdd2f7c5ae5446ab2e522629f63346f68a4026b4f72b91b393475ff6");
}

static void the_document_on_the_schema_is_up_to_date(void **state)
{
	const char *root = getenv("PLVS_SOURCE");
	static const char marker[] = "tools/gen-config-docs from the schema. -->\n";
	char path[4096], *text = NULL, *tables = config_schema_markdown(sched_names()), *at;
	size_t n = 0;
	FILE *f;

	(void)state;
	assert_non_null(root);
	snprintf(path, sizeof(path), "%s/docs/configuration.md", root);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_true(getdelim(&text, &n, '\0', f) > 0);
	fclose(f);
	at = strstr(text, marker);
	assert_non_null(at);
	if (strcmp(at + strlen(marker), tables) != 0)
		fail_msg("run gen-config-docs docs/configuration.md");
	free(text);
	free(tables);
}

/* The row "| `key` |" stands below the heading of the object, before the next one. */
static bool page_has(const char *page, const char *object, const char *key)
{
	char heading[512], row[128];
	const char *at, *end, *found;

	snprintf(heading, sizeof(heading), "\n### %s\n", object[0] ? object : "The document");
	snprintf(row, sizeof(row), "\n| `%s` |", key);
	at = strstr(page, heading);
	if (!at)
		return false;
	end = strstr(at + 1, "\n### ");
	found = strstr(at, row);
	return found && (!end || found < end);
}

/* The schema as programs see it, against the page as people see it. */
static uint32_t keys_missing(const char *page, const char *path, json_t *keys)
{
	uint32_t missing = 0;
	json_t *field;
	const char *key;

	json_object_foreach (keys, key, field) {
		json_t *inner = json_object_get(field, "keys");
		char below[512];

		/* Keys of every policy stand under shared.defaults alone. */
		if (!page_has(page, path, key) && !page_has(page, "shared.defaults", key)) {
			print_error("%s: no row for %s\n", path, key);
			missing++;
		}
		if (!inner)
			continue;
		snprintf(below, sizeof(below), "%s%s%s%s", path, path[0] ? "." : "", key,
			 json_object_get(field, "list") ? "[]" : "");
		/* Objects of policies are there once. */
		if (strncmp(path, "shared.services", 15) != 0 || strcmp(key, "servers") == 0)
			missing += keys_missing(page, below, inner);
	}
	return missing;
}

static void every_key_of_the_schema_is_on_the_page(void **state)
{
	const char *root = getenv("PLVS_SOURCE");
	json_t *schema = config_schema_json(sched_names());
	char path[4096], *text = NULL;
	size_t n = 0;
	FILE *f;

	(void)state;
	assert_non_null(root);
	snprintf(path, sizeof(path), "%s/docs/configuration.md", root);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_true(getdelim(&text, &n, '\0', f) > 0);
	fclose(f);
	assert_int_equal(keys_missing(text, "", json_object_get(schema, "keys")), 0);
	assert_true(page_has(text, "shared.defaults", "quorum_hysteresis"));
	free(text);
	json_decref(schema);
}

static uint32_t warnings_of(const char *text, const char *about)
{
	struct config_errors errors;
	struct config *c = NULL;
	uint32_t n = 0;

	config_errors_init(&errors);
	assert_int_equal(config_parse(text, strlen(text), NULL, sched_names(), &c, &errors), 0);
	for (uint32_t i = 0; i < errors.warnings.n; i++)
		n += strstr(errors.warnings.v[i].message, about) != NULL;
	config_errors_fini(&errors);
	config_destroy(c);
	return n;
}

#define DR(node, address)                                                                          \
	"{\"node\":{\"ports\":[" node "]},\"shared\":{\"addresses\":[{\"address\":"                \
	"\"10.20.0.1/16\",\"kind\":\"gateway\",\"link\":\"a\"}],\"services\":[{\"protocol\":"      \
	"\"tcp\",\"listen\":\"192.0.2.80:80\",\"forward\":\"dr\",\"servers\":[{\"address\":"       \
	"\"" address ":80\"}]}]}}"
#define PORT_A                                                                                     \
	"{\"name\":\"a\",\"device\":\"d0\",\"linux\":{\"addresses\":[\"192.0.2.10/24\"],"          \
	"\"routes\":[\"default via 192.0.2.1\",\"198.51.100.0/24\"]}}"

static void a_dr_server_on_no_link_of_the_router_is_warned_of(void **state)
{
	static const char about[] = "is on no network of this router's ports";

	(void)state;
	assert_int_equal(warnings_of(DR(PORT_A, "203.0.113.9"), about), 1);
	assert_int_equal(warnings_of(DR(PORT_A, "192.0.2.11"), about), 0);
	assert_int_equal(warnings_of(DR(PORT_A, "198.51.100.7"), about), 0); /* route on a link */
	assert_int_equal(warnings_of(DR(PORT_A, "10.20.3.4"), about), 0);    /* gateway's */
	/* The giver of the port's addresses is not said here. */
	assert_int_equal(
		warnings_of(DR("{\"name\":\"a\",\"device\":\"d0\"}", "203.0.113.9"), about), 0);
}

static void the_examples_are_valid(void **state)
{
	static const char *const names[] = {"plvs",
					    "pair-primary",
					    "pair-backup",
					    "guides/dr",
					    "guides/nat-one-armed",
					    "guides/nat-two-armed",
					    "guides/nat-vlan",
					    "guides/nic-of-linux",
					    "guides/persistence",
					    "guides/tunnel"};
	const char *root = getenv("PLVS_SOURCE");

	(void)state;
	assert_non_null(root);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct config *c = NULL;
		struct config_errors errors;
		char path[4096];

		snprintf(path, sizeof(path), "%s/config/%s.json", root, names[i]);
		config_errors_init(&errors);
		assert_int_equal(config_load(path, sched_names(), &c, &errors), 0);
		assert_int_equal(errors.warnings.n, 0);
		config_errors_fini(&errors);
		text_is_as_objects(c);
		config_destroy(c);
	}
}

static void mark_rules_are_read_and_written_back(void **state)
{
	static const char text[] =
		"{\"node\":{\"ports\":[{\"name\":\"public\",\"device\":\"d0\"}]},"
		"\"shared\":{\"marks\":["
		"{\"source\":\"!10.0.0.0/8\",\"destination\":\"10.2.0.0/16\",\"protocol\":\"tcp\","
		"\"source_port\":\"!1024-65535\",\"destination_port\":80,\"link\":\"!public.10\","
		"\"mark\":7,\"comment\":\"caches\"},"
		"{\"protocol\":\"!tcp\",\"destination_port\":\"53\",\"mark\":0}]}}";
	struct config *c = parse(text);
	const struct mark_rule *r = &c->shared.marks[0].rule;

	(void)state;
	assert_int_equal(c->shared.n_marks, 2);
	assert_true(r->source.negate && r->source.len == 8 && !r->dest.negate);
	assert_true(r->sport.negate && r->sport.first == 1024 && r->sport.last == 65535);
	assert_int_equal(r->dport.first, 80);
	assert_int_equal(r->dport.last, 80);
	assert_int_equal(r->proto, IPPROTO_TCP);
	assert_int_equal(r->link, link_id_of(0, 10));
	assert_true(r->link_negate);
	assert_int_equal(r->mark, 7);
	assert_int_equal(mark_rule_entries(r), 8 * 2);
	assert_int_equal(r[0].proto, IPPROTO_TCP);
	r = &c->shared.marks[1].rule;
	assert_int_equal(r->proto, IPPROTO_UDP);
	assert_int_equal(r->link, LINK_ANY);
	assert_json(config_mark_to_json(&c->shared.marks[0]),
		    "{\"source\":\"!10.0.0.0/8\",\"destination\":\"10.2.0.0/16\","
		    "\"protocol\":\"tcp\",\"source_port\":\"!1024-65535\","
		    "\"destination_port\":80,\"link\":\"!public.10\",\"mark\":7,"
		    "\"comment\":\"caches\"}");
	assert_json(config_mark_to_json(&c->shared.marks[1]),
		    "{\"protocol\":\"udp\",\"destination_port\":53,\"mark\":0}");
	config_destroy(c);
}

/* Any legal text comes in, the form of RFC 5952 goes out. */
static void ipv6_is_read_in_any_form_and_written_in_one(void **state)
{
	static const char text[] =
		"{\"node\":{\"ports\":[{\"name\":\"public\",\"device\":\"d0\",\"linux\":{"
		"\"addresses\":[\"2001:DB8::2/64\"],"
		"\"routes\":[\"default via fe80:0::1\",\"2001:db8:9::0/48 via "
		"2001:db8::0:99\"]}}]},"
		"\"shared\":{\"addresses\":["
		"{\"address\":\"2001:0db8:0000:0000:0000:0000:0000:0100\"},"
		"{\"address\":\"fe80::1/64\",\"kind\":\"gateway\",\"link\":\"public\"},"
		"{\"address\":\"2001:db8:0:0:0::/80\",\"kind\":\"prefix\",\"link\":\"public\"}],"
		"\"defaults\":{\"persistence\":{\"netmask\":24}},"
		"\"services\":["
		"{\"protocol\":\"tcp\",\"listen\":\"[2001:DB8:0:0:1::1]:80\",\"forward\":"
		"\"tunnel\","
		"\"tunnel_source\":\"2001:db8:0:ff00::/56\",\"servers\":["
		"{\"address\":\"[2001:db8:0:1:1:1:1:1]:80\"},{\"address\":\"192.0.2.1:80\"}]},"
		"{\"mark\":7,\"persistence\":{\"timeout\":60,\"netmask\":64},\"family\":\"ipv6\","
		"\"servers\":[{\"address\":\"2001:db8::A\"}]},"
		"{\"mark\":7,\"servers\":[{\"address\":\"192.0.2.1\"}]}]}}";
	struct config *c = parse(text);
	const struct config_service *web, *six, *four;
	char key[CONFIG_KEY_STRLEN];
	json_t *out;

	(void)state;
	web = config_service_find(c, "tcp:[2001:0db8::1:0:0:1]:80");
	six = config_service_find(c, "fwmark:7/ipv6");
	four = config_service_find(c, "fwmark:7");
	assert_true(web && six && four);
	assert_string_equal(config_service_key(web, key, sizeof(key)),
			    "tcp:[2001:db8::1:0:0:1]:80");
	assert_string_equal(config_service_key(six, key, sizeof(key)), "fwmark:7/ipv6");
	/* A netmask of `defaults` is of the family that it is written for. */
	assert_int_equal(web->policy.service.netmask, 128);
	assert_int_equal(six->policy.service.netmask, 64);
	assert_int_equal(four->policy.service.netmask, 24);
	out = config_to_json(c, CONFIG_ALL);
	assert_json(
		json_incref(json_object_get(
			json_array_get(json_object_get(json_object_get(out, "node"), "ports"), 0),
			"linux")),
		"{\"addresses\":[\"2001:db8::2/64\"],\"routes\":[\"default via fe80::1\","
		"\"2001:db8:9::/48 via 2001:db8::99\"]}");
	assert_json(json_incref(json_object_get(json_object_get(out, "shared"), "addresses")),
		    "[{\"address\":\"2001:db8::100\"},{\"address\":\"fe80::1/64\",\"kind\":"
		    "\"gateway\",\"link\":\"public\"},{\"address\":\"2001:db8::/80\",\"kind\":"
		    "\"prefix\",\"link\":\"public\"}]");
	assert_json(config_service_to_json(c, web),
		    "{\"protocol\":\"tcp\",\"listen\":[\"[2001:db8::1:0:0:1]:80\"],\"forward\":"
		    "\"tunnel\",\"tunnel_source\":\"2001:db8:0:ff00::/56\",\"servers\":["
		    "{\"address\":\"[2001:db8:0:1:1:1:1:1]:80\"},{\"address\":\"192.0.2.1:80\"}]}");
	assert_json(
		config_service_to_json(c, six),
		"{\"mark\":7,\"family\":\"ipv6\",\"persistence\":{\"timeout\":\"1m\",\"netmask\":"
		"64},\"servers\":[{\"address\":\"2001:db8::a\"}]}");
	json_decref(out);
	config_destroy(c);
}

static void a_range_of_addresses_is_a_server_for_each(void **state)
{
	static const struct {
		const char *address, *first, *last;
		uint32_t n;
	} rows[] = {{"10.0.0.11-13:80", "10.0.0.11:80", "10.0.0.13:80", 3},
		    {"10.0.0.254-10.0.1.1:8080", "10.0.0.254:8080", "10.0.1.1:8080", 4},
		    {"10.0.0.0-10.0.3.255:80", "10.0.0.0:80", "10.0.3.255:80", 1024},
		    {"10.0.0.7:80", "10.0.0.7:80", "10.0.0.7:80", 1}};
	char text[512], buf[ENDPOINT_STRLEN];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct config_service *svc;
		struct config *c;

		snprintf(text, sizeof(text),
			 "{\"shared\":{\"services\":[{\"protocol\":\"tcp\",\"listen\":\"192.0.2.1:"
			 "80\","
			 "\"servers\":[{\"address\":\"10.9.9.9:80\"},{\"address\":\"%s\","
			 "\"weight\":7},"
			 "{\"address\":\"10.9.9.8:80\"}]}]}}",
			 rows[i].address);
		c = parse(text);
		svc = c->shared.services[0];
		assert_int_equal(svc->n_servers, rows[i].n + 2);
		assert_string_equal(endpoint_format(&svc->servers[1].ep, buf, sizeof(buf)),
				    rows[i].first);
		assert_string_equal(endpoint_format(&svc->servers[rows[i].n].ep, buf, sizeof(buf)),
				    rows[i].last);
		assert_int_equal(svc->servers[rows[i].n].weight, 7);
		assert_int_equal(svc->servers[rows[i].n + 1].weight, 1);
		config_destroy(c);
	}
}

static void netmasks_may_have_holes_or_no_bits(void **state)
{
	static const struct {
		const char *written, *shown;
		uint64_t netmask;
	} rows[] = {{"\"255.255.0.0\"", "16", 16},
		    {"\"255.0.255.0\"", "\"255.0.255.0\"", NETMASK_BITS | 0xff00ff00},
		    {"\"0.0.0.128\"", "\"0.0.0.128\"", NETMASK_BITS | 128},
		    {"\"0.0.0.0\"", "0", 0},
		    {"0", "0", 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[256], expected[256];
		struct config *c;

		snprintf(text, sizeof(text),
			 "{\"shared\":{\"services\":[{\"mark\":7,\"persistence\":{\"timeout\":60,"
			 "\"netmask\":%s}}]}}",
			 rows[i].written);
		c = parse(text);
		assert_true(c->shared.services[0]->policy.service.netmask == rows[i].netmask);
		snprintf(expected, sizeof(expected),
			 "{\"mark\":7,\"persistence\":{\"timeout\":\"1m\",\"netmask\":%s}}",
			 rows[i].shown);
		assert_json(config_service_to_json(c, c->shared.services[0]), expected);
		config_destroy(c);
	}
}

static void the_schema_names_type_default_and_limits(void **state)
{
	json_t *schema = config_schema_json(sched_names()), *services = NULL, *server = NULL;
	const char *type = NULL, *def = NULL;
	int weight = 0, maximum = 0;

	(void)state;
	assert_int_equal(json_unpack(schema, "{s:{s:{s:{s:o}}}}", "keys", "shared", "keys",
				     "services", &services),
			 0);
	assert_int_equal(json_unpack(services, "{s:{s:{s:o}}}", "keys", "servers", "keys", &server),
			 0);
	assert_int_equal(json_unpack(server, "{s:{s:s, s:i, s:i}}", "weight", "type", &type,
				     "default", &weight, "maximum", &maximum),
			 0);
	assert_string_equal(type, "number");
	assert_int_equal(weight, 1);
	assert_int_equal(maximum, MAX_WEIGHT);
	assert_int_equal(
		json_unpack(services, "{s:{s:{s:s}}}", "keys", "scheduler", "default", &def), 0);
	assert_string_equal(def, "wlc");
	json_decref(schema);
}

static void objects_are_found_by_key_any_listener_or_name(void **state)
{
	struct config *c = parse(document);
	const struct config_service *web = c->shared.services[0];
	char buf[CONFIG_KEY_STRLEN];
	link_id link;

	(void)state;
	assert_ptr_equal(config_service_find(c, "tcp:192.0.2.80:80"), web);
	assert_ptr_equal(config_service_find(c, "tcp:192.0.2.80:443"), web);
	assert_ptr_equal(config_service_find(c, "web"), web);
	assert_null(config_service_find(c, "udp:192.0.2.80:80"));
	assert_null(config_service_find(c, "fwmark:1"));
	assert_null(config_service_find(c, ""));
	assert_null(config_service_find(c, "we"));
	assert_string_equal(config_service_key(c->shared.services[1], buf, sizeof(buf)),
			    "udp:192.0.2.80:53");
	assert_int_equal(config_link_find(&c->node, "private", &link), 0);
	assert_int_equal(link, link_id_of(1, 0));
	assert_int_equal(config_link_find(&c->node, "public.20", &link), 0);
	assert_string_equal(config_link_format(&c->node, link, buf, sizeof(buf)), "public.20");
	assert_int_equal(config_link_find(&c->node, "public.0", &link), -ENOENT);
	assert_int_equal(config_link_find(&c->node, "public.020", &link), -ENOENT);
	assert_int_equal(config_link_find(&c->node, "publi", &link), -ENOENT);
	config_destroy(c);
}

static char *many(unsigned int n)
{
	char *text = malloc(n * 700UL + 100), *p = text;

	assert_non_null(text);
	p += sprintf(p, "{\"shared\":{\"services\":[");
	for (unsigned int i = 0; i < n; i++) {
		p += sprintf(
			p,
			"%s\n{\"name\":\"s%u\",\"protocol\":\"tcp\",\"listen\":\"192.%u.%u.%u:80\","
			"\"servers\":[",
			i ? "," : "", i, 10 + (i >> 16), i >> 8 & 255, i & 255);
		for (unsigned int k = 0; k < 10; k++)
			p += sprintf(p, "%s{\"address\":\"10.%u.%u.%u:80\",\"weight\":%u}",
				     k ? "," : "", k, i >> 8 & 255, i & 255, k);
		p += sprintf(p, "]}");
	}
	sprintf(p, "]}}");
	return text;
}

static double cpu_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Of the best of three, in seconds of this process. */
static double parse_cost(unsigned int n)
{
	char *text = many(n);
	double best = 1e9;

	for (int i = 0; i < 3; i++) {
		double start = cpu_s(), took;
		struct config *c = parse(text);

		took = cpu_s() - start;
		assert_int_equal(c->shared.n_services, n);
		assert_int_equal(c->n_servers, n * 10);
		config_destroy(c);
		best = took < best ? took : best;
	}
	free(text);
	return best;
}

/* Ten times as much costs about ten times as much; anything quadratic a hundred times. */
static void the_cost_of_a_file_grows_with_its_length(void **state)
{
	double small = parse_cost(1000), large = parse_cost(10000);

	(void)state;
	print_message("1,000 services of 10 servers %.1f ms, 10,000 %.1f ms\n", small * 1e3,
		      large * 1e3);
	assert_true(large < small * 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_typed_and_every_default_is_filled_in),
		cmocka_unit_test(time_outs_default_to_those_of_the_model),
		cmocka_unit_test(compat_ipvs_fills_what_nobody_states),
		cmocka_unit_test(output_keeps_order_and_stated_policies_and_drops_defaults),
		cmocka_unit_test(comments_stay_where_their_objects_do),
		cmocka_unit_test(what_is_saved_loads_as_the_same),
		cmocka_unit_test(the_digest_is_of_meaning_and_order),
		cmocka_unit_test(the_digest_is_sha256),
		cmocka_unit_test(the_document_on_the_schema_is_up_to_date),
		cmocka_unit_test(every_key_of_the_schema_is_on_the_page),
		cmocka_unit_test(a_dr_server_on_no_link_of_the_router_is_warned_of),
		cmocka_unit_test(the_examples_are_valid),
		cmocka_unit_test(mark_rules_are_read_and_written_back),
		cmocka_unit_test(ipv6_is_read_in_any_form_and_written_in_one),
		cmocka_unit_test(a_range_of_addresses_is_a_server_for_each),
		cmocka_unit_test(netmasks_may_have_holes_or_no_bits),
		cmocka_unit_test(the_schema_names_type_default_and_limits),
		cmocka_unit_test(objects_are_found_by_key_any_listener_or_name),
		cmocka_unit_test(the_cost_of_a_file_grows_with_its_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
