/* SPDX-License-Identifier: BSD-3-Clause */
#include "link/link.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <linux/neighbour.h>

#include "base/log.h"
#include "link/internal.h"

/* --- Configuration ------------------------------------------------------------------------ */

static void *copy_array(const void *from, size_t size, uint32_t n, bool *failed)
{
	void *to = n ? malloc(size * n) : NULL;

	if (to)
		memcpy(to, from, size * n);
	else if (n)
		*failed = true;
	return to;
}

static void linux_copy(struct link_linux *ls, bool *failed)
{
	ls->addrs = copy_array(ls->addrs, sizeof(*ls->addrs), ls->n_addrs, failed);
	ls->routes = copy_array(ls->routes, sizeof(*ls->routes), ls->n_routes, failed);
}

static void linux_free(struct link_linux *ls)
{
	free(ls->addrs);
	free(ls->routes);
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
		port->vlans = copy_array(port->vlans, sizeof(*port->vlans), port->n_vlans, &failed);
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

static int port_check(const struct link_config *c, uint16_t p, char error[LINK_ERROR_LEN])
{
	const struct link_port_config *port = &c->ports[p];
	size_t len = strnlen(port->tap, sizeof(port->tap));

	if (len == 0 || len >= sizeof(port->tap) || strpbrk(port->tap, "/ \t\n%:") ||
	    strcmp(port->tap, ".") == 0 || strcmp(port->tap, "..") == 0) {
		snprintf(error, LINK_ERROR_LEN,
			 "node.ports[%u].tap: expected a name of 1 to 15 characters for an "
			 "interface",
			 p);
		return -EINVAL;
	}
	for (uint16_t q = 0; q < p; q++) {
		if (strcmp(c->ports[q].tap, port->tap) != 0)
			continue;
		snprintf(error, LINK_ERROR_LEN, "node.ports[%u].tap: \"%s\" is the TAP of port %s",
			 p, port->tap, c->ports[q].name);
		return -EINVAL;
	}
	for (uint32_t v = 0; v < port->n_vlans; v++) {
		uint16_t id = port->vlans[v].id;

		if (id >= 1 && id <= MAX_VLAN && len + 5 < LINK_IFNAME_LEN)
			continue;
		snprintf(error, LINK_ERROR_LEN,
			 "node.ports[%u].vlans[%u]: expected an id from 1 to %d, and a TAP name of "
			 "at most 10 characters",
			 p, v, MAX_VLAN);
		return -EINVAL;
	}
	return 0;
}

static int config_check(const struct link_config *c, const struct exchange *x,
			char error[LINK_ERROR_LEN])
{
	if (c->n_ports == 0 || c->n_ports > MAX_PORTS || x->n_workers == 0) {
		snprintf(error, LINK_ERROR_LEN, "expected 1 to %d ports and a worker", MAX_PORTS);
		return -EINVAL;
	}
	for (uint16_t p = 0; p < c->n_ports; p++) {
		int ret = port_check(c, p, error);

		if (ret < 0)
			return ret;
		if (!x->pool[p] || x->port_worker[p] >= x->n_workers) {
			snprintf(error, LINK_ERROR_LEN, "port %s: no buffers or no worker for it",
				 c->ports[p].name);
			return -EINVAL;
		}
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
		ret = taps_init(l);
	if (ret == 0)
		ret = hops_init(&l->hops, l->pub, &l->retired, &l->mirror, &l->counters, &ops);
	if (ret == 0)
		ret = vips_init(&l->vips, &l->mirror, &l->req, &l->counters);
	if (ret < 0)
		return ret;
	list = copy_array(config->addresses, sizeof(*list), config->n_addresses, &failed);
	ret = failed ? -ENOMEM : vips_set(&l->vips, list, config->n_addresses);
	l->pump = (struct pump){.exchange = l->exchange,
				.n_ports = config->n_ports,
				.counters = l->port_counters,
				.totals = &l->counters};
	for (uint16_t p = 0; p < config->n_ports; p++)
		l->pump.taps[p] = &l->slots[p].tap;
	return ret < 0 ? ret : pump_init(&l->pump);
}

int link_create(const struct link_config *config, struct published *published,
		struct exchange *exchange, struct link **out, char error[LINK_ERROR_LEN])
{
	struct link *l;
	int ret;

	ret = config_check(config, exchange, error);
	if (ret < 0)
		return ret;
	l = calloc(1, sizeof(*l));
	if (!l) {
		snprintf(error, LINK_ERROR_LEN, "out of memory");
		return -ENOMEM;
	}
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
		snprintf(error, LINK_ERROR_LEN, "the Linux side of ports: %s", strerror(-ret));
		link_destroy(l);
		return ret;
	}
	*out = l;
	return 0;
}

int link_start(struct link *l, char error[LINK_ERROR_LEN])
{
	sigset_t all, old;
	int ret;

	l->start_error = error;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = -pthread_create(&l->thread, NULL, link_main, l);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (ret < 0) {
		snprintf(error, LINK_ERROR_LEN, "cannot start the link thread: %s", strerror(-ret));
		return ret;
	}
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

/* --- Messages ------------------------------------------------------------------------------ */

static int post(struct link *l, struct link_msg *msg)
{
	uint64_t one = 1;
	bool first;

	pthread_mutex_lock(&l->lock);
	/* Before the start messages wait; after the end nobody would take them. */
	if (l->started && !l->running) {
		pthread_mutex_unlock(&l->lock);
		return -ESHUTDOWN;
	}
	first = !l->first;
	if (first)
		l->first = msg;
	else
		l->last->next = msg;
	l->last = msg;
	pthread_mutex_unlock(&l->lock);
	if (first && write(l->msg_fd, &one, sizeof(one)) < 0)
		log_debug(LINK_AREA, "eventfd: %s", strerror(errno)); /* full: woken anyway */
	return 0;
}

static void msg_free(struct link_msg *msg)
{
	free(msg->list);
	free(msg);
}

/* 0, -ENOMEM; a message that comes too late is no error. */
static int tell(struct link *l, const struct link_msg *from)
{
	struct link_msg *msg = malloc(sizeof(*msg));

	if (!msg) {
		free(from->list);
		return -ENOMEM;
	}
	*msg = *from;
	if (post(l, msg) < 0)
		msg_free(msg);
	return 0;
}

static int call(struct link *l, struct link_msg *msg)
{
	int ret;

	msg->wait = true;
	if (!l->joinable)
		return -ESHUTDOWN;
	ret = post(l, msg);
	if (ret < 0)
		return ret;
	pthread_mutex_lock(&l->lock);
	while (!msg->done)
		pthread_cond_wait(&l->cond, &l->lock);
	pthread_mutex_unlock(&l->lock);
	return msg->ret;
}

static void msg_finish(struct link *l, struct link_msg *msg)
{
	if (!msg->wait) {
		msg_free(msg);
		return;
	}
	pthread_mutex_lock(&l->lock);
	msg->done = true;
	pthread_cond_broadcast(&l->cond);
	pthread_mutex_unlock(&l->lock);
}

static struct link_msg *take_messages(struct link *l)
{
	struct link_msg *msg;

	pthread_mutex_lock(&l->lock);
	msg = l->first;
	l->first = l->last = NULL;
	pthread_mutex_unlock(&l->lock);
	return msg;
}

void link_messages(struct link *l)
{
	struct link_msg *msg = take_messages(l);

	while (msg) {
		struct link_msg *next = msg->next;

		msg->fn(l, msg);
		msg_finish(l, msg);
		msg = next;
	}
}

static void do_stop(struct link *l, struct link_msg *msg)
{
	(void)msg;
	l->stop = true;
}

void link_stop(struct link *l)
{
	struct link_msg msg = {.fn = do_stop, .wait = true}, *left;

	if (!l->joinable)
		return;
	post(l, &msg);
	pthread_join(l->thread, NULL);
	l->joinable = false;
	pthread_mutex_lock(&l->lock);
	l->running = false;
	pthread_mutex_unlock(&l->lock);
	for (struct link_msg *next = left = take_messages(l); left; left = next) {
		next = left->next;
		left->ret = -ESHUTDOWN;
		msg_finish(l, left);
	}
}

void link_destroy(struct link *l)
{
	struct fib *fib = l->pub->fib;

	link_stop(l);
	for (struct link_msg *msg = take_messages(l), *next; msg; msg = next) {
		next = msg->next;
		msg_finish(l, msg);
	}
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

/* --- What can be said and asked ------------------------------------------------------------ */

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

	msg.list = copy_array(list, sizeof(*list), n, &failed);
	return failed ? -ENOMEM : tell(l, &msg);
}

static void do_want(struct link *l, struct link_msg *msg)
{
	hops_set_wants(&l->hops, msg->list, msg->n, link_now_s());
	msg->list = NULL;
	link_more(l);
}

int link_want_nexthops(struct link *l, const struct link_want *list, uint32_t n)
{
	struct link_msg msg = {.fn = do_want, .n = n};
	bool failed = false;

	msg.list = copy_array(list, sizeof(*list), n, &failed);
	return failed ? -ENOMEM : tell(l, &msg);
}

static void do_set_carrier(struct link *l, struct link_msg *msg)
{
	if (!l->config.ports[msg->port].kernel_if[0])
		carrier_set(l, msg->port, msg->up);
}

int link_set_carrier(struct link *l, uint16_t port, bool up)
{
	const struct link_msg msg = {.fn = do_set_carrier, .port = port, .up = up};

	return port < l->config.n_ports ? tell(l, &msg) : -EINVAL;
}

static void do_set_mtu(struct link *l, struct link_msg *msg)
{
	l->port_mtu[msg->port] = msg->mtu;
	taps_set_mtu(l, msg->port, msg->mtu);
}

int link_set_mtu(struct link *l, uint16_t port, uint16_t mtu)
{
	const struct link_msg msg = {.fn = do_set_mtu, .port = port, .mtu = mtu};

	return port < l->config.n_ports ? tell(l, &msg) : -EINVAL;
}

static void do_sync(struct link *l, struct link_msg *msg)
{
	(void)msg;
	/* Addresses that are set come back as events. */
	for (unsigned int i = 0; i < 4; i++) {
		while (watch_read(l, 1024))
			;
		if (l->dirty || l->force || l->all_unknown || l->vips_dirty)
			watch_settle(l);
		while (vips_work(&l->vips, UINT32_MAX) ||
		       hops_work(&l->hops, UINT32_MAX, link_now_s()))
			;
	}
}

int link_sync(struct link *l)
{
	struct link_msg msg = {.fn = do_sync};

	return call(l, &msg);
}

static void do_list_routes(struct link *l, struct link_msg *msg)
{
	bool failed = false;

	msg->list = copy_array(l->routes, sizeof(*l->routes), l->n_routes, &failed);
	msg->n = failed ? 0 : l->n_routes;
	msg->ret = failed ? -ENOMEM : 0;
}

int link_list_routes(struct link *l, struct route4 **out, uint32_t *n)
{
	struct link_msg msg = {.fn = do_list_routes};
	int ret = call(l, &msg);

	if (ret == 0) {
		*out = msg.list;
		*n = msg.n;
	}
	return ret;
}

static void do_list_nexthops(struct link *l, struct link_msg *msg)
{
	struct link_nexthop *out = calloc(l->hops.table->n + 1, sizeof(*out));
	uint32_t now_s = link_now_s();

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
	int ret = call(l, &msg);

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
	if (!iface || nl->failed)
		return;
	if (nl->n == nl->max) {
		uint32_t max = nl->max ? nl->max * 2 : 64;
		struct link_neighbour *grown = realloc(nl->list, max * sizeof(*grown));

		nl->failed = !grown;
		if (!grown)
			return;
		nl->list = grown;
		nl->max = max;
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
	int ret = call(l, &msg);

	if (ret == 0) {
		*out = msg.list;
		*n = msg.n;
	}
	return ret;
}

const struct link_port_counters *link_port_counters(const struct link *l, uint16_t port)
{
	return &l->port_counters[port];
}

const struct link_counters *link_counters(const struct link *l)
{
	return &l->counters;
}
