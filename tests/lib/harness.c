/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/harness.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_ring_elem.h>
#include <rte_udp.h>

#include "base/log.h"
#include "dataplane/port.h"
#include "lib/world.h"

#define ERROR_LEN  256
#define MAX_ROUNDS 10000
#define ARGS_MAX   40

/* "0,1,5": what the process may run on. */
static void cpu_list(char *buf, size_t len)
{
	size_t n = 0;
	cpu_set_t set;

	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof(set), &set);
	buf[0] = '\0';
	for (unsigned int cpu = 0; cpu < CPU_SETSIZE && n < len; cpu++)
		if (CPU_ISSET(cpu, &set))
			n += (size_t)snprintf(buf + n, len - n, "%s%u", n ? "," : "", cpu);
}

int harness_eal_init(unsigned int n_lcores, unsigned int megabytes, const char *const *extra)
{
	char prefix[32], memory[16], cpus[2048], lcores[2100];
	const char *args[ARGS_MAX] = {
		"plvs-test",	  "--no-huge",	   "-m",   memory,     "--no-pci", "--no-shconf",
		"--no-telemetry", "--file-prefix", prefix, "--lcores", lcores,	   "--log-level",
		"warning"};
	int n = 13;

	log_set_level(LOG_LEVEL_WARNING);
	snprintf(prefix, sizeof(prefix), "plvs-test-%d", (int)getpid());
	snprintf(memory, sizeof(memory), "%u", megabytes);
	cpu_list(cpus, sizeof(cpus));
	if (n_lcores)
		snprintf(lcores, sizeof(lcores), "(0-%u)@(%s)", n_lcores, cpus);
	else
		snprintf(lcores, sizeof(lcores), "0@(%s)", cpus);
	for (; extra && *extra && n < ARGS_MAX; extra++)
		args[n++] = *extra;
	return rte_eal_init(n, (char **)args) < 0 ? -rte_errno : 0;
}

void harness_eal_fini(void)
{
	char dir[512];

	snprintf(dir, sizeof(dir), "%s", rte_eal_get_runtime_dir());
	rte_eal_cleanup();
	rmdir(dir);
}

/* Of names that are the process's: which of several harnesses this is. */
static unsigned int instances;

static void port_names(const struct harness *h, unsigned int port, struct port_config *c)
{
	static const char *const names[] = {"public", "private"};

	if (port < 2)
		snprintf(c->name, sizeof(c->name), "%s", names[port]);
	else
		snprintf(c->name, sizeof(c->name), "port%u", port);
	snprintf(c->device, sizeof(c->device), "net_ring_%s_%u", c->name, h->instance);
}

static int ring_port_create(struct harness *h, unsigned int port, const char *name, char error[256])
{
	char ring[RTE_RING_NAMESIZE];

	for (unsigned int q = 0; q < h->n_queues; q++) {
		snprintf(ring, sizeof(ring), "h%u_in%u_%u", h->instance, port, q);
		h->in[port][q] = rte_ring_create(ring, HARNESS_RING, SOCKET_ID_ANY,
						 RING_F_SP_ENQ | RING_F_SC_DEQ);
		snprintf(ring, sizeof(ring), "h%u_out%u_%u", h->instance, port, q);
		h->out[port][q] = rte_ring_create(ring, HARNESS_RING, SOCKET_ID_ANY,
						  RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (!h->in[port][q] || !h->out[port][q])
			goto err;
	}
	if (rte_eth_from_rings(name, h->in[port], h->n_queues, h->out[port], h->n_queues, 0) < 0)
		goto err;
	h->made[port] = true;
	return 0;
err:
	snprintf(error, ERROR_LEN, "port %s of rings: %s", name, rte_strerror(rte_errno));
	return -ENOMEM;
}

/* Gives each queue of a port of rings an eventfd, as an interrupt. */
static int port_wakes(struct harness *h, unsigned int port)
{
	for (uint16_t q = 0; q < h->dp->ports[port].n_rx; q++) {
		h->wake[port][q] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (h->wake[port][q] < 0)
			return -errno;
		port_wake_set(&h->dp->ports[port], q, QUEUE_WAKE_INTERRUPT, h->wake[port][q]);
	}
	return 0;
}

/* 0 when all is well, else harness_destroy() cleans up. */
static int harness_init(struct harness *h, const struct harness_config *config,
			struct dataplane_config *dc, char error[256])
{
	int rc = 0;

	for (unsigned int p = 0; p < dc->n_ports && rc == 0; p++) {
		struct port_config *c = &dc->ports[p];

		port_names(h, p, c);
		c->mtu = config->mtu;
		if (config->devices[p])
			snprintf(c->device, sizeof(c->device), "%s", config->devices[p]);
		else
			rc = ring_port_create(h, p, c->device + strlen("net_ring_"), error);
	}
	if (rc == 0)
		rc = dataplane_create(dc, &h->dp, error);
	if (rc == 0) {
		rc = world_init(h);
		if (rc != 0)
			snprintf(error, ERROR_LEN, "no memory");
	}
	for (unsigned int p = 0; p < dc->n_ports && rc == 0 && config->wake; p++)
		rc = port_wakes(h, p);
	if (rc == 0)
		rc = dataplane_start(h->dp, error);
	return rc;
}

int harness_create(struct harness *h, const struct harness_config *config, char error[256])
{
	struct dataplane_config *dc = calloc(1, sizeof(*dc));
	int rc;

	memset(h, 0, sizeof(*h));
	if (!dc)
		return -ENOMEM;
	while (h->instance < 31 && (instances >> h->instance & 1))
		h->instance++;
	instances |= 1U << h->instance;
	h->n_queues = config->n_queues ? config->n_queues : 1;
	dc->n_ports = config->n_ports ? config->n_ports : 2;
	dc->max_connections = config->max_connections ? config->max_connections : 10000;
	dc->max_embryonic = config->max_embryonic;
	dc->idle_gives_way_s = config->idle_gives_way_s;
	dc->mbufs_per_port = config->mbufs_per_port;
	dc->idle_sleep = !config->poll;
	dc->seed = 1;
	if (!config->threads)
		dc->n_manual_workers = config->n_workers ? config->n_workers : 1;
	h->now_s = 1000;
	rc = harness_init(h, config, dc, error);
	free(dc);
	if (rc != 0)
		harness_destroy(h);
	return rc;
}

void harness_stop(struct harness *h)
{
	if (h->dp)
		dataplane_stop(h->dp);
}

static void ring_empty(struct rte_ring *r)
{
	void *m;

	while (r && rte_ring_dequeue(r, &m) == 0)
		rte_pktmbuf_free(m);
}

unsigned int harness_destroy(struct harness *h)
{
	unsigned int left = 0;
	struct rte_mbuf *m;
	enum punt_class class;

	harness_stop(h);
	while (h->dp && (m = harness_punted(h, &class)) != NULL)
		rte_pktmbuf_free(m);
	for (unsigned int p = 0; p < MAX_PORTS; p++) {
		for (unsigned int q = 0; q < h->n_queues; q++) {
			ring_empty(h->in[p][q]);
			ring_empty(h->out[p][q]);
		}
	}
	world_fini(h);
	if (h->dp)
		left = harness_mbufs_in_use(h);
	dataplane_destroy(h->dp);
	for (unsigned int p = 0; p < MAX_PORTS; p++) {
		for (unsigned int q = 0; q < MAX_WORKERS; q++)
			if (h->wake[p][q] > 0)
				close(h->wake[p][q]);
		struct port_config c;

		port_names(h, p, &c);
		if (h->made[p])
			rte_eal_hotplug_remove("vdev", c.device);
		for (unsigned int q = 0; q < h->n_queues; q++) {
			rte_ring_free(h->in[p][q]);
			rte_ring_free(h->out[p][q]);
		}
	}
	instances &= ~(1U << h->instance);
	memset(h, 0, sizeof(*h));
	return left;
}

/* ---- frames ---- */

struct rte_mbuf *harness_frame(struct harness *h, const void *bytes, uint16_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(h->dp->pools[0]);
	char *data = m ? rte_pktmbuf_append(m, len) : NULL;

	if (!data) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	memcpy(data, bytes, len);
	return m;
}

struct rte_mbuf *harness_datagram(struct harness *h, uint16_t port, const char *from,
				  const char *to)
{
	uint8_t frame[64] = {2, 0, 0, 0, 0, (uint8_t)(port + 1), 2, 0xcc, 0, 0, 0, 9, 8, 0};
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + RTE_ETHER_HDR_LEN);
	struct rte_udp_hdr *l4 = (struct rte_udp_hdr *)(ip + 1);
	struct endpoint src, dst;

	if (endpoint_parse(from, &src) < 0 || endpoint_parse(to, &dst) < 0 ||
	    src.addr.family != ADDR_V4 || dst.addr.family != ADDR_V4)
		return NULL;
	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->total_length = rte_cpu_to_be_16(sizeof(frame) - RTE_ETHER_HDR_LEN);
	ip->time_to_live = 64;
	ip->next_proto_id = IPPROTO_UDP;
	ip->src_addr = src.addr.v4;
	ip->dst_addr = dst.addr.v4;
	l4->src_port = src.port;
	l4->dst_port = dst.port;
	l4->dgram_len = rte_cpu_to_be_16(sizeof(frame) - RTE_ETHER_HDR_LEN - sizeof(*ip));
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	return harness_frame(h, frame, sizeof(frame));
}

static int ring_put(struct rte_ring *r, struct rte_mbuf *m)
{
	if (r && rte_ring_enqueue(r, m) == 0)
		return 0;
	rte_pktmbuf_free(m);
	return -ENOBUFS;
}

int harness_receive(struct harness *h, uint16_t port, uint16_t queue, struct rte_mbuf *m)
{
	int rc = ring_put(h->in[port][queue], m);
	uint64_t one = 1;

	if (h->wake[port][queue] && write(h->wake[port][queue], &one, sizeof(one)) < 0)
		return -errno;
	return rc;
}

int harness_inject(struct harness *h, uint16_t port, struct rte_mbuf *m)
{
	struct worker_exchange *x = &h->dp->exchange.worker[h->dp->exchange.port_worker[port]];
	int rc;

	m->port = port;
	rc = ring_put(x->inject, m);
	wake_up(&x->wake);
	return rc;
}

struct rte_mbuf *harness_sent(struct harness *h, uint16_t port)
{
	void *m;

	for (unsigned int q = 0; q < h->n_queues; q++)
		if (h->out[port][q] && rte_ring_dequeue(h->out[port][q], &m) == 0)
			return m;
	return NULL;
}

struct rte_mbuf *harness_punted(struct harness *h, enum punt_class *class)
{
	void *m;

	for (unsigned int i = 0; i < h->dp->n_workers; i++) {
		for (unsigned int c = 0; c < PUNT_MAX; c++) {
			struct rte_ring *r = h->dp->exchange.worker[i].punt[c];

			if (!r || rte_ring_dequeue(r, &m) != 0)
				continue;
			*class = (enum punt_class)c;
			return m;
		}
	}
	return NULL;
}

bool harness_resolve_wanted(struct harness *h, struct resolve_request *out)
{
	for (unsigned int i = 0; i < h->dp->n_workers; i++)
		if (rte_ring_sc_dequeue_elem(h->dp->exchange.worker[i].resolve, out,
					     sizeof(*out)) == 0)
			return true;
	return false;
}

/* ---- time ---- */

uint32_t harness_round(struct harness *h)
{
	uint32_t work = 0;

	for (unsigned int i = 0; i < h->dp->n_workers; i++)
		work += loop_round(h->dp->workers[i], h->now_tick, h->now_s);
	return work;
}

void harness_run(struct harness *h)
{
	for (unsigned int i = 0; i < MAX_ROUNDS && harness_round(h) != 0; i++)
		;
}

void harness_advance_ms(struct harness *h, uint32_t ms)
{
	uint32_t ticks = (ms * CONN_TICK_HZ + 999) / 1000;

	for (; ticks; ticks--) {
		h->now_tick++;
		h->now_s += h->now_tick % CONN_TICK_HZ == 0;
		harness_run(h);
	}
}

/* ---- what must hold ---- */

static uint64_t sum(const uint64_t *v, unsigned int n)
{
	uint64_t s = 0;

	for (unsigned int i = 0; i < n; i++)
		s += v[i];
	return s;
}

bool harness_doors_add_up(const struct harness *h, char text[256])
{
	uint64_t handed_off = 0, ring_in = 0, in_rings = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < h->dp->n_workers; i++) {
		const struct worker *w = h->dp->workers[i];
		const struct worker_counters *c = &w->counters;
		uint64_t came = c->received + c->ring_in + c->injected + c->generated;
		uint64_t punted = sum(c->punted, PUNT_MAX), dropped = sum(c->dropped, DROP_MAX);
		uint64_t left =
			c->sent + c->handed_off + punted + c->answered + dropped + c->parked;

		for (unsigned int from = 0; from < h->dp->n_workers; from++)
			if (w->ring_from[from])
				in_rings += rte_ring_count(w->ring_from[from]);
		handed_off += c->handed_off;
		ring_in += c->ring_in;
		if (came == left &&
		    c->parked == w->n_parked + w->v4.follow->n_waiting + w->v6.follow->n_waiting)
			continue;
		snprintf(text, ERROR_LEN,
			 "worker %u: received %" PRIu64 " + ring_in %" PRIu64 " + injected %" PRIu64
			 " + generated %" PRIu64 " != sent %" PRIu64 " + handed_off %" PRIu64
			 " + punted %" PRIu64 " + answered %" PRIu64 " + dropped %" PRIu64
			 " + parked %" PRIu64 " (%u)",
			 i, c->received, c->ring_in, c->injected, c->generated, c->sent,
			 c->handed_off, punted, c->answered, dropped, c->parked, w->n_parked);
		return false;
	}
	if (handed_off == ring_in + in_rings)
		return true;
	snprintf(text, ERROR_LEN,
		 "handed_off %" PRIu64 " != ring_in %" PRIu64 " + in rings %" PRIu64, handed_off,
		 ring_in, in_rings);
	return false;
}

unsigned int harness_mbufs_in_use(const struct harness *h)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < h->dp->n_pools; i++)
		n += rte_mempool_in_use_count(h->dp->pools[i]);
	return n;
}
