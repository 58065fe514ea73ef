/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/late.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "control/control_internal.h"

#define STOP_US 1000000 /* for all of them */

void *late_create(struct control *c, struct rpc_request *req, size_t size,
		  const struct late_kind *kind)
{
	struct late *l = calloc(1, size);

	if (!l) {
		if (req)
			rpc_fail(req, RPC_INTERNAL, NULL, "out of memory");
		return NULL;
	}
	l->control = c;
	l->req = req;
	l->kind = kind;
	TAILQ_INSERT_TAIL(&c->late, l, entry);
	return l;
}

void late_answer(struct late *l, json_t *result)
{
	if (l->req)
		rpc_answer(l->req, result);
	else
		json_decref(result);
	l->req = NULL;
}

void late_fail(struct late *l, enum rpc_code code, json_t *data, const char *fmt, ...)
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

void late_end(struct late *l)
{
	TAILQ_REMOVE(&l->control->late, l, entry);
	l->kind->free(l);
}

void late_stop(struct control *c)
{
	const uint64_t deadline_us = clock_us() + STOP_US;
	struct late *l, *next;

	TAILQ_FOREACH(l, &c->late, entry)
	{
		late_fail(l, RPC_INTERNAL, NULL, "plvs is stopping");
	}
	for (l = TAILQ_FIRST(&c->late); l; l = next) {
		next = TAILQ_NEXT(l, entry);
		if (!l->kind->stop || l->kind->stop(l, deadline_us))
			late_end(l);
	}
}

void late_free(struct control *c)
{
	while (!TAILQ_EMPTY(&c->late))
		late_end(TAILQ_FIRST(&c->late));
}
