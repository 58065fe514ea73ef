/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The schedulers against recordings of Linux IPVS, without packets: a connection is one
 * that is active at its server from its SYN to its FIN or RST and then inactive. Every
 * recording of the folder must be here, so that a new one cannot be forgotten.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <dirent.h>
#include <jansson.h>

#include "sched_lab.h"

#define MAX_ENTRIES 4096
#define CLOSE_S	    10

struct entry {
	struct endpoint client;
	struct server_rt *server;
	bool active, live;
	uint32_t expires_s; /* 0 = not while a recording lasts */
};

struct template
{
	be32 client;
	struct server_rt *server;
};

struct replay {
	const char *name;
	struct lab *lab;
	const json_t *root, *decisions;
	size_t next; /* decision */
	uint32_t now_s;
	bool one_packet, persistent;
	be32 netmask;
	struct entry entries[MAX_ENTRIES];
	uint32_t n_entries;
	struct template templates[MAX_ENTRIES];
	uint32_t n_templates;
	uint32_t compared;
};

static const char *str(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static uint32_t num(const json_t *o, const char *key, uint32_t otherwise)
{
	const json_t *v = json_object_get(o, key);

	return json_is_integer(v) ? (uint32_t)json_integer_value(v) : otherwise;
}

static struct endpoint server_endpoint(const json_t *server)
{
	struct endpoint e = {.port = be16_from((uint16_t)num(server, "port", 0))};

	assert_int_equal(addr_parse(str(server, "addr"), &e.addr), 0);
	return e;
}

static void server_add(struct replay *r, const json_t *server)
{
	lab_put(r->lab, server_endpoint(server), num(server, "weight", 1));
	r->lab->servers[0].upper = num(server, "upper", 0);
	r->lab->servers[0].lower = num(server, "lower", 0);
	lab_publish(r->lab);
}

static void server_edit(struct replay *r, const json_t *server)
{
	struct endpoint ep = server_endpoint(server);
	struct lab_server *s = lab_find(r->lab, &ep);

	assert_non_null(s);
	s->upper = num(server, "upper", 0);
	s->lower = num(server, "lower", 0);
	lab_edit(r->lab, ep, num(server, "weight", 1));
}

static struct server_rt *schedule(struct replay *r, const struct endpoint *client,
				  const struct endpoint *dest, uint8_t proto)
{
	struct sched_request req = {
		.family = ADDR_V4,
		.proto = proto,
		.client = client->addr,
		.client_port = client->port,
		.dest = dest->addr,
		.dest_port = dest->port,
		.now_s = r->now_s,
	};
	be32 net = client->addr.v4 & r->netmask;
	int i;

	for (uint32_t t = 0; r->persistent && t < r->n_templates; t++) {
		if (r->templates[t].client == net)
			return r->templates[t].server;
	}
	i = lab_choose(r->lab, &req);
	if (i == SCHED_NONE)
		return NULL;
	if (r->persistent)
		r->templates[r->n_templates++] =
			(struct template){net, r->lab->node->servers[i].rt};
	return r->lab->node->servers[i].rt;
}

static void server_check(const struct replay *r, const json_t *decision,
			 const struct server_rt *chosen)
{
	const char *expected = str(decision, "server");
	char got[ADDR_STRLEN] = "refused", want[64] = "refused";

	if (expected != NULL)
		snprintf(want, sizeof(want), "%.*s", (int)strcspn(expected, ":"), expected);
	if (chosen != NULL)
		addr_format(&chosen->ep.addr, got, sizeof(got));
	if (strcmp(got, want) != 0)
		fail_msg("%s: decision %zu: IPVS %s, here %s", r->name, r->next, want, got);
}

/* One connect, syn or udp of an event. */
static void connect_one(struct replay *r, const char *op)
{
	const json_t *d;
	struct endpoint client, dest;
	struct server_rt *srv;
	bool udp = strcmp(op, "udp") == 0;

	do
		d = json_array_get(r->decisions, r->next++);
	while (d != NULL && strcmp(str(d, "op"), op) != 0);
	assert_non_null(d);
	client = lab_endpoint(str(d, "client"));
	dest = lab_endpoint(str(d, "to"));
	srv = schedule(r, &client, &dest, udp ? IPPROTO_UDP : IPPROTO_TCP);
	server_check(r, d, srv);
	r->compared++;
	if (srv == NULL || r->one_packet)
		return;
	server_rt_bind(srv, !udp);
	assert_in_range(r->n_entries, 0, MAX_ENTRIES - 1);
	r->entries[r->n_entries++] =
		(struct entry){.client = client, .server = srv, .active = !udp, .live = true};
}

static void entry_close(struct replay *r, struct endpoint client, uint32_t expires_s)
{
	for (uint32_t i = 0; i < r->n_entries; i++) {
		struct entry *e = &r->entries[i];

		if (!e->live || !endpoint_equal(&e->client, &client))
			continue;
		if (e->active)
			server_rt_change(e->server, false);
		e->active = false;
		e->expires_s = expires_s;
	}
}

static void close_some(struct replay *r, const json_t *event, uint32_t expires_s)
{
	struct endpoint client = {0};
	uint32_t sport = num(event, "sport", 0);

	assert_int_equal(addr_parse(str(event, "src"), &client.addr), 0);
	for (uint32_t i = 0; i < num(event, "count", 1); i++) {
		client.port = be16_from((uint16_t)(sport + i));
		entry_close(r, client, expires_s);
	}
}

static void pass_time(struct replay *r, uint32_t s)
{
	r->now_s += s;
	for (uint32_t i = 0; i < r->n_entries; i++) {
		struct entry *e = &r->entries[i];

		if (!e->live || e->expires_s == 0 || e->expires_s > r->now_s)
			continue;
		server_rt_unbind(e->server, e->active);
		e->live = false;
	}
}

static void event_run(struct replay *r, const json_t *event)
{
	const char *op = str(event, "op");

	if (!strcmp(op, "connect") || !strcmp(op, "syn") || !strcmp(op, "udp")) {
		for (uint32_t i = 0; i < num(event, "n", 1); i++) {
			connect_one(r, op);
			if (json_is_true(json_object_get(event, "close")))
				entry_close(r, r->entries[r->n_entries - 1].client, 0);
		}
	} else if (!strcmp(op, "close")) {
		close_some(r, event, 0);
	} else if (!strcmp(op, "rst")) {
		close_some(r, event, r->now_s + CLOSE_S);
	} else if (!strcmp(op, "sleep")) {
		pass_time(r, num(event, "s", 0));
	} else if (!strcmp(op, "add")) {
		server_add(r, json_object_get(event, "server"));
	} else if (!strcmp(op, "edit")) {
		server_edit(r, json_object_get(event, "server"));
	} else if (!strcmp(op, "del")) {
		lab_del(r->lab, server_endpoint(json_object_get(event, "server")));
	} else {
		assert_string_equal(op, "snapshot");
	}
}

static uint32_t sched_flags(const char *text)
{
	uint32_t flags = 0;

	if (text == NULL)
		return 0;
	if (strstr(text, "-port"))
		flags |= SCHED_SH_PORT;
	if (strstr(text, "-fallback"))
		flags |= SCHED_SH_FALLBACK;
	return flags;
}

/* "  -> 10.10.0.1:8080  Masq  4  10  1": the order, weights and counts at the end. */
static void final_check(struct replay *r, const json_t *list)
{
	const struct service *node = r->lab->node;

	assert_int_equal(json_array_size(list), node->n_servers + 1);
	for (uint32_t i = 0; i < node->n_servers; i++) {
		const struct server *s = &node->servers[i];
		char addr[64], want[ADDR_STRLEN];
		unsigned int weight, active, inactive;
		uint64_t counts = server_rt_counts(s->rt);

		assert_int_equal(sscanf(json_string_value(json_array_get(list, i + 1)),
					" -> %63[^:]:%*s %*s %u %u %u", addr, &weight, &active,
					&inactive),
				 4);
		assert_string_equal(addr_format(&s->addr, want, sizeof(want)), addr);
		assert_int_equal(s->weight, weight);
		assert_int_equal(counts_active(counts), active);
		assert_int_equal(counts_inactive(counts), inactive);
	}
}

static uint32_t replay(const char *name)
{
	struct replay *r = calloc(1, sizeof(*r));
	char path[512];
	json_t *root;
	const json_t *svc, *v;
	json_error_t error;
	uint32_t compared;
	size_t i;

	snprintf(path, sizeof(path), "%s/tests/golden/recorded/%s.json", getenv("PLVS_SOURCE"),
		 name);
	root = json_load_file(path, 0, &error);
	if (root == NULL)
		fail_msg("%s: %s", path, error.text);
	r->name = name;
	r->now_s = 1000;
	r->decisions = json_object_get(json_object_get(root, "expected"), "decisions");
	assert_int_equal(json_array_size(json_object_get(root, "services")), 1);
	svc = json_array_get(json_object_get(root, "services"), 0);
	r->lab = lab_create(str(svc, "sched"), sched_flags(str(svc, "flags")));
	r->one_packet = json_is_true(json_object_get(svc, "ops"));
	r->persistent = num(svc, "persist", 0) > 0;
	r->netmask = UINT32_MAX;
	if (str(svc, "netmask") != NULL) {
		struct addr mask;

		assert_int_equal(addr_parse(str(svc, "netmask"), &mask), 0);
		r->netmask = mask.v4;
	}
	json_array_foreach (json_object_get(svc, "servers"), i, v) {
		server_add(r, v);
	}
	json_array_foreach (json_object_get(root, "events"), i, v) {
		event_run(r, v);
	}
	v = json_object_get(json_object_get(root, "expected"), "final");
	final_check(r, json_object_get(v, "list"));
	compared = r->compared;
	lab_destroy(r->lab);
	free(r);
	json_decref(root);
	return compared;
}

static const char *const deterministic[] = {
	"dh",	      "fo_nat",	      "fwmark_nat", "lblc",	    "lblcr",
	"lc_nat",     "mh",	      "mh_port",    "nq_nat",	    "ovf_nat",
	"persist_24", "persist_32",   "quiesce",    "rr_cycle",	    "rr_nat",
	"sed_nat",    "sh",	      "sh_port",    "threshold_xy", "udp_ops",
	"wlc_dr",     "wlc_inactive", "wlc_nat",    "wrr_gcd",	    "wrr_nat",
};
#define N_DETERMINISTIC (sizeof(deterministic) / sizeof(deterministic[0]))

static void every_decision_equals_the_kernels(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_DETERMINISTIC; i++) {
		uint32_t n = replay(deterministic[i]);

		print_message("%-14s %3u decisions equal\n", deterministic[i], n);
		assert_in_range(n, 40, 1000);
	}
}

/* Draws are random: the shares of 200 connections, each within 4 standard deviations of
 * IPVS's own. */
static void twos_spreads_like_the_kernel(void **state)
{
	static const uint32_t weights[] = {4, 3, 2, 1};
	struct lab *l = lab_create("twos", 0);
	uint64_t random = 88172645463325252ULL;
	uint32_t got[4] = {0};
	char path[512];
	json_t *root;

	(void)state;
	snprintf(path, sizeof(path), "%s/tests/golden/recorded/twos.json", getenv("PLVS_SOURCE"));
	root = json_load_file(path, 0, NULL);
	assert_non_null(root);
	for (uint32_t i = 0; i < 4; i++)
		lab_add(l, lab_nth(i + 1), weights[i]);
	for (uint32_t i = 0; i < 200; i++) {
		struct sched_request req = {0};
		struct server_rt *srv;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		req.random = random * 0x9e3779b97f4a7c15ULL;
		srv = l->node->servers[lab_choose(l, &req)].rt;
		server_rt_bind(srv, true);
		got[be32_to(srv->ep.addr.v4) - 0x0a0a0001]++;
	}
	for (uint32_t i = 0; i < 4; i++) {
		const json_t *per =
			json_object_get(json_object_get(root, "expected"), "per_server");
		char key[32];
		uint32_t want;

		snprintf(key, sizeof(key), "10.10.0.%u:8080", i + 1);
		want = num(per, key, 0);
		print_message("weight %u: IPVS %u, here %u of 200\n", weights[i], want, got[i]);
		assert_in_range(want, 1, 200);
		assert_in_range(got[i], want > 25 ? want - 25 : 0, want + 25);
	}
	json_decref(root);
	lab_destroy(l);
}

static void no_recording_is_left_out(void **state)
{
	char path[512];
	struct dirent *d;
	size_t n = 0;
	DIR *dir;

	(void)state;
	snprintf(path, sizeof(path), "%s/tests/golden/recorded", getenv("PLVS_SOURCE"));
	dir = opendir(path);
	assert_non_null(dir);
	while ((d = readdir(dir)) != NULL)
		n += strstr(d->d_name, ".json") != NULL;
	closedir(dir);
	assert_int_equal(n, N_DETERMINISTIC + 1); /* and twos */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_decision_equals_the_kernels),
		cmocka_unit_test(twos_spreads_like_the_kernel),
		cmocka_unit_test(no_recording_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
