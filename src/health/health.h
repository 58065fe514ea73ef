/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_HEALTH_H
#define PLVS_HEALTH_HEALTH_H

/*
 * Health of real servers: the schedule of checks, the meaning of answers, and the servers of a
 * service that may be chosen. State is keyed by identity, so that a reload keeps it.
 *
 * Three layers, each of its own file and testable alone:
 *	inquiry	one check of one target, shared by all (service, server) with the same question;
 *		timing, rise and fall (inquiry.h)
 *	member	one server of one service: its inquiries, operators' orders, re-entry delay,
 *		history, advice on weight (member.h)
 *	group	one service: from its members' states to the effect on each: quorum, all_down,
 *		slow start, sorry server (group.h), a pure function
 *
 * The order of a service's list never changes by health. No function here depends on the role of
 * the router.
 *
 * Context: control, unless noted.
 */

#include "health/check.h"
#include "model/service.h"

struct health;
struct passive_counters; /* model/counters.h */

enum health_state {
	HEALTH_UNKNOWN, /* not enough answers yet: not chosen */
	HEALTH_UP,
	HEALTH_DOWN,
	HEALTH_STATE_MAX
};
extern const char *const health_state_names[HEALTH_STATE_MAX];

/* An operator's order for a server. An order holds until it is taken back, over reloads too. */
enum health_admin {
	HEALTH_ADMIN_NONE,
	HEALTH_ADMIN_UP,    /* forced up */
	HEALTH_ADMIN_DOWN,  /* forced down */
	HEALTH_ADMIN_MAINT, /* maintenance: no new connections, old ones go on; no probes */
	HEALTH_ADMIN_MAX
};
extern const char *const health_admin_names[HEALTH_ADMIN_MAX]; /* "none", "up", ... */

/* The consequence for a server that is down. */
enum health_consequence {
	HEALTH_REMOVE,	/* left out of choices; its connections: the service's on_server_gone */
	HEALTH_QUIESCE, /* left out of choices; its connections go on */
	HEALTH_CONSEQUENCE_MAX
};

enum health_all_down {
	HEALTH_REFUSE,	  /* no server is chosen */
	HEALTH_KEEP_LAST, /* the servers that were up last stay */
	HEALTH_ALL_DOWN_MAX
};

/* The part of a service's configuration that health uses. Values only; health copies them. */
struct health_policy {
	uint8_t consequence;	    /* enum health_consequence: default of servers */
	uint8_t all_down;	    /* enum health_all_down */
	uint32_t quorum;	    /* servers up (by weight if quorum_weight); 0 = 1 */
	uint32_t quorum_hysteresis; /* gained again at quorum + this */
	bool quorum_weight;
	uint32_t slow_start_s; /* time in which the weight grows from 1 to its own; 0 = at once */
	/* Bounds of advice; 0, 0 = 0 to 100, of a load number 100 to 1000. */
	uint32_t weight_min_percent, weight_max_percent;
};

struct health_server {
	struct endpoint ep;
	uint32_t weight;     /* as configured */
	uint8_t method;	     /* enum forward_method */
	bool sorry;	     /* gets new connections only while the quorum is lost */
	uint8_t consequence; /* enum health_consequence */
	/* NULL-terminated; borrowed during the call: copied. Empty: always up. */
	const struct check_spec *const *checks;
};

/* The effect of health on a server; control puts the effect into the service's node. */
struct health_effect {
	bool down;	 /* left out of choices */
	bool as_removed; /* with down: its connections are treated by on_server_gone */
	uint32_t weight; /* effective */
};

struct health_options {
	struct event_base *base;
	struct spawn_client *spawn;	    /* or NULL; outlives health */
	const struct check_spec_ops *specs; /* outlives health */
	const char *program_user;  /* of checks that name none; NULL: nobody; outlives health */
	struct check_ports *ports; /* or NULL: no checks by VIP; outlives health */
	uint32_t max_in_flight;	   /* probes at once; 0 = by the limit of descriptors */
	/* No callback may change what is checked (health_set_service(), health_del_service(),
	 * health_destroy()); all may read, and force. */
	/* Effects of a service changed. The results of a round of the loop lead to one call for
	 * each service, and control publishes them together. After some milliseconds the rest is
	 * left to the next rounds. */
	void (*changed)(void *arg, const char *service_key);
	/* The state of a server has changed: for notify programs and logs; see struct
	 * health_view. */
	void (*edge)(void *arg, const char *service_key, const struct endpoint *server);
	/* A service has lost or regained its quorum; see struct health_service_view. Or NULL.
	 */
	void (*quorum)(void *arg, const char *service_key);
	/* For passive checks: sums over workers now; NULL: not available. */
	void (*traffic)(void *arg, const char *service_key, const struct endpoint *server,
			struct passive_counters *out);
	void *arg;
};

/* 0 or -ENOMEM. */
int health_create(const struct health_options *options, struct health **out);
void health_destroy(struct health *h); /* NULL is allowed */

/*
 * Sets the servers of a service, as configured, in the configuration's order. Members that stay
 * keep their state, also when their checks change. New members begin as UNKNOWN (or UP without
 * checks). Members that left are forgotten. When the function returns, the effects are up to date,
 * without a call of changed(). 0, or -ENOMEM with the service as it was.
 */
int health_set_service(struct health *h, const char *service_key, const struct endpoint *vip,
		       const struct health_policy *policy, const struct health_server *servers,
		       uint32_t n);
void health_del_service(struct health *h, const char *service_key);

/* Present effect on one server. An unknown service or server is up with the given weight. */
struct health_effect health_effect(const struct health *h, const char *service_key,
				   const struct endpoint *server, uint32_t weight);

/* Sets an operator's order. 0 or -ENOENT. why is shown in the view; copied. */
int health_force(struct health *h, const char *service_key, const struct endpoint *server,
		 enum health_admin admin, const char *why);

/* The result of a probe by an operator's command. */
struct health_answer {
	const char *check;
	uint8_t type;		     /* enum check_type */
	struct endpoint target, vip; /* vip: the VIP of the probe; family NONE: none */
	uint32_t timeout_ms, duration_us;
	uint8_t verdict; /* enum probe_verdict */
	const char *reason;
};
typedef void health_attempted(void *arg, const struct health_answer *answer);
/* Probes once, now, apart from the schedule; the answer changes no state. check: a name; NULL: the
 * first check of the server. done() is called once, perhaps before the function returns, at the
 * latest after the check's time-out. 0; -ENOENT: no such server or check; -EOPNOTSUPP: a passive
 * check, which makes no probes; -EBUSY: too many probes are under way; -ENOMEM. */
int health_attempt(struct health *h, const char *service_key, const struct endpoint *server,
		   const char *check, health_attempted *done, void *arg);

struct health_transition {
	uint64_t at_ms; /* CLOCK_REALTIME, for people */
	uint8_t state;	/* enum health_state */
	uint8_t admin;
	char reason[CHECK_REASON_LEN + 64];
};

#define HEALTH_HISTORY 16

/* The state of one server of one service; for `health` and metrics. */
struct health_view {
	uint8_t state;	  /* enum health_state, by checks */
	uint8_t admin;	  /* enum health_admin */
	uint8_t standing; /* enum standing (member.h), by checks, operators and agents */
	struct health_effect effect;
	uint32_t weight;	   /* as configured */
	const char *weight_source; /* "configuration", "agent", "load", "slow start" */
	/* The bounds of the weight under advice; both are `weight` where no advice is held. */
	uint32_t weight_low, weight_high;
	bool drain, maint;	 /* an agent's words */
	uint64_t since_ms;	 /* CLOCK_REALTIME of the last edge */
	uint64_t checked_ms;	 /* of the last answer; 0 = never */
	uint32_t duration_us;	 /* of the last answer */
	uint32_t streak, needed; /* "3rd of 3" */
	uint64_t probes, failures, errors;
	uint64_t edges; /* changes since checks began */
	char reason[CHECK_REASON_LEN + 64];
	uint32_t n_history;
	struct health_transition history[HEALTH_HISTORY]; /* newest first */
};
/* 0 or -ENOENT. */
int health_get(const struct health *h, const char *service_key, const struct endpoint *server,
	       struct health_view *out);
/* The same without history, for listings of thousands. */
int health_get_now(const struct health *h, const char *service_key, const struct endpoint *server,
		   struct health_view *out);
/* Settles the pending changes of a service now, not at the end of the round, and calls changed()
 * and edge(). Within such a callback the function does nothing. */
void health_settle(struct health *h, const char *service_key);

/* A check of a server of a service. */
struct health_check_view {
	const char *name; /* valid until the service changes */
	uint8_t type;	  /* enum check_type */
	uint8_t state;	  /* enum health_state */
	uint64_t checked_ms;
	uint32_t duration_us;
	uint32_t streak, needed;
	uint64_t probes, failures, errors;
	char reason[CHECK_REASON_LEN + 64];
};
/* Returns the number of checks and writes the first max to out[]. 0 for an unknown server. */
uint32_t health_get_checks(const struct health *h, const char *service_key,
			   const struct endpoint *server, struct health_check_view *out,
			   uint32_t max);

struct health_service_view {
	uint32_t n_servers, n_up, n_unknown;
	uint64_t weight_up;
	uint32_t n_sorry; /* of n_servers; not in n_up */
	uint32_t n_sorry_up;
	uint64_t has, needed; /* in the unit of the quorum: servers, or weight */
	bool quorum;	      /* held */
	bool lost;	      /* not held, although every server is known */
	bool holds;	      /* all are down: keep_last holds */
};
int health_get_service(const struct health *h, const char *service_key,
		       struct health_service_view *out);
/* The number of services that have lost their quorum, and the keys of the first max, valid until a
 * service changes. */
uint32_t health_lost(const struct health *h, const char **keys, uint32_t max);

/* X(name, kind, help): of all checks together. Lateness: the delay of a probe's start. */
#define HEALTH_COUNTERS(X)                                                                         \
	X(checks, GAUGE, "checks that run; a shared check counts once")                            \
	X(members, GAUGE, "real servers that are checked, once for each service")                  \
	X(probes, COUNTER, "probes started")                                                       \
	X(failures, COUNTER, "probes that failed")                                                 \
	X(errors, COUNTER, "probes that could not be made")                                        \
	X(not_made, GAUGE, "checks that are unknown because their last probes could not be made")  \
	X(timeouts, COUNTER, "probes that ended by their time limit")                              \
	X(queued, GAUGE, "probes that wait because too many are under way")                        \
	X(in_flight, GAUGE, "probes under way")                                                    \
	X(edges, COUNTER, "changes of a real server's state")

struct health_counters {
#define X(name, kind, help) uint64_t name;
	HEALTH_COUNTERS(X)
#undef X
	uint64_t late_us[3]; /* of the last 10 s: median, 99th percentile, maximum */
};
void health_counters(const struct health *h, struct health_counters *out);

/* High availability: a digest of all verdicts, by identities and not by indexes. */
void health_digest(const struct health *h, uint8_t out[32]);
/* The peer's verdict counts where state is UNKNOWN. */
void health_peer_verdict(struct health *h, const char *service_key, const struct endpoint *server,
			 enum health_state state);
/* After a takeover: ends slow start and re-entry delays of servers that are known to be up. Each
 * check probes again within its fast interval. */
void health_takeover(struct health *h);
/* The number of members, and of members that are up by their checks. Services in which nothing has
 * changed are not looked at. True: health_complete(). */
bool health_count(const struct health *h, uint32_t *n, uint32_t *up);
/* The number of members with a check that has no answer yet. */
uint32_t health_undecided(const struct health *h);
/* True: every member has a verdict from its own checks. */
bool health_complete(const struct health *h);

#endif
