/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_LEVEL_PATH_H
#define PLVS_CONTROL_LEVEL_PATH_H

/* Names, configuration and paths of the control sockets of lower levels, METHOD_READ and
 * METHOD_CHANGE. Context: any. */

#include <stddef.h>

struct config_level_socket;
struct config_node;

const struct config_level_socket *level_socket(const struct config_node *node, int level);
/* The path of the socket, or "" where there is none. Returns buf. */
const char *level_socket_path(const struct config_node *node, int level, char *buf, size_t len);

#endif
