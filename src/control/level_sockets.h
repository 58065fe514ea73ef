/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_LEVEL_SOCKETS_H
#define PLVS_CONTROL_LEVEL_SOCKETS_H

/*
 * The control sockets of lower levels, node.control.read and node.control.change: the level of a
 * request is that of the socket it came by, and no request raises it. With node.telnet both exist
 * by default. Context: the thread that starts and stops control.
 */

struct control;

/* Opens the configured sockets. If a socket cannot be opened, the error is logged and the router
 * runs without it. */
void level_sockets_open(struct control *c);
void level_sockets_close(struct control *c);
#endif
