/* SPDX-License-Identifier: BSD-3-Clause */
#include "link/vips.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define AREA "link"

struct vip_task {
	int ifindex;
	struct addr addr;
	uint8_t len;
	bool add;
};

struct vip_node {
	struct hnode by_addr;
	const struct link_address *address;
	bool present; /* seen on its interface while planning */
};

static void keep(struct hnode *node)
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
	return htab_init(&v->by_addr);
}

void vips_fini(struct vips *v)
{
	htab_fini(&v->by_addr, keep);
	free(v->nodes);
	free(v->list);
	free(v->tasks);
	memset(v, 0, sizeof(*v));
}

int vips_set(struct vips *v, struct link_address *list, uint32_t n)
{
	struct vip_node *nodes = calloc(n + 1, sizeof(*nodes));

	if (!nodes) {
		free(list);
		return -ENOMEM;
	}
	htab_clear(&v->by_addr, keep);
	free(v->nodes);
	free(v->list);
	v->nodes = nodes;
	v->list = list;
	v->told = false;
	v->n = n;
	for (uint32_t i = 0; i < n; i++) {
		if (list[i].addr.family != ADDR_V4)
			continue;
		nodes[i].address = &list[i];
		htab_add(&v->by_addr, &nodes[i].by_addr,
			 htab_hash(&list[i].addr.v4, sizeof(list[i].addr.v4)));
	}
	return 0;
}

static struct vip_node *node_find(const struct vips *v, be32 addr)
{
	struct hnode *node = htab_first(&v->by_addr, htab_hash(&addr, sizeof(addr)));

	while (node && ((struct vip_node *)node)->address->addr.v4 != addr)
		node = htab_next(node);
	return (struct vip_node *)node;
}

bool vips_contradicts(const struct vips *v, be32 addr, uint8_t proto, bool gone)
{
	const struct vip_node *node = node_find(v, addr);

	if (gone)
		return node && node->address->active;
	return node ? !node->address->active : proto == IFAPROT_PLVS;
}

static uint8_t len_of(const struct link_address *a)
{
	return a->kind == LINK_ADDRESS_VIP ? 32 : a->len;
}

/* Where it belongs now, or NULL: the interface is not there. */
static const struct iface *iface_of(const struct vips *v, const struct link_address *a)
{
	link_id link = a->link;

	if (link == LINK_ANY)
		link = mirror_link_around(v->mirror, a->addr.v4);
	if (link == LINK_ANY)
		link = link_id_of(0, 0);
	return mirror_iface_by_link(v->mirror, link);
}

static int task_add(struct vips *v, int ifindex, be32 addr, uint8_t len, bool add)
{
	if (v->n_tasks == v->max_tasks) {
		uint32_t max = v->max_tasks ? v->max_tasks * 2 : 64;
		struct vip_task *grown = realloc(v->tasks, max * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		v->tasks = grown;
		v->max_tasks = max;
	}
	v->tasks[v->n_tasks++] = (struct vip_task){ifindex, addr_from_v4(addr), len, add};
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
		struct vip_node *node = node_find(v, a->addr);

		if (!node && a->proto != IFAPROT_PLVS)
			continue;
		iface = node && node->address->active ? iface_of(v, node->address) : NULL;
		if (iface && iface->ifindex == a->ifindex && a->len == len_of(node->address))
			node->present = true;
		else if (task_add(v, a->ifindex, a->addr, a->len, false) < 0)
			return -ENOMEM;
	}
	for (uint32_t i = 0; i < v->n; i++) {
		const struct link_address *want = nodes[i].address;

		if (!want || !want->active || nodes[i].present)
			continue;
		iface = iface_of(v, want);
		if (iface && task_add(v, iface->ifindex, want->addr.v4, len_of(want), true) < 0)
			return -ENOMEM;
	}
	return 0;
}

bool vips_work(struct vips *v, uint32_t budget)
{
	for (; v->next < v->n_tasks && budget; v->next++, budget--) {
		const struct vip_task *t = &v->tasks[v->next];
		char text[ADDR_STRLEN];
		int ret;

		if (t->add)
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
