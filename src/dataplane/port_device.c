/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port_device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <net/if_arp.h>
#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_ethdev.h>

#include "base/error_text.h"
#include "base/log.h"
#include "base/words.h"
#include "dataplane/port_big.h"
#include "dataplane/port_internal.h"
#include "dataplane/sieve/sieve.h"
#include "dataplane/xsk_queue.h"
#include "dataplane/xsk_rings.h"

#define AREA	       "dataplane"
#define BUS	       "vdev"
#define XDP_BUFFERS    2048 /* that net_af_xdp takes for a queue when it is opened */
#define QUEUE_PAUSE_MS 100
#define QUEUE_TRIES    10

const char *const port_state_names[PORT_STATES] = {"works", "stalled", "gone", "failed"};

uint64_t port_state_s(const struct port *p, uint64_t now_us)
{
	uint64_t since_us = __atomic_load_n(&p->device.since_us, __ATOMIC_RELAXED);

	return since_us && now_us > since_us ? (now_us - since_us) / 1000000 : 0;
}

void port_device_init(struct port *p)
{
	pthread_mutex_init(&p->device.lock, NULL);
}

void port_device_fini(struct port *p)
{
	pthread_mutex_destroy(&p->device.lock);
	port_big_free(p);
	free(p->device.args);
}

/* ---- what is under it ---- */

/* Frames that an interface dropped on their way in, as Linux counts; 0: no such interface. */
static uint64_t interface_dropped(const char *name)
{
	FILE *file = name[0] ? fopen("/proc/thread-self/net/dev", "re") : NULL;
	unsigned long long dropped = 0;
	size_t len = strlen(name);
	char line[512];

	while (file && fgets(line, sizeof(line), file)) {
		const char *at = line + strspn(line, " ");

		if (strncmp(at, name, len) == 0 && at[len] == ':' &&
		    sscanf(at + len + 1, "%*u %*u %*u %llu", &dropped) != 1)
			dropped = 0;
	}
	if (file)
		fclose(file);
	return dropped;
}

static void look(struct port *p)
{
	struct port_device *d = &p->device;
	struct rte_eth_dev_info info;
	const struct rte_devargs *args;

	if (rte_eth_dev_info_get(p->dev, &info) != 0)
		return;
	d->if_index = info.if_index;
	port_kernel_if(p, d->interface, sizeof(d->interface));
	args = info.device ? rte_dev_devargs(info.device) : NULL;
	if (!d->args && args && strcmp(rte_bus_name(rte_dev_bus(info.device)), BUS) == 0)
		d->args = strdup(args->args ? args->args : "");
}

/* Configures the device; its sockets are those that were not there before. */
static int configure(struct dataplane *dp, struct port *p, const struct kernel_sockets *before,
		     char error[ERROR_TEXT])
{
	const bool sieve = sieve_is_asked(p);
	struct port_device *d = &p->device;
	uint32_t newest = sieve ? sieve_newest() : 0;
	int rc = sieve ? sieve_clear_way(p, error) : 0;
	struct bpf_files files;

	bpf_files_list(&files);
	if (rc == 0)
		rc = port_configure(p, dp->n_pools == 1, error);
	if (sieve) {
		bpf_files_list(&d->bpf_files);
		bpf_files_since(&d->bpf_files, &files);
	}
	if (rc == 0 && sieve)
		sieve_open(&dp->sieve, p, (uint16_t)(p - dp->ports), newest);
	kernel_sockets_list(&d->sockets);
	kernel_sockets_since(&d->sockets, before);
	if (rc == 0)
		rc = port_big_open(dp, p, &d->sockets, error);
	d->packet_drops = 0;
	d->if_dropped = interface_dropped(d->interface);
	return rc;
}

int port_device_configure(struct dataplane *dp, struct port *p, char error[ERROR_TEXT])
{
	struct kernel_sockets before;

	look(p);
	kernel_sockets_list(&before);
	if (p->device.if_index) /* EAL opened it */
		kernel_sockets_without(&before, p->device.if_index);
	return configure(dp, p, &before, error);
}

bool port_device_gone(const struct port *p)
{
	char name[IF_NAMESIZE];

	return p->device.args && p->device.if_index && !if_indextoname(p->device.if_index, name);
}

bool port_device_back(const struct port *p)
{
	return !p->device.interface[0] || if_nametoindex(p->device.interface) != 0;
}

/* ---- opened again ---- */

static void device_close(struct dataplane *dp, struct port *p)
{
	struct xsk_left *left = NULL;

	if (!p->found)
		return;
	if (port_has_umem(p))
		left = xsk_left_note(&p->device.sockets, p->pool);
	port_stop(p);
	sieve_close(&dp->sieve, (uint16_t)(p - dp->ports));
	port_close(p);
	rte_eal_hotplug_remove(BUS, p->config.device);
	bpf_files_close(&p->device.bpf_files);
	if (left)
		log_debug(AREA, "port %s: %u packet buffers came back", p->config.name,
			  xsk_left_return(left));
	p->device.sockets.n = 0;
}

static uint32_t argument(const char *args, const char *name)
{
	const char *at = strstr(args, name);

	return at ? (uint32_t)strtoul(at + strlen(name), NULL, 10) : 0;
}

/* The kernel frees a queue some time after its socket was closed. A failed attempt costs packet
 * buffers, so plvs waits. */
static int xdp_wait(const struct port *p, char error[ERROR_TEXT])
{
	const struct timespec pause = {.tv_nsec = QUEUE_PAUSE_MS * 1000000};
	uint32_t if_index = if_nametoindex(p->device.interface);
	uint32_t first = argument(p->device.args, "start_queue=");
	unsigned int room = rte_mempool_avail_count(p->pool);
	int rc = -EBUSY;

	if (room < (unsigned int)p->n_rx * XDP_BUFFERS + XDP_BUFFERS / 2) {
		return error_text(
			error, -ENOBUFS,
			"device %s cannot be opened: the kernel kept packet buffers, %u are left: "
			"start plvs again",
			p->config.device, room);
	}
	for (unsigned int i = 0; i < QUEUE_TRIES && rc == -EBUSY; i++) {
		nanosleep(&pause, NULL);
		rc = 0;
		for (uint32_t q = 0; q < p->n_rx && rc == 0; q++)
			rc = xsk_queue_try(if_index, first + q);
	}
	if (rc != 0)
		error_text(error, 0, "device %s cannot be opened: a queue of %s: %s",
			   p->config.device, p->device.interface, strerror(-rc));
	else
		nanosleep(&pause, NULL); /* the sockets just closed */
	return rc;
}

/* A new interface has a new MAC, but neighbours and Linux know the port by the old one. */
static void mac_restore(struct port *p, const struct mac *mac)
{
	struct rte_ether_addr addr;
	struct ifreq request = {.ifr_hwaddr.sa_family = ARPHRD_ETHER};
	int fd, rc;

	if (memcmp(&p->mac, mac, sizeof(*mac)) == 0)
		return;
	memcpy(addr.addr_bytes, mac->byte, sizeof(mac->byte));
	rc = rte_eth_dev_default_mac_addr_set(p->dev, &addr);
	if (rc != 0 && p->device.interface[0]) {
		memcpy(request.ifr_name, p->device.interface, sizeof(request.ifr_name));
		memcpy(request.ifr_hwaddr.sa_data, mac->byte, sizeof(mac->byte));
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		rc = fd >= 0 && ioctl(fd, SIOCSIFHWADDR, &request) == 0 ? 0 : -errno;
		if (fd >= 0)
			close(fd);
	}
	p->mac = *mac;
	if (rc != 0 && rte_eth_promiscuous_enable(p->dev) != 0)
		log_warning(
			AREA,
			"port %s: the interface has a new MAC, and the port's old one cannot be "
			"set: %s",
			p->config.name, strerror(-rc));
}

/* Finds, configures and starts what EAL has just added. */
static int device_open(struct dataplane *dp, struct port *p, char error[ERROR_TEXT])
{
	uint16_t n_rx = p->n_rx, n_tx = p->n_tx, mtu = p->config.mtu;
	struct kernel_sockets before;
	struct mac mac = p->mac;
	int rc;

	if (port_has_umem(p) && (rc = xdp_wait(p, error)) != 0)
		return rc;
	kernel_sockets_list(&before);
	rc = rte_eal_hotplug_add(BUS, p->config.device, p->device.args);
	if (rc != 0) {
		return error_text(error, rc, "device %s cannot be opened: %s", p->config.device,
				  strerror(-rc));
	}
	p->config.mtu = p->mtu; /* as it is now, whoever set it */
	rc = port_find(p, dp->n_workers, error);
	p->config.mtu = mtu;
	if (rc != 0)
		return rc;
	look(p);
	if (p->n_rx >= n_rx && p->n_tx >= n_tx) {
		p->n_rx = n_rx;
		p->n_tx = n_tx;
		rc = configure(dp, p, &before, error);
	}
	if (rc == 0 && (p->n_rx != n_rx || p->n_tx != n_tx)) {
		error_text(error, 0,
			   "device %s has fewer queues than before: plvs has to be started again",
			   p->config.device);
		rc = -ENODEV;
	}
	p->n_rx = n_rx;
	p->n_tx = n_tx;
	if (rc == 0)
		mac_restore(p, &mac);
	p->mac = mac;
	return rc;
}

int port_device_reopen(struct dataplane *dp, struct port *p, char error[ERROR_TEXT])
{
	int rc = 0;

	if (!p->device.args) {
		port_stop(p);
		port_set_wanted_mtu(p);
		return port_start(p, &dp->owners, dp->n_workers, error);
	}
	port_device_count(p);
	p->device.base = p->device.counters;
	device_close(dp, p);
	rc = device_open(dp, p, error);
	if (rc == 0)
		rc = port_start(p, &dp->owners, dp->n_workers, error);
	if (rc != 0) {
		device_close(dp, p);
		return rc;
	}
	for (uint16_t i = 0; i < dp->n_workers; i++)
		dp->workers[i]->port_dev[p - dp->ports] = p->dev;
	return 0;
}

/* ---- counters ---- */

void port_device_count(struct port *p)
{
	struct port_device *d = &p->device;
	struct device_counters now = d->base;
	struct rte_eth_stats stats;
	uint64_t dropped;
	int rc;

	if (!p->found)
		return;
	port_hold(p);
	rc = rte_eth_stats_get(p->dev, &stats);
	port_unlock(p);
	if (rc == 0) {
		now.rx_missed += stats.imissed;
		now.rx_errors += stats.ierrors;
		now.rx_no_buffer += stats.rx_nombuf;
		now.tx_errors += stats.oerrors;
	}
	kernel_sockets_count(&d->sockets, &d->packet_drops, &now);
	port_big_count(p, &now);
	dropped = interface_dropped(d->interface);
	if (dropped > d->if_dropped)
		now.interface_rx_dropped += dropped - d->if_dropped;
	for (size_t i = 0; i < sizeof(now) / sizeof(uint64_t); i++)
		__atomic_store_n(word_at(&d->counters, i), *word_at_const(&now, i),
				 __ATOMIC_RELAXED);
}
