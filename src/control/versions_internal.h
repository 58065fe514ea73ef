/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_VERSIONS_INTERNAL_H
#define PLVS_CONTROL_VERSIONS_INTERNAL_H

/* Shared by versions.c (changes and the peer), version_write.c and version_wait.c. Context: the
 * control thread. */

#include <event2/util.h>

#include "control/versions.h"

struct versions_outcome;

/* --- version_wait.c --- */

/* Answers requests whose wait is over or cannot succeed. */
void versions_waits_look(struct control *c);
/* The process ends: answers all requests. */
void versions_waits_end(struct control *c, const struct versions_outcome *outcome);

/* --- version_write.c --- */

/* Compares the version here with the peer's last report. */
void versions_relate(struct versions *v);
/* Makes the present version durable; then the peer gets the change (without a directory at
 * once). */
void versions_write_start(struct control *c);
/* The store as text, NULL: no memory. */
char *versions_store_text(const struct version_store *s);
/* A timer: writes the text of the present version to a file. arg: struct control. */
void versions_on_text(evutil_socket_t fd, short what, void *arg);
/* Frees the job of the text, if any, after jobs have ended without a call of done(). */
void versions_text_drop(struct versions *v);

#endif
