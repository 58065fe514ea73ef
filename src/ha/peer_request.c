/* SPDX-License-Identifier: BSD-3-Clause */
/* Blocks of bytes between the routers: what control asks the other one, and the answer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error_text.h"
#include "base/log.h"
#include "ha/ha_internal.h"
#include "ha/role/role_internal.h"
#include "ha/wire/block_seal.h"

#define ANSWER_LIMIT_MS 120000 /* the peer may have to build ten thousand services */

struct peer_request {
	uint32_t asked_id; /* 0: nothing was asked */
	uint64_t asked_ms;
	ha_asked *asked_done;
	void *asked_arg;
	/* An answer that waits for the end of a block under way; NULL: none. */
	uint8_t *answer; /* owned */
	size_t answer_len;
	uint32_t answer_id;
};

static void asked_end(struct ha *ha, int rc, const void *bytes, size_t len)
{
	ha_asked *done = ha->blocks->asked_done;

	if (!ha->blocks->asked_id)
		return;
	ha->blocks->asked_id = 0;
	ha->blocks->asked_done = NULL;
	done(ha->blocks->asked_arg, rc, bytes, len);
}

static void answer_forget(struct ha *ha)
{
	free(ha->blocks->answer);
	ha->blocks->answer = NULL;
}

static void answer_look(struct ha *ha)
{
	if (ha->blocks->answer && ha->config.role.has_peer &&
	    bulk_start(&ha->bulk, BULK_ANSWER, ha->blocks->answer_id, ha->blocks->answer,
		       ha->blocks->answer_len, ha_now_ms()) == -EBUSY)
		return;
	answer_forget(ha);
}

/* Takes bytes over. A block of our own may be under way: the answer goes out behind it. The peer
 * asks one question at a time, so one place is enough. */
static void answer_set(struct ha *ha, uint32_t id, uint8_t *bytes, size_t len)
{
	answer_forget(ha);
	ha->blocks->answer = bytes;
	ha->blocks->answer_len = len;
	ha->blocks->answer_id = id;
	answer_look(ha);
}

static void on_send(void *arg, const void *payload, size_t len)
{
	peer_datagram_send(arg, HA_TYPE_BULK, payload, len);
}

/* In clear, so that an older plvs, which asked in clear, can read it. */
static void refuse_clear(struct ha *ha, uint32_t id)
{
	static const char text[] =
		"{\"error\":{\"code\":1,\"message\":\"this plvs takes encrypted configurations "
		"only, and yours came in clear: bring both routers to one version\"}}";

	log_warning(HA_AREA, "refused a configuration of the peer that is not encrypted: its plvs "
			     "is older");
	answer_set(ha, id, (uint8_t *)strdup(text), sizeof(text) - 1);
}

static void on_received(void *arg, enum bulk_kind kind, uint32_t id, const uint8_t *bytes,
			size_t len)
{
	struct ha *ha = arg;
	const struct block_way way = {&ha->fresh.peer, &ha->fresh.mine, kind};
	uint8_t *text = NULL;
	size_t n = 0;
	const int ret = block_open(&ha->keys, &way, bytes, len, &text, &n);

	if (kind == BULK_ANSWER && id == ha->blocks->asked_id)
		asked_end(ha, ret, text, n);
	else if (kind == BULK_REQUEST && ret == 0 && ha->host.request)
		ha->host.request(ha->host.arg, id, text, n);
	else if (kind == BULK_REQUEST && ret < 0)
		refuse_clear(ha, id);
	free(text);
}

static void on_sent(void *arg, enum bulk_kind kind, uint32_t id, int rc)
{
	struct ha *ha = arg;

	if (kind == BULK_REQUEST && id == ha->blocks->asked_id && rc < 0)
		asked_end(ha, rc, NULL, 0);
}

static int start(struct ha *ha, char error[ERROR_TEXT])
{
	ha->blocks = calloc(1, sizeof(*ha->blocks));
	if (!ha->blocks)
		return error_text(error, -ENOMEM, "out of memory");
	ha->bulk =
		(struct bulk){.send = on_send, .received = on_received, .sent = on_sent, .arg = ha};
	return 0;
}

static void stop(struct ha *ha)
{
	if (!ha->blocks)
		return;
	asked_end(ha, -ESHUTDOWN, NULL, 0);
	answer_forget(ha);
	bulk_fini(&ha->bulk);
	free(ha->blocks);
	ha->blocks = NULL;
}

static uint32_t poll(struct ha *ha)
{
	const uint64_t now_ms = ha_now_ms();

	bulk_tick(&ha->bulk, now_ms);
	answer_look(ha);
	if (ha->blocks->asked_id && (now_ms - ha->blocks->asked_ms > ANSWER_LIMIT_MS ||
				     !role_peer_in_reach(&ha->role, now_ms)))
		asked_end(ha, -ETIMEDOUT, NULL, 0);
	return UINT32_MAX;
}

static void peer_new(struct ha *ha)
{
	bulk_reset(&ha->bulk);
	answer_forget(ha);
	asked_end(ha, -ECONNRESET, NULL, 0);
}

/* --- from other threads --- */

static void run_ask(struct ha *ha, struct ha_note *n)
{
	const struct block_way way = {&ha->fresh.mine, &ha->fresh.peer, BULK_REQUEST};
	const uint64_t now_ms = ha_now_ms();
	int64_t id = -ENOTCONN;
	uint8_t *sealed = NULL;
	size_t len;

	if (ha->blocks->asked_id)
		id = -EBUSY;
	else if (ha->config.role.has_peer && role_peer_alive(&ha->role, now_ms))
		id = block_seal(&ha->keys, &way, n->block.bytes, n->block.len, &sealed, &len);
	if (sealed)
		id = bulk_start(&ha->bulk, BULK_REQUEST, 0, sealed, len, now_ms);
	free(sealed);
	if (id < 0) {
		n->block.done(n->block.arg, (int)id, NULL, 0);
	} else {
		ha->blocks->asked_id = (uint32_t)id;
		ha->blocks->asked_ms = now_ms;
		ha->blocks->asked_done = n->block.done;
		ha->blocks->asked_arg = n->block.arg;
	}
	free(n->block.bytes);
}

static void run_answer(struct ha *ha, struct ha_note *n)
{
	const struct block_way way = {&ha->fresh.mine, &ha->fresh.peer, BULK_ANSWER};
	uint8_t *sealed = NULL;
	size_t len;

	if (block_seal(&ha->keys, &way, n->block.bytes, n->block.len, &sealed, &len) == 0)
		answer_set(ha, n->block.id, sealed, len);
	free(n->block.bytes);
}

static void drop_ask(struct ha_note *n)
{
	n->block.done(n->block.arg, -ESHUTDOWN, NULL, 0);
	free(n->block.bytes);
}

static void drop_answer(struct ha_note *n)
{
	free(n->block.bytes);
}

static int block_send(struct ha *ha, struct ha_note *n, const void *bytes, size_t len)
{
	uint8_t *copy = malloc(len);

	if (!n || !copy) {
		free(n);
		free(copy);
		return -ENOMEM;
	}
	memcpy(copy, bytes, len);
	n->block.bytes = copy;
	n->block.len = len;
	ha_note_send(ha, n);
	return 0;
}

int ha_ask(struct ha *ha, const void *bytes, size_t len, ha_asked *done, void *arg)
{
	struct ha_note *n = ha_note_create(run_ask, drop_ask);

	if (n) {
		n->block.done = done;
		n->block.arg = arg;
	}
	return block_send(ha, n, bytes, len);
}

int ha_answer(struct ha *ha, uint32_t id, const void *bytes, size_t len)
{
	struct ha_note *n = ha_note_create(run_answer, drop_answer);

	if (n)
		n->block.id = id;
	return block_send(ha, n, bytes, len);
}

const struct ha_part peer_request_part = {
	.start = start,
	.stop = stop,
	.poll = poll,
	.peer_new = peer_new,
};
