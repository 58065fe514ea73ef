/* SPDX-License-Identifier: BSD-3-Clause */
/* Compiled for each family: base/family.h. */
#include "dataplane/ftp/ftp_port.h"

#include "dataplane/dataplane.h"
#include "dataplane/ftp/ftp.h"
#include "dataplane/fullnat/local_port.h"

#define TRIES	 32U	    /* ports looked at in each half of a step */
#define IN_USE_S (1U << 26) /* about two years */

/* The word of a local port, in the memory of its owner. */
static uint32_t *until_of(struct worker *w, const struct FAM(ftp_end) *end)
{
	const struct worker *owner =
		w->dp ? w->dp->workers[w->owners->worker[end->step]] : (const struct worker *)w;
	const uint64_t ports = (uint64_t)be16_to(end->lport) << 16 | be16_to(end->dport);
	uint64_t h = (FAM_FN(addr, mix)(end->local) ^ FAM_FN(addr, mix)(end->server) >> 7) +
		     ports * 0x9e3779b97f4a7c15ULL;

	h = (h ^ h >> 32) * 0xd6e8feb86659fd93ULL;
	return &owner->ftp->port_until[(h >> 32) % FTP_PORTS];
}

static bool is_free(struct worker *w, const struct FAM(ftp_end) *end)
{
	const uint32_t until = __atomic_load_n(until_of(w, end), __ATOMIC_RELAXED);

	return (int32_t)(until - w->env.now_tick) <= 0;
}

void FAM_FN(ftp_port, hold)(struct worker *w, const struct FAM(ftp_end) *end, uint32_t seconds)
{
	__atomic_store_n(until_of(w, end), w->env.now_tick + seconds * CONN_TICK_HZ,
			 __ATOMIC_RELAXED);
}

/* Even ports are one half of a step, odd ones the other: a router of a pair begins with its own. */
static bool half_choose(struct worker *w, struct FAM(ftp_end) *end, unsigned int odd)
{
	const uint16_t fold = FAM_FN(owner, fold)(end->local);
	const unsigned int first = (unsigned int)worker_random(w);

	for (unsigned int i = 0; i < TRIES; i++) {
		const uint16_t port =
			owner_word(end->step, (odd ^ fold) & 1, (first + i) % LOCAL_PORT_HALF) ^
			fold;

		end->lport = be16_from(port);
		if (port >= LOCAL_PORT_FIRST && is_free(w, end))
			return true;
	}
	return false;
}

bool FAM_FN(ftp_port, choose)(struct worker *w, struct FAM(ftp_end) *end, uint32_t seconds)
{
	const unsigned int side = w->FAM(v).ports.side;

	if (!half_choose(w, end, side) && !half_choose(w, end, side ^ 1))
		return false;
	FAM_FN(ftp_port, hold)(w, end, seconds);
	return true;
}

static void hold(struct worker *w, const struct FAM(local_end) *end, uint32_t seconds)
{
	const struct FAM(ftp_end) at = {.local = end->local,
					.server = end->server,
					.lport = end->lport,
					.dport = end->dport,
					.step = end->step};

	FAM_FN(ftp_port, hold)(w, &at, seconds);
}

void FAM_FN(ftp_port, taken)(struct worker *w, const struct FAM(local_end) *end)
{
	hold(w, end, IN_USE_S);
}

void FAM_FN(ftp_port, released)(struct worker *w, const struct FAM(local_end) *end)
{
	hold(w, end, LOCAL_PORT_HELD_S);
}
