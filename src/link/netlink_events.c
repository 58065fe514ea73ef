/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "base/clock.h"
#include "base/log.h"
#include "link/link_internal.h"

#define NETLINK_BUF   65536
#define EVENTS_RCVBUF (8 << 20)
#define REREAD_TRIES  5

int netlink_open(struct link *l)
{
	static const int groups[] = {RTNLGRP_LINK,	 RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
				     RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,  RTNLGRP_NEIGH,
				     RTNLGRP_NEXTHOP};
	int size = EVENTS_RCVBUF, fd;

	l->netlink_buf = malloc(NETLINK_BUF + NLMSG_ALIGNTO);
	if (!l->netlink_buf)
		return -ENOMEM;
	l->netlink = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!l->netlink || mnl_socket_bind(l->netlink, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	fd = mnl_socket_get_fd(l->netlink);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	for (unsigned int i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		int group = groups[i];

		if (mnl_socket_setsockopt(l->netlink, NETLINK_ADD_MEMBERSHIP, &group,
					  sizeof(group)) < 0)
			return -errno;
	}
	return 0;
}

void netlink_close(struct link *l)
{
	if (l->netlink)
		mnl_socket_close(l->netlink);
	l->netlink = NULL;
	free(l->netlink_buf);
	l->netlink_buf = NULL;
}

/* The TAP's MTU and MAC are the port's: a new MTU is offered to the port, a new MAC is put
 * back. Linux is asked for both, since the event may be older than what was set since. */
static void check_tap(struct link *l, uint16_t port)
{
	const struct link_callbacks *cb = &l->config.callbacks;
	const struct link_port_config *config = &l->config.ports[port];
	struct nl_link now;
	int ret;

	if (nlreq_link_get(&l->req, config->tap, &now) < 0)
		return;
	if (!config->shared && memcmp(&now.mac, &config->mac, sizeof(config->mac)) != 0) {
		log_warning(LINK_AREA,
			    "port %s: %s was given a MAC that the port does not have: put back",
			    config->name, config->tap);
		nlreq_link_set_mac(&l->req, now.ifindex, &config->mac);
	}
	if (now.mtu == l->port_mtu[port])
		return;
	ret = cb->mtu_changed && now.mtu <= UINT16_MAX
		      ? cb->mtu_changed(cb->arg, port, (uint16_t)now.mtu)
		      : -EOPNOTSUPP;
	if (ret < 0) {
		log_error(LINK_AREA,
			  "port %s: cannot take the MTU %u of %s (%s): set back to %u; an MTU that "
			  "needs other buffers is taken at a start, from node.ports[].mtu",
			  config->name, now.mtu, config->tap, strerror(-ret), l->port_mtu[port]);
		nlreq_link_set_mtu(&l->req, now.ifindex, l->port_mtu[port]);
		return;
	}
	log_notice(LINK_AREA, "port %s: MTU changed from %u to %u, as that of %s", config->name,
		   l->port_mtu[port], now.mtu, config->tap);
	l->port_mtu[port] = (uint16_t)now.mtu;
	taps_set_mtu(l, port, (uint16_t)now.mtu);
}

static void link_changed(struct link *l, unsigned int bits, link_id link)
{
	const struct iface *iface = mirror_iface_by_link(&l->mirror, link);

	const struct link_callbacks *cb = &l->config.callbacks;
	uint16_t vlan = link_vlan(link);

	l->force = true;
	l->vips_dirty = true;
	if (vlan && cb->vlan_changed && bits & (MIRROR_LINK_NEW | MIRROR_LINK_GONE))
		cb->vlan_changed(cb->arg, (uint16_t)link_port(link), vlan,
				 !(bits & MIRROR_LINK_GONE));
	if (bits & MIRROR_LINK_GONE) {
		hops_link_gone(&l->hops, link);
		taps_gone(l, link);
		return;
	}
	if (bits & MIRROR_LINK_NEW) {
		if (iface && !l->config.ports[link_port(link)].shared)
			tap_sysctls(iface->info.name);
		hops_link_new(&l->hops, link);
	}
	if (bits & MIRROR_LINK_EDIT)
		hops_link_edit(&l->hops, link);
	if (link_vlan(link) == 0 && bits & (MIRROR_LINK_EDIT | MIRROR_LINK_NEW))
		l->check_tap[link_port(link)] = true; /* not now: a reading may be under way */
}

static void take_up(struct link *l, const struct nl_event *ev)
{
	link_id link = LINK_ANY;
	unsigned int bits;

	if (ev->kind == NL_NEIGH) {
		/* "ip neigh del" and "flush" make an entry FAILED before it goes. */
		hops_neigh(&l->hops, &ev->neigh,
			   ev->gone || (ev->by_user && ev->neigh.state & NUD_FAILED),
			   clock_coarse_s());
		return;
	}
	bits = mirror_apply(&l->mirror, ev, &link);
	l->dirty |= bits & (MIRROR_FIB | MIRROR_REREAD);
	if (ev->kind == NL_LINK && bits)
		link_changed(l, bits, link);
	/* Somebody took an address of ours away, or left one there. */
	if (ev->kind == NL_ADDR && bits &&
	    vips_contradicts(&l->vips, &ev->addr.addr, ev->addr.proto, ev->gone))
		l->vips_dirty = true;
}

bool netlink_read(struct link *l, unsigned int budget)
{
	while (budget--) {
		ssize_t got = mnl_socket_recvfrom(l->netlink, l->netlink_buf, NETLINK_BUF);
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)l->netlink_buf;
		int left = (int)got;

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return false;
		if (got < 0) {
			/* ENOBUFS: events were lost. Anything else is treated alike. */
			LINK_COUNT(l->counters.netlink_overruns);
			l->all_unknown = true;
			return true;
		}
		for (; nl_message_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
			struct nl_event ev;
			int ret = nl_parse(nlh, &ev);

			LINK_COUNT(l->counters.netlink_events);
			if (ret > 0)
				take_up(l, &ev);
			if (ret >= 0)
				continue;
			LINK_COUNT(l->counters.netlink_malformed);
			if (!l->told_malformed)
				log_warning(LINK_AREA,
					    "netlink: malformed message of type %u ignored",
					    nlh->nlmsg_type);
			l->told_malformed = true;
		}
	}
	return true;
}

/* --- Reading everything ----------------------------------------------------------------- */

static void dumped(void *arg, const struct nl_event *ev)
{
	take_up(arg, ev);
}

static void iface_gone(void *arg, link_id link)
{
	link_changed(arg, MIRROR_LINK_GONE, link);
}

static int reread_routes(struct link *l)
{
	int ret = -EINTR;

	for (unsigned int i = 0; ret == -EINTR && i < REREAD_TRIES; i++) {
		mirror_clear_routes(&l->mirror);
		ret = nlreq_dump(&l->req, NL_ROUTE, dumped, l);
	}
	if (ret == 0)
		l->dirty = (l->dirty & ~MIRROR_REREAD) | MIRROR_FIB;
	return ret;
}

static int reread_all(struct link *l)
{
	int ret = -EINTR;

	LINK_COUNT(l->counters.reconciles);
	for (unsigned int i = 0; ret == -EINTR && i < REREAD_TRIES; i++) {
		mirror_ifaces_begin(&l->mirror);
		ret = nlreq_dump(&l->req, NL_LINK, dumped, l);
	}
	if (ret < 0)
		return ret;
	l->dirty |= mirror_ifaces_end(&l->mirror, iface_gone, l) & (MIRROR_FIB | MIRROR_REREAD);
	for (ret = -EINTR; ret == -EINTR;) {
		mirror_clear_addrs(&l->mirror);
		ret = nlreq_dump(&l->req, NL_ADDR, dumped, l);
	}
	if (ret == 0)
		ret = reread_routes(l);
	if (ret < 0)
		return ret;
	hops_reading_begin(&l->hops);
	ret = nlreq_dump(&l->req, NL_NEIGH, dumped, l);
	if (ret < 0 && ret != -EINTR)
		return ret;
	/* Entries that the reading missed are asked for one by one. */
	hops_reading_end(&l->hops);
	l->all_unknown = false;
	l->vips_dirty = true;
	return 0;
}

/* --- Publishing ------------------------------------------------------------------------- */

static void fib_free(void *fib)
{
	fib_destroy(fib);
}

/* The published fib has these routes and sets of links. */
static bool same_routes(const struct link *l, const struct fib *fib,
			const struct link_fib_route *routes, uint32_t n)
{
	const struct fib *old = l->pub->fib;

	return n == l->n_routes && memcmp(routes, l->routes, n * sizeof(*routes)) == 0 &&
	       fib->n_links_of == old->n_links_of &&
	       (fib->n_links_of == 0 ||
		memcmp(fib->links_of, old->links_of, fib->n_links_of * sizeof(link_id)) == 0);
}

static bool publish(struct link *l)
{
	struct link_fib_route *routes = NULL;
	struct fib *fib, *old;
	uint32_t n = 0;

	fib = mirror_build(&l->mirror, &n, &routes);
	if (!fib)
		return false;
	l->dirty &= ~MIRROR_FIB;
	if (!l->force && l->pub->fib && same_routes(l, fib, routes, n)) {
		fib_destroy(fib);
		free(routes);
		return true;
	}
	free(l->routes);
	l->routes = routes;
	l->n_routes = n;
	if (l->config.callbacks.routes_changed)
		l->config.callbacks.routes_changed(l->config.callbacks.arg, routes, n);
	l->force = false;
	old = l->pub->fib;
	__atomic_store_n(&l->pub->fib, fib, __ATOMIC_RELEASE);
	published_raise_gen(l->pub);
	retire(&l->retired, old, fib_free);
	LINK_COUNT(l->counters.fibs_published);
	LINK_SET(l->counters.routes, n);
	LINK_SET(l->counters.routes_over, l->mirror.n_left_out);
	if (l->mirror.n_left_out && !l->told_over)
		log_error(LINK_AREA, "more than %d routes: %u are left out", MIRROR_ROUTES_MAX,
			  l->mirror.n_left_out);
	l->told_over = l->mirror.n_left_out;
	hops_routes_changed(&l->hops, clock_coarse_s());
	return true;
}

bool netlink_apply(struct link *l)
{
	uint64_t start = clock_us();
	int ret = 0;

	if (l->all_unknown)
		ret = reread_all(l);
	else if (l->dirty & MIRROR_REREAD)
		ret = reread_routes(l);
	if (ret < 0) {
		/* The fib of workers stays until the reading is complete. */
		log_debug(LINK_AREA, "reading from Linux failed: %s", strerror(-ret));
		l->all_unknown = true;
		return false;
	}
	if (l->dirty & MIRROR_FIB || l->force || !l->pub->fib)
		if (!publish(l))
			return false;
	if (l->vips_dirty && vips_plan(&l->vips) == 0)
		l->vips_dirty = false;
	for (uint16_t p = 0; p < l->config.n_ports; p++) {
		if (l->check_tap[p])
			check_tap(l, p);
		l->check_tap[p] = false;
	}
	l->build_us = clock_us() - start;
	link_more(l);
	return true;
}
