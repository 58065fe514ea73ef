/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/render.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

/* Not for secrets: two routers compare what they mean by a text. A digest that could not be
 * made (no memory) is all zeroes. */

/* The digest of a sink's text if ret is 0; the text is left for the next. 0, or -1 with zeroes. */
static int text_digest(struct config_text_sink *s, int ret, uint8_t out[32])
{
	if (ret == 0 && EVP_Digest(s->text.v, s->text.n, out, NULL, EVP_sha256(), NULL) != 1)
		ret = -1;
	if (ret < 0)
		memset(out, 0, 32);
	s->text.n = s->depth = 0;
	return ret < 0 ? -1 : 0;
}

const char *config_digest(struct config *config, char buf[CONFIG_DIGEST_STRLEN])
{
	EVP_MD_CTX *all = EVP_MD_CTX_new();
	struct config_text_sink s;
	uint8_t whole[32] = {0};
	bool ok = all && EVP_DigestInit_ex(all, EVP_sha256(), NULL) == 1;

	config_text_sink_init(&s);
	if (!config->rest_digest_valid)
		config->rest_digest_valid =
			text_digest(&s,
				    config_shared_put(&s.sink, NULL, config, STYLE_DIGEST, false),
				    config->rest_digest) == 0;
	ok = ok && EVP_DigestUpdate(all, config->rest_digest, sizeof(config->rest_digest)) == 1;
	for (uint32_t i = 0; i < config->shared.n_services; i++) {
		struct config_service *svc = config->shared.services[i];

		if (!svc->digest_valid)
			svc->digest_valid = text_digest(&s,
							config_service_put(&s.sink, config, svc,
									   STYLE_DIGEST, true),
							svc->digest) == 0;
		ok = ok && EVP_DigestUpdate(all, svc->digest, sizeof(svc->digest)) == 1;
	}
	if (!ok || EVP_DigestFinal_ex(all, whole, NULL) != 1)
		memset(whole, 0, sizeof(whole));
	EVP_MD_CTX_free(all);
	free(s.text.v);
	for (size_t i = 0; i < sizeof(whole); i++)
		snprintf(buf + 2 * i, 3, "%02x", whole[i]);
	return buf;
}
