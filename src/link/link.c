/* SPDX-License-Identifier: BSD-3-Clause */
#include "link/link.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error_text.h"
#include "base/log.h"
#include "base/own_user.h"
#include "link/link_internal.h"

/* --- Configuration ------------------------------------------------------------------------ */

static void linux_copy(struct link_linux *ls, bool *failed)
{
	ls->addrs = link_copy_array(ls->addrs, sizeof(*ls->addrs), ls->n_addrs, failed);
	ls->routes = link_copy_array(ls->routes, sizeof(*ls->routes), ls->n_routes, failed);
}

static void linux_free(struct link_linux *ls)
{
	free((void *)(uintptr_t)ls->addrs);
	free((void *)(uintptr_t)ls->routes);
}

/* Even after a failure every pointer is the copy's own. */
static int config_copy(struct link_config *to, const struct link_config *from)
{
	bool failed = false;

	*to = *from;
	to->addresses = NULL; /* handed to vips */
	for (uint16_t p = 0; p < to->n_ports; p++) {
		struct link_port_config *port = &to->ports[p];

		linux_copy(&port->linux_side, &failed);
		port->vlans =
			link_copy_array(port->vlans, sizeof(*port->vlans), port->n_vlans, &failed);
		if (!port->vlans)
			port->n_vlans = 0;
		for (uint32_t v = 0; v < port->n_vlans; v++)
			linux_copy(&port->vlans[v].linux_side, &failed);
	}
	return failed ? -ENOMEM : 0;
}

static void config_free(struct link_config *c)
{
	for (uint16_t p = 0; p < c->n_ports; p++) {
		for (uint32_t v = 0; v < c->ports[p].n_vlans; v++)
			linux_free(&c->ports[p].vlans[v].linux_side);
		free(c->ports[p].vlans);
		linux_free(&c->ports[p].linux_side);
	}
}

/* Linux keeps the interface: nothing of the configuration is applied to it. */
static int shared_check(const struct link_config *c, uint16_t p, char error[ERROR_TEXT])
{
	const struct link_port_config *port = &c->ports[p];

	if (strcmp(port->tap, port->kernel_if) != 0)
		return error_text(
			error, -EINVAL,
			"node.ports[%u].tap: expected \"%s\": Linux keeps that interface, "
			"and the port has no TAP",
			p, port->kernel_if);
	if (c->netns[0])
		return error_text(
			error, -EINVAL,
			"node.linux.netns: port %s has no TAP, and its interface %s is in "
			"the namespace of plvs: leave the key out",
			port->name, port->kernel_if);
	if (port->n_vlans || port->linux_side.n_addrs || port->linux_side.n_routes)
		return error_text(error, -EINVAL,
				  "node.ports[%u]: Linux keeps %s: set its addresses, routes and "
				  "VLANs there, and leave \"linux\" and \"vlans\" out",
				  p, port->kernel_if);
	return 0;
}

static int port_check(const struct link_config *c, uint16_t p, char error[ERROR_TEXT])
{
	const struct link_port_config *port = &c->ports[p];
	size_t len = strnlen(port->tap, sizeof(port->tap));

	if (len == 0 || len >= sizeof(port->tap) || strpbrk(port->tap, "/ \t\n%:") ||
	    strcmp(port->tap, ".") == 0 || strcmp(port->tap, "..") == 0)
		return error_text(
			error, -EINVAL,
			"node.ports[%u].tap: expected a name of 1 to 15 characters for an "
			"interface",
			p);
	for (uint16_t q = 0; q < p; q++) {
		if (strcmp(c->ports[q].tap, port->tap) != 0)
			continue;
		return error_text(error, -EINVAL,
				  "node.ports[%u].tap: \"%s\" is the TAP of port %s", p, port->tap,
				  c->ports[q].name);
	}
	if (port->shared)
		return shared_check(c, p, error);
	for (uint32_t v = 0; v < port->n_vlans; v++) {
		uint16_t id = port->vlans[v].id;

		if (id >= 1 && id <= MAX_VLAN && len + 5 < LINK_IFNAME_LEN)
			continue;
		return error_text(
			error, -EINVAL,
			"node.ports[%u].vlans[%u]: expected an id from 1 to %d, and a TAP name of "
			"at most 10 characters",
			p, v, MAX_VLAN);
	}
	return 0;
}

static int config_check(const struct link_config *c, const struct exchange *x,
			char error[ERROR_TEXT])
{
	if (c->n_ports == 0 || c->n_ports > MAX_PORTS || x->n_workers == 0)
		return error_text(error, -EINVAL, "expected 1 to %d ports and a worker", MAX_PORTS);
	for (uint16_t p = 0; p < c->n_ports; p++) {
		int ret = port_check(c, p, error);

		if (ret < 0)
			return ret;
		if (!x->pool[p] || x->port_worker[p] >= x->n_workers)
			return error_text(error, -EINVAL, "port %s: no buffers or no worker for it",
					  c->ports[p].name);
	}
	return 0;
}

/* --- Life ---------------------------------------------------------------------------------- */

static int ask_use(void *arg, int ifindex, const struct addr *a, bool managed)
{
	return nlreq_neigh_use(arg, ifindex, a, managed);
}

static int ask_get(void *arg, int ifindex, const struct addr *a, struct nl_neigh *out)
{
	return nlreq_neigh_get(arg, ifindex, a, out);
}

static int loose_init(struct link *l)
{
	for (uint16_t p = 0; p < l->config.n_ports; p++) {
		const struct link_port_config *port = &l->config.ports[p];
		int ret = port->loose ? mirror_set_loose(&l->mirror, link_id_of(p, 0)) : 0;

		for (uint32_t v = 0; v < port->n_vlans && ret == 0; v++)
			if (port->vlans[v].loose)
				ret = mirror_set_loose(&l->mirror,
						       link_id_of(p, port->vlans[v].id));
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int parts_init(struct link *l, const struct link_config *config)
{
	const struct hops_ops ops = {ask_use, ask_get, &l->req};
	struct link_address *list;
	bool failed = false;
	int ret;

	for (uint16_t p = 0; p < config->n_ports; p++) {
		l->carrier[p] = config->ports[p].carrier;
		l->port_mtu[p] = config->ports[p].mtu;
	}
	retire_list_init(&l->retired, &l->pub->grace);
	ret = mirror_init(&l->mirror, config->n_ports);
	if (ret == 0)
		ret = loose_init(l);
	if (ret == 0)
		ret = taps_init(l);
	if (ret == 0)
		ret = hops_init(&l->hops, l->pub, &l->retired, &l->mirror, &l->counters, &ops);
	if (ret == 0)
		ret = vips_init(&l->vips, &l->mirror, &l->req, &l->counters);
	if (ret < 0)
		return ret;
	list = link_copy_array(config->addresses, sizeof(*list), config->n_addresses, &failed);
	ret = failed ? -ENOMEM : vips_set(&l->vips, list, config->n_addresses);
	l->vips.off = config->inactive;
	for (uint16_t p = 0; p < config->n_ports; p++)
		l->vips.shared |= config->ports[p].shared ? 1U << p : 0;
	l->pump = (struct pump){.exchange = l->exchange,
				.n_ports = config->n_ports,
				.counters = l->port_counters,
				.totals = &l->counters};
	for (uint16_t p = 0; p < config->n_ports; p++)
		l->pump.taps[p] = &l->slots[p].tap;
	return ret < 0 ? ret : pump_init(&l->pump);
}

int link_create(const struct link_config *config, struct published *published,
		struct exchange *exchange, struct link **out, char error[ERROR_TEXT])
{
	struct link *l;
	int ret;

	ret = config_check(config, exchange, error);
	if (ret < 0)
		return ret;
	l = calloc(1, sizeof(*l));
	if (!l)
		return error_text(error, -ENOMEM, "out of memory");
	l->pub = published;
	l->exchange = exchange;
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->cond, NULL);
	l->msg_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ret = l->msg_fd < 0 ? -errno : config_copy(&l->config, config);
	if (ret == 0)
		ret = parts_init(l, config);
	/* Here and not in the thread, which may move to another namespace. */
	if (ret == 0)
		ret = carrier_open(l);
	if (ret < 0) {
		error_text(error, 0, "the Linux side of ports: %s", strerror(-ret));
		link_destroy(l);
		return ret;
	}
	*out = l;
	return 0;
}

int link_start(struct link *l, char error[ERROR_TEXT])
{
	sigset_t all, old;
	int ret;

	l->start_error = error;
	sigfillset(&all);
	sigdelset(&all, OWN_USER_SIGNAL);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = -pthread_create(&l->thread, NULL, link_main, l);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (ret < 0)
		return error_text(error, ret, "cannot start the link thread: %s", strerror(-ret));
	l->joinable = true;
	pthread_mutex_lock(&l->lock);
	while (!l->started)
		pthread_cond_wait(&l->cond, &l->lock);
	ret = l->start_ret;
	pthread_mutex_unlock(&l->lock);
	if (ret < 0)
		link_stop(l);
	return ret;
}

static void do_stop(struct link *l, struct link_msg *msg)
{
	(void)msg;
	l->stop = true;
}

void link_stop(struct link *l)
{
	struct link_msg msg = {.fn = do_stop, .wait = true};

	if (!l->joinable)
		return;
	link_post(l, &msg);
	pthread_join(l->thread, NULL);
	l->joinable = false;
	link_messages_end(l);
}

void link_destroy(struct link *l)
{
	struct fib *fib = l->pub->fib;

	link_stop(l);
	link_messages_end(l);
	l->pub->fib = NULL;
	retire_list_fini(&l->retired);
	fib_destroy(fib);
	free(l->routes);
	carrier_close(l);
	pump_fini(&l->pump);
	taps_fini(l);
	vips_fini(&l->vips);
	hops_fini(&l->hops);
	mirror_fini(&l->mirror);
	config_free(&l->config);
	if (l->msg_fd >= 0)
		close(l->msg_fd);
	pthread_cond_destroy(&l->cond);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

const struct link_port_counters *link_port_counters(const struct link *l, uint16_t port)
{
	return &l->port_counters[port];
}

const struct link_counters *link_counters(const struct link *l)
{
	return &l->counters;
}
