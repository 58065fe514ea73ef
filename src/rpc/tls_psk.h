/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_RPC_TLS_PSK_H
#define PLVS_RPC_TLS_PSK_H

/*
 * TLS 1.3 between programs that share a secret (RFC 8446, external pre-shared keys): no
 * certificates. Both ends prove that they have the secret, and each connection has keys of its own
 * (psk_dhe_ke), so that a stolen secret does not decrypt recorded traffic. Two secrets may be valid
 * at once, told apart by number; a client uses the first.
 *
 * Context: one thread for each context.
 */

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#define TLS_PSK_KEYS   2
#define TLS_PSK_SECRET 32

struct tls_psk {
	uint8_t n;
	struct {
		uint32_t id;
		uint8_t secret[TLS_PSK_SECRET];
	} key[TLS_PSK_KEYS];
};

/* keys outlive the context. NULL: no memory, or the library refuses. */
SSL_CTX *tls_psk_create(const struct tls_psk *keys, bool server);
/* True: the handshake has proved that the other end has the secret. Before, no byte may be sent or
 * trusted. */
bool tls_psk_proven(const SSL *ssl);

#endif
