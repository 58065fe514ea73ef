/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_LIB_HARNESS_H
#define PLVS_TESTS_LIB_HARNESS_H

/*
 * The whole data plane in one thread: real ports, pools, rings and workers, without lcores
 * and on virtual time. Frames go in at ports made of rings and come out of them; nothing
 * happens but in harness_round(). What the link and control threads would publish comes
 * from world.h, or from the caller by dp->pub.
 *
 * Several may live in a process, each of them a router.
 */

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/dataplane.h"

#define HARNESS_RING 4096 /* frames that wait in one ring of a port */

/*
 * EAL without huge pages, PCI and shared files; telemetry and secondary processes are off.
 * Once per process. n_lcores: beside the main one, on whatever CPUs the process may use;
 * harnesses need none. extra: further EAL arguments, ends with NULL, or NULL. 0 or -errno.
 */
int harness_eal_init(unsigned int n_lcores, unsigned int megabytes, const char *const *extra);
/* Also removes what EAL leaves in its run-time directory. */
void harness_eal_fini(void);

struct harness_config {
	uint16_t n_workers;	  /* 0 = 1 */
	uint16_t n_ports;	  /* 0 = 2; named "public", "private", "port2", ... */
	uint16_t n_queues;	  /* of a port of rings; 0 = 1 */
	uint64_t max_connections; /* 0 = 10000 */
	uint64_t max_embryonic;	  /* 0 = half of them */
	uint32_t idle_gives_way_s;
	uint32_t mbufs_per_port; /* 0 = default */
	uint16_t mtu;		 /* 0 = 1500 */
	bool threads;		 /* workers run on the EAL's lcores: no harness_round() */
	bool poll;		 /* with threads: never sleep */
	bool wake; /* frames that arrive wake a worker that sleeps: see port_wake_set() */
	/* DPDK names of existing devices ("net_null0") to use instead of rings. */
	const char *devices[MAX_PORTS];
};

struct harness {
	struct dataplane *dp;
	uint16_t n_queues;
	struct rte_ring *in[MAX_PORTS][MAX_WORKERS];  /* [port][queue] */
	struct rte_ring *out[MAX_PORTS][MAX_WORKERS]; /* [port][queue] */
	int wake[MAX_PORTS][MAX_WORKERS]; /* eventfd of a queue, with harness_config.wake */
	bool made[MAX_PORTS];
	uint32_t now_tick, now_s;
	unsigned int instance;
	void *world; /* world.c */
};

/* An empty snapshot and no routes are published (world_init()); ports and, with threads,
 * workers run. 0, or -errno with a sentence in error. */
int harness_create(struct harness *h, const struct harness_config *config, char error[256]);
/* Stops without freeing: counters can be read. harness_destroy() does both. */
void harness_stop(struct harness *h);
/* Returns the packet buffers that were not given back: 0 unless something leaks. */
unsigned int harness_destroy(struct harness *h);

/* --- frames ------------------------------------------------------------------------- */

/* A copy of bytes in a fresh mbuf; NULL: none left, or longer than one mbuf. */
struct rte_mbuf *harness_frame(struct harness *h, const void *bytes, uint16_t len);
/* A UDP datagram over IPv4 to the MAC of a port, between two endpoints such as "10.1.0.9:1000".
 * NULL as above, or for what is no endpoint of IPv4. */
struct rte_mbuf *harness_datagram(struct harness *h, uint16_t port, const char *from,
				  const char *to);
/* A frame arrives at a port's queue; taken up by the next round. Takes m, also on error.
 * 0 or -ENOBUFS. */
int harness_receive(struct harness *h, uint16_t port, uint16_t queue, struct rte_mbuf *m);
/* A frame that Linux sends out of a port: as the link thread hands it over. */
int harness_inject(struct harness *h, uint16_t port, struct rte_mbuf *m);
/* The next frame that left by a port, in order per queue, or NULL. Caller frees. */
struct rte_mbuf *harness_sent(struct harness *h, uint16_t port);
/* The next frame on its way to Linux, or NULL; its class in *class. Caller frees. */
struct rte_mbuf *harness_punted(struct harness *h, enum punt_class *class);
/* The next wish for a next hop. False: none. */
bool harness_resolve_wanted(struct harness *h, struct resolve_request *out);

/* --- time --------------------------------------------------------------------------- */

/* A round of every worker, in order. Returns the work done. */
uint32_t harness_round(struct harness *h);
/* Rounds until nothing waits any more, at most 10000. */
void harness_run(struct harness *h);
/* Virtual time goes on, one round per tick so that nothing is late. */
void harness_advance_ms(struct harness *h, uint32_t ms);

/* --- what must hold ----------------------------------------------------------------- */

/* Both equations of the doors. False: text says which one and its figures. Not while
 * workers run on threads. */
bool harness_doors_add_up(const struct harness *h, char text[256]);
unsigned int harness_mbufs_in_use(const struct harness *h);

#endif
