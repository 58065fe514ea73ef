/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_TLS_H
#define PLVS_HEALTH_TLS_H

/*
 * TLS of checks: contexts and sessions that probes share. Certificates are read when a
 * context is made, and again when their files have changed. A session is resumed only without
 * `verify`: with it each probe verifies the certificate anew.
 *
 * Context: control.
 */

#include <openssl/ssl.h>

#include "health/check.h"

/* 0 or -ENOMEM. */
int ssl_cache_create(struct ssl_cache **out);
void ssl_cache_destroy(struct ssl_cache *c); /* NULL is allowed; after the last probe */

/*
 * Makes the client's end of TLS on a connected socket, which stays the caller's. 0, or -EINVAL with
 * the reason in why: a file cannot be read, or keys do not fit.
 */
int tls_open(struct ssl_cache *c, const struct check_tls *tls, const struct endpoint *target,
	     int fd, SSL **out, char *why, size_t why_len);
/* The reason why the handshake or a read failed; empties the error queue. */
const char *tls_words(const SSL *ssl, char *buf, size_t len);
void tls_close(SSL *ssl); /* NULL is allowed */

#endif
