/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_ROUTER_SERVICE_MANAGER_H
#define PLVS_ROUTER_SERVICE_MANAGER_H

/*
 * Messages of plvs to the program that started it, by the protocol of sd_notify(3): a datagram of
 * lines NAME=VALUE to the UNIX socket in $NOTIFY_SOCKET. Without the variable nothing is sent.
 *
 *	READY=1		ports, the first snapshot and the role machine run
 *	RELOADING=1	SIGHUP came; the next READY=1 says that the file is live, or refused
 *	STATUS=...	the role in words
 *	WATCHDOG=1	every loop and every worker has made progress since the last time
 *	STOPPING=1	plvs ends
 *
 * Context: main.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/limits.h"

/* Workers, and the loops of link, ha and control. */
#define SERVICE_MANAGER_LOOPS (MAX_WORKERS + 3)

struct service_manager {
	int fd;		      /* -1: no manager */
	uint64_t watchdog_us; /* the manager restarts plvs after this silence; 0: never */
	uint64_t fed_us;
	/* Counters of rounds, and their values when the watchdog was fed last. */
	uint16_t n;
	const uint64_t *progress[SERVICE_MANAGER_LOOPS];
	uint64_t seen[SERVICE_MANAGER_LOOPS];
	char status[256];
};

/* Reads the variables and removes them from the environment, so that programs that plvs starts do
 * not use them. 0 or -errno (the socket cannot be reached). */
int service_manager_open(struct service_manager *sm);
void service_manager_close(struct service_manager *sm);
/* Sends lines as they are. */
void service_manager_say(struct service_manager *sm, const char *lines);
void service_manager_reloading(struct service_manager *sm, uint64_t now_us);
/* A STATUS, sent when it differs from the last one. */
void service_manager_status(struct service_manager *sm, const char *words);
/* A counter that grows with each round of a loop; another thread writes it. Beyond
 * SERVICE_MANAGER_LOOPS: ignored. */
void service_manager_add(struct service_manager *sm, const uint64_t *progress);
/* Feeds the watchdog if a quarter of its interval has passed and every counter has grown since it
 * was fed. False: not fed for half of its interval. Call at least once in a quarter. */
bool service_manager_feed(struct service_manager *sm, uint64_t now_us);

#endif
