/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include <openssl/err.h>

#include "rpc/tls_psk.h"

/* Two ends in one process, over memory. */

struct ends {
	SSL_CTX *server_ctx, *client_ctx;
	SSL *server, *client;
};

static struct tls_psk keys(uint32_t first, uint8_t byte, uint32_t second, uint8_t other)
{
	struct tls_psk k = {.n = second ? 2 : 1};

	k.key[0].id = first;
	memset(k.key[0].secret, byte, TLS_PSK_SECRET);
	k.key[1].id = second;
	memset(k.key[1].secret, other, TLS_PSK_SECRET);
	return k;
}

static void ends_open(struct ends *e, const struct tls_psk *server, const struct tls_psk *client)
{
	BIO *a, *b;

	e->server_ctx = tls_psk_create(server, true);
	e->client_ctx = tls_psk_create(client, false);
	assert_non_null(e->server_ctx);
	assert_non_null(e->client_ctx);
	e->server = SSL_new(e->server_ctx);
	e->client = SSL_new(e->client_ctx);
	assert_int_equal(BIO_new_bio_pair(&a, 0, &b, 0), 1);
	SSL_set_bio(e->server, a, a);
	SSL_set_bio(e->client, b, b);
	SSL_set_accept_state(e->server);
	SSL_set_connect_state(e->client);
}

static void ends_close(struct ends *e)
{
	SSL_free(e->server);
	SSL_free(e->client);
	SSL_CTX_free(e->server_ctx);
	SSL_CTX_free(e->client_ctx);
	ERR_clear_error();
}

/* Both are proven to each other. */
static bool shake(struct ends *e)
{
	for (int i = 0; i < 10; i++) {
		(void)SSL_do_handshake(e->client);
		(void)SSL_do_handshake(e->server);
	}
	return tls_psk_proven(e->client) && tls_psk_proven(e->server);
}

static void ends_of_one_secret_prove_it_and_talk(void **state)
{
	struct tls_psk k = keys(1, 0x11, 0, 0);
	struct ends e;
	char text[16];

	(void)state;
	ends_open(&e, &k, &k);
	assert_false(tls_psk_proven(e.client));
	assert_true(shake(&e));
	assert_int_equal(SSL_write(e.client, "hello", 5), 5);
	assert_int_equal(SSL_read(e.server, text, sizeof(text)), 5);
	assert_memory_equal(text, "hello", 5);
	ends_close(&e);
}

static void two_connections_have_different_keys(void **state)
{
	struct tls_psk k = keys(1, 0x11, 0, 0);
	unsigned char a[32], b[32];
	struct ends e;

	(void)state;
	ends_open(&e, &k, &k);
	assert_true(shake(&e));
	assert_int_equal(SSL_export_keying_material(e.client, a, 32, "x", 1, NULL, 0, 0), 1);
	ends_close(&e);
	ends_open(&e, &k, &k);
	assert_true(shake(&e));
	assert_int_equal(SSL_export_keying_material(e.client, b, 32, "x", 1, NULL, 0, 0), 1);
	assert_memory_not_equal(a, b, 32);
	ends_close(&e);
}

static void another_secret_or_number_is_refused(void **state)
{
	struct tls_psk right = keys(1, 0x11, 0, 0), wrong = keys(1, 0x22, 0, 0);
	struct tls_psk number = keys(2, 0x11, 0, 0), none = {0};
	struct ends e;

	(void)state;
	ends_open(&e, &right, &wrong);
	assert_false(shake(&e));
	assert_false(tls_psk_proven(e.server) || tls_psk_proven(e.client));
	ends_close(&e);
	ends_open(&e, &right, &number);
	assert_false(shake(&e));
	ends_close(&e);
	ends_open(&e, &right, &none);
	assert_false(shake(&e));
	ends_close(&e);
}

/* A key is changed one router at a time. */
static void the_second_secret_is_taken_as_well(void **state)
{
	struct tls_psk old = keys(1, 0x11, 2, 0x22), new = keys(2, 0x22, 1, 0x11);
	struct ends e;

	(void)state;
	ends_open(&e, &old, &new);
	assert_true(shake(&e));
	ends_close(&e);
	ends_open(&e, &new, &old);
	assert_true(shake(&e));
	ends_close(&e);
}

/* A server with a certificate and without the secret: nothing is verified but the secret. */
static void a_server_of_certificates_is_not_believed(void **state)
{
	struct tls_psk k = keys(1, 0x11, 0, 0), none = {0};
	EVP_PKEY *key = EVP_RSA_gen(2048);
	X509 *cert = X509_new();
	struct ends e;

	(void)state;
	assert_non_null(key);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	ends_open(&e, &none, &k);
	assert_int_equal(SSL_use_certificate(e.server, cert), 1);
	assert_int_equal(SSL_use_PrivateKey(e.server, key), 1);
	assert_false(shake(&e));
	assert_false(tls_psk_proven(e.client));
	ends_close(&e);
	X509_free(cert);
	EVP_PKEY_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_of_one_secret_prove_it_and_talk),
		cmocka_unit_test(two_connections_have_different_keys),
		cmocka_unit_test(another_secret_or_number_is_refused),
		cmocka_unit_test(the_second_secret_is_taken_as_well),
		cmocka_unit_test(a_server_of_certificates_is_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
