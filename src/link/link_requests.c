/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/neighbour.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "link/link_internal.h"

/* Messages of other threads, and the work that the link thread does for each. */

static void do_set_addresses(struct link *l, struct link_msg *msg)
{
	if (vips_set(&l->vips, msg->list, msg->n) < 0)
		log_error(LINK_AREA, "out of memory: the addresses of TAPs stay as they are");
	msg->list = NULL;
	l->vips_dirty = true;
}

int link_set_addresses(struct link *l, const struct link_address *list, uint32_t n)
{
	struct link_msg msg = {.fn = do_set_addresses, .n = n};
	bool failed = false;

	msg.list = link_copy_array(list, sizeof(*list), n, &failed);
	return failed ? -ENOMEM : link_tell(l, &msg);
}

static void do_set_active(struct link *l, struct link_msg *msg)
{
	l->vips.off = !msg->up;
	l->vips_dirty = true;
}

int link_set_active(struct link *l, bool active)
{
	const struct link_msg msg = {.fn = do_set_active, .up = active};

	return link_tell(l, &msg);
}

static void do_want(struct link *l, struct link_msg *msg)
{
	hops_set_wants(&l->hops, msg->list, msg->n, clock_coarse_s());
	msg->list = NULL;
	link_more(l);
}

int link_want_nexthops(struct link *l, const struct link_want *list, uint32_t n)
{
	struct link_msg msg = {.fn = do_want, .n = n};
	bool failed = false;

	msg.list = link_copy_array(list, sizeof(*list), n, &failed);
	return failed ? -ENOMEM : link_tell(l, &msg);
}

static void do_want_one(struct link *l, struct link_msg *msg)
{
	const struct link_want *want = msg->list;

	if (!msg->up)
		hops_want_less(&l->hops, want);
	else if (hops_want_more(&l->hops, want, clock_coarse_s()) < 0)
		log_error(LINK_AREA, "out of memory: a next hop is not kept fresh");
	free(msg->list);
	msg->list = NULL;
	link_more(l);
}

int link_want_nexthop(struct link *l, const struct link_want *want, bool wanted)
{
	struct link_msg msg = {.fn = do_want_one, .n = 1, .up = wanted};
	bool failed = false;

	msg.list = link_copy_array(want, sizeof(*want), 1, &failed);
	return failed ? -ENOMEM : link_tell(l, &msg);
}

static void do_set_carrier(struct link *l, struct link_msg *msg)
{
	if (!l->config.ports[msg->port].kernel_if[0])
		carrier_set(l, msg->port, msg->up);
}

int link_set_carrier(struct link *l, uint16_t port, bool up)
{
	const struct link_msg msg = {.fn = do_set_carrier, .port = port, .up = up};

	return port < l->config.n_ports ? link_tell(l, &msg) : -EINVAL;
}

static void do_sync(struct link *l, struct link_msg *msg)
{
	(void)msg;
	/* Addresses that are set come back as events. */
	for (unsigned int i = 0; i < 4; i++) {
		while (netlink_read(l, 1024))
			;
		if (l->dirty || l->force || l->all_unknown || l->vips_dirty)
			netlink_apply(l);
		while (vips_work(&l->vips, UINT32_MAX) ||
		       hops_work(&l->hops, UINT32_MAX, clock_coarse_s()))
			;
	}
}

int link_sync(struct link *l)
{
	struct link_msg msg = {.fn = do_sync};

	return link_call(l, &msg);
}

static void do_list_routes(struct link *l, struct link_msg *msg)
{
	bool failed = false;

	msg->list = link_copy_array(l->routes, sizeof(*l->routes), l->n_routes, &failed);
	msg->n = failed ? 0 : l->n_routes;
	msg->ret = failed ? -ENOMEM : 0;
}

int link_list_routes(struct link *l, struct link_fib_route **out, uint32_t *n)
{
	struct link_msg msg = {.fn = do_list_routes};
	int ret = link_call(l, &msg);

	if (ret == 0) {
		*out = msg.list;
		*n = msg.n;
	}
	return ret;
}

static void do_list_nexthops(struct link *l, struct link_msg *msg)
{
	struct link_nexthop *out = calloc(l->hops.table->n + 1, sizeof(*out));
	uint32_t now_s = clock_coarse_s();

	msg->list = out;
	msg->ret = out ? 0 : -ENOMEM;
	for (uint32_t id = 1; out && id <= l->hops.max_id; id++) {
		const struct hop *hop = &l->hops.hop[id];

		if (!hop->in_use || hop->unlinked)
			continue;
		out[msg->n].nh = *nexthop_by_id(l->hops.table, id);
		out[msg->n].idle_s = now_s - hop->used_s;
		out[msg->n++].wanted = hop->wanted;
	}
}

int link_list_nexthops(struct link *l, struct link_nexthop **out, uint32_t *n)
{
	struct link_msg msg = {.fn = do_list_nexthops};
	int ret = link_call(l, &msg);

	if (ret == 0) {
		*out = msg.list;
		*n = msg.n;
	}
	return ret;
}

struct neighbour_list {
	struct link *l;
	struct link_neighbour *list;
	uint32_t n, max;
	bool failed;
};

static void list_neighbour(void *arg, const struct nl_event *ev)
{
	struct neighbour_list *nl = arg;
	const struct iface *iface;

	iface = ev->kind == NL_NEIGH ? mirror_iface(&nl->l->mirror, ev->neigh.ifindex) : NULL;
	/* Of IPv6, groups have entries as well. */
	if (!iface || nl->failed || !addr_is_unicast(&ev->neigh.addr))
		return;
	if (array_room(&nl->list, nl->n, &nl->max, sizeof(*nl->list)) < 0) {
		nl->failed = true;
		return;
	}
	nl->list[nl->n++] = (struct link_neighbour){.link = iface->link,
						    .addr = ev->neigh.addr,
						    .mac = ev->neigh.mac,
						    .state = ev->neigh.state,
						    .managed = ev->neigh.ext & NTF_EXT_MANAGED};
}

static void do_list_neighbours(struct link *l, struct link_msg *msg)
{
	struct neighbour_list nl = {.l = l};
	int ret = nlreq_dump(&l->req, NL_NEIGH, list_neighbour, &nl);

	if (nl.failed)
		ret = -ENOMEM;
	msg->ret = ret == -EINTR ? 0 : ret; /* one that came or went meanwhile does not matter */
	if (msg->ret < 0)
		free(nl.list);
	else
		msg->list = nl.list;
	msg->n = nl.n;
}

int link_list_neighbours(struct link *l, struct link_neighbour **out, uint32_t *n)
{
	struct link_msg msg = {.fn = do_list_neighbours};
	int ret = link_call(l, &msg);

	if (ret == 0) {
		*out = msg.list;
		*n = msg.n;
	}
	return ret;
}
