/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/netns.h"
#include "publish/builder.h"
#include "control/control_internal.h"
#include "control/pair.h"
#include "control/publishing.h"
#include "control/push.h"
#include "control/checking.h"
#include "control/level_sockets.h"
#include "control/telnet_program.h"
#include "metrics/metrics.h"
#include "model/sync_event.h"
#include "sched/sched.h"

#define NICENESS (-10) /* checks and changes go before the work of programs */

/* --- life --- */

int control_create(const struct control_options *options, struct config *config,
		   struct control **out, char error[ERROR_TEXT])
{
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
	c->run_for_peer = control_run_for_peer;
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
	ret = publishing_init(c);
	if (ret < 0)
		goto err_destroy;
	ret = builder_config(&c->publisher, config, error);
	if (ret < 0)
		goto err_destroy;
	ret = publisher_flush(&c->publisher);
	if (ret == 0)
		ret = versions_init(c, options);
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
	versions_fini(c);
	publishing_fini(c);
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

static void reload_begin(struct control *c)
{
	const uint32_t asked = __atomic_load_n(&c->reloads, __ATOMIC_ACQUIRE);

	if (asked == c->reloads_begun)
		return;
	c->reloads_begun = asked;
	control_apply_file(c);
	pending_reload_end(c);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct control *c = arg;
	uint64_t n;

	(void)what;
	(void)!read(fd, &n, sizeof(n));
	reload_begin(c);
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
	__atomic_fetch_add(&c->reloads, 1, __ATOMIC_RELEASE);
	control_wake(c);
}

bool control_reloading(const struct control *c)
{
	return __atomic_load_n(&c->reloads_ended, __ATOMIC_ACQUIRE) !=
	       __atomic_load_n(&c->reloads, __ATOMIC_ACQUIRE);
}

static void *run(void *arg)
{
	struct control *c = arg;
	char error[ERROR_TEXT];

	pthread_setname_np(pthread_self(), "plvs-control");
	/* The niceness is of this thread alone. Without it checks come late where programs take all
	 * CPUs. */
	(void)setpriority(PRIO_PROCESS, 0, NICENESS);
	/* Checks leave from where the TAPs are. Listeners are open: they stay where they were made.
	 */
	if (netns_enter(c->boot->node.netns, error) < 0)
		log_error(CONTROL_AREA, "checks do not leave from the TAPs: %s", error);
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

/* --- parts --- */

static int loop_start(struct control *c)
{
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

static int server_start(struct control *c)
{
	const struct rpc_options options = {.path = c->config->node.socket,
					    .mode = c->config->node.mode,
					    .level = METHOD_ALL,
					    .dispatch = control_dispatch,
					    .arg = c};

	return rpc_server_create(c->base, &options, &c->server, c->start_error);
}

static void server_stop(struct control *c)
{
	rpc_server_destroy(c->server);
	c->server = NULL;
}

static int levels_start(struct control *c)
{
	level_sockets_open(c);
	return 0;
}

static int metrics_open(struct control *c)
{
	const struct metrics_options options = {.base = c->base,
						.listen = c->boot->node.metrics_listen,
						.path = c->boot->node.metrics_socket,
						.parts = control_parts,
						.arg = c};

	metrics_start(&options, &c->metrics);
	return 0;
}

static void metrics_close(struct control *c)
{
	metrics_stop(c->metrics);
	c->metrics = NULL;
}

static int jobs_start(struct control *c)
{
	int ret = jobs_create(c->base, &c->jobs);

	return ret == 0 ? jobs_create(c->base, &c->idle_jobs) : ret;
}

static void jobs_stop(struct control *c)
{
	jobs_destroy(c->jobs);
	jobs_destroy(c->idle_jobs);
	c->jobs = c->idle_jobs = NULL;
}

static int pushes_begin(struct control *c)
{
	pushes_start(c);
	return 0;
}

/* A part whose start() and stop() know their own object alone. */
#define PART(name, start_call, stop_call)                                                          \
	static int name##_start(struct control *c)                                                 \
	{                                                                                          \
		return start_call;                                                                 \
	}                                                                                          \
	static void name##_stop(struct control *c)                                                 \
	{                                                                                          \
		stop_call;                                                                         \
	}
PART(traffic, traffic_attach(&c->traffic, c->base), traffic_detach(&c->traffic))
PART(clock_look, clock_jump_start(&c->clock_jump, c->base), clock_jump_stop(&c->clock_jump))
PART(port_shortage, local_port_warning_start(&c->local_port_warning, &c->traffic, c->base),
     local_port_warning_stop(&c->local_port_warning))
PART(ring_loss, ring_warning_start(&c->ring_warning, &c->traffic, c->base),
     ring_warning_stop(&c->ring_warning))
PART(full_table, table_warning_start(&c->table_warning, &c->traffic, c->base),
     table_warning_stop(&c->table_warning))
PART(publishing, publisher_attach(&c->publisher, c->base), publisher_detach(&c->publisher))
PART(checks, checking_start(c, c->spawner), checking_stop(c))

/* Parts start in this order and stop in the reverse order. Each is stopped, started or not. */
static const struct part {
	int (*start)(struct control *c); /* 0 or -errno; a sentence in start_error */
	void (*stop)(struct control *c); /* NULL: nothing is left to be stopped */
} parts[] = {
	{loop_start, loop_stop},
	{traffic_start, traffic_stop},
	{clock_look_start, clock_look_stop},
	{port_shortage_start, port_shortage_stop},
	{ring_loss_start, ring_loss_stop},
	{full_table_start, full_table_stop},
	/* Requests that wait get an answer as long as there is a client to send it to. */
	{server_start, server_stop},
	{levels_start, level_sockets_close},
	{publishing_start, publishing_stop},
	{vip_look_start, vip_look_stop},
	{event_log_start, event_log_stop},
	{checks_start, checks_stop},
	{fleet_start, fleet_stop},
	{telnet_program_start, telnet_program_stop},
	{metrics_open, metrics_close},
	{listings_start, listings_stop},
	{NULL, pending_stop},
	{versions_start, versions_stop},
	{trial_start, trial_stop},
	{turns_start, turns_stop},
	{memory_trim_start, memory_trim_stop},
	/* The other threads end first: their work is of the parts above. */
	{jobs_start, jobs_stop},
	{pushes_begin, NULL},
};
#define N_PARTS (sizeof(parts) / sizeof(parts[0]))

static void parts_stop(struct control *c)
{
	for (size_t i = N_PARTS; i-- > 0;)
		if (parts[i].stop)
			parts[i].stop(c);
}

int control_start(struct control *c, char error[ERROR_TEXT])
{
	int ret = 0;

	error_text(error, 0, "control: out of memory");
	c->start_error = error;
	raise_descriptors();
	for (size_t i = 0; i < N_PARTS && ret == 0; i++)
		ret = parts[i].start ? parts[i].start(c) : 0;
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
