/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_RPC_RPC_SERVER_H
#define PLVS_RPC_RPC_SERVER_H

/*
 * JSON-RPC 2.0 over a UNIX stream socket, one document per line: docs/control-protocol.md.
 * The server knows clients, lines and limits; the dispatcher runs methods.
 * Context: the control thread only.
 */

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error_text.h"
#include "rpc/rpc_peer.h"

enum rpc_code {
	RPC_NOT_JSON = -32700,
	RPC_NOT_REQUEST = -32600,
	RPC_NO_METHOD = -32601,
	RPC_BAD_PARAMS = -32602,
	RPC_INTERNAL = -32603,
	RPC_INVALID = 1, /* the configuration or the change is not valid */
	RPC_NO_OBJECT = 2,
	RPC_EXISTS = 3,
	RPC_LIMIT = 4,
	RPC_TIMEOUT = 5, /* not every worker has taken the change up */
	RPC_DENIED = 6,	 /* the socket's level is too low for the method */
	RPC_AWAY = 7,	 /* a member of the fleet cannot be reached */
};

struct rpc_server;
struct rpc_request;

/* Must end, now or later, in exactly one rpc_answer() or rpc_fail() for req. params is an
 * object, or NULL when the request has none; borrowed, valid during the call. */
typedef void rpc_dispatch(void *arg, struct rpc_request *req, const char *method, json_t *params);

struct rpc_options {
	const char *path;  /* NULL: clients come only by rpc_server_take() */
	uint32_t mode;	   /* of the socket's file; 0 = 0600 */
	uint32_t uid, gid; /* its owner, where chown is set */
	bool chown;
	uint32_t level; /* for the dispatcher: the rights of requests by this socket */
	bool named;	/* its clients may name the session that they speak for */
	rpc_dispatch *dispatch;
	void *arg;
	/* 0 = the protocol's own figure. */
	uint32_t max_clients;
	uint32_t half_request_ms;
	size_t max_request; /* bytes of one line */
	size_t max_backlog; /* bytes that may wait for one client */
};

/* Listens. A stale socket file is replaced, a live one or another file is not.
 * 0, or -errno with a sentence in error. */
int rpc_server_create(struct event_base *base, const struct rpc_options *options,
		      struct rpc_server **out, char error[ERROR_TEXT]);
/* Closes clients and socket; requests not yet answered are still to be ended. NULL is
 * allowed. */
void rpc_server_destroy(struct rpc_server *server);
/* Takes a connected socket over as a client. named: the name of its session in the audit. */
void rpc_server_take(struct rpc_server *server, int fd, const char *named);
uint32_t rpc_server_clients(const struct rpc_server *server);

/* The level of the socket that the request came by; of no client: UINT32_MAX. */
uint32_t rpc_level(const struct rpc_request *req);
/* The client that sent the request; NULL: no client sent it. */
const struct rpc_peer *rpc_peer(const struct rpc_request *req);
/* The request came by a socket whose clients may name sessions. */
bool rpc_may_name(const struct rpc_request *req);
/* Names the session of all later requests of this client. 0, or -EPERM: not by this socket. */
int rpc_name_session(struct rpc_request *req, const char *name);
/* ended is called once, before the request's end. message: NULL, or the message of rpc_fail(). */
typedef void rpc_ended(void *arg, const char *message);
void rpc_on_end(struct rpc_request *req, rpc_ended *ended, void *arg);
/* The arg that rpc_on_end() got with this function, or NULL. */
void *rpc_end_arg(const struct rpc_request *req, rpc_ended *ended);

/* Ends the request. Takes result over; NULL stands for an empty object. */
void rpc_answer(struct rpc_request *req, json_t *result);
struct evbuffer;
/* The same with the result's JSON as text, without newlines: drained from it. */
void rpc_answer_text(struct rpc_request *req, struct evbuffer *result);
/* Ends the request. Takes data over; may be NULL. */
void rpc_fail(struct rpc_request *req, enum rpc_code code, json_t *data, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* A request that no client sent: its answer, an object with "result" or "error" as of JSON-RPC,
 * goes to done, once. Not for methods that stream. NULL: no memory. */
struct rpc_request *rpc_request_local(void (*done)(void *arg, const char *text, size_t len),
				      void *arg);

/* Sends rows as a part of a stream. Takes rows over. */
void rpc_rows(struct rpc_request *req, json_t *rows);
/* Bytes that wait for the client of this request: a stream pauses above a bound. */
size_t rpc_backlog(const struct rpc_request *req);
/* True once in each round (a number that grows) for all requests of one client, so that each client
 * has one step, however many requests it sent. Always true for a request without a client. */
bool rpc_round(const struct rpc_request *req, uint64_t round);
/* True: the client will not read the answer; end the request soon. */
bool rpc_closed(const struct rpc_request *req);

#endif
