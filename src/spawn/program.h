/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_SPAWN_PROGRAM_H
#define PLVS_SPAWN_PROGRAM_H

/* The two processes of one program. Context: processes forked by the spawner; one thread. */

#include "base/capabilities.h"
#include "spawn/spawner_wire.h"

/* Capabilities of a confined keeper and spawner: to become other users, and to end programs. */
#define PROGRAM_CAPABILITIES (CAPABILITY(SETUID) | CAPABILITY(SETGID) | CAPABILITY(KILL))

/* The failure that a supervisor's child reports when it cannot go on. */
struct program_failure {
	int32_t step; /* enum spawn_step */
	int32_t code; /* errno */
};

/* In the child: becomes the order's user and group, enters its namespace, and executes the program.
 * in, out, err become 0, 1, 2. *failure is a close-on-exec pipe to the supervisor, whose number
 * changes. Returns only on a failure. */
struct program_failure program_exec(struct spawn_order *order, int in, int out, int err,
				    int *failure);

/* In the supervisor: runs one program, reports its end over channel, ends all processes that the
 * program left, and exits. The end of file on channel ends all of them at once. */
void supervise(struct spawn_order *order, int channel) __attribute__((noreturn));

/* From now on, in this process and its children: programs run as user by default, never as root,
 * and as users of the permit at that descriptor alone; none before it is sealed. */
void program_confine(const char *user, int permit);
/* Takes the permit once it is sealed, and gives SYS_ADMIN up if no program enters a namespace.
 * Cheap: keeper and spawner call it in each turn. */
void program_permit_take(void);

/* Sets default dispositions and blocks no signal, so that the program does not inherit the
 * spawner's settings. */
void program_signals_reset(void);

#endif
