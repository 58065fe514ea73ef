/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/fleet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/control_internal.h"
#include "control/fleet_wire.h"
#include "control/checking.h"
#include "spawn/notify.h"
#include "spawn/spawner.h"

#define AREA "announce"

/* --- which VIPs --- */

struct vip {
	struct addr addr;
	uint32_t held, lost; /* services */
};

struct vips {
	struct vip *v;
	uint32_t n;
};

static int vip_cmp(const void *a, const void *b)
{
	const struct vip *x = a, *y = b;

	return memcmp(&x->addr, &y->addr, sizeof(x->addr));
}

/* An entry for each VIP. */
static void vips_merge(struct vips *l)
{
	uint32_t k = 0;

	if (l->n == 0)
		return;
	qsort(l->v, l->n, sizeof(*l->v), vip_cmp);
	for (uint32_t i = 1; i < l->n; i++) {
		if (!addr_equal(&l->v[i].addr, &l->v[k].addr)) {
			l->v[++k] = l->v[i];
			continue;
		}
		l->v[k].held += l->v[i].held;
		l->v[k].lost += l->v[i].lost;
	}
	l->n = k + 1;
}

static bool has_quorum(const struct control *c, const struct config_service *svc)
{
	char key[CONFIG_KEY_STRLEN];
	struct health_service_view v;

	return checking_health(c) &&
	       health_get_service(checking_health(c), config_service_key(svc, key, sizeof(key)),
				  &v) == 0 &&
	       v.quorum;
}

/* All VIPs with their services. 0 or -ENOMEM. */
static int vips_collect(const struct control *c, struct vips *out)
{
	const struct config_shared *shared = &c->config->shared;
	size_t most = shared->n_addresses;

	for (uint32_t i = 0; i < shared->n_services; i++)
		most += shared->services[i]->n_listen;
	out->n = 0;
	out->v = calloc(most + 1, sizeof(*out->v));
	if (!out->v)
		return -ENOMEM;
	for (uint32_t i = 0; i < shared->n_addresses; i++)
		if (shared->addresses[i].kind == CONFIG_ADDRESS_VIP)
			out->v[out->n++].addr = shared->addresses[i].address.addr;
	for (uint32_t i = 0; i < shared->n_services; i++) {
		const struct config_service *svc = shared->services[i];
		const bool held = svc->claim && svc->n_listen && has_quorum(c, svc);

		for (uint32_t k = 0; svc->claim && k < svc->n_listen; k++)
			out->v[out->n++] = (struct vip){
				.addr = svc->listen[k].addr, .held = held, .lost = !held};
	}
	vips_merge(out);
	return 0;
}

static bool is_announced(const struct vip *v, uint8_t withdraw)
{
	switch (withdraw) {
	case CONFIG_WITHDRAW_ANY:
		return v->lost == 0;
	case CONFIG_WITHDRAW_ALL:
		return v->lost == 0 || v->held > 0;
	default:
		return true;
	}
}

static uint32_t metric_of(const struct config_announce *a, const struct addr *vip)
{
	for (uint32_t i = 0; i < a->n_vips; i++)
		if (addr_equal(&a->vips[i].address, vip))
			return a->vips[i].metric;
	return a->metric;
}

static int routes_set(struct control *c)
{
	const struct config_node *node = &c->config->node;
	struct vip_route *list;
	struct vips vips;
	uint32_t n = 0;
	int ret = vips_collect(c, &vips);

	if (c->fleet.bgp)
		c->fleet.bgp->port = (uint16_t)node->announce.bgp_port;
	if (ret < 0)
		return ret;
	list = malloc((vips.n + node->n_pool + 1UL) * sizeof(*list));
	for (uint32_t i = 0; list && i < vips.n; i++)
		if (is_announced(&vips.v[i], c->config->shared.ha.withdraw))
			list[n++] = (struct vip_route){
				.addr = vips.v[i].addr,
				.metric = metric_of(&node->announce, &vips.v[i].addr)};
	for (uint32_t i = 0; list && i < node->n_pool; i++)
		list[n++] = (struct vip_route){
			.addr = node->pool[i].address.addr,
			.metric = metric_of(&node->announce, &node->pool[i].address.addr),
			.home = 1};
	ret = list ? vip_routes_set(c->fleet.routes, list, n) : -ENOMEM;
	free(list);
	free(vips.v);
	return ret;
}

static void on_soon(evutil_socket_t fd, short what, void *arg)
{
	struct control *c = arg;

	(void)fd;
	(void)what;
	if (routes_set(c) < 0)
		log_error(AREA, "no memory: the VIPs of before are announced");
}

/* --- what became of it --- */

struct announced {
	struct control_note note;
	bool announced;
	uint32_t n;
	struct vip_route v[];
};

static void program_tell(struct control *c, const char *vip, const struct vip_route *r,
			 bool announced, const char *state)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:b, s:b, s:I, s:s, s:I}", "event", "announce",
			      "router", c->boot->node.name, "vip", vip, "pool", (int)r->home,
			      "announced", (int)announced, "metric", (json_int_t)r->metric, "state",
			      state, "at_ms", (json_int_t)clock_wall_ms());
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	json_decref(o);
	if (text)
		(void)notify_send(c->fleet.notify, vip, text);
	free(text);
}

static void run_announced(struct control *c, struct control_note *note)
{
	struct announced *a = (struct announced *)(void *)note;
	char vip[ADDR_STRLEN], text[ADDR_STRLEN + 64];
	struct vip_routes_status s = {0};

	if (c->fleet.routes)
		vip_routes_status(c->fleet.routes, &s);
	for (uint32_t i = 0; i < a->n; i++) {
		addr_format(&a->v[i].addr, vip, sizeof(vip));
		snprintf(text, sizeof(text), "%s%s is %s, metric %u", a->v[i].home ? "pool: " : "",
			 vip, a->announced ? "announced" : "withdrawn", a->v[i].metric);
		log_notice(AREA, "%s", text);
		event_tell(c, EVENT_ROLE,
			   json_pack("{s:s, s:b}", "vip", vip, "announced", (int)a->announced),
			   text);
		if (c->fleet.notify)
			program_tell(c, vip, &a->v[i], a->announced,
				     vip_routes_state_names[s.state]);
	}
	free(a);
}

static void drop_announced(struct control_note *note)
{
	free(note);
}

void control_announced(struct control *c, const struct vip_route *list, uint32_t n, bool announced)
{
	struct announced *a = malloc(sizeof(*a) + n * sizeof(a->v[0]));

	if (!a)
		return;
	a->note = (struct control_note){.run = run_announced, .drop = drop_announced};
	a->announced = announced;
	a->n = n;
	memcpy(a->v, list, n * sizeof(a->v[0]));
	control_post(c, &a->note);
}

/* --- who exports the routes --- */

static void bgp_tell(struct control *c, enum bgp_state before)
{
	const struct bgp_look *l = c->fleet.bgp;
	const struct config_announce *a = &c->config->node.announce;
	const char *netns = c->boot->node.netns;
	char text[320];

	if (l->state == BGP_MISSING)
		snprintf(text, sizeof(text),
			 "no routing daemon runs: no program%s%.100s has TCP port %u "
			 "(node.announce.bgp_port). The network does not hear of the routes in "
			 "table "
			 "%u: start BIRD or FRR",
			 netns ? " in network namespace " : "", netns ? netns : "", a->bgp_port,
			 a->table);
	else if (l->state == BGP_IDLE)
		snprintf(text, sizeof(text),
			 "the routing daemon runs, and has no BGP connection: the network does not "
			 "hear "
			 "of the routes in table %u",
			 a->table);
	else if (l->state == BGP_UNKNOWN)
		snprintf(text, sizeof(text), "whether a routing daemon runs is not known: %s",
			 a->bgp_port ? strerror(-l->error) : "node.announce.bgp_port is 0");
	else
		snprintf(text, sizeof(text), "BGP connections of the routing daemon: %u",
			 l->sessions);
	if (l->state == BGP_MISSING || l->state == BGP_IDLE)
		log_warning(AREA, "%s", text);
	else
		log_notice(AREA, "%s", text);
	if (l->state != BGP_UNKNOWN && (before != BGP_UNKNOWN || l->state != BGP_CONNECTED))
		event_tell(c, EVENT_ROLE, json_pack("{s:s}", "daemon", bgp_state_names[l->state]),
			   text);
}

static void on_second(evutil_socket_t fd, short what, void *arg)
{
	struct control *c = arg;
	const enum bgp_state before = bgp_look(c->fleet.bgp);

	(void)fd;
	(void)what;
	if (c->fleet.bgp->state != before)
		bgp_tell(c, before);
}

/* --- life --- */

static int bgp_look_start(struct control *c)
{
	static const struct timeval second = {.tv_sec = 1};

	if (!c->fleet.bgp)
		return 0;
	c->fleet.second_ev = event_new(c->base, -1, EV_PERSIST, on_second, c);
	return c->fleet.second_ev && event_add(c->fleet.second_ev, &second) == 0 ? 0 : -ENOMEM;
}

static void programs_start(struct control *c)
{
	const struct config_notify *n = &c->boot->node.notify;
	struct notify_config config = {.user = n->user, .time_limit_ms = n->timeout_ms};
	struct fleet *f = &c->fleet;
	int fd = c->spawner && n->n_announce ? spawner_take_fd(c->spawner, SPAWN_FOR_ANNOUNCE) : -1;
	const char **argv = calloc(n->n_announce + 1, sizeof(char *));

	if (fd >= 0 && spawn_client_create(c->base, fd, &f->programs) == 0)
		(void)spawn_client_set_netns(f->programs, c->boot->node.netns);
	for (uint32_t i = 0; argv && i < n->n_announce; i++)
		argv[i] = n->announce[i];
	config.argv = argv;
	if (f->programs && argv && notify_create(c->base, f->programs, AREA, &config, &f->notify))
		log_error(AREA, "the notify program cannot be used");
	free(argv);
}

int fleet_start(struct control *c)
{
	if (fleet_wire_start(c) < 0)
		return -ENOMEM;
	if (!c->fleet.routes)
		return 0;
	c->fleet.soon_ev = evtimer_new(c->base, on_soon, c);
	if (!c->fleet.soon_ev)
		return -ENOMEM;
	if (bgp_look_start(c) < 0)
		return -ENOMEM;
	programs_start(c);
	return routes_set(c);
}

void fleet_stop(struct control *c)
{
	fleet_wire_stop(c);
	notify_destroy(c->fleet.notify);
	spawn_client_destroy(c->fleet.programs);
	if (c->fleet.soon_ev)
		event_free(c->fleet.soon_ev);
	if (c->fleet.second_ev)
		event_free(c->fleet.second_ev);
	c->fleet.notify = NULL;
	c->fleet.programs = NULL;
	c->fleet.soon_ev = c->fleet.second_ev = NULL;
}

void control_set_routes(struct control *c, struct vip_routes *routes, struct bgp_look *bgp)
{
	c->fleet.routes = routes;
	c->fleet.bgp = bgp;
}
