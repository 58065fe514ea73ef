/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ha/wire/bulk.h"
#include "ha/role/freshness.h"
#include "ha/wire/keys.h"
#include "ha/wire/ha_wire.h"

/*
 * Any bytes as a datagram, as what an opened envelope holds, as a piece of a block, as a file
 * of keys; the first byte says which. A message that decodes says the same after a round trip,
 * and is fresh once.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(what)                                                                                 \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "fuzz_heartbeat: not true: %s\n", #what);                  \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static struct ha_keys keys;

static void datagram(const uint8_t *data, size_t size)
{
	struct ha_envelope e, sealed;
	const uint8_t *payload;
	struct ha_message m;
	uint8_t out[HA_DATAGRAM_MAX];
	int n;

	if (ha_envelope_open(&keys, 1, data, size, &e, &payload) == HA_WIRE_OK) {
		MUST(payload >= data && payload + e.payload_len <= data + size);
		(void)ha_message_decode(&e, payload, &m);
	}
	/* The same bytes under our seal are opened, and nothing else of them is changed. */
	memset(&e, 0, sizeof(e));
	e.type = 1;
	e.cluster_id = 1;
	n = ha_envelope_seal(&keys, &e, data, size < HA_PAYLOAD_MAX ? size : HA_PAYLOAD_MAX, out,
			     sizeof(out));
	MUST(n > 0 && (size_t)n <= sizeof(out));
	MUST(ha_envelope_open(&keys, 1, out, (size_t)n, &sealed, &payload) == HA_WIRE_OK);
	MUST(memcmp(payload, data, sealed.payload_len) == 0);
	MUST(ha_envelope_open(&keys, 2, out, (size_t)n, &sealed, &payload) == HA_WIRE_CLUSTER);
	if (size) {
		out[data[0] % n] ^= 1 << data[0] % 8;
		MUST(ha_envelope_open(&keys, 1, out, (size_t)n, &sealed, &payload) != HA_WIRE_OK);
	}
}

static void message(const uint8_t *data, size_t size)
{
	static const struct ha_session mine = {.byte = {9}};
	uint8_t again[HA_MESSAGE_BYTES];
	struct ha_message m, same;
	struct freshness f;
	struct ha_envelope e = {.session = {.byte = {7}}, .heard = mine, .sequence = 5};
	bool newest;

	if (size < 1)
		return;
	e.type = data[0];
	e.payload_len = (uint16_t)(size - 1);
	if (ha_message_decode(&e, data + 1, &m) != HA_WIRE_OK)
		return;
	MUST(m.type >= 1 && m.type <= HA_MSG_TYPE_MAX && m.state <= HA_STATE_MAX);
	MUST(m.role >= 1 && m.role <= HA_ROLE_MAX && m.reason <= HA_REASON_MAX);
	MUST(m.n_port_roles <= HA_MAX_PORT_ROLES);
	MUST(ha_message_encode(&m, &e, again) == 0);
	e.payload_len = HA_MESSAGE_BYTES;
	MUST(ha_message_decode(&e, again, &same) == HA_WIRE_OK);
	MUST(same.term == m.term && same.state == m.state && same.flags == m.flags);
	MUST(memcmp(same.config_digest, m.config_digest, HA_DIGEST_BYTES) == 0);
	freshness_init(&f, &mine);
	if (freshness_check(&f, &m, &newest) <= HA_FRESH_SESSION)
		MUST(freshness_check(&f, &m, &newest) > HA_FRESH_SESSION);
}

static void sent(void *arg, const void *payload, size_t len)
{
	(void)arg;
	MUST(payload && len <= HA_PAYLOAD_MAX);
}

static void received(void *arg, enum bulk_kind kind, uint32_t id, const uint8_t *bytes, size_t len)
{
	volatile uint8_t sum = 0;

	(void)arg;
	(void)id;
	MUST(kind == BULK_REQUEST || kind == BULK_ANSWER);
	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + bytes[i]);
}

static void arrived(void *arg, enum bulk_kind kind, uint32_t id, int rc)
{
	(void)arg;
	(void)kind;
	(void)id;
	(void)rc;
}

/* Pieces, each behind its length. */
static void block(const uint8_t *data, size_t size)
{
	struct bulk b = {.send = sent, .received = received, .sent = arrived};
	uint64_t now_ms = 1000;

	MUST(bulk_start(&b, BULK_REQUEST, 0, "any request", 11, now_ms) > 0);
	while (size >= 2) {
		size_t n = (size_t)(data[0] | data[1] << 8) % (HA_PAYLOAD_MAX + 1);

		data += 2;
		size -= 2;
		if (n > size)
			n = size;
		(void)bulk_receive(&b, data, n, now_ms);
		MUST(b.in.len <= BULK_MAX_BYTES && b.in.have <= b.in.len);
		data += n;
		size -= n;
		now_ms += 50;
		bulk_tick(&b, now_ms);
	}
	bulk_tick(&b, now_ms + BULK_GIVE_UP_MS);
	bulk_fini(&b);
}

static void key_file(const uint8_t *data, size_t size)
{
	char error[ERROR_TEXT] = "";
	struct ha_keys k = {0};

	if (ha_keys_parse(&k, "keys", (const char *)data, size, error) < 0)
		MUST(error[0] && k.n == 0);
	else
		MUST(k.n >= 1 && k.n <= HA_KEYS_MAX);
	ha_keys_fini(&k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char text[] = "1 hex:000102030405060708090a0b0c0d0e0f\n";
	char error[ERROR_TEXT];

	if (!keys.n)
		MUST(ha_keys_parse(&keys, "keys", text, sizeof(text) - 1, error) == 0);
	if (size == 0)
		return 0;
	switch (data[0] % 4) {
	case 0:
		datagram(data + 1, size - 1);
		break;
	case 1:
		message(data + 1, size - 1);
		break;
	case 2:
		block(data + 1, size - 1);
		break;
	default:
		key_file(data + 1, size - 1);
	}
	return 0;
}
