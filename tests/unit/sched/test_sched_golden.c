/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The schedulers against recordings of Linux IPVS, without packets: a connection is one
 * that is active at its server from its SYN to its FIN or RST and then inactive. Every
 * recording of the folder is played, so that a new one cannot be forgotten.
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
	struct addr client;
	struct server_rt *server;
};

struct replay {
	const char *name;
	struct lab *lab;
	const json_t *root, *decisions;
	size_t next; /* decision */
	uint32_t now_s;
	bool one_packet, persistent;
	uint8_t family;
	uint8_t netmask_len;
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
		.family = r->family,
		.proto = proto,
		.client = client->addr,
		.client_port = client->port,
		.dest = dest->addr,
		.dest_port = dest->port,
		.now_s = r->now_s,
	};
	struct addr net = addr_masked(&client->addr, r->netmask_len);
	int i;

	for (uint32_t t = 0; r->persistent && t < r->n_templates; t++) {
		if (addr_equal(&r->templates[t].client, &net))
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
	char got[ADDR_STRLEN] = "refused", want[ADDR_STRLEN] = "refused";

	if (expected != NULL) {
		const struct endpoint e = lab_endpoint(expected);

		addr_format(&e.addr, want, sizeof(want));
	}
	if (chosen != NULL)
		addr_format(&chosen->ep.addr, got, sizeof(got));
	if (strcmp(got, want) != 0)
		fail_msg("%s: decision %zu: IPVS %s, here %s", r->name, r->next, want, got);
}

static const struct entry *entry_find(const struct replay *r, const struct endpoint *client)
{
	for (uint32_t i = 0; i < r->n_entries; i++)
		if (r->entries[i].live && endpoint_equal(&r->entries[i].client, client))
			return &r->entries[i];
	return NULL;
}

/* A connect, syn or udp of an event. */
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
	if (udp && !r->one_packet && entry_find(r, &client) != NULL) {
		server_check(r, d, entry_find(r, &client)->server);
		return;
	}
	srv = schedule(r, &client, &dest, udp ? IPPROTO_UDP : IPPROTO_TCP);
	server_check(r, d, srv);
	r->compared++;
	if (srv == NULL || r->one_packet)
		return;
	counts_bind(srv, !udp);
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
			lab_change(r->lab, e->server, false);
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
		lab_unbind(r->lab, e->server, e->active);
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

	if (json_array_size(list) != node->n_servers + 1)
		fail_msg("%s: %u servers at the end, IPVS %zu", r->name, node->n_servers,
			 json_array_size(list) - 1);
	for (uint32_t i = 0; i < node->n_servers; i++) {
		const struct server *s = &node->servers[i];
		const struct endpoint listed = {.addr = s->addr, .port = s->port};
		char addr[64], want[ENDPOINT_STRLEN];
		unsigned int weight, active, inactive;
		uint64_t counts = server_rt_counts(s->rt);

		assert_int_equal(sscanf(json_string_value(json_array_get(list, i + 1)),
					" -> %63s %*s %u %u %u", addr, &weight, &active, &inactive),
				 4);
		assert_string_equal(endpoint_format(&listed, want, sizeof(want)), addr);
		if (s->weight != weight || counts_active(counts) != active ||
		    counts_inactive(counts) != inactive)
			fail_msg("%s: %s: IPVS weight %u, %u active, %u inactive; here %u, %u, %u",
				 r->name, addr, weight, active, inactive, s->weight,
				 counts_active(counts), counts_inactive(counts));
	}
}

/* A service of a mark says its family, another one shows the family by its address. */
static uint8_t family_of(const json_t *svc)
{
	const char *family = str(svc, "family"), *vip = str(svc, "vip");

	return (family && !strcmp(family, "ipv6")) || (vip && strchr(vip, ':')) ? ADDR_V6 : ADDR_V4;
}

/* "255.255.255.0", or for IPv6 "64". */
static uint8_t netmask_len(const struct replay *r, const char *text)
{
	struct addr mask;

	if (text == NULL)
		return r->family == ADDR_V6 ? 128 : 32;
	if (r->family == ADDR_V6)
		return (uint8_t)atoi(text);
	assert_int_equal(addr_parse(text, &mask), 0);
	return (uint8_t)__builtin_popcount(mask.v4);
}

static uint32_t replay(const char *folder, const char *name)
{
	struct replay *r = calloc(1, sizeof(*r));
	char path[512];
	json_t *root;
	const json_t *svc, *v;
	json_error_t error;
	uint32_t compared;
	size_t i;

	snprintf(path, sizeof(path), "%s/tests/golden/%s/%s.json", getenv("PLVS_SOURCE"), folder,
		 name);
	root = json_load_file(path, 0, &error);
	if (root == NULL)
		fail_msg("%s: %s", path, error.text);
	r->name = name;
	r->now_s = 1000;
	r->decisions = json_object_get(json_object_get(root, "expected"), "decisions");
	assert_int_equal(json_array_size(json_object_get(root, "services")), 1);
	svc = json_array_get(json_object_get(root, "services"), 0);
	r->family = family_of(svc);
	r->lab = lab_create_of(r->family, str(svc, "sched"), sched_flags(str(svc, "flags")));
	r->one_packet = json_is_true(json_object_get(svc, "ops"));
	r->persistent = num(svc, "persist", 0) > 0;
	r->netmask_len = netmask_len(r, str(svc, "netmask"));
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

static bool listed(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

/* Plays every recording of a folder but those of the list, which ends with NULL. */
static size_t play_all(const char *folder, const char *const *others)
{
	char path[512];
	struct dirent *d;
	size_t n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/tests/golden/%s", getenv("PLVS_SOURCE"), folder);
	dir = opendir(path);
	assert_non_null(dir);
	while ((d = readdir(dir)) != NULL) {
		char name[64];
		uint32_t compared;

		if (sscanf(d->d_name, "%63[^.].json", name) != 1 || !strstr(d->d_name, ".json") ||
		    listed(others, name))
			continue;
		compared = replay(folder, name);
		print_message("%-20s %3u decisions equal\n", name, compared);
		assert_in_range(compared, 20, 1000);
		n++;
	}
	closedir(dir);
	return n;
}

static void every_decision_equals_the_kernels(void **state)
{
	/* Draws are random; two services are more than one lab. */
	static const char *const others[] = {"twos", "v6_twos", "v6_fwmark_two_families", NULL};

	(void)state;
	assert_in_range(play_all("recorded", others), 57, 1000);
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
		counts_bind(srv, true);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_decision_equals_the_kernels),
		cmocka_unit_test(twos_spreads_like_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
