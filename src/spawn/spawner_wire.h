/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_SPAWN_SPAWNER_WIRE_H
#define PLVS_SPAWN_SPAWNER_WIRE_H

/*
 * Messages between client, spawner and supervisor: one SOCK_SEQPACKET record each, host
 * order. Both sides check every length.
 *
 * Context: any.
 */

#include "spawn/spawn.h"

#define SPAWN_MAGIC	  0x53504c56U
#define SPAWN_SOCKET_ROOM (256 << 10) /* holds the largest request; the system may allow less */

enum spawn_msg_type {
	SPAWN_MSG_RUN = 1,
	SPAWN_MSG_CANCEL,
	SPAWN_MSG_PARALLEL, /* id: how many */
	SPAWN_MSG_RESULT,
};

struct spawn_msg_head {
	uint32_t magic;
	uint32_t type;
	uint64_t id;
};

/* Then text: user, group, netns (empty: none), arguments, environment, each with its NUL;
 * then the standard input. */
struct spawn_msg_run {
	struct spawn_msg_head head;
	uint32_t time_limit_ms, queue_limit_ms, grace_ms, output_max;
	uint32_t argc, envc, text_len, input_len;
};

/* Then output and error, each with a NUL beyond its length. Times are CLOCK_MONOTONIC, started 0:
 * never. */
struct spawn_msg_result {
	struct spawn_msg_head head;
	uint32_t outcome, step;
	int32_t code;
	uint32_t output_len, error_len, pad;
	uint64_t output_dropped, error_dropped;
	uint64_t started_us, ended_us;
};

#define SPAWN_MSG_MAX	     (sizeof(struct spawn_msg_run) + SPAWN_MAX_TEXT + SPAWN_MAX_INPUT)
#define SPAWN_MSG_RESULT_MAX (sizeof(struct spawn_msg_result) + 2 * (SPAWN_MAX_OUTPUT + 1))

/* A request as read: everything points into the message. */
struct spawn_order {
	uint64_t id;
	uint32_t time_limit_ms, queue_limit_ms, grace_ms, output_max;
	const char *user, *group, *netns; /* NULL: none */
	char *argv[SPAWN_MAX_ARGV + 1];
	char *envp[SPAWN_MAX_ENV + 2]; /* room for PATH; ends with NULL */
	const uint8_t *input;
	uint32_t input_len;
};

/* A message in memory of its own. 0, -EINVAL, -E2BIG or -ENOMEM. */
int spawn_order_encode(const struct spawn_request *r, const char *netns, uint64_t id, void **out,
		       size_t *len);
/* 0, or -EINVAL for anything that encode would not have written. msg stays in use. */
int spawn_order_decode(void *msg, size_t len, struct spawn_order *out);
/* 0 or -EINVAL; r points into msg, but the waiting time is the caller's to fill in. */
int spawn_result_decode(const void *msg, size_t len, struct spawn_result *r, uint64_t *started_us);

#endif
