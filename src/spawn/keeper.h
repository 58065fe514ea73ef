/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_SPAWN_KEEPER_H
#define PLVS_SPAWN_KEEPER_H

/*
 * The keeper: a process without a task of its own that starts the spawner, and starts it again
 * when it has ended or hangs. The keeper is forked from main together with the first spawner,
 * so a new spawner costs no fork of the router and has the privileges of the first one.
 *
 *	router --life, lines--> keeper --pair--> spawner --> supervisors and programs
 *
 * The spawner has the keeper's descriptors as well. When the keeper ends, the spawner kills its
 * programs and becomes the keeper of a new spawner. So the death of either process is repaired. The
 * death of both at once is not repaired, and is seen as the end of file on every line.
 *
 * Context: the keeper's process; one thread.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Descriptors have these numbers: life, the router's pidfd, the permit, then a line for each
 * client. */
#define KEEPER_LIFE	  3
#define KEEPER_ROUTER	  4
#define KEEPER_PERMIT	  5
#define KEEPER_FIRST_LINE 6

/* The note that the keeper sends on life each time a spawner serves. Host order. */
struct keeper_note {
	uint32_t magic; /* SPAWN_MAGIC */
	uint32_t restarts;
	int32_t keeper, spawner; /* process ids */
	uint64_t now_us;	 /* CLOCK_MONOTONIC */
};

/* Starts spawners for n clients until life ends (end of file) or the router is gone. */
void keeper_run(uint32_t n) __attribute__((noreturn));

/* Sends fd to the client at the other end of a line. False: the client is gone. */
bool line_send(int line, int fd);
/* Receives a descriptor, close-on-exec; -EAGAIN: none yet; -EPIPE: none will come. */
int line_receive(int line);

#endif
