/* SPDX-License-Identifier: BSD-3-Clause */
#include "rpc/tls_psk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDENTITY     "plvs-"
#define IDENTITY_MAX 32

static const unsigned char cipher_id[2] = {0x13, 0x01}; /* TLS_AES_128_GCM_SHA256 */

static const struct tls_psk *keys_of(const SSL *ssl)
{
	return SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
}

/* New, or NULL. */
static SSL_SESSION *session_make(SSL *ssl, const uint8_t secret[TLS_PSK_SECRET])
{
	const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, cipher_id);
	SSL_SESSION *s = cipher ? SSL_SESSION_new() : NULL;

	if (s && SSL_SESSION_set1_master_key(s, secret, TLS_PSK_SECRET) == 1 &&
	    SSL_SESSION_set_cipher(s, cipher) == 1 &&
	    SSL_SESSION_set_protocol_version(s, TLS1_3_VERSION) == 1)
		return s;
	SSL_SESSION_free(s);
	return NULL;
}

static int on_client(SSL *ssl, const EVP_MD *md, const unsigned char **id, size_t *id_len,
		     SSL_SESSION **out)
{
	static __thread char identity[IDENTITY_MAX];
	const struct tls_psk *keys = keys_of(ssl);

	*out = NULL;
	if (keys->n == 0 || (md && EVP_MD_get_type(md) != NID_sha256))
		return 1;
	*out = session_make(ssl, keys->key[0].secret);
	if (!*out)
		return 0;
	snprintf(identity, sizeof(identity), IDENTITY "%u", keys->key[0].id);
	*id = (const unsigned char *)identity;
	*id_len = strlen(identity);
	return 1;
}

/* An identity that nobody has leaves *out NULL: the handshake fails, for want of a certificate. */
static int on_server(SSL *ssl, const unsigned char *id, size_t id_len, SSL_SESSION **out)
{
	const struct tls_psk *keys = keys_of(ssl);
	char identity[IDENTITY_MAX];

	*out = NULL;
	for (uint8_t i = 0; i < keys->n; i++) {
		snprintf(identity, sizeof(identity), IDENTITY "%u", keys->key[i].id);
		if (id_len != strlen(identity) || memcmp(id, identity, id_len) != 0)
			continue;
		*out = session_make(ssl, keys->key[i].secret);
		return *out != NULL;
	}
	return 1;
}

SSL_CTX *tls_psk_create(const struct tls_psk *keys, bool server)
{
	SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());

	if (!ctx)
		return NULL;
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256") != 1 ||
	    SSL_CTX_set_num_tickets(ctx, 0) != 1) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	SSL_CTX_set_app_data(ctx, (void *)(uintptr_t)keys);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	/* The secret is the proof: see tls_psk_proven(). */
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	if (server)
		SSL_CTX_set_psk_find_session_callback(ctx, on_server);
	else
		SSL_CTX_set_psk_use_session_callback(ctx, on_client);
	return ctx;
}

bool tls_psk_proven(const SSL *ssl)
{
	/* Of an external key as of a session that is resumed; sessions are not resumed here. */
	return SSL_is_init_finished(ssl) && SSL_version(ssl) == TLS1_3_VERSION &&
	       SSL_session_reused(ssl) == 1;
}
