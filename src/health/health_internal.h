/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_HEALTH_INTERNAL_H
#define PLVS_HEALTH_HEALTH_INTERNAL_H

/*
 * The objects behind health.h, and their owners:
 *
 *	health --> group (one service) --> member (one server of it)
 *	                                     |  inquiry_link (one check of it)
 *	   `-----> inquiry (one question) <----'
 *
 * An inquiry lives while links lead to it. An inquiry makes probes, counts answers, and reports to
 * the members of its links; a member whose standing may have changed marks its group; marked groups
 * are settled at the end of the round (health_run()), so that the results of a hundred probes are
 * one change.
 *
 * Context: control.
 */

#include <sys/queue.h>

#include "health/group.h"
#include "health/health.h"
#include "base/lateness.h"
#include "health/passive.h"
#include "base/hash_table.h"
#include "health/timer.h"
#include "health/inquiry.h"

#define HEALTH_SENTENCE_LEN (CHECK_REASON_LEN + 64)

/* The clocks and checkers, which tests replace. */
struct health_hooks {
	uint64_t (*now_us)(void *arg); /* monotonic */
	uint64_t (*now_ms)(void *arg); /* of the calendar */
	void *arg;
	const struct checker_ops *const *checkers;
};
/* options->base may be NULL: then the caller calls health_run(). */
int health_create_with(const struct health_options *options, const struct health_hooks *hooks,
		       struct health **out);
/* Runs due timers and settles groups. Returns the time of the next call; UINT64_MAX = none. */
uint64_t health_run(struct health *h);

struct inquiry_link {
	LIST_ENTRY(inquiry_link) of_inquiry;
	struct inquiry *inquiry;
	struct member *member;
	char *name;
};

/* The last answer. */
struct inquiry_last {
	uint8_t verdict; /* enum probe_verdict */
	uint32_t duration_us;
	uint32_t streak, needed; /* "3rd of 3"; needed 0: the answer counted towards no change */
	uint64_t checked_ms;	 /* calendar; 0 = never */
	char *sentence;		 /* or NULL */
};

struct inquiry {
	struct hash_node node; /* hash of the identity */
	struct health *h;
	/* --- identity --- */
	struct check_spec spec;
	struct endpoint target, server, vip;
	uint8_t via;	   /* enum probe_via */
	char *service_key; /* PASSIVE; else NULL */
	uint64_t hash;	   /* of the target, without times: for jitter */
	/* --- state --- */
	LIST_HEAD(, inquiry_link) links;
	struct inquiry_state state;
	struct inquiry_last last;
	uint64_t probes, failures, errors;
	bool has_percent, has_units; /* last advice on weight */
	uint32_t percent, units;
	struct passive_counters before;
	/* --- asking: armed (start), queued, under way (probe), or paused --- */
	struct timer start, limit;
	uint64_t due_us, round;
	bool queued, paused, extended; /* the limit was extended, because the loop was late */
	bool not_made;		       /* counts in health.n_not_made */
	TAILQ_ENTRY(inquiry) of_queue;
	struct probe *probe;
};

struct transition {
	uint64_t at_ms;
	uint8_t state, admin, standing;
	bool drained;
	char *reason; /* or NULL: no memory */
};

struct member {
	struct group *group;
	struct endpoint ep;
	struct member_state state;
	struct group_member gm;
	struct inquiry_link **links; /* [n_links] */
	uint32_t n_links;
	uint64_t reentry_us; /* the longest of its checks */
	struct timer reentry;
	bool edge; /* to be reported */
	uint64_t n_edges;
	uint64_t since_ms; /* calendar */
	char *why;	   /* of admin; or NULL */
	uint32_t n_history;
	/* [HEALTH_HISTORY], newest first; NULL for a server without checks that nobody forced */
	struct transition *history;
};

struct group {
	struct hash_node node;
	struct health *h;
	char *key;
	struct endpoint vip;
	struct health_policy policy;
	struct group_state state;
	struct member **members;   /* [n] */
	struct group_member **gms; /* [n], of members */
	uint32_t n;
	uint64_t window_us;
	struct timer tick;
	uint32_t hint;	   /* where the next look-up of a member begins */
	bool marked, tell; /* to be settled; changed() is due in any case */
	bool lost;	   /* the quorum is lost, as reported last */
	/* Out of date, since a state or the list has changed: verdicts; n_up and n_undecided. */
	bool stale, uncounted;
	uint64_t verdicts; /* hash of its servers' states */
	uint32_t n_up, n_undecided;
	TAILQ_ENTRY(group) of_marked;
	TAILQ_ENTRY(group) of_all;
};

struct health {
	struct health_options options;
	struct health_hooks hooks;
	struct checker_env env;
	struct event *work; /* NULL without a base */
	struct timers timers;
	struct hash_table inquiries, groups;
	TAILQ_HEAD(, inquiry) queue;
	TAILQ_HEAD(, group) marked;
	TAILQ_HEAD(, group) all;
	LIST_HEAD(, health_attempt) attempts;
	uint32_t max_in_flight, in_flight, n_queued, n_members;
	uint32_t n_not_made; /* inquiries with not_made */
	bool in_round;	     /* health_run() is under way */
	struct lateness lateness;
	struct health_counters totals; /* those that only grow */
};

static inline void group_changed(struct group *g)
{
	g->stale = g->uncounted = true;
}

static inline uint64_t health_now(const struct health *h)
{
	return h->hooks.now_us(h->hooks.arg);
}
/* Has the loop run health_run() soon. */
void health_wake(struct health *h);

/* --- inquiries: inquiries.c, runner.c --- */
/* The inquiry of this question, made when there is none yet. method: how the server is reached.
 * NULL: no memory. */
struct inquiry *inquiry_find_or_create(const struct member *m, enum forward_method method,
				       const struct check_spec *spec, bool *created);
/* For an inquiry without links and without a probe: after runner_cancel(). */
void inquiry_destroy(struct inquiry *w);
/* Call after state was set. not_made: the inquiry counts in n_not_made. */
void inquiry_not_made(struct inquiry *w, bool not_made);
/* A new inquiry takes over the state of an older one of the same server. */
void inquiry_inherit(struct inquiry *w, const struct inquiry *old);
/* Moves the next probe to within the fast interval. */
void inquiry_hurry(struct inquiry *w, uint64_t now_us);
void inquiry_resume(struct inquiry *w, uint64_t now_us);
bool inquiry_wanted(const struct inquiry *w);
/* Call for a new inquiry: sets its timers. */
void runner_take(struct inquiry *w);
void runner_pump(struct health *h, uint32_t budget);
void runner_cancel(struct inquiry *w);

/* --- attempts: attempt.c --- */
/* Health ends: cancels attempts under way without a call of done(). */
void attempts_cancel(struct health *h);

/* --- members: members.c --- */
struct member *member_create(struct group *g, const struct health_server *server, bool first);
/* Before anything can happen to the member that its history has to tell: a check, an order. 0 or
 * -ENOMEM. */
int member_reserve_history(struct member *m);
void member_destroy(struct member *m);
/* The last change, in words. */
void member_log(const struct member *m);
/* An inquiry of the member got an answer; r NULL: another change. */
void member_heard(struct member *m, const struct inquiry *w, const struct probe_result *r,
		  uint64_t now_us);
void member_reentry(struct timer *t, uint64_t now_us); /* member.reentry */
/* A wait for re-entry is over. */
void member_takeover(struct member *m, uint64_t now_us);
int member_force(struct member *m, enum health_admin admin, const char *why, uint64_t now_us);
/* The inquiry of the member whose last answer explains its state best; NULL: no answers. */
const struct inquiry *member_telling(const struct member *m);

/* --- groups: groups.c --- */
void group_mark(struct group *g);
void group_tick(struct timer *t, uint64_t now_us); /* group.tick */
/* True: an effect changed. */
bool group_run(struct group *g, uint64_t now_us);
/* True: the quorum is not held, and all servers have answered. */
bool group_lost(const struct group *g);
struct group *group_find(const struct health *h, const char *key);
struct member *group_member_find(struct group *g, const struct endpoint *ep);
struct member *health_member(const struct health *h, const char *key, const struct endpoint *ep);

/* --- words: words.c --- */
/* "HTTP 503 from 10.0.0.12:80/health after 12 ms, 3rd of 3"; vip: the VIP of the probe, or NULL. */
void words_answer(const struct check_spec *spec, const struct probe_result *r,
		  const struct addr *vip, uint32_t streak, uint32_t needed, char *buf, size_t len);
/* "3rd" */
const char *words_ordinal(uint32_t n, char *buf, size_t len);

#endif
