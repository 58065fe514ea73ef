/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/runtime.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/sparse.h"
#include "model/published.h"
#include "model/runtime_hosts.h"
#include "model/runtime_index.h"

struct runtime_leaver {
	struct service_rt *service; /* one of the two */
	struct server_rt *server;
	uint64_t token;
	bool forgotten;
};

/* --- Identity ---------------------------------------------------------------------- */

static uint32_t service_hash(const char *key)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (; *key != '\0'; key++)
		h = (h ^ (uint8_t)*key) * 0x100000001b3ULL;
	return (uint32_t)(h ^ h >> 32);
}

static uint32_t server_hash(uint32_t service_id, const struct endpoint *ep)
{
	uint64_t h = (uint64_t)service_id << 16 ^ ep->port;

	h = (h ^ (uint64_t)addr_hash(&ep->addr) << 32) * 0x9e3779b97f4a7c15ULL;
	return (uint32_t)((h ^ h >> 29) * 0xbf58476d1ce4e5b9ULL >> 32);
}

static uint32_t service_id_hash(const struct runtime *rt, uint32_t id)
{
	return service_hash(rt->services[id]->key);
}

static uint32_t server_id_hash(const struct runtime *rt, uint32_t id)
{
	return server_hash(rt->servers[id]->service_id, &rt->servers[id]->ep);
}

/* --- Registry ---------------------------------------------------------------------- */

/* Bytes of a table by id. */
#define BY_SERVER(table)  ((MAX_SERVERS + 1) * sizeof(*(table)))
#define BY_SERVICE(table) ((MAX_SERVICES + 1) * sizeof(*(table)))

int runtime_init(struct runtime *rt)
{
	memset(rt, 0, sizeof(*rt));
	rt->server_room = sparse_get(BY_SERVER(rt->server_room));
	rt->service_room = sparse_get(BY_SERVICE(rt->service_room));
	rt->servers = sparse_get(BY_SERVER(rt->servers));
	rt->services = sparse_get(BY_SERVICE(rt->services));
	rt->encaps = sparse_get(BY_SERVER(rt->encaps));
	rt->server_ids = calloc(MAX_SERVERS / 64 + 1, sizeof(rt->server_ids[0]));
	rt->service_ids = calloc(MAX_SERVICES / 64 + 1, sizeof(rt->service_ids[0]));
	if (runtime_set_workers(rt, 1) < 0 || rt->server_room == NULL || rt->service_room == NULL ||
	    rt->servers == NULL || rt->services == NULL || rt->server_ids == NULL ||
	    rt->service_ids == NULL || rt->encaps == NULL || runtime_hosts_init(&rt->hosts) < 0) {
		runtime_fini(rt);
		return -ENOMEM;
	}
	return 0;
}

/* The first id is 1, and its place begins a cache line, in each row. */
#define SLOTS_BEFORE 7
_Static_assert((SLOTS_BEFORE + 1) % 8 == 0 && COUNT_ROW % 8 == 0, "eight ids have a line");

static size_t slots_bytes(uint32_t n_rows)
{
	return ((size_t)(n_rows + 1) * COUNT_ROW + SLOTS_BEFORE) * sizeof(uint64_t);
}

static void slots_free(const struct runtime *rt)
{
	if (rt->slots != NULL)
		sparse_put(rt->slots - SLOTS_BEFORE, slots_bytes(rt->n_rows));
}

int runtime_set_workers(struct runtime *rt, uint32_t n)
{
	const uint32_t n_rows = n < COUNT_ROWS_MAX ? n : COUNT_ROWS_MAX;
	uint64_t *room = sparse_get(slots_bytes(n_rows));

	if (room == NULL)
		return -ENOMEM;
	slots_free(rt);
	rt->slots = room + SLOTS_BEFORE;
	rt->n_rows = n_rows;
	rt->rows_shared = n > n_rows;
	return 0;
}

void runtime_fini(struct runtime *rt)
{
	sparse_put(rt->server_room, BY_SERVER(rt->server_room));
	sparse_put(rt->service_room, BY_SERVICE(rt->service_room));
	sparse_put(rt->servers, BY_SERVER(rt->servers));
	sparse_put(rt->services, BY_SERVICE(rt->services));
	sparse_put(rt->encaps, BY_SERVER(rt->encaps));
	slots_free(rt);
	free(rt->server_ids);
	free(rt->service_ids);
	free(rt->server_index.ids);
	free(rt->service_index.ids);
	runtime_hosts_fini(&rt->hosts);
	free(rt->leavers);
	memset(rt, 0, sizeof(*rt));
}

/* So that a removal never needs memory. */
static int leavers_reserve(struct runtime *rt)
{
	uint32_t n = rt->n_servers + rt->n_services + rt->n_leavers + 1;
	return array_reserve(&rt->leavers, n, &rt->max_leavers, sizeof(*rt->leavers));
}

struct service_rt *runtime_service_find(const struct runtime *rt, const char *key)
{
	const struct runtime_index *ix = &rt->service_index;
	uint32_t id;

	if (ix->ids == NULL)
		return NULL;
	for (uint32_t i = service_hash(key); (id = ix->ids[i & ix->mask]) != 0; i++) {
		if (strcmp(rt->services[id]->key, key) == 0)
			return rt->services[id];
	}
	return NULL;
}

struct server_rt *runtime_server_find(const struct runtime *rt, const struct service_rt *svc,
				      const struct endpoint *ep)
{
	const struct runtime_index *ix = &rt->server_index;
	uint32_t id;

	if (ix->ids == NULL)
		return NULL;
	for (uint32_t i = server_hash(svc->id, ep); (id = ix->ids[i & ix->mask]) != 0; i++) {
		struct server_rt *srv = rt->servers[id];

		if (srv->service_id == svc->id && endpoint_equal(&srv->ep, ep))
			return srv;
	}
	return NULL;
}

struct service_rt *runtime_service_get(struct runtime *rt, const char *key)
{
	struct service_rt *svc = runtime_service_find(rt, key);
	uint32_t id;

	if (svc != NULL) {
		if (!svc->present && rt->on_service_return != NULL)
			rt->on_service_return(rt->on_forget_arg, svc);
		svc->present = true;
		return svc;
	}
	errno = ENOMEM;
	if (leavers_reserve(rt) < 0 ||
	    runtime_index_reserve(rt, &rt->service_index, service_id_hash) < 0)
		return NULL;
	id = runtime_id_take(rt->service_ids, &rt->service_hint, MAX_SERVICES);
	if (id == 0) {
		errno = ENOSPC;
		return NULL;
	}
	svc = &rt->service_room[id];
	memset(svc, 0, sizeof(*svc));
	svc->id = id;
	snprintf(svc->key, sizeof(svc->key), "%s", key);
	svc->present = true;
	__atomic_store_n(&rt->services[svc->id], svc, __ATOMIC_RELEASE);
	runtime_index_put(&rt->service_index, service_hash(svc->key), svc->id);
	rt->n_services++;
	return svc;
}

struct server_rt *runtime_server_get(struct runtime *rt, struct service_rt *svc,
				     const struct endpoint *ep)
{
	struct server_rt *srv = runtime_server_find(rt, svc, ep);
	uint32_t id;

	if (srv != NULL) {
		if (!srv->down)
			__atomic_store_n(&srv->removed, 0, __ATOMIC_RELAXED);
		return srv;
	}
	errno = ENOMEM;
	if (leavers_reserve(rt) < 0 ||
	    runtime_index_reserve(rt, &rt->server_index, server_id_hash) < 0)
		return NULL;
	id = runtime_id_take(rt->server_ids, &rt->server_hint, MAX_SERVERS);
	if (id == 0) {
		errno = ENOSPC;
		return NULL;
	}
	srv = &rt->server_room[id];
	memset(srv, 0, sizeof(*srv));
	srv->id = id;
	srv->service_id = (uint16_t)svc->id;
	srv->n_rows = (uint8_t)rt->n_rows;
	srv->rows_shared = rt->rows_shared;
	srv->slots = &rt->slots[srv->id];
	srv->ep = *ep;
	__atomic_store_n(&srv->slots[0], svc->id, __ATOMIC_RELAXED);
	svc->n_server_rt++;
	__atomic_store_n(&rt->servers[srv->id], srv, __ATOMIC_RELEASE);
	runtime_index_put(&rt->server_index, server_hash(svc->id, ep), srv->id);
	runtime_hosts_add(&rt->hosts, srv);
	rt->n_servers++;
	return srv;
}

/* --- The end ----------------------------------------------------------------------- */

static void leaver_start(struct runtime *rt, struct service_rt *service, struct server_rt *server,
			 bool *leaving, const struct grace *grace)
{
	uint64_t token = grace->start(grace->arg);

	if (!*leaving) {
		rt->leavers[rt->n_leavers] = (struct runtime_leaver){
			.service = service, .server = server, .token = token};
		__atomic_store_n(&rt->n_leavers, rt->n_leavers + 1, __ATOMIC_RELEASE);
		*leaving = true;
		return;
	}
	/* Revived and removed again before anybody looked: wait from now. */
	for (uint32_t i = 0; i < rt->n_leavers; i++) {
		if (rt->leavers[i].service == service && rt->leavers[i].server == server)
			rt->leavers[i].token = token;
	}
}

/* Never 0. */
static uint32_t second_now(void)
{
	const uint32_t now_s = (uint32_t)(clock_ms() / 1000);

	return now_s ? now_s : 1;
}

bool runtime_server_down(struct runtime *rt, struct server_rt *srv, bool down)
{
	if (srv->down == down)
		return false;
	__atomic_store_n(&srv->down, down, __ATOMIC_RELEASE);
	__atomic_store_n(&srv->removed, down ? second_now() : 0, __ATOMIC_RELEASE);
	__atomic_store_n(&rt->n_down, down ? rt->n_down + 1 : rt->n_down - 1, __ATOMIC_RELEASE);
	return true;
}

void runtime_server_remove(struct runtime *rt, struct server_rt *srv, const struct grace *grace)
{
	if (server_rt_left(srv) && srv->leaving)
		return;
	(void)runtime_server_down(rt, srv, false);
	__atomic_store_n(&srv->removed, second_now(), __ATOMIC_RELEASE);
	leaver_start(rt, NULL, srv, &srv->leaving, grace);
}

void runtime_service_remove(struct runtime *rt, struct service_rt *svc, const struct grace *grace)
{
	if (!svc->present && svc->leaving)
		return;
	svc->present = false;
	leaver_start(rt, svc, NULL, &svc->leaving, grace);
}

static bool server_idle(const struct server_rt *srv)
{
	return server_rt_counts(srv) == 0 &&
	       __atomic_load_n(&srv->templates, __ATOMIC_ACQUIRE) == 0;
}

static void server_forget(struct runtime *rt, struct server_rt *srv)
{
	struct service_rt *svc = rt->services[srv->service_id];

	if (rt->on_server_forget != NULL)
		rt->on_server_forget(rt->on_forget_arg, svc, srv);
	runtime_index_del(rt, &rt->server_index, server_id_hash, srv->id);
	runtime_hosts_del(&rt->hosts, srv);
	__atomic_store_n(&rt->servers[srv->id], NULL, __ATOMIC_RELEASE);
	__atomic_store_n(&srv->slots[0], 0, __ATOMIC_RELAXED);
	rt->n_servers--;
}

static void service_forget(struct runtime *rt, struct service_rt *svc)
{
	runtime_index_del(rt, &rt->service_index, service_id_hash, svc->id);
	__atomic_store_n(&rt->services[svc->id], NULL, __ATOMIC_RELEASE);
	rt->n_services--;
}

/* Returns true when nothing is left of it, or it is back in use. */
static bool server_reap(struct runtime *rt, struct runtime_leaver *l, const struct grace *grace)
{
	struct server_rt *srv = l->server;

	if (!l->forgotten && !server_rt_left(srv)) {
		srv->leaving = false;
		return true;
	}
	if (!grace->passed(grace->arg, l->token))
		return false;
	if (!l->forgotten) {
		if (!server_idle(srv))
			return false;
		server_forget(rt, srv);
		l->forgotten = true;
		l->token = grace->start(grace->arg);
		return false;
	}
	rt->services[srv->service_id]->n_server_rt--;
	runtime_id_release(rt->server_ids, srv->id);
	return true;
}

static bool service_reap(struct runtime *rt, struct runtime_leaver *l, const struct grace *grace)
{
	struct service_rt *svc = l->service;

	if (!l->forgotten && svc->present) {
		svc->leaving = false;
		return true;
	}
	if (!grace->passed(grace->arg, l->token))
		return false;
	if (!l->forgotten) {
		if (svc->n_server_rt > 0)
			return false;
		service_forget(rt, svc);
		l->forgotten = true;
		l->token = grace->start(grace->arg);
		return false;
	}
	runtime_id_release(rt->service_ids, svc->id);
	return true;
}

uint32_t runtime_reap(struct runtime *rt, const struct grace *grace)
{
	uint32_t n_left = 0;

	for (uint32_t i = 0; i < rt->n_leavers; i++) {
		struct runtime_leaver *l = &rt->leavers[i];
		bool gone =
			l->server != NULL ? server_reap(rt, l, grace) : service_reap(rt, l, grace);

		if (!gone)
			rt->leavers[n_left++] = *l;
	}
	__atomic_store_n(&rt->n_leavers, n_left, __ATOMIC_RELEASE);
	return n_left;
}

const struct server_rt *runtime_removed_next(const struct runtime *rt, const struct service_rt *svc,
					     uint32_t *place)
{
	while (*place < rt->n_leavers) {
		const struct runtime_leaver *l = &rt->leavers[(*place)++];

		if (l->server != NULL && !l->forgotten && server_rt_left(l->server) &&
		    l->server->service_id == svc->id)
			return l->server;
	}
	return NULL;
}
