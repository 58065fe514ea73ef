/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TELNET_TELNETD_H
#define PLVS_TELNET_TELNETD_H

/*
 * plvs-telnetd: the shell of plvsctl for telnet clients. A process listens; each connection has
 * two processes: one speaks telnet (libtelnet), asks for name and password, and runs
 * plvsctl on a pseudo-terminal; the other checks the password, and connects plvsctl to the
 * router. No process has privileges, and none shares memory with the router: the router decides
 * what a session may do, by the socket that plvsctl is connected to (docs/telnet.md).
 *
 * Context: processes of plvs-telnetd.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/error_text.h"

#define TELNET_MAX_SESSIONS 256
#define TELNET_NAME_MAX	    32	 /* bytes of a login name */
#define TELNET_LOGIN_S	    60	 /* for a client to log in */
#define TELNET_TRIES	    3	 /* logins of one connection */
#define TELNET_WAITING_MAX  32	 /* connections that have not logged in, of all clients */
#define TELNET_WAITING_FROM 4	 /* the same of one address, other than loopback */
#define TELNET_FROM_STRLEN  80	 /* "[2001:db8::1]:40000" */
#define TELNET_PATH_MAX	    4096 /* of a program */

enum telnet_level {
	TELNET_READ,
	TELNET_CHANGE,
};

struct telnet_user {
	char *name;
	char *hash; /* of crypt(5) */
	enum telnet_level level;
};

struct telnet_config {
	char *host; /* of the listener: a number */
	char *port;
	char *account; /* the user that the processes run as */
	char *shell;   /* path of plvsctl */
	char *sockets[TELNET_CHANGE + 1];
	struct telnet_user *users;
	size_t n_users;
	uint32_t max_sessions;
	uint32_t idle_s;
};

/* --- telnet_config.c --- */

/* Reads `node.telnet` and `node.control` of a configuration of plvs, by default as the router
 * fills them in; the router has checked the document, and this program checks it again. 0, or
 * -errno with a sentence in error. */
int telnet_config_parse(const char *text, size_t len, struct telnet_config *out,
			char error[ERROR_TEXT]);
void telnet_config_free(struct telnet_config *c);
/* Overwrites the hashes, for good: this process checks no password. */
void telnet_config_forget(const struct telnet_config *c);

/* --- telnet_login.c --- */

/* The user with this name and password, or NULL. Takes the same time when there is no such
 * user. */
const struct telnet_user *telnet_user_check(const struct telnet_config *c, const char *name,
					    const char *password);

/* --- telnet_report.c --- */

/* Reports an event to the router and on standard error: "login", "login_failed", "logout",
 * "refused". Waits at most a second. user may be NULL. */
void telnet_report(const struct telnet_config *c, const char *event, const char *user,
		   const char *from, const char *detail);

/* A connection to a socket of the router, with limits of time; or -1. */
int telnet_router_connect(const char *path);

/* --- telnet_filter.c --- */

/* Forbids this process and its programs to make sockets; descriptors that are open can be used. 0
 * or -errno. */
int telnet_filter_enter(void);

/* --- telnet_monitor.c --- */

/* Messages from a connection's monitor to the listener: one byte each. */
enum telnet_news {
	TELNET_NEWS_FAILED = 'f', /* a login failed */
	TELNET_NEWS_LOGIN = 'l',  /* asks for a session: the listener answers 'y' or 'n' */
};

/* Serves one connection until it ends. parent is a socket to the listener; the first login is held
 * back for delay_ms. Returns the exit code of the process. */
int telnet_monitor_run(const struct telnet_config *c, int client, int parent, const char *from,
		       uint32_t delay_ms);

/* --- telnet_session.c --- */

/* Serves the client in a connection's session process. monitor is a socket to the monitor. */
int telnet_session_run(const struct telnet_config *c, int fd, int monitor, uint32_t delay_ms);

/* --- telnet_listen.c --- */

/* A listening socket, or -errno with a sentence in error. */
int telnet_listen_open(const struct telnet_config *c, char error[ERROR_TEXT]);
/* Accepts until SIGTERM. */
int telnet_listen_run(const struct telnet_config *c, int fd);

#endif
