/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_SPAWN_PROGRAM_H
#define PLVS_SPAWN_PROGRAM_H

/* The two processes of one program. Context: processes forked by the spawner; one thread. */

#include "base/capabilities.h"
#include "spawn/spawner_wire.h"

/* Of keeper and spawner, when they are confined: to become other users, and to end programs. */
#define PROGRAM_CAPABILITIES (CAPABILITY(SETUID) | CAPABILITY(SETGID) | CAPABILITY(KILL))

/* The failure that a supervisor's child reports when it cannot go on. */
struct program_failure {
	int32_t step; /* enum spawn_step */
	int32_t code; /* errno */
};

/* In the child: takes on what the order says and executes it. in, out, err become 0, 1, 2;
 * *failure is a close-on-exec pipe to the supervisor; it moves. Returns only a failure. */
struct program_failure program_exec(struct spawn_order *order, int in, int out, int err,
				    int *failure);

/* In the supervisor: runs one program, reports it over channel, ends all that it left, and
 * exits. The end of file on channel ends it all. */
void supervise(struct spawn_order *order, int channel) __attribute__((noreturn));

/* From now on, in this process and its children: programs run as user by default, never as root,
 * and as users of the permit at that descriptor alone; none before it is sealed. */
void program_confine(const char *user, int permit);
/* Takes the permit once it is sealed, and gives SYS_ADMIN up if no program enters a namespace.
 * Cheap: keeper and spawner call it in each turn. */
void program_permit_take(void);

/* Default dispositions, nothing blocked: signals of the spawner are not the program's. */
void program_signals_reset(void);

#endif
