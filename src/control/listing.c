/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/listing.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

#define STEP_US	     500	   /* of work before others have their turn */
#define MAX_RESTARTS 3		   /* then it is finished in one go */
#define MAX_BYTES    (192UL << 20) /* of one answer */

struct listing {
	TAILQ_ENTRY(listing) entry;
	struct control *control;
	struct rpc_request *req;
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
	struct event *step_ev;
	/* Of a stream, which has no sections. */
	json_t *(*more)(struct control *c, uint32_t *place);
	uint32_t place;
};

static void listing_destroy(struct listing *l)
{
	TAILQ_REMOVE(&l->control->listings, l, entry);
	if (l->step_ev)
		event_free(l->step_ev);
	if (l->text)
		evbuffer_free(l->text);
	free(l->removed);
	json_decref(l->params);
	free(l);
}

static void begin(struct listing *l)
{
	evbuffer_drain(l->text, evbuffer_get_length(l->text));
	l->section = 0;
	l->service = 0;
	l->rows = false;
	l->config = l->control->config;
	l->n_services = l->config->shared.n_services;
}

static int dump(const char *data, size_t len, void *out)
{
	return evbuffer_add(out, data, len);
}

static void add_rows(struct listing *l, json_t *rows)
{
	for (size_t i = 0; i < json_array_size(rows); i++) {
		evbuffer_add(l->text, ",", l->rows ? 1 : 0);
		json_dump_callback(json_array_get(rows, i), dump, l->text, JSON_COMPACT);
		l->rows = true;
	}
	json_decref(rows);
}

/* One service, or a section without services. False: all is done. */
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
		add_rows(l, s->all(l->control));
	} else if (l->service < l->n_services) {
		const struct listing_given given = {l->removed, l->params};
		json_t *rows = json_array();

		s->of_service(l->control, l->config->shared.services[l->service], &given, rows);
		add_rows(l, rows);
		l->service++;
		if (l->service < l->n_services)
			return true;
	}
	evbuffer_add(l->text, "]", 1);
	l->section++;
	l->service = 0;
	return true;
}

static void step(struct listing *l)
{
	static const struct timeval now = {0};
	uint64_t end = clock_us() + STEP_US;
	bool more = true;

	if (l->config != l->control->config ||
	    l->n_services != l->control->config->shared.n_services) {
		l->restarts++;
		begin(l);
	}
	while (more && (l->restarts > MAX_RESTARTS || clock_us() < end))
		more = advance(l);
	if (evbuffer_get_length(l->text) > MAX_BYTES) {
		rpc_fail(l->req, RPC_LIMIT, NULL,
			 "limit reached: the answer is larger than %lu MiB: ask for single "
			 "services",
			 MAX_BYTES >> 20);
	} else if (!more) {
		rpc_answer_text(l->req, l->text);
	} else if (rpc_gone(l->req)) {
		rpc_answer(l->req, NULL);
	} else {
		event_add(l->step_ev, &now);
		return;
	}
	listing_destroy(l);
}

static void stream_step(struct listing *l)
{
	static const struct timeval now = {0};
	json_t *rows = rpc_gone(l->req) ? NULL : l->more(l->control, &l->place);

	if (rows) {
		rpc_rows(l->req, rows);
		event_add(l->step_ev, &now);
		return;
	}
	rpc_answer(l->req, json_pack("{s:I}", "count", (json_int_t)l->place));
	listing_destroy(l);
}

static void on_step(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	if (((struct listing *)arg)->more)
		stream_step(arg);
	else
		step(arg);
}

void listing_start(struct control *c, struct rpc_request *req, json_t *params,
		   const struct listing_section *const *sections, size_t n)
{
	struct listing *l = calloc(1, sizeof(*l));

	if (!l) {
		rpc_fail(req, RPC_INTERNAL, NULL, "out of memory");
		return;
	}
	l->control = c;
	l->req = req;
	memcpy(l->sections, sections, n * sizeof(*sections));
	l->n_sections = n;
	l->params = json_incref(params);
	TAILQ_INSERT_TAIL(&c->listings, l, entry);
	l->text = evbuffer_new();
	l->removed = traffic_of_removed(&c->traffic);
	l->step_ev = event_new(c->base, -1, 0, on_step, l);
	if (!l->text || !l->removed || !l->step_ev) {
		rpc_fail(req, RPC_INTERNAL, NULL, "out of memory");
		listing_destroy(l);
		return;
	}
	begin(l);
	step(l);
}

void listing_stream(struct control *c, struct rpc_request *req,
		    json_t *(*more)(struct control *c, uint32_t *place))
{
	struct listing *l = calloc(1, sizeof(*l));

	if (l)
		l->step_ev = event_new(c->base, -1, 0, on_step, l);
	if (!l || !l->step_ev) {
		free(l);
		rpc_fail(req, RPC_INTERNAL, NULL, "out of memory");
		return;
	}
	l->control = c;
	l->req = req;
	l->more = more;
	TAILQ_INSERT_TAIL(&c->listings, l, entry);
	stream_step(l);
}

void listings_stop(struct control *c)
{
	while (!TAILQ_EMPTY(&c->listings)) {
		struct listing *l = TAILQ_FIRST(&c->listings);

		rpc_fail(l->req, RPC_INTERNAL, NULL, "plvs is stopping");
		listing_destroy(l);
	}
}
