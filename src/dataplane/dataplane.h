/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_DATAPLANE_H
#define PLVS_DATAPLANE_DATAPLANE_H

/*
 * All workers, ports, rings and pools of the process. Control context unless noted.
 */

#include <rte_rcu_qsbr.h>

#include "dataplane/worker.h"
#include "model/exchange.h"

struct port_config {
	char name[MAX_NAME + 1]; /* role name: "public" */
	char device[128];	 /* DPDK device name: "0000:01:00.0", "net_af_packet0" */
	uint16_t rx_queues;	 /* 0 = as many as workers and driver allow */
	uint16_t tx_queues;
	uint16_t rx_desc, tx_desc; /* 0 = driver's preference */
	uint16_t mtu;		   /* 0 = 1500 */
};

struct dataplane_config {
	uint16_t n_ports;
	struct port_config ports[MAX_PORTS];
	uint64_t max_connections; /* over all workers; per shard max / W * 1.25 */
	bool idle_sleep;
	uint32_t mbufs_per_port; /* 0 = from queues and descriptors */
};

/* A port as it runs. Index in dataplane.ports = DPDK-independent port number that links,
 * tables and counters use; dev is DPDK's id. */
struct port {
	struct port_config config;
	uint16_t dev; /* DPDK port id */
	uint16_t n_rx, n_tx;
	int socket;
	struct mac mac;
	uint16_t mtu;
	bool rss; /* the NIC delivers to owners: key and table are set */
	bool started;
	uint64_t rx_offloads, tx_offloads;
	struct rte_mempool *pool;
	char driver[32];
	char warning[256]; /* "" or what an operator should know (other NUMA node, ...) */
};

/* One of a chunk of a connection listing; see CMD_LIST. */
struct conn_view {
	struct endpoint client, virtual, server;
	uint8_t proto, state, method, flags;
	uint32_t expires_s;
	uint32_t idle_s;
	uint32_t server_id, service_id;
	uint16_t nh_in, nh_out;
	uint16_t worker;
	uint32_t mark;
};

struct conn_filter {
	uint32_t service_id; /* 0 = any */
	uint32_t server_id;  /* 0 = any */
	struct prefix client; /* family 0 = any */
	uint8_t proto;	     /* 0 = any */
	int8_t state;	     /* -1 = any */
};

enum worker_command_kind {
	CMD_LIST,    /* walk from cursor, fill views, bounded */
	CMD_FIND,    /* one connection by its in key */
	CMD_INSTALL, /* room for synchronisation: take a connection in */
};

#define CMD_LIST_STEP 2048 /* entries looked at in one loop */

/* Control allocates it, puts it on w->commands, and waits for done (release/acquire). */
struct worker_command {
	enum worker_command_kind kind;
	struct conn_filter filter;   /* CMD_LIST */
	struct key4 key;	     /* CMD_FIND */
	uint32_t cursor;	     /* CMD_LIST: entry to start at; where it stopped; 0 = at the end */
	struct conn_view *views;     /* room for n_max */
	uint32_t n_max, n;
	int eventfd;		     /* written when done, or -1 */
	uint32_t done;		     /* worker: 1 with release order */
};

struct dataplane {
	struct published pub;
	struct exchange exchange;
	struct owner_map owners;
	struct rte_rcu_qsbr *qsbr;
	uint16_t n_ports;
	struct port ports[MAX_PORTS];
	uint16_t n_workers;
	struct worker *workers[MAX_WORKERS];
	struct rte_mempool *pool;
	uint64_t hz;	  /* TSC */
	uint64_t tsc_start;
	uint32_t stop;	  /* control: wo, worker: ro */
};

/* EAL runs; every lcore but main becomes a worker. Opens and configures ports, makes rings,
 * pools and tables; starts nothing. 0 or -errno; *error says what and why (static length
 * 256, for a person). */
int dataplane_create(const struct dataplane_config *config, struct dataplane **out, char error[256]);
/* Starts ports, then workers. 0 or -errno. */
int dataplane_start(struct dataplane *dp, char error[256]);
/* Workers end, ports stop, counters stay readable. */
void dataplane_stop(struct dataplane *dp);
/* Closes ports and frees everything. */
void dataplane_destroy(struct dataplane *dp);

/* Puts a command on a worker's ring. 0 or -EAGAIN (ring full). */
int dataplane_command(struct dataplane *dp, uint16_t worker, struct worker_command *cmd);

/* Sums over workers with relaxed loads. */
void dataplane_server_counters(const struct dataplane *dp, uint32_t server_id,
			       struct server_counters *out);
void dataplane_worker_counters(const struct dataplane *dp, struct worker_counters *out);
void dataplane_port_counters(const struct dataplane *dp, uint16_t port, struct port_counters *out);

/* loop.c: the worker's main function for rte_eal_remote_launch(). */
int worker_main(void *worker);

#endif
