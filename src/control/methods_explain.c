/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Explain: one packet is asked about at a time. The packet goes from worker to worker by commands;
 * each worker answers between two bursts (dataplane/explain/explain.h).
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "control/explain_json.h"
#include "control/worker_ask.h"

struct asking {
	struct worker_ask ask;
	struct explain *x;
};

static void asking_free(struct pending *l)
{
	struct asking *a = (struct asking *)l;

	worker_ask_fini(&a->ask);
	explain_destroy(a->x);
	l->control->explains--;
	free(a);
}

static const struct pending_kind pending_kind = {worker_ask_stop, asking_free};

static void leg_send(struct asking *a)
{
	a->ask.command = (struct worker_command){.kind = CMD_EXPLAIN, .explain = a->x};
	worker_ask_send(&a->ask, a->x->next);
}

static void leg_done(struct worker_ask *ask)
{
	struct asking *a = (struct asking *)ask;
	struct pending *l = &ask->pending;

	if (ask->command.more) {
		leg_send(a);
		return;
	}
	if (a->x->fault)
		pending_fail(l, RPC_INVALID, NULL, "%s", a->x->fault);
	else if (a->x->n_legs == 0)
		pending_fail(l, RPC_INTERNAL, NULL, "the router forwards nothing yet");
	else
		pending_answer(l, explain_json(l->control, a->x));
	pending_end(l);
}

/* --- parameters --- */

static bool bad(struct asking *a, const char *name, const char *expected)
{
	pending_fail(&a->ask.pending, RPC_BAD_PARAMS,
		     json_pack("{s:s, s:s}", "path", name, "expected", expected), "%s: expected %s",
		     name, expected);
	return false;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hex_parse(struct asking *a, const char *text)
{
	const size_t n = strlen(text);

	if (n % 2 || n < 2 || n / 2 > EXPLAIN_FRAME_MAX)
		return bad(a, "bytes", "hexadecimal digits of up to 2048 bytes");
	for (size_t i = 0; i < n / 2; i++) {
		const int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return bad(a, "bytes", "hexadecimal digits of up to 2048 bytes");
		a->x->frame[i] = (uint8_t)(high << 4 | low);
	}
	a->x->frame_len = (uint16_t)(n / 2);
	return true;
}

static bool flags_parse(struct asking *a, const char *text)
{
	static const char letters[] = "FSRPAU";

	for (; *text; text++) {
		const char *at = strchr(letters, *text & ~0x20);

		if (!at)
			return bad(a, "flags", "letters of F S R P A U");
		a->x->packet.tcp_flags |= (uint8_t)(1U << (at - letters));
	}
	return true;
}

/* A number of params, or def. False: req has ended. */
static bool number_parse(struct asking *a, const json_t *params, const char *name, json_int_t def,
			 json_int_t max, json_int_t *out)
{
	const json_t *v = json_object_get(params, name);
	char expected[40];

	*out = v ? json_integer_value(v) : def;
	if (*out >= 0 && *out <= max && (!v || json_is_integer(v)))
		return true;
	snprintf(expected, sizeof(expected), "a number from 0 to %lld", (long long)max);
	return bad(a, name, expected);
}

static bool described_parse(struct asking *a, const json_t *params)
{
	const char *protocol = param_string(params, "protocol");
	const char *source = param_string(params, "source");
	const char *dest = param_string(params, "destination");
	const char *flags = param_string(params, "flags");
	struct explain_packet *p = &a->x->packet;
	json_int_t len, hops;

	if (!protocol || (strcasecmp(protocol, "tcp") != 0 && strcasecmp(protocol, "udp") != 0))
		return bad(a, "protocol", "\"tcp\" or \"udp\"");
	p->proto = strcasecmp(protocol, "tcp") == 0 ? IPPROTO_TCP : IPPROTO_UDP;
	if (!source || endpoint_parse(source, &p->source) < 0)
		return bad(a, "source", "address:port");
	if (!dest || endpoint_parse(dest, &p->dest) < 0 ||
	    p->dest.addr.family != p->source.addr.family)
		return bad(a, "destination", "address:port, of the source's family");
	if (!number_parse(a, params, "length", 0, EXPLAIN_FRAME_MAX, &len) ||
	    !number_parse(a, params, "hops", 64, 255, &hops))
		return false;
	p->len = (uint16_t)len;
	p->hops = (uint8_t)hops;
	return p->proto == IPPROTO_UDP || flags_parse(a, flags ? flags : "S");
}

static bool params_parse(struct asking *a, const json_t *params)
{
	const struct control *c = a->ask.pending.control;
	const char *in = param_string(params, "in"), *bytes = param_string(params, "bytes");
	link_id link;

	if (in && config_link_find(&c->boot->node, in, &link) < 0)
		return bad(a, "in", "a link: a port, or PORT.VLAN");
	if (in) {
		a->x->port = link_port(link);
		a->x->vlan = link_vlan(link);
	}
	a->x->whole = !json_is_false(json_object_get(params, "ethernet"));
	return bytes ? hex_parse(a, bytes) : described_parse(a, params);
}

/* The worker that owns the connection of a client's packet: where most packets are steered to. */
static uint16_t first_worker(const struct control *c, const struct explain *x)
{
	const struct endpoint *from = &x->packet.source;

	if (x->frame_len)
		return 0;
	return (uint16_t)(from->addr.family == ADDR_V6
				  ? owner6(&c->dp->owners, addr6_of(&from->addr), from->port)
				  : owner4(&c->dp->owners, addr4_of(&from->addr), from->port));
}

static void explain(struct control *c, struct rpc_request *req, json_t *params)
{
	struct asking *a;

	if (c->explains > 0) {
		rpc_fail(req, RPC_LIMIT, NULL, "limit reached: one packet is explained at a time");
		return;
	}
	c->explains++; /* asking_free() takes it back */
	a = worker_ask_create(c, req, sizeof(*a), &pending_kind, leg_done);
	if (!a) {
		c->explains = 0;
		return;
	}
	a->x = explain_create(c->dp);
	if (!a->x) {
		pending_fail(&a->ask.pending, RPC_INTERNAL, NULL, "out of memory");
		pending_end(&a->ask.pending);
		return;
	}
	if (!params_parse(a, params)) {
		pending_end(&a->ask.pending);
		return;
	}
	a->x->next = first_worker(c, a->x);
	leg_send(a);
}

const struct method explain_methods[] = {
	{.name = "explain",
	 .run = explain,
	 .help = "the path of a packet through the stages, without any change",
	 .params = {{"protocol", PARAM_STRING, false, "`tcp` or `udp`"},
		    {"source", PARAM_STRING, false, "address:port"},
		    {"destination", PARAM_STRING, false, "address:port"},
		    {"in", PARAM_STRING, false,
		     "the link on which the packet arrives (default: of the route to its source)"},
		    {"flags", PARAM_STRING, false, "TCP flags, of `FSRPAU` (default `S`)"},
		    {"length", PARAM_NUMBER, false, "of the IP packet (default: headers alone)"},
		    {"hops", PARAM_NUMBER, false, "TTL or hop limit (default 64)"},
		    {"bytes", PARAM_STRING, false,
		     "the packet in hexadecimal digits, in place of all parameters but `in`"},
		    {"ethernet", PARAM_BOOLEAN, false,
		     "`bytes` begin with an Ethernet header (default true); else the router makes "
		     "one"}},
	 .result = "`packet`, `mark`, `service`, `connection`, `template`, `scheduler`, `owner`, "
		   "`nexthop`, `size`, `sent`, `told`, `sent_by_worker`, `workers`, `verdict`, up "
		   "to the packet's end: see [seeing-packets.md](seeing-packets.md)"},
	{.name = NULL},
};
