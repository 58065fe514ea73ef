/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_LEVEL_SOCKETS_H
#define PLVS_CONTROL_LEVEL_SOCKETS_H

/*
 * The control sockets of lower levels, node.control.read and node.control.change: the level of a
 * request is that of the socket it came by, and no request raises it. With node.telnet both
 * exist without being named.
 * Context: the thread that starts and stops control.
 */

struct control;

/* Opens those that are configured. A socket that cannot be opened is logged, and is missing. */
void level_sockets_open(struct control *c);
void level_sockets_close(struct control *c);
#endif
