/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections, time-outs and synchronisation daemons. */
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "cli/ipvsadm/adm_internal.h"

/* --- connections --- */

struct entries {
	struct adm *a;
	bool numeric;
};

static const char *endpoint_column(const struct entries *e, const json_t *row, const char *key,
				   int proto, char *buf, size_t len)
{
	const char *text = json_string_value(json_object_get(row, key));
	struct endpoint ep = {0};
	int64_t mark = text ? adm_number(text, 1, UINT32_MAX) : -1;

	/* The kernel shows a mark where the first word of the address stands. */
	if (mark > 0) {
		const char *client = json_string_value(json_object_get(row, "client"));

		ep.addr = addr_from_v4(be32_from((uint32_t)mark));
		if (client && strchr(client, ':') != strrchr(client, ':'))
			ep.addr.family = ADDR_V6;
	}
	if (mark <= 0 &&
	    (!text || (endpoint_parse(text, &ep) < 0 && addr_parse(text, &ep.addr) < 0)))
		return text ? text : "";
	return adm_endpoint_text(&ep, proto, e->numeric, buf, len);
}

static int entry_rows(void *arg, json_t *rows)
{
	const struct entries *e = arg;
	json_t *row;
	size_t i;

	json_array_foreach (rows, i, row) {
		const char *name = json_string_value(json_object_get(row, "protocol"));
		const char *state = json_string_value(json_object_get(row, "state"));
		int proto = !name			   ? 0
			    : strcasecmp(name, "tcp") == 0 ? IPPROTO_TCP
			    : strcasecmp(name, "udp") == 0 ? IPPROTO_UDP
							   : 0;
		double left = json_number_value(json_object_get(row, "expires_s"));
		uint32_t s = left > 0 ? (uint32_t)left : 0;
		char expire[16], client[ADM_NAME_LEN], to[ADM_NAME_LEN], server[ADM_NAME_LEN];

		snprintf(expire, sizeof(expire), "%02u:%02u", s / 60, s % 60);
		fprintf(e->a->out, "%-3s %-6s %-11s %-18s %-18s %s\n",
			proto == IPPROTO_TCP   ? "TCP"
			: proto == IPPROTO_UDP ? "UDP"
					       : "IP",
			expire, state ? state : "NONE",
			endpoint_column(e, row, "client", proto, client, sizeof(client)),
			endpoint_column(e, row, "virtual", proto, to, sizeof(to)),
			endpoint_column(e, row, "server", proto, server, sizeof(server)));
	}
	return ferror(e->a->out);
}

int adm_list_connections(struct adm *a, const struct adm_command *cmd)
{
	struct entries e = {.a = a, .numeric = ADM_HAS(cmd, NUMERIC)};
	json_t *result;
	int ret;

	/* plvs keeps a hash of a Call-ID, which stands in no column. */
	fprintf(a->out,
		"IPVS connection entries\n"
		"pro expire state       source             virtual            destination%s\n",
		ADM_HAS(cmd, PERSISTENT_CONN) ? "        pe name          pe_data" : "");
	ret = adm_ask(a, "connection.list", NULL, entry_rows, &e, &result);
	if (ret == 0)
		json_decref(result);
	return ret;
}

/* --- time-outs --- */

int adm_list_timeouts(struct adm *a)
{
	static const struct {
		const char *key;
		uint32_t otherwise;
	} of[] = {{"established", 900}, {"fin_wait", 120}, {"udp", 300}};

	fprintf(a->out, "Timeout (tcp tcpfin udp):");
	for (int i = 0; i < 3; i++) {
		const json_t *value = adm_policy(a, NULL, "timeouts", of[i].key);

		fprintf(a->out, " %u", value ? adm_seconds(value) : of[i].otherwise);
	}
	fputc('\n', a->out);
	return ADM_OK;
}

/* --- daemons: what was asked for is remembered by the router; the pair synchronises --- */

static int daemons_ask(struct adm *a, json_t *params, json_t **result)
{
	int ret = adm_ask(a, "ipvsadm.daemon", params, NULL, NULL, result);

	json_decref(params);
	return ret;
}

int adm_list_daemons(struct adm *a)
{
	static const char *const states[] = {"master", "backup"};
	json_t *result;
	int ret = daemons_ask(a, json_object(), &result);

	for (int i = 0; ret == 0 && i < 2; i++) {
		const json_t *d = json_object_get(result, states[i]);
		const char *name = json_string_value(json_object_get(d, "interface"));
		const char *group = json_string_value(json_object_get(d, "group"));

		if (name && group)
			fprintf(a->out,
				"%s sync daemon (mcast=%s, syncid=%lld, maxlen=%lld, group=%s, "
				"port=%lld, ttl=%lld)\n",
				states[i], name, (long long)adm_member(d, "syncid", 0),
				(long long)adm_member(d, "maxlen", 0), group,
				(long long)adm_member(d, "port", 0),
				(long long)adm_member(d, "ttl", 0));
	}
	if (ret == 0)
		json_decref(result);
	return ret;
}

/* Of this program's namespace, or a port of the router, whose TAP may be in another. */
static bool interface_exists(const struct adm *a, const char *name)
{
	const json_t *ports = json_object_get(json_object_get(a->doc, "node"), "ports"), *port;
	size_t i;

	if (if_nametoindex(name))
		return true;
	json_array_foreach (ports, i, port) {
		const char *tap = json_string_value(json_object_get(port, "tap"));

		if (!tap)
			tap = json_string_value(json_object_get(port, "name"));
		if (tap && strcmp(tap, name) == 0)
			return true;
	}
	return false;
}

/* Without a word what fits into 1500 bytes behind the headers of IP and UDP. */
static json_int_t daemon_maxlen(const struct adm_daemon *d)
{
	return d->maxlen ? (json_int_t)d->maxlen : strchr(d->group, ':') ? 1452 : 1472;
}

int adm_daemon_change(struct adm *a, const struct adm_command *cmd)
{
	const struct adm_daemon *d = &cmd->daemon;
	const char *state = d->master ? "master" : "backup";
	json_t *now, *params;
	bool runs;
	int ret = daemons_ask(a, json_object(), &now);

	if (ret)
		return ret;
	runs = json_is_object(json_object_get(now, state));
	json_decref(now);
	if (cmd->verb == ADM_STOP_DAEMON) {
		if (!runs)
			return adm_fail(a, ADM_REFUSED, "No daemon is running");
		params = json_pack("{s:s}", "state", state);
	} else {
		/* The kernel looks for the device first. */
		if (!interface_exists(a, *d->interface ? d->interface : "eth0"))
			return adm_fail(a, ADM_REFUSED, "No such device");
		if (runs)
			return adm_fail(a, ADM_REFUSED, "Daemon has already run");
		params = json_pack("{s:s, s:{s:s, s:I, s:I, s:s, s:I, s:I}}", "state", state,
				   "daemon", "interface", *d->interface ? d->interface : "eth0",
				   "syncid", (json_int_t)d->syncid, "maxlen", daemon_maxlen(d),
				   "group", d->group, "port", (json_int_t)d->port, "ttl",
				   (json_int_t)d->ttl);
	}
	ret = daemons_ask(a, params, &now);
	if (ret == 0)
		json_decref(now);
	return ret;
}
