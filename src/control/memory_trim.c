/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/memory_trim.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#include "control/control_internal.h"

/* A change of one server copies tables and writes a text: up to this much stays for the next one,
 * which would otherwise wait for the system's pages. */
#define KEEP_BYTES (16U << 20)

/* Bytes of the process that no user of malloc() has: what malloc() keeps, and all that is not
 * malloc()'s. 0: not known. */
static uint64_t not_in_use(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	const struct mallinfo2 info = mallinfo2();
	const uint64_t in_use = info.uordblks + info.hblkhd;
	uint64_t pages = 0, bytes;

	if (!f)
		return 0;
	if (fscanf(f, "%*u %" SCNu64, &pages) != 1)
		pages = 0;
	(void)fclose(f);
	bytes = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	return bytes > in_use ? bytes - in_use : 0;
}

static void trim(void *arg)
{
	struct memory_trim *t = arg;
	const uint64_t now = not_in_use();

	if (now && now < t->left + KEEP_BYTES)
		return;
	(void)malloc_trim(0);
	t->left = not_in_use();
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
