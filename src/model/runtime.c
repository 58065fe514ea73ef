/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/runtime.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "model/published.h"

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

typedef uint32_t id_hash(const struct runtime *rt, uint32_t id);

static void index_put(struct runtime_index *ix, uint32_t hash, uint32_t id)
{
	while (ix->ids[hash & ix->mask] != 0)
		hash++;
	ix->ids[hash & ix->mask] = id;
	ix->n++;
}

/* Room for one more, with half of the slots left free. */
static int index_reserve(const struct runtime *rt, struct runtime_index *ix, id_hash *hash_of)
{
	struct runtime_index wider = {.mask = ix->ids ? ix->mask * 2 + 1 : 63};

	if (ix->ids != NULL && (ix->n + 1) * 2 <= ix->mask)
		return 0;
	wider.ids = calloc(wider.mask + 1, sizeof(*wider.ids));
	if (wider.ids == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; ix->ids != NULL && i <= ix->mask; i++) {
		if (ix->ids[i] != 0)
			index_put(&wider, hash_of(rt, ix->ids[i]), ix->ids[i]);
	}
	free(ix->ids);
	*ix = wider;
	return 0;
}

/* Takes id out and closes the gap, so that no probe ends early. */
static void index_del(const struct runtime *rt, struct runtime_index *ix, id_hash *hash_of,
		      uint32_t id)
{
	uint32_t gap = hash_of(rt, id) & ix->mask;

	while (ix->ids[gap] != id)
		gap = (gap + 1) & ix->mask;
	for (uint32_t i = (gap + 1) & ix->mask; ix->ids[i] != 0; i = (i + 1) & ix->mask) {
		uint32_t home = hash_of(rt, ix->ids[i]) & ix->mask;

		if (((i - home) & ix->mask) < ((i - gap) & ix->mask))
			continue;
		ix->ids[gap] = ix->ids[i];
		gap = i;
	}
	ix->ids[gap] = 0;
	ix->n--;
}

/* A free id from 1 to max, or 0. The bit is set. */
static uint32_t id_take(uint64_t *used, uint32_t *hint, uint32_t max)
{
	for (uint32_t i = 0; i < max; i++) {
		uint32_t id = (*hint + i) % max + 1;

		if (used[id / 64] & 1ULL << id % 64)
			continue;
		used[id / 64] |= 1ULL << id % 64;
		*hint = id % max;
		return id;
	}
	return 0;
}

static void id_release(uint64_t *used, uint32_t id)
{
	used[id / 64] &= ~(1ULL << id % 64);
}

/* --- Registry ---------------------------------------------------------------------- */

int runtime_init(struct runtime *rt)
{
	memset(rt, 0, sizeof(*rt));
	/* Large and mostly untouched: pages come when ids are given out. */
	rt->servers = calloc(MAX_SERVERS + 1, sizeof(rt->servers[0]));
	rt->services = calloc(MAX_SERVICES + 1, sizeof(rt->services[0]));
	rt->server_ids = calloc(MAX_SERVERS / 64 + 1, sizeof(rt->server_ids[0]));
	rt->service_ids = calloc(MAX_SERVICES / 64 + 1, sizeof(rt->service_ids[0]));
	if (rt->servers == NULL || rt->services == NULL || rt->server_ids == NULL ||
	    rt->service_ids == NULL) {
		runtime_fini(rt);
		return -ENOMEM;
	}
	return 0;
}

void runtime_fini(struct runtime *rt)
{
	for (uint32_t i = 0; i < rt->n_leavers; i++) {
		if (rt->leavers[i].forgotten) {
			free(rt->leavers[i].server);
			free(rt->leavers[i].service);
		}
	}
	for (uint32_t id = 1; rt->servers != NULL && id <= MAX_SERVERS; id++)
		free(rt->servers[id]);
	for (uint32_t id = 1; rt->services != NULL && id <= MAX_SERVICES; id++)
		free(rt->services[id]);
	free(rt->servers);
	free(rt->services);
	free(rt->server_ids);
	free(rt->service_ids);
	free(rt->server_index.ids);
	free(rt->service_index.ids);
	free(rt->leavers);
	memset(rt, 0, sizeof(*rt));
}

/* So that a removal never needs memory. */
static int leavers_reserve(struct runtime *rt)
{
	uint32_t n = rt->n_servers + rt->n_services + rt->n_leavers + 1;
	uint32_t max = rt->max_leavers ? rt->max_leavers * 2 : 64;
	struct runtime_leaver *wider;

	if (n <= rt->max_leavers)
		return 0;
	wider = realloc(rt->leavers, max * sizeof(*wider));
	if (wider == NULL)
		return -ENOMEM;
	rt->leavers = wider;
	rt->max_leavers = max;
	return 0;
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

	if (svc != NULL) {
		if (!svc->present && rt->on_service_return != NULL)
			rt->on_service_return(rt->on_forget_arg, svc);
		svc->present = true;
		return svc;
	}
	errno = ENOMEM;
	if (leavers_reserve(rt) < 0 || index_reserve(rt, &rt->service_index, service_id_hash) < 0)
		return NULL;
	svc = calloc(1, sizeof(*svc));
	if (svc == NULL)
		return NULL;
	svc->id = id_take(rt->service_ids, &rt->service_hint, MAX_SERVICES);
	if (svc->id == 0) {
		free(svc);
		errno = ENOSPC;
		return NULL;
	}
	snprintf(svc->key, sizeof(svc->key), "%s", key);
	svc->present = true;
	__atomic_store_n(&rt->services[svc->id], svc, __ATOMIC_RELEASE);
	index_put(&rt->service_index, service_hash(svc->key), svc->id);
	rt->n_services++;
	return svc;
}

struct server_rt *runtime_server_get(struct runtime *rt, struct service_rt *svc,
				     const struct endpoint *ep)
{
	struct server_rt *srv = runtime_server_find(rt, svc, ep);

	if (srv != NULL) {
		if (!srv->down)
			__atomic_store_n(&srv->removed, 0, __ATOMIC_RELAXED);
		return srv;
	}
	errno = ENOMEM;
	if (leavers_reserve(rt) < 0 || index_reserve(rt, &rt->server_index, server_id_hash) < 0)
		return NULL;
	srv = aligned_alloc(_Alignof(struct server_rt), sizeof(*srv));
	if (srv == NULL)
		return NULL;
	memset(srv, 0, sizeof(*srv));
	srv->id = id_take(rt->server_ids, &rt->server_hint, MAX_SERVERS);
	if (srv->id == 0) {
		free(srv);
		errno = ENOSPC;
		return NULL;
	}
	srv->service_id = svc->id;
	srv->ep = *ep;
	svc->n_server_rt++;
	__atomic_store_n(&rt->servers[srv->id], srv, __ATOMIC_RELEASE);
	index_put(&rt->server_index, server_hash(svc->id, ep), srv->id);
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
	index_del(rt, &rt->server_index, server_id_hash, srv->id);
	__atomic_store_n(&rt->servers[srv->id], NULL, __ATOMIC_RELEASE);
	rt->n_servers--;
}

static void service_forget(struct runtime *rt, struct service_rt *svc)
{
	index_del(rt, &rt->service_index, service_id_hash, svc->id);
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
	id_release(rt->server_ids, srv->id);
	free(srv);
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
	id_release(rt->service_ids, svc->id);
	free(svc);
	return true;
}

uint32_t runtime_reap(struct runtime *rt, const struct grace *grace)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < rt->n_leavers; i++) {
		struct runtime_leaver *l = &rt->leavers[i];
		bool gone =
			l->server != NULL ? server_reap(rt, l, grace) : service_reap(rt, l, grace);

		if (!gone)
			rt->leavers[kept++] = *l;
	}
	__atomic_store_n(&rt->n_leavers, kept, __ATOMIC_RELEASE);
	return kept;
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

/* --- Connections of removed servers ------------------------------------------------ */

uint32_t server_rt_drain_left(const struct runtime *rt, const struct server_rt *srv, uint32_t now_s)
{
	const struct service_rt *svc = runtime_service_of(rt, srv);
	uint32_t word = svc != NULL ? __atomic_load_n(&svc->gone, __ATOMIC_RELAXED) : GONE_RESET;
	uint32_t since = now_s - __atomic_load_n(&srv->removed, __ATOMIC_ACQUIRE);

	if ((word & 3) != GONE_DRAIN)
		return 0;
	/* Clocks of two kinds: it may have been removed in a second to come. */
	if ((int32_t)since < 0)
		since = 0;
	return since < word >> 2 ? (word >> 2) - since : 0;
}

enum server_gone server_rt_gone(const struct runtime *rt, const struct server_rt *srv,
				uint32_t now_s)
{
	const struct service_rt *svc = runtime_service_of(rt, srv);

	if (svc != NULL && (__atomic_load_n(&svc->gone, __ATOMIC_RELAXED) & 3) == GONE_KEEP)
		return GONE_KEEP;
	return server_rt_drain_left(rt, srv, now_s) ? GONE_DRAIN : GONE_RESET;
}

/* --- Counts ------------------------------------------------------------------------ */

static uint64_t counts_sum(uint64_t counts)
{
	return (uint64_t)counts_active(counts) + counts_inactive(counts);
}

/* Whether the overload flag may go at this sum of connections (IPVS). */
static bool overload_over(const struct server_rt *rt, uint64_t sum)
{
	uint32_t upper = __atomic_load_n(&rt->upper, __ATOMIC_RELAXED);
	uint32_t lower = __atomic_load_n(&rt->lower, __ATOMIC_RELAXED);

	if (lower != 0)
		return sum < lower;
	return upper == 0 || sum * 4 < (uint64_t)upper * 3;
}

/* A stamp each time, so that nobody takes away a flag for what was true before it. */
static void overload_set(struct server_rt *rt)
{
	uint32_t flags = __atomic_load_n(&rt->flags, __ATOMIC_SEQ_CST);

	while (!__atomic_compare_exchange_n(&rt->flags, &flags,
					    (flags + SERVER_RT_STAMP) | SERVER_RT_OVERLOAD, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

static void overload_clear(struct server_rt *rt, bool (*over)(const struct server_rt *, uint64_t))
{
	for (;;) {
		uint32_t flags = __atomic_load_n(&rt->flags, __ATOMIC_SEQ_CST);

		if (!(flags & SERVER_RT_OVERLOAD) ||
		    !over(rt, counts_sum(__atomic_load_n(&rt->counts, __ATOMIC_SEQ_CST))))
			return;
		if (__atomic_compare_exchange_n(&rt->flags, &flags, flags & ~SERVER_RT_OVERLOAD,
						false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return;
	}
}

void server_rt_overload(struct server_rt *rt, uint64_t counts)
{
	uint32_t upper = __atomic_load_n(&rt->upper, __ATOMIC_RELAXED);

	if (upper == 0 || counts_sum(counts) < upper)
		return;
	overload_set(rt);
	/* If the last connections left meanwhile, nobody else would take the flag away. */
	if (__atomic_load_n(&rt->counts, __ATOMIC_SEQ_CST) != counts)
		overload_clear(rt, overload_over);
}

void server_rt_bind(struct server_rt *rt, bool active)
{
	uint64_t one = active ? SERVER_COUNT_ACTIVE : SERVER_COUNT_INACTIVE;

	server_rt_overload(rt, __atomic_add_fetch(&rt->counts, one, __ATOMIC_SEQ_CST));
}

bool server_rt_bind_seen(struct server_rt *rt, bool active, uint64_t seen)
{
	uint64_t then = seen + (active ? SERVER_COUNT_ACTIVE : SERVER_COUNT_INACTIVE);

	if (!__atomic_compare_exchange_n(&rt->counts, &seen, then, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_RELAXED))
		return false;
	server_rt_overload(rt, then);
	return true;
}

static bool below_upper(const struct server_rt *rt, uint64_t sum)
{
	return sum < __atomic_load_n(&rt->upper, __ATOMIC_RELAXED);
}

void server_rt_bind_undo(struct server_rt *rt, bool active)
{
	uint64_t one = active ? SERVER_COUNT_ACTIVE : SERVER_COUNT_INACTIVE;

	__atomic_fetch_sub(&rt->counts, one, __ATOMIC_SEQ_CST);
	/* It was not overloaded before, or it would not have been chosen. */
	overload_clear(rt, below_upper);
}

void server_rt_change(struct server_rt *rt, bool to_active)
{
	const uint64_t step = SERVER_COUNT_ACTIVE - SERVER_COUNT_INACTIVE;

	__atomic_fetch_add(&rt->counts, to_active ? step : 0 - step, __ATOMIC_RELAXED);
}

void server_rt_unbind(struct server_rt *rt, bool active)
{
	uint64_t one = active ? SERVER_COUNT_ACTIVE : SERVER_COUNT_INACTIVE;

	__atomic_fetch_sub(&rt->counts, one, __ATOMIC_SEQ_CST);
	overload_clear(rt, overload_over);
}

void server_rt_set_thresholds(struct server_rt *rt, uint32_t upper, uint32_t lower)
{
	uint32_t before = rt->upper;

	__atomic_store_n(&rt->upper, upper, __ATOMIC_RELAXED);
	__atomic_store_n(&rt->lower, lower, __ATOMIC_RELAXED);
	if (upper == 0 || upper > before)
		__atomic_fetch_and(&rt->flags, ~SERVER_RT_OVERLOAD, __ATOMIC_SEQ_CST);
}
