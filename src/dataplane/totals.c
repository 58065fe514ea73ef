/* SPDX-License-Identifier: BSD-3-Clause */
/* Sums of counters over workers. Each worker writes its own with plain stores. */
#include <string.h>

#include "dataplane/dataplane.h"
#include "dataplane/conn/handshake.h"

/* Structs of uint64_t only. */
_Static_assert(sizeof(struct worker_counters) % sizeof(uint64_t) == 0, "counters are words");
_Static_assert(sizeof(struct port_counters) % sizeof(uint64_t) == 0, "counters are words");
_Static_assert(sizeof(struct device_counters) % sizeof(uint64_t) == 0, "counters are words");
_Static_assert(sizeof(struct server_counters) % sizeof(uint64_t) == 0, "counters are words");

static void words_add(void *to, const void *from, size_t bytes)
{
	uint64_t *sum = to;
	const uint64_t *src = from;

	for (size_t i = 0; i < bytes / sizeof(uint64_t); i++)
		sum[i] += __atomic_load_n(&src[i], __ATOMIC_RELAXED);
}

void dataplane_server_counters(const struct dataplane *dp, uint32_t server_id,
			       struct server_counters *out)
{
	memset(out, 0, sizeof(*out));
	for (unsigned int i = 0; i < dp->n_workers; i++)
		words_add(out, &dp->workers[i]->servers[server_id].counters, sizeof(*out));
}

void dataplane_passive_counters(const struct dataplane *dp, uint32_t server_id,
				struct passive_counters *out)
{
	memset(out, 0, sizeof(*out));
	for (unsigned int i = 0; i < dp->n_workers; i++)
		handshake_read(dp->workers[i], server_id, dp->hz, out);
}

void dataplane_worker_counters(const struct dataplane *dp, struct worker_counters *out)
{
	memset(out, 0, sizeof(*out));
	for (unsigned int i = 0; i < dp->n_workers; i++)
		words_add(out, &dp->workers[i]->counters, sizeof(*out));
}

void dataplane_port_counters(const struct dataplane *dp, uint16_t port, struct port_counters *out)
{
	memset(out, 0, sizeof(*out));
	for (unsigned int i = 0; i < dp->n_workers; i++)
		words_add(out, &dp->workers[i]->port_counters[port], sizeof(*out));
}

void dataplane_device_counters(const struct dataplane *dp, uint16_t port,
			       struct device_counters *out)
{
	memset(out, 0, sizeof(*out));
	words_add(out, &dp->ports[port].device.counters, sizeof(*out));
}

static uint64_t age_us(uint64_t age, uint64_t hz)
{
	return (uint64_t)((double)age * (1U << HANDSHAKE_STAMP_SHIFT) * 1e6 / (double)hz);
}

void handshake_read(const struct worker *w, uint32_t server_id, uint64_t hz,
		    struct passive_counters *sum)
{
	const struct handshake_counters *h = &w->handshakes[server_id];
	uint64_t max = age_us(__atomic_load_n(&h->age_max, __ATOMIC_RELAXED), hz);

	sum->syns += __atomic_load_n(&h->syns, __ATOMIC_RELAXED);
	sum->no_answer += __atomic_load_n(&h->no_answer, __ATOMIC_RELAXED);
	sum->refused += __atomic_load_n(&h->refused, __ATOMIC_RELAXED);
	sum->answers += __atomic_load_n(&h->answers, __ATOMIC_RELAXED);
	sum->answer_us += age_us(__atomic_load_n(&h->age_sum, __ATOMIC_RELAXED), hz);
	if (max > sum->answer_max_us)
		sum->answer_max_us = max;
}
