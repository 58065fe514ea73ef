/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_RPC_SCRAPE_H
#define PLVS_RPC_SCRAPE_H

/*
 * A small HTTP server for one document that is long and made in slices: GET /metrics, in the
 * format that the Accept header asks for; for one fixed page: GET /; and for a small document of
 * JSON that the page reads besides: GET /reasons. Requests, clients, documents under way and the
 * time of each are bounded. At most a slice is made ahead of a slow client.
 *
 * A connection is closed after the answer to its first request. The process ignores SIGPIPE.
 * Context: the thread of the base.
 */

#include <event2/buffer.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error_text.h"
#include "base/addr.h"
#include "rpc/openmetrics.h"

struct scrape_server;

/* Both outlive the server. */
struct scrape_page {
	const char *headers; /* each with its end of line */
	const char *body;
	size_t len;
};

struct scrape_options {
	/* The listener: either an address or a path; opened in the calling thread's namespace. */
	struct endpoint listen;		/* family NONE: not this */
	const char *path;		/* of a UNIX socket, mode 0600; or NULL */
	const struct scrape_page *page; /* or NULL: there is none */
	/* A document begins: its state, or NULL (no memory). */
	void *(*begin)(void *arg, enum expo_format format);
	/* Appends to out until about end_us of CLOCK_MONOTONIC, or SCRAPE_SLICE bytes. 1: there
	 * is more; 0: the document is complete; -1: it cannot be finished. */
	int (*more)(void *arg, void *document, struct evbuffer *out, uint64_t end_us);
	void (*end)(void *arg, void *document);
	/* Writes the small document at once; false: no memory. NULL: there is none. */
	bool (*reasons)(void *arg, struct evbuffer *out);
	void *arg;
	/* 0 = the defaults. */
	uint32_t max_clients, max_documents, max_header, header_ms, total_ms;
};

#define SCRAPE_SLICE 65536 /* bytes */

/* X(name, help) */
#define SCRAPE_COUNTERS(X)                                                                         \
	X(answered, "documents that were sent whole")                                              \
	X(refused, "clients turned away: too many at once")                                        \
	X(bad, "requests that were not for the document")                                          \
	X(broken, "clients that left, or took too long")

struct scrape_counters {
#define X(name, help) uint64_t name;
	SCRAPE_COUNTERS(X)
#undef X
	uint32_t clients, documents; /* now */
};

/* 0, or -errno with a sentence in error. */
int scrape_server_create(struct event_base *base, const struct scrape_options *options,
			 struct scrape_server **out, char error[ERROR_TEXT]);
void scrape_server_destroy(struct scrape_server *s); /* NULL is allowed */
void scrape_server_counters(const struct scrape_server *s, struct scrape_counters *out);

#endif
