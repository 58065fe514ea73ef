/* SPDX-License-Identifier: BSD-3-Clause */
#include "router/setup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "control/control.h"
#include "control/pair.h"
#include "dataplane/port.h"
#include "dataplane/port_device.h"
#include "router/table_size.h"

/* ---- data plane ---- */

static bool addrs_contain(const struct net_addr *v, uint32_t n, const struct addr *a)
{
	for (uint32_t i = 0; i < n; i++) {
		struct prefix p = {.addr = v[i].addr, .len = v[i].len};

		if (prefix_contains(&p, a))
			return true;
	}
	return false;
}

/* The address is on one of the port's networks. */
static bool port_reaches(const struct config *config, uint32_t port, const struct addr *a)
{
	const struct config_port *p = &config->node.ports[port];

	if (addrs_contain(p->addresses, p->n_addresses, a))
		return true;
	for (uint32_t i = 0; i < p->n_vlans; i++)
		if (addrs_contain(p->vlans[i].addresses, p->vlans[i].n_addresses, a))
			return true;
	for (uint32_t i = 0; i < config->shared.n_addresses; i++) {
		const struct config_address *g = &config->shared.addresses[i];

		if (g->kind == CONFIG_ADDRESS_GATEWAY && g->link_id != LINK_ANY &&
		    link_port(g->link_id) == port && addrs_contain(&g->address, 1, a))
			return true;
	}
	return false;
}

/*
 * The direction of packets that a port receives, as far as addresses tell: replies where real
 * servers are and no VIP, clients where no server is. A wrong guess only costs hand-offs between
 * workers.
 */
static enum port_direction port_direction(const struct config *config, uint32_t port)
{
	bool servers = false, vips = false;

	if (config->node.n_ports < 2)
		return PORT_BOTH;
	for (uint32_t i = 0; i < config->shared.n_services; i++) {
		const struct config_service *s = config->shared.services[i];

		for (uint32_t j = 0; j < s->n_listen && !vips; j++)
			vips = port_reaches(config, port, &s->listen[j].addr);
		for (uint32_t j = 0; j < s->n_servers && !servers; j++)
			servers = port_reaches(config, port, &s->servers[j].ep.addr);
		if (servers && vips)
			return PORT_BOTH;
	}
	return servers ? PORT_OUT : PORT_IN;
}

/* Without a number in the configuration. */
static uint64_t connections_default(void)
{
	return table_size_default((uint64_t)sysconf(_SC_PHYS_PAGES) *
				  (uint64_t)sysconf(_SC_PAGE_SIZE));
}

void setup_dataplane(const struct config *config, struct dataplane_config *out)
{
	const struct config_node *node = &config->node;

	memset(out, 0, sizeof(*out));
	out->n_ports = (uint16_t)node->n_ports;
	out->max_connections = node->connections ? node->connections : connections_default();
	out->max_embryonic = node->embryonic;
	out->idle_gives_way_s = node->idle_gives_way_s;
	out->idle_sleep = node->idle == CONFIG_IDLE_SLEEP;
	if (node->ha.n_paths)
		out->side = memcmp(&node->ha.paths[0].local.addr, &node->ha.paths[0].peer.addr,
				   sizeof(struct addr)) > 0;
	for (uint32_t i = 0; i < node->n_ports; i++) {
		const struct config_port *from = &node->ports[i];
		struct port_config *to = &out->ports[i];

		snprintf(to->name, sizeof(to->name), "%s", from->name);
		snprintf(to->device, sizeof(to->device), "%s", from->device);
		to->queues = (uint16_t)from->queues;
		to->mtu = (uint16_t)from->mtu;
		to->direction = (uint8_t)port_direction(config, i);
	}
}

/* ---- Linux side of ports ---- */

static int mtu_changed(void *arg, uint16_t port, uint16_t mtu)
{
	struct dataplane *dp = arg;

	return port_set_mtu(&dp->ports[port], mtu);
}

static void carrier_changed(void *arg, uint16_t port, bool up)
{
	struct dataplane *dp = arg;

	__atomic_store_n(&dp->ports[port].carrier, up, __ATOMIC_RELAXED);
}

static bool port_up(void *arg, uint16_t port)
{
	struct dataplane *dp = arg;

	port_link_look(&dp->ports[port]);
	return port_link_up(&dp->ports[port]);
}

static void vlan_changed(void *arg, uint16_t port, uint16_t vlan, bool there)
{
	struct dataplane *dp = arg;

	port_vlan_want(&dp->ports[port], vlan, there);
}

static uint64_t port_received(void *arg, uint16_t port)
{
	const struct dataplane *dp = arg;
	uint64_t sum = 0;

	for (uint16_t i = 0; i < dp->n_workers; i++)
		sum += __atomic_load_n(&dp->workers[i]->port_counters[port].rx_pkts,
				       __ATOMIC_RELAXED);
	return sum;
}

static bool prefix_is_host(const struct prefix *p)
{
	return p->len == (p->addr.family == ADDR_V6 ? 128 : 32);
}

static void port_silent(void *arg, uint16_t port, uint32_t neighbours)
{
	struct dataplane *dp = arg;

	__atomic_store_n(&dp->ports[port].silent, neighbours, __ATOMIC_RELAXED);
}

/* Replies that servers send to the router itself are Linux's. */
static void routes_changed(void *arg, const struct link_fib_route *routes, uint32_t n)
{
	struct dataplane *dp = arg;
	struct sieve_list own = {0};

	if (dp->sieve.n_ports == 0)
		return;
	for (uint32_t i = 0; i < n; i++)
		if (routes[i].kind == ROUTE_LOCAL && prefix_is_host(&routes[i].dest))
			sieve_add_own(&own, &routes[i].dest.addr);
	if (sieve_replace(&dp->sieve, SIEVE_BY_LINK, &own) < 0)
		log_error("dataplane", "no memory to tell XDP programs of the router's addresses: "
				       "told with the next change of routes");
}

/* Of what a port, or a VLAN, of the configuration has; borrowed. */
#define SETUP_LINUX(from)                                                                          \
	((struct link_linux){.addrs = (from)->addresses,                                           \
			     .n_addrs = (from)->n_addresses,                                       \
			     .routes = (from)->routes,                                             \
			     .n_routes = (from)->n_routes})

static int setup_port(const struct config_port *from, struct port *p, bool shared,
		      struct link_port_config *to)
{
	to->linux_side = SETUP_LINUX(from);
	snprintf(to->name, sizeof(to->name), "%s", from->name);
	snprintf(to->tap, sizeof(to->tap), "%s", from->tap);
	to->mac = p->mac;
	to->mtu = p->mtu;
	port_link_look(p);
	to->carrier = port_link_up(p);
	to->loose = from->source_check == CONFIG_SOURCE_LOOSE;
	port_kernel_if(p, to->kernel_if, sizeof(to->kernel_if));
	to->shared = shared;
	to->vlans = calloc(from->n_vlans + 1, sizeof(*to->vlans));
	if (!to->vlans)
		return -ENOMEM;
	to->n_vlans = from->n_vlans;
	for (uint32_t i = 0; i < from->n_vlans; i++) {
		const struct config_vlan *v = &from->vlans[i];

		to->vlans[i].id = (uint16_t)v->id;
		to->vlans[i].loose = v->source_check == CONFIG_SOURCE_LOOSE;
		to->vlans[i].linux_side = SETUP_LINUX(v);
	}
	return 0;
}

/* All that moves or belongs to a service: what a crash may have left in Linux. Control
 * says again what is active, and where, when it starts. */
static int setup_addresses(const struct config *config, struct link_config *out)
{
	static const uint8_t kinds[] = {[CONFIG_ADDRESS_VIP] = LINK_ADDRESS_VIP,
					[CONFIG_ADDRESS_GATEWAY] = LINK_ADDRESS_GATEWAY,
					[CONFIG_ADDRESS_PREFIX] = LINK_ADDRESS_PREFIX,
					[CONFIG_ADDRESS_POOL] = LINK_ADDRESS_VIP};
	const struct config_shared *shared = &config->shared;
	size_t n = shared->n_addresses + config->node.n_pool;

	for (uint32_t i = 0; i < shared->n_services; i++)
		n += shared->services[i]->n_listen;
	out->addresses = calloc(n + 1, sizeof(*out->addresses));
	if (!out->addresses)
		return -ENOMEM;
	for (uint32_t i = 0; i < config->node.n_pool; i++) {
		const struct config_address *a = &config->node.pool[i];

		out->addresses[out->n_addresses++] = (struct link_address){.addr = a->address.addr,
									   .len = a->address.len,
									   .kind = LINK_ADDRESS_VIP,
									   .link = a->link_id};
	}
	for (uint32_t i = 0; i < shared->n_addresses; i++) {
		const struct config_address *a = &shared->addresses[i];

		out->addresses[out->n_addresses++] = (struct link_address){.addr = a->address.addr,
									   .len = a->address.len,
									   .kind = kinds[a->kind],
									   .link = a->link_id};
	}
	for (uint32_t i = 0; i < shared->n_services; i++) {
		const struct config_service *s = shared->services[i];

		for (uint32_t j = 0; j < s->n_listen; j++)
			out->addresses[out->n_addresses++] =
				(struct link_address){.addr = s->listen[j].addr,
						      .kind = LINK_ADDRESS_VIP,
						      .link = LINK_ANY};
	}
	return 0;
}

int setup_link(const struct config *config, struct dataplane *dp, struct link_config *out)
{
	int rc;

	memset(out, 0, sizeof(*out));
	if (config->node.netns)
		snprintf(out->netns, sizeof(out->netns), "%s", config->node.netns);
	out->reserved_first = dp->check_ports->first;
	out->reserved_last = (uint16_t)(dp->check_ports->first + dp->check_ports->n - 1);
	out->inactive = config->node.ha.n_paths > 0; /* until the ha thread says otherwise */
	out->realtime = config->node.ha.n_paths > 0 || config->node.announce.table; /* BFD */
	out->callbacks = (struct link_callbacks){.mtu_changed = mtu_changed,
						 .carrier_changed = carrier_changed,
						 .port_up = port_up,
						 .vlan_changed = vlan_changed,
						 .port_received = port_received,
						 .port_silent = port_silent,
						 .routes_changed = routes_changed,
						 .arg = dp};
	rc = setup_addresses(config, out);
	for (uint16_t i = 0; i < dp->n_ports && rc == 0; i++) {
		out->n_ports++;
		rc = setup_port(&config->node.ports[i], &dp->ports[i], sieve_has(&dp->sieve, i),
				&out->ports[i]);
		dp->ports[i].carrier = out->ports[i].carrier;
	}
	return rc;
}

void setup_link_fini(struct link_config *lc)
{
	for (uint16_t i = 0; i < lc->n_ports; i++)
		free(lc->ports[i].vlans);
	free(lc->addresses);
}

/* ---- the ha thread ---- */

static void host_set_active(void *arg, bool active)
{
	const struct setup_host *host = arg;

	(void)link_set_active(host->link, active);
}

static bool host_port(void *arg, uint16_t port, struct mac *mac)
{
	const struct setup_host *host = arg;
	const struct port *p = &host->dp->ports[port];

	*mac = p->mac;
	return __atomic_load_n(&p->carrier, __ATOMIC_RELAXED);
}

static uint64_t host_relayed(void *arg)
{
	const struct setup_host *host = arg;
	uint64_t sum = 0;

	for (uint16_t i = 0; i < host->dp->n_workers; i++)
		sum += __atomic_load_n(&host->dp->workers[i]->counters.relayed, __ATOMIC_RELAXED);
	return sum;
}

static uint16_t host_loops(void *arg, const uint64_t **progress, bool *on_demand)
{
	const struct setup_host *host = arg;
	uint16_t n = 0;

	for (; n < host->dp->n_workers; n++) {
		progress[n] = &host->dp->workers[n]->progress;
		on_demand[n] = false;
	}
	progress[n] = &link_counters(host->link)->progress;
	on_demand[n++] = true;
	return n;
}

static void host_poke(void *arg)
{
	const struct setup_host *host = arg;

	link_poke(host->link);
}

static bool host_realtime(void *arg)
{
	const struct setup_host *host = arg;

	return link_is_realtime(host->link);
}

static void host_request(void *arg, uint32_t id, const void *bytes, size_t len)
{
	const struct setup_host *host = arg;

	control_pushed(host->control, id, bytes, len);
}

static void host_changed(void *arg, enum ha_state from, enum ha_state to, const char *text)
{
	const struct setup_host *host = arg;

	control_role(host->control, from, to, text);
	if (ha_state_serves(to) && !ha_state_serves(from))
		control_active(host->control);
}

void setup_ha(const struct config *config, struct setup_host *host, struct ha_options *out)
{
	memset(out, 0, sizeof(*out));
	pair_config(config, &out->config);
	out->pub = &host->dp->pub;
	out->spawn_fd = -1;
	out->host = (struct ha_host){.set_active = host_set_active,
				     .port = host_port,
				     .relayed = host_relayed,
				     .loops = host_loops,
				     .poke = host_poke,
				     .realtime = host_realtime,
				     .changed = host_changed,
				     .request = host_request,
				     .arg = host,
				     .tsc_hz = host->dp->hz};
}
