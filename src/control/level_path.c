/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/level_path.h"

#include <stdio.h>

#include "config/config.h"
#include "control/method.h"

#define X(NAME, socket, word) socket,
const char *const method_level_sockets[] = {METHOD_LEVELS(X)};
#undef X

#define X(NAME, socket, word) word,
const char *const method_level_words[] = {METHOD_LEVELS(X)};
#undef X

const struct config_level_socket *level_socket(const struct config_node *node, int level)
{
	return level == METHOD_READ ? &node->read : &node->change;
}

const char *level_socket_path(const struct config_node *node, int level, char *buf, size_t len)
{
	const struct config_level_socket *s = level_socket(node, level);

	if (s->socket)
		snprintf(buf, len, "%s", s->socket);
	else if (node->telnet.listen.addr.family != ADDR_NONE)
		snprintf(buf, len, "%s.%s", node->socket, method_level_words[level]);
	else
		buf[0] = '\0';
	return buf;
}
