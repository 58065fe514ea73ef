/* SPDX-License-Identifier: BSD-3-Clause */
#include "health/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash_table.h"

#define SESSIONS     4096U /* a few KiB each */
#define CONTEXTS_MAX 256U
#define CERTS_MAX    65536L /* bytes of a server's chain */

struct context {
	struct hash_node node;
	struct check_tls key; /* texts owned */
	uint64_t files;	      /* files_hash() of the key */
	SSL_CTX *ctx;
};

/* By hash; one that meets another's place takes it. */
struct session {
	uint64_t hash;
	SSL_SESSION *session;
};

struct ssl_cache {
	struct hash_table contexts;
	struct session sessions[SESSIONS];
};

/* Of SSL: where its session goes; of SSL_CTX: the cache. */
static int ssl_index = -1, ctx_index = -1;

static uint64_t file_hash(uint64_t hash, const char *path)
{
	struct stat st;

	if (!path || stat(path, &st))
		return hash_text(hash, path);
	hash = hash_bytes(hash, &st.st_mtim, sizeof(st.st_mtim));
	hash = hash_bytes(hash, &st.st_ino, sizeof(st.st_ino));
	return hash_bytes(hash, &st.st_size, sizeof(st.st_size));
}

static uint64_t files_hash(const struct check_tls *t)
{
	if (!t->ca_file && !t->cert_file && !t->key_file)
		return 0;
	return file_hash(file_hash(file_hash(HASH_START, t->ca_file), t->cert_file), t->key_file);
}

static uint64_t key_hash(const struct check_tls *t)
{
	uint64_t hash = hash_bytes(HASH_START, &t->verify, sizeof(t->verify));

	return hash_text(hash_text(hash_text(hash, t->ca_file), t->cert_file), t->key_file);
}

static int on_session(SSL *ssl, SSL_SESSION *session)
{
	struct ssl_cache *c = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), ctx_index);
	uint64_t hash = (uintptr_t)SSL_get_ex_data(ssl, ssl_index);
	struct session *s = &c->sessions[hash % SESSIONS];

	if (hash == 0)
		return 0;
	SSL_SESSION_free(s->session);
	s->hash = hash;
	s->session = session;
	return 1; /* kept: ours to free */
}

int ssl_cache_create(struct ssl_cache **out)
{
	struct ssl_cache *c = calloc(1, sizeof(*c));

	if (ssl_index < 0)
		ssl_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	if (ctx_index < 0)
		ctx_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	if (!c || ssl_index < 0 || ctx_index < 0) {
		free(c);
		return -ENOMEM;
	}
	*out = c;
	return 0;
}

static void context_free(struct context *x)
{
	SSL_CTX_free(x->ctx);
	free(x->key.ca_file);
	free(x->key.cert_file);
	free(x->key.key_file);
	free(x);
}

static void context_destroy(struct hash_node *node)
{
	context_free((struct context *)node);
}

void ssl_cache_destroy(struct ssl_cache *c)
{
	if (!c)
		return;
	for (uint32_t i = 0; i < SESSIONS; i++)
		SSL_SESSION_free(c->sessions[i].session);
	hash_table_fini(&c->contexts, context_destroy);
	free(c);
}

const char *tls_words(const SSL *ssl, char *buf, size_t len)
{
	unsigned long err = ERR_peek_last_error();
	long verify = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;
	const char *reason = err ? ERR_reason_error_string(err) : NULL;

	if (verify != X509_V_OK && ssl && SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE)
		snprintf(buf, len, "certificate: %s", X509_verify_cert_error_string(verify));
	else
		snprintf(buf, len, "%s", reason ? reason : "the connection was closed");
	ERR_clear_error();
	return buf;
}

static int context_fill(struct ssl_cache *c, struct context *x, char *why, size_t why_len)
{
	const struct check_tls *t = &x->key;
	char words[128];

	x->ctx = SSL_CTX_new(TLS_client_method());
	if (!x->ctx)
		goto err_words;
	SSL_CTX_set_ex_data(x->ctx, ctx_index, c);
	SSL_CTX_set_mode(x->ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
					 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* Many servers close without saying so. */
	SSL_CTX_set_options(x->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_max_cert_list(x->ctx, CERTS_MAX);
	SSL_CTX_set_verify(x->ctx, t->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	if (!t->verify) {
		SSL_CTX_set_session_cache_mode(x->ctx,
					       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
		SSL_CTX_sess_set_new_cb(x->ctx, on_session);
	}
	/* The system's by its directory, which is looked into when it is needed: its file of all
	 * CAs would keep the loop for a third of a second. */
	if (t->ca_file ? !SSL_CTX_load_verify_locations(x->ctx, t->ca_file, NULL)
		       : t->verify && !SSL_CTX_set_default_verify_dir(x->ctx)) {
		snprintf(why, why_len, "%s: %s", t->ca_file ? t->ca_file : "the system's CAs",
			 tls_words(NULL, words, sizeof(words)));
		return -EINVAL;
	}
	if (t->cert_file && SSL_CTX_use_certificate_chain_file(x->ctx, t->cert_file) != 1) {
		snprintf(why, why_len, "%s: %s", t->cert_file,
			 tls_words(NULL, words, sizeof(words)));
		return -EINVAL;
	}
	if (t->key_file &&
	    SSL_CTX_use_PrivateKey_file(x->ctx, t->key_file, SSL_FILETYPE_PEM) != 1) {
		snprintf(why, why_len, "%s: %s", t->key_file,
			 tls_words(NULL, words, sizeof(words)));
		return -EINVAL;
	}
	return 0;
err_words:
	snprintf(why, why_len, "%s", tls_words(NULL, words, sizeof(words)));
	return -EINVAL;
}

static bool str_same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static char *dup_or_null(const char *text, bool *ok)
{
	char *copy = text ? strdup(text) : NULL;

	*ok &= !text || copy;
	return copy;
}

static int context_get(struct ssl_cache *c, const struct check_tls *t, SSL_CTX **out, char *why,
		       size_t why_len)
{
	uint64_t hash = key_hash(t), files = files_hash(t);
	struct hash_node *node;
	struct context *x;
	bool ok = true;

	for (node = hash_table_first(&c->contexts, hash); node; node = hash_table_next(node)) {
		x = (struct context *)node;
		if (x->key.verify != t->verify || !str_same(x->key.ca_file, t->ca_file) ||
		    !str_same(x->key.cert_file, t->cert_file) ||
		    !str_same(x->key.key_file, t->key_file))
			continue;
		if (x->files == files) {
			*out = x->ctx;
			return 0;
		}
		hash_table_del(&c->contexts, node);
		context_free(x); /* connections that use it hold their own reference */
		break;
	}
	if (c->contexts.n >= CONTEXTS_MAX)
		hash_table_clear(&c->contexts, context_destroy);
	x = calloc(1, sizeof(*x));
	if (!x || hash_table_reserve(&c->contexts)) {
		free(x);
		snprintf(why, why_len, "out of memory");
		return -EINVAL;
	}
	x->node.hash = hash;
	x->files = files;
	x->key.verify = t->verify;
	x->key.ca_file = dup_or_null(t->ca_file, &ok);
	x->key.cert_file = dup_or_null(t->cert_file, &ok);
	x->key.key_file = dup_or_null(t->key_file, &ok);
	if (!ok)
		snprintf(why, why_len, "out of memory");
	if (!ok || context_fill(c, x, why, why_len)) {
		context_free(x);
		return -EINVAL;
	}
	hash_table_add(&c->contexts, &x->node, x->node.hash);
	*out = x->ctx;
	return 0;
}

/* Whom the certificate must name. */
static bool set_name(SSL *ssl, const struct check_tls *t, const struct endpoint *target)
{
	char addr[ADDR_STRLEN];

	if (t->sni && SSL_set_tlsext_host_name(ssl, t->sni) != 1)
		return false;
	if (!t->verify)
		return true;
	if (t->sni)
		return SSL_set1_host(ssl, t->sni) == 1;
	return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl),
					     addr_format(&target->addr, addr, sizeof(addr))) == 1;
}

static void resume(struct ssl_cache *c, SSL *ssl, const struct check_tls *t,
		   const struct endpoint *target)
{
	uint64_t hash = hash_text(hash_bytes(key_hash(t), target, sizeof(*target)), t->sni) | 1;
	struct session *s = &c->sessions[hash % SESSIONS];

	if (t->verify)
		return;
	SSL_set_ex_data(ssl, ssl_index, (void *)(uintptr_t)hash);
	if (s->session && s->hash == hash)
		SSL_set_session(ssl, s->session);
}

int tls_open(struct ssl_cache *c, const struct check_tls *tls, const struct endpoint *target,
	     int fd, SSL **out, char *why, size_t why_len)
{
	SSL_CTX *ctx;
	SSL *ssl;
	int err;

	ERR_clear_error();
	err = context_get(c, tls, &ctx, why, why_len);
	if (err)
		return err;
	ssl = SSL_new(ctx);
	if (!ssl || SSL_set_fd(ssl, fd) != 1 || !set_name(ssl, tls, target)) {
		SSL_free(ssl);
		ERR_clear_error();
		snprintf(why, why_len, "TLS cannot be set up for this name");
		return -EINVAL;
	}
	SSL_set_connect_state(ssl);
	resume(c, ssl, tls, target);
	*out = ssl;
	return 0;
}

void tls_close(SSL *ssl)
{
	if (!ssl)
		return;
	/* Without this a session that was not shut down counts as bad. */
	SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(ssl);
	ERR_clear_error();
}
