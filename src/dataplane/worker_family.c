/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "dataplane/pages.h"
#include "dataplane/worker.h"

static size_t stamps_size(uint32_t capacity)
{
	return sizeof(uint32_t) * ((size_t)capacity + 1);
}

static size_t proxies_size(uint32_t capacity)
{
	return sizeof(struct proxy_start) * ((size_t)capacity + 1);
}

static size_t places_size(uint32_t capacity)
{
	return sizeof(struct local_place) * ((size_t)capacity + 1);
}

int FAM_FN(worker, init)(struct worker *w, uint32_t capacity, uint64_t seed)
{
	struct FAM(worker) *f = &w->FAM(v);
	int ret;

	seed *= 0x9e3779b97f4a7c15ULL;
	ret = FAM_FN(table, create)(&f->table, capacity, w->socket, seed);

	if (ret < 0)
		return ret;
	ret = wheel_init(&f->wheel, f->table.conns, sizeof(struct FAM(conn)), capacity + 1,
			 w->socket, 0);
	if (ret < 0)
		goto err_table;
	ret = FAM_FN(give_way, init)(&f->way, capacity, w->socket, seed + w->id);
	if (ret < 0)
		goto err_wheel;
	ret = FAM_FN(local_ports, create)(&f->ports, local_port_groups(capacity), w->socket,
					  seed + w->id, 0);
	if (ret < 0)
		goto err_way;
	f->follow = pages_alloc(sizeof(*f->follow), w->socket);
	f->syn_stamps = pages_alloc(stamps_size(capacity), w->socket);
	f->proxies = pages_alloc(proxies_size(capacity), w->socket);
	f->places = pages_alloc(places_size(capacity), w->socket);
#if FAMILY == 4
	f->table.locals = f->ports.locals;
#endif
	if (f->follow && f->syn_stamps && f->proxies && f->places)
		return 0;
	ret = -ENOMEM;
	pages_free(f->follow, sizeof(*f->follow));
	pages_free(f->syn_stamps, stamps_size(capacity));
	pages_free(f->proxies, proxies_size(capacity));
	pages_free(f->places, places_size(capacity));
	FAM_FN(local_ports, destroy)(&f->ports);
err_way:
	FAM_FN(give_way, fini)(&f->way);
err_wheel:
	wheel_fini(&f->wheel);
err_table:
	FAM_FN(table, destroy)(&f->table);
	return ret;
}

void FAM_FN(worker, fini)(struct worker *w)
{
	struct FAM(worker) *f = &w->FAM(v);

	pages_free(f->follow, sizeof(*f->follow));
	pages_free(f->syn_stamps, stamps_size(f->table.capacity));
	pages_free(f->proxies, proxies_size(f->table.capacity));
	pages_free(f->places, places_size(f->table.capacity));
	FAM_FN(local_ports, destroy)(&f->ports);
	FAM_FN(give_way, fini)(&f->way);
	wheel_fini(&f->wheel);
	FAM_FN(table, destroy)(&f->table);
}
