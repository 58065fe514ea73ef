/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/level_sockets.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error_text.h"
#include "base/log.h"
#include "control/control_internal.h"
#include "control/level_path.h"

/* The owner's ids; false: there is no such user or group, and that is logged. */
static bool owner_find(const struct config_node *node, int level, struct rpc_options *opt)
{
	const struct config_level_socket *s = level_socket(node, level);
	const char *user = s->user ? s->user
			   : node->telnet.listen.addr.family != ADDR_NONE && geteuid() == 0
				   ? config_telnet_account(&node->telnet)
				   : NULL;
	const struct passwd *pw = user ? getpwnam(user) : NULL;
	const struct group *gr = s->group ? getgrnam(s->group) : NULL;

	if ((user && !pw) || (s->group && !gr)) {
		log_error(CONTROL_AREA,
			  "node.control.%s: there is no %s \"%s\" on this machine: the socket does "
			  "not exist until one is made and plvs is started again",
			  method_level_words[level], user && !pw ? "user" : "group",
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
	char path[128], error[ERROR_TEXT];
	struct rpc_options opt = {.path = level_socket_path(node, level, path, sizeof(path)),
				  .mode = level_socket(node, level)->mode,
				  .level = (uint32_t)level,
				  .named = node->telnet.listen.addr.family != ADDR_NONE,
				  .dispatch = control_dispatch,
				  .arg = c};

	if (!path[0] || !owner_find(node, level, &opt))
		return;
	if (rpc_server_create(c->base, &opt, &c->levels[level], error) < 0)
		log_error(CONTROL_AREA, "node.control.%s: %s", method_level_words[level], error);
	else
		log_info(CONTROL_AREA, "control socket %s (%s)", path, method_level_words[level]);
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
