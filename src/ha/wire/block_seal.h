/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_WIRE_BLOCK_SEAL_H
#define PLVS_HA_WIRE_BLOCK_SEAL_H

/*
 * Blocks of bytes between the routers are encrypted: a configuration has secrets of checks.
 * AES-256-GCM of libcrypto, under a key of the two sessions:
 *
 *	key = HMAC-SHA256(key of the pair, "plvs block 1", sender's session, receiver's session)
 *
 *	0 "PLVB", 4 key id, 8 nonce of 12 bytes, 20 ciphertext, the last 16 bytes: tag
 *
 * The 20 bytes before the ciphertext and the kind of the block are authenticated with it. The
 * nonce is random. Sessions are drawn at each start, so one key seals only the blocks between two
 * starts: far fewer than the 2^32 for which random nonces of 96 bits are safe.
 *
 * Context: the thread of the keys: the ha thread.
 */

#include "ha/wire/bulk.h"
#include "ha/wire/keys.h"
#include "ha/wire/message.h"

#define BLOCK_SEAL_BYTES 36 /* beyond the sealed bytes */

/* Sender's and receiver's session, and the kind of the block. */
struct block_way {
	const struct ha_session *from, *to;
	enum bulk_kind kind;
};

/* Seals with the first key. *out is to be freed. 0, or -ENOMEM, -ENOKEY, -EIO. */
int block_seal(const struct ha_keys *keys, const struct block_way *way, const void *bytes,
	       size_t len, uint8_t **out, size_t *out_len);
/* *out is to be freed, and has a zero behind its end. 0, or -EBADMSG: not sealed; -ENOKEY: by an
 * unknown key; -EPERM: forged, or of another session or kind; -ENOMEM, -EIO. */
int block_open(const struct ha_keys *keys, const struct block_way *way, const void *bytes,
	       size_t len, uint8_t **out, size_t *out_len);

#endif
