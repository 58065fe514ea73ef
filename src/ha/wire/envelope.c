/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/wire/ha_wire.h"

#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>

#include "ha/wire/bytes.h"

/* Where fields of the header begin. */
enum {
	AT_MAGIC = 0,
	AT_VERSION = 4,
	AT_TYPE = 5,
	AT_LEN = 6,
	AT_CLUSTER = 8,
	AT_KEY = 12,
	AT_SESSION = 16,
	AT_HEARD = 32,
	AT_SEQUENCE = 48,
	AT_HEARD_SEQUENCE = 56,
	AT_PATH_SEQUENCE = 64,
	AT_PATH_ECHO = 68,
	AT_PATH_HOLD = 72,
	AT_RESERVED = 76, /* sent as 0, not looked at */
};
_Static_assert(AT_RESERVED + 4 == HA_HEADER_BYTES, "the header has no other fields");
_Static_assert(sizeof(struct ha_session) == AT_HEARD - AT_SESSION, "a session as it is");

static const uint8_t magic[4] = {'p', 'l', 'v', 's'};

const char *const ha_wire_names[HA_WIRE_MAX] = {[HA_WIRE_OK] = "ok",
#define X(NAME, name, help) [HA_WIRE_##NAME] = #name,
						HA_WIRE_ERRORS(X)
#undef X
};

const char *const ha_wire_helps[HA_WIRE_MAX] = {[HA_WIRE_OK] = "authentic",
#define X(NAME, name, help) [HA_WIRE_##NAME] = help,
						HA_WIRE_ERRORS(X)
#undef X
};

int ha_envelope_seal(const struct ha_keys *keys, const struct ha_envelope *e, const void *payload,
		     size_t len, uint8_t *out, size_t room)
{
	size_t signed_len = HA_HEADER_BYTES + len;

	if (len > HA_PAYLOAD_MAX || room < signed_len + HA_MAC_BYTES)
		return -EMSGSIZE;
	if (keys->n == 0)
		return -ENOKEY;
	memcpy(out + AT_MAGIC, magic, sizeof(magic));
	out[AT_VERSION] = HA_PROTOCOL;
	out[AT_TYPE] = e->type;
	put16(out + AT_LEN, (uint16_t)len);
	put32(out + AT_CLUSTER, e->cluster_id);
	put32(out + AT_KEY, keys->key[0].id);
	memcpy(out + AT_SESSION, e->session.byte, sizeof(e->session.byte));
	memcpy(out + AT_HEARD, e->heard.byte, sizeof(e->heard.byte));
	put64(out + AT_SEQUENCE, e->sequence);
	put64(out + AT_HEARD_SEQUENCE, e->heard_sequence);
	put32(out + AT_PATH_SEQUENCE, e->path_sequence);
	put32(out + AT_PATH_ECHO, e->path_echo);
	put32(out + AT_PATH_HOLD, e->path_hold_us);
	put32(out + AT_RESERVED, 0);
	if (len)
		memcpy(out + HA_HEADER_BYTES, payload, len);
	if (ha_key_mac(&keys->key[0], out, signed_len, out + signed_len) != 0)
		return -EIO;
	return (int)(signed_len + HA_MAC_BYTES);
}

/* The checks that need no key: magic, version, lengths and cluster. */
static enum ha_wire_error header_check(uint32_t cluster_id, const uint8_t *d, size_t n)
{
	size_t want;

	if (n < sizeof(magic))
		return HA_WIRE_TRUNCATED;
	if (memcmp(d + AT_MAGIC, magic, sizeof(magic)) != 0)
		return HA_WIRE_NOT_OURS;
	if (n <= AT_VERSION)
		return HA_WIRE_TRUNCATED;
	if (d[AT_VERSION] != HA_PROTOCOL)
		return HA_WIRE_VERSION;
	if (n < HA_HEADER_BYTES + HA_MAC_BYTES)
		return HA_WIRE_TRUNCATED;
	want = (size_t)HA_HEADER_BYTES + get16(d + AT_LEN) + HA_MAC_BYTES;
	if (n < want)
		return HA_WIRE_TRUNCATED;
	if (n > want || want > HA_DATAGRAM_MAX)
		return HA_WIRE_OVERLONG;
	return get32(d + AT_CLUSTER) == cluster_id ? HA_WIRE_OK : HA_WIRE_CLUSTER;
}

enum ha_wire_error ha_envelope_open(const struct ha_keys *keys, uint32_t cluster_id,
				    const uint8_t *datagram, size_t n, struct ha_envelope *e,
				    const uint8_t **payload)
{
	const uint8_t *d = datagram;
	enum ha_wire_error error = header_check(cluster_id, d, n);
	uint8_t mac[HA_MAC_BYTES];
	const struct ha_key *key;

	if (error != HA_WIRE_OK)
		return error;
	key = ha_keys_find(keys, get32(d + AT_KEY));
	if (!key)
		return HA_WIRE_KEY;
	if (ha_key_mac(key, d, n - HA_MAC_BYTES, mac) != 0 ||
	    CRYPTO_memcmp(mac, d + n - HA_MAC_BYTES, HA_MAC_BYTES) != 0)
		return HA_WIRE_FORGED;
	e->type = d[AT_TYPE];
	e->payload_len = get16(d + AT_LEN);
	e->cluster_id = cluster_id;
	e->key_id = key->id;
	memcpy(e->session.byte, d + AT_SESSION, sizeof(e->session.byte));
	memcpy(e->heard.byte, d + AT_HEARD, sizeof(e->heard.byte));
	e->sequence = get64(d + AT_SEQUENCE);
	e->heard_sequence = get64(d + AT_HEARD_SEQUENCE);
	e->path_sequence = get32(d + AT_PATH_SEQUENCE);
	e->path_echo = get32(d + AT_PATH_ECHO);
	e->path_hold_us = get32(d + AT_PATH_HOLD);
	*payload = d + HA_HEADER_BYTES;
	return HA_WIRE_OK;
}
