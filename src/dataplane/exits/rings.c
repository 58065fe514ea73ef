/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/exits/rings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_ring_elem.h>

#include "base/error_text.h"
#include "dataplane/exits/doors.h"
#include "model/nexthop.h"

#define SPSC (RING_F_SP_ENQ | RING_F_SC_DEQ)

/* elem_size 0: pointers. NULL with rte_errno. */
static struct rte_ring *ring_make(uint32_t size, uint32_t elem_size, int socket, unsigned int flags,
				  const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static struct rte_ring *ring_make(uint32_t size, uint32_t elem_size, int socket, unsigned int flags,
				  const char *fmt, ...)
{
	char name[RTE_RING_NAMESIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	if (elem_size)
		return rte_ring_create_elem(name, elem_size, size, socket, flags);
	return rte_ring_create(name, size, socket, flags);
}

struct rte_ring *handoff_ring_create(unsigned int n_workers, int socket)
{
	const unsigned int size = handoff_ring_size(n_workers);
	struct rte_ring *r =
		rte_malloc_socket("plvs_handoff", (size_t)rte_ring_get_memsize(size),
				  RTE_CACHE_LINE_SIZE, socket < 0 ? SOCKET_ID_ANY : socket);

	if (!r) {
		rte_errno = ENOMEM;
	} else if (rte_ring_init(r, "plvs_handoff", size, SPSC) != 0) {
		rte_free(r);
		r = NULL;
	}
	return r;
}

void handoff_ring_free(struct rte_ring *r)
{
	rte_free(r);
}

/* Rings that w consumes, and those to the link thread. */
static int worker_rings_create(struct dataplane *dp, struct worker *w)
{
	struct worker_exchange *x = w->exchange;

	w->commands = ring_make(COMMAND_RING_SIZE, 0, w->socket, RING_F_SC_DEQ, "plvs%s_cmd_%u",
				dp->suffix, w->id);
	x->inject = ring_make(INJECT_RING_SIZE, 0, w->socket, SPSC, "plvs%s_inject_%u", dp->suffix,
			      w->id);
	x->resolve = ring_make(RESOLVE_RING_SIZE, sizeof(struct resolve_request), w->socket, SPSC,
			       "plvs%s_resolve_%u", dp->suffix, w->id);
	x->inject_first = ring_make(INJECT_FIRST_SIZE, 0, w->socket, SPSC, "plvs%s_first_%u",
				    dp->suffix, w->id);
	if (!w->commands || !x->inject || !x->inject_first || !x->resolve)
		return -ENOMEM;
	for (unsigned int class = 0; class < PUNT_MAX; class ++) {
		x->punt[class] = ring_make(PUNT_RING_SIZE, 0, w->socket, SPSC, "plvs%s_punt%u_%u",
					   dp->suffix, class, w->id);
		if (!x->punt[class])
			return -ENOMEM;
	}
	for (unsigned int from = 0; from < dp->n_workers; from++) {
		struct rte_ring *r;

		if (from == w->id)
			continue;
		r = handoff_ring_create(dp->n_workers, w->socket);
		if (!r)
			return -ENOMEM;
		w->ring_from[from] = r;
		dp->workers[from]->ring_to[w->id] = r;
		if (w->idle_sleep)
			dp->workers[from]->wake_to[w->id] = &w->exchange->wake;
	}
	return 0;
}

int rings_create(struct dataplane *dp, char error[ERROR_TEXT])
{
	for (unsigned int i = 0; i < dp->n_workers; i++) {
		if (worker_rings_create(dp, dp->workers[i]) == 0)
			continue;
		return error_text(error, -ENOMEM, "no memory for the rings of worker %u of %u: %s",
				  i, dp->n_workers, rte_strerror(rte_errno));
	}
	return 0;
}

static void parked_drain(struct worker *w)
{
	for (unsigned int i = 0; i < w->n_parked; i++)
		door_drop(w, w->parked[i].m, DROP_NH_UNRESOLVED);
	w->n_parked = 0;
	for (unsigned int i = 0; i < w->n_urgent; i++)
		door_drop(w, w->urgent[i], DROP_TX_FULL);
	w->n_urgent = 0;
	follow4_drain(w);
	follow6_drain(w);
	w->counters.parked = 0;
}

static void command_answer_empty(struct worker_command *cmd)
{
	uint64_t one = 1;
	int fd = cmd->eventfd;

	cmd->cursor = 0;
	__atomic_store_n(&cmd->done, 1, __ATOMIC_RELEASE);
	if (fd >= 0 && write(fd, &one, sizeof(one)) < 0)
		return; /* full: the reader wakes anyhow */
}

static void worker_rings_drain(struct dataplane *dp, struct worker *w)
{
	void *obj;

	for (unsigned int from = 0; from < dp->n_workers; from++) {
		while (w->ring_from[from] && rte_ring_dequeue(w->ring_from[from], &obj) == 0) {
			w->counters.ring_in++;
			door_drop(w, obj, DROP_RING_FULL);
		}
	}
	while (rte_ring_dequeue(w->exchange->inject, &obj) == 0) {
		w->counters.injected++;
		door_drop(w, obj, DROP_TX_FULL);
	}
	while (rte_ring_dequeue(w->exchange->inject_first, &obj) == 0) {
		w->counters.injected++;
		door_drop(w, obj, DROP_TX_FULL);
	}
	parked_drain(w);
	if (w->command)
		command_answer_empty(w->command);
	w->command = NULL;
	while (rte_ring_dequeue(w->commands, &obj) == 0)
		command_answer_empty(obj);
}

void rings_drain(struct dataplane *dp)
{
	for (unsigned int i = 0; i < dp->n_workers; i++)
		worker_rings_drain(dp, dp->workers[i]);
}

static void mbuf_ring_empty(struct rte_ring *r)
{
	void *m;

	while (r && rte_ring_dequeue(r, &m) == 0)
		rte_pktmbuf_free(m);
}

static void mbuf_ring_destroy(struct rte_ring *r)
{
	mbuf_ring_empty(r);
	rte_ring_free(r);
}

void rings_destroy(struct dataplane *dp)
{
	for (unsigned int i = 0; i < dp->n_workers; i++) {
		struct worker *w = dp->workers[i];
		struct worker_exchange *x = &dp->exchange.worker[i];

		if (!w)
			continue;
		for (unsigned int from = 0; from < dp->n_workers; from++) {
			mbuf_ring_empty(w->ring_from[from]);
			handoff_ring_free(w->ring_from[from]);
		}
		for (unsigned int class = 0; class < PUNT_MAX; class ++)
			mbuf_ring_destroy(x->punt[class]);
		mbuf_ring_destroy(x->inject);
		mbuf_ring_destroy(x->inject_first);
		rte_ring_free(x->resolve);
		rte_ring_free(w->commands);
	}
}
