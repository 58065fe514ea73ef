/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/config_internal.h"

#include <stdio.h>
#include <string.h>

/* SHA-256, FIPS 180-4. Not for secrets: two routers compare what they mean by a text. */

struct sha256 {
	uint32_t h[8];
	uint64_t n;
	uint8_t block[64];
};

static const uint32_t sha256_k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2};

static uint32_t rotate(uint32_t x, unsigned int n)
{
	return x >> n | x << (32 - n);
}

static void sha256_init(struct sha256 *s)
{
	static const uint32_t h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
				      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

	memset(s, 0, sizeof(*s));
	memcpy(s->h, h, sizeof(h));
}

static void sha256_block(struct sha256 *s)
{
	uint32_t w[64], v[8];

	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)s->block[i * 4] << 24 | (uint32_t)s->block[i * 4 + 1] << 16 |
		       (uint32_t)s->block[i * 4 + 2] << 8 | s->block[i * 4 + 3];
	for (int i = 16; i < 64; i++)
		w[i] = w[i - 16] + w[i - 7] +
		       (rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3) +
		       (rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10);
	memcpy(v, s->h, sizeof(v));
	for (int i = 0; i < 64; i++) {
		uint32_t t1 = v[7] + (rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)) +
			      ((v[4] & v[5]) ^ (~v[4] & v[6])) + sha256_k[i] + w[i];
		uint32_t t2 = (rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)) +
			      ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));

		memmove(v + 1, v, 7 * sizeof(v[0]));
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (int i = 0; i < 8; i++)
		s->h[i] += v[i];
}

static void sha256_add(struct sha256 *s, const void *data, size_t n)
{
	const uint8_t *p = data;

	while (n > 0) {
		size_t at = s->n % 64, part = 64 - at < n ? 64 - at : n;

		memcpy(s->block + at, p, part);
		s->n += part;
		p += part;
		n -= part;
		if (s->n % 64 == 0)
			sha256_block(s);
	}
}

static void sha256_final(struct sha256 *s, uint8_t out[32])
{
	static const uint8_t pad[64] = {0x80};
	uint64_t bits = s->n * 8;
	uint8_t length[8];

	sha256_add(s, pad, 1 + (119 - s->n % 64) % 64);
	for (int i = 0; i < 8; i++)
		length[i] = (uint8_t)(bits >> (56 - 8 * i));
	sha256_add(s, length, sizeof(length));
	for (int i = 0; i < 32; i++)
		out[i] = (uint8_t)(s->h[i / 4] >> (24 - 8 * (i % 4)));
}

static int feed(const char *text, size_t n, void *sha)
{
	sha256_add(sha, text, n);
	return 0;
}

/* Takes json over. */
static int json_digest(json_t *json, uint8_t out[32])
{
	struct sha256 s;
	int ret = -1;

	sha256_init(&s);
	if (json)
		ret = json_dump_callback(json, feed, &s, JSON_COMPACT);
	json_decref(json);
	sha256_final(&s, out);
	return ret;
}

const char *config_digest(struct config *config, char buf[CONFIG_DIGEST_STRLEN])
{
	struct sha256 s;
	uint8_t part[32];

	sha256_init(&s);
	json_digest(config_shared_render(config, STYLE_DIGEST, false), part);
	sha256_add(&s, part, sizeof(part));
	for (uint32_t i = 0; i < config->shared.n_services; i++) {
		struct config_service *svc = config->shared.services[i];

		if (!svc->digest_valid)
			svc->digest_valid =
				json_digest(config_service_render(config, svc, STYLE_DIGEST, true),
					    svc->digest) == 0;
		sha256_add(&s, svc->digest, sizeof(svc->digest));
	}
	sha256_final(&s, part);
	for (size_t i = 0; i < sizeof(part); i++)
		snprintf(buf + 2 * i, 3, "%02x", part[i]);
	return buf;
}
