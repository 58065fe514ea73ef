/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_RPC_RPC_CLIENT_H
#define PLVS_RPC_RPC_CLIENT_H

/* A connected client and its requests: shared by the files of the JSON-RPC server. */

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
	uint64_t round; /* rpc_round(): of its last step */
	bool eof;	/* the client sends no more: answer open requests, then close */
	bool closing;	/* the client is not read any more: flush, then close */
	bool broken;	/* the client cannot be written to */
	bool busy;	/* client_process() is on the stack */
};

/* --- rpc_client.c --- */

struct rpc_request {
	TAILQ_ENTRY(rpc_request) entry;
	struct rpc_client *client; /* NULL: hung up */
	json_t *id;		   /* NULL: a notification, without an answer */
	struct rpc_peer peer;	   /* outlives the client */
	uint32_t level;
	rpc_ended *ended; /* or NULL */
	void *ended_arg;
	/* Of a request without a client: gets the answer, once. */
	void (*local)(void *arg, const char *text, size_t len);
	void *local_arg;
};

void client_destroy(struct rpc_client *c);
/* Breaks a client that does not read, before its answers fill the memory. */
void client_bound(struct rpc_client *c);
/* Takes doc over. Frees no client, but may break it. */
void client_send(struct rpc_client *c, json_t *doc);
json_t *client_error_doc(json_t *id, int code, json_t *data, const char *message);
/* Sends an error without an id. */
void client_send_error(struct rpc_client *c, int code, const char *message);
/* Sends an error, then closes when the error is sent or the client's time is up. */
void client_end(struct rpc_client *c, int code, const char *message);
/* Sends what the socket takes. False: the client is gone. */
bool client_write(struct rpc_client *c);
/* Sends, and arms the events that fit the client's state. May free the client. */
void client_flush(struct rpc_client *c);
/* True: no requests are taken now. */
bool client_paused(const struct rpc_client *c);
/* True: a whole line waits in the buffer. */
bool client_has_line(const struct rpc_client *c);

/* --- rpc_receive.c --- */

/* Takes fd over, also on error. named: the session's name, or NULL. */
void client_create(struct rpc_server *s, int fd, const char *named);

#endif
