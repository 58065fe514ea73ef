/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_HA_POLICY_H
#define PLVS_MODEL_HA_POLICY_H

/*
 * The part of a pair's configuration that the ha thread goes by as it stands. Rows of the
 * configuration's schema (config/schema_ha.c) write these members; the ha thread has copies of the
 * structs.
 */

#include <stdint.h>

enum ha_failback {
	HA_FAILBACK_AUTO,
	HA_FAILBACK_MANUAL,
};

#define HA_TIMING_MEMBERS                                                                          \
	/* 0: measured (`auto`). The deadtime is at least 3 keepalives + 1 ms; 4 are better. */    \
	uint32_t keepalive_ms, deadtime_ms;                                                        \
	uint32_t start_delay_ms, failback_delay_ms;                                                \
	uint32_t grace_ms; /* after activation; with a live peer, after completeness */            \
	uint8_t failback   /* enum ha_failback */

struct ha_timing {
	HA_TIMING_MEMBERS;
};

/* A struct with these members as its own, and all of them as `timing`. */
#define HA_TIMING_INSIDE                                                                           \
	union {                                                                                    \
		struct {                                                                           \
			HA_TIMING_MEMBERS;                                                         \
		};                                                                                 \
		struct ha_timing timing;                                                           \
	}

/* Gratuitous ARPs and unsolicited neighbour advertisements. */
struct ha_announcing {
	uint32_t count; /* after a takeover, for each address */
	uint32_t spacing_ms;
	uint32_t refresh_s; /* while active; 0: none */
};

/*
 * The time between two heartbeats. Other products have a deadtime of exactly three
 * keepalives (6 s and 18 s for one); the lease of the role machine needs more than three. Where
 * the deadtime is no longer than that, a quarter of it is used.
 */
static inline uint32_t ha_keepalive_ms(const struct ha_timing *t)
{
	if (t->keepalive_ms == 0 || t->deadtime_ms == 0)
		return t->keepalive_ms;
	return t->deadtime_ms < 3 * t->keepalive_ms + 3 ? t->deadtime_ms / 4 : t->keepalive_ms;
}

#endif
