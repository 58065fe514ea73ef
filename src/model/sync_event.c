/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/sync_event.h"

#include <stdlib.h>

#include "model/service.h"

struct sync_service sync_service_of(const struct service *svc)
{
	if (svc->fwmark || svc->n_listen == 0)
		return (struct sync_service){.mark = svc->fwmark,
					     .addr.family = svc->family ? svc->family : ADDR_V4};
	return (struct sync_service){
		.proto = svc->proto, .port = svc->listen[0].port, .addr = svc->listen[0].addr};
}

static struct identity_update *update_alloc(uint32_t n)
{
	return calloc(1, sizeof(struct identity_update) + n * sizeof(struct identity_entry));
}

struct identity_update *identity_update_create(const struct service *svc)
{
	struct identity_update *u = update_alloc(svc->n_servers);

	if (!u)
		return NULL;
	u->service_id = svc->rt->id;
	u->service = sync_service_of(svc);
	for (uint32_t i = 0; i < svc->n_servers; i++) {
		const struct server *s = &svc->servers[i];

		u->servers[u->n++] =
			(struct identity_entry){.id = s->rt->id, .addr = s->addr, .port = s->port};
	}
	return u;
}

struct identity_update *identity_update_gone(uint32_t service_id, uint32_t server_id)
{
	struct identity_update *u = update_alloc(1);

	if (!u)
		return NULL;
	u->service_id = service_id;
	if (server_id)
		u->servers[u->n++] = (struct identity_entry){.id = server_id};
	return u;
}

void identity_feed_push(struct identity_feed *f, struct identity_update *u)
{
	u->next = __atomic_load_n(&f->newest, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&f->newest, &u->next, u, true, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED))
		;
}

struct identity_update *identity_feed_take(struct identity_feed *f)
{
	struct identity_update *u, *in_order = NULL;

	if (!__atomic_load_n(&f->newest, __ATOMIC_RELAXED))
		return NULL;
	u = __atomic_exchange_n(&f->newest, NULL, __ATOMIC_ACQUIRE);
	while (u) {
		struct identity_update *next = u->next;

		u->next = in_order;
		in_order = u;
		u = next;
	}
	return in_order;
}

void identity_feed_fini(struct identity_feed *f)
{
	struct identity_update *u = identity_feed_take(f), *next;

	for (; u; u = next) {
		next = u->next;
		free(u);
	}
}
