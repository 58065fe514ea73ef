/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_HA_SIM_SIM_H
#define PLVS_TESTS_HA_SIM_SIM_H

/*
 * Two routers that run src/ha's role machine and freshness check over a bad network, in
 * virtual time. A run is a pure function of its seed.
 *
 *	sim.c	 events in order of time, scenario, report
 *	net.c	 paths, faults, the attacker
 *	node.c	 a router: carries out the machine's actions
 *	configs.c versions of the configuration: edits, stores, what one sends the other
 *	trials.c configurations that are taken back unless a person confirms them
 *	check.c	 what must hold, asked at every event
 *
 * Time is in milliseconds. Each life of a router has a clock of its own that starts
 * anywhere: nothing may compare them.
 */

#include <stdbool.h>
#include <stdint.h>

#include "ha/role/freshness.h"
#include "ha/role/role.h"

#define SIM_PATHS      3
#define SIM_LINKS      2 /* VIP links: public and private, as the ports and the first two paths */
#define SIM_QUEUE      128
#define SIM_EVENTS     8192
#define SIM_RECORDS    2048
#define SIM_FAULTS     12
#define SIM_FORWARDS   64
#define SIM_EDIT_WORDS 8

enum sim_event_type {
	SIM_TICK,
	SIM_PROBE, /* witnesses, synchronisation */
	SIM_DELIVER,
	SIM_FLUSHED,
	SIM_IDLE, /* relay */
	SIM_RESUME,
	SIM_START,
	SIM_COMMAND,
	SIM_FAULT, /* the next fault begins */
	SIM_HEAL,  /* a fault ends */
	SIM_CALM,  /* all faults end */
	SIM_CALM_CHECK,
	SIM_REPLAY,
	SIM_FORWARD, /* a configuration arrives */
	SIM_ASKED,   /* a change arrives that was asked for at the other router: value 1: a trial */
};

struct flight {
	struct ha_message msg;
	uint64_t record; /* number of its record */
	uint64_t sent;
	bool replayed;
};

struct sim_event {
	uint64_t at, order;
	enum sim_event_type type;
	uint8_t node, path;
	uint32_t token; /* the life or the tick it belongs to */
	uint32_t value;
	int32_t flight; /* index, or -1 */
};

struct record { /* what the attacker has kept */
	struct ha_message msg;
	uint64_t number, sent;
	uint32_t to_life; /* of the receiver when it was sent */
	uint8_t to;
	bool processed; /* and believed */
};

struct way { /* one direction of a path */
	bool up;
	uint32_t loss; /* of 1000 */
	uint32_t delay, jitter, duplicate;
};

enum fault_type {
	FAULT_LOSS,	  /* one way of one path */
	FAULT_ONE_WAY,	  /* all paths in one direction */
	FAULT_PARTITION,  /* all paths, and frames */
	FAULT_FILTER,	  /* all paths: Ethernet frames pass */
	FAULT_FILTER_WAY, /* the same in one direction */
	FAULT_PATH,	  /* one path */
	FAULT_JITTER,
	FAULT_DUPLICATE,
	FAULT_PORT,
	FAULT_WITNESS,	    /* of one router on one link */
	FAULT_WITNESS_BOTH, /* of both routers, all links */
	FAULT_DEAF,	    /* a router receives nothing, and is heard */
	FAULT_SYNC,	    /* flushes are not acknowledged */
	FAULT_HOLE,	    /* a link of a router: its port stays up, nothing crosses */
	FAULT_LATE,	    /* ticks come late by up to two keepalives */
	FAULT_N_LASTING,
	/* Events with an end of their own. */
	FAULT_STOP = FAULT_N_LASTING, /* SIGSTOP */
	FAULT_STALL,		      /* the ha thread only: workers go on */
	FAULT_CRASH,
	FAULT_COMMAND,
	FAULT_REPLAY,
	FAULT_EDIT,   /* of a configuration */
	FAULT_TIMERS, /* others are configured */
	FAULT_N,
};

struct fault {
	bool on;
	enum fault_type type;
	uint8_t node, path;
	uint32_t amount;
	uint32_t id;
};

struct edits { /* a set of numbers */
	uint64_t word[SIM_EDIT_WORDS];
};

struct sim_config {
	struct version version;
	struct edits edits;	/* what it says */
	struct edits overruled; /* what a person decided against */
	struct edits withdrawn; /* trials that were taken back */
};

struct sim_trial {
	bool on;
	uint64_t deadline;
	struct sim_config before;
};

struct sim_forward {
	struct sim_config config;
	struct sim_trial trial;
};

struct node {
	uint8_t id;
	struct sim_config config; /* outlives the process */
	struct sim_config last_week;
	struct sim_trial trial;
	bool undo; /* there is a record of trial.before, which outlives the process */
	bool running, paused, stalled; /* stalled: paused, but its workers forward */
	uint32_t life, tick_token;
	uint64_t offset; /* its clock - the simulation's */
	uint64_t started, paused_at;
	struct role role;
	struct freshness fresh;
	struct flight queue[SIM_QUEUE];
	uint8_t queue_path[SIM_QUEUE];
	uint32_t n_queue;

	/* The orders to its data plane. */
	bool serving, frozen, relaying, quit;
	uint64_t lease; /* its clock; ROLE_LEASE_NONE */
	uint64_t relay_since;

	/* Surroundings. */
	bool port_up[SIM_LINKS], witness_up[SIM_LINKS], late, sync_broken;
	bool synchronised, verdicts;
	uint32_t sync_ms, generation;

	/* The memory of check.c. */
	uint64_t witnessed[SIM_LINKS]; /* last answer received */
	uint64_t asked_at;	       /* witnesses, last */
	uint64_t frame_at[SIM_LINKS];  /* a frame to the peer, last */
	uint64_t serving_heard;	       /* last newest message that says the peer serves */
	uint64_t late_at;	       /* last ROLE_LATE */
	uint64_t lapsed_late;	       /* the last one, if the lease was over then; or 0 */
	uint32_t lapsed_keepalive;     /* of then */
	uint64_t was_late;	       /* last seen paused, or with late ticks */
	uint64_t configured_at;	       /* timers, last */
	uint64_t init_left;	       /* 0: not yet */
	uint64_t steady_since;	       /* runs, not paused, on time; 0: not */
	uint64_t active_since;	       /* ACTIVATE */
	uint64_t fresh_at;	       /* last fresh message processed; 0: never */
	uint64_t last_term;
};

struct sim_times {
	uint32_t keepalive, deadtime, overlap;
};

struct sim {
	uint64_t seed, random, now, order, end;
	uint64_t steps, step_limit;
	bool trace;
	uint64_t trace_from;
	struct role_config cfg[2];
	bool older[2]; /* of one version older: what is appended since is neither said nor sent */
	uint32_t keepalive, deadtime; /* of an ordinary pair of this run */
	struct sim_times most;	      /* of both routers, lately */
	uint64_t most_at;
	uint32_t n_paths, n_witnesses[SIM_LINKS];
	struct node node[2];
	struct way way[SIM_PATHS][2];	 /* [path][sender] */
	struct way frames[SIM_LINKS][2]; /* of Ethernet frames: [VIP link][sender] */
	struct fault fault[SIM_FAULTS];
	uint32_t fault_ids;
	uint32_t restarts_only; /* scenario: router 0 is killed and started, nothing else */
	bool calm;
	uint64_t disturbed_at; /* the surroundings changed, or a command came */

	struct sim_event heap[SIM_EVENTS];
	uint32_t n_events;
	struct flight flights[SIM_EVENTS];
	int32_t flight_free[SIM_EVENTS];
	uint32_t n_free;
	struct record records[SIM_RECORDS];
	uint64_t n_records;

	/* configs.c */
	uint32_t n_edits, n_forwards, needless_alarms;
	uint64_t forced_ms;			  /* a person pushed by force, last */
	struct sim_forward forward[SIM_FORWARDS]; /* under way */
	struct edits tried, confirmed;		  /* edits that were on trial; those that stay */
	struct edits given;			  /* of who gives the active role away */
	bool given_forced;

	/* check.c */
	uint64_t clean_since[2];	/* a clean path from this sender; 0: none */
	uint64_t frames_clean_since[2]; /* the same of frames */
	uint64_t decided_since;		/* no way loses or delays */
	uint64_t met_since;		/* each believes the other's present life; 0: not */
	uint64_t overlap_since;		/* both have the VIPs; 0: not */
	uint64_t contact_at;		/* the first message of that time was believed */
	uint64_t idle_since;		/* nobody serves, somebody could */
	uint64_t activations, longest_overlap, longest_idle;
	char violation[256];
};

struct tally { /* over all runs */
	uint64_t runs, steps, messages, replays, forged, activations;
	uint64_t rows[ROLE_N_ROWS];
	uint64_t longest_overlap, longest_idle;
};

extern struct tally tally;

/* sim.c */
uint32_t draw(struct sim *s, uint32_t n); /* 0 .. n - 1 */
bool chance(struct sim *s, uint32_t per_mille);
void schedule(struct sim *s, uint64_t in, const struct sim_event *ev, const struct flight *f);
void sim_trace(struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sim_violate(struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* net.c */
void net_setup(struct sim *s);
void net_send(struct sim *s, struct node *from, const struct ha_message *msg);
void net_replay(struct sim *s);
/* A claim of an address by this router reaches the other one. */
bool net_claims(struct sim *s, const struct node *from);
void fault_begin(struct sim *s);
void fault_heal(struct sim *s, uint32_t id);
void fault_clear(struct sim *s);

/* node.c */
void node_start(struct sim *s, struct node *n);
void node_crash(struct sim *s, struct node *n);
void node_pause(struct sim *s, struct node *n, uint32_t ms, bool stall);
void node_resume(struct sim *s, struct node *n);
void node_ports(struct sim *s, struct node *n);
void node_probe(struct sim *s, struct node *n);
void node_tick_first(struct sim *s, struct node *n);
void node_deliver(struct sim *s, struct node *n, const struct flight *f, uint8_t path);
void node_step(struct sim *s, struct node *n, const struct role_event *ev);
void node_sync_tell(struct sim *s, struct node *n);
void node_command(struct sim *s, struct node *n, enum role_command c, bool force);

static inline uint64_t node_now(const struct sim *s, const struct node *n)
{
	return s->now + n->offset;
}

/* configs.c */
void config_start(struct sim *s, struct node *n);
void config_edit(struct sim *s, struct node *n);
void config_probe(struct sim *s, struct node *n);
void config_asked(struct sim *s, struct node *n, const struct sim_event *e);
void config_forwarded(struct sim *s, struct node *n, const struct sim_event *e);
bool config_moves(const struct node *n);
void config_edit_here(struct sim *s, struct node *n);
void config_child(struct sim *s, struct sim_config *c);
void check_config_given(struct sim *s, struct node *n);
void check_config_taken(struct sim *s, const struct node *n);
void check_config_calm(struct sim *s);

/* trials.c */
void trial_begin(struct sim *s, struct node *n);
void trial_command(struct sim *s, struct node *n);
bool trial_hears(struct sim *s, struct node *n);
void trial_look(struct sim *s, struct node *n);
void trial_taken(struct sim *s, struct node *n, const struct sim_trial *peers);
bool trial_start(struct sim *s, struct node *n);
void check_trials(struct sim *s);

/* check.c */
bool node_effective(const struct sim *s, const struct node *n); /* forwards for VIPs now */
void check_time(struct sim *s);					/* before each event, and after */
void check_step(struct sim *s, struct node *n, const struct role *before,
		const struct role_event *ev, const struct role_actions *out);
void check_fresh(struct sim *s, struct node *n, const struct flight *f, enum ha_verdict v,
		 bool newest);
void check_claim(struct sim *s, const struct node *n);
void check_calm(struct sim *s);

#endif
