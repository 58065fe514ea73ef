/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/mark.h"

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
	snapshot4_share(copy, s);
	snapshot6_share(copy, s);
	copy->marks = s->marks;
	if (copy->marks != NULL)
		copy->marks->refs++;
	for (uint32_t id = 0; id <= s->max_service_id && id <= max_service_id; id++) {
		copy->services[id] = s->services[id];
		if (copy->services[id] != NULL)
			copy->services[id]->refs++;
	}
	return copy;
}

struct addr_entry *snapshot_addrs(const struct snapshot *s, uint32_t *n)
{
	struct addr_entry *v = calloc(s->addrs4->n + s->addrs6->n + 1U, sizeof(*v));

	if (v == NULL)
		return NULL;
	addr_table4_list(s->addrs4, v);
	addr_table6_list(s->addrs6, v + s->addrs4->n);
	*n = s->addrs4->n + s->addrs6->n;
	return v;
}

void snapshot_set_service(struct snapshot *s, uint32_t id, struct service *svc)
{
	struct service *old = s->services[id];

	s->services[id] = svc;
	service_put(old);
}

void snapshot_set_marks(struct snapshot *s, struct mark_table *marks)
{
	struct mark_table *old = s->marks;

	s->marks = marks;
	mark_table_put(old);
}

void snapshot_destroy(struct snapshot *s)
{
	if (s == NULL)
		return;
	snapshot4_put(s);
	snapshot6_put(s);
	mark_table_put(s->marks);
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
