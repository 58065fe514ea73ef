/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/explain_json.h"

#include "shown/packet_shown.h"

#define LINK_STRLEN 80

const char *control_port_name(const struct control *c, uint16_t port)
{
	return c->dp && port < c->dp->n_ports ? c->dp->ports[port].config.name : "?";
}

static json_t *link_json(const struct control *c, link_id link)
{
	char text[LINK_STRLEN];

	return json_string(config_link_format(&c->boot->node, link, text, sizeof(text)));
}

static json_t *endpoint_json(const struct endpoint *ep)
{
	char text[ENDPOINT_STRLEN];

	return json_string(endpoint_format(ep, text, sizeof(text)));
}

static void packet_put(json_t *o, const struct control *c, const struct explain *x)
{
	json_t *p = packet_shown(x->in, x->in_caplen, x->in_len, 0);

	json_object_set_new(p, "port", json_string(control_port_name(c, x->arrived)));
	if (x->parsed)
		json_object_set_new(p, "link", link_json(c, x->link));
	if (x->steered)
		json_object_set_new(p, "direction", json_string(x->dir == DIR_IN ? "in" : "out"));
	json_object_set_new(o, "packet", p);
}

static void match_put(json_t *o, const struct explain *x)
{
	if (x->mark_rule)
		json_object_set_new(o, "mark",
				    json_pack("{s:I, s:I}", "mark", (json_int_t)x->mark, "rule",
					      (json_int_t)x->mark_rule));
	if (!x->matched)
		return;
	json_object_set_new(o, "service",
			    json_pack("{s:s, s:s}", "service", x->service, "by",
				      x->exact	? "listener"
				      : x->mark ? "mark"
						: "port 0, or FTP data"));
}

static json_t *view_json(const struct conn_view *v)
{
	return json_pack("{s:o, s:o, s:o, s:s, s:s, s:I, s:I}", "client", endpoint_json(&v->client),
			 "virtual", endpoint_json(&v->virtual), "server", endpoint_json(&v->server),
			 "state", conn_view_state(v), "method", forward_name(v->method),
			 "expires_s", (json_int_t)v->expires_s, "idle_s", (json_int_t)v->idle_s);
}

static void connection_put(json_t *o, const struct explain *x)
{
	json_t *conn;

	if (!x->found && !x->made)
		return;
	conn = view_json(x->after.proto ? &x->after : &x->before);
	json_object_set_new(conn, "found", json_boolean(x->found));
	json_object_set_new(conn, "made", json_boolean(x->made));
	if (x->after.proto && x->after.local.port)
		json_object_set_new(conn, "local", endpoint_json(&x->after.local));
	if (x->after.proto && x->after.proxy)
		json_object_set_new(conn, "client_address",
				    json_pack("{s:s, s:s, s:i}", "by",
					      client_address_names[x->after.proxy & PROXY_VERSION],
					      "header", conn_view_header(&x->after), "bytes",
					      (int)x->after.proxy_len));
	if (x->found)
		json_object_set_new(conn, "state_before", json_string(conn_view_state(&x->before)));
	json_object_set_new(o, "connection", conn);
}

static void template_put(json_t *o, const struct explain *x)
{
	json_t *t;

	if (!x->matched || !x->persist_s)
		return;
	t = json_pack("{s:b, s:i, s:I}", "found", x->template_found, "home", (int)x->home,
		      "timeout_s", (json_int_t)x->persist_s);
	if (x->template_found)
		json_object_set_new(t, "server", endpoint_json(&x->template_server));
	json_object_set_new(o, "template", t);
}

static json_t *server_json(const struct explain_server *s)
{
	const char *why_not = s->down	       ? "down"
			      : s->weight == 0 ? "weight 0"
			      : s->overloaded  ? "at its upper threshold"
					       : NULL;

	return json_pack("{s:o, s:I, s:I, s:I, s:I, s:s?}", "server", endpoint_json(&s->ep),
			 "weight", (json_int_t)s->weight, "active",
			 (json_int_t)counts_active(s->counts), "inactive",
			 (json_int_t)counts_inactive(s->counts), "load",
			 (json_int_t)load_of(s->counts), "not_chosen", why_not);
}

static void scheduler_put(json_t *o, const struct explain *x)
{
	json_t *servers, *sched;

	if (!x->scheduled)
		return;
	servers = json_array();
	for (uint32_t i = 0; i < x->n_servers; i++)
		json_array_append_new(servers, server_json(&x->servers[i]));
	sched = json_pack("{s:s, s:o, s:I, s:I}", "name", x->scheduler, "servers", servers,
			  "cursor", (json_int_t)(x->cursor_before >> SCHED_CURSOR_GEN_BITS),
			  "cursor_after", (json_int_t)(x->cursor_after >> SCHED_CURSOR_GEN_BITS));
	json_object_set_new(sched, "choice",
			    x->choice >= 0 && (uint32_t)x->choice < x->n_servers
				    ? endpoint_json(&x->servers[x->choice].ep)
				    : json_null());
	json_object_set_new(o, "scheduler", sched);
}

static void nexthop_put(json_t *o, const struct control *c, const struct explain *x)
{
	static const char *const states[] = {"incomplete", "reachable", "failed"};
	const struct explain_leg *last = explain_last(x);
	char addr[ADDR_STRLEN], mac[MAC_STRLEN];
	struct mac m;

	if (x->resolved) {
		memcpy(&m, x->nh.l2, sizeof(m));
		json_object_set_new(o, "nexthop",
				    json_pack("{s:s, s:s, s:o, s:s, s:s}", "address",
					      addr_format(&x->nh.addr, addr, sizeof(addr)), "mac",
					      mac_format(&m, mac, sizeof(mac)), "link",
					      link_json(c, x->nh.link), "port",
					      control_port_name(c, x->nh.port), "state",
					      states[x->nh.state % 3]));
		json_object_set_new(o, "size",
				    json_pack("{s:i, s:i, s:b}", "length", (int)x->l3_len, "mtu",
					      (int)x->mtu, "fits", x->l3_len <= x->mtu));
	} else if (last && last->door == EXPLAIN_PARKED && x->wanted.family != ADDR_NONE) {
		json_object_set_new(o, "nexthop",
				    json_pack("{s:s, s:o, s:s}", "address",
					      addr_format(&x->wanted, addr, sizeof(addr)), "link",
					      link_json(c, x->wanted_link), "state", "unresolved"));
	}
}

static void outs_put(json_t *o, const struct control *c, const struct explain *x)
{
	json_t *sent = json_array(), *told = json_array();

	for (uint32_t i = 0; i < x->n_out; i++) {
		const struct explain_out *out = &x->out[i];
		json_t *p = packet_shown(out->head, out->caplen, out->len, 0);

		json_object_set_new(p, "port", json_string(control_port_name(c, out->port)));
		json_array_append_new(out->told ? told : sent, p);
	}
	json_object_set_new(o, "sent", sent);
	json_object_set_new(o, "told", told);
	if (x->n_out)
		json_object_set_new(o, "sent_by_worker", json_integer(x->tx_worker));
}

static void verdict_put(json_t *o, const struct explain *x)
{
	const struct explain_leg *leg = explain_last(x);
	const char *word = NULL, *help = NULL;

	if (!leg)
		return;
	if (leg->door == EXPLAIN_DROPPED) {
		word = drop_names[leg->reason];
		help = drop_helps[leg->reason];
	} else if (leg->door == EXPLAIN_PUNTED) {
		word = punt_names[leg->reason];
		help = punt_helps[leg->reason];
	}
	json_object_set_new(o, "verdict",
			    json_pack("{s:s, s:s, s:s?, s:s?, s:i}", "door",
				      explain_door_names[leg->door], "stage",
				      explain_stage_names[leg->stage], "reason", word, "help", help,
				      "worker", (int)leg->worker));
}

static json_t *legs_json(const struct explain *x)
{
	json_t *legs = json_array();

	for (uint32_t i = 0; i < x->n_legs; i++) {
		const struct explain_leg *leg = &x->leg[i];
		json_t *l = json_pack("{s:i, s:s, s:s}", "worker", (int)leg->worker, "stage",
				      explain_stage_names[leg->stage], "door",
				      explain_door_names[leg->door]);

		if (leg->door == EXPLAIN_HANDED_OFF)
			json_object_set_new(l, "to", json_integer(leg->to));
		json_array_append_new(legs, l);
	}
	return legs;
}

json_t *explain_json(const struct control *c, const struct explain *x)
{
	json_t *o = json_object();

	packet_put(o, c, x);
	match_put(o, x);
	connection_put(o, x);
	template_put(o, x);
	scheduler_put(o, x);
	if (x->steered)
		json_object_set_new(o, "owner", json_integer(x->owner));
	nexthop_put(o, c, x);
	outs_put(o, c, x);
	json_object_set_new(o, "workers", legs_json(x));
	verdict_put(o, x);
	return o;
}
