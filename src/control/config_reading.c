/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers that are made from the whole configuration, or that save it. */
#include <errno.h>
#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/control_internal.h"
#include "rpc/json_dump.h"

/* In a turn: no request changes the configuration while the other thread reads it. */
struct reading {
	struct pending pending;
	struct turn turn;
	struct job job;
	const struct config *config;
	reading_make *make; /* the answer; NULL: save to path */
	enum config_part part;
	char *path, *before; /* before: where the bytes from before are kept */
	struct evbuffer *out;
	struct config_errors errors;
	int ret;
};

static void reading_work(void *arg)
{
	struct reading *r = arg;
	json_t *doc;

	if (r->path) {
		r->ret = config_save(r->config, r->path, &r->before, &r->errors);
		return;
	}
	doc = r->make(r->config, r->part);
	r->out = evbuffer_new();
	if (!doc || !r->out || json_dump_evbuffer(doc, false, r->out) < 0)
		r->ret = -ENOMEM;
	json_decref(doc);
}

static void reading_free(struct pending *l)
{
	struct reading *r = (struct reading *)l;

	if (r->out)
		evbuffer_free(r->out);
	config_errors_fini(&r->errors);
	free(r->path);
	free(r->before);
	free(r);
}

static void reading_done(void *arg)
{
	struct reading *r = arg;
	struct control *c = r->pending.control;

	if (r->path && r->ret < 0) {
		if (r->errors.reason != -ENOMEM)
			r->errors.reason = -EIO;
		fail_config(r->pending.req, &r->errors);
	} else if (r->path) {
		log_notice(CONTROL_AREA, "configuration saved to %s", r->path);
		if (c->config_path && strcmp(r->path, c->config_path) == 0)
			versions_in_file(c);
		rpc_answer(r->pending.req,
			   json_pack("{s:s, s:s?}", "path", r->path, "before", r->before));
	} else if (r->ret < 0) {
		rpc_fail(r->pending.req, RPC_INTERNAL, NULL, "out of memory");
	} else {
		rpc_answer_text(r->pending.req, r->out);
	}
	pending_end(&r->pending);
	turn_end(c);
}

static void reading_begin(struct control *c, struct turn *t)
{
	struct reading *r = turn_owner(t, struct reading);

	r->config = c->config;
	r->job = (struct job){.work = reading_work, .done = reading_done, .arg = r};
	jobs_run(c->jobs, &r->job);
}

static void reading_start(struct control *c, struct rpc_request *req, reading_make *make,
			  enum config_part part, const char *path)
{
	static const struct pending_kind kind = {.free = reading_free};
	struct reading *r = pending_create(c, req, sizeof(*r), &kind);

	if (!r)
		return;
	config_errors_init(&r->errors);
	r->turn.begin = reading_begin;
	if (path && !(r->path = strdup(path))) {
		pending_fail(&r->pending, RPC_INTERNAL, NULL, "out of memory");
		pending_end(&r->pending);
		return;
	}
	r->make = make;
	r->part = part;
	turn_take(c, &r->turn);
}

void answer_read(struct control *c, struct rpc_request *req, reading_make *make,
		 enum config_part part)
{
	reading_start(c, req, make, part, NULL);
}

void answer_saved(struct control *c, struct rpc_request *req, const char *path)
{
	reading_start(c, req, NULL, CONFIG_ALL, path);
}
