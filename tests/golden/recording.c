/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden/scenario.h"

const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

int number_of(const json_t *o, const char *key, int def)
{
	const json_t *v = json_object_get(o, key);

	return json_is_integer(v) ? (int)json_integer_value(v) : def;
}

const char *recording_endpoint(const char *addr, int port, char buf[ENDPOINT_STRLEN])
{
	snprintf(buf, ENDPOINT_STRLEN, strchr(addr, ':') ? "[%s]:%d" : "%s:%d", addr, port);
	return buf;
}

char *recording_server_name(const json_t *srv, const json_t *svc)
{
	char buf[ENDPOINT_STRLEN];
	const char *fwd = text_of(srv, "fwd");
	int port = number_of(srv, "port", number_of(svc, "port", 0));

	/* IPVS gives a server by DR or tunnel its service's port. */
	if (fwd && strcmp(fwd, "nat") != 0)
		port = number_of(svc, "port", 0);
	return strdup(recording_endpoint(text_of(srv, "addr"), port, buf));
}

static const char *forward_of(const json_t *srv)
{
	const char *fwd = text_of(srv, "fwd");

	return strcmp(fwd, "tun") == 0 ? "tunnel" : fwd;
}

/* `ipvsadm -e` sets every option: weight, upper and lower that are not given become the
 * defaults of `ipvsadm -a`, whatever the server had before. */
json_t *recording_server(const json_t *srv, const json_t *svc, bool with_address)
{
	json_t *o = json_object();
	char *name = recording_server_name(srv, svc);

	if (with_address)
		json_object_set_new(o, "address", json_string(name));
	free(name);
	json_object_set_new(o, "weight", json_integer(number_of(srv, "weight", 1)));
	if (text_of(srv, "fwd"))
		json_object_set_new(o, "forward", json_string(forward_of(srv)));
	json_object_set_new(o, "upper", json_integer(number_of(srv, "upper", 0)));
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

/* "255.255.255.0" as text; a prefix length, which the recordings have as text, as a number. */
static json_t *netmask_of(const char *text)
{
	return strchr(text, '.') ? json_string(text) : json_integer(atoi(text));
}

static json_t *service_object(const json_t *svc)
{
	json_t *o = json_object(), *servers = json_array();
	const json_t *srv;
	char listen[ENDPOINT_STRLEN];
	size_t i;

	if (json_object_get(svc, "fwmark")) {
		json_object_set_new(o, "mark", json_integer(number_of(svc, "fwmark", 0)));
		if (text_of(svc, "family"))
			json_object_set_new(o, "family", json_string(text_of(svc, "family")));
	} else {
		recording_endpoint(text_of(svc, "vip"), number_of(svc, "port", 0), listen);
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
			json_object_set_new(p, "netmask", netmask_of(text_of(svc, "netmask")));
		json_object_set_new(o, "persistence", p);
	}
	if (json_is_true(json_object_get(svc, "ops")))
		json_object_set_new(o, "one_packet", json_true());
	json_array_foreach (json_object_get(svc, "servers"), i, srv)
		json_array_append_new(servers, recording_server(srv, svc, true));
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

/* Whether a sysctl at this value changes no packet's way: it is about synchronisation, memory
 * or estimation, or it is off. */
static bool sysctl_idle(const char *name, int value)
{
	static const char *const none[] = {"am_droprate", "amemthresh",	    "conntrack",
					   "debug_level", "run_estimation", "snat_reroute"};
	static const char *const off[] = {"backup_only",     "cache_bypass",  "drop_entry",
					  "drop_packet",     "schedule_icmp", "secure_tcp",
					  "ignore_tunneled", "sloppy_sctp"};

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (strcmp(name, none[i]) == 0)
			return true;
	for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++)
		if (strcmp(name, off[i]) == 0)
			return value == 0;
	return strncmp(name, "sync_", 5) == 0 || (strcmp(name, "pmtu_disc") == 0 && value == 1);
}

/* The first sysctl that plvs has nothing like, or NULL. */
const char *recording_sysctls(json_t *o, const json_t *sysctls)
{
	static const char prefix[] = "net.ipv4.vs.";
	const json_t *v;
	const char *key;

	json_object_foreach ((json_t *)sysctls, key, v) {
		const char *name = key;
		const char *text = json_string_value(v);
		int value = text ? atoi(text) : (int)json_integer_value(v);

		if (strncmp(name, prefix, sizeof(prefix) - 1) == 0)
			name += sizeof(prefix) - 1;
		if (!sysctl_idle(name, value) && !sysctl_put(o, name, json_is_true(v) ? 1 : value))
			return name;
	}
	return NULL;
}

static int integer_of(const json_t *v)
{
	return json_is_string(v) ? atoi(json_string_value(v)) : (int)json_integer_value(v);
}

/* Timeouts in seconds, as an object with the names of `ipvsadm --set` or as a list of its
 * arguments in their order. 0 or missing: the default stays. */
static json_t *timeouts_object(const json_t *timeouts)
{
	static const struct {
		const char *recorded, *key;
	} names[] = {{"tcp", "established"}, {"tcpfin", "fin_wait"}, {"udp", "udp"}};
	json_t *times = json_object();

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const int seconds = integer_of(
			json_is_array(timeouts) ? json_array_get(timeouts, i)
						: json_object_get(timeouts, names[i].recorded));

		if (seconds)
			json_object_set_new(times, names[i].key, json_integer(seconds));
	}
	return times;
}

static json_t *defaults_object(const json_t *doc)
{
	json_t *o = json_object();

	json_object_set_new(o, "timeouts", timeouts_object(json_object_get(doc, "timeouts")));
	recording_sysctls(o, json_object_get(doc, "sysctl"));
	return o;
}

json_t *recording_shared(const json_t *doc)
{
	json_t *services = json_array();
	const json_t *svc;
	size_t i;

	json_array_foreach (json_object_get(doc, "services"), i, svc)
		json_array_append_new(services, service_object(svc));
	return json_pack("{s:s, s:o, s:o, s:o}", "compat", "ipvs", "defaults", defaults_object(doc),
			 "services", services, "marks", marks_object(doc));
}

char *recording_service_key(const json_t *svc)
{
	char key[128], ep[ENDPOINT_STRLEN];

	if (json_object_get(svc, "fwmark"))
		snprintf(key, sizeof(key), "fwmark:%d%s", number_of(svc, "fwmark", 0),
			 text_of(svc, "family") ? "/ipv6" : "");
	else
		snprintf(key, sizeof(key), "%s:%s", text_of(svc, "proto"),
			 recording_endpoint(text_of(svc, "vip"), number_of(svc, "port", 0), ep));
	return strdup(key);
}
