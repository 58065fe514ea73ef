/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/ha.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <unistd.h>

#include <event2/thread.h>

#include "base/error_text.h"
#include "base/log.h"
#include "base/netns.h"
#include "ha/ha_internal.h"

#define FIFO_PRIORITY 10

/* --- parts --- */

static const struct ha_part loop_part, keys_part, programs_part;

/* In the order of their start. Parts stop in the reverse order. Connections are polled before
 * blocks, which go by their paths. */
static const struct ha_part *const parts[] = {
	&loop_part,
	&keys_part,
	&programs_part,
	&vip_links_part,
	&heartbeat_paths_part,
	&peer_frames_part,
	&peer_connections_part,
	&peer_request_part,
};
#define N_PARTS (sizeof(parts) / sizeof(parts[0]))

static void parts_drain(struct ha *ha)
{
	for (size_t i = 0; i < N_PARTS; i++)
		if (parts[i]->drain)
			parts[i]->drain(ha);
}

static uint32_t parts_poll(struct ha *ha)
{
	uint32_t soonest_ms = UINT32_MAX;

	for (size_t i = 0; i < N_PARTS; i++) {
		const uint32_t wait_ms = parts[i]->poll ? parts[i]->poll(ha) : UINT32_MAX;

		if (wait_ms < soonest_ms)
			soonest_ms = wait_ms;
	}
	return soonest_ms;
}

static void parts_peer_new(struct ha *ha)
{
	for (size_t i = 0; i < N_PARTS; i++)
		if (parts[i]->peer_new)
			parts[i]->peer_new(ha);
}

/* A restarted peer may make this router active, with its copies of connections. So the machine gets
 * the event first. */
static void on_post(struct ha *ha, const struct role_event *event)
{
	ha_step(ha, event);
	if (event->type == ROLE_MESSAGE && event->message.verdict == HA_FRESH_SESSION)
		parts_peer_new(ha);
}

/* --- time --- */

/* Once the router has left, the machine decides nothing more, and its times stand still in the
 * past. Ticks without a pause would take the CPU from the main thread, which is to stop this one.
 */
static void tick_arm(struct ha *ha, uint64_t now_us, uint32_t most_ms)
{
	const uint64_t next_ms = ha->has_left ? UINT64_MAX / 1000 : role_next(&ha->role);
	uint64_t wait_us = (most_ms < HA_TICK_MS ? most_ms : HA_TICK_MS) * 1000ULL;
	struct timeval tv;

	if (next_ms * 1000 < now_us + wait_us)
		wait_us = next_ms * 1000 > now_us ? next_ms * 1000 - now_us : 0;
	tv = (struct timeval){.tv_usec = (suseconds_t)wait_us};
	event_add(ha->tick_ev, &tv);
}

/*
 * A late timer or a stalled worker means that this router did not listen, not that the peer is
 * silent: waiting messages are read first, and the machine gets the lateness.
 */
static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct ha *ha = arg;
	const uint64_t now_us = ha_now_us(), late_us = heartbeat_paths_late(ha, now_us);
	struct role_event event = {.type = ROLE_LATE};
	uint32_t wait_ms;

	(void)fd;
	(void)what;
	__atomic_store_n(&ha->progress, ha->progress + 1, __ATOMIC_RELAXED);
	/* A worker that sleeps goes on before the next tick, unless it stands still. */
	if (ha->config.n_paths)
		published_wake(ha->pub);
	lateness_add(&ha->lateness, now_us, late_us);
	if (late_us > (uint64_t)ha->role.cfg.keepalive_ms * 1000) {
		parts_drain(ha);
		ha->counters.late_times++;
		event.late_ms = (uint32_t)(late_us / 1000);
		ha_step(ha, &event);
	}
	ha_ports_look(ha);
	event = (struct role_event){.type = ROLE_TICK, .late_ms = (uint32_t)(late_us / 1000)};
	ha_step(ha, &event);
	ha_act_tick(ha, now_us);
	wait_ms = parts_poll(ha);
	retire_poll(&ha->retired);
	ha_status_publish(ha, false);
	tick_arm(ha, ha_now_us(), wait_ms);
}

static void on_slow(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	for (size_t i = 0; i < N_PARTS; i++)
		if (parts[i]->slow)
			parts[i]->slow(arg);
}

static void on_soon(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	parts_poll(arg);
}

static void on_note(evutil_socket_t fd, short what, void *arg)
{
	struct ha *ha = arg;

	(void)fd;
	(void)what;
	if (ha_mailbox_run(ha))
		event_base_loopbreak(ha->base);
}

/* --- life --- */

static int loop_start(struct ha *ha, char error[ERROR_TEXT])
{
	const struct timeval slow = {.tv_usec = 1000 * (HA_SLOW_MS % 1000),
				     .tv_sec = HA_SLOW_MS / 1000};
	struct event_config *config = event_config_new();

	if (config && evthread_use_pthreads() == 0) {
		event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
		ha->base = event_base_new_with_config(config);
	}
	event_config_free(config);
	ha->note_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (!ha->base || ha->note_fd < 0)
		return error_text(error, -ENOMEM, "out of memory");
	ha->note_ev = event_new(ha->base, ha->note_fd, EV_READ | EV_PERSIST, on_note, ha);
	ha->tick_ev = evtimer_new(ha->base, on_tick, ha);
	ha->slow_ev = event_new(ha->base, -1, EV_PERSIST, on_slow, ha);
	ha->soon_ev = event_new(ha->base, -1, 0, on_soon, ha);
	if (!ha->note_ev || !ha->tick_ev || !ha->slow_ev || !ha->soon_ev ||
	    event_add(ha->note_ev, NULL) < 0 || event_add(ha->slow_ev, &slow) < 0)
		return error_text(error, -ENOMEM, "out of memory");
	return 0;
}

static void event_end(struct event *ev)
{
	if (ev)
		event_free(ev);
}

static void loop_stop(struct ha *ha)
{
	event_end(ha->note_ev);
	event_end(ha->tick_ev);
	event_end(ha->slow_ev);
	event_end(ha->soon_ev);
	if (ha->base)
		event_base_free(ha->base);
	if (ha->note_fd >= 0)
		close(ha->note_fd);
}

static const struct ha_part loop_part = {.start = loop_start, .stop = loop_stop};

static int keys_start(struct ha *ha, char error[ERROR_TEXT])
{
	return ha->config.role.has_peer ? ha_keys_load(&ha->keys, ha->config.key_file, error) : 0;
}

static void keys_stop(struct ha *ha)
{
	ha_keys_fini(&ha->keys);
}

static const struct ha_part keys_part = {.start = keys_start, .stop = keys_stop};

static int programs_start(struct ha *ha, char error[ERROR_TEXT])
{
	struct notify_config config = {.argv = (const char *const *)ha->notify_argv,
				       .time_limit_ms = ha->config.notify_timeout_ms,
				       .netns = ha->config.netns[0] ? ha->config.netns : NULL};
	int ret;

	if (ha->config.notify_user[0])
		config.user = ha->config.notify_user;
	if (ha->spawn_fd < 0)
		return 0;
	ret = spawn_client_create(ha->base, ha->spawn_fd, &ha->spawn);
	ha->spawn_fd = -1;
	if (ret == 0 && ha->notify_argv)
		ret = notify_create(ha->base, ha->spawn, HA_AREA, &config, &ha->notify);
	if (ret < 0)
		error_text(error, 0, "node.notify.ha: %s", strerror(-ret));
	return ret;
}

static void programs_stop(struct ha *ha)
{
	notify_destroy(ha->notify);
	if (ha->spawn)
		spawn_client_destroy(ha->spawn);
	if (ha->spawn_fd >= 0)
		close(ha->spawn_fd);
}

static const struct ha_part programs_part = {.start = programs_start, .stop = programs_stop};

/* On the thread, in the namespace of the TAPs, which sockets keep. */
static int parts_start(struct ha *ha, char error[ERROR_TEXT])
{
	int ret = 0;

	error_text(error, 0, "out of memory");
	for (size_t i = 0; ret == 0 && i < N_PARTS; i++)
		ret = parts[i]->start(ha, error);
	return ret;
}

static int port_cmp(const void *a, const void *b)
{
	return strcmp(a, b); /* names come first */
}

static bool link_has_path(const struct ha_config *c, const struct ha_link_config *link)
{
	for (uint8_t i = 0; i < c->n_paths; i++) {
		const struct addr *own = &c->paths[i].local.addr;

		if (addr_equal(own, &link->own4) || addr_equal(own, &link->own6))
			return true;
	}
	return false;
}

static int machine_start(struct ha *ha, char error[ERROR_TEXT])
{
	struct role_config *role = &ha->config.role;
	struct ha_config *c = &ha->config;

	if (getrandom(&role->session, sizeof(role->session), 0) != sizeof(role->session))
		return error_text(error, -EIO, "no random numbers from the kernel");
	qsort(c->ports, c->n_ports, sizeof(c->ports[0]), port_cmp);
	role->n_paths = c->n_paths;
	for (uint8_t i = 0; i < c->n_paths; i++)
		memcpy(role->path_names[i], c->paths[i].name, ROLE_NAME_LEN);
	role->n_vip_links = c->n_links;
	for (uint8_t i = 0; i < c->n_links; i++) {
		memcpy(role->vip_link_names[i], c->links[i].name, ROLE_NAME_LEN);
		role->witnesses[i] = c->links[i].n_witnesses;
		role->no_path[i] = !link_has_path(c, &c->links[i]);
	}
	if (role_config_check(role, error) < 0)
		return -EINVAL;
	freshness_init(&ha->fresh, &role->session);
	role_init(&ha->role, role, ha_now_ms());
	if (ha->kept)
		role_set_kept(&ha->role, ha->kept_term);
	if (role->has_peer)
		__atomic_store_n(&ha->pub->vip_lease, (uint64_t)VIP_LEASE_OFF, __ATOMIC_RELEASE);
	return 0;
}

static void argv_free(char **argv)
{
	for (char **p = argv; p && *p; p++)
		free(*p);
	free(argv);
}

/* NULL for n = 0, or with errno ENOMEM. */
static char **argv_copy(char *const *from, uint32_t n)
{
	char **argv = n ? calloc(n + 1U, sizeof(*argv)) : NULL;

	for (uint32_t i = 0; argv && i < n; i++) {
		argv[i] = strdup(from[i]);
		if (!argv[i]) {
			argv_free(argv);
			return NULL;
		}
	}
	return argv;
}

static void ha_free(struct ha *ha)
{
	for (size_t i = N_PARTS; i-- > 0;)
		parts[i]->stop(ha);
	argv_free(ha->notify_argv);
	ha_mailbox_fini(ha);
	__atomic_store_n(&ha->pub->relay, NULL, __ATOMIC_RELEASE);
	if (ha->relay)
		retire(&ha->retired, ha->relay, free);
	retire_list_fini(&ha->retired);
	pthread_mutex_destroy(&ha->lock);
	pthread_mutex_destroy(&ha->status_lock);
	free(ha);
}

static void *ha_main(void *arg)
{
	const struct sched_param fifo = {.sched_priority = FIFO_PRIORITY};
	struct ha *ha = arg;
	int ret;

	prctl(PR_SET_NAME, "plvs-ha");
	ret = netns_enter(ha->config.netns, ha->start_error);
	if (ret == 0)
		ret = parts_start(ha, ha->start_error);
	ha->realtime = pthread_setschedparam(pthread_self(), SCHED_FIFO, &fifo) == 0 &&
		       (!ha->host.realtime || ha->host.realtime(ha->host.arg));
	if (ret == 0 && !ha->realtime)
		log_warning(HA_AREA,
			    "no real-time priority (SCHED_FIFO): heartbeats may come late on a "
			    "busy host");
	if (ret == 0) {
		tick_arm(ha, ha_now_us(), HA_TICK_MS);
		ha_status_publish(ha, true);
	}
	ha->start_ret = ret;
	sem_post(&ha->started);
	if (ret == 0)
		event_base_loop(ha->base, EVLOOP_NO_EXIT_ON_EMPTY);
	return NULL;
}

static struct ha *ha_create(const struct ha_options *options)
{
	struct ha *ha = calloc(1, sizeof(*ha));

	if (!ha)
		return NULL;
	ha->config = options->config;
	ha->host = options->host;
	ha->pub = options->pub;
	ha->note_fd = -1;
	ha->spawn_fd = options->spawn_fd;
	ha->access = options->access;
	ha->identities = options->identities;
	ha->kept = options->kept;
	ha->kept_term = options->kept_term;
	ha->notify_argv = argv_copy(options->config.notify, options->config.n_notify);
	ha->config.notify = NULL;
	pthread_mutex_init(&ha->lock, NULL);
	pthread_mutex_init(&ha->status_lock, NULL);
	sem_init(&ha->started, 0, 0);
	sem_init(&ha->left, 0, 0);
	retire_list_init(&ha->retired, &ha->pub->grace);
	ha->post = on_post;
	return ha;
}

int ha_start(const struct ha_options *options, struct ha **out, char error[ERROR_TEXT])
{
	struct ha *ha = ha_create(options);
	int ret;

	error_text(error, 0, "out of memory");
	if (!ha)
		return -ENOMEM;
	ret = machine_start(ha, error);
	ha->start_error = error;
	if (ret == 0)
		ret = -pthread_create(&ha->thread, NULL, ha_main, ha);
	if (ret == 0) {
		while (sem_wait(&ha->started) < 0)
			;
		ret = ha->start_ret;
		if (ret < 0)
			pthread_join(ha->thread, NULL);
	}
	ha->start_error = NULL;
	if (ret < 0) {
		ha_free(ha);
		return ret;
	}
	ha->running = true;
	error[0] = '\0';
	*out = ha;
	return 0;
}

const uint64_t *ha_progress(const struct ha *ha)
{
	return &ha->progress;
}

int ha_leave(struct ha *ha)
{
	return ha_command(ha, ROLE_CMD_STOP, false, NULL, NULL);
}

int ha_left(struct ha *ha, uint32_t timeout_ms, bool *dump, uint64_t *term)
{
	const struct timespec until = clock_after_ms(timeout_ms);
	int ret;

	while ((ret = sem_clockwait(&ha->left, CLOCK_MONOTONIC, &until)) < 0 && errno == EINTR)
		;
	*dump = ret == 0 && ha->dump;
	*term = ret == 0 ? ha->left_term : 0;
	return ret == 0 ? 0 : -ETIMEDOUT;
}

void ha_stop(struct ha *ha)
{
	if (!ha)
		return;
	pthread_mutex_lock(&ha->lock);
	ha->stopping = true;
	pthread_mutex_unlock(&ha->lock);
	ha_wake(ha);
	pthread_join(ha->thread, NULL);
	for (uint32_t i = 0; i < ha->n_pending; i++)
		if (ha->pending[i].done)
			ha->pending[i].done(ha->pending[i].arg, -ESHUTDOWN, "the router ends");
	ha_free(ha);
}
