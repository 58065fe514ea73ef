/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_LEVEL_SOCKETS_H
#define PLVS_CONTROL_LEVEL_SOCKETS_H

/*
 * The control sockets of lower levels, node.control.read and node.control.change: the level of a
 * request is that of the socket it came by, and no request raises it. With node.telnet both
 * exist without being named.
 * Context: the thread that starts and stops control.
 */

#include <stddef.h>

struct config_node;
struct control;

/* Opens those that are configured. One that cannot be opened is logged, and is missing. */
void level_sockets_open(struct control *c);
void level_sockets_close(struct control *c);
/* The path of the socket of a level (METHOD_READ, METHOD_CHANGE), or "" where there is none. */
const char *level_socket_path(const struct config_node *node, int level, char *buf, size_t len);

#endif
