/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>

#include "base/clock.h"
#include "base/log.h"
#include "link/link_internal.h"

/*
 * The carrier of a port: the device's link state (port_up() of the callbacks), read ten times a
 * second. af_packet and af_xdp always report "up", so for these the interface has to be up as well.
 * Sockets that were opened in the creator's namespace read the state of the interface when Linux
 * tells of a change.
 */

static bool is_up(const struct nl_link *k)
{
	return (k->flags & IFF_UP) && (k->flags & IFF_LOWER_UP);
}

void carrier_set(struct link *l, uint16_t port, bool up)
{
	if (l->carrier[port] != up) {
		l->carrier[port] = up;
		log_notice(LINK_AREA, "port %s: link is %s", l->config.ports[port].name,
			   up ? "up" : "down");
		if (l->config.callbacks.carrier_changed)
			l->config.callbacks.carrier_changed(l->config.callbacks.arg, port, up);
	}
	taps_set_carrier(l, port);
}

static void interfaces_ask(struct link *l)
{
	for (uint16_t p = 0; p < l->config.n_ports; p++) {
		const char *name = l->config.ports[p].kernel_if;
		struct nl_link k;

		if (name[0])
			l->interface_up[p] =
				nlreq_link_get(&l->host_req, name, &k) == 0 && is_up(&k);
	}
}

int carrier_open(struct link *l)
{
	int group = RTNLGRP_LINK;
	bool needed = false;

	for (uint16_t p = 0; p < l->config.n_ports; p++)
		needed |= l->config.ports[p].kernel_if[0];
	if (!needed)
		return 0;
	l->host = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!l->host || mnl_socket_bind(l->host, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_setsockopt(l->host, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return -errno;
	return nlreq_open(&l->host_req);
}

void carrier_close(struct link *l)
{
	if (l->host)
		mnl_socket_close(l->host);
	l->host = NULL;
	nlreq_close(&l->host_req);
}

/* The port of an event does not matter: there are few ports, and the answer to a
 * question is right even where events were lost. */
void carrier_read(struct link *l)
{
	uint8_t buf[8192];
	ssize_t got;

	if (!l->host)
		return;
	for (unsigned int i = 0; i < 64; i++) {
		got = mnl_socket_recvfrom(l->host, buf, sizeof(buf));
		if (got < 0 && errno == EAGAIN)
			break;
	}
	interfaces_ask(l);
	carrier_look(l);
}

/* An interface that was made again is up, but its port is not until the device is open. */
void carrier_look(struct link *l)
{
	const struct link_callbacks *cb = &l->config.callbacks;

	for (uint16_t p = 0; p < l->config.n_ports; p++) {
		bool has_interface = l->config.ports[p].kernel_if[0];

		if (cb->port_up || has_interface)
			carrier_set(l, p,
				    (!cb->port_up || cb->port_up(cb->arg, p)) &&
					    (!has_interface || l->interface_up[p]));
	}
}

/* Next hops of a port that Linux resolves or refreshes: all but permanent neighbours. */
static uint32_t neighbours_asked(const struct hops *h, uint16_t port)
{
	uint32_t n = 0;

	for (uint32_t id = 1; id <= h->max_id; id++) {
		const struct nexthop *nh = h->hop[id].in_use ? nexthop_by_id(h->table, id) : NULL;

		if (nh && nh->port == port)
			n += h->hop[id].managed || nh->state != NEXTHOP_REACHABLE;
	}
	return n;
}

static void silence_tell(struct link *l, uint16_t port, uint32_t neighbours)
{
	const struct link_callbacks *cb = &l->config.callbacks;
	struct silence *s = &l->silence[port];
	bool edge = (neighbours > 0) != (s->neighbours > 0);

	s->neighbours = neighbours;
	if (!edge)
		return;
	if (neighbours)
		log_warning(LINK_AREA,
			    "port %s: nothing was received for %d s, though the link is up and "
			    "Linux asks for %u neighbours: check the cable, the switch and its "
			    "VLANs",
			    l->config.ports[port].name, SILENCE_S, neighbours);
	else
		log_notice(LINK_AREA, "port %s: frames are received again",
			   l->config.ports[port].name);
	if (cb->port_silent)
		cb->port_silent(cb->arg, port, neighbours);
}

void carrier_listen(struct link *l)
{
	const struct link_callbacks *cb = &l->config.callbacks;

	for (uint16_t p = 0; cb->port_received && p < l->config.n_ports; p++) {
		bool lasts;

		/* Answers of neighbours go to Linux, so silence means nothing. */
		if (l->config.ports[p].shared)
			continue;
		lasts = silence_lasts(&l->silence[p], l->carrier[p], cb->port_received(cb->arg, p),
				      l->port_counters[p].from_tap_pkts, clock_coarse_s());

		silence_tell(l, p, lasts ? neighbours_asked(&l->hops, p) : 0);
	}
}
