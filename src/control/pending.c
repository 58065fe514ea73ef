/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/pending.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "control/control_internal.h"

#define STOP_US 1000000 /* for all of them */

void *pending_create(struct control *c, struct rpc_request *req, size_t size,
		     const struct pending_kind *kind)
{
	struct pending *l = calloc(1, size);

	if (!l) {
		if (req)
			rpc_fail(req, RPC_INTERNAL, NULL, "out of memory");
		return NULL;
	}
	l->control = c;
	l->req = req;
	l->kind = kind;
	l->unasked = !req;
	c->n_unasked += l->unasked;
	TAILQ_INSERT_TAIL(&c->pending, l, entry);
	return l;
}

void pending_answer(struct pending *l, json_t *result)
{
	if (l->req)
		rpc_answer(l->req, result);
	else
		json_decref(result);
	l->req = NULL;
}

void pending_fail(struct pending *l, enum rpc_code code, json_t *data, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (l->req)
		rpc_fail(l->req, code, data, "%s", text);
	else
		json_decref(data);
	l->req = NULL;
}

void pending_reload_end(struct control *c)
{
	if (c->n_unasked == 0)
		__atomic_store_n(&c->reloads_ended, c->reloads_begun, __ATOMIC_RELEASE);
}

void pending_end(struct pending *l)
{
	struct control *c = l->control;

	TAILQ_REMOVE(&c->pending, l, entry);
	if (l->unasked && --c->n_unasked == 0)
		pending_reload_end(c);
	l->kind->free(l);
}

void pending_stop(struct control *c)
{
	const uint64_t deadline_us = clock_us() + STOP_US;
	struct pending *l, *next;

	TAILQ_FOREACH(l, &c->pending, entry)
	{
		pending_fail(l, RPC_INTERNAL, NULL, "plvs is stopping");
	}
	for (l = TAILQ_FIRST(&c->pending); l; l = next) {
		next = TAILQ_NEXT(l, entry);
		if (!l->kind->stop || l->kind->stop(l, deadline_us))
			pending_end(l);
	}
}

void pending_free(struct control *c)
{
	while (!TAILQ_EMPTY(&c->pending))
		pending_end(TAILQ_FIRST(&c->pending));
}
