/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/sync/identity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash_table.h"
#include "model/snapshot.h"

#define IDS_MIN	    1024
#define BUCKETS_MIN 1024

struct slot {
	struct sync_server server;
	uint32_t next; /* in its bucket, 0 = end */
	bool known;
};

struct identity {
	struct slot *slots; /* by id */
	uint32_t n_slots;
	uint32_t *buckets;
	uint32_t mask;
	uint32_t n;
	uint64_t generation;
};

struct identity *identity_create(void)
{
	struct identity *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->n_slots = IDS_MIN;
	m->mask = BUCKETS_MIN - 1;
	m->generation = 1;
	m->slots = calloc(m->n_slots, sizeof(*m->slots));
	m->buckets = calloc(BUCKETS_MIN, sizeof(*m->buckets));
	if (m->slots && m->buckets)
		return m;
	identity_destroy(m);
	return NULL;
}

void identity_destroy(struct identity *m)
{
	if (!m)
		return;
	free(m->slots);
	free(m->buckets);
	free(m);
}

static uint32_t hash_of(const struct sync_server *s)
{
	const uint64_t h = hash_bytes(HASH_START, s, sizeof(*s));

	return (uint32_t)(h ^ h >> 32);
}

static bool equal(const struct sync_server *a, const struct sync_server *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static uint32_t *bucket(const struct identity *m, const struct sync_server *s)
{
	return &m->buckets[hash_of(s) & m->mask];
}

static void forget(struct identity *m, uint32_t id)
{
	struct slot *s = &m->slots[id];
	uint32_t *at;

	if (!s->known)
		return;
	for (at = bucket(m, &s->server); *at != id;)
		at = &m->slots[*at].next;
	*at = s->next;
	memset(s, 0, sizeof(*s));
	m->n--;
}

static int room_for(struct identity *m, uint32_t id)
{
	const uint32_t had = m->n_slots;

	if (array_room(&m->slots, id, &m->n_slots, sizeof(*m->slots)) < 0)
		return -ENOMEM;
	memset(m->slots + had, 0, (m->n_slots - had) * sizeof(*m->slots));
	return 0;
}

/* Chains only get longer without. */
static void widen(struct identity *m)
{
	uint32_t n = (m->mask + 1) * 2;
	uint32_t *more = calloc(n, sizeof(*more));

	if (!more)
		return;
	free(m->buckets);
	m->buckets = more;
	m->mask = n - 1;
	for (uint32_t id = 1; id < m->n_slots; id++) {
		uint32_t *at;

		if (!m->slots[id].known)
			continue;
		at = bucket(m, &m->slots[id].server);
		m->slots[id].next = *at;
		*at = id;
	}
}

static int learn(struct identity *m, uint32_t id, const struct sync_server *server)
{
	struct slot *s;
	uint32_t *at;

	if (id == 0 || id > MAX_SERVERS)
		return -EINVAL;
	if (room_for(m, id) < 0)
		return -ENOMEM;
	s = &m->slots[id];
	if (s->known && equal(&s->server, server))
		return 0;
	forget(m, id);
	if (m->n > m->mask)
		widen(m);
	s->server = *server;
	s->known = true;
	at = bucket(m, server);
	s->next = *at;
	*at = id;
	m->n++;
	m->generation++;
	return 0;
}

int identity_apply(struct identity *m, const struct identity_update *u)
{
	int ret = 0;

	for (uint32_t i = 0; i < u->n; i++) {
		const struct identity_entry *e = &u->servers[i];

		if (u->service_id == 0) {
			if (e->id < m->n_slots)
				forget(m, e->id);
			continue;
		}
		/* The newest first: a server that came back after it was forgotten has another
		 * id, and its old one is said to be forgotten before. */
		if (learn(m, e->id,
			  &(const struct sync_server){.service = u->service,
						      .addr = e->addr,
						      .port = e->port}) == -ENOMEM)
			ret = -ENOMEM;
	}
	return ret;
}

int identity_poll(struct identity *m, struct identity_feed *feed)
{
	struct identity_update *u = identity_feed_take(feed), *next;
	int ret = 0;

	for (; u; u = next) {
		next = u->next;
		if (identity_apply(m, u) < 0)
			ret = -ENOMEM;
		free(u);
	}
	return ret;
}

int identity_learn(struct identity *m, const struct snapshot *s)
{
	for (uint32_t id = 0; id <= s->max_service_id; id++) {
		struct identity_update *u;
		int ret;

		if (!s->services[id])
			continue;
		u = identity_update_create(s->services[id]);
		if (!u)
			return -ENOMEM;
		ret = identity_apply(m, u);
		free(u);
		if (ret < 0)
			return ret;
	}
	return 0;
}

const struct sync_server *identity_of(const struct identity *m, uint32_t id)
{
	return id < m->n_slots && m->slots[id].known ? &m->slots[id].server : NULL;
}

uint32_t identity_find(const struct identity *m, const struct sync_server *s)
{
	uint32_t id = *bucket(m, s);

	while (id && !equal(&m->slots[id].server, s))
		id = m->slots[id].next;
	return id;
}

uint64_t identity_generation(const struct identity *m)
{
	return m->generation;
}
