/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_WIRE_HA_WIRE_H
#define PLVS_HA_WIRE_HA_WIRE_H

/*
 * Datagrams between two routers: an envelope (version, cluster, sessions, sequence, path,
 * HMAC) round a payload. docs/ha-protocol.md has the layout, the rule of versions and test
 * vectors. An opened datagram is authentic; freshness.h decides whether it is fresh.
 *
 * Context: the thread of the keys (keys.h): the ha thread. No function here reads a clock.
 */

#include <stddef.h>
#include <stdint.h>

#include "ha/wire/keys.h"
#include "ha/wire/message.h"

#define HA_PROTOCOL	  1 /* version on the wire */
#define HA_HEADER_BYTES	  80
#define HA_DATAGRAM_MAX	  1472 /* an MTU of 1500, IPv4 and UDP */
#define HA_PAYLOAD_MAX	  (HA_DATAGRAM_MAX - HA_HEADER_BYTES - HA_MAC_BYTES) /* 1360 */
#define HA_MESSAGE_BYTES  232 /* payload as sent; a later sender may append to it */
#define HA_MESSAGE_LEAST  128 /* without MACs: as first senders of version 1 */
#define HA_MESSAGE_ACCEPT 512 /* payloads beyond are refused */

/* Types of payload: those of messages (enum ha_message_type), then these. */
#define HA_TYPE_SYNC 64 /* connection synchronisation; its sequence counts by itself */
#define HA_TYPE_BULK 65 /* blocks of bytes (bulk.h); the same */

/* X(NAME, name, help): reasons for refusing a datagram. */
#define HA_WIRE_ERRORS(X)                                                                          \
	X(TRUNCATED, truncated, "shorter than its length field")                                   \
	X(OVERLONG, overlong, "longer than its length field")                                      \
	X(NOT_OURS, not_ours, "not of this protocol: wrong first bytes")                           \
	X(VERSION, version, "another version of the protocol")                                     \
	X(CLUSTER, cluster, "another cluster id: a second pair on this network")                   \
	X(KEY, key, "signed by a key that is not in the key file here")                            \
	X(FORGED, forged, "the HMAC is wrong")                                                     \
	X(TYPE, type, "unknown type of message")                                                   \
	X(VALUE, value, "a field has an impossible value")

enum ha_wire_error {
	HA_WIRE_OK,
#define X(NAME, name, help) HA_WIRE_##NAME,
	HA_WIRE_ERRORS(X)
#undef X
		HA_WIRE_MAX
};

extern const char *const ha_wire_names[HA_WIRE_MAX];
extern const char *const ha_wire_helps[HA_WIRE_MAX];

#define HA_HOLD_UNKNOWN UINT32_MAX

struct ha_envelope {
	uint8_t type;
	uint16_t payload_len; /* set by seal and open */
	uint32_t cluster_id;
	uint32_t key_id; /* set by seal and open */
	struct ha_session session, heard;
	uint64_t sequence, heard_sequence;
	/* Of one path, filled in by path.c; all zero without a path. */
	uint32_t path_sequence; /* from 1, of every datagram sent on it */
	uint32_t path_echo;	/* the newest received on the path, 0: none */
	uint32_t path_hold_us;	/* time since then, or HA_HOLD_UNKNOWN */
};

/* Signed by the first key. Returns the datagram's length, or -EMSGSIZE (payload, or room),
 * -ENOKEY, -EIO. */
int ha_envelope_seal(const struct ha_keys *keys, const struct ha_envelope *e, const void *payload,
		     size_t len, uint8_t *out, size_t room);

/* Checks everything but freshness and the payload. *payload points into the datagram. On an
 * error *e and *payload are untouched. */
enum ha_wire_error ha_envelope_open(const struct ha_keys *keys, uint32_t cluster_id,
				    const uint8_t *datagram, size_t n, struct ha_envelope *e,
				    const uint8_t **payload);

/* A message as envelope and payload: path_* and key_id are not touched. 0, or -EINVAL: a
 * field is out of its range. */
int ha_message_encode(const struct ha_message *m, struct ha_envelope *e,
		      uint8_t payload[HA_MESSAGE_BYTES]);
/* Of an opened envelope. HA_WIRE_OK, TRUNCATED, OVERLONG, TYPE or VALUE (then *m is
 * untouched). Bytes that a later version appends are skipped. */
enum ha_wire_error ha_message_decode(const struct ha_envelope *e, const uint8_t *payload,
				     struct ha_message *m);

#endif
