/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/level_sockets.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "control/control_internal.h"

static const char *const level_words[] = {[METHOD_READ] = "read", [METHOD_CHANGE] = "change"};

static const struct config_level_socket *socket_of(const struct config_node *node, int level)
{
	return level == METHOD_READ ? &node->read : &node->change;
}

static bool telnet_is_on(const struct config_node *node)
{
	return node->telnet.listen.addr.family != ADDR_NONE;
}

const char *level_socket_path(const struct config_node *node, int level, char *buf, size_t len)
{
	const struct config_level_socket *s = socket_of(node, level);

	if (s->socket)
		snprintf(buf, len, "%s", s->socket);
	else if (telnet_is_on(node))
		snprintf(buf, len, "%s.%s", node->socket, level_words[level]);
	else
		buf[0] = '\0';
	return buf;
}

/* The owner's ids; false: there is no such user or group, and that is logged. */
static bool owner_find(const struct config_node *node, int level, struct rpc_options *opt)
{
	const struct config_level_socket *s = socket_of(node, level);
	const char *user = s->user				  ? s->user
			   : telnet_is_on(node) && geteuid() == 0 ? node->telnet.user
								  : NULL;
	const struct passwd *pw = user ? getpwnam(user) : NULL;
	const struct group *gr = s->group ? getgrnam(s->group) : NULL;

	if ((user && !pw) || (s->group && !gr)) {
		log_error(CONTROL_AREA,
			  "node.control.%s: there is no %s \"%s\" on this machine: the socket does "
			  "not exist until it is made and plvs is started again",
			  level_words[level], user && !pw ? "user" : "group",
			  user && !pw ? user : s->group);
		return false;
	}
	opt->chown = pw || gr;
	opt->uid = pw ? pw->pw_uid : geteuid();
	opt->gid = gr ? gr->gr_gid : pw ? pw->pw_gid : getegid();
	return true;
}

static void open_one(struct control *c, int level)
{
	const struct config_node *node = &c->boot->node;
	char path[128], error[256];
	struct rpc_options opt = {.path = level_socket_path(node, level, path, sizeof(path)),
				  .mode = socket_of(node, level)->mode,
				  .level = (uint32_t)level,
				  .named = telnet_is_on(node),
				  .dispatch = control_dispatch,
				  .arg = c};

	if (!path[0] || !owner_find(node, level, &opt))
		return;
	if (rpc_server_create(c->base, &opt, &c->levels[level], error) < 0)
		log_error(CONTROL_AREA, "node.control.%s: %s", level_words[level], error);
	else
		log_info(CONTROL_AREA, "control socket %s (%s)", path, level_words[level]);
}

void level_sockets_open(struct control *c)
{
	open_one(c, METHOD_READ);
	open_one(c, METHOD_CHANGE);
}

void level_sockets_close(struct control *c)
{
	for (int i = METHOD_READ; i <= METHOD_CHANGE; i++) {
		rpc_server_destroy(c->levels[i]);
		c->levels[i] = NULL;
	}
}
