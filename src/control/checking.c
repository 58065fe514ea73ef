/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/checking.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "publish/builder.h"
#include "control/control_internal.h"
#include "ha/ha.h"
#include "spawn/notify.h"
#include "spawn/spawner.h"

#define AREA	  "health"
#define PEER_MS	  200 /* many verdicts are one piece of news for the peer */
#define HEALTH_ID 64

struct checking {
	struct health *health;
	struct spawn_client *programs, *notifiers; /* or NULL */
	struct notify *notify;			   /* or NULL */
	struct event *peer_ev;
	uint64_t verdict_us; /* the first that is not published; 0 = none */
	struct verdict_counters counters;
	char program_user[32]; /* "": none is configured */
};

struct health *checking_health(const struct control *c)
{
	return c->checking ? c->checking->health : NULL;
}

void checking_counters(const struct control *c, struct verdict_counters *out)
{
	*out = c->checking ? c->checking->counters : (struct verdict_counters){0};
}

/* ---- effects ---- */

struct effect_of {
	const struct health *health;
	const char *key;
};

static struct health_effect effect(void *arg, const struct endpoint *server, uint32_t weight)
{
	const struct effect_of *e = arg;

	return health_effect(e->health, e->key, server, weight);
}

static void put_effects(struct control *c, const char *key)
{
	const struct service_rt *rt = runtime_service_find(&c->pub->runtime, key);
	struct effect_of e = {c->checking->health, key};

	int ret = rt ? builder_effects(&c->publisher, rt->id, effect, &e) : 0;

	c->checking->counters.rebuilds += ret > 0;
	if (ret < 0)
		log_error(AREA, "no memory: service %s keeps its servers", key);
}

static void peer_soon(struct control *c)
{
	static const struct timeval soon = {.tv_usec = PEER_MS * 1000};

	if (c->ha && !evtimer_pending(c->checking->peer_ev, NULL))
		evtimer_add(c->checking->peer_ev, &soon);
}

static void on_peer(evutil_socket_t fd, short what, void *arg)
{
	struct control *c = arg;
	const struct health *h = c->checking->health;
	struct ha_verdicts v;

	(void)fd;
	(void)what;
	/* A peer compares the digest. A router without one is spared the look at all servers. */
	if (c->boot->node.ha.n_paths)
		health_digest(h, v.digest);
	else
		memset(v.digest, 0, sizeof(v.digest));
	v.complete = health_count(h, &v.servers, &v.up);
	(void)ha_set_verdicts(c->ha, &v);
}

static void on_changed(void *arg, const char *key)
{
	struct control *c = arg;

	if (!c->checking->verdict_us)
		c->checking->verdict_us = clock_us();
	put_effects(c, key);
	fleet_changed(&c->fleet);
}

void checking_published(struct control *c)
{
	struct checking *w = c->checking;
	uint64_t us;

	if (!w || !w->verdict_us)
		return;
	us = clock_us() - w->verdict_us;
	w->verdict_us = 0;
	w->counters.swaps++;
	w->counters.swap_last_us = us;
	if (us > w->counters.swap_max_us)
		w->counters.swap_max_us = us;
}

/* ---- the active router ---- */

static void run_active(struct control *c, struct control_note *note)
{
	if (c->checking)
		health_takeover(c->checking->health);
	free(note);
}

static void drop_note(struct control_note *note)
{
	free(note);
}

void control_active(struct control *c)
{
	struct control_note *note = calloc(1, sizeof(*note));

	if (!note) /* checks go on at their own pace */
		return;
	note->run = run_active;
	note->drop = drop_note;
	control_post(c, note);
}

/* ---- edges ---- */

static void tell_program(struct control *c, const char *key, const char *server,
			 const struct health_view *v)
{
	char object[NOTIFY_MAX_OBJECT];
	char *text;
	json_t *o;

	o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:I, s:I}", "event", "health", "router",
		      c->boot->node.name, "service", key, "server", server, "state",
		      health_state_names[v->state], "admin", health_admin_names[v->admin], "chosen",
		      !v->effect.down, "weight", (json_int_t)v->effect.weight, "at_ms",
		      (json_int_t)v->since_ms);
	if (o)
		json_object_set_new(o, "reason", json_string(v->reason));
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	snprintf(object, sizeof(object), "%s of %s", server, key);
	if (text)
		(void)notify_send(c->checking->notify, object, text);
	free(text);
}

/* The event that event.follow shows. */
static void edge_tell(struct control *c, const char *key, const char *server,
		      const struct health_view *v)
{
	char text[CHECK_REASON_LEN + 320];
	const char *state = v->admin != HEALTH_ADMIN_NONE ? health_admin_names[v->admin]
							  : health_state_names[v->state];

	snprintf(text, sizeof(text), "%s of %s is %s%s: %s", server, key, state,
		 v->admin != HEALTH_ADMIN_NONE ? ", forced" : "", v->reason);
	event_tell(c, EVENT_HEALTH,
		   json_pack("{s:s, s:s, s:s, s:s, s:b, s:I}", "service", key, "server", server,
			     "state", health_state_names[v->state], "admin",
			     health_admin_names[v->admin], "chosen", !v->effect.down, "weight",
			     (json_int_t)v->effect.weight),
		   text);
}

static void on_edge(void *arg, const char *key, const struct endpoint *server)
{
	struct control *c = arg;
	char text[ENDPOINT_STRLEN];
	struct health_view v;
	bool first;

	peer_soon(c);
	if (health_get(c->checking->health, key, server, &v) < 0)
		return;
	endpoint_format(server, text, sizeof(text));
	edge_tell(c, key, text, &v);
	/* The program is not run for a server whose first verdict is `up`: a start with thousands
	 * of servers would fill the queue. */
	first = v.n_history == 1 && v.state == HEALTH_UP && v.admin == HEALTH_ADMIN_NONE;
	if (c->checking->notify && !first)
		tell_program(c, key, text, &v);
}

static void quorum_sentence(const struct health_service_view *v, char *buf, size_t len)
{
	const char *what = v->n_sorry_up ? "sorry servers take over"
			   : v->n_up	 ? "those that are up go on"
			   : v->holds	 ? "those that were up last go on"
					 : "new connections are refused";

	if (v->lost)
		snprintf(buf, len,
			 "%u of %u servers are up, which counts %llu of the %llu needed: %s",
			 v->n_up, v->n_servers - v->n_sorry, (unsigned long long)v->has,
			 (unsigned long long)v->needed, what);
	else
		snprintf(buf, len, "%u of %u servers are up", v->n_up, v->n_servers - v->n_sorry);
}

static void on_quorum(void *arg, const char *key)
{
	struct control *c = arg;
	struct health_service_view v;
	char reason[160], said[400], object[NOTIFY_MAX_OBJECT], *text;
	json_t *o;

	fleet_changed(&c->fleet);
	if (health_get_service(c->checking->health, key, &v) < 0)
		return;
	quorum_sentence(&v, reason, sizeof(reason));
	if (v.lost)
		log_warning(AREA, "%s: the quorum is lost: %s", key, reason);
	else
		log_notice(AREA, "%s: the quorum is held again: %s", key, reason);
	snprintf(said, sizeof(said), "%s: the quorum is %s: %s", key,
		 v.lost ? "lost" : "held again", reason);
	event_tell(c, EVENT_HEALTH,
		   json_pack("{s:s, s:s}", "service", key, "quorum", v.lost ? "lost" : "held"),
		   said);
	if (!c->checking->notify)
		return;
	o = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:s}", "event", "quorum",
		      "router", c->boot->node.name, "service", key, "quorum",
		      v.lost ? "lost" : "held", "servers", (json_int_t)(v.n_servers - v.n_sorry),
		      "up", (json_int_t)v.n_up, "has", (json_int_t)v.has, "needed",
		      (json_int_t)v.needed, "at_ms", (json_int_t)clock_wall_ms(), "reason", reason);
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	snprintf(object, sizeof(object), "quorum of %s", key);
	if (text)
		(void)notify_send(c->checking->notify, object, text);
	free(text);
}

/* ---- checked servers ---- */

static int set_service(struct control *c, const struct config *config,
		       const struct config_service *svc, const char *key)
{
	const struct endpoint none = {0};
	struct health_server *servers = calloc(svc->n_servers + 1, sizeof(*servers));
	const struct check_spec **specs =
		calloc((size_t)svc->n_servers * (CONFIG_SERVER_CHECKS + 1) + 1,
		       sizeof(const struct check_spec *));
	int ret = -ENOMEM;

	for (uint32_t i = 0; servers && specs && i < svc->n_servers; i++) {
		const struct config_server *s = &svc->servers[i];
		const struct check_spec **of = specs + (size_t)i * (CONFIG_SERVER_CHECKS + 1);
		uint8_t n = 0;

		for (uint8_t k = 0; k < s->check.n; k++) {
			of[n] = config_check_find(config, s->check.names[k]);
			n += of[n] != NULL;
		}
		servers[i] = (struct health_server){.ep = s->ep,
						    .weight = s->weight,
						    .method = s->forward,
						    .sorry = s->sorry,
						    .consequence = s->consequence,
						    .checks = of};
	}
	if (servers && specs)
		ret = health_set_service(c->checking->health, key,
					 svc->n_listen ? &svc->listen[0] : &none,
					 &svc->policy.health, servers, svc->n_servers);
	free(servers);
	free(specs);
	return ret;
}

static void check(struct control *c, const struct config *config, const struct config_service *svc)
{
	char key[CONFIG_KEY_STRLEN];

	config_service_key(svc, key, sizeof(key));
	if (set_service(c, config, svc, key) < 0)
		log_error(AREA, "no memory: service %s is checked as before", key);
	put_effects(c, key);
}

static void uncheck(struct control *c, const struct config_service *svc)
{
	char key[CONFIG_KEY_STRLEN];

	health_del_service(c->checking->health, config_service_key(svc, key, sizeof(key)));
}

void checking_change(struct control *c, const struct config_change *ch, const struct config *after)
{
	const struct config_service *was = ch->before.service, *svc = ch->after.service;

	if (!c->checking || ch->kind != OBJECT_SERVICE ||
	    !(ch->how & (CHANGE_VALUE | CHANGE_CHECK)))
		return;
	if (was && !(svc && config_service_same_key(was, svc)))
		uncheck(c, was);
	if (svc)
		check(c, after, svc);
	peer_soon(c);
	fleet_changed(&c->fleet);
}

bool checking_step(struct control *c, struct checking_run *run, uint64_t end_us)
{
	do {
		if (run->n_done >= run->plan->n)
			return false;
		checking_change(c, &run->plan->v[run->n_done++], run->plan->after);
	} while (clock_us() < end_us);
	return true;
}

bool checking_restore(struct control *c, struct checking_run *run, uint64_t end_us)
{
	const struct config_shared *shared = &c->config->shared;
	char key[CONFIG_KEY_STRLEN];

	if (!c->checking)
		return false;
	do {
		if (run->n_done >= shared->n_services)
			return false;
		put_effects(c,
			    config_service_key(shared->services[run->n_done++], key, sizeof(key)));
	} while (clock_us() < end_us);
	return true;
}

/* ---- life ---- */

static void start_programs(struct control *c, struct spawner *spawner)
{
	const struct config_notify *n = &c->boot->node.notify;
	struct checking *w = c->checking;
	struct notify_config config = {.user = n->user, .time_limit_ms = n->timeout_ms};
	int fd = spawner ? spawner_take_fd(spawner, SPAWN_FOR_HEALTH) : -1;
	const char **argv = calloc(n->n_health + 1, sizeof(char *));

	if (fd >= 0 && spawn_client_create(c->base, fd, &w->programs) == 0)
		(void)spawn_client_set_netns(w->programs, c->boot->node.netns);
	fd = spawner && n->n_health ? spawner_take_fd(spawner, SPAWN_FOR_NOTIFY) : -1;
	if (fd >= 0 && spawn_client_create(c->base, fd, &w->notifiers) == 0)
		(void)spawn_client_set_netns(w->notifiers, c->boot->node.netns);
	for (uint32_t i = 0; argv && i < n->n_health; i++)
		argv[i] = n->health[i];
	config.argv = argv;
	if (w->notifiers && argv && notify_create(c->base, w->notifiers, AREA, &config, &w->notify))
		log_error(AREA, "the notify program cannot be used");
	free(argv);
}

/* For passive checks: what workers counted of this server's answers to SYNs. */
static void on_traffic(void *arg, const char *service_key, const struct endpoint *server,
		       struct passive_counters *out)
{
	const struct control *c = arg;
	struct service_rt *svc = runtime_service_find(&c->pub->runtime, service_key);
	const struct server_rt *srv =
		svc ? runtime_server_find(&c->pub->runtime, svc, server) : NULL;

	memset(out, 0, sizeof(*out));
	if (srv)
		dataplane_passive_counters(c->dp, srv->id, out);
}

int checking_start(struct control *c, struct spawner *spawner)
{
	struct health_options options = {.base = c->base,
					 .specs = &config_spec_ops,
					 .changed = on_changed,
					 .edge = on_edge,
					 .quorum = on_quorum,
					 .arg = c};
	struct config_plan *plan = NULL;
	struct checking_run run = {0};

	c->checking = calloc(1, sizeof(*c->checking));
	if (!c->checking)
		return -ENOMEM;
	start_programs(c, spawner);
	options.spawn = c->checking->programs;
	/* A copy: the configuration is replaced by others, and this takes effect with a restart. */
	if (c->config->node.programs.user)
		snprintf(c->checking->program_user, sizeof(c->checking->program_user), "%s",
			 c->config->node.programs.user);
	if (c->checking->program_user[0])
		options.program_user = c->checking->program_user;
	if (c->dp) {
		options.ports = c->dp->check_ports;
		options.traffic = on_traffic;
	}
	c->checking->peer_ev = evtimer_new(c->base, on_peer, c);
	if (!c->checking->peer_ev || config_plan(NULL, c->config, &plan) < 0 ||
	    health_create(&options, &c->checking->health) < 0) {
		config_plan_destroy(plan);
		checking_stop(c);
		return -ENOMEM;
	}
	run.plan = plan;
	(void)checking_step(c, &run, UINT64_MAX);
	config_plan_destroy(plan);
	peer_soon(c);
	return 0;
}

void checking_stop(struct control *c)
{
	struct checking *w = c->checking;

	if (!w)
		return;
	health_destroy(w->health);
	notify_destroy(w->notify);
	spawn_client_destroy(w->programs);
	spawn_client_destroy(w->notifiers);
	if (w->peer_ev)
		event_free(w->peer_ev);
	free(w);
	c->checking = NULL;
}
