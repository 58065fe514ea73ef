/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_PUSH_H
#define PLVS_CONTROL_PUSH_H

/*
 * The shared configuration on its way to the peer, with its versions. One at a time; others wait.
 *
 * Context: the control thread.
 */

struct control;

/* Versions go to the peer from now on. A router of a pair whose file has an older version than
 * the one that ran last puts that one in place. */
void pushes_start(struct control *c);

#endif
