/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The order of a listing. ipvsadm compares marks, protocols, addresses and ports by the sign of
 * their 32-bit difference and sorts by merging halves. That order is no total one: 192.168.0.1
 * stands before 10.0.0.1, and addresses that are more than half the number space apart form
 * cycles. So the way of sorting is part of the result, and is the same here.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/ipvsadm/adm_internal.h"

static int difference(uint32_t x, uint32_t y)
{
	return (int32_t)(x - y) < 0 ? -1 : x != y;
}

static int endpoint_order(const struct endpoint *x, const struct endpoint *y)
{
	int order = 0;

	/* Of an IPv4 address the other words are 0. */
	for (int i = 0; order == 0 && i < 4; i++)
		order = difference(be32_to(x->addr.word[i]), be32_to(y->addr.word[i]));
	return order ? order : difference(be16_to(x->port), be16_to(y->port));
}

static int service_order(const struct adm_entry *x, const struct adm_entry *y)
{
	int order = difference(x->s.mark, y->s.mark);

	if (order == 0)
		order = adm_is_ipv6(&x->s) - adm_is_ipv6(&y->s);
	if (order == 0)
		order = difference((uint32_t)x->s.proto, (uint32_t)y->s.proto);
	return order ? order : endpoint_order(&x->s.ep, &y->s.ep);
}

static int server_order(const struct adm_entry *x, const struct adm_entry *y)
{
	return endpoint_order(&x->ep, &y->ep);
}

typedef int entry_order(const struct adm_entry *x, const struct adm_entry *y);

/* room has space for n entries as well. */
static void merge_sort(struct adm_entry *v, size_t n, struct adm_entry *room, entry_order *order)
{
	size_t half = n / 2, i = 0, k = half, at = 0;

	if (n < 2)
		return;
	merge_sort(v, half, room, order);
	merge_sort(v + half, n - half, room, order);
	while (i < half && k < n)
		room[at++] = order(&v[i], &v[k]) <= 0 ? v[i++] : v[k++];
	while (i < half)
		room[at++] = v[i++];
	memcpy(v, room, at * sizeof(*v));
}

static void sort_entries(struct adm_entry *v, size_t n, entry_order *order)
{
	struct adm_entry *room = calloc(n + 1, sizeof(*room));

	if (room)
		merge_sort(v, n, room, order);
	free(room);
}

struct adm_entry *adm_sorted_services(const struct adm *a, bool sort, size_t *n)
{
	json_t *list = adm_services(a), *service;
	struct adm_entry *v;
	size_t i, room = 0;

	*n = 0;
	json_array_foreach (list, i, service)
		room += adm_service_listeners(service) + 1;
	v = calloc(room + 1, sizeof(*v));
	json_array_foreach (list, i, service) {
		for (size_t k = 0; v && k < adm_service_listeners(service); k++) {
			v[*n].service = service;
			*n += adm_service_read(service, k, &v[*n].s);
			if (v[*n ? *n - 1 : 0].s.mark)
				break;
		}
	}
	if (v && sort)
		sort_entries(v, *n, service_order);
	return v;
}

struct adm_entry *adm_sorted_servers(const struct adm_entry *of, bool sort, size_t *n)
{
	const json_t *list = json_object_get(of->service, "servers");
	size_t all = json_array_size(list);
	struct adm_entry *v = calloc(all + 1, sizeof(*v));

	*n = 0;
	/* The newest first, as the kernel has them. */
	for (size_t i = all; v && i-- > 0;) {
		v[*n] = *of;
		v[*n].server = json_array_get(list, i);
		*n += adm_server_endpoint(v[*n].server, &v[*n].ep);
	}
	if (v && sort)
		sort_entries(v, *n, server_order);
	return v;
}
