/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config_internal.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

/* Not for secrets: two routers compare what they mean by a text. A digest that could not be
 * made (no memory) is all zeroes. */

static int feed(const char *text, size_t n, void *sha)
{
	return EVP_DigestUpdate(sha, text, n) == 1 ? 0 : -1;
}

static EVP_MD_CTX *sha256_start(void)
{
	EVP_MD_CTX *sha = EVP_MD_CTX_new();

	if (sha && EVP_DigestInit_ex(sha, EVP_sha256(), NULL) != 1) {
		EVP_MD_CTX_free(sha);
		sha = NULL;
	}
	return sha;
}

/* Frees sha. */
static int sha256_end(EVP_MD_CTX *sha, uint8_t out[32])
{
	int ret = sha && EVP_DigestFinal_ex(sha, out, NULL) == 1 ? 0 : -1;

	if (ret < 0)
		memset(out, 0, 32);
	EVP_MD_CTX_free(sha);
	return ret;
}

/* Takes json over. */
static int json_digest(json_t *json, uint8_t out[32])
{
	EVP_MD_CTX *sha = sha256_start();
	int ret = -1;

	if (json && sha)
		ret = json_dump_callback(json, feed, sha, JSON_COMPACT);
	json_decref(json);
	return sha256_end(sha, out) < 0 ? -1 : ret;
}

const char *config_digest(struct config *config, char buf[CONFIG_DIGEST_STRLEN])
{
	EVP_MD_CTX *sha = sha256_start();
	uint8_t part[32];

	if (!config->rest_digest_valid)
		config->rest_digest_valid =
			json_digest(config_shared_render(config, STYLE_DIGEST, false),
				    config->rest_digest) == 0;
	if (sha)
		feed((const char *)config->rest_digest, sizeof(config->rest_digest), sha);
	for (uint32_t i = 0; i < config->shared.n_services; i++) {
		struct config_service *svc = config->shared.services[i];

		if (!svc->digest_valid)
			svc->digest_valid =
				json_digest(config_service_render(config, svc, STYLE_DIGEST, true),
					    svc->digest) == 0;
		if (sha)
			feed((const char *)svc->digest, sizeof(svc->digest), sha);
	}
	sha256_end(sha, part);
	for (size_t i = 0; i < sizeof(part); i++)
		snprintf(buf + 2 * i, 3, "%02x", part[i]);
	return buf;
}
