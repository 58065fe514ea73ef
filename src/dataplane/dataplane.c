/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/dataplane.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_malloc.h>

#include "base/error_text.h"
#include "base/log.h"
#include "dataplane/packet_pool.h"
#include "dataplane/port.h"
#include "dataplane/port_big.h"
#include "dataplane/port_device.h"
#include "dataplane/port_recovery.h"
#include "dataplane/exits/rings.h"
#include "dataplane/sync/conn_sync.h"
#include "dataplane/sync/ledger.h"

#define AREA "dataplane"

/* ---- grace periods ---- */

static void wake_all(void *arg)
{
	dataplane_wake(arg);
}

/* A worker that sleeps delays no grace period. It looks at once at what was published all the
 * same, and lets go of a device that is to be closed: see port_recovery.h. */
static uint64_t grace_start(void *arg)
{
	struct dataplane *dp = arg;
	uint64_t token = rte_rcu_qsbr_start(dp->qsbr);

	dataplane_wake(dp);
	return token;
}

static bool grace_passed(void *arg, uint64_t token)
{
	struct dataplane *dp = arg;

	return rte_rcu_qsbr_check(dp->qsbr, token, false) == 1;
}

static int qsbr_create(struct dataplane *dp, char error[ERROR_TEXT])
{
	size_t size = rte_rcu_qsbr_get_memsize(dp->n_workers);

	dp->qsbr = rte_zmalloc("plvs_qsbr", size, RTE_CACHE_LINE_SIZE);
	if (!dp->qsbr || rte_rcu_qsbr_init(dp->qsbr, dp->n_workers) != 0) {
		return error_text(error, -ENOMEM, "no memory for the quiescent-state variable");
	}
	/* Offline until their loops run: a grace period does not wait for them. */
	for (unsigned int i = 0; i < dp->n_workers; i++)
		rte_rcu_qsbr_thread_register(dp->qsbr, i);
	dp->pub.resolve_gen = GEN_ENDED + 1;
	dp->pub.grace = (struct grace){grace_start, grace_passed, dp};
	dp->pub.wake = wake_all;
	dp->pub.wake_arg = dp;
	return 0;
}

/* ---- ports ---- */

static void warn_far_memory(struct dataplane *dp, struct port *p)
{
	for (unsigned int i = 0; i < p->n_rx; i++) {
		const struct worker *w = dp->workers[i];

		if (p->socket < 0 || w->socket < 0 || p->socket == w->socket)
			continue;
		snprintf(p->warning, sizeof(p->warning),
			 "the NIC is on NUMA node %d, worker %u (lcore %u) on node %d: choose "
			 "lcores "
			 "of the NIC's node",
			 p->socket, w->id, w->lcore, w->socket);
		log_warning(AREA, "port %s: %s", p->config.name, p->warning);
		return;
	}
}

static int ports_create(struct dataplane *dp, const struct dataplane_config *config,
			char error[ERROR_TEXT])
{
	int rc = 0;

	for (unsigned int i = 0; i < config->n_ports && rc == 0; i++) {
		struct port *p = &dp->ports[i];

		p->config = config->ports[i];
		p->link_eventfd = dp->exchange.link_eventfd;
		port_device_init(p);
		dp->n_ports++;
		rc = port_find(p, dp->n_workers, error);
		p->interrupts = config->idle_sleep && port_has_interrupts(p);
		if (rc == 0)
			warn_far_memory(dp, p);
	}
	if (rc == 0)
		port_big_choose(dp);
	if (rc == 0)
		rc = packet_pools_create(dp, config->mbufs_per_port, error);
	if (rc == 0)
		rc = port_big_pool_create(dp, error);
	for (unsigned int i = 0; i < dp->n_ports && rc == 0; i++)
		rc = port_device_configure(dp, &dp->ports[i], error);
	return rc;
}

/* ---- workers ---- */

/* More threads want the lcore's CPUs than there are. */
static bool lcore_shares_cpu(unsigned int lcore)
{
	rte_cpuset_t set = rte_lcore_cpuset(lcore), both;
	unsigned int other;
	int n = 0;

	RTE_LCORE_FOREACH(other)
	{
		rte_cpuset_t theirs = rte_lcore_cpuset(other);

		CPU_AND(&both, &set, &theirs);
		n += CPU_COUNT(&both) != 0;
	}
	return n > CPU_COUNT(&set);
}

static int worker_create(struct dataplane *dp, const struct dataplane_config *config, uint16_t id,
			 unsigned int lcore, uint64_t seed)
{
	uint64_t per_shard = config->max_connections / dp->n_workers;
	uint64_t capacity = per_shard + per_shard / 4 + 1;
	int socket = rte_eal_has_hugepages() ? (int)rte_lcore_to_socket_id(lcore) : -1;
	struct worker *w;
	int rc;

	if (capacity > CONTROL_INDEX_MAX) /* what conn4.control can name */
		return -E2BIG;
	w = rte_zmalloc_socket("plvs_worker", sizeof(*w), RTE_CACHE_LINE_SIZE, socket);
	if (!w)
		return -ENOMEM;
	rc = worker_init(w, id, (uint32_t)capacity, socket, seed, &dp->pub);
	if (rc != 0) {
		rte_free(w);
		return rc;
	}
	if (config->max_embryonic) {
		per_shard = config->max_embryonic / dp->n_workers;
		w->v4.way.max_half_open =
			RTE_MIN((uint32_t)(per_shard + per_shard / 4 + 1), w->v4.way.max_half_open);
		w->v6.way.max_half_open = w->v4.way.max_half_open; /* tables of the same size */
	}
	w->v4.ports.side = w->v6.ports.side = config->side;
	w->v4.way.idle_ticks = config->idle_gives_way_s * CONN_TICK_HZ;
	w->v6.way.idle_ticks = w->v4.way.idle_ticks;
	w->id = id;
	w->n_workers = dp->n_workers;
	w->lcore = (uint16_t)lcore;
	w->socket = (int16_t)socket;
	w->dp = dp;
	w->pub = &dp->pub;
	w->nexthops = &dp->pub.nexthops;
	w->owners = &dp->owners;
	w->exchange = &dp->exchange.worker[id];
	w->link_eventfd = dp->exchange.link_eventfd;
	w->idle_sleep = config->idle_sleep;
	w->shares_cpu = !dp->manual && lcore_shares_cpu(lcore);
	dp->workers[id] = w;
	return w->idle_sleep ? wake_init(&w->exchange->wake) : 0;
}

static int workers_create(struct dataplane *dp, const struct dataplane_config *config,
			  char error[ERROR_TEXT])
{
	unsigned int lcore = rte_get_main_lcore();
	uint64_t seed = config->seed;

	if (seed == 0 && getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
		return error_text(error, -errno, "no random numbers: %s", strerror(errno));
	}
	for (unsigned int i = 0; i < dp->n_workers; i++) {
		int rc;

		if (!dp->manual)
			lcore = rte_get_next_lcore(i == 0 ? -1U : lcore, 1, 0);
		rc = worker_create(dp, config, (uint16_t)i, lcore, seed);
		if (rc != 0) {
			return error_text(error, rc,
					  "worker %u of %u: no room for %" PRIu64
					  " connections (workers.connections): %s",
					  i, dp->n_workers, config->max_connections, strerror(-rc));
		}
	}
	return 0;
}

/* Queue q of a port belongs to worker q. A worker without a queue of a port sends by the queue of
 * another worker. */
static void queues_assign(struct dataplane *dp)
{
	for (unsigned int i = 0; i < dp->n_workers; i++) {
		struct worker *w = dp->workers[i];

		w->pool = dp->n_pools ? dp->pools[0] : NULL;
		for (unsigned int port = 0; port < dp->n_ports; port++) {
			const struct port *p = &dp->ports[port];

			if (i < p->n_rx)
				w->rx[w->n_rx++] = (struct rx_queue){(uint16_t)port, (uint16_t)i};
			w->port_dev[port] = p->dev;
			w->tx_queue[port] = i < p->n_tx ? (int16_t)i : -1;
			w->tx_owner[port] = (uint8_t)(i % p->n_tx);
			if (packet_pool_socket(dp, p) == w->socket)
				w->pool = p->pool;
		}
	}
	for (unsigned int port = 0; port < dp->n_ports; port++)
		dp->exchange.port_worker[port] = 0;
}

/* ---- life ---- */

/* Names of rings and pools are the process's: a second data plane in it (tests) has others. */
static uint64_t instances;

static int instance_take(struct dataplane *dp)
{
	while (dp->instance < 64 && (instances >> dp->instance & 1))
		dp->instance++;
	if (dp->instance == 64)
		return -ENOSPC;
	instances |= 1ULL << dp->instance;
	if (dp->instance)
		snprintf(dp->suffix, sizeof(dp->suffix), ".%u", dp->instance);
	return 0;
}

static int dataplane_init(struct dataplane *dp, const struct dataplane_config *config,
			  char error[ERROR_TEXT])
{
	int rc;

	dp->hz = rte_get_tsc_hz();
	dp->tsc_start = rte_rdtsc();
	dp->exchange.n_workers = dp->n_workers;
	dp->pub.n_workers = dp->n_workers;
	dp->exchange.link_eventfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	rc = dp->exchange.link_eventfd < 0 ? -errno : 0;
	if (rc == 0)
		rc = runtime_init(&dp->pub.runtime);
	if (rc == 0)
		rc = runtime_set_workers(&dp->pub.runtime, dp->n_workers);
	if (rc == 0)
		rc = nexthop_table_init(&dp->pub.nexthops, MAX_NEXTHOPS);
	if (rc == 0)
		rc = check_ports_create(config->check_first ? config->check_first
							    : CHECK_PORT_FIRST,
					config->check_last ? config->check_last : CHECK_PORT_LAST,
					&dp->check_ports);
	dp->pub.check_ports = dp->check_ports;
	if (rc == 0)
		rc = pkt_tag_register();
	if (rc != 0) {
		return error_text(error, rc, "the data plane does not start: %s", strerror(-rc));
	}
	owner_init();
	owner_map_init(&dp->owners, dp->n_workers);
	rc = qsbr_create(dp, error);
	if (rc == 0)
		rc = workers_create(dp, config, error);
	if (rc == 0)
		rc = rings_create(dp, error);
	if (rc == 0)
		rc = ports_create(dp, config, error);
	if (rc == 0)
		queues_assign(dp);
	return rc;
}

int dataplane_create(const struct dataplane_config *config, struct dataplane **out,
		     char error[ERROR_TEXT])
{
	unsigned int n =
		config->n_manual_workers ? config->n_manual_workers : rte_lcore_count() - 1;
	struct dataplane *dp;
	int rc;

	if (n == 0 || n > MAX_WORKERS) {
		return error_text(
			error, -EINVAL,
			"there are %u worker lcores, 1 to %u are possible: give EAL -l or --lcores "
			"one lcore more than workers",
			n, MAX_WORKERS);
	}
	if (config->n_ports == 0 || config->n_ports > MAX_PORTS) {
		return error_text(error, -EINVAL, "node.ports: %u ports, 1 to %u are possible",
				  config->n_ports, MAX_PORTS);
	}
	dp = calloc(1, sizeof(*dp));
	if (!dp) {
		return error_text(error, -ENOMEM, "no memory");
	}
	sieve_init(&dp->sieve);
	if (instance_take(dp) < 0) {
		error_text(error, 0, "too many data planes in one process");
		sieve_fini(&dp->sieve);
		free(dp);
		return -ENOSPC;
	}
	dp->exchange.link_eventfd = -1;
	for (unsigned int i = 0; i < MAX_WORKERS; i++)
		dp->exchange.worker[i].wake.fd = -1;
	dp->n_workers = (uint16_t)n;
	dp->manual = config->n_manual_workers != 0;
	rc = dataplane_init(dp, config, error);
	if (rc != 0) {
		dataplane_destroy(dp);
		return rc;
	}
	*out = dp;
	return 0;
}

bool dataplane_on_kernel(const struct dataplane *dp)
{
	for (uint16_t i = 0; i < dp->n_ports; i++)
		if (port_on_kernel(&dp->ports[i]))
			return true;
	return false;
}

int dataplane_start(struct dataplane *dp, char error[ERROR_TEXT])
{
	int rc = 0;

	if (!dp->pub.snapshot || !dp->pub.fib) {
		return error_text(error, -EINVAL, "no snapshot or routes are published");
	}
	for (unsigned int i = 0; i < dp->n_ports && rc == 0; i++)
		rc = port_start(&dp->ports[i], &dp->owners, dp->n_workers, error);
	dp->running = true;
	__atomic_store_n(&dp->stop, 0, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < dp->n_workers && rc == 0 && !dp->manual; i++) {
		rc = rte_eal_remote_launch(worker_main, dp->workers[i], dp->workers[i]->lcore);
		if (rc != 0)
			error_text(error, 0, "worker %u: lcore %u does not start: %s", i,
				   dp->workers[i]->lcore, strerror(-rc));
	}
	if (rc == 0 && !dp->manual) {
		rc = port_recovery_start(dp);
		if (rc != 0)
			error_text(error, 0, "port recovery does not start: %s", strerror(-rc));
	}
	if (rc != 0)
		dataplane_stop(dp);
	else
		log_info(AREA, "%u workers run", dp->n_workers);
	return rc;
}

void dataplane_stop(struct dataplane *dp)
{
	if (!dp->running)
		return;
	ledger_stop(dp);
	dp->running = false;
	__atomic_store_n(&dp->stop, 1, __ATOMIC_RELEASE);
	dataplane_wake(dp);
	port_recovery_stop(dp);
	for (unsigned int i = 0; i < dp->n_workers && !dp->manual; i++)
		rte_eal_wait_lcore(dp->workers[i]->lcore);
	rings_drain(dp);
	for (unsigned int i = 0; i < dp->n_ports; i++)
		port_stop(&dp->ports[i]);
}

void dataplane_destroy(struct dataplane *dp)
{
	if (!dp)
		return;
	dataplane_stop(dp);
	ledger_destroy(dp, false);
	for (unsigned int i = 0; i < dp->n_ports; i++)
		port_close(&dp->ports[i]);
	for (unsigned int i = 0; i < dp->n_ports; i++)
		port_device_fini(&dp->ports[i]);
	rings_destroy(dp);
	for (unsigned int i = 0; i < dp->n_workers; i++) {
		if (!dp->workers[i])
			continue;
		dataplane_sync_fini(dp->workers[i]);
		worker_fini(dp->workers[i]);
		rte_free(dp->workers[i]);
		wake_fini(&dp->exchange.worker[i].wake);
	}
	packet_pools_free(dp);
	port_big_pool_free(dp);
	sieve_fini(&dp->sieve);
	rte_free(dp->qsbr);
	check_ports_destroy(dp->check_ports);
	nexthop_table_fini(&dp->pub.nexthops);
	runtime_fini(&dp->pub.runtime);
	if (dp->exchange.link_eventfd >= 0)
		close(dp->exchange.link_eventfd);
	instances &= ~(1ULL << dp->instance);
	free(dp);
}
