/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/mark.h"

/* Slots for n entries: a power of two, at least half of them free. */
static uint32_t table_slots(uint32_t n)
{
	uint64_t slots = 4;

	while (slots < (uint64_t)n * 2)
		slots *= 2;
	return (uint32_t)slots;
}

struct addr_table4 *addr_table4_create(const struct addr_entry4 *entries, uint32_t n)
{
	uint32_t slots = table_slots(n);
	struct addr_table4 *t = calloc(1, sizeof(*t) + slots * sizeof(t->slots[0]));

	if (t == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	t->refs = 1;
	t->mask = slots - 1;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = addr4_hash(entries[i].addr);
		struct addr_entry4 *e;

		if (entries[i].kinds == 0)
			continue;
		for (e = &t->slots[at & t->mask]; e->kinds != 0 && e->addr != entries[i].addr;)
			e = &t->slots[++at & t->mask];
		if (e->kinds == 0) {
			*e = entries[i];
			t->n++;
			continue;
		}
		e->kinds |= entries[i].kinds;
		if (e->link == LINK_ANY)
			e->link = entries[i].link;
	}
	return t;
}

struct listener_table4 *listener_table4_create(const struct listener4 *entries, uint32_t n)
{
	uint32_t slots = table_slots(n);
	struct listener_table4 *t = calloc(1, sizeof(*t) + slots * sizeof(t->slots[0]));

	if (t == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	t->refs = 1;
	t->mask = slots - 1;
	for (uint32_t i = 0; i < n; i++) {
		const struct listener4 *l = &entries[i];
		uint32_t at = listener4_hash(l->proto, l->addr, l->port);

		if (listener_table4_find(t, l->proto, l->addr, l->port) != 0) {
			free(t);
			errno = EEXIST;
			return NULL;
		}
		while (t->slots[at & t->mask].proto != 0)
			at++;
		t->slots[at & t->mask] = *l;
		t->n++;
	}
	return t;
}

static void addr_table4_put(struct addr_table4 *t)
{
	if (t != NULL && --t->refs == 0)
		free(t);
}

static void listener_table4_put(struct listener_table4 *t)
{
	if (t != NULL && --t->refs == 0)
		free(t);
}

struct snapshot *snapshot_create(uint32_t max_service_id)
{
	struct snapshot *s =
		calloc(1, sizeof(*s) + ((size_t)max_service_id + 1) * sizeof(s->services[0]));

	if (s != NULL)
		s->max_service_id = max_service_id;
	return s;
}

struct snapshot *snapshot_clone(const struct snapshot *s, uint32_t max_service_id)
{
	struct snapshot *copy = snapshot_create(max_service_id);

	if (copy == NULL)
		return NULL;
	copy->generation = s->generation;
	copy->ipvs = s->ipvs;
	copy->addrs4 = s->addrs4;
	if (copy->addrs4 != NULL)
		copy->addrs4->refs++;
	copy->listeners4 = s->listeners4;
	if (copy->listeners4 != NULL)
		copy->listeners4->refs++;
	copy->owned4 = s->owned4;
	if (copy->owned4 != NULL)
		copy->owned4->refs++;
	copy->marks = s->marks;
	if (copy->marks != NULL)
		copy->marks->refs++;
	copy->cover4 = s->cover4;
	if (copy->cover4 != NULL)
		copy->cover4->refs++;
	for (uint32_t id = 0; id <= s->max_service_id && id <= max_service_id; id++) {
		copy->services[id] = s->services[id];
		if (copy->services[id] != NULL)
			copy->services[id]->refs++;
	}
	return copy;
}

void snapshot_set_service(struct snapshot *s, uint32_t id, struct service *svc)
{
	struct service *old = s->services[id];

	s->services[id] = svc;
	service_put(old);
}

void snapshot_set_addrs4(struct snapshot *s, struct addr_table4 *t)
{
	struct addr_table4 *old = s->addrs4;

	s->addrs4 = t;
	addr_table4_put(old);
}

void snapshot_set_listeners4(struct snapshot *s, struct listener_table4 *t)
{
	struct listener_table4 *old = s->listeners4;

	s->listeners4 = t;
	listener_table4_put(old);
}

void snapshot_set_owned4(struct snapshot *s, struct listener_table4 *t)
{
	struct listener_table4 *old = s->owned4;

	s->owned4 = t;
	listener_table4_put(old);
}

void snapshot_set_marks(struct snapshot *s, struct mark_table *marks)
{
	struct mark_table *old = s->marks;

	s->marks = marks;
	mark_table_put(old);
}

void snapshot_set_cover4(struct snapshot *s, struct mark_cover *cover)
{
	struct mark_cover *old = s->cover4;

	s->cover4 = cover;
	mark_cover_put(old);
}

void snapshot_destroy(struct snapshot *s)
{
	if (s == NULL)
		return;
	addr_table4_put(s->addrs4);
	listener_table4_put(s->listeners4);
	listener_table4_put(s->owned4);
	mark_table_put(s->marks);
	mark_cover_put(s->cover4);
	for (uint32_t id = 0; id <= s->max_service_id; id++)
		service_put(s->services[id]);
	free(s);
}

struct service *service_create(uint32_t n_servers, uint32_t n_listen)
{
	size_t servers = (size_t)n_servers * sizeof(struct server);
	size_t size = sizeof(struct service) + servers + n_listen * sizeof(struct endpoint);
	struct service *svc;

	/* In whole lines, as struct server wants. The listeners follow the servers. */
	size = (size + _Alignof(struct service) - 1) & ~(_Alignof(struct service) - 1);
	svc = aligned_alloc(_Alignof(struct service), size);
	if (svc == NULL)
		return NULL;
	memset(svc, 0, size);
	svc->refs = 1;
	svc->n_servers = n_servers;
	svc->n_listen = n_listen;
	svc->listen = (struct endpoint *)((char *)svc->servers + servers);
	return svc;
}

void service_put(struct service *svc)
{
	if (svc == NULL || --svc->refs > 0)
		return;
	if (svc->sched_release != NULL)
		svc->sched_release(svc);
	free(svc->name);
	free(svc);
}
