/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HEALTH_SERVERS_H
#define HEALTH_SERVERS_H

/* Servers on loopback, good and bad, in the loop of the test. */

#include <event2/event.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

enum manner {
	ANSWERS, /* says text once a request ("...\r\n\r\n") came, then closes */
	GREETS,	 /* says text at once, then reply when a line came */
	HANGS,	 /* accepts, says nothing */
	DRIPS,	 /* text, then 'x', byte by byte, 20 ms apart */
	ENDLESS, /* text, then 'x' without end, as fast as it goes */
	CLOSES,	 /* at once */
	RESETS,	 /* at once */
	MANNERS
};

struct guest;

struct test_server {
	bool v6; /* at ::1, not 127.0.0.1 */
	struct event_base *base;
	enum manner manner;
	const char *text, *reply;
	SSL_CTX *tls; /* or NULL */
	uint16_t port;
	uint32_t accepted, closed, resumed;
	struct endpoint from; /* IPv4: who connected last */
	uint64_t sent;	      /* bytes */
	char request[2048];   /* what came last */
	void *listener;
	struct guest *guests; /* connected yet */
};

/* On 127.0.0.1 at a port of its own; the rest of s is given. */
void server_start(struct test_server *s);
/* Also ends its connections. */
void server_stop(struct test_server *s);
/* A context with a fresh certificate for "good.example" and 127.0.0.1, expired or not;
 * written as PEM to the path unless that is NULL. */
SSL_CTX *server_tls(const char *pem_path, bool expired);
/* A port where nobody listens. */
uint16_t server_free_port(void);

#endif
