/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "spawn/keeper.h"
#include "spawn/spawn.h"
#include "spawn/spawner_wire.h"

#define AREA	   "spawn"
#define READS	   32	 /* results taken in one round of the loop */
#define PATROL_S   1	 /* how often overdue requests are looked for */
#define OVERDUE_MS 10000 /* beyond all limits: the spawner does not answer */
#define SLOT_BITS  16
#define INDEX(id)  ((uint32_t)(id) & ((1U << SLOT_BITS) - 1))

/* A message that did not go out yet. */
struct pending {
	TAILQ_ENTRY(pending) link;
	void *msg;
	size_t len;
};

/* A request from spawn_run() until the spawner has said its last word. */
struct slot {
	uint64_t id;	  /* 0: free */
	spawn_done *done; /* NULL: called back already */
	void *arg;
	uint64_t asked_us, overdue_us;
	size_t bytes;
};

struct spawn_client {
	int line;   /* brings a socket to each new spawner */
	int fd;	    /* -1: no spawner */
	bool works; /* fd leads to a spawner */
	bool lost;  /* no further socket will come */
	uint32_t parallel;
	struct event_base *base;
	struct event *renewed, *readable, *writable, *patrol;
	char *netns;
	uint64_t serial;
	size_t bytes;  /* of all slots */
	uint32_t hint; /* where a free slot is looked for first */
	struct spawn_counters counters;
	TAILQ_HEAD(, pending) pending;
	struct slot slots[SPAWN_MAX_REQUESTS];
	_Alignas(8) uint8_t msg[SPAWN_MSG_RESULT_MAX];
};

_Static_assert(SPAWN_MAX_REQUESTS <= 1U << SLOT_BITS, "an id has room for the slot");

/* ---- the end of a request ---- */

static void slot_free(struct spawn_client *c, struct slot *s)
{
	c->bytes -= s->bytes;
	c->counters.open--;
	memset(s, 0, sizeof(*s));
}

static void slot_call(struct spawn_client *c, struct slot *s, const struct spawn_result *r)
{
	spawn_done *done = s->done;

	if (!done)
		return;
	s->done = NULL;
	if (r->outcome == SPAWN_TIMED_OUT)
		c->counters.timed_out++;
	else if (r->outcome == SPAWN_EXITED || r->outcome == SPAWN_SIGNALLED)
		c->counters.ended++;
	else if (r->outcome != SPAWN_CANCELLED)
		c->counters.not_started++;
	done(s->arg, r);
}

static void slot_call_empty(struct spawn_client *c, struct slot *s, enum spawn_outcome outcome)
{
	const struct spawn_result r = {.outcome = outcome, .output = "", .error = ""};

	slot_call(c, s, &r);
}

static void pending_free(struct spawn_client *c, struct pending *p)
{
	TAILQ_REMOVE(&c->pending, p, link);
	free(p->msg);
	free(p);
}

/* Logs one line per change, however many clients there are. */
static void change_say(bool works, bool lost)
{
	enum { WORKS, ENDED, LOST };
	static int said;
	int now = works ? WORKS : lost ? LOST : ENDED, before;

	before = __atomic_exchange_n(&said, now, __ATOMIC_RELAXED);
	if (now == before || (now == ENDED && before == LOST))
		return;
	if (now == WORKS)
		log_notice(AREA, "the spawner runs again: programs can be run");
	else if (now == ENDED)
		log_error(AREA,
			  "the spawner has ended and is started again: until then programs of "
			  "checks and notifications are not run");
	else
		log_error(AREA, "the spawner and its keeper have ended: no programs of checks and "
				"notifications can be run until plvs is started again");
}

/* The spawner has ended; what is open ends with it. Callbacks may ask again and get -EPIPE. */
static void client_broken(struct spawn_client *c)
{
	struct pending *p;

	c->works = false;
	if (c->readable)
		event_free(c->readable);
	if (c->writable)
		event_free(c->writable);
	c->readable = c->writable = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	event_del(c->patrol);
	change_say(false, c->lost);
	while ((p = TAILQ_FIRST(&c->pending)) != NULL)
		pending_free(c, p);
	for (uint32_t i = 0; i < SPAWN_MAX_REQUESTS; i++) {
		struct slot *s = &c->slots[i];

		if (s->id == 0)
			continue;
		slot_call_empty(c, s, SPAWN_NO_SPAWNER);
		slot_free(c, s);
	}
}

/* ---- sending ---- */

/* 0, -EAGAIN, or another -errno: the spawner has gone. */
static int msg_send(const struct spawn_client *c, const void *msg, size_t len)
{
	if (send(c->fd, msg, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM || errno == EINTR)
		return -EAGAIN;
	return -EPIPE;
}

/* Takes msg over unless it fails. No callback is called from here. */
static int msg_put(struct spawn_client *c, void *msg, size_t len)
{
	struct pending *p;
	int rc = TAILQ_EMPTY(&c->pending) ? msg_send(c, msg, len) : -EAGAIN;

	if (rc == 0) {
		free(msg);
		return 0;
	}
	if (rc != -EAGAIN) {
		event_active(c->readable, EV_READ, 0);
		return rc;
	}
	p = malloc(sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->msg = msg;
	p->len = len;
	TAILQ_INSERT_TAIL(&c->pending, p, link);
	event_add(c->writable, NULL);
	return 0;
}

static int head_put(struct spawn_client *c, enum spawn_msg_type type, uint64_t id)
{
	struct spawn_msg_head *m = malloc(sizeof(*m));
	int rc = -ENOMEM;

	if (m) {
		*m = (struct spawn_msg_head){.magic = SPAWN_MAGIC, .type = type, .id = id};
		rc = msg_put(c, m, sizeof(*m));
	}
	if (rc != 0)
		free(m);
	return rc;
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct spawn_client *c = arg;
	struct pending *p;

	(void)fd;
	(void)what;
	while ((p = TAILQ_FIRST(&c->pending)) != NULL) {
		int rc = msg_send(c, p->msg, p->len);

		if (rc == -EAGAIN)
			return;
		if (rc != 0) {
			client_broken(c);
			return;
		}
		pending_free(c, p);
	}
	event_del(c->writable);
}

/* ---- receiving ---- */

static void result_take(struct spawn_client *c, size_t len)
{
	const struct spawn_msg_head *head = (const void *)c->msg;
	struct spawn_result r;
	uint64_t started_us, waited_us;
	struct slot *s;

	if (spawn_result_decode(c->msg, len, &r, &started_us) != 0 ||
	    INDEX(head->id) >= SPAWN_MAX_REQUESTS)
		return;
	s = &c->slots[INDEX(head->id)];
	if (s->id == 0 || s->id != head->id)
		return;
	waited_us = started_us ? started_us : clock_us();
	r.waited_ms = waited_us > s->asked_us ? (uint32_t)((waited_us - s->asked_us) / 1000) : 0;
	slot_call(c, s, &r);
	slot_free(c, s);
	if (c->counters.open == 0)
		event_del(c->patrol);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct spawn_client *c = arg;

	(void)what;
	for (int i = 0; i < READS && c->works; i++) {
		ssize_t len = recv(fd, c->msg, sizeof(c->msg), MSG_DONTWAIT);

		if (len > 0) {
			result_take(c, (size_t)len);
		} else if (len == 0 || (errno != EAGAIN && errno != EINTR)) {
			client_broken(c); /* frees the event of this call */
			return;
		} else {
			return;
		}
	}
}

/* A hanging spawner (stopped by a signal) must not block its callers. */
static void on_patrol(evutil_socket_t fd, short what, void *arg)
{
	struct spawn_client *c = arg;
	uint64_t now = clock_us();

	(void)fd;
	(void)what;
	for (uint32_t i = 0; i < SPAWN_MAX_REQUESTS && c->works; i++) {
		struct slot *s = &c->slots[i];

		if (s->id != 0 && s->done && now > s->overdue_us)
			slot_call_empty(c, s, SPAWN_NO_SPAWNER);
	}
}

/* ---- asking ---- */

static struct slot *slot_take(struct spawn_client *c)
{
	for (uint32_t i = 0; i < SPAWN_MAX_REQUESTS; i++) {
		uint32_t at = (c->hint + i) % SPAWN_MAX_REQUESTS;

		if (c->slots[at].id != 0)
			continue;
		c->hint = at + 1;
		c->slots[at].id = ++c->serial << SLOT_BITS | at;
		return &c->slots[at];
	}
	return NULL;
}

static int request_put(struct spawn_client *c, const struct spawn_request *r, struct slot *s)
{
	void *msg;
	size_t len;
	int rc = spawn_order_encode(r, r->netns ? r->netns : c->netns, s->id, &msg, &len);

	if (rc != 0)
		return rc;
	rc = c->bytes + len > SPAWN_MAX_BYTES ? -ENOBUFS : msg_put(c, msg, len);
	if (rc != 0)
		free(msg);
	else
		s->bytes = len;
	return rc;
}

int spawn_run(struct spawn_client *c, const struct spawn_request *request, spawn_done *done,
	      void *arg, uint64_t *id)
{
	const struct timeval patrol = {.tv_sec = PATROL_S};
	uint32_t queue_ms = request->queue_limit_ms ? request->queue_limit_ms : SPAWN_QUEUE_MS;
	uint32_t grace_ms = request->grace_ms ? request->grace_ms : SPAWN_GRACE_MS;
	struct slot *s = c->works ? slot_take(c) : NULL;
	int rc = s ? request_put(c, request, s) : c->works ? -ENOBUFS : -EPIPE;

	if (rc != 0) {
		if (s)
			memset(s, 0, sizeof(*s));
		c->counters.refused++;
		return rc;
	}
	s->done = done;
	s->arg = arg;
	s->asked_us = clock_us();
	s->overdue_us = s->asked_us + 1000 * ((uint64_t)queue_ms + request->time_limit_ms +
					      grace_ms + OVERDUE_MS);
	c->bytes += s->bytes;
	if (c->counters.open++ == 0)
		event_add(c->patrol, &patrol);
	c->counters.requests++;
	if (id)
		*id = s->id;
	return 0;
}

void spawn_cancel(struct spawn_client *c, uint64_t id)
{
	struct slot *s = INDEX(id) < SPAWN_MAX_REQUESTS ? &c->slots[INDEX(id)] : NULL;
	struct pending *p;

	if (!s || id == 0 || s->id != id || !s->done)
		return;
	slot_call_empty(c, s, SPAWN_CANCELLED);
	TAILQ_FOREACH(p, &c->pending, link)
	{
		const struct spawn_msg_head *head = p->msg;

		if (head->type != SPAWN_MSG_RUN || head->id != id)
			continue;
		pending_free(c, p);
		slot_free(c, s);
		return;
	}
	/* Without memory for it the program ends by its time limit. */
	(void)head_put(c, SPAWN_MSG_CANCEL, id);
}

/* ---- the client itself ---- */

static int client_attach(struct spawn_client *c, int fd)
{
	c->fd = fd;
	c->readable = event_new(c->base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->writable = event_new(c->base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
	c->works = c->readable && c->writable && event_add(c->readable, NULL) == 0;
	if (c->works && c->parallel)
		(void)head_put(c, SPAWN_MSG_PARALLEL, c->parallel);
	return c->works ? 0 : -ENOMEM;
}

/* Takes the sockets that came; the last one is the one in use. */
static int client_renew(struct spawn_client *c)
{
	int fd;

	while ((fd = line_receive(c->line)) >= 0) {
		if (c->fd >= 0)
			client_broken(c);
		if (client_attach(c, fd) != 0) {
			client_broken(c);
			return -ENOMEM;
		}
	}
	c->lost = fd == -EPIPE;
	return 0;
}

static void on_renewed(evutil_socket_t line, short what, void *arg)
{
	struct spawn_client *c = arg;
	bool worked = c->works;

	(void)line;
	(void)what;
	(void)client_renew(c);
	if (c->lost) {
		event_del(c->renewed);
		if (c->works)
			return; /* the socket says when it ends */
	}
	if (c->works || c->lost || worked)
		change_say(c->works, c->lost);
}

int spawn_client_create(struct event_base *base, int line, struct spawn_client **out)
{
	struct spawn_client *c = calloc(1, sizeof(*c));

	if (!c) {
		close(line);
		return -ENOMEM;
	}
	TAILQ_INIT(&c->pending);
	c->line = line;
	c->fd = -1;
	c->base = base;
	c->renewed = event_new(base, line, EV_READ | EV_PERSIST, on_renewed, c);
	c->patrol = event_new(base, -1, EV_PERSIST, on_patrol, c);
	if (!c->renewed || !c->patrol || event_add(c->renewed, NULL) != 0 || client_renew(c) != 0) {
		spawn_client_destroy(c);
		return -ENOMEM;
	}
	*out = c;
	return 0;
}

void spawn_client_destroy(struct spawn_client *c)
{
	struct pending *p;

	if (!c)
		return;
	c->works = false;
	for (uint32_t i = 0; i < SPAWN_MAX_REQUESTS; i++)
		if (c->slots[i].id != 0)
			slot_call_empty(c, &c->slots[i], SPAWN_CANCELLED);
	while ((p = TAILQ_FIRST(&c->pending)) != NULL)
		pending_free(c, p);
	if (c->renewed)
		event_free(c->renewed);
	if (c->readable)
		event_free(c->readable);
	if (c->writable)
		event_free(c->writable);
	if (c->patrol)
		event_free(c->patrol);
	if (c->fd >= 0)
		close(c->fd);
	close(c->line);
	free(c->netns);
	free(c);
}

int spawn_client_set_parallel(struct spawn_client *c, uint32_t parallel)
{
	if (parallel == 0 || parallel > SPAWN_MAX_PARALLEL)
		return -EINVAL;
	c->parallel = parallel; /* for later spawners as well */
	return c->works ? head_put(c, SPAWN_MSG_PARALLEL, parallel) : 0;
}

int spawn_client_set_netns(struct spawn_client *c, const char *netns)
{
	char *copy = netns ? strdup(netns) : NULL;

	if (netns && !copy)
		return -ENOMEM;
	free(c->netns);
	c->netns = copy;
	return 0;
}

bool spawn_client_works(const struct spawn_client *c)
{
	return c->works;
}

void spawn_client_counters(const struct spawn_client *c, struct spawn_counters *out)
{
	*out = c->counters;
}
