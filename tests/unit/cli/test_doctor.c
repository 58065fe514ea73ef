/* SPDX-License-Identifier: BSD-3-Clause */
/* Each finding has a router that is broken in that way; a healthy one is not blamed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "doctor_faults.h"

static const char *const healthy[N_FACTS] = {
	"{\"workers\": 2, \"uptime_s\": 7300, \"warnings\": [], \"configuration\": {\"file\": "
	"\"f\", \"unsaved\": "
	"false}, \"trial\": null, \"clock\": {\"jumps\": 1, \"last_ms\": 900, \"ago_s\": 3601}}",
	"{\"ports\": [{\"name\": \"public\", \"link_up\": true, \"rx_queues\": 2, \"tap\": "
	"\"public\", \"socket\": 0}]}",
	"{\"workers\": [{\"worker\": 0, \"load\": 0.4, \"socket\": 0, \"queues\": [{\"port\": "
	"\"public\", \"queue\": 0}], \"counters\": {\"received\": 10000, "
	"\"handed_off\": 100, \"stalls\": 2}}, {\"worker\": 1, \"load\": 0.1, \"counters\": "
	"{\"received\": 10, "
	"\"handed_off\": 10}}]}",
	"{\"nexthops\": [{\"address\": \"10.0.0.1\", \"link\": \"private\", \"state\": "
	"\"reachable\", \"wanted\": true}, {\"address\": \"10.0.0.9\", \"link\": \"private\", "
	"\"state\": \"failed\", \"wanted\": false}]}",
	"{\"servers\": [{\"service\": \"web\", \"server\": \"s1\", \"chosen\": true, "
	"\"standing\": \"up\", \"admin\": \"none\"}]}",
	"{\"pair\": true, \"state\": \"active\", \"alarm\": null, \"peer\": {\"alive\": true, "
	"\"configuration_differs\": false}, \"sync\": {\"peer_synchronised\": true}, \"claims\": "
	"[], "
	"\"deadtime_ms\": 200, \"late_max_us\": 900, \"paths\": [{\"name\": \"p\", \"heard_ms\": "
	"20}]}",
	"{\"services\": [{\"key\": \"web\", \"servers\": [{\"address\": \"s1\", \"health\": "
	"\"up\", "
	"\"handshakes\": {\"syns\": 100, \"answers\": 90, \"refused\": 0}}, {\"address\": \"s2\", "
	"\"health\": \"down\", \"handshakes\": {\"syns\": 100, \"answers\": 0, \"refused\": 0}}, "
	"{\"address\": \"s3\", \"health\": \"up\", \"handshakes\": {\"syns\": 3, \"answers\": 0, "
	"\"refused\": 0}}]}]}",
	"{\"config\": {\"shared\": {\"checks\": [{\"name\": \"direct\"}, {\"name\": \"vip\", "
	"\"via_vip\": true}]}}}",
	"{\"drops\": [{\"name\": \"too_big\", \"rate\": 0}, {\"name\": \"no_route\", \"rate\": "
	"5}]}",
	"{\"ahead_us\": -1002000, \"error_us\": 4000}",
	"{\"state\": \"announcing\", \"daemon\": \"connected\", \"sessions\": 1}",
	/* Down for another reason: by both ways. */
	"[{\"service\": \"web\", \"server\": \"s2\", \"checks\": [{\"name\": \"direct\", "
	"\"state\": "
	"\"down\"}, {\"name\": \"vip\", \"state\": \"down\"}]}]"};

/* The findings with one fact replaced; new. */
static json_t *look(int which, const char *text)
{
	json_t *r[N_FACTS], *findings;

	for (int i = 0; i < N_FACTS; i++) {
		r[i] = json_loads(i == which ? text : healthy[i], 0, NULL);
		assert_non_null(r[i]);
	}
	findings = doctor_look(&(struct doctor_facts){r[0], r[1], r[2], r[3], r[4], r[5], r[6],
						      r[7], r[8], r[9], r[10], r[11]});
	for (int i = 0; i < N_FACTS; i++)
		json_decref(r[i]);
	assert_non_null(findings);
	return findings;
}

static void test_a_healthy_pair_is_not_blamed(void **state)
{
	json_t *findings = look(-1, NULL);

	(void)state;
	assert_int_equal(json_array_size(findings), 0);
	assert_int_equal(doctor_worst(findings), DOCTOR_WELL);
	json_decref(findings);
}

/* Set-ups in which a finding was made, and near ones in which none was. */
static unsigned int blamed[FINDING_MAX], well[FINDING_MAX];

static enum doctor_finding finding_of(const json_t *found)
{
	const char *id = json_string_value(json_object_get(found, "id"));

	for (unsigned int i = 0; i < FINDING_MAX; i++)
		if (id && strcmp(doctor_ids[i], id) == 0)
			return (enum doctor_finding)i;
	fail_msg("\"%s\" is no finding", id ? id : "");
	return FINDING_MAX;
}

static json_t *look_with(size_t i, const char *value)
{
	const char *at = strstr(faults[i].text, "%s");
	char text[1024];

	assert_non_null(at);
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - faults[i].text), faults[i].text, value,
		 at + 2);
	return look(faults[i].fact, text);
}

static void test_each_fault_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		json_t *findings = look_with(i, faults[i].broken);

		assert_int_equal(json_array_size(findings), 1);
		assert_int_equal(finding_of(json_array_get(findings, 0)), faults[i].finding);
		assert_int_equal(doctor_worst(findings), faults[i].severity);
		blamed[faults[i].finding]++;
		json_decref(findings);
	}
}

static void test_what_is_near_a_fault_and_well_is_not_blamed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		json_t *findings = look_with(i, faults[i].well);

		if (json_array_size(findings))
			fail_msg("%s of %s is blamed: %s", faults[i].well, faults[i].text,
				 doctor_ids[finding_of(json_array_get(findings, 0))]);
		well[faults[i].finding]++;
		json_decref(findings);
	}
}

static void file_put(const char *root, const char *path, const char *text)
{
	char name[256];
	FILE *f;

	snprintf(name, sizeof(name), "%s%s", root, path);
	for (char *p = name + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		(void)!mkdir(name, 0755);
		*p = '/';
	}
	f = fopen(name, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

#define NIC "0000:01:00.0"

/* A machine with so many hugepages and a NIC that is bound to a driver; the finding, or
 * FINDING_MAX. */
static void host_look(const char *device, const char *driver, int pages, const char *noiommu,
		      enum doctor_finding finding)
{
	char root[] = "/tmp/plvs-doctor-XXXXXX", text[64], name[256], target[128], command[64];
	json_t *ports = json_pack("{s:[{s:s, s:s}]}", "ports", "name", "public", "device", device);
	json_t *out = json_array();

	assert_non_null(mkdtemp(root));
	snprintf(text, sizeof(text), "MemTotal: 9 kB\nHugePages_Total:   %d\n", pages);
	file_put(root, "/proc/meminfo", text);
	file_put(root, "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode", noiommu);
	file_put(root, "/sys/bus/pci/devices/" NIC "/class", "0x020000\n");
	snprintf(name, sizeof(name), "%s/sys/bus/pci/devices/" NIC "/driver", root);
	snprintf(target, sizeof(target), "../../../bus/pci/drivers/%s", driver);
	if (*driver)
		assert_int_equal(symlink(target, name), 0);
	doctor_look_host(ports, root, out);
	assert_int_equal(json_array_size(out), finding < FINDING_MAX ? 1 : 0);
	if (finding < FINDING_MAX) {
		assert_int_equal(finding_of(json_array_get(out, 0)), finding);
		blamed[finding]++;
	}
	json_decref(out);
	json_decref(ports);
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

static void test_a_machine_is_looked_at(void **state)
{
	(void)state;
	host_look(NIC, "vfio-pci", 512, "N\n", FINDING_MAX);
	host_look(NIC, "mlx5_core", 512, "N\n", FINDING_MAX);
	well[FINDING_HUGEPAGES_MISSING]++;
	well[FINDING_IOMMU_OFF]++;
	well[FINDING_DEVICE_UNBOUND]++;
	host_look(NIC, "vfio-pci", 0, "N\n", FINDING_HUGEPAGES_MISSING);
	host_look(NIC, "vfio-pci", 512, "Y\n", FINDING_IOMMU_OFF);
	host_look(NIC, "uio_pci_generic", 512, "N\n", FINDING_IOMMU_OFF);
	host_look(NIC, "", 512, "N\n", FINDING_DEVICE_UNBOUND);
	/* A port of another kind asks for none of these. */
	host_look("net_af_packet0", "", 0, "Y\n", FINDING_MAX);
}

#define CHAIN(family_, hook_, policy_)                                                             \
	"{\"chain\": {\"family\": \"" family_ "\", \"table\": \"t\", \"name\": \"" hook_           \
	"\", \"hook\": \"" hook_ "\", \"policy\": \"" policy_ "\"}}, "
#define RULE_OF(family_, chain_, expr_)                                                            \
	"{\"rule\": {\"family\": \"" family_ "\", \"table\": \"t\", \"chain\": \"" chain_          \
	"\", \"expr\": [" expr_ "]}}, "
#define RULE(chain_, expr_) RULE_OF("inet", chain_, expr_)
#define MATCH(op_, left_, right_)                                                                  \
	"{\"match\": {\"op\": \"" op_ "\", \"left\": {" left_ "}, \"right\": " right_ "}}, "
#define FIELD(protocol_, field_)                                                                   \
	"\"payload\": {\"protocol\": \"" protocol_ "\", \"field\": \"" field_ "\"}"
#define META(key_)    "\"meta\": {\"key\": \"" key_ "\"}"
#define DROP	      "{\"drop\": null}"
#define ACCEPT	      "{\"accept\": null}"
#define OPEN_IN	      CHAIN("inet", "input", "accept")
#define CLOSED_IN     CHAIN("inet", "input", "drop")
#define ESTABLISHED   MATCH("in", "\"ct\": {\"key\": \"state\"}", "\"established\"")
#define DPORT(right_) MATCH("==", FIELD("udp", "dport"), right_)

/* Rules as nft prints them, and how many directions of how many paths are said to be dropped. */
static void test_a_filter_that_drops_heartbeats_is_told_and_others_are_not(void **state)
{
	static const struct {
		unsigned int blamed;
		const char *rules;
	} rows[] = {
		{0, ""},
		{0, OPEN_IN},
		{2, OPEN_IN RULE("input", DPORT("7694") DROP)},
		{2, OPEN_IN RULE("input", DPORT("{\"range\": [7690, 7699]}") "{\"reject\": null}")},
		{2, OPEN_IN RULE(
			    "input",
			    MATCH("==", META("l4proto"),
				  "{\"set\": [\"icmp\", \"udp\"]}") "{\"counter\": null}, " DROP)},
		{0,
		 OPEN_IN RULE("input", DPORT("{\"set\": [53, {\"range\": [7000, 7693]}]}") DROP)},
		{0, OPEN_IN RULE("input", MATCH("==", FIELD("tcp", "dport"), "7694") DROP)},
		{0, OPEN_IN RULE("input", MATCH("!=", FIELD("tcp", "dport"), "22") DROP)},
		{2, OPEN_IN RULE("input", MATCH("!=", FIELD("udp", "dport"), "53") DROP)},
		/* By one path alone; and of the other family. */
		{1, OPEN_IN RULE("input", MATCH("==", FIELD("ip", "saddr"),
						"{\"prefix\": {\"addr\": \"10.10.0.0\", \"len\": "
						"16}}") DROP)},
		{1, CHAIN("ip", "output", "accept")
			    RULE_OF("ip", "output",
				    MATCH("==", FIELD("ip", "daddr"), "\"192.0.2.9\"") DROP)},
		{0, OPEN_IN RULE("input", MATCH("!=", FIELD("ip6", "saddr"), "\"fe80::1\"") DROP)},
		{0, CHAIN("ip6", "input", "drop")},
		{0, CHAIN("inet", "forward", "drop")},
		/* A policy, and what is in front of it. */
		{2, CLOSED_IN},
		{2, CLOSED_IN RULE("input", MATCH("==", META("iifname"), "\"lo\"") ACCEPT)},
		{2, CLOSED_IN RULE("input", MATCH("==", FIELD("tcp", "dport"), "22") ACCEPT)},
		{0, CLOSED_IN RULE("input", DPORT("7694") ACCEPT)},
		{0, CLOSED_IN RULE("input", MATCH("==", META("iifname"), "\"public\"") ACCEPT)},
		{0, CLOSED_IN RULE("input", ESTABLISHED ACCEPT)},
		{0, CLOSED_IN RULE("input", DPORT("\"@ports\"") ACCEPT)},
		{0, CLOSED_IN RULE("input", "{\"limit\": {\"rate\": 1}}, " ACCEPT)},
		{0, CLOSED_IN RULE("input", "{\"vmap\": {}}")},
		{0, CLOSED_IN RULE("input", "{\"xt\": {\"type\": \"target\"}}")},
		/* A drop that is not certain is no finding; the policy behind may be. */
		{0, OPEN_IN RULE("input", ESTABLISHED DROP)},
		{0, OPEN_IN RULE("input", "{\"xt\": {\"type\": \"match\"}}, " DROP)},
		{2, CLOSED_IN RULE("input", ESTABLISHED DROP)},
		/* Chains that rules lead to. */
		{2, OPEN_IN RULE("input", "{\"jump\": {\"target\": \"c\"}}")
			    RULE("c", DPORT("7694") DROP)},
		{2, CLOSED_IN RULE("input", "{\"jump\": {\"target\": \"c\"}}")
			    RULE("c", DPORT("7694") "{\"return\": null}") RULE("c", ACCEPT)},
		{0, CLOSED_IN RULE("input", "{\"jump\": {\"target\": \"c\"}}")
			    RULE("c", DPORT("53") "{\"return\": null}") RULE("c", ACCEPT)},
		{2, CLOSED_IN RULE("input", "{\"goto\": {\"target\": \"c\"}}") RULE("input", ACCEPT)
			    RULE("c", DPORT("53") ACCEPT)},
		{0, OPEN_IN RULE("input", ESTABLISHED "{\"jump\": {\"target\": \"c\"}}")
			    RULE("c", DROP)},
		{0, OPEN_IN RULE("input", "{\"jump\": {\"target\": \"input\"}}")},
	};
	json_t *config = json_loads("{\"config\": {\"node\": {\"ha\": {\"paths\": [{\"name\": "
				    "\"public\", \"local\": \"192.0.2.10\", \"peer\": "
				    "\"192.0.2.9\"}, {\"name\": \"private\", \"local\": "
				    "\"10.10.0.2:7694\", \"peer\": \"10.10.0.3:7694\"}]}}}}",
				    0, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *rules, *out = json_array();
		char *text;

		assert_true(asprintf(&text, "{\"nftables\": [%s{\"metainfo\": {}}]}",
				     rows[i].rules) > 0);
		rules = json_loads(text, 0, NULL);
		assert_non_null(rules);
		doctor_look_firewall(config, rules, out);
		if (json_array_size(out) != rows[i].blamed)
			print_message("%s\n", text);
		assert_int_equal(json_array_size(out), rows[i].blamed);
		for (size_t k = 0; k < json_array_size(out); k++)
			assert_int_equal(finding_of(json_array_get(out, k)),
					 FINDING_HEARTBEATS_FILTERED);
		blamed[FINDING_HEARTBEATS_FILTERED] += rows[i].blamed > 0;
		well[FINDING_HEARTBEATS_FILTERED] += rows[i].blamed == 0;
		json_decref(out);
		json_decref(rules);
		free(text);
	}
	json_decref(config);
}

/* Answers of the router are not believed: other types are no fault and no crash. */
static void test_answers_of_no_sense_are_harmless(void **state)
{
	static const char *const odd[] = {"[]", "{\"ports\": 3, \"servers\": {}, \"workers\": []}",
					  ("{\"servers\": [1, null, \"x\", []], \"ports\": [[]], "
					   "\"warnings\": [3], \"peer\": 1}")};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		for (int k = 0; k < N_FACTS; k++)
			json_decref(look(k, odd[i]));
}

/* The last test: each row of DOCTOR_FINDINGS has a set-up that is broken, and one that is well. */
static void test_each_finding_has_a_broken_and_a_well_set_up(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < FINDING_MAX; i++)
		if (!blamed[i] || !well[i])
			fail_msg("%s: %u set-ups that are broken, %u that are well", doctor_ids[i],
				 blamed[i], well[i]);
}

/* docs/doctor.md has a row "| `id` | severity |" for each finding, and no other. */
static void test_each_finding_is_documented_with_its_severity(void **state)
{
	const char *source = getenv("PLVS_SOURCE");
	char path[512], line[4096];
	unsigned int n = 0;
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/docs/doctor.md", source ? source : ".");
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		char id[64], severity[16];
		json_t *out;

		if (sscanf(line, "| `%63[a-z-]` | %15[a-z] |", id, severity) != 2)
			continue;
		out = json_array();
		for (unsigned int i = 0; i < FINDING_MAX; i++)
			if (strcmp(doctor_ids[i], id) == 0)
				doctor_find(out, (enum doctor_finding)i, "", "", "x");
		assert_int_equal(json_array_size(out), 1);
		assert_string_equal(
			json_string_value(json_object_get(json_array_get(out, 0), "severity")),
			severity);
		json_decref(out);
		n++;
	}
	fclose(f);
	assert_int_equal(n, FINDING_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_healthy_pair_is_not_blamed),
		cmocka_unit_test(test_each_fault_is_found),
		cmocka_unit_test(test_what_is_near_a_fault_and_well_is_not_blamed),
		cmocka_unit_test(test_a_machine_is_looked_at),
		cmocka_unit_test(test_a_filter_that_drops_heartbeats_is_told_and_others_are_not),
		cmocka_unit_test(test_answers_of_no_sense_are_harmless),
		cmocka_unit_test(test_each_finding_has_a_broken_and_a_well_set_up),
		cmocka_unit_test(test_each_finding_is_documented_with_its_severity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
