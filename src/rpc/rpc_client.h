/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_RPC_RPC_CLIENT_H
#define PLVS_RPC_RPC_CLIENT_H

/* One connected client: what rpc_server.c and rpc_client.c share. */

#include <sys/queue.h>

#include "rpc/socket_file.h"
#include "rpc/rpc_server.h"

TAILQ_HEAD(client_list, rpc_client);
TAILQ_HEAD(request_list, rpc_request);

struct rpc_server {
	struct event_base *base;
	struct rpc_options opt;
	struct listen_socket listen;
	struct event *accept_ev, *accept_again;
	struct client_list clients;
	uint32_t n_clients;
	size_t in_bytes; /* buffers of all clients */
};

struct rpc_client {
	TAILQ_ENTRY(rpc_client) entry;
	struct rpc_server *server;
	int fd;
	struct rpc_peer peer;
	struct event *read_ev, *write_ev, *resume_ev, *half_ev;
	char *in;
	size_t in_len, in_cap;
	size_t in_start;   /* the first byte not yet taken as a request */
	size_t in_scanned; /* no newline between in_start and here */
	struct evbuffer *out;
	struct request_list requests;
	uint32_t n_requests;
	uint64_t round; /* rpc_round(): of its last turn */
	bool eof;	/* the client sends no more: answer what is open, then close */
	bool closing;	/* nothing more is read: flush, then close */
	bool broken;	/* nothing can be sent */
	bool busy;	/* client_process() is on the stack */
};

/* Takes fd over, also on error. */
void client_create(struct rpc_server *s, int fd);
void client_destroy(struct rpc_client *c);
/* Sends what the socket takes. False: the client is gone. */
bool client_write(struct rpc_client *c);

#endif
