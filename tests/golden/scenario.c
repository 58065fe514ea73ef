/* SPDX-License-Identifier: BSD-3-Clause */
#include "golden/scenario.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int scenario_fail(struct scenario *s, int ret, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->error, sizeof(s->error), fmt, ap);
	va_end(ap);
	return ret;
}

int scenario_open(struct scenario *s, const struct router *router, const char *path)
{
	const char *strange;
	json_error_t je;
	json_t *none, *shared;
	int ret;

	memset(s, 0, sizeof(*s));
	s->router = router;
	s->doc = json_load_file(path, 0, &je);
	if (!s->doc)
		return scenario_fail(s, -EINVAL, "%s:%d: %s", path, je.line, je.text);
	s->name = text_of(s->doc, "name");
	if (!s->name || !json_is_array(json_object_get(s->doc, "services")) ||
	    !json_is_array(json_object_get(s->doc, "events")))
		return scenario_fail(s, -EINVAL, "%s: not a scenario", path);
	none = json_object();
	strange = recording_sysctls(none, json_object_get(s->doc, "sysctl"));
	json_decref(none);
	if (strange)
		return scenario_fail(s, -ENOTSUP, "the sysctl %s of IPVS is not supported yet",
				     strange);
	s->decisions = json_array();
	shared = recording_shared(s->doc);
	ret = shared ? router->open(s, shared) : scenario_fail(s, -EINVAL, "not a scenario");
	json_decref(shared);
	return ret;
}

void scenario_close(struct scenario *s)
{
	s->router->close(s);
	json_decref(s->decisions);
	json_decref(s->doc);
	free(s->played);
	memset(s, 0, sizeof(*s));
}

/* --- events --- */

static const json_t *service_of(const struct scenario *s, const json_t *event)
{
	return json_array_get(json_object_get(s->doc, "services"),
			      (size_t)number_of(event, "service", 0));
}

static int change(struct scenario *s, const json_t *event, const char *op)
{
	const json_t *svc = service_of(s, event), *srv = json_object_get(event, "server");
	char *service, *server;
	json_t *object;
	int ret;

	if (!svc || !srv)
		return scenario_fail(s, -EINVAL, "%s without service or server", op);
	service = recording_service_key(svc);
	server = recording_server_name(srv, svc);
	object = recording_server(srv, svc, strcmp(op, "add") == 0);
	ret = s->router->change(s, op, service, server, object);
	json_decref(object);
	free(server);
	free(service);
	return ret;
}

/* {"op": "sysctl", "name": N, "value": V}, or pairs of them, in an object or in the event. */
static json_t *sysctls_of(const json_t *event)
{
	json_t *all = json_object(), *v;
	const char *key,
		*name = text_of(event, "name") ? text_of(event, "name") : text_of(event, "key");

	if (name)
		json_object_set(all, name, json_object_get(event, "value"));
	json_object_foreach ((json_t *)event, key, v) {
		if (json_is_object(v))
			json_object_update(all, v);
		else if (strcmp(key, "op") != 0 && strcmp(key, "name") != 0 &&
			 strcmp(key, "key") != 0 && strcmp(key, "value") != 0)
			json_object_set(all, key, v);
	}
	return all;
}

/* A sysctl holds for all services. */
static int sysctl_event(struct scenario *s, const json_t *event)
{
	json_t *sysctls = sysctls_of(event), *policy = json_object();
	const char *strange = recording_sysctls(policy, sysctls);
	const json_t *svc;
	size_t i;
	int ret = 0;

	if (strange)
		ret = scenario_fail(s, -ENOTSUP, "the sysctl %s of IPVS is not supported yet",
				    strange);
	json_array_foreach (json_object_get(s->doc, "services"), i, svc) {
		char *key = recording_service_key(svc);

		if (ret == 0)
			ret = s->router->edit(s, key, policy);
		free(key);
	}
	json_decref(policy);
	json_decref(sysctls);
	return ret;
}

static void decide(struct scenario *s, const char *op, const struct played *c,
		   const struct verdict *v)
{
	char client[ENDPOINT_STRLEN], to[ENDPOINT_STRLEN], server[ENDPOINT_STRLEN];
	const struct endpoint from = {.addr = c->client, .port = c->cport};
	const struct endpoint dest = {.addr = c->dest, .port = c->dport};
	json_t *d = json_pack("{s:i, s:s, s:s, s:s}", "i", (int)s->step++, "op", op, "client",
			      endpoint_format(&from, client, sizeof(client)), "to",
			      endpoint_format(&dest, to, sizeof(to)));

	if (v->forwarded) {
		endpoint_format(&v->server, server, sizeof(server));
		json_object_set_new(d, "server", json_string(server));
	} else {
		json_object_set_new(d, "server", json_null());
		if (v->reply[0])
			json_object_set_new(d, "reply", json_string(v->reply));
	}
	json_array_append_new(s->decisions, d);
}

static struct played *played_add(struct scenario *s, const struct played *c)
{
	if (s->n_played == s->max_played) {
		s->max_played = s->max_played ? s->max_played * 2 : 256;
		s->played = realloc(s->played, s->max_played * sizeof(*s->played));
	}
	s->played[s->n_played] = *c;
	return &s->played[s->n_played++];
}

static struct addr addr_of_text(const char *text)
{
	struct addr a = {0};

	addr_parse(text, &a);
	return a;
}

/* k times a step further: a number, or of IPv6 an address that is added as a 128-bit number. */
static struct addr step_addr(const json_t *e, const char *key, const char *step_key, uint32_t k)
{
	const char *text = text_of(e, step_key);
	struct addr a = addr_of_text(text_of(e, key)), by = {0};

	if (a.family == ADDR_V4) {
		a.v4 = be32_from(be32_to(a.v4) + (uint32_t)number_of(e, step_key, 0) * k);
		return a;
	}
	if (text)
		by = addr_of_text(text);
	else
		by.word[3] = be32_from((uint32_t)number_of(e, step_key, 0));
	for (; k; k--) {
		uint64_t carry = 0;

		for (unsigned int i = 4; i-- > 0;) {
			carry += (uint64_t)be32_to(a.word[i]) + be32_to(by.word[i]);
			a.word[i] = be32_from((uint32_t)carry);
			carry >>= 32;
		}
	}
	return a;
}

static int connects(struct scenario *s, const json_t *e, const char *op)
{
	const json_t *ports = json_object_get(e, "ports");
	uint32_t n = (uint32_t)number_of(e, "n", 1);
	bool udp = strcmp(op, "udp") == 0;

	if (!text_of(e, "src") || !text_of(e, "vip"))
		return scenario_fail(s, -EINVAL, "%s without src or vip", op);
	for (uint32_t k = 0; k < n; k++) {
		int port = json_array_size(ports) ? (int)json_integer_value(json_array_get(
							    ports, k % json_array_size(ports)))
						  : number_of(e, "port", 0);
		struct played c = {
			.client = step_addr(e, "src", "src_step", k),
			.cport = be16_from((uint16_t)(number_of(e, "sport", 0) +
						      number_of(e, "sport_step", 1) * (int)k)),
			.dest = step_addr(e, "vip", "vip_step", k),
			.dport = be16_from((uint16_t)port),
		};
		struct verdict v = traffic_first(s, udp ? IPPROTO_UDP : IPPROTO_TCP, &c);

		decide(s, op, &c, &v);
		if (!v.forwarded)
			continue;
		c.server = v.server;
		c.nat = v.nat;
		c.tunnel = v.tunnel;
		if (udp && json_is_true(json_object_get(e, "reply")) && c.nat)
			traffic_reply(s, &c);
		if (strcmp(op, "connect") == 0)
			traffic_establish(s, &c);
		if (json_is_true(json_object_get(e, "close"))) {
			traffic_close(s, &c);
			c.closed = true;
		}
		if (!udp)
			played_add(s, &c);
	}
	return 0;
}

/* The newest connection of a client's port that is still open. */
static struct played *played_find(struct scenario *s, const struct addr *client, be16 cport)
{
	for (uint32_t i = s->n_played; i-- > 0;)
		if (addr_equal(&s->played[i].client, client) && s->played[i].cport == cport)
			return s->played[i].closed ? NULL : &s->played[i];
	return NULL;
}

static int ends(struct scenario *s, const json_t *e, bool reset)
{
	uint32_t n = (uint32_t)number_of(e, "count", number_of(e, "n", 1));

	if (!text_of(e, "src"))
		return scenario_fail(s, -EINVAL, "close without src");
	const struct addr src = addr_of_text(text_of(e, "src"));

	for (uint32_t k = 0; k < n; k++) {
		struct played *c = played_find(
			s, &src, be16_from((uint16_t)(number_of(e, "sport", 0) + (int)k)));

		if (!c)
			continue;
		if (reset)
			traffic_reset(s, c);
		else
			traffic_close(s, c);
		c->closed = true;
	}
	return 0;
}

static int event_play(struct scenario *s, const json_t *e)
{
	const char *op = text_of(e, "op");

	if (!op)
		return scenario_fail(s, -EINVAL, "event without op");
	if (strcmp(op, "connect") == 0 || strcmp(op, "syn") == 0 || strcmp(op, "udp") == 0)
		return connects(s, e, op);
	if (strcmp(op, "close") == 0 || strcmp(op, "rst") == 0)
		return ends(s, e, op[0] == 'r');
	if (strcmp(op, "add") == 0 || strcmp(op, "edit") == 0 || strcmp(op, "del") == 0) {
		json_array_append_new(s->decisions,
				      json_pack("{s:i, s:s, s:O}", "i", (int)s->step++, "op", op,
						"server", json_object_get(e, "server")));
		return change(s, e, op);
	}
	if (strcmp(op, "sleep") == 0) {
		json_array_append_new(s->decisions,
				      json_pack("{s:i, s:s, s:i}", "i", (int)s->step++, "op", op,
						"s", number_of(e, "s", 0)));
		return s->router->sleep(s, (unsigned int)number_of(e, "s", 0));
	}
	if (strcmp(op, "sysctl") == 0)
		return sysctl_event(s, e);
	if (strcmp(op, "snapshot") == 0) {
		json_array_append_new(s->decisions,
				      json_pack("{s:i, s:s, s:o}", "i", (int)s->step++, "op", op,
						"list", s->router->list(s)));
		return 0;
	}
	return scenario_fail(s, -ENOTSUP, "event \"%s\" is not supported yet", op);
}

int scenario_play(struct scenario *s)
{
	const json_t *events = json_object_get(s->doc, "events"), *e;
	size_t i;

	json_array_foreach (events, i, e) {
		int ret = event_play(s, e);

		if (ret == -ETIME) {
			s->skipped = (uint32_t)(json_array_size(events) - i);
			return 0;
		}
		if (ret < 0)
			return ret;
	}
	return 0;
}

json_t *scenario_final(struct scenario *s)
{
	return json_pack("{s:o, s:o, s:o}", "list", s->router->list(s), "stats",
			 s->router->stats(s), "conns", s->router->conns(s));
}
