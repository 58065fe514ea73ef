/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_SPAWN_NOTIFY_H
#define PLVS_SPAWN_NOTIFY_H

/*
 * Notify programs: one program, run for each transition of an object (a real server, a
 * router's role) with a JSON document on standard input.
 *
 * Each run costs a token; tokens come back one per interval, up to burst. With a token each
 * transition is told, in order. Without a token a transition waits, and a later transition of the
 * same object takes its place, so that the last state is told. Two programs for one object never
 * run at the same time. A transition that finds the queue full is dropped, counted and logged.
 * While there is no spawner transitions wait, and a program that ended with the spawner is run
 * again by the next one.
 *
 * `%{key}` in an argument is the value of this key of the document: programs that want words in
 * their arguments, as notify scripts of keepalived, need no JSON. A key that the document lacks is
 * nothing.
 *
 * The environment has PLVS_OBJECT, and PLVS_SKIPPED: transitions of this object that this one
 * took the place of.
 *
 * Context: the client's thread.
 */

#include "spawn/spawn.h"

#define NOTIFY_MAX_WAITING 256
#define NOTIFY_PARALLEL	   4
#define NOTIFY_MAX_OBJECT  256 /* bytes of an object's name */

struct notify;

struct notify_config {
	const char *const *argv;	  /* ends with NULL */
	const char *user, *group, *netns; /* as in struct spawn_request */
	uint32_t time_limit_ms;		  /* 0 = 10 s */
	uint32_t burst;			  /* 0 = 20 */
	uint32_t interval_ms;		  /* 0 = 200 */
};

/* All of config is copied; area is the area of log lines ("health"), static.
 * 0, -EINVAL (no program), -E2BIG or -ENOMEM. */
int notify_create(struct event_base *base, struct spawn_client *client, const char *area,
		  const struct notify_config *config, struct notify **out);
/* Drops the waiting notifications, and kills the running programs. NULL is allowed. */
void notify_destroy(struct notify *n);

/* json is copied. 0, -E2BIG (over SPAWN_MAX_INPUT or NOTIFY_MAX_OBJECT), -ENOBUFS (dropped:
 * the queue is full) or -ENOMEM. */
int notify_send(struct notify *n, const char *object, const char *json);
/* True: no program runs, and no notification waits. */
bool notify_idle(const struct notify *n);

struct notify_counters {
	uint64_t sent;	    /* programs were started for these */
	uint64_t done;	    /* of these: exit code 0 */
	uint64_t failed;    /* of these: any other end */
	uint64_t coalesced; /* a later transition took their place */
	uint64_t dropped;
	uint32_t waiting, running;
};
void notify_counters(const struct notify *n, struct notify_counters *out);

#endif
