/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/control.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "publish/builder.h"
#include "control/control_internal.h"
#include "control/pair.h"
#include "control/push.h"
#include "control/health_watch.h"
#include "control/level_sockets.h"
#include "control/telnet_program.h"
#include "metrics/metrics.h"
#include "model/sync_event.h"
#include "sched/sched.h"

/* --- what the publisher asks for --- */

static int make_addrs(void *arg, struct snapshot *draft)
{
	const struct control *c = arg;

	return builder_addrs(c->config, &c->publisher, draft);
}

static int make_listeners(void *arg, struct snapshot *draft)
{
	(void)arg;
	return builder_listeners(draft);
}

static int make_cover(void *arg, struct snapshot *draft)
{
	const struct control *c = arg;

	return builder_cover(c->config, draft);
}

/* Adds an address unless it is there. slots: numbers of elements of v plus 1, by hash. */
static uint32_t want_add(struct link_want *v, uint32_t n, uint32_t *slots, uint32_t mask,
			 const struct addr *a)
{
	uint32_t i = addr_hash(a);

	for (; slots[i & mask]; i++)
		if (addr_equal(&v[slots[i & mask] - 1].addr, a))
			return n;
	v[n++] = (struct link_want){.link = LINK_ANY, .addr = *a};
	slots[i & mask] = n;
	return n;
}

/* All real servers that packets are sent to, each once. */
static int want_servers(const struct control *c, const struct snapshot *live)
{
	uint32_t n = 0, mask = 15, *slots;
	struct link_want *v;
	int ret = -ENOMEM;

	for (uint32_t id = 1; id <= live->max_service_id; id++)
		n += live->services[id] ? live->services[id]->n_servers : 0;
	while (mask < n * 2)
		mask = mask * 2 + 1;
	v = malloc((n + 1) * sizeof(*v));
	slots = calloc(mask + 1, sizeof(*slots));
	n = 0;
	for (uint32_t id = 1; v && slots && id <= live->max_service_id; id++) {
		const struct service *svc = live->services[id];

		for (uint32_t i = 0; svc && i < svc->n_servers; i++)
			if (!forward_has(svc->servers[i].method, FORWARD_ENDS_HERE))
				n = want_add(v, n, slots, mask, &svc->servers[i].addr);
	}
	if (v && slots)
		ret = link_want_nexthops(c->link, v, n);
	free(slots);
	free(v);
	return ret;
}

/* VIPs as the address table has them, gateways with their prefix from the configuration. */
static int tell_addresses(const struct control *c, const struct snapshot *live)
{
	const struct config_shared *shared = &c->config->shared;
	uint32_t n = 0, n_live;
	struct addr_entry *all = snapshot_addrs(live, &n_live);
	struct link_address *v;
	int ret;

	v = all ? calloc(n_live + shared->n_addresses + 1, sizeof(*v)) : NULL;
	for (uint32_t i = 0; v && i < n_live; i++) {
		const struct addr_entry *e = &all[i];

		if ((e->kinds & (ADDR_KIND_VIP | ADDR_KIND_ROUTED)) == ADDR_KIND_VIP)
			v[n++] = (struct link_address){.addr = e->addr,
						       .len = e->addr.family == ADDR_V6 ? 128 : 32,
						       .kind = LINK_ADDRESS_VIP,
						       .active = e->kinds & ADDR_KIND_ACTIVE,
						       .link = e->link};
	}
	free(all);
	if (!v)
		return -ENOMEM;
	for (uint32_t i = 0; i < shared->n_addresses; i++) {
		const struct config_address *a = &shared->addresses[i];

		if (a->kind != CONFIG_ADDRESS_VIP)
			v[n++] = (struct link_address){.addr = a->address.addr,
						       .len = a->address.len,
						       .kind = a->kind == CONFIG_ADDRESS_GATEWAY
								       ? LINK_ADDRESS_GATEWAY
								       : LINK_ADDRESS_PREFIX,
						       .active = true,
						       .link = a->link_id};
	}
	ret = link_set_addresses(c->link, v, n);
	free(v);
	return ret;
}

static void tell_link(void *arg, const struct snapshot *live)
{
	struct control *c = arg;

	pair_addresses(c, live);
	if (!c->link)
		return;
	if (tell_addresses(c, live) < 0 || want_servers(c, live) < 0)
		log_error(CONTROL_AREA, "no memory to tell the link thread of addresses: what "
					"changed there takes effect with the next change");
}

/* The ha thread knows servers by what is pushed here. */
static void identity_push(struct control *c, struct identity_update *u)
{
	if (u)
		identity_feed_push(c->identities, u);
	else if (errno == ENOMEM)
		log_error(CONTROL_AREA, "no memory to tell the ha thread of a service: its "
					"connections are not synchronised until it changes again");
}

static void tell_identities(void *arg, uint32_t id, const struct service *svc)
{
	struct control *c = arg;

	(void)id;
	if (c->identities && svc)
		identity_push(c, identity_update_create(svc));
}

static void on_published(void *arg)
{
	watching_published(arg);
}

/* IPVS has no memory of a service that was deleted. */
static void on_service_return(void *arg, struct service_rt *svc)
{
	struct control *c = arg;

	if (c->config->shared.compat == CONFIG_COMPAT_IPVS)
		traffic_restart(&c->traffic, svc);
}

static void on_server_forget(void *arg, struct service_rt *svc, struct server_rt *srv)
{
	struct control *c = arg;

	traffic_forget(&c->traffic, svc, srv);
	if (c->identities)
		identity_push(c, identity_update_gone(0, srv->id));
	/* Its packets need no direction of their own any more. */
	if (forward_has(srv->method, FORWARD_REPLIES_PASS))
		(void)publisher_touch_addrs(&c->publisher);
}

/* --- life --- */

int control_create(const struct control_options *options, struct config *config,
		   struct control **out, char error[ERROR_TEXT])
{
	struct publisher_tables tables = {.addrs = make_addrs,
					  .listeners = make_listeners,
					  .cover = make_cover,
					  .service = tell_identities,
					  .links = tell_link,
					  .published = on_published};
	struct control *c = calloc(1, sizeof(*c));
	int ret = -ENOMEM;

	error_text(error, 0, "out of memory");
	if (!c) {
		config_destroy(config);
		return -ENOMEM;
	}
	c->config = config;
	c->dp = options->dp;
	c->pub = options->dp ? &options->dp->pub : options->pub;
	c->link = options->link;
	c->identities = options->identities;
	c->spawner = options->spawner;
	c->wake_fd = -1;
	c->started_us = c->applied_us = clock_us();
	TAILQ_INIT(&c->pending);
	TAILQ_INIT(&c->listings.list);
	TAILQ_INIT(&c->pushes);
	pthread_mutex_init(&c->note_lock, NULL);
	if (options->config_path && !(c->config_path = strdup(options->config_path)))
		goto err_destroy;
	if (options->dpdk_version && !(c->dpdk_version = strdup(options->dpdk_version)))
		goto err_destroy;
	c->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	c->boot = control_node_of(config);
	c->restart = json_array();
	if (c->wake_fd < 0 || !c->boot || !c->restart)
		goto err_destroy;
	ret = traffic_init(&c->traffic, c->dp, &c->pub->runtime);
	if (ret < 0)
		goto err_destroy;
	tables.arg = c;
	ret = publisher_init(&c->publisher, c->pub, &tables);
	if (ret < 0)
		goto err_destroy;
	c->pub->runtime.on_server_forget = on_server_forget;
	c->pub->runtime.on_service_return = on_service_return;
	c->pub->runtime.on_forget_arg = c;
	ret = builder_config(&c->publisher, config, error);
	if (ret < 0)
		goto err_destroy;
	ret = publisher_flush(&c->publisher);
	if (ret == 0)
		ret = versions_init(c, options->state_dir);
	if (ret < 0)
		goto err_destroy;
	*out = c;
	return 0;

err_destroy:
	control_destroy(c);
	return ret;
}

void control_destroy(struct control *c)
{
	if (!c)
		return;
	control_notes_drop(c);
	pending_free(c);
	pushes_free(c);
	versions_fini(c);
	publisher_fini(&c->publisher);
	if (c->pub) {
		c->pub->runtime.on_server_forget = NULL;
		c->pub->runtime.on_service_return = NULL;
		c->pub->runtime.on_forget_arg = NULL;
	}
	traffic_fini(&c->traffic);
	config_destroy(c->config);
	config_destroy(c->boot);
	json_decref(c->restart);
	json_decref(c->daemons);
	event_log_free(c);
	if (c->wake_fd >= 0)
		close(c->wake_fd);
	pthread_mutex_destroy(&c->note_lock);
	free(c->config_path);
	free(c->dpdk_version);
	free(c);
}

/* --- the thread --- */

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct control *c = arg;
	uint64_t n;

	(void)what;
	(void)!read(fd, &n, sizeof(n));
	if (__atomic_exchange_n(&c->reloads, 0, __ATOMIC_ACQ_REL))
		control_apply_file(c);
	control_notes_run(c);
	if (__atomic_load_n(&c->stopping, __ATOMIC_ACQUIRE))
		event_base_loopbreak(c->base);
}

static void on_pair(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	pair_configured(arg);
}

void control_set_ha(struct control *c, struct ha *ha)
{
	c->ha = ha;
	pair_addresses(c, c->publisher.live);
	pair_configured(c);
	versions_tell(c);
}

const uint64_t *control_progress(const struct control *c)
{
	return &c->traffic.samples;
}

void control_reload(struct control *c)
{
	__atomic_store_n(&c->reloads, 1, __ATOMIC_RELEASE);
	control_wake(c);
}

/* Checks leave from where the TAPs are. Listeners are open: they stay where they were made. */
static void enter_netns(const char *netns)
{
	char path[300];
	int fd;

	if (!netns)
		return;
	snprintf(path, sizeof(path), "%s%s", netns[0] == '/' ? "" : "/run/netns/", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		log_error(CONTROL_AREA, "checks cannot enter node.linux.netns: %s: %s", path,
			  strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void *run(void *arg)
{
	struct control *c = arg;

	pthread_setname_np(pthread_self(), "plvs-control");
	enter_netns(c->boot->node.netns);
	event_base_loop(c->base, EVLOOP_NO_EXIT_ON_EMPTY);
	return NULL;
}

/* A thousand clients need more than the usual soft limit. */
static void raise_descriptors(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max < 65536 ? r.rlim_max : 65536;
		(void)setrlimit(RLIMIT_NOFILE, &r);
	}
}

/* With timers finer than a millisecond: a change is to be live in a few. */
static struct event_base *make_base(void)
{
	struct event_config *ec = event_config_new();
	struct event_base *base;

	if (!ec)
		return NULL;
	event_config_set_flag(ec, EVENT_BASE_FLAG_PRECISE_TIMER);
	base = event_base_new_with_config(ec);
	event_config_free(ec);
	return base;
}

/* --- parts: started in this order, and stopped in the reverse one --- */

static int loop_start(struct control *c, char error[ERROR_TEXT])
{
	(void)error;
	c->base = make_base();
	if (!c->base)
		return -ENOMEM;
	c->wake_ev = event_new(c->base, c->wake_fd, EV_READ | EV_PERSIST, on_wake, c);
	c->pair_ev = evtimer_new(c->base, on_pair, c);
	return c->wake_ev && c->pair_ev && event_add(c->wake_ev, NULL) == 0 ? 0 : -ENOMEM;
}

static void loop_stop(struct control *c)
{
	if (c->pair_ev)
		event_free(c->pair_ev);
	if (c->wake_ev)
		event_free(c->wake_ev);
	if (c->base)
		event_base_free(c->base);
	c->pair_ev = c->wake_ev = NULL;
	c->base = NULL;
}

static int traffic_start(struct control *c, char error[ERROR_TEXT])
{
	(void)error;
	if (traffic_attach(&c->traffic, c->base) < 0)
		return -ENOMEM;
	return table_watch_start(&c->table_watch, &c->traffic, c->base);
}

static void traffic_stop(struct control *c)
{
	table_watch_stop(&c->table_watch);
	traffic_detach(&c->traffic);
}

static int server_start(struct control *c, char error[ERROR_TEXT])
{
	const struct rpc_options options = {.path = c->config->node.socket,
					    .mode = c->config->node.mode,
					    .level = METHOD_ALL,
					    .dispatch = control_dispatch,
					    .arg = c};
	int ret = rpc_server_create(c->base, &options, &c->server, error);

	if (ret == 0)
		level_sockets_open(c);
	return ret;
}

static void server_stop(struct control *c)
{
	level_sockets_close(c);
	rpc_server_destroy(c->server);
	c->server = NULL;
}

static int events_start(struct control *c, char error[ERROR_TEXT])
{
	(void)error;
	return event_log_start(c);
}

static int telnet_start(struct control *c, char error[ERROR_TEXT])
{
	(void)error;
	return telnet_program_start(c);
}

static int publisher_start(struct control *c, char error[ERROR_TEXT])
{
	(void)error;
	return publisher_attach(&c->publisher, c->base);
}

static void publisher_stop(struct control *c)
{
	publisher_detach(&c->publisher);
}

static int health_start(struct control *c, char error[ERROR_TEXT])
{
	(void)error;
	return watching_start(c, c->spawner);
}

static int metrics_open(struct control *c, char error[ERROR_TEXT])
{
	const struct metrics_options options = {.base = c->base,
						.listen = c->boot->node.metrics_listen,
						.path = c->boot->node.metrics_socket,
						.parts = control_parts,
						.arg = c};

	(void)error;
	metrics_start(&options, &c->metrics);
	return 0;
}

static void metrics_close(struct control *c)
{
	metrics_stop(c->metrics);
	c->metrics = NULL;
}

static int answers_start(struct control *c, char error[ERROR_TEXT])
{
	(void)error;
	return listings_start(c);
}

static void answers_stop(struct control *c)
{
	pending_stop(c);
	pushes_stop(c);
	listings_stop(c);
}

static int changes_start(struct control *c, char error[ERROR_TEXT])
{
	(void)error;
	int ret = turns_start(c) < 0 ? -ENOMEM : jobs_create(c->base, &c->jobs);

	if (ret == 0)
		ret = versions_start(c);
	if (ret == 0)
		pushes_start(c);
	return ret;
}

static void changes_stop(struct control *c)
{
	jobs_destroy(c->jobs);
	c->jobs = NULL;
	turns_stop(c);
	versions_stop(c);
}

static const struct part {
	int (*start)(struct control *c, char error[ERROR_TEXT]);
	void (*stop)(struct control *c); /* also of what was not started */
} parts[] = {
	{loop_start, loop_stop},
	{traffic_start, traffic_stop},
	/* Requests that wait get an answer as long as there is a client to send it to. */
	{server_start, server_stop},
	{publisher_start, publisher_stop},
	{events_start, event_log_stop},
	{health_start, watching_stop},
	{telnet_start, telnet_program_stop},
	{metrics_open, metrics_close},
	{answers_start, answers_stop},
	{changes_start, changes_stop},
};
#define N_PARTS (sizeof(parts) / sizeof(parts[0]))

static void parts_stop(struct control *c)
{
	for (size_t i = N_PARTS; i-- > 0;)
		parts[i].stop(c);
}

int control_start(struct control *c, char error[ERROR_TEXT])
{
	int ret = 0;

	error_text(error, 0, "control: out of memory");
	raise_descriptors();
	for (size_t i = 0; i < N_PARTS && ret == 0; i++)
		ret = parts[i].start(c, error);
	if (ret == 0 && (ret = -pthread_create(&c->thread, NULL, run, c)) < 0)
		error_text(error, ret, "control: no thread: %s", strerror(-ret));
	if (ret < 0) {
		parts_stop(c);
		return ret;
	}
	c->running = true;
	log_info(CONTROL_AREA, "control socket %s", c->config->node.socket);
	if (c->config->shared.n_services > 0)
		log_info(CONTROL_AREA, "programs on this router itself cannot use the VIPs: Linux "
				       "answers them (docs/linux-side.md)");
	return 0;
}

void control_stop(struct control *c)
{
	if (!c->running)
		return;
	__atomic_store_n(&c->stopping, 1, __ATOMIC_RELEASE);
	control_wake(c);
	pthread_join(c->thread, NULL);
	c->running = false;
	parts_stop(c);
}
