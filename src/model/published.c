/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/published.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* items is a ring of `capacity`, a power of two; head is the oldest. */

void retire_list_init(struct retire_list *l, const struct grace *grace)
{
	memset(l, 0, sizeof(*l));
	l->grace = grace;
}

static struct retired retire_pop(struct retire_list *l)
{
	struct retired r = l->items[l->head];

	l->head = (l->head + 1) & (l->capacity - 1);
	l->n--;
	return r;
}

void retire_list_fini(struct retire_list *l)
{
	while (l->n > 0) {
		struct retired r = retire_pop(l);

		r.destroy(r.object);
	}
	free(l->items);
	memset(l, 0, sizeof(*l));
}

static int retire_grow(struct retire_list *l)
{
	uint32_t capacity = l->capacity ? l->capacity * 2 : 64;
	struct retired *items = calloc(capacity, sizeof(*items));

	if (items == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < l->n; i++)
		items[i] = l->items[(l->head + i) & (l->capacity - 1)];
	free(l->items);
	l->items = items;
	l->capacity = capacity;
	l->head = 0;
	return 0;
}

static void grace_wait(const struct grace *g, uint64_t token)
{
	static const struct timespec pause = {.tv_nsec = 1000000};

	while (!g->passed(g->arg, token))
		nanosleep(&pause, NULL);
}

void retire(struct retire_list *l, void *object, void (*destroy)(void *object))
{
	uint64_t token;

	if (object == NULL)
		return;
	token = l->grace->start(l->grace->arg);
	if (l->n == l->capacity && retire_grow(l) < 0) {
		grace_wait(l->grace, token);
		destroy(object);
		return;
	}
	l->items[(l->head + l->n++) & (l->capacity - 1)] =
		(struct retired){.object = object, .destroy = destroy, .token = token};
}

uint32_t retire_poll(struct retire_list *l)
{
	while (l->n > 0 && l->grace->passed(l->grace->arg, l->items[l->head].token)) {
		struct retired r = retire_pop(l);

		r.destroy(r.object);
	}
	return l->n;
}
