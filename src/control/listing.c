/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/listing.h"

#include <errno.h>
#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "rpc/json_dump.h"

#define STEP_US	     500	   /* of work on one listing */
#define ROUND_US     2000	   /* of work on all of them before others of the loop run */
#define PAUSE_BYTES  (4UL << 20)   /* that wait for a client: its listings wait as well */
#define PAUSE_US     20000	   /* when all of them wait */
#define MAX_RESTARTS 3		   /* then it is finished in one go */
#define MANY	     1000	   /* services: their text is worth giving back */
#define MAX_BYTES    (192UL << 20) /* of one answer */

struct listing {
	struct pending pending;
	TAILQ_ENTRY(listing) entry; /* of control.listings */
	const struct listing_section *sections[LISTING_SECTIONS_MAX];
	size_t n_sections, section;
	uint32_t service; /* of the section: the next one */
	bool rows;	  /* the section has one */
	/* As the walk found them: a change begins it again. */
	const struct config *config;
	uint32_t n_services;
	uint32_t restarts;
	struct traffic_sum *removed;
	json_t *params;
	struct evbuffer *text;
	/* Of a stream, which has no sections. */
	json_t *(*more)(struct control *c, uint32_t *place);
	uint32_t place;
};

static void listing_free(struct pending *pending)
{
	struct listing *l = (struct listing *)pending;
	struct listings *all = &pending->control->listings;

	if (all->next == l)
		all->next = TAILQ_NEXT(l, entry);
	TAILQ_REMOVE(&all->list, l, entry);
	if (l->text && l->n_services > MANY)
		memory_trim_soon(pending->control);
	if (l->text)
		evbuffer_free(l->text);
	free(l->removed);
	json_decref(l->params);
	free(l);
}

static const struct pending_kind kind = {.free = listing_free};

static void listing_destroy(struct listing *l)
{
	pending_end(&l->pending);
}

static void begin(struct listing *l)
{
	evbuffer_drain(l->text, evbuffer_get_length(l->text));
	l->section = 0;
	l->service = 0;
	l->rows = false;
	l->config = l->pending.control->config;
	l->n_services = l->config->shared.n_services;
}

static void add_rows(struct listing *l, json_t *rows)
{
	for (size_t i = 0; i < json_array_size(rows); i++) {
		evbuffer_add(l->text, ",", l->rows ? 1 : 0);
		json_dump_evbuffer(json_array_get(rows, i), false, l->text);
		l->rows = true;
	}
	json_decref(rows);
}

static int text_add(const char *text, size_t n, void *arg)
{
	return evbuffer_add(arg, text, n);
}

static void add_service(struct listing *l, const struct listing_section *s,
			const struct config_service *svc)
{
	const struct listing_given given = {l->removed, l->params};
	struct json_writer w;
	json_t *rows;

	if (!s->write) {
		rows = json_array();
		s->of_service(l->pending.control, svc, &given, rows);
		add_rows(l, rows);
		return;
	}
	json_writer_init(&w, text_add, l->text);
	json_writer_put(&w, ",", l->rows ? 1 : 0);
	s->write(l->pending.control, svc, &given, &w);
	(void)json_writer_end(&w);
	l->rows = true;
}

/* Adds the rows of the next service, or all rows of a section without services. False: all sections
 * are done. */
static bool advance(struct listing *l)
{
	const struct listing_section *s;
	bool first;

	if (l->section == l->n_sections) {
		evbuffer_add(l->text, "}", 1);
		return false;
	}
	s = l->sections[l->section];
	first = l->service == 0;
	if (first) {
		evbuffer_add_printf(l->text, "%s\"%s\":[", l->section ? "," : "{", s->key);
		l->rows = false;
	}
	if (s->all) {
		add_rows(l, s->all(l->pending.control));
	} else if (l->service < l->n_services) {
		add_service(l, s, l->config->shared.services[l->service]);
		l->service++;
		if (l->service < l->n_services)
			return true;
	}
	evbuffer_add(l->text, "]", 1);
	l->section++;
	l->service = 0;
	return true;
}

/* May end the listing. */
static void step(struct listing *l)
{
	uint64_t end = clock_us() + STEP_US;
	bool more = true;

	if (rpc_closed(l->pending.req)) {
		rpc_answer(l->pending.req, NULL);
		listing_destroy(l);
		return;
	}
	if (l->config != l->pending.control->config ||
	    l->n_services != l->pending.control->config->shared.n_services) {
		l->restarts++;
		begin(l);
	}
	while (more && (l->restarts > MAX_RESTARTS || clock_us() < end))
		more = advance(l);
	if (evbuffer_get_length(l->text) > MAX_BYTES) {
		rpc_fail(l->pending.req, RPC_LIMIT, NULL,
			 "limit reached: the answer is larger than %lu MiB: ask for single "
			 "services",
			 MAX_BYTES >> 20);
	} else if (!more) {
		rpc_answer_text(l->pending.req, l->text);
	} else {
		return;
	}
	listing_destroy(l);
}

static void stream_step(struct listing *l)
{
	json_t *rows = rpc_closed(l->pending.req) ? NULL : l->more(l->pending.control, &l->place);

	if (rows) {
		rpc_rows(l->pending.req, rows);
		return;
	}
	rpc_answer(l->pending.req, json_pack("{s:I}", "count", (json_int_t)l->place));
	listing_destroy(l);
}

static void round_soon(struct listings *all, uint64_t after_us)
{
	const struct timeval tv = {0, (suseconds_t)after_us};

	if (!TAILQ_EMPTY(&all->list))
		event_add(all->round_ev, &tv);
}

/*
 * Clients share the time for listings: in each round the oldest listing of each client has one
 * step, however many the client asked for. A client that does not read gets no further text.
 */
static void on_round(evutil_socket_t fd, short what, void *arg)
{
	struct listings *all = arg;
	uint64_t end = clock_us() + ROUND_US;
	bool worked = true;

	(void)fd;
	(void)what;
	while (clock_us() < end) {
		struct listing *l = all->next;

		if (!l) {
			if (!worked || TAILQ_EMPTY(&all->list))
				break;
			worked = false;
			all->round++;
			all->next = TAILQ_FIRST(&all->list);
			continue;
		}
		all->next = TAILQ_NEXT(l, entry);
		if (rpc_backlog(l->pending.req) > PAUSE_BYTES ||
		    !rpc_round(l->pending.req, all->round))
			continue;
		worked = true;
		if (l->more)
			stream_step(l);
		else
			step(l);
	}
	round_soon(all, worked ? 0 : PAUSE_US);
}

/* NULL: req has ended. */
static struct listing *listing_create(struct control *c, struct rpc_request *req)
{
	struct listing *l = pending_create(c, req, sizeof(*l), &kind);

	if (!l)
		return NULL;
	TAILQ_INSERT_TAIL(&c->listings.list, l, entry);
	round_soon(&c->listings, 0);
	return l;
}

void listing_start(struct control *c, struct rpc_request *req, json_t *params,
		   const struct listing_section *const *sections, size_t n)
{
	struct listing *l = listing_create(c, req);

	if (!l)
		return;
	memcpy(l->sections, sections, n * sizeof(*sections));
	l->n_sections = n;
	l->params = json_incref(params);
	l->text = evbuffer_new();
	l->removed = traffic_of_removed(&c->traffic);
	if (!l->text || !l->removed) {
		pending_fail(&l->pending, RPC_INTERNAL, NULL, "out of memory");
		listing_destroy(l);
		return;
	}
	begin(l);
}

void listing_stream(struct control *c, struct rpc_request *req,
		    json_t *(*more)(struct control *c, uint32_t *place))
{
	struct listing *l = listing_create(c, req);

	if (l)
		l->more = more;
}

int listings_start(struct control *c)
{
	c->listings.round_ev = event_new(c->base, -1, 0, on_round, &c->listings);
	return c->listings.round_ev ? 0 : -ENOMEM;
}

void listings_stop(struct control *c)
{
	if (c->listings.round_ev)
		event_free(c->listings.round_ev);
	c->listings.round_ev = NULL;
}
