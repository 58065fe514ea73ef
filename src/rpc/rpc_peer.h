/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_RPC_RPC_PEER_H
#define PLVS_RPC_RPC_PEER_H

/* The process at the other end of a control socket, as the kernel names it: for the audit.
 * Context: any. */

#include <stddef.h>
#include <stdint.h>

#define RPC_SESSION_MAX 127 /* bytes of a session's name */
#define RPC_PEER_STRLEN 320
#define RPC_NO_ID	UINT32_MAX

struct rpc_peer {
	uint32_t uid;	    /* SO_PEERCRED: of the moment of connect() */
	uint32_t pid;	    /* the same; 0: not known */
	uint32_t login_uid; /* the user of the process's login session; RPC_NO_ID: none */
	char session[RPC_SESSION_MAX + 1]; /* as a front end named it; "" = none */
};

/* Of a connected UNIX socket. */
void rpc_peer_read(int fd, struct rpc_peer *out);
/* Printable ASCII stays; anything else becomes "?". */
void rpc_peer_set_session(struct rpc_peer *peer, const char *name);
/* "root (uid 0, login alice, pid 4711)"; "" for peer NULL. Returns buf. */
const char *rpc_peer_format(const struct rpc_peer *peer, char *buf, size_t len);

/* The name alone, for lists: of the session, else of the login, else of the user. Returns buf.
 */
const char *rpc_peer_name(const struct rpc_peer *peer, char *buf, size_t len);

#endif
