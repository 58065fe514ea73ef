/* SPDX-License-Identifier: BSD-3-Clause */
#include "golden/scenario.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/builder.h"
#include "lib/packet.h"
#include "lib/world.h"
#include "sched/sched.h"

static int fail(struct scenario *s, int ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct scenario *s, int ret, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->error, sizeof(s->error), fmt, ap);
	va_end(ap);
	return ret;
}

/* --- from the recording's words to plvs's configuration --- */

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static int number_of(const json_t *o, const char *key, int def)
{
	const json_t *v = json_object_get(o, key);

	return json_is_integer(v) ? (int)json_integer_value(v) : def;
}

static char *server_name(const json_t *srv, const json_t *svc)
{
	char buf[ENDPOINT_STRLEN];
	const char *fwd = text_of(srv, "fwd");
	int port = number_of(srv, "port", number_of(svc, "port", 0));

	/* IPVS gives a DR server its service's port. */
	if (fwd && strcmp(fwd, "dr") == 0)
		port = number_of(svc, "port", 0);
	snprintf(buf, sizeof(buf), "%s:%d", text_of(srv, "addr"), port);
	return strdup(buf);
}

static json_t *server_object(const json_t *srv, const json_t *svc, bool with_address)
{
	json_t *o = json_object();
	char *name = server_name(srv, svc);

	if (with_address)
		json_object_set_new(o, "address", json_string(name));
	free(name);
	json_object_set_new(o, "weight", json_integer(number_of(srv, "weight", 1)));
	if (text_of(srv, "fwd"))
		json_object_set_new(o, "forward", json_string(text_of(srv, "fwd")));
	if (number_of(srv, "upper", 0))
		json_object_set_new(o, "upper", json_integer(number_of(srv, "upper", 0)));
	if (number_of(srv, "lower", 0))
		json_object_set_new(o, "lower", json_integer(number_of(srv, "lower", 0)));
	return o;
}

static void flags_put(json_t *o, const char *flags)
{
	json_t *list = json_array();
	char *copy = strdup(flags), *save = NULL;

	for (char *f = strtok_r(copy, ",", &save); f; f = strtok_r(NULL, ",", &save))
		/* ipvsadm's "sh-port" is "port" of the scheduler sh. */
		json_array_append_new(list, json_string(strchr(f, '-') ? strchr(f, '-') + 1 : f));
	if (json_array_size(list))
		json_object_set_new(o, "scheduler_flags", list);
	else
		json_decref(list);
	free(copy);
}

static json_t *service_object(const json_t *svc)
{
	json_t *o = json_object(), *servers = json_array();
	const json_t *srv;
	char listen[ENDPOINT_STRLEN];
	size_t i;

	if (json_object_get(svc, "fwmark")) {
		json_object_set_new(o, "mark", json_integer(number_of(svc, "fwmark", 0)));
	} else {
		snprintf(listen, sizeof(listen), "%s:%d", text_of(svc, "vip"),
			 number_of(svc, "port", 0));
		json_object_set_new(o, "protocol", json_string(text_of(svc, "proto")));
		json_object_set_new(o, "listen", json_string(listen));
	}
	json_object_set_new(o, "scheduler", json_string(text_of(svc, "sched")));
	if (text_of(svc, "flags"))
		flags_put(o, text_of(svc, "flags"));
	if (number_of(svc, "persist", 0)) {
		json_t *p = json_object();

		json_object_set_new(p, "timeout", json_integer(number_of(svc, "persist", 0)));
		if (text_of(svc, "netmask"))
			json_object_set_new(p, "netmask", json_string(text_of(svc, "netmask")));
		json_object_set_new(o, "persistence", p);
	}
	if (json_is_true(json_object_get(svc, "ops")))
		json_object_set_new(o, "one_packet", json_true());
	json_array_foreach (json_object_get(svc, "servers"), i, srv)
		json_array_append_new(servers, server_object(srv, svc, true));
	json_object_set_new(o, "servers", servers);
	return o;
}

/* Mangle rules: what they say of a packet's destination. */
static json_t *marks_object(const json_t *doc)
{
	json_t *marks = json_array();
	const json_t *m;
	size_t i;

	json_array_foreach (json_object_get(doc, "marks"), i, m) {
		json_t *o = json_pack("{s:i}", "mark", number_of(m, "mark", 0));

		if (text_of(m, "proto"))
			json_object_set_new(o, "protocol", json_string(text_of(m, "proto")));
		if (text_of(m, "vip"))
			json_object_set_new(o, "destination", json_string(text_of(m, "vip")));
		if (number_of(m, "port", 0))
			json_object_set_new(o, "destination_port",
					    json_integer(number_of(m, "port", 0)));
		json_array_append_new(marks, o);
	}
	return marks;
}

/* A sysctl of IPVS as keys of a policy. False: plvs has nothing like it. */
static bool sysctl_put(json_t *o, const char *name, int value)
{
	static const char *const same[] = {"sloppy_tcp", "nat_icmp_send"};
	json_t *persistence;

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		if (strcmp(name, same[i]) == 0)
			return json_object_set_new(o, name, json_boolean(value)) == 0;
	if (strcmp(name, "conn_reuse_mode") == 0)
		return json_object_set_new(o, "conn_reuse", json_integer(value)) == 0;
	if (strcmp(name, "expire_nodest_conn") == 0)
		return json_object_set_new(o, "on_server_gone",
					   json_string(value ? "reset" : "keep")) == 0;
	if (strcmp(name, "expire_quiescent_template") != 0)
		return false;
	persistence = json_pack("{s:b}", "expire_quiescent", value);
	return json_object_set_new(o, "persistence", persistence) == 0;
}

/* The first sysctl that plvs has nothing like, or NULL. */
static const char *sysctls_put(json_t *o, const json_t *sysctls)
{
	static const char prefix[] = "net.ipv4.vs.";
	const json_t *v;
	const char *name;

	json_object_foreach ((json_t *)sysctls, name, v) {
		const char *text = json_string_value(v);
		int value = text ? atoi(text) : (int)json_integer_value(v);

		if (strncmp(name, prefix, sizeof(prefix) - 1) == 0)
			name += sizeof(prefix) - 1;
		if (!sysctl_put(o, name, json_is_true(v) ? 1 : value))
			return name;
	}
	return NULL;
}

/* Timeouts as `ipvsadm --set` names them. */
static json_t *defaults_object(const json_t *doc)
{
	const json_t *t = json_object_get(doc, "timeouts");
	json_t *o = json_object(), *times = json_object();

	if (number_of(t, "tcp", 0))
		json_object_set_new(times, "established", json_integer(number_of(t, "tcp", 0)));
	if (number_of(t, "tcpfin", 0))
		json_object_set_new(times, "fin_wait", json_integer(number_of(t, "tcpfin", 0)));
	if (number_of(t, "udp", 0))
		json_object_set_new(times, "udp", json_integer(number_of(t, "udp", 0)));
	json_object_set_new(o, "timeouts", times);
	sysctls_put(o, json_object_get(doc, "sysctl"));
	return o;
}

static char *config_text(const json_t *doc)
{
	json_t *services = json_array(), *root;
	const json_t *svc;
	char *text;
	size_t i;

	json_array_foreach (json_object_get(doc, "services"), i, svc)
		json_array_append_new(services, service_object(svc));
	root = json_pack("{s:{s:s, s:[{s:s,s:s},{s:s,s:s}]}, s:{s:s, s:o, s:o, s:o}}", "node",
			 "name", "replay", "ports", "name", "public", "device", "ring0", "name",
			 "private", "device", "ring1", "shared", "compat", "ipvs", "defaults",
			 defaults_object(doc), "services", services, "marks", marks_object(doc));
	text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
	json_decref(root);
	return text;
}

/* --- open and close --- */

static struct addr_table4 *tables_addrs4(void *arg, const struct snapshot *draft)
{
	struct scenario *s = arg;

	return builder_addrs4(s->config, &s->publisher, draft);
}

static struct listener_table4 *tables_listeners4(void *arg, const struct snapshot *draft)
{
	(void)arg;
	return builder_listeners4(draft);
}

static int tables_marks4(void *arg, struct snapshot *draft)
{
	const struct scenario *s = arg;

	return builder_marks4(s->config, draft);
}

static int config_open(struct scenario *s)
{
	char *text = config_text(s->doc), line[512];
	struct config_errors errors;
	int ret;

	if (!text)
		return fail(s, -EINVAL, "not a scenario");
	config_errors_init(&errors);
	ret = config_parse(text, strlen(text), NULL, sched_names(), &s->config, &errors);
	if (ret < 0) {
		const char *why = errors.errors.n
					  ? config_error_format(&errors, &errors.errors.v[0], line,
								sizeof(line))
					  : strerror(-ret);

		fail(s, ret, "%s", why);
		/* A feature to come and a scheduler to come; all else is a mistake here. */
		if (strstr(why, "not supported yet") || strstr(why, "scheduler"))
			ret = -ENOTSUP;
	}
	config_errors_fini(&errors);
	free(text);
	return ret;
}

static int world_open(struct scenario *s)
{
	const struct harness_config hc = {.max_connections = 20000};
	const struct publisher_tables tables = {.addrs4 = tables_addrs4,
						.listeners4 = tables_listeners4,
						.marks4 = tables_marks4,
						.arg = s};
	int ret = harness_create(&s->harness, &hc, s->error);

	if (ret < 0)
		return ret;
	world_route(&s->harness, "0.0.0.0/0", link_id_of(0, 0), NULL);
	world_route(&s->harness, "10.10.0.0/16", link_id_of(1, 0), NULL);
	world_own(&s->harness, "172.31.255.254", link_id_of(0, 0)); /* no client's */
	world_own(&s->harness, "10.10.255.254", link_id_of(1, 0));
	ret = publisher_init(&s->publisher, &s->harness.dp->pub, &tables);
	if (ret < 0)
		return ret;
	ret = builder_config(&s->publisher, NULL, s->config, s->error);
	return ret < 0 ? ret : publisher_flush(&s->publisher);
}

int scenario_open(struct scenario *s, const char *path)
{
	const char *strange;
	json_error_t je;
	json_t *none;
	int ret;

	memset(s, 0, sizeof(*s));
	s->doc = json_load_file(path, 0, &je);
	if (!s->doc)
		return fail(s, -EINVAL, "%s:%d: %s", path, je.line, je.text);
	s->name = text_of(s->doc, "name");
	if (!s->name || !json_is_array(json_object_get(s->doc, "services")) ||
	    !json_is_array(json_object_get(s->doc, "events")))
		return fail(s, -EINVAL, "%s: not a scenario", path);
	none = json_object();
	strange = sysctls_put(none, json_object_get(s->doc, "sysctl"));
	json_decref(none);
	if (strange)
		return fail(s, -ENOTSUP, "the sysctl %s of IPVS is not supported yet", strange);
	ret = config_open(s);
	if (ret < 0)
		return ret;
	s->decisions = json_array();
	return world_open(s);
}

void scenario_close(struct scenario *s)
{
	if (s->publisher.pub)
		publisher_fini(&s->publisher);
	if (s->harness.dp)
		harness_destroy(&s->harness);
	config_destroy(s->config);
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
	char key[CONFIG_KEY_STRLEN], *name, line[512];
	struct config_change ch = {0};
	struct config_errors errors;
	json_t *object;
	int ret;

	if (!svc || !srv)
		return fail(s, -EINVAL, "%s without service or server", op);
	if (json_object_get(svc, "fwmark"))
		snprintf(key, sizeof(key), "fwmark:%d", number_of(svc, "fwmark", 0));
	else
		snprintf(key, sizeof(key), "%s:%s:%d", text_of(svc, "proto"), text_of(svc, "vip"),
			 number_of(svc, "port", 0));
	config_errors_init(&errors);
	name = server_name(srv, svc);
	object = server_object(srv, svc, strcmp(op, "add") == 0);
	if (strcmp(op, "add") == 0)
		ret = config_server_add(s->config, key, object, &ch, &errors);
	else if (strcmp(op, "edit") == 0)
		ret = config_server_edit(s->config, key, name, object, &ch, &errors);
	else
		ret = config_server_delete(s->config, key, name, &ch, &errors);
	if (ret < 0) {
		fail(s, ret, "%s %s: %s", op, name,
		     errors.errors.n
			     ? config_error_format(&errors, &errors.errors.v[0], line, sizeof(line))
			     : strerror(-ret));
	} else {
		ret = builder_service(&s->publisher, ch.before, ch.after, s->error);
		config_change_commit(s->config, &ch);
		if (ret == 0)
			ret = publisher_flush(&s->publisher);
		traffic_settle(s);
	}
	json_decref(object);
	free(name);
	config_errors_fini(&errors);
	return ret;
}

static void decide(struct scenario *s, const char *op, const struct played *c,
		   const struct verdict *v)
{
	char client[ENDPOINT_STRLEN], to[ENDPOINT_STRLEN], server[ENDPOINT_STRLEN];
	const struct endpoint from = {.addr = addr_from_v4(c->client), .port = c->cport};
	const struct endpoint dest = {.addr = addr_from_v4(c->dest), .port = c->dport};
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

/* The forwarding method of the server as the event list has it. */
static bool server_is_nat(const struct scenario *s, const struct endpoint *ep)
{
	const json_t *svc, *srv;
	struct addr a;
	size_t i, j;

	json_array_foreach (json_object_get(s->doc, "services"), i, svc)
		json_array_foreach (json_object_get(svc, "servers"), j, srv)
			if (text_of(srv, "addr") && addr_parse(text_of(srv, "addr"), &a) == 0 &&
			    addr_equal(&a, &ep->addr))
				return !text_of(srv, "fwd") ||
				       strcmp(text_of(srv, "fwd"), "nat") == 0;
	/* Added later: as the others of the first service. */
	srv = json_array_get(
		json_object_get(json_array_get(json_object_get(s->doc, "services"), 0), "servers"),
		0);
	return !srv || !text_of(srv, "fwd") || strcmp(text_of(srv, "fwd"), "nat") == 0;
}

static be32 step_addr(const char *text, int step, uint32_t k)
{
	return be32_from(be32_to(ipv4(text)) + (uint32_t)step * k);
}

static int connects(struct scenario *s, const json_t *e, const char *op)
{
	const json_t *ports = json_object_get(e, "ports");
	uint32_t n = (uint32_t)number_of(e, "n", 1);
	bool udp = strcmp(op, "udp") == 0;

	if (!text_of(e, "src") || !text_of(e, "vip"))
		return fail(s, -EINVAL, "%s without src or vip", op);
	for (uint32_t k = 0; k < n; k++) {
		int port = json_array_size(ports) ? (int)json_integer_value(json_array_get(
							    ports, k % json_array_size(ports)))
						  : number_of(e, "port", 0);
		struct played c = {
			.client = step_addr(text_of(e, "src"), number_of(e, "src_step", 0), k),
			.cport = be16_from((uint16_t)(number_of(e, "sport", 0) +
						      number_of(e, "sport_step", 1) * (int)k)),
			.dest = step_addr(text_of(e, "vip"), number_of(e, "vip_step", 0), k),
			.dport = be16_from((uint16_t)port),
		};
		struct verdict v = traffic_first(s, udp ? IPPROTO_UDP : IPPROTO_TCP, &c);
		bool nat;

		decide(s, op, &c, &v);
		if (!v.forwarded)
			continue;
		c.server = v.server;
		nat = server_is_nat(s, &c.server);
		if (udp && json_is_true(json_object_get(e, "reply")) && nat)
			traffic_reply(s, &c);
		if (strcmp(op, "connect") == 0)
			traffic_establish(s, &c, nat);
		if (json_is_true(json_object_get(e, "close"))) {
			traffic_close(s, &c, nat);
			c.closed = true;
		}
		if (!udp)
			played_add(s, &c);
	}
	return 0;
}

/* The newest connection of a client's port that is still open. */
static struct played *played_find(struct scenario *s, be32 client, be16 cport)
{
	for (uint32_t i = s->n_played; i-- > 0;)
		if (s->played[i].client == client && s->played[i].cport == cport)
			return s->played[i].closed ? NULL : &s->played[i];
	return NULL;
}

static int ends(struct scenario *s, const json_t *e, bool reset)
{
	uint32_t n = (uint32_t)number_of(e, "count", number_of(e, "n", 1));

	if (!text_of(e, "src"))
		return fail(s, -EINVAL, "close without src");
	for (uint32_t k = 0; k < n; k++) {
		struct played *c =
			played_find(s, ipv4(text_of(e, "src")),
				    be16_from((uint16_t)(number_of(e, "sport", 0) + (int)k)));

		if (!c)
			continue;
		if (reset)
			traffic_reset(s, c);
		else
			traffic_close(s, c, server_is_nat(s, &c->server));
		c->closed = true;
	}
	return 0;
}

static int event_play(struct scenario *s, const json_t *e)
{
	const char *op = text_of(e, "op");

	if (!op)
		return fail(s, -EINVAL, "event without op");
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
		harness_advance_ms(&s->harness, (uint32_t)number_of(e, "s", 0) * 1000);
		json_array_append_new(s->decisions,
				      json_pack("{s:i, s:s, s:i}", "i", (int)s->step++, "op", op,
						"s", number_of(e, "s", 0)));
		return 0;
	}
	if (strcmp(op, "snapshot") == 0) {
		json_array_append_new(s->decisions,
				      json_pack("{s:i, s:s, s:o}", "i", (int)s->step++, "op", op,
						"list", scenario_list(s)));
		return 0;
	}
	return fail(s, -ENOTSUP, "event \"%s\" is not supported yet", op);
}

int scenario_play(struct scenario *s)
{
	const json_t *e;
	size_t i;

	json_array_foreach (json_object_get(s->doc, "events"), i, e) {
		int ret = event_play(s, e);

		if (ret < 0)
			return ret;
	}
	return 0;
}
