/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/object_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* A chained hash with a random seed, since the author of the file chooses the keys. */

#define CHUNK	    512
#define MIN_BUCKETS 1024
#define FILTER_BITS 8192

struct entry {
	struct config_index_key key;
	struct config_service *service;
	uint32_t count;
	uint32_t hash;
	struct entry *next;
};

struct chunk {
	struct chunk *next;
	struct entry entries[CHUNK];
};

struct config_index {
	uint64_t seed;
	uint32_t mask, n;
	uint32_t n_vips; /* different ones */
	/* Of the kinds that are looked for most and there are few of, INDEX_VIP, INDEX_POOL and
	 * INDEX_OWN: a key whose bit is 0 never was there. A server is looked for among all. */
	uint64_t seen[FILTER_BITS / 64];
	struct entry **buckets;
	struct entry *free;
	uint32_t n_free;
	struct chunk *chunks;
};

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ULL;
	return h ^ h >> 29;
}

static uint32_t key_hash(const struct config_index *ix, const struct config_index_key *k)
{
	uint64_t h = mix(ix->seed, (uint64_t)k->kind << 56 | (uint64_t)k->proto << 48 |
					   (uint64_t)k->port << 32 | k->mark);

	if (k->name) {
		for (const char *p = k->name; *p; p++)
			h = mix(h, (unsigned char)*p);
	} else {
		h = mix(h, (uint64_t)k->addr.word[0] << 32 | k->addr.word[1]);
		h = mix(h, (uint64_t)k->addr.word[2] << 32 | k->addr.word[3]);
		h = mix(h, k->addr.family);
	}
	return (uint32_t)(mix(h, ix->seed) >> 32);
}

static bool key_equal(const struct config_index_key *a, const struct config_index_key *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->name || b->name)
		return a->name && b->name && strcmp(a->name, b->name) == 0;
	return a->proto == b->proto && a->port == b->port && a->mark == b->mark &&
	       addr_equal(&a->addr, &b->addr);
}

struct config_index *config_index_create(void)
{
	struct config_index *ix = calloc(1, sizeof(*ix));

	if (!ix)
		return NULL;
	ix->buckets = calloc(MIN_BUCKETS, sizeof(*ix->buckets));
	if (!ix->buckets) {
		free(ix);
		return NULL;
	}
	ix->mask = MIN_BUCKETS - 1;
	if (getrandom(&ix->seed, sizeof(ix->seed), GRND_NONBLOCK) != sizeof(ix->seed))
		ix->seed = (uint64_t)(uintptr_t)ix;
	return ix;
}

void config_index_destroy(struct config_index *ix)
{
	if (!ix)
		return;
	while (ix->chunks) {
		struct chunk *c = ix->chunks;

		ix->chunks = c->next;
		free(c);
	}
	free(ix->buckets);
	free(ix);
}

static struct entry **entry_find(const struct config_index *ix, const struct config_index_key *key,
				 uint32_t hash)
{
	struct entry **p = &ix->buckets[hash & ix->mask];

	while (*p && !((*p)->hash == hash && key_equal(&(*p)->key, key)))
		p = &(*p)->next;
	return p;
}

static bool is_filtered(const struct config_index_key *key)
{
	return key->kind == INDEX_VIP || key->kind == INDEX_POOL || key->kind == INDEX_OWN;
}

uint32_t config_index_get(const struct config_index *ix, const struct config_index_key *key,
			  struct config_service **service)
{
	const uint32_t hash = key_hash(ix, key), bit = hash % FILTER_BITS;
	const struct entry *e;

	if (is_filtered(key) && !(ix->seen[bit / 64] & 1ULL << bit % 64))
		return 0;
	e = *entry_find(ix, key, hash);
	if (!e)
		return 0;
	if (service)
		*service = e->service;
	return e->count;
}

uint32_t config_index_vips(const struct config_index *ix)
{
	return ix->n_vips;
}

/* Growing is for speed only: without memory the chains get longer. */
static void buckets_grow(struct config_index *ix, uint32_t n)
{
	struct entry **buckets;
	uint32_t size = ix->mask + 1;

	while (size < n)
		size *= 2;
	if (size == ix->mask + 1)
		return;
	buckets = calloc(size, sizeof(struct entry *));
	if (!buckets)
		return;
	for (uint32_t i = 0; i <= ix->mask; i++) {
		while (ix->buckets[i]) {
			struct entry *e = ix->buckets[i];

			ix->buckets[i] = e->next;
			e->next = buckets[e->hash & (size - 1)];
			buckets[e->hash & (size - 1)] = e;
		}
	}
	free(ix->buckets);
	ix->buckets = buckets;
	ix->mask = size - 1;
}

void config_index_expect(struct config_index *ix, uint32_t n)
{
	buckets_grow(ix, ix->n + n);
}

int config_index_reserve(struct config_index *ix, uint32_t n)
{
	while (ix->n_free < n) {
		struct chunk *c = malloc(sizeof(*c));

		if (!c)
			return -ENOMEM;
		c->next = ix->chunks;
		ix->chunks = c;
		for (uint32_t i = 0; i < CHUNK; i++) {
			c->entries[i].next = ix->free;
			ix->free = &c->entries[i];
		}
		ix->n_free += CHUNK;
	}
	buckets_grow(ix, ix->n + n);
	return 0;
}

void config_index_add(struct config_index *ix, const struct config_index_key *key,
		      struct config_service *service)
{
	uint32_t hash = key_hash(ix, key);
	struct entry **p = entry_find(ix, key, hash), *e = *p;

	if (e) {
		e->count++;
		return;
	}
	e = ix->free;
	ix->free = e->next;
	ix->n_free--;
	*e = (struct entry){.key = *key, .service = service, .count = 1, .hash = hash};
	*p = e;
	if (is_filtered(key))
		ix->seen[hash % FILTER_BITS / 64] |= 1ULL << hash % FILTER_BITS % 64;
	ix->n++;
	ix->n_vips += key->kind == INDEX_VIP;
}

void config_index_del(struct config_index *ix, const struct config_index_key *key)
{
	struct entry **p = entry_find(ix, key, key_hash(ix, key)), *e = *p;

	if (!e || --e->count > 0)
		return;
	*p = e->next;
	e->next = ix->free;
	ix->free = e;
	ix->n_free++;
	ix->n--;
	ix->n_vips -= key->kind == INDEX_VIP;
}

/* ---- what a service stands for ---- */

typedef void index_op(struct config_index *ix, const struct config_index_key *key,
		      struct config_service *svc);

static void op_add(struct config_index *ix, const struct config_index_key *key,
		   struct config_service *svc)
{
	config_index_add(ix, key, svc);
}

static void op_del(struct config_index *ix, const struct config_index_key *key,
		   struct config_service *svc)
{
	(void)svc;
	config_index_del(ix, key);
}

uint32_t config_index_service_keys(const struct config_service *svc)
{
	return 2 * svc->n_listen + svc->n_servers + 2;
}

static void service_each(struct config_index *ix, struct config_service *svc, index_op *op)
{
	struct config_index_key key;

	for (uint32_t i = 0; i < svc->n_listen; i++) {
		key = index_key_listen(svc->proto, &svc->listen[i]);
		op(ix, &key, svc);
		key = index_key_addr(INDEX_VIP, &svc->listen[i].addr);
		op(ix, &key, NULL);
	}
	if (svc->mark) {
		key = index_key_mark(svc->mark, config_service_family(svc));
		op(ix, &key, svc);
	}
	if (svc->name) {
		key = index_key_name(svc->name);
		op(ix, &key, svc);
	}
	for (uint32_t i = 0; i < svc->n_servers; i++) {
		if (!forward_has(svc->servers[i].forward, FORWARD_BY_SOURCE))
			continue;
		key = index_key_addr(INDEX_NAT, &svc->servers[i].ep.addr);
		op(ix, &key, NULL);
	}
}

void config_index_add_service(struct config_index *ix, struct config_service *svc)
{
	service_each(ix, svc, op_add);
}

void config_index_del_service(struct config_index *ix, const struct config_service *svc)
{
	service_each(ix, (struct config_service *)(uintptr_t)svc, op_del);
}

static void address_each(struct config_index *ix, const struct config_address *a, index_op *op)
{
	struct config_index_key key = index_key_addr(INDEX_ADDRESS, &a->address.addr);

	op(ix, &key, NULL);
	if (a->kind == CONFIG_ADDRESS_VIP || a->kind == CONFIG_ADDRESS_POOL) {
		key = index_key_addr(a->kind == CONFIG_ADDRESS_VIP ? INDEX_VIP : INDEX_POOL,
				     &a->address.addr);
		op(ix, &key, NULL);
	}
}

void config_index_add_address(struct config_index *ix, const struct config_address *a)
{
	address_each(ix, a, op_add);
}

void config_index_del_address(struct config_index *ix, const struct config_address *a)
{
	address_each(ix, a, op_del);
}
