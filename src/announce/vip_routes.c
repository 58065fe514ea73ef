/* SPDX-License-Identifier: BSD-3-Clause */
#include "announce/vip_routes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "announce/vip_routes_table.h"
#include "announce/worker_stall.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/netns.h"
#include "link/nlreq.h"

#define AREA	      "announce"
#define PERIOD_MS     10
#define AUDIT_US      1000000 /* between two readings of the table */
#define LAST_US	      30000   /* for the routes of a process that is about to end */
#define FIFO_PRIORITY 11      /* above the ha thread: a few microseconds each 10 ms */
#define EXIT_STUCK    3

const char *const vip_routes_state_names[VIP_ROUTES_STATE_MAX] = {
#define X(NAME, word, meaning) #word,
	VIP_ROUTES_STATES(X)
#undef X
};
const char *const vip_routes_state_meanings[VIP_ROUTES_STATE_MAX] = {
#define X(NAME, word, meaning) meaning,
	VIP_ROUTES_STATES(X)
#undef X
};

struct vip_routes {
	struct vip_routes_config config;
	pthread_t thread;
	bool running;
	int wake_fd;
	struct nlreq req;

	/* any thread: under lock */
	pthread_mutex_t lock;
	struct routes asked;
	uint64_t asked_gen;
	bool ready, drained, leaving, stopping;
	struct vip_routes_status status;
	struct routes shown; /* what stands */

	/* the thread's own */
	struct worker_stall stall;
	struct routes wanted, standing;
	uint64_t wanted_gen, audited_us;
	bool differs; /* a request failed, or the table is not as it was left: try again */
	enum vip_routes_state state;
	uint64_t added, removed, errors, repaired;
	char fault[160];
};

/* --- the thread --- */

static int route_put(struct vip_routes *v, const struct vip_route *r, bool add)
{
	int ret = nlreq_announced_set(&v->req, v->config.table, &r->addr, r->metric, add);
	char text[ADDR_STRLEN];

	if (ret == 0) {
		*(add ? &v->added : &v->removed) += 1;
		return 0;
	}
	v->errors++;
	v->differs = true;
	snprintf(v->fault, sizeof(v->fault), "cannot %s the route of %s in table %u: %s%s%.60s",
		 add ? "add" : "remove", addr_format(&r->addr, text, sizeof(text)), v->config.table,
		 strerror(-ret), v->req.why[0] ? ": " : "", v->req.why);
	log_error(AREA, "%s", v->fault);
	return ret;
}

/* Tells who wants to know of the routes of `now` that `before` lacks. */
static void tell(struct vip_routes *v, const struct routes *now, const struct routes *before,
		 bool announced)
{
	struct vip_route *list;
	uint32_t n = 0;

	if (!v->config.host.changed)
		return;
	list = malloc((now->n + 1) * sizeof(*list));
	for (uint32_t i = 0; list && i < now->n; i++)
		if (!routes_have(before, &now->v[i]))
			list[n++] = now->v[i];
	if (list && n)
		v->config.host.changed(v->config.host.arg, list, n, announced);
	free(list);
}

/* Makes the table what it is to be: removals first. end_us: then the rest is left. */
static void table_set(struct vip_routes *v, const struct routes *target, uint64_t end_us)
{
	struct routes after = {malloc((v->standing.n + target->n + 1) * sizeof(*after.v)), 0};

	if (!after.v) {
		v->differs = true;
		return;
	}
	v->differs = false;
	for (uint32_t i = 0; i < v->standing.n; i++) {
		const struct vip_route *r = &v->standing.v[i];

		if (routes_have(target, r) || clock_us() >= end_us || route_put(v, r, false) < 0)
			after.v[after.n++] = *r;
	}
	for (uint32_t i = 0; i < target->n; i++) {
		const struct vip_route *r = &target->v[i];

		if (!routes_have(&v->standing, r) && route_put(v, r, true) == 0)
			after.v[after.n++] = *r;
	}
	routes_sort(&after);
	if (!v->differs)
		v->fault[0] = '\0';
	tell(v, &v->standing, &after, false);
	tell(v, &after, &v->standing, true);
	free(v->standing.v);
	v->standing = after;
}

/* The table against what was left in it. */
static void table_audit(struct vip_routes *v, uint64_t now_us)
{
	struct routes found;

	if (now_us - v->audited_us < AUDIT_US)
		return;
	v->audited_us = now_us;
	if (routes_read(&v->req, v->config.table, &found) < 0)
		return; /* in a second again */
	routes_mark_homes(&found, &v->standing);
	if (!routes_same(&found, &v->standing)) {
		v->repaired++;
		log_warning(AREA,
			    "table %u has %u routes of plvs and should have %u: it is put right",
			    v->config.table, found.n, v->standing.n);
		free(v->standing.v);
		v->standing = found;
		v->differs = true;
		return;
	}
	free(found.v);
}

static enum vip_routes_state state_now(const struct vip_routes *v, bool ready, bool drained,
				       bool leaving)
{
	const struct vip_routes_host *host = &v->config.host;

	return leaving			    ? VIP_ROUTES_LEAVING
	       : !ready			    ? VIP_ROUTES_STARTING
	       : drained		    ? VIP_ROUTES_DRAINED
	       : !host->active(host->arg)   ? VIP_ROUTES_STANDBY
	       : !host->ports_up(host->arg) ? VIP_ROUTES_PORT_DOWN
					    : VIP_ROUTES_ANNOUNCING;
}

/* The lock is held for copies of a few words, and of the list when there is another. */
static bool orders_take(struct vip_routes *v, enum vip_routes_state *state)
{
	bool ready, drained, leaving, stopping;

	pthread_mutex_lock(&v->lock);
	ready = v->ready;
	drained = v->drained;
	leaving = v->leaving || v->stopping;
	stopping = v->stopping;
	if (v->asked_gen != v->wanted_gen && routes_copy(&v->wanted, v->asked.v, v->asked.n) == 0)
		v->wanted_gen = v->asked_gen;
	pthread_mutex_unlock(&v->lock);
	*state = state_now(v, ready, drained, leaving);
	return stopping;
}

static void status_publish(struct vip_routes *v)
{
	struct vip_routes_status *s = &v->status;

	pthread_mutex_lock(&v->lock);
	s->state = v->state;
	s->homes = routes_homes(&v->standing);
	s->wanted = v->wanted.n - routes_homes(&v->wanted);
	s->announced = v->standing.n - s->homes;
	s->added = v->added;
	s->removed = v->removed;
	s->errors = v->errors;
	s->repaired = v->repaired;
	memcpy(s->fault, v->fault, sizeof(s->fault));
	if (!routes_same(&v->shown, &v->standing))
		(void)routes_copy(&v->shown, v->standing.v, v->standing.n);
	pthread_mutex_unlock(&v->lock);
}

/* The routes of the state. false: no memory, and the thread tries again. */
static bool target_make(struct vip_routes *v, bool stopping, struct routes *out)
{
	const bool home =
		!stopping && (v->state == VIP_ROUTES_LEAVING || v->state == VIP_ROUTES_DRAINED ||
			      v->state == VIP_ROUTES_PORT_DOWN);
	uint32_t n = 0;

	*out = (struct routes){malloc((v->wanted.n + 1) * sizeof(*out->v)), 0};
	for (uint32_t i = 0; out->v && i < v->wanted.n; i++)
		if (v->state == VIP_ROUTES_ANNOUNCING || (home && v->wanted.v[i].home))
			out->v[n++] = v->wanted.v[i];
	out->n = n;
	return out->v != NULL;
}

static void target_set(struct vip_routes *v, bool stopping)
{
	struct routes target;

	if (target_make(v, stopping, &target))
		table_set(v, &target, UINT64_MAX);
	else
		v->differs = true;
	free(target.v);
}

/* BFD through a healthy worker would keep a half-dead router announced. */
static void end_if_stuck(struct vip_routes *v, uint64_t now_us)
{
	static const struct routes none;
	uint64_t still_us;
	const int worker = worker_stall_look(&v->stall, now_us, &still_us);

	if (worker == WORKER_STALL_NONE)
		return;
	table_set(v, &none, now_us + LAST_US);
	log_error(AREA,
		  "worker %d has made no progress for %llu ms (node.announce.stuck is %u ms): all "
		  "VIPs are withdrawn and plvs ends, so that the network goes by other routers",
		  worker, (unsigned long long)(still_us / 1000), v->config.stuck_ms);
	_exit(EXIT_STUCK);
}

static void *run(void *arg)
{
	static const struct sched_param fifo = {.sched_priority = FIFO_PRIORITY};
	struct vip_routes *v = arg;
	struct pollfd pfd = {.fd = v->wake_fd, .events = POLLIN};
	bool stopping = false;

	pthread_setname_np(pthread_self(), "plvs-announce");
	(void)pthread_setschedparam(pthread_self(), SCHED_FIFO, &fifo);
	while (!stopping) {
		const enum vip_routes_state before = v->state;
		const uint64_t gen = v->wanted_gen;
		uint64_t n, now_us;

		v->config.host.wake(v->config.host.arg);
		if (poll(&pfd, 1, PERIOD_MS) > 0)
			(void)!read(v->wake_fd, &n, sizeof(n));
		now_us = clock_us();
		end_if_stuck(v, now_us);
		stopping = orders_take(v, &v->state);
		table_audit(v, now_us);
		if (before != v->state)
			log_notice(AREA, "%s: %s", vip_routes_state_names[v->state],
				   vip_routes_state_meanings[v->state]);
		if (before != v->state || gen != v->wanted_gen || v->differs || stopping)
			target_set(v, stopping);
		status_publish(v);
	}
	return NULL;
}

/* --- life --- */

static void destroy(struct vip_routes *v)
{
	nlreq_close(&v->req);
	if (v->wake_fd >= 0)
		close(v->wake_fd);
	pthread_mutex_destroy(&v->lock);
	free(v->asked.v);
	free(v->wanted.v);
	free(v->standing.v);
	free(v->shown.v);
	free(v);
}

/* Its socket is of the namespace of the TAPs, whatever thread uses it. */
static int socket_open(struct vip_routes *v, char error[ERROR_TEXT])
{
	int home, ret = netns_visit(v->config.netns, &home, error);

	if (ret < 0)
		return ret;
	ret = nlreq_open(&v->req);
	if (ret < 0)
		error_text(error, ret, "netlink: %s", strerror(-ret));
	return netns_return(home, ret, error);
}

int vip_routes_start(const struct vip_routes_config *config, struct vip_routes **out,
		     char error[ERROR_TEXT])
{
	struct vip_routes *v = calloc(1, sizeof(*v));
	int ret;

	if (!v)
		return error_text(error, -ENOMEM, "out of memory");
	v->config = *config;
	v->state = v->status.state = VIP_ROUTES_STARTING;
	pthread_mutex_init(&v->lock, NULL);
	v->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	ret = v->wake_fd < 0 ? error_text(error, -errno, "eventfd: %s", strerror(errno))
			     : socket_open(v, error);
	if (ret < 0)
		goto err_destroy;
	worker_stall_init(&v->stall, config->progress, config->n_workers, PERIOD_MS * 1000,
			  (uint64_t)config->stuck_ms * 1000, clock_us());
	v->audited_us = clock_us();
	ret = -pthread_create(&v->thread, NULL, run, v);
	if (ret < 0) {
		error_text(error, ret, "the announcing thread: %s", strerror(-ret));
		goto err_destroy;
	}
	v->running = true;
	*out = v;
	return 0;

err_destroy:
	destroy(v);
	return ret;
}

static void wake(struct vip_routes *v)
{
	const uint64_t one = 1;

	(void)!write(v->wake_fd, &one, sizeof(one));
}

void vip_routes_stop(struct vip_routes *v)
{
	if (!v)
		return;
	pthread_mutex_lock(&v->lock);
	v->stopping = true;
	pthread_mutex_unlock(&v->lock);
	wake(v);
	if (v->running)
		pthread_join(v->thread, NULL);
	destroy(v);
}

static void flag_set(struct vip_routes *v, bool *flag, bool on)
{
	pthread_mutex_lock(&v->lock);
	*flag = on;
	pthread_mutex_unlock(&v->lock);
	wake(v);
}

void vip_routes_ready(struct vip_routes *v)
{
	flag_set(v, &v->ready, true);
}

void vip_routes_drain(struct vip_routes *v, bool on)
{
	flag_set(v, &v->drained, on);
}

void vip_routes_leave(struct vip_routes *v)
{
	flag_set(v, &v->leaving, true);
}

int vip_routes_set(struct vip_routes *v, const struct vip_route *list, uint32_t n)
{
	struct routes sorted = {0};

	if (routes_copy(&sorted, list, n) < 0)
		return -ENOMEM;
	pthread_mutex_lock(&v->lock);
	if (routes_same(&sorted, &v->asked)) {
		pthread_mutex_unlock(&v->lock);
		free(sorted.v);
		return 0;
	}
	free(v->asked.v);
	v->asked = sorted;
	v->asked_gen++;
	pthread_mutex_unlock(&v->lock);
	wake(v);
	return 0;
}

void vip_routes_status(const struct vip_routes *v, struct vip_routes_status *out)
{
	pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&v->lock;

	pthread_mutex_lock(lock);
	*out = v->status;
	pthread_mutex_unlock(lock);
}

uint32_t vip_routes_list(const struct vip_routes *v, struct vip_route *out, uint32_t max)
{
	pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&v->lock;
	uint32_t n;

	pthread_mutex_lock(lock);
	n = v->shown.n;
	if (n && max)
		memcpy(out, v->shown.v, (n < max ? n : max) * sizeof(*out));
	pthread_mutex_unlock(lock);
	return n;
}
