/* SPDX-License-Identifier: BSD-3-Clause */
#include "link/vips.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/log.h"

#define AREA "link"

struct vip_task {
	int ifindex;
	struct addr addr;
	uint8_t len;
	bool add;
	bool local; /* a prefix: a local route, no address */
};

struct vip_node {
	struct hash_node by_addr;
	const struct link_address *address;
	bool present; /* seen on its interface while planning */
};

static void node_forget(struct hash_node *node)
{
	(void)node; /* nodes are one array */
}

int vips_init(struct vips *v, struct mirror *mirror, struct nlreq *req,
	      struct link_counters *counters)
{
	memset(v, 0, sizeof(*v));
	v->mirror = mirror;
	v->req = req;
	v->counters = counters;
	return hash_table_reserve(&v->by_addr);
}

void vips_fini(struct vips *v)
{
	hash_table_fini(&v->by_addr, node_forget);
	free(v->nodes);
	free(v->list);
	free(v->gone);
	free(v->tasks);
	memset(v, 0, sizeof(*v));
}

static bool is_prefix(const struct link_address *a)
{
	return a->kind == LINK_ADDRESS_PREFIX;
}

static bool prefix_listed(const struct link_address *list, uint32_t n, const struct link_address *p)
{
	for (uint32_t i = 0; i < n; i++)
		if (is_prefix(&list[i]) && addr_equal(&list[i].addr, &p->addr) &&
		    list[i].len == p->len && list[i].link == p->link)
			return true;
	return false;
}

/* Adds to `to` those prefixes of `from` that the new list lacks. */
static uint32_t prefixes_left(struct link_address *to, uint32_t at, const struct link_address *from,
			      uint32_t n_from, const struct link_address *list, uint32_t n)
{
	for (uint32_t i = 0; i < n_from; i++)
		if (is_prefix(&from[i]) && !prefix_listed(list, n, &from[i]) &&
		    !prefix_listed(to, at, &from[i]))
			to[at++] = from[i];
	return at;
}

/* A router has a handful of prefixes in its life: what has gone is remembered, since their
 * routes may still be there. */
static int prefixes_set(struct vips *v, const struct link_address *list, uint32_t n)
{
	struct link_address *gone;
	uint32_t most = v->n_gone, n_gone;

	for (uint32_t i = 0; i < v->n; i++)
		most += is_prefix(&v->list[i]);
	gone = calloc(most + 1, sizeof(*gone));
	if (!gone)
		return -ENOMEM;
	n_gone = prefixes_left(gone, 0, v->gone, v->n_gone, list, n);
	v->n_gone = prefixes_left(gone, n_gone, v->list, v->n, list, n);
	free(v->gone);
	v->gone = gone;
	return 0;
}

int vips_set(struct vips *v, struct link_address *list, uint32_t n)
{
	struct vip_node *nodes = calloc(n + 1, sizeof(*nodes));

	if (!nodes || prefixes_set(v, list, n) < 0) {
		free(nodes);
		free(list);
		return -ENOMEM;
	}
	hash_table_clear(&v->by_addr, node_forget);
	free(v->nodes);
	free(v->list);
	v->nodes = nodes;
	v->list = list;
	v->told = false;
	v->n = n;
	for (uint32_t i = 0; i < n; i++) {
		if (is_prefix(&list[i]))
			continue;
		nodes[i].address = &list[i];
		hash_table_add(&v->by_addr, &nodes[i].by_addr,
			       hash_seeded(&list[i].addr, sizeof(list[i].addr)));
	}
	return 0;
}

static struct vip_node *node_find(const struct vips *v, const struct addr *addr)
{
	struct hash_node *node = hash_table_first(&v->by_addr, hash_seeded(addr, sizeof(*addr)));

	while (node && !addr_equal(&((struct vip_node *)node)->address->addr, addr))
		node = hash_table_next(node);
	return (struct vip_node *)node;
}

/* On this router, now. */
static bool is_active(const struct vips *v, const struct link_address *a)
{
	return a->active && !v->off;
}

bool vips_contradicts(const struct vips *v, const struct addr *addr, uint8_t proto, bool gone)
{
	const struct vip_node *node = node_find(v, addr);

	if (gone)
		return node && is_active(v, node->address);
	return node ? !is_active(v, node->address) : proto == IFAPROT_PLVS;
}

static uint8_t len_of(const struct link_address *a)
{
	if (a->kind != LINK_ADDRESS_VIP)
		return a->len;
	return a->addr.family == ADDR_V6 ? 128 : 32;
}

/* Where it belongs now, or NULL: the interface is not there. */
static const struct iface *iface_of(const struct vips *v, const struct link_address *a)
{
	link_id link = a->link;

	if (link == LINK_ANY)
		link = mirror_link_around(v->mirror, &a->addr);
	if (link == LINK_ANY)
		link = link_id_of(0, 0);
	return mirror_iface_by_link(v->mirror, link);
}

static int task_add(struct vips *v, int ifindex, const struct addr *addr, uint8_t len, bool add)
{
	if (array_room(&v->tasks, v->n_tasks, &v->max_tasks, sizeof(*v->tasks)) < 0)
		return -ENOMEM;
	v->tasks[v->n_tasks++] = (struct vip_task){ifindex, *addr, len, add, false};
	return 0;
}

static int prefix_plan(struct vips *v, const struct link_address *p, bool want)
{
	const struct iface *iface = iface_of(v, p);

	if (!iface || mirror_has_local(v->mirror, iface->ifindex, &p->addr, p->len) == want)
		return 0;
	if (task_add(v, iface->ifindex, &p->addr, p->len, want) < 0)
		return -ENOMEM;
	v->tasks[v->n_tasks - 1].local = true;
	return 0;
}

static int prefixes_plan(struct vips *v)
{
	for (uint32_t i = 0; i < v->n_gone; i++)
		if (prefix_plan(v, &v->gone[i], false) < 0)
			return -ENOMEM;
	for (uint32_t i = 0; i < v->n; i++)
		if (is_prefix(&v->list[i]) &&
		    prefix_plan(v, &v->list[i], is_active(v, &v->list[i])) < 0)
			return -ENOMEM;
	return 0;
}

static bool is_shared(const struct vips *v, const struct iface *iface)
{
	return v->shared >> link_port(iface->link) & 1;
}

static int additions_plan(struct vips *v, uint8_t kind)
{
	const struct vip_node *nodes = v->nodes;

	for (uint32_t i = 0; i < v->n; i++) {
		const struct link_address *want = nodes[i].address;
		const struct iface *iface;

		if (!want || want->kind != kind || !is_active(v, want) || nodes[i].present)
			continue;
		iface = iface_of(v, want);
		if (iface && kind == LINK_ADDRESS_VIP && is_shared(v, iface))
			continue;
		if (iface && task_add(v, iface->ifindex, &want->addr, len_of(want), true) < 0)
			return -ENOMEM;
	}
	return 0;
}

int vips_plan(struct vips *v)
{
	struct vip_node *nodes = v->nodes;
	struct mirror_addr *a = NULL;
	const struct iface *iface;
	uint32_t cursor = 0;

	v->n_tasks = v->next = 0;
	for (uint32_t i = 0; i < v->n; i++)
		nodes[i].present = false;
	/* Removals first: an address that moves leaves its old link before it enters the new. */
	while ((a = mirror_addr_walk(v->mirror, &cursor, a))) {
		struct vip_node *node = node_find(v, &a->addr);

		if (!node && a->proto != IFAPROT_PLVS)
			continue;
		iface = node && is_active(v, node->address) ? iface_of(v, node->address) : NULL;
		if (iface && iface->ifindex == a->ifindex && a->len == len_of(node->address))
			node->present = true;
		else if (task_add(v, a->ifindex, &a->addr, a->len, false) < 0)
			return -ENOMEM;
	}
	/* Gateways first: Linux answers ARP and ND for them, workers for VIPs. */
	if (additions_plan(v, LINK_ADDRESS_GATEWAY) < 0 || additions_plan(v, LINK_ADDRESS_VIP) < 0)
		return -ENOMEM;
	return prefixes_plan(v);
}

bool vips_work(struct vips *v, uint32_t budget)
{
	for (; v->next < v->n_tasks && budget; v->next++, budget--) {
		const struct vip_task *t = &v->tasks[v->next];
		char text[ADDR_STRLEN];
		int ret;

		if (t->local)
			ret = nlreq_local_set(v->req, t->ifindex, &t->addr, t->len, t->add);
		else if (t->add)
			ret = nlreq_addr_add(v->req, t->ifindex, &t->addr, t->len, IFAPROT_PLVS);
		else
			ret = nlreq_addr_del(v->req, t->ifindex, &t->addr, t->len);
		if (ret == 0)
			continue;
		__atomic_store_n(&v->counters->netlink_errors, v->counters->netlink_errors + 1,
				 __ATOMIC_RELAXED);
		if (!v->told)
			log_warning(AREA, "cannot %s address %s/%u: %s", t->add ? "add" : "remove",
				    addr_format(&t->addr, text, sizeof(text)), t->len,
				    strerror(-ret));
		v->told = true; /* once per plan that fails, not once per address */
	}
	if (v->next < v->n_tasks)
		return true;
	v->n_tasks = v->next = 0;
	return false;
}
