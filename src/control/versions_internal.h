/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_VERSIONS_INTERNAL_H
#define PLVS_CONTROL_VERSIONS_INTERNAL_H

/* Shared by versions.c (changes and the peer), version_write.c and version_wait.c. Context: the
 * control thread. */

#include <event2/util.h>

#include "control/versions.h"

struct versions_outcome;

/* --- version_wait.c --- */

/* Requests that wait in vain or long enough are answered. */
void versions_waits_look(struct control *c);
/* The process ends: all are answered. */
void versions_waits_end(struct control *c, const struct versions_outcome *outcome);

/* --- version_write.c --- */

/* Compares the version here with what the peer said last. */
void versions_relate(struct versions *v);
/* Makes the present version durable; then the peer gets the change. Without a directory at once. */
void versions_write_start(struct control *c);
/* The store as text, NULL: no memory. */
char *versions_store_text(const struct version_store *s);
/* A timer: what the present version says goes to a file. arg: struct control. */
void versions_on_text(evutil_socket_t fd, short what, void *arg);
/* The job, if any, is over, and nobody calls it done. */
void versions_text_drop(struct versions *v);

#endif
