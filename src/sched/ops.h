/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_SCHED_OPS_H
#define PLVS_SCHED_OPS_H

/* The schedulers and their common functions. Inside sched only. */

#include "model/schedulers.h"
#include "sched/sched.h"

#define X(name) extern const struct sched_ops sched_##name;
SCHEDULERS(X)
#undef X

/* The eligible server with the least load per weight, first in list order of equal ones: the choice
 * of wlc, by a look at all servers; the fallback of lblc and lblcr. */
int sched_least_loaded(const struct service *svc);

static inline uint32_t gcd32(uint32_t a, uint32_t b)
{
	while (b != 0) {
		uint32_t r = a % b;

		a = b;
		b = r;
	}
	return a;
}

/*
 * An address in 32 bits, host order, as in IPVS: an IPv4 address itself, or the exclusive or of an
 * IPv6 address's words. The family is that of the service. A tunnel server may be of the other
 * family: of an IPv6 address an IPv4 service takes the first word.
 */
static inline uint32_t addr_fold(const struct addr *a, uint8_t family)
{
	if (family == ADDR_V6)
		return be32_to(a->word[0] ^ a->word[1] ^ a->word[2] ^ a->word[3]);
	return be32_to(a->word[0]);
}

static inline bool sched_any_eligible(const struct service *svc)
{
	for (uint32_t i = 0; i < svc->n_servers; i++) {
		if (server_eligible(&svc->servers[i]))
			return true;
	}
	return false;
}

/* sched_copy(), of the schedulers that keep memory of workers. */
void ranking_copy(struct service *to, const struct service *from, const struct sched_worker *w,
		  uint16_t *place_of, void *room);
void rr_copy(struct service *to, const struct service *from, const struct sched_worker *w,
	     void *room);

/* free() of sched_data. */
void sched_data_free(struct service *svc);

#endif
