/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_TLS_H
#define PLVS_HEALTH_TLS_H

/*
 * TLS of checks: contexts and sessions that probes share. Certificates are read when a
 * context is made, and again when their files have changed. A session is resumed only where
 * nothing is verified: with `verify` each probe proves the certificate anew.
 *
 * Context: control.
 */

#include <openssl/ssl.h>

#include "health/check.h"

/* 0 or -ENOMEM. */
int ssl_cache_create(struct ssl_cache **out);
void ssl_cache_destroy(struct ssl_cache *c); /* NULL is allowed; after the last probe */

/*
 * A client's end for this spec on a connected socket, which stays the caller's. 0 or -EINVAL
 * with why in words: a file cannot be read, keys do not fit.
 */
int tls_open(struct ssl_cache *c, const struct check_tls *tls, const struct endpoint *target,
	     int fd, SSL **out, char *why, size_t why_len);
/* Why the handshake or a read failed, in words; the error queue is empty afterwards. */
const char *tls_words(const SSL *ssl, char *buf, size_t len);
void tls_close(SSL *ssl); /* NULL is allowed */

#endif
