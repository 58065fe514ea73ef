/* SPDX-License-Identifier: BSD-3-Clause */
#include "spawn/notify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/log.h"
#include "spawn/spawner_wire.h"

#define TIME_LIMIT_MS 10000
#define BURST	      20
#define INTERVAL_MS   200
#define RETRY_MS      200 /* when the client takes no more */

struct entry {
	TAILQ_ENTRY(entry) link;
	struct notify *n;
	uint64_t id; /* while it runs */
	bool paid;   /* has its token */
	uint32_t skipped;
	char *json;
	char object[]; /* with its NUL */
};

TAILQ_HEAD(entries, entry);

struct notify {
	struct spawn_client *client;
	const char *area;
	struct event *timer;
	char **argv, *user, *group, *netns;
	uint32_t time_limit_ms, burst, interval_ms;
	uint32_t tokens;
	uint64_t refill_us; /* when the last token came, or would have come */
	bool failing, dropping;
	uint64_t dropped_said;
	struct entries waiting, running;
	struct notify_counters counters;
};

/* ---- tokens ---- */

static void tokens_refill(struct notify *n, uint64_t now)
{
	uint64_t interval = 1000 * (uint64_t)n->interval_ms;
	uint64_t came = (now - n->refill_us) / interval;

	if (came >= n->burst - n->tokens) {
		n->tokens = n->burst;
		n->refill_us = now;
	} else {
		n->tokens += (uint32_t)came;
		n->refill_us += came * interval;
	}
}

static bool token_take(struct notify *n)
{
	if (n->tokens == 0)
		return false;
	n->tokens--;
	return true;
}

/* ---- entries ---- */

static void entry_free(struct entry *e)
{
	free(e->json);
	free(e);
}

static bool object_runs(const struct notify *n, const char *object)
{
	const struct entry *e;

	TAILQ_FOREACH(e, &n->running, link)
	{
		if (strcmp(e->object, object) == 0)
			return true;
	}
	return false;
}

/* The last that waits for this object, or NULL. */
static struct entry *waiting_find(struct notify *n, const char *object)
{
	struct entry *e;

	TAILQ_FOREACH_REVERSE(e, &n->waiting, entries, link)
	{
		if (strcmp(e->object, object) == 0)
			return e;
	}
	return NULL;
}

/* ---- running ---- */

static void queue_run(struct notify *n);

static void timer_set(struct notify *n, uint32_t ms)
{
	const struct timeval tv = {ms / 1000, ms % 1000 * 1000};

	event_add(n->timer, &tv);
}

/* Length of the first line, for a log. */
static int first_line(const char *text)
{
	size_t len = strcspn(text, "\r\n");

	return len > 120 ? 120 : (int)len;
}

/* Once per edge: a program that fails a hundred times is one line. */
static void outcome_say(struct notify *n, const struct entry *e, const struct spawn_result *r)
{
	bool good = r->outcome == SPAWN_EXITED && r->code == 0;
	int len = first_line(r->error);
	char text[512];

	if (good == !n->failing)
		return;
	n->failing = !good;
	if (good)
		log_notice(n->area, "notify program %s works again", n->argv[0]);
	else
		log_warning(n->area, "notify program %s%s%.*s%s (told of %s)",
			    spawn_result_format(r, n->argv[0], text, sizeof(text)),
			    len ? ": \"" : "", len, r->error, len ? "\"" : "", e->object);
}

/* The spawner ended meanwhile: the program is run by the next one, unless a later transition of
 * the object waits already. */
static void entry_again(struct notify *n, struct entry *e)
{
	struct entry *newer = waiting_find(n, e->object);

	if (newer) {
		newer->skipped += e->skipped + 1;
		n->counters.coalesced++;
		entry_free(e);
	} else {
		TAILQ_INSERT_HEAD(&n->waiting, e, link);
		n->counters.waiting++;
	}
	timer_set(n, RETRY_MS);
}

static void on_done(void *arg, const struct spawn_result *r)
{
	struct entry *e = arg;
	struct notify *n = e->n;

	TAILQ_REMOVE(&n->running, e, link);
	n->counters.running--;
	if (r->outcome == SPAWN_NO_SPAWNER) {
		n->counters.sent--;
		outcome_say(n, e, r);
		entry_again(n, e);
		return;
	}
	if (r->outcome == SPAWN_EXITED && r->code == 0)
		n->counters.done++;
	else
		n->counters.failed++;
	if (r->outcome != SPAWN_CANCELLED) {
		outcome_say(n, e, r);
		queue_run(n);
	}
	entry_free(e);
}

/* ---- arguments with values of the document ---- */

static void value_put(FILE *f, const json_t *value)
{
	if (json_is_string(value))
		fputs(json_string_value(value), f);
	else if (json_is_integer(value))
		fprintf(f, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_boolean(value))
		fputs(json_is_true(value) ? "true" : "false", f);
}

/* New; NULL: no memory. */
static char *arg_fill(const char *arg, const json_t *doc)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	while (f && *arg) {
		const size_t key = strncmp(arg, "%{", 2) == 0 ? strcspn(arg + 2, "}") : 0;

		if (key && arg[2 + key]) {
			value_put(f, json_object_getn(doc, arg + 2, key));
			arg += key + 3;
		} else {
			fputc(*arg++, f);
		}
	}
	if (f)
		fclose(f);
	return text;
}

static void args_free(char **argv)
{
	for (char **arg = argv; arg && *arg; arg++)
		free(*arg);
	free(argv);
}

/* The arguments of a program that is told of the document. New; NULL: no memory. */
static char **args_fill(char *const *argv, const char *json)
{
	json_t *doc = json_loads(json, 0, NULL);
	char **filled;
	size_t n = 0;

	while (argv[n])
		n++;
	filled = calloc(n + 1, sizeof(*filled));
	for (size_t i = 0; filled && i < n; i++) {
		filled[i] = arg_fill(argv[i], doc);
		if (!filled[i]) {
			args_free(filled);
			filled = NULL;
		}
	}
	json_decref(doc);
	return filled;
}

/* 0, or what spawn_run() said. */
static int entry_start(struct notify *n, struct entry *e, char **argv)
{
	char object[NOTIFY_MAX_OBJECT + 16], skipped[32];
	const char *env[] = {object, skipped, NULL};
	struct spawn_request request = {
		.argv = (const char *const *)argv,
		.env = env,
		.user = n->user,
		.group = n->group,
		.netns = n->netns,
		.input = e->json,
		.input_len = strlen(e->json),
		.time_limit_ms = n->time_limit_ms,
	};

	snprintf(object, sizeof(object), "PLVS_OBJECT=%s", e->object);
	snprintf(skipped, sizeof(skipped), "PLVS_SKIPPED=%u", e->skipped);
	return spawn_run(n->client, &request, on_done, e, &e->id);
}

static int entry_run(struct notify *n, struct entry *e)
{
	char **argv = args_fill(n->argv, e->json);
	const int rc = argv ? entry_start(n, e, argv) : -ENOMEM;

	args_free(argv);
	return rc;
}

static void dropping_say(struct notify *n)
{
	if (!n->dropping || n->counters.waiting > NOTIFY_MAX_WAITING / 2)
		return;
	n->dropping = false;
	log_warning(n->area, "notify program %s: %llu notifications were dropped", n->argv[0],
		    (unsigned long long)(n->counters.dropped - n->dropped_said));
	n->dropped_said = n->counters.dropped;
}

/* Starts what may start; sets the timer for what waits for a token. */
static void queue_run(struct notify *n)
{
	struct entry *e, *next;
	bool unpaid = false;

	tokens_refill(n, clock_us());
	for (e = TAILQ_FIRST(&n->waiting); e; e = next) {
		int rc;

		next = TAILQ_NEXT(e, link);
		if (!e->paid)
			e->paid = token_take(n);
		unpaid = unpaid || !e->paid;
		if (!e->paid || n->counters.running >= NOTIFY_PARALLEL || object_runs(n, e->object))
			continue;
		rc = entry_run(n, e);
		if (rc == -ENOBUFS || rc == -ENOMEM || rc == -EPIPE) {
			timer_set(n, RETRY_MS);
			return;
		}
		TAILQ_REMOVE(&n->waiting, e, link);
		n->counters.waiting--;
		n->counters.sent++;
		n->counters.running++;
		TAILQ_INSERT_TAIL(&n->running, e, link);
		if (rc != 0) {
			const struct spawn_result r = {.outcome = SPAWN_NO_SPAWNER, .error = ""};

			TAILQ_REMOVE(&n->running, e, link);
			n->counters.running--;
			n->counters.failed++;
			outcome_say(n, e, &r);
			entry_free(e);
		}
	}
	dropping_say(n);
	if (unpaid)
		timer_set(n, n->interval_ms);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	queue_run(arg);
}

/* ---- what happened ---- */

static int entry_replace(struct notify *n, struct entry *e, const char *json)
{
	char *copy = strdup(json);

	if (!copy)
		return -ENOMEM;
	free(e->json);
	e->json = copy;
	e->skipped++;
	n->counters.coalesced++;
	return 0;
}

static int entry_add(struct notify *n, const char *object, const char *json)
{
	size_t len = strlen(object) + 1;
	struct entry *e = calloc(1, sizeof(*e) + len);

	if (!e || (e->json = strdup(json)) == NULL) {
		free(e);
		return -ENOMEM;
	}
	e->n = n;
	memcpy(e->object, object, len);
	TAILQ_INSERT_TAIL(&n->waiting, e, link);
	n->counters.waiting++;
	return 0;
}

static int drop(struct notify *n)
{
	if (!n->dropping)
		log_warning(n->area, "notify program %s: %u notifications wait, more are dropped",
			    n->argv[0], NOTIFY_MAX_WAITING);
	n->dropping = true;
	n->counters.dropped++;
	return -ENOBUFS;
}

int notify_send(struct notify *n, const char *object, const char *json)
{
	struct entry *same = waiting_find(n, object);
	bool full = n->counters.waiting >= NOTIFY_MAX_WAITING;
	int rc;

	if (strlen(object) > NOTIFY_MAX_OBJECT || strlen(json) > SPAWN_MAX_INPUT)
		return -E2BIG;
	tokens_refill(n, clock_us());
	if (same && (full || (!same->paid && n->tokens == 0)))
		rc = entry_replace(n, same, json);
	else if (full)
		rc = drop(n);
	else
		rc = entry_add(n, object, json);
	if (rc == 0)
		queue_run(n);
	return rc;
}

bool notify_idle(const struct notify *n)
{
	return n->counters.waiting == 0 && n->counters.running == 0;
}

void notify_counters(const struct notify *n, struct notify_counters *out)
{
	*out = n->counters;
}

/* ---- create, destroy ---- */

static char **list_copy(const char *const *list)
{
	uint32_t n = 0;
	char **copy;

	while (list[n])
		n++;
	copy = calloc(n + 1, sizeof(*copy));
	for (uint32_t i = 0; copy && i < n; i++)
		copy[i] = strdup(list[i]);
	for (uint32_t i = 0; copy && i < n; i++) {
		if (copy[i])
			continue;
		for (uint32_t k = 0; k < n; k++)
			free(copy[k]);
		free(copy);
		return NULL;
	}
	return copy;
}

static int text_copy(const char *text, char **out)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? -ENOMEM : 0;
}

int notify_create(struct event_base *base, struct spawn_client *client, const char *area,
		  const struct notify_config *config, struct notify **out)
{
	struct notify *n;

	if (!config->argv || !config->argv[0] || !config->argv[0][0])
		return -EINVAL;
	n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	TAILQ_INIT(&n->waiting);
	TAILQ_INIT(&n->running);
	n->client = client;
	n->area = area;
	n->time_limit_ms = config->time_limit_ms ? config->time_limit_ms : TIME_LIMIT_MS;
	n->burst = config->burst ? config->burst : BURST;
	n->interval_ms = config->interval_ms ? config->interval_ms : INTERVAL_MS;
	n->tokens = n->burst;
	n->refill_us = clock_us();
	n->argv = list_copy(config->argv);
	n->timer = evtimer_new(base, on_timer, n);
	if (!n->argv || !n->timer || text_copy(config->user, &n->user) != 0 ||
	    text_copy(config->group, &n->group) != 0 || text_copy(config->netns, &n->netns) != 0) {
		notify_destroy(n);
		return -ENOMEM;
	}
	*out = n;
	return 0;
}

void notify_destroy(struct notify *n)
{
	struct entry *e;

	if (!n)
		return;
	while ((e = TAILQ_FIRST(&n->waiting)) != NULL) {
		TAILQ_REMOVE(&n->waiting, e, link);
		entry_free(e);
	}
	/* Each is called back, and freed, before the call returns. */
	while ((e = TAILQ_FIRST(&n->running)) != NULL)
		spawn_cancel(n->client, e->id);
	if (n->timer)
		event_free(n->timer);
	args_free(n->argv);
	free(n->user);
	free(n->group);
	free(n->netns);
	free(n);
}
