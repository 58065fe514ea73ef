/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_CONTROL_INTERNAL_H
#define PLVS_CONTROL_CONTROL_INTERNAL_H

/* Declarations that the files of the control thread share. Context: the control thread. */

#include <pthread.h>

#include "config/config.h"
#include "control/method_answer.h"
#include "control/change_queue.h"
#include "control/clock_jump.h"
#include "control/control.h"
#include "control/event_log.h"
#include "control/fleet.h"
#include "control/jobs.h"
#include "control/memory_trim.h"
#include "control/pending.h"
#include "control/method.h"
#include "control/trial.h"
#include "control/versions.h"
#include "control/vip_look.h"
#include "link/link.h"
#include "metrics/parts.h"
#include "publish/publisher.h"
#include "rpc/rpc_server.h"

#define CONTROL_AREA "control"

struct ha;
struct checking;
struct metrics;
struct telnet_program;
struct push;
TAILQ_HEAD(push_list, push);

/* A note that another thread leaves for the control thread; part of an object of its own. */
struct control_note {
	struct control_note *next;
	void (*run)(struct control *c, struct control_note *note);
	/* Called if the control thread has ended before run(). NULL: the object has another
	 * owner. */
	void (*drop)(struct control_note *note);
};

struct listing;
TAILQ_HEAD(listing_list, listing);
struct listings {
	struct listing_list list; /* in the order of asking */
	struct listing *next;	  /* of this round; NULL: a new round begins */
	struct event *round_ev;
	uint64_t round;
};

struct control {
	char *config_path;    /* or NULL */
	struct dataplane *dp; /* or NULL */
	struct published *pub;
	struct link *link;		  /* or NULL */
	struct identity_feed *identities; /* of the ha thread, or NULL */
	char *dpdk_version;

	struct event_base *base;
	struct event *wake_ev;
	int wake_fd;	   /* eventfd: written by other threads after a flag */
	uint32_t stopping; /* any thread: atomics */
	uint32_t reloads;  /* requested; any thread: atomics */
	uint32_t reloads_begun;
	uint32_t reloads_ended; /* control: wo, any thread: ro, atomics */
	uint32_t n_unasked;	/* pending objects without a request */
	pthread_mutex_t note_lock;
	struct control_note *first_note, *last_note; /* any thread: under note_lock */
	pthread_t thread;
	bool running;
	char *start_error; /* of the caller of control_start(): a part that does not start says why
			    */

	struct jobs *jobs;
	struct jobs *idle_jobs; /* texts and memory: no request waits for them */
	struct memory_trim memory_trim;
	struct turn_list turns;
	struct turn *turn; /* under way, or NULL */
	struct event *turn_ev;

	struct rpc_server *server;
	struct rpc_server *levels[METHOD_ALL]; /* of the lower levels; or NULL */
	struct event_log events;
	struct telnet_program *telnet;
	struct config *config; /* changed in turns only */
	struct config *boot;   /* `node` as the process was started with: shared is empty */
	struct publisher publisher;
	struct traffic traffic;
	struct table_warning table_warning;
	struct clock_jump clock_jump;
	struct local_port_warning local_port_warning;
	struct ring_warning ring_warning;
	struct pending_list pending; /* requests that are not ended yet */
	uint32_t n_streams;	     /* of these: listings of connections */
	uint32_t explains;	     /* packets that are explained */
	uint32_t observers;	     /* traces and captures */
	struct listings listings;
	struct vip_look vip_look;
	struct ha *ha;		 /* or NULL */
	struct push_list pushes; /* to the peer */
	struct fleet fleet;
	/* control_run_for_peer(): dispatch stands above push. */
	void (*run_for_peer)(struct control *c, struct rpc_request *req, const char *name,
			     json_t *params);
	struct versions versions;
	struct trial trial;
	struct event *pair_ev;
	struct checking *checking; /* NULL before control_start() */
	struct metrics *metrics;   /* or NULL */
	struct spawner *spawner;   /* or NULL */
	json_t *daemons;	   /* by "master" and "backup", or NULL; see methods_ipvsadm.c */
	json_t *restart;	   /* texts: changes of the configuration that wait for a restart */
	uint64_t started_us;
	uint64_t applied_us; /* time of the last whole configuration */
};

/* --- pair_apply.c --- */

/* config.apply of the start file; the outcome is logged. */
void control_apply_file(struct control *c);

/* --- config_reading.c --- */

/* Ends req with the result of make(), which runs on another thread with a frozen configuration. */
typedef json_t *reading_make(const struct config *config, enum config_part part);
void answer_read(struct control *c, struct rpc_request *req, reading_make *make,
		 enum config_part part);
/* Ends req by the path, once the configuration is saved there. */
void answer_saved(struct control *c, struct rpc_request *req, const char *path);

/* --- listing.c --- */

int listings_start(struct control *c);
void listings_stop(struct control *c);

/* --- router_parts.c --- */

/* The parts of the router that metrics and listings read. arg is a struct control. */
void control_parts(void *arg, struct router_parts *out);

/* --- methods_ha.c --- */

/* The answer to `ha.status`; NULL: there is no ha thread. */
json_t *ha_status_json(struct control *c);
/* "active"; NULL: there is no ha thread. */
const char *ha_state_word(const struct control *c);

/* --- push.c --- */

control_method config_push;

/* --- notes.c --- */

/* Any thread: the control thread runs the notes that are there. */
void control_wake(struct control *c);
void control_notes_run(struct control *c);
/* Control has ended: drops notes that were not run. */
void control_notes_drop(struct control *c);
/* Any thread. run() is called soon on the control thread, or drop() if that thread ends before. */
void control_post(struct control *c, struct control_note *note);
/* The configuration changed: reports to the peer, once for several changes. */
void control_pair_changed(struct control *c);

/* --- lookup.c --- */

/* The node part of a configuration alone; NULL: no memory. */
struct config *control_node_of(const struct config *config);

/* Run-time object of a configured service, or NULL. */
struct service_rt *control_service_rt(const struct control *c, const struct config_service *svc);
/* Connections of a configured server, and of all servers of a service, as they are counted now. rt:
 * of the service, or NULL. */
uint64_t control_server_connections(const struct control *c, const struct config_service *svc,
				    const struct service_rt *rt,
				    const struct config_server *server);
uint64_t control_service_connections(const struct control *c, const struct config_service *svc,
				     const struct service_rt *rt);

#endif
