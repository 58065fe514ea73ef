/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONFIG_OPERATOR_CONFIG_H
#define PLVS_CONFIG_OPERATOR_CONFIG_H

/* The values of node.control.read, node.control.change and node.telnet. */

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

#define CONFIG_TELNET_USERS    64
#define CONFIG_TELNET_SESSIONS 256
#define CONFIG_TELNET_USER     "plvs-telnet"

/* A control socket of a lower level. */
struct config_level_socket {
	char *socket; /* NULL: none, or with telnet the control socket's path and ".read", ".change"
		       */
	uint32_t mode;
	char *user;  /* owner of the file; NULL: the router's, or with telnet telnet.user */
	char *group; /* NULL: the owner's */
};

enum config_telnet_level {
	CONFIG_TELNET_READ,
	CONFIG_TELNET_CHANGE,
};

struct config_telnet_user {
	char *name;
	char *password; /* a hash of crypt(5) */
	uint8_t level;	/* enum config_telnet_level */
};

struct config_telnet {
	struct endpoint listen; /* family NONE: off */
	struct config_telnet_user *users;
	uint32_t n_users;
	uint32_t sessions;
	uint32_t idle_s;
	bool start;    /* by the router; else by a service manager */
	char *user;    /* see config_telnet_account() */
	char *program; /* path of plvs-telnetd; NULL: beside plvs */
	char *shell;   /* path of plvsctl; NULL: as installed */
};

/* The user of plvs-telnetd, who owns the sockets of the levels that name no user. */
static inline const char *config_telnet_account(const struct config_telnet *telnet)
{
	return telnet->user ? telnet->user : CONFIG_TELNET_USER;
}

#endif
