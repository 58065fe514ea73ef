/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_WIRE_KEYS_H
#define PLVS_HA_WIRE_KEYS_H

/*
 * The keys that the two routers share: one or two, so that they can be changed one router at a
 * time. The first key signs sent messages; each key opens received ones.
 *
 * The file has a line per key, "ID KEY": ID is 1 to 4294967295, KEY 16 to 64 bytes in hex
 * or base64 (marked by "hex:" or "base64:"; without a mark, an even number of hex digits is hex).
 * "#" begins a comment. Users but the owner and the group must have no access.
 *
 * Change of a key: put the new one below the old one on both routers and reload both, then
 * above it on both, then take the old one away on both.
 *
 * Context: one thread per struct ha_keys: the ha thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/error_text.h"

#define HA_KEYS_MAX	 2
#define HA_KEY_BYTES_MIN 16
#define HA_KEY_BYTES_MAX 64 /* the block of SHA-256: HMAC gains nothing from more */
#define HA_MAC_BYTES	 32

struct evp_mac_ctx_st;

struct ha_key {
	uint32_t id;
	struct evp_mac_ctx_st *ctx; /* holds the key; made anew for each message */
};

struct ha_keys {
	uint8_t n; /* 0: none yet; seal and open fail */
	struct ha_key key[HA_KEYS_MAX];
};

/* Replaces the keys of *k (which may be zeroed) by those of the file. 0, or -errno with a sentence
 * in error and *k as it was. */
int ha_keys_load(struct ha_keys *k, const char *path, char error[ERROR_TEXT]);
/* The same from text; name stands for the file in errors. */
int ha_keys_parse(struct ha_keys *k, const char *name, const char *text, size_t len,
		  char error[ERROR_TEXT]);
/* Wipes the keys from memory. */
void ha_keys_fini(struct ha_keys *k);

/* NULL: no such key. */
const struct ha_key *ha_keys_find(const struct ha_keys *k, uint32_t id);
/* HMAC-SHA256 of n bytes. 0, or -EIO: the library failed. */
int ha_key_mac(const struct ha_key *key, const void *bytes, size_t n, uint8_t mac[HA_MAC_BYTES]);

#endif
