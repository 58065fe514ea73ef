/* SPDX-License-Identifier: BSD-3-Clause */
#include "rpc/rpc_peer.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* /proc/PID/loginuid: set once at login, kept by sudo and su. */
static uint32_t login_uid_read(uint32_t pid)
{
	char path[48], text[24] = "";
	unsigned long uid;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/loginuid", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return RPC_NO_ID;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0 || text[0] < '0' || text[0] > '9')
		return RPC_NO_ID;
	uid = strtoul(text, NULL, 10);
	return uid < RPC_NO_ID ? (uint32_t)uid : RPC_NO_ID;
}

void rpc_peer_read(int fd, struct rpc_peer *out)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	*out = (struct rpc_peer){.uid = RPC_NO_ID, .login_uid = RPC_NO_ID};
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return;
	out->uid = cred.uid;
	/* 0: the process is of another PID namespace. */
	out->pid = cred.pid > 0 ? (uint32_t)cred.pid : 0;
	if (out->pid)
		out->login_uid = login_uid_read(out->pid);
}

void rpc_peer_set_session(struct rpc_peer *peer, const char *name)
{
	size_t n = strnlen(name, RPC_SESSION_MAX);

	for (size_t i = 0; i < n; i++)
		peer->session[i] = name[i] > ' ' && name[i] < 0x7f ? name[i] : '?';
	peer->session[n] = '\0';
}

/* The name of a user, or its number. */
static const char *user_format(uint32_t uid, char *buf, size_t len)
{
	char room[1024];
	struct passwd pw, *found = NULL;

	if (getpwuid_r(uid, &pw, room, sizeof(room), &found) == 0 && found)
		snprintf(buf, len, "%s", pw.pw_name);
	else
		snprintf(buf, len, "%u", uid);
	return buf;
}

const char *rpc_peer_format(const struct rpc_peer *p, char *buf, size_t len)
{
	char user[40], login[40], logged[56] = "";

	if (!p || p->uid == RPC_NO_ID) {
		snprintf(buf, len, "%s", p ? "unknown" : "");
		return buf;
	}
	if (p->login_uid != RPC_NO_ID)
		snprintf(logged, sizeof(logged), ", login %s",
			 user_format(p->login_uid, login, sizeof(login)));
	snprintf(buf, len, "%s%s%s (uid %u%s, pid %u)", p->session, p->session[0] ? " by " : "",
		 user_format(p->uid, user, sizeof(user)), p->uid, logged, p->pid);
	return buf;
}

const char *rpc_peer_name(const struct rpc_peer *p, char *buf, size_t len)
{
	char user[40];

	if (!p || p->uid == RPC_NO_ID)
		snprintf(buf, len, "%s", p && p->session[0] ? p->session : "unknown");
	else if (p->session[0])
		snprintf(buf, len, "%s", p->session);
	else
		snprintf(buf, len, "%s",
			 user_format(p->login_uid != RPC_NO_ID ? p->login_uid : p->uid, user,
				     sizeof(user)));
	return buf;
}
