/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_START_READERS_H
#define PLVS_TESTS_START_READERS_H

/*
 * Values that the start of a router takes from `node`, as text: the structs that the code of
 * src/router makes for data plane, link side, ha thread, ledger and announcements, the arguments of
 * EAL, and what a control thread that starts gives to its sockets, its programs and its servers.
 * The configuration and its schema are not asked. While start_log is set, the functions that would
 * touch the host are recorded and not carried out (-Wl,--wrap).
 *
 * A test program includes this file once, after readers.h.
 */

#include <rte_eal.h>
#include <rte_pdump.h>

#include "base/netns.h"
#include "control/fleet_keys.h"
#include "control/pair.h"
#include "dataplane/port.h"
#include "metrics/metrics.h"
#include "metrics/object_view.h"
#include "router/announcing.h"
#include "router/cpus_awake.h"
#include "router/eal_start.h"
#include "router/kept_connections.h"
#include "router/setup.h"
#include "rpc/listen_tcp.h"
#include "spawn/notify.h"
#include "spawn/spawner.h"

static FILE *start_log; /* written under told_lock */

#define START_LOG(...)                                                                             \
	do {                                                                                       \
		pthread_mutex_lock(&told_lock);                                                    \
		fprintf(start_log, __VA_ARGS__);                                                   \
		pthread_mutex_unlock(&told_lock);                                                  \
	} while (0)

static inline const char *or_dash(const char *text)
{
	return text ? text : "-";
}

/* ---- EAL ---- */

int __real_rte_eal_init(int argc, char **argv);
int __wrap_rte_eal_init(int argc, char **argv);
int __wrap_rte_eal_init(int argc, char **argv)
{
	if (!start_log)
		return __real_rte_eal_init(argc, argv);
	for (int i = 1; i < argc; i++) {
		START_LOG("EAL argument %d: %s\n", i, argv[i]);
		free(argv[i]); /* of node.eal: EAL would keep it */
	}
	return 0;
}

int __wrap_rte_pdump_init(void);
int __wrap_rte_pdump_init(void)
{
	return 0;
}

/* ---- ports and the link side: there is no device ---- */

void __wrap_port_link_look(struct port *p);
void __wrap_port_link_look(struct port *p)
{
	(void)p;
}

bool __wrap_port_link_up(const struct port *p);
bool __wrap_port_link_up(const struct port *p)
{
	(void)p;
	return true;
}

void __wrap_port_kernel_if(const struct port *p, char *buf, size_t len);
void __wrap_port_kernel_if(const struct port *p, char *buf, size_t len)
{
	(void)p;
	(void)len;
	buf[0] = '\0';
}

int link_set_active(struct link *l, bool active)
{
	(void)l;
	(void)active;
	return 0;
}

void link_poke(struct link *l)
{
	(void)l;
}

const struct link_counters *link_counters(const struct link *l)
{
	(void)l;
	return NULL;
}

bool link_is_realtime(const struct link *l)
{
	(void)l;
	return false;
}

int __wrap_vip_routes_clear(uint32_t table, const char *netns, char error[ERROR_TEXT]);
int __wrap_vip_routes_clear(uint32_t table, const char *netns, char error[ERROR_TEXT])
{
	(void)table;
	(void)netns;
	(void)error;
	return 0;
}

/* ---- sockets ---- */

int __real_rpc_server_create(struct event_base *base, const struct rpc_options *o,
			     struct rpc_server **out, char error[ERROR_TEXT]);
int __wrap_rpc_server_create(struct event_base *base, const struct rpc_options *o,
			     struct rpc_server **out, char error[ERROR_TEXT]);
int __wrap_rpc_server_create(struct event_base *base, const struct rpc_options *o,
			     struct rpc_server **out, char error[ERROR_TEXT])
{
	if (!start_log)
		return __real_rpc_server_create(base, o, out, error);
	*out = NULL;
	START_LOG("control socket %s mode %o owner %d %u %u level %u named %d\n", or_dash(o->path),
		  o->mode, o->chown, o->uid, o->gid, o->level, o->named);
	return 0;
}

void __real_metrics_start(const struct metrics_options *o, struct metrics **out);
void __wrap_metrics_start(const struct metrics_options *o, struct metrics **out);
void __wrap_metrics_start(const struct metrics_options *o, struct metrics **out)
{
	char text[ENDPOINT_STRLEN];

	if (!start_log) {
		__real_metrics_start(o, out);
		return;
	}
	*out = NULL;
	START_LOG("metrics at %s %s\n", endpoint_format(&o->listen, text, sizeof(text)),
		  or_dash(o->path));
}

int __real_listen_tcp(const struct endpoint *ep, int backlog, int *out, char error[ERROR_TEXT]);
int __wrap_listen_tcp(const struct endpoint *ep, int backlog, int *out, char error[ERROR_TEXT]);
int __wrap_listen_tcp(const struct endpoint *ep, int backlog, int *out, char error[ERROR_TEXT])
{
	char text[ENDPOINT_STRLEN];

	if (!start_log)
		return __real_listen_tcp(ep, backlog, out, error);
	START_LOG("listens at %s\n", endpoint_format(ep, text, sizeof(text)));
	return error_text(error, -EADDRNOTAVAIL, "not in a test");
}

int __real_fleet_keys_create(const char *path, struct fleet_keys **out, char error[ERROR_TEXT]);
int __wrap_fleet_keys_create(const char *path, struct fleet_keys **out, char error[ERROR_TEXT]);
int __wrap_fleet_keys_create(const char *path, struct fleet_keys **out, char error[ERROR_TEXT])
{
	if (!start_log)
		return __real_fleet_keys_create(path, out, error);
	START_LOG("keys of %s\n", path);
	*out = NULL;
	return 0;
}

/* ---- namespaces ---- */

int __real_netns_enter(const char *netns, char error[ERROR_TEXT]);
int __wrap_netns_enter(const char *netns, char error[ERROR_TEXT]);
int __wrap_netns_enter(const char *netns, char error[ERROR_TEXT])
{
	if (!start_log)
		return __real_netns_enter(netns, error);
	START_LOG("control enters %s\n", or_dash(netns));
	return 0;
}

int __real_netns_visit(const char *netns, int *home, char error[ERROR_TEXT]);
int __wrap_netns_visit(const char *netns, int *home, char error[ERROR_TEXT]);
int __wrap_netns_visit(const char *netns, int *home, char error[ERROR_TEXT])
{
	if (!start_log)
		return __real_netns_visit(netns, home, error);
	*home = -1;
	START_LOG("visits %s\n", or_dash(netns));
	return 0;
}

/* ---- programs ---- */

int __wrap_spawner_take_fd(struct spawner *s, uint32_t client);
int __wrap_spawner_take_fd(struct spawner *s, uint32_t client)
{
	(void)s;
	(void)client;
	return 1000000; /* no descriptor: goes to spawn_client_create() alone */
}

static uint32_t no_client; /* its address stands for every client */

int __wrap_spawn_client_create(struct event_base *base, int line, struct spawn_client **out);
int __wrap_spawn_client_create(struct event_base *base, int line, struct spawn_client **out)
{
	(void)base;
	(void)line;
	*out = (struct spawn_client *)&no_client;
	return 0;
}

void __wrap_spawn_client_destroy(struct spawn_client *c);
void __wrap_spawn_client_destroy(struct spawn_client *c)
{
	(void)c;
}

int __wrap_spawn_client_set_netns(struct spawn_client *c, const char *netns);
int __wrap_spawn_client_set_netns(struct spawn_client *c, const char *netns)
{
	(void)c;
	if (start_log)
		START_LOG("programs run in %s\n", or_dash(netns));
	return 0;
}

/* The telnet server alone is started with an input. */
int __wrap_spawn_run(struct spawn_client *c, const struct spawn_request *r, spawn_done *done,
		     void *arg, uint64_t *id);
int __wrap_spawn_run(struct spawn_client *c, const struct spawn_request *r, spawn_done *done,
		     void *arg, uint64_t *id)
{
	(void)c;
	(void)done;
	(void)arg;
	if (id)
		*id = 1;
	if (start_log && r->input_len)
		START_LOG("runs %s as %s with %.*s\n", r->argv[0], or_dash(r->user),
			  (int)r->input_len, (const char *)r->input);
	return start_log ? 0 : -EPIPE;
}

void __wrap_spawn_cancel(struct spawn_client *c, uint64_t id);
void __wrap_spawn_cancel(struct spawn_client *c, uint64_t id)
{
	(void)c;
	(void)id;
}

int __wrap_notify_create(struct event_base *base, struct spawn_client *client, const char *area,
			 const struct notify_config *config, struct notify **out);
int __wrap_notify_create(struct event_base *base, struct spawn_client *client, const char *area,
			 const struct notify_config *config, struct notify **out)
{
	(void)base;
	(void)client;
	*out = NULL;
	START_LOG("tells of %s as %s for %u ms:", area, or_dash(config->user),
		  config->time_limit_ms);
	for (size_t i = 0; config->argv[i]; i++)
		START_LOG(" '%s'", config->argv[i]);
	START_LOG("\n");
	return 0;
}

int __real_health_create(const struct health_options *options, struct health **out);
int __wrap_health_create(const struct health_options *options, struct health **out);
int __wrap_health_create(const struct health_options *options, struct health **out)
{
	if (start_log)
		START_LOG("checks run as %s\n", or_dash(options->program_user));
	return __real_health_create(options, out);
}

/* ---- as text ---- */

static inline void dataplane_text(FILE *out, const struct config *config)
{
	static struct dataplane_config dc;

	setup_dataplane(config, &dc);
	fprintf(out, "data plane");
	HEX(out, dc);
	fprintf(out, "\n");
}

static inline void linux_text(FILE *out, const struct link_linux *l)
{
	hex(out, "addresses", l->addrs, l->n_addrs * sizeof(*l->addrs));
	hex(out, "routes", l->routes, l->n_routes * sizeof(*l->routes));
}

static inline void setup_link_text(FILE *out, const struct config *config)
{
	static struct check_ports check_ports;
	static struct dataplane dp;
	struct link_config lc;

	dp.n_ports = (uint16_t)config->node.n_ports;
	dp.check_ports = &check_ports;
	assert_int_equal(setup_link(config, &dp, &lc), 0);
	fprintf(out, "link side in '%s' inactive %d realtime %d\n", lc.netns, lc.inactive,
		lc.realtime);
	for (uint16_t i = 0; i < lc.n_ports; i++) {
		const struct link_port_config *p = &lc.ports[i];

		fprintf(out, "link %u of %s is %s loose %d", i, p->name, p->tap, p->loose);
		linux_text(out, &p->linux_side);
		for (uint32_t v = 0; v < p->n_vlans; v++) {
			fprintf(out, " VLAN %u loose %d", p->vlans[v].id, p->vlans[v].loose);
			linux_text(out, &p->vlans[v].linux_side);
		}
		fprintf(out, "\n");
	}
	for (uint32_t i = 0; i < lc.n_addresses; i++) {
		fprintf(out, "left over");
		HEX(out, lc.addresses[i].addr);
		fprintf(out, " %u %u %u\n", lc.addresses[i].len, lc.addresses[i].kind,
			lc.addresses[i].link);
	}
	setup_link_fini(&lc);
}

static inline void ha_start_text(FILE *out, struct config *config)
{
	static struct ha_config given;
	static struct told t;
	struct punt_rules rules;

	pair_config(config, &given);
	(void)__wrap_ha_configure((struct ha *)&t, &given);
	told_text(out, &t);
	pair_punt_rules(config, &rules);
	fprintf(out, "punted");
	HEX(out, rules);
	fprintf(out, "\n");
}

static inline void kept_text(FILE *out, const struct config *config)
{
	struct kept_connections k;

	assert_int_equal(kept_connections_init(&k, config), 0);
	fprintf(out, "kept in %s, ledger '%s' for %u ms\n", k.state_dir, k.ledger, k.ledger_age_ms);
	kept_connections_fini(&k);
}

/* Of main(), which has no struct for it. */
static inline void main_text(FILE *out, const struct config *config)
{
	fprintf(out, "CPUs awake %d %d\n", cpus_awake_wanted(&config->node, false),
		cpus_awake_wanted(&config->node, true));
}

static inline void announcing_text(FILE *out, const struct config *config)
{
	struct announcing a = {0};
	char error[ERROR_TEXT];

	assert_int_equal(announcing_prepare(&a, &config->node, error), 0);
	fprintf(out, "announces in table %u of '%s', stuck after %u ms, drains for %u ms\n",
		a.config.table, a.config.netns, a.config.stuck_ms, a.drain_ms);
}

static inline void eal_text(const struct config *config)
{
	static char name[] = "plvs", *argv[] = {name, NULL};
	char error[EAL_ERROR_LEN];

	assert_int_equal(eal_start(&config->node, 1, argv, error), 0);
}

/* A control thread starts and ends. The configuration is taken over. */
static inline void control_start_text(FILE *out, struct config *config)
{
	static struct process_texts texts;
	static struct shown_process process;
	struct control_options opt = {.spawner = (struct spawner *)&no_client};
	struct router_parts parts;
	struct bgp_look bgp = {0};
	static struct fixture f;
	static struct told t;
	const struct health *h;
	char error[256] = "";

	memset(&f, 0, sizeof(f));
	opt.pub = &f.pub;
	opt.link = &f.link;
	assert_int_equal(runtime_init(&f.pub.runtime), 0);
	f.pub.grace = (struct grace){grace_start, grace_passed, &f};
	assert_int_equal(control_create(&opt, config, &f.control, error), 0);
	control_set_routes(f.control, (struct vip_routes *)&t, &bgp);
	assert_int_equal(control_start(f.control, error), 0);
	control_parts(f.control, &parts);
	process_view(&parts, &texts, &process);
	START_LOG("is %s\n", texts.build);
	h = checking_health(f.control);
	control_stop(f.control);
	checked_forget(h);
	control_destroy(f.control);
	runtime_fini(&f.pub.runtime);
	(void)out;
}

/* Keys that mean something beside another one only: the other one, unless the document has it. */
static inline json_t *with_others(const json_t *doc)
{
	static const char others[] =
		"{\"control\":{\"read\":{\"socket\":\"/run/plvs/read\"},"
		"\"change\":{\"socket\":\"/run/plvs/change\"}},"
		"\"telnet\":{\"listen\":\"127.0.0.1:2323\",\"user\":\"nobody\"}}";
	json_t *all = json_deep_copy(doc), *more = json_loads(others, 0, NULL), *node;
	struct config *config;

	node = json_object_get(all, "node");
	json_object_update_recursive(more, node);
	json_object_set_new(all, "node", more);
	config = parse_or_null(all);
	if (config) {
		config_destroy(config);
		return all;
	}
	json_decref(all);
	return json_deep_copy(doc);
}

/* To be freed. */
static inline char *start_text(const json_t *doc)
{
	json_t *all = with_others(doc);
	struct config *config = parse_or_null(all);
	char *text;
	size_t size;

	json_decref(all);
	assert_non_null(config);
	start_log = open_memstream(&text, &size);
	dataplane_text(start_log, config);
	setup_link_text(start_log, config);
	ha_start_text(start_log, config);
	kept_text(start_log, config);
	announcing_text(start_log, config);
	main_text(start_log, config);
	allowed_text(start_log, config, config);
	eal_text(config);
	control_start_text(start_log, config);
	fclose(start_log);
	start_log = NULL;
	return sorted(text);
}

#endif
