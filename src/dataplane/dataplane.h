/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_DATAPLANE_H
#define PLVS_DATAPLANE_DATAPLANE_H

/*
 * All workers, ports, rings and pools of the process. Control context unless noted.
 */

#include <net/if.h>
#include <pthread.h>

#include <rte_rcu_qsbr.h>

#include "base/error_text.h"
#include "dataplane/kernel_socket.h"
#include "dataplane/sieve/bpf_files.h"
#include "dataplane/sieve/sieve.h"
#include "dataplane/worker.h"
#include "model/exchange.h"
#include "model/kept_report.h"

/* The traffic that arrives at a port, as far as the configuration has it. With PORT_IN and
 * PORT_OUT, RSS delivers packets to owners. */
enum port_direction {
	PORT_BOTH, /* one-armed, or not known: RSS only spreads */
	PORT_IN,   /* clients: hash of source address and port */
	PORT_OUT,  /* real servers: hash of destination address and port */
};

struct port_config {
	char name[MAX_NAME + 1];   /* role name: "public" */
	char device[128];	   /* DPDK device name: "0000:01:00.0", "net_af_packet0" */
	uint16_t queues;	   /* each way; 0 = as many as workers and driver allow */
	uint16_t rx_desc, tx_desc; /* 0 = driver's preference */
	uint16_t mtu;		   /* 0 = 1500 */
	uint8_t direction;	   /* enum port_direction */
};

/* The way in which a NIC spreads received packets over the receive queues. */
enum port_rss {
	PORT_RSS_NONE,	  /* no hash: one queue, or a driver without RSS */
	PORT_RSS_SPREADS, /* a flow stays on one queue, of any worker */
	PORT_RSS_OWNERS,  /* a flow comes to the queue of the worker that owns the connection */
};

struct dataplane_config {
	uint16_t n_ports;
	struct port_config ports[MAX_PORTS];
	uint64_t max_connections;  /* over all workers; per shard max / W * 1.25 */
	uint64_t max_embryonic;	   /* half-open connections; 0 = half of max_connections */
	uint32_t idle_gives_way_s; /* assured connections idle for longer give way; 0 = none */
	bool idle_sleep;	   /* workers sleep when idle */
	uint32_t mbufs_per_port;   /* 0 = from queues and descriptors */
	uint64_t seed;		   /* of hashes and random choices; 0 = from the kernel */
	/* 0: one worker per lcore but main, run by dataplane_start(). Else as many workers
	 * without a thread: tests and benches run them by loop_round(). */
	uint16_t n_manual_workers;
	/* Source ports of health checks, host order; 0, 0 = CHECK_PORT_FIRST and _LAST. */
	uint16_t check_first, check_last;
	uint8_t side; /* 0 or 1, of the pair; the peer has the other: fullnat/local_port.h */
};

/* The state of a port: port_recovery.h. */
enum port_state {
	PORT_WORKS,
	PORT_STALLED, /* receives or sends nothing while its device counts drops */
	PORT_GONE,    /* the interface under its device disappeared */
	PORT_FAILED,  /* stalls repeatedly: no restart for a while */
	PORT_STATES
};

/*
 * The device under a port, as threads other than workers use it. Drivers allow one such call at a
 * time. For example, vmxnet3 has a single register for commands and their answers, and a request
 * for statistics in the middle of a query of the link makes the link read as down.
 */
struct port_device {
	pthread_mutex_t lock; /* held around each call of the driver; see port_lock() */
	bool stopped;	      /* after its start: the driver would report "down". Under lock */
	bool filters_vlans;   /* the device drops tags that are not in vlans. Under lock */
	uint64_t vlans[64];   /* a bit for each wanted VLAN, 0 included. Under lock */
	uint16_t mtu_wanted;  /* to be set by port recovery, with the device stopped; 0: none. Under
				 lock */

	/* link: wo, any: ro (relaxed) */
	uint32_t link_up;    /* at the last look; see port_link_up() */
	uint32_t speed_mbps; /* the same; 0: not known */

	/* link, port recovery: under lock, any: ro (relaxed) */
	uint32_t vlans_refused; /* wanted VLANs that the device filters */

	/* Thread that opens the device: rw. Of the last opening. */
	char interface[IF_NAMESIZE]; /* the Linux interface under the device; "": none. any: ro */
	uint32_t if_index;	     /* the driver's, of a Linux interface; 0: none */
	char *args;		     /* of EAL's --vdev; NULL: no virtual device */
	uint64_t if_dropped;	     /* by the interface, before the opening */
	struct kernel_sockets sockets;
	struct bpf_files bpf_files;  /* of the sieve; the driver leaves them open */
	uint64_t packet_drops;	     /* of these sockets, since the opening */
	struct device_counters base; /* of the openings before this one */

	/* port recovery: wo, any: ro (relaxed) */
	struct device_counters counters;
	uint32_t state;	   /* enum port_state; release, acquire */
	uint64_t since_us; /* CLOCK_MONOTONIC: in this state */
	uint64_t stalls;   /* times that the port stalled */
	uint64_t restarts; /* times that the device was opened again */
};

/* The wake-up of a sleeping worker for frames in a receive queue: port_wake.c. */
enum queue_wake_kind {
	QUEUE_WAKE_NONE,      /* no wake-up: the worker looks again after a time */
	QUEUE_WAKE_READABLE,  /* fd is readable as long as frames wait */
	QUEUE_WAKE_INTERRUPT, /* fd is an eventfd, written once after rte_eth_dev_rx_intr_enable()
			       */
};

struct queue_wake {
	int fd;
	uint8_t kind; /* enum queue_wake_kind */
};

/* A port as it runs. The index in dataplane.ports is the port number that links, tables, counters
 * and m->port use, everywhere between the two calls of the driver. dev is DPDK's id, used for those
 * calls only. The receive loop writes m->port. */
struct port {
	struct port_config config;
	uint16_t dev;	     /* DPDK port id */
	uint16_t n_asked;    /* queues by workers and configuration, each way */
	uint16_t n_rx, n_tx; /* queues that the driver gave */
	int socket;
	struct mac mac;
	uint16_t mtu;
	uint8_t rss_asked, rss; /* enum port_rss: requested, and in effect */
	bool started;
	bool found;	 /* dev has to be closed by plvs */
	bool configured; /* configured at least once, with this step of port_setup.c */
	uint8_t step;
	uint16_t rx_desc, tx_desc;
	uint64_t rx_offloads, tx_offloads;
	struct rte_mempool *pool;
	uint32_t link_changes; /* interrupt thread: atomic add, at each change of link state */
	int link_eventfd;      /* exchange.link_eventfd: written then */
	uint32_t carrier;      /* as Linux or DPDK shows it. link: wo, any: ro (relaxed) */
	/* Neighbours that Linux tries to resolve while the port receives no frames; 0: no such
	 * silence. link: wo, any: ro (relaxed) */
	uint32_t silent;
	struct port_device device;
	/* Of its receive queues. Thread that opens the device: rw while no worker uses the port,
	 * worker: ro. */
	struct queue_wake wake[MAX_WORKERS];
	bool interrupts;      /* receive interrupts of the driver are in use */
	bool fast_free;	      /* of port_configure() */
	struct port_big *big; /* carries the frames in place of the driver: port_big.h; or NULL */
	char driver[32];
	char warning[256]; /* "" or a warning for operators (other NUMA node, ...) */
};

/* A connection in a chunk of a listing; see CMD_LIST. */
struct conn_view {
	struct endpoint client, virtual, server;
	struct endpoint local; /* by full NAT: the client, as the server sees it; else port 0 */
	uint8_t proto, state, method, flags;
	uint8_t proxy, proxy_len; /* as a connection has them: model/client_address.h */
	uint32_t expires_s;
	uint32_t idle_s;
	uint32_t server_id, service_id;
	uint16_t nh_in, nh_out;
	uint16_t worker;
	uint32_t mark;
	bool assured; /* of a template: a client has got through */
};

/* "ESTABLISHED"; of a template "ASSURED" or "NONE", as IPVS lists them. */
const char *conn_view_state(const struct conn_view *v);
/* With proxy, the progress of the header: "waits" for the server's answer, "sent", "acknowledged";
 * for UDP "each datagram". */
const char *conn_view_header(const struct conn_view *v);

struct conn_filter {
	uint32_t service_id;	/* 0 = any */
	uint32_t server_id;	/* 0 = any */
	struct endpoint server; /* family 0 = any; port 0: by its address */
	struct prefix client;	/* family 0 = any */
	struct addr virtual;	/* family 0 = any; else connections alone, no templates */
	uint8_t proto;		/* 0 = any */
	int8_t state;		/* -1 = any */
};

enum worker_command_kind {
	CMD_LIST,    /* walk from cursor, fill views, bounded */
	CMD_FIND,    /* one connection by its in key */
	CMD_END,     /* walk from cursor, end connections: stages/ended.h. Bounded by n_max */
	CMD_END_ONE, /* end one connection by its in key */
	CMD_EXPLAIN, /* a leg of explain; explain/explain.h */
	CMD_OBSERVE, /* sets w->observer to `observer`; observe/observer.h */
	CMD_DROPS,   /* a copy of the worker's drop log; exits/drop_log.h */
	CMD_ROWS,    /* writes the rows of all connections into the ledger: sync/ledger.h */
};

#define CMD_LIST_STEP 2048 /* views of one command */

struct explain;

/* Control allocates it, puts it on w->commands, and waits for done (release/acquire). */
struct worker_command {
	enum worker_command_kind kind;
	struct conn_filter filter; /* CMD_LIST, CMD_END */
	uint8_t family;		   /* CMD_FIND, CMD_END_ONE: enum addr_family; 0 = IPv4 */
	union {			   /* CMD_FIND, CMD_END_ONE: the in key */
		struct key4 key4;
		struct key6 key6;
	};
	uint32_t cursor; /* CMD_LIST, CMD_END, CMD_ROWS: entry to start at, then entry to go on
			    with; 0 = end */
	struct explain *explain;   /* CMD_EXPLAIN */
	bool more;		   /* CMD_EXPLAIN: another leg follows */
	struct observer *observer; /* CMD_OBSERVE: NULL ends it */
	struct drop_log *drops;	   /* CMD_DROPS: written */
	struct conn_view *views;   /* room for n_max */
	uint32_t n_max, n;
	int eventfd;   /* written when done, or -1 */
	uint32_t done; /* worker: 1 with release order */
};

struct dataplane {
	struct published pub;
	struct exchange exchange;
	struct owner_map owners;
	struct rte_rcu_qsbr *qsbr;
	uint16_t n_ports;
	struct port ports[MAX_PORTS];
	struct check_ports *check_ports; /* control: rw; workers read it by pub */
	uint16_t n_workers;
	bool manual;		      /* workers have no thread: see n_manual_workers */
	struct rte_mempool *big_pool; /* of ports with port.big, or NULL */
	uint8_t instance;
	char suffix[8]; /* of names: "", ".1" for a second one in this process, ... */
	bool running;
	struct worker *workers[MAX_WORKERS];
	uint16_t n_pools;
	struct rte_mempool *pools[MAX_PORTS]; /* see packet_pool.h */
	uint64_t hz;			      /* TSC */
	uint64_t tsc_start;		      /* tick 0 */
	/* The tick until which FTP data connections may be expected; written by workers. */
	uint32_t ftp_until;
	uint32_t stop; /* control: wo, worker: ro */
	/* A bit for each port whose driver no worker may call while the device is opened again.
	 * Worker: ro, once per round. */
	uint32_t ports_closed;
	struct port_recovery *recovery; /* or NULL: workers have no threads */
	struct sieve sieve;		/* of ports whose interface Linux keeps */
	struct ledger *ledger;		/* or NULL: a killed process leaves no connections */
	char ledger_fault[256];	 /* "" or the reason why there is none; main: wo before workers run
				  */
	bool ledger_off;	 /* by the configuration; the same */
	struct kept_report kept; /* main: wo before workers run */
};

/* EAL runs; every lcore but main becomes a worker. Opens and configures ports, makes rings,
 * pools and tables, pub.runtime and pub.nexthops; starts nothing. 0, or -errno with a sentence in
 * error. */
int dataplane_create(const struct dataplane_config *config, struct dataplane **out,
		     char error[ERROR_TEXT]);
/* Starts ports, then workers. A snapshot and a fib are published before. 0 or -errno. */
int dataplane_start(struct dataplane *dp, char error[ERROR_TEXT]);
/* Ends workers and stops ports. Packets in rings and parked packets are dropped and counted,
 * commands are answered empty. Counters stay readable. */
void dataplane_stop(struct dataplane *dp);
/* Closes ports and frees everything. Snapshot and fib belong to their publishers. */
void dataplane_destroy(struct dataplane *dp);

/* Puts a command on a worker's ring. Any thread but workers. 0, -EAGAIN (ring full), or
 * -ESHUTDOWN. */
int dataplane_command(struct dataplane *dp, uint16_t worker, struct worker_command *cmd);

/* True: a port is on a Linux interface (port_on_kernel()). Main. */
bool dataplane_on_kernel(const struct dataplane *dp);

/* Wakes workers that sleep. Any thread. */
void dataplane_wake(struct dataplane *dp);

/* Sums over workers with relaxed loads. */
void dataplane_server_counters(const struct dataplane *dp, uint32_t server_id,
			       struct server_counters *out);
/* answer_max_us is the maximum since the start, of all servers that had the id. */
void dataplane_passive_counters(const struct dataplane *dp, uint32_t server_id,
				struct passive_counters *out);
void dataplane_worker_counters(const struct dataplane *dp, struct worker_counters *out);
void dataplane_port_counters(const struct dataplane *dp, uint16_t port, struct port_counters *out);
void dataplane_device_counters(const struct dataplane *dp, uint16_t port,
			       struct device_counters *out);

/* --- loop.c, worker context --- */

/* The worker's main function for rte_eal_remote_launch(). */
int worker_main(void *worker);
/* Runs a polling round at the given time. Returns the work done: packets, expiry, commands. */
uint32_t loop_round(struct worker *w, uint32_t now_tick, uint32_t now_s);

/* --- command_run.c, worker context --- */

/* Runs a bounded step of the waiting commands. busy: the round has packets, so walks over a table
 * take a small share of the time. 0 = no work was done. */
uint32_t command_run(struct worker *w, bool busy);

#endif
