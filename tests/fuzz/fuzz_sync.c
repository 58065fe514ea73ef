/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ha/sync/sync_recv.h"
#include "ha/sync/sync_record.h"
#include "ha/sync/sync_send.h"

/*
 * Any bytes as a record, a datagram of synchronisation, an acknowledgement. A record that
 * decodes says the same after a round trip; of a datagram, all records are operations or none.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(what)                                                                                 \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "fuzz_sync: not true: %s\n", #what);                       \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static struct sync_recv *rcv;
static struct sync_send *snd;
static struct identity *ident;

static uint32_t take(void *arg, struct sync_event *out, uint32_t max)
{
	(void)arg;
	(void)out;
	(void)max;
	return 0;
}

static uint64_t zero(void *arg)
{
	(void)arg;
	return 0;
}

static int give(void *arg, const struct sync_event *op)
{
	(void)arg;
	MUST(op->kind != SYNC_NONE && op->kind < SYNC_KIND_MAX);
	MUST(op->gen >= 1 && op->gen <= SYNC_GEN_MAX);
	MUST(op->kind != SYNC_PUT || op->server != 0);
	return 0;
}

static void output(void *arg, const uint8_t *bytes, size_t len)
{
	(void)arg;
	MUST(bytes && len <= SYNC_DATAGRAM_BYTES);
}

static void start(void)
{
	const struct sync_access access = {.n_workers = 1,
					   .take = take,
					   .lost = zero,
					   .give = give,
					   .tell = give,
					   .pending = zero};
	struct identity_update *u = calloc(1, sizeof(*u) + sizeof(u->servers[0]));
	struct sync_send_config sc = {.access = access, .output = output};
	struct sync_recv_config rc = {.access = access, .output = output, .max_unbound = 64};

	ident = identity_create();
	u->service_id = 1;
	u->service = (struct sync_service){
		.proto = 6, .port = be16_from(80), .addr = addr_from_v4(be32_from(0x0a010064))};
	u->n = 1;
	u->servers[0] = (struct identity_entry){
		.id = 1, .addr = addr_from_v4(be32_from(0x0a0a0001)), .port = be16_from(8080)};
	MUST(identity_apply(ident, u) == 0);
	free(u);
	sc.identity = rc.identity = ident;
	snd = sync_send_create(&sc);
	rcv = sync_recv_create(&rc);
	MUST(snd && rcv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t again[SYNC_RECORD_MAX];
	struct sync_recv_status status;
	struct sync_record r;
	int n = sync_record_decode(data, size, &r);

	if (!rcv)
		start();
	if (n >= 0) {
		struct sync_record same;
		size_t len;

		MUST(n >= 4 && (size_t)n <= size && n <= SYNC_RECORD_MAX);
		len = sync_record_encode(&r, again);
		MUST(len <= (size_t)n); /* what is implied need not have been */
		MUST(sync_record_decode(again, len, &same) == (int)len);
		MUST(memcmp(&r, &same, sizeof(r)) == 0);
	}
	sync_recv_accept(rcv, true, 1);
	sync_recv_reset(rcv);
	sync_recv_data(rcv, data, size);
	sync_recv_poll(rcv, 1);
	sync_recv_status(rcv, &status);
	MUST(status.unbound <= 64);
	sync_send_start(snd, 1);
	sync_send_poll(snd, 1);
	sync_send_ack(snd, data, size, 2);
	sync_send_poll(snd, 2000);
	return 0;
}
