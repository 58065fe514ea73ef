/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/wire/block_seal.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "ha/wire/bytes.h"

#define LABEL	   "plvs block 1"
#define NONCE	   12
#define TAG	   16
#define AT_KEY	   4
#define AT_NONCE   8
#define HEAD	   (AT_NONCE + NONCE)
#define KEY_BYTES  HA_MAC_BYTES
#define SESSION	   sizeof(struct ha_session)
#define NAME_BYTES (sizeof(LABEL) - 1 + 2 * SESSION)

_Static_assert(HEAD + TAG == BLOCK_SEAL_BYTES && KEY_BYTES == 32, "AES-256-GCM");

static const uint8_t magic[4] = {'P', 'L', 'V', 'B'};

static int derive(const struct ha_key *key, const struct block_way *way, uint8_t out[KEY_BYTES])
{
	uint8_t name[NAME_BYTES];

	memcpy(name, LABEL, sizeof(LABEL) - 1);
	memcpy(name + sizeof(LABEL) - 1, way->from->byte, SESSION);
	memcpy(name + sizeof(LABEL) - 1 + SESSION, way->to->byte, SESSION);
	return ha_key_mac(key, name, sizeof(name), out);
}

/* True if the cipher stands, and has taken in what is authenticated beside the text. */
static bool begin(EVP_CIPHER_CTX *ctx, bool seal, const uint8_t key[KEY_BYTES], const uint8_t *head,
		  const struct block_way *way)
{
	const uint8_t kind = (uint8_t)way->kind;
	int n;

	return ctx &&
	       EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, head + AT_NONCE, seal) == 1 &&
	       EVP_CipherUpdate(ctx, NULL, &n, head, HEAD) == 1 &&
	       EVP_CipherUpdate(ctx, NULL, &n, &kind, 1) == 1;
}

int block_seal(const struct ha_keys *keys, const struct block_way *way, const void *bytes,
	       size_t len, uint8_t **out, size_t *out_len)
{
	uint8_t key[KEY_BYTES], *p;
	EVP_CIPHER_CTX *ctx;
	int n = 0, last = 0, ret = -EIO;

	if (keys->n == 0)
		return -ENOKEY;
	p = len < INT_MAX ? malloc(len + BLOCK_SEAL_BYTES) : NULL;
	if (!p)
		return -ENOMEM;
	ctx = EVP_CIPHER_CTX_new();
	memcpy(p, magic, sizeof(magic));
	put32(p + AT_KEY, keys->key[0].id);
	if (getrandom(p + AT_NONCE, NONCE, 0) == NONCE && derive(&keys->key[0], way, key) == 0 &&
	    begin(ctx, true, key, p, way) &&
	    EVP_CipherUpdate(ctx, p + HEAD, &n, bytes, (int)len) == 1 &&
	    EVP_CipherFinal_ex(ctx, p + HEAD + n, &last) == 1 && (size_t)(n + last) == len &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, p + HEAD + len) == 1)
		ret = 0;
	EVP_CIPHER_CTX_free(ctx);
	OPENSSL_cleanse(key, sizeof(key));
	if (ret < 0) {
		free(p);
		return ret;
	}
	*out = p;
	*out_len = len + BLOCK_SEAL_BYTES;
	return 0;
}

int block_open(const struct ha_keys *keys, const struct block_way *way, const void *bytes,
	       size_t len, uint8_t **out, size_t *out_len)
{
	const uint8_t *in = bytes;
	uint8_t key[KEY_BYTES], tag[TAG], *p;
	const struct ha_key *pairs;
	int n = 0, last = 0, ret = -EIO;
	EVP_CIPHER_CTX *ctx;
	size_t text;

	if (len < BLOCK_SEAL_BYTES || len > INT_MAX || memcmp(in, magic, sizeof(magic)) != 0)
		return -EBADMSG;
	pairs = ha_keys_find(keys, get32(in + AT_KEY));
	if (!pairs)
		return -ENOKEY;
	text = len - BLOCK_SEAL_BYTES;
	p = malloc(text + 1);
	if (!p)
		return -ENOMEM;
	ctx = EVP_CIPHER_CTX_new();
	memcpy(tag, in + HEAD + text, TAG);
	if (derive(pairs, way, key) == 0 && begin(ctx, false, key, in, way) &&
	    EVP_CipherUpdate(ctx, p, &n, in + HEAD, (int)text) == 1 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, tag) == 1)
		ret = EVP_CipherFinal_ex(ctx, p + n, &last) == 1 ? 0 : -EPERM;
	EVP_CIPHER_CTX_free(ctx);
	OPENSSL_cleanse(key, sizeof(key));
	if (ret < 0) {
		OPENSSL_cleanse(p, text);
		free(p);
		return ret;
	}
	p[text] = '\0';
	*out = p;
	*out_len = text;
	return 0;
}
