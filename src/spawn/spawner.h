/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_SPAWN_SPAWNER_H
#define PLVS_SPAWN_SPAWNER_H

/*
 * The spawner's process. The spawner is forked from main before EAL, threads and big memory, so
 * that starting a program costs the same whatever the router holds. For each program it forks a
 * supervisor, which starts the program and reads its output. As a subreaper the supervisor inherits
 * and ends all processes that the program leaves behind.
 *
 *	router --socketpair--> spawner --socketpair--> supervisor --fork, exec--> program
 *
 * The end of file on a socketpair means that the process with the other end is gone: supervisors
 * then kill their programs, and the spawner ends. A spawner that ends or hangs while the router
 * lives is started again by the keeper (keeper.h), the first time after 100 ms, then after twice
 * the last delay, 30 s at most; a spawner that lived for a minute resets the delay.
 *
 * Context: main.
 */

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "spawn/permit.h"

#define SPAWNER_MAX_CLIENTS 8

struct spawner;

/* The clients of the spawner: each has a socketpair with slots of its own, so that no client waits
 * for another. */
enum spawn_who {
	SPAWN_FOR_HEALTH,
	SPAWN_FOR_NOTIFY,
	SPAWN_FOR_HA,
	SPAWN_FOR_TELNET,
	SPAWN_FOR_ANNOUNCE,
	SPAWN_FOR_MAX
};

/* Call before any thread is started. 0 or -errno; -ETIMEDOUT, -EIO: the process was made and does
 * not serve. */
int spawner_start(uint32_t n_clients, struct spawner **out);
/* Before spawner_start(): programs run as user by default, never as root, and as none before
 * spawner_permit(); keeper and spawner keep the capabilities to become other users and to end
 * programs. NULL: not confined. */
void spawner_confine(const char *user);
/* Fixes the users that programs may run as, for the life of the router. 0 or -errno; -EPERM: they
 * are fixed. Without spawner_confine(): 0, and nothing is fixed. */
int spawner_permit(struct spawner *s, const struct permit *permit);
/* The users that were fixed, or NULL: any user. Context: any, after spawner_permit(). */
const struct permit *spawner_permitted(const struct spawner *s);
/* The line by which a client gets its socket to each spawner (spawn_client_create()),
 * close-on-exec; the caller owns it from now on. -1: it was taken already. */
int spawner_take_fd(struct spawner *s, uint32_t client);
/* Programs run on these CPUs from now on: not where workers poll. 0 or -errno. */
int spawner_set_cpus(struct spawner *s, const cpu_set_t *cpus);

struct spawner_status {
	int keeper, spawner; /* process ids of the last two that served */
	uint32_t restarts;   /* of the spawner since the router's start */
	uint64_t served_us;  /* CLOCK_MONOTONIC, when the last one began to serve */
	bool lost; /* keeper and spawner are gone: no program runs until plvs is started again */
};
/* Context: control, or main before control runs. */
void spawner_status(struct spawner *s, struct spawner_status *out);
/* Kills programs that still run and waits for the spawner. NULL is allowed. */
void spawner_stop(struct spawner *s);

#endif
