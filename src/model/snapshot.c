/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/aligned.h"
#include "model/mark.h"

#define HELD 64 /* services of one holder */

/* The references of 64 services' nodes. Snapshots share holders, so a copy of the root counts a
 * hundredth of the nodes; the nodes themselves, spread over memory, stay where they are. */
struct service_holder {
	uint32_t refs;
	struct service *services[HELD];
};

static size_t n_holders(uint32_t max_service_id)
{
	return (size_t)max_service_id / HELD + 1;
}

struct snapshot *snapshot_create(uint32_t max_service_id)
{
	struct snapshot *s =
		calloc(1, sizeof(*s) + ((size_t)max_service_id + 1) * sizeof(s->services[0]));

	if (s == NULL)
		return NULL;
	s->holders = calloc(n_holders(max_service_id), sizeof(struct service_holder *));
	if (s->holders == NULL) {
		free(s);
		return NULL;
	}
	s->max_service_id = max_service_id;
	return s;
}

struct snapshot *snapshot_clone(const struct snapshot *s, uint32_t max_service_id)
{
	struct snapshot *copy = snapshot_create(
		max_service_id > s->max_service_id ? max_service_id : s->max_service_id);

	if (copy == NULL)
		return NULL;
	copy->generation = s->generation;
	copy->ipvs = s->ipvs;
	snapshot4_share(copy, s);
	snapshot6_share(copy, s);
	copy->marks = s->marks;
	if (copy->marks != NULL)
		copy->marks->refs++;
	memcpy(copy->services, s->services,
	       ((size_t)s->max_service_id + 1) * sizeof(s->services[0]));
	for (size_t i = 0; i < n_holders(s->max_service_id); i++) {
		copy->holders[i] = s->holders[i];
		if (copy->holders[i] != NULL)
			copy->holders[i]->refs++;
	}
	return copy;
}

static void holder_put(struct service_holder *h)
{
	if (h == NULL || --h->refs > 0)
		return;
	for (size_t i = 0; i < HELD; i++)
		service_put(h->services[i]);
	free(h);
}

/* The holder of a service, which no other snapshot has. NULL: out of memory. */
static struct service_holder *holder_own(struct snapshot *s, uint32_t id)
{
	struct service_holder *h = s->holders[id / HELD], *own;

	if (h != NULL && h->refs == 1)
		return h;
	own = calloc(1, sizeof(*own));
	if (own == NULL)
		return NULL;
	own->refs = 1;
	for (size_t i = 0; h != NULL && i < HELD; i++) {
		own->services[i] = h->services[i];
		if (own->services[i] != NULL)
			own->services[i]->refs++;
	}
	holder_put(h);
	s->holders[id / HELD] = own;
	return own;
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

int snapshot_set_service(struct snapshot *s, uint32_t id, struct service *svc)
{
	struct service_holder *h = holder_own(s, id);
	struct service *old = s->services[id];

	if (h == NULL)
		return -ENOMEM;
	s->services[id] = h->services[id % HELD] = svc;
	service_put(old);
	return 0;
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
	for (size_t i = 0; i < n_holders(s->max_service_id); i++)
		holder_put(s->holders[i]);
	free(s->holders);
	free(s);
}

struct service *service_create(uint32_t n_servers, uint32_t n_listen)
{
	size_t servers = (size_t)n_servers * sizeof(struct server);
	size_t size = sizeof(struct service) + servers + n_listen * sizeof(struct endpoint);
	struct service *svc;

	/* In whole lines, as struct server wants. The listeners follow the servers. */
	size = (size + _Alignof(struct service) - 1) & ~(_Alignof(struct service) - 1);
	svc = aligned_get(_Alignof(struct service), size);
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
	aligned_put(svc);
}
