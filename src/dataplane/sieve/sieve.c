/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/sieve/sieve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/log.h"
#include "dataplane/dataplane.h"
#include "dataplane/sieve/sieve_bpf.h"

#define AREA "dataplane"

_Static_assert(sizeof(((struct sieve *)0)->fds) / sizeof(((struct sieve *)0)->fds[0]) == MAX_PORTS,
	       "a row for each port");
_Static_assert(sizeof(struct sieve_entry) == 23, "entries are compared as bytes");
_Static_assert(sizeof(struct sieve_to_key) == 20 && sizeof(struct sieve_from_key) == 20 &&
		       sizeof(struct sieve_own_key) == 16,
	       "keys fit an entry");

void sieve_init(struct sieve *s)
{
	memset(s, 0, sizeof(*s));
	pthread_mutex_init(&s->lock, NULL);
	memset(s->fds, -1, sizeof(s->fds));
}

void sieve_fini(struct sieve *s)
{
	for (unsigned int i = 0; i < SIEVE_AUTHORS; i++)
		free(s->lists[i].v);
	pthread_mutex_destroy(&s->lock);
}

/* ---- lists ---- */

static void add(struct sieve_list *list, enum sieve_map map, const void *key, size_t len,
		uint8_t value0, uint8_t value1)
{
	struct sieve_entry *e;

	if (list->failed || array_room(&list->v, list->n, &list->max, sizeof(*list->v)) < 0) {
		list->failed = true;
		return;
	}
	e = &list->v[list->n++];
	*e = (struct sieve_entry){.map = (uint8_t)map, .value = {value0, value1}};
	memcpy(e->key, key, len);
}

static void put_addr(uint8_t to[16], const struct addr *a)
{
	if (a->family == ADDR_V6) {
		memcpy(to, a->v6, 16);
		return;
	}
	memset(to, 0, 10);
	memset(to + 10, 0xff, 2);
	memcpy(to + 12, &a->v4, 4);
}

void sieve_add_to(struct sieve_list *list, const struct addr *addr, uint8_t len, uint8_t kind)
{
	struct sieve_to_key key = {.len = addr->family == ADDR_V6 ? len : 96U + len};

	put_addr(key.addr, addr);
	add(list, SIEVE_MAP_TO, &key, sizeof(key), kind, key.len == 128);
}

void sieve_add_server(struct sieve_list *list, const struct addr *addr, bool any)
{
	struct sieve_from_key key = {0};

	put_addr(key.addr, addr);
	add(list, SIEVE_MAP_FROM, &key, sizeof(key), any, 0);
}

void sieve_add_endpoint(struct sieve_list *list, const struct endpoint *ep, uint8_t proto)
{
	struct sieve_from_key key = {.proto = proto};

	memcpy(&key.port, &ep->port, sizeof(key.port));
	put_addr(key.addr, &ep->addr);
	add(list, SIEVE_MAP_FROM, &key, sizeof(key), 0, 0);
}

void sieve_add_own(struct sieve_list *list, const struct addr *addr)
{
	struct sieve_own_key key;

	put_addr(key.addr, addr);
	add(list, SIEVE_MAP_OWN, &key, sizeof(key), 1, 0);
}

#define KEY_LEN (offsetof(struct sieve_entry, value))

static int entry_cmp(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct sieve_entry));
}

/* Sorts. Of entries with the same key the one with the greatest value stays. */
static void list_sort(struct sieve_list *list)
{
	uint32_t n = 0;

	if (list->n > 0)
		qsort(list->v, list->n, sizeof(*list->v), entry_cmp);
	for (uint32_t i = 0; i < list->n; i++) {
		if (n > 0 && memcmp(&list->v[n - 1], &list->v[i], KEY_LEN) == 0)
			n--;
		list->v[n++] = list->v[i];
	}
	list->n = n;
}

/* ---- maps ---- */

/* The first refusal of a port's maps, and how many there were. */
struct refusals {
	int error;
	uint32_t n;
};

static void entry_set(const int fds[SIEVE_MAPS], const struct sieve_entry *e, bool there,
		      struct refusals *r)
{
	int rc = there ? sieve_map_set(fds[e->map], e->key, e->value)
		       : sieve_map_del(fds[e->map], e->key);

	if (rc == 0)
		return;
	if (r->n++ == 0)
		r->error = rc;
}

/* Both lists are sorted. New entries come first: a frame of an address that only changes its
 * entry is never without one. */
static void apply(const int fds[SIEVE_MAPS], const struct sieve_list *old,
		  const struct sieve_list *new, struct refusals *r)
{
	for (int there = 1; there >= 0; there--) {
		uint32_t i = 0, j = 0;

		while (i < old->n || j < new->n) {
			int order = i == old->n	  ? 1
				    : j == new->n ? -1
						  : memcmp(&old->v[i], &new->v[j], KEY_LEN);

			if (order < 0 && !there)
				entry_set(fds, &old->v[i], false, r);
			if (there &&
			    (order > 0 || (order == 0 && entry_cmp(&old->v[i], &new->v[j]) != 0)))
				entry_set(fds, &new->v[j], true, r);
			i += order <= 0;
			j += order >= 0;
		}
	}
}

static void refusals_tell(const struct refusals *r, uint16_t port)
{
	if (r->n > 0)
		log_error(AREA,
			  "port %u: the XDP program was not told of %u addresses: %s; their frames "
			  "go to Linux",
			  port, r->n, strerror(-r->error));
}

int sieve_replace(struct sieve *s, enum sieve_author author, struct sieve_list *list)
{
	if (list->failed) {
		free(list->v);
		return -ENOMEM;
	}
	list_sort(list);
	pthread_mutex_lock(&s->lock);
	for (uint16_t p = 0; p < MAX_PORTS; p++) {
		struct refusals r = {0};

		if (s->fds[p][0] < 0)
			continue;
		apply(s->fds[p], &s->lists[author], list, &r);
		refusals_tell(&r, p);
	}
	free(s->lists[author].v);
	s->lists[author] = *list;
	pthread_mutex_unlock(&s->lock);
	return 0;
}

/* ---- ports ---- */

void sieve_open(struct sieve *s, const struct port *p, uint16_t index, uint32_t before)
{
	static const struct sieve_list nothing;
	struct refusals r = {0};
	int fds[SIEVE_MAPS];

	if (sieve_maps_find(before, fds) != 0) {
		log_info(AREA, "port %s: its XDP program has no map %s: plvs's own is " SIEVE_FILE,
			 p->config.name, SIEVE_TO);
		return;
	}
	pthread_mutex_lock(&s->lock);
	memcpy(s->fds[index], fds, sizeof(fds));
	for (unsigned int i = 0; i < SIEVE_AUTHORS; i++)
		apply(fds, &nothing, &s->lists[i], &r);
	s->n_ports++;
	pthread_mutex_unlock(&s->lock);
	refusals_tell(&r, index);
}

void sieve_close(struct sieve *s, uint16_t index)
{
	pthread_mutex_lock(&s->lock);
	if (s->fds[index][0] >= 0)
		s->n_ports--;
	memset(s->fds[index], -1, sizeof(s->fds[index]));
	pthread_mutex_unlock(&s->lock);
}

bool sieve_has(const struct sieve *s, uint16_t index)
{
	return s->fds[index][0] >= 0;
}

bool sieve_is_asked(const struct port *p)
{
	return p->device.args && strstr(p->device.args, "xdp_prog=");
}
