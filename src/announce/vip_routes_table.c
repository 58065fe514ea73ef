/* SPDX-License-Identifier: BSD-3-Clause */
#include "announce/vip_routes_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/log.h"
#include "base/netns.h"

#define AREA "announce"

/* --- lists --- */

static int route_cmp(const void *a, const void *b)
{
	const struct vip_route *x = a, *y = b;
	int order = memcmp(&x->addr, &y->addr, sizeof(x->addr));

	return order ? order : (x->metric > y->metric) - (x->metric < y->metric);
}

void routes_sort(struct routes *r)
{
	if (r->n)
		qsort(r->v, r->n, sizeof(*r->v), route_cmp);
}

int routes_copy(struct routes *to, const struct vip_route *v, uint32_t n)
{
	struct vip_route *copy = malloc((n + 1) * sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	if (n)
		memcpy(copy, v, n * sizeof(*copy));
	free(to->v);
	*to = (struct routes){copy, n};
	routes_sort(to);
	return 0;
}

static const struct vip_route *routes_find(const struct routes *r, const struct vip_route *one)
{
	return r->n ? bsearch(one, r->v, r->n, sizeof(*one), route_cmp) : NULL;
}

bool routes_have(const struct routes *r, const struct vip_route *one)
{
	return routes_find(r, one) != NULL;
}

uint32_t routes_homes(const struct routes *r)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->n; i++)
		n += r->v[i].home;
	return n;
}

bool routes_same(const struct routes *a, const struct routes *b)
{
	bool same = a->n == b->n;

	for (uint32_t i = 0; same && i < a->n; i++)
		same = route_cmp(&a->v[i], &b->v[i]) == 0;
	return same;
}

void routes_mark_homes(struct routes *r, const struct routes *known)
{
	for (uint32_t i = 0; i < r->n; i++) {
		const struct vip_route *is = routes_find(known, &r->v[i]);

		r->v[i].home = is && is->home;
	}
}

/* --- the table --- */

struct found {
	struct vip_route *v;
	uint32_t n, max;
	uint32_t table;
	bool failed;
};

static void found_add(void *arg, const struct nl_event *ev)
{
	struct found *f = arg;

	if (ev->kind != NL_ROUTE || ev->route.table != f->table || ev->route.proto != NLREQ_PROTO)
		return;
	if (array_room(&f->v, f->n, &f->max, sizeof(*f->v)) < 0) {
		f->failed = true;
		return;
	}
	f->v[f->n++] = (struct vip_route){.addr = ev->route.dest.addr, .metric = ev->route.metric};
}

int routes_read(struct nlreq *req, uint32_t table, struct routes *out)
{
	struct found f = {.table = table};
	int ret = nlreq_announced_dump(req, table, found_add, &f);

	if (ret == 0 && f.failed)
		ret = -ENOMEM;
	if (ret < 0) {
		free(f.v);
		return ret;
	}
	*out = (struct routes){f.v, f.n};
	routes_sort(out);
	return 0;
}

int vip_routes_clear(uint32_t table, const char *netns, char error[ERROR_TEXT])
{
	struct routes left = {0};
	struct nlreq req = {0};
	int home, ret = netns_visit(netns, &home, error);

	if (ret < 0)
		return ret;
	ret = nlreq_open(&req);
	if (ret == 0)
		ret = routes_read(&req, table, &left);
	for (uint32_t i = 0; ret == 0 && i < left.n; i++)
		ret = nlreq_announced_set(&req, table, &left.v[i].addr, left.v[i].metric, false);
	if (ret == 0 && left.n)
		log_notice(AREA,
			   "%u routes of an earlier process in table %u are "
			   "removed",
			   left.n, table);
	if (ret < 0)
		error_text(error, ret, "node.announce.table %u: routes of an earlier process: %s",
			   table, strerror(-ret));
	free(left.v);
	nlreq_close(&req);
	return netns_return(home, ret, error);
}
