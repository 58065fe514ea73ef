/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/memory_trim.h"

#include <errno.h>
#include <malloc.h>

#include "control/control_internal.h"

static void trim(void *arg)
{
	(void)arg;
	(void)malloc_trim(0);
}

static void trimmed(void *arg)
{
	struct memory_trim *t = arg;

	t->busy = false;
}

static void on_trim(evutil_socket_t fd, short what, void *arg)
{
	struct control *c = arg;
	struct memory_trim *t = &c->memory_trim;

	(void)fd;
	(void)what;
	/* Work under way will free memory as well. */
	if (t->busy || c->turn || !TAILQ_EMPTY(&c->listings.list)) {
		memory_trim_soon(c);
		return;
	}
	t->busy = true;
	t->job = (struct job){.work = trim, .done = trimmed, .arg = t};
	jobs_run(c->idle_jobs, &t->job);
}

void memory_trim_soon(struct control *c)
{
	static const struct timeval soon = {.tv_sec = 1};

	if (c->memory_trim.ev)
		evtimer_add(c->memory_trim.ev, &soon);
}

int memory_trim_start(struct control *c)
{
	/* Without malloc()'s list of small free pieces: each free of a large piece would walk over
	 * the list, and pieces on the list keep their pages from going back. */
	(void)mallopt(M_MXFAST, 0);
	c->memory_trim.ev = evtimer_new(c->base, on_trim, c);
	return c->memory_trim.ev ? 0 : -ENOMEM;
}

void memory_trim_stop(struct control *c)
{
	if (c->memory_trim.ev)
		event_free(c->memory_trim.ev);
	c->memory_trim.ev = NULL;
}
