/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_RPC_SCRAPE_INTERNAL_H
#define PLVS_RPC_SCRAPE_INTERNAL_H

/*
 * Shared by the files of the HTTP server: scrape.c accepts clients, scrape_client.c leads a client
 * through its states, scrape_answer.c writes answers. Each calls the next one.
 *
 * A client's life:
 *
 *	HEADER --whole--> BODY --all made and sent--> CLOSING --its end, or a second--> gone
 *	   |                                             ^
 *	   `--not for us: an answer without a document---'
 */

#include <event2/bufferevent.h>
#include <sys/queue.h>

#include "rpc/scrape.h"
#include "rpc/socket_file.h"

enum scrape_state { SCRAPE_HEADER, SCRAPE_BODY, SCRAPE_CLOSING };

struct scrape_client {
	TAILQ_ENTRY(scrape_client) entry;
	struct scrape_server *server;
	enum scrape_state state;
	struct bufferevent *bev;
	struct event *limit, *step;
	void *document;		   /* or NULL */
	bool chunked, whole, deaf; /* deaf: its sending half is closed */
};
TAILQ_HEAD(scrape_clients, scrape_client);

struct scrape_server {
	struct event_base *base;
	struct scrape_options opt;
	struct listen_socket socket; /* with a path */
	int fd;
	struct event *accept_ev, *again_ev;
	struct scrape_clients clients; /* oldest first */
	struct scrape_counters counters;
};

static inline void scrape_arm(struct event *ev, uint32_t ms)
{
	const struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

	event_add(ev, &tv);
}

/* ---- clients: scrape_client.c ---- */

/* Takes fd over. Without memory the socket is closed. */
void scrape_client_create(struct scrape_server *s, int fd);
void scrape_client_destroy(struct scrape_client *c);
/* The same for a client that leaves, or takes too long. */
void scrape_client_break(struct scrape_client *c);

/* ---- answers: scrape_answer.c ---- */

/* line: "GET /metrics HTTP/1.1", which is changed. Writes the answer, or its head and the first
 * slice of the document, which scrape_document_step() continues. The state becomes SCRAPE_BODY. */
void scrape_answer(struct scrape_client *c, char *line, enum expo_format format);
/* Answers a request that is not for the document. more: headers, or "". */
void scrape_answer_bad(struct scrape_client *c, const char *status, const char *more);
/* Writes a slice of the document to the client. 1: there is more; 0: the document is complete; -1:
 * it cannot be finished.
 */
int scrape_document_step(struct scrape_client *c);
/* Without a document the call does nothing. */
void scrape_document_end(struct scrape_client *c);

#endif
