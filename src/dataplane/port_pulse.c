/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port_pulse.h"

#include <string.h>

static bool rx_stalls(struct port_pulse *p, const struct port_sample *now, bool polled)
{
	if (!polled || now->rx != p->last.rx) {
		p->rx_silent = 0;
		p->rx_lost_then = now->rx_lost;
		return false;
	}
	p->rx_silent++;
	return p->rx_silent >= PULSE_STALLS && now->rx_lost != p->rx_lost_then;
}

/* A single bad pulse does not count: a queue was full for a moment. */
static bool tx_stalls(struct port_pulse *p, const struct port_sample *now)
{
	uint64_t took = now->tx - p->last.tx;
	uint64_t full = now->tx_full - p->last.tx_full;
	uint64_t refused = now->tx_refused - p->last.tx_refused;
	bool bad = (took == 0 && full > 0) || (refused > 0 && refused >= took / 2);

	if (took > 0 && !bad)
		p->tx_silent = p->tx_bad = 0;
	if (bad || p->tx_silent)
		p->tx_silent++;
	p->tx_bad += bad;
	return p->tx_silent >= PULSE_STALLS && p->tx_bad > 1;
}

enum port_verdict port_pulse_judge(struct port_pulse *p, const struct port_sample *now, bool polled)
{
	enum port_verdict verdict = PULSE_FINE;

	if (!p->started) {
		p->started = true;
		p->rx_lost_then = now->rx_lost;
	} else if (rx_stalls(p, now, polled)) {
		verdict = PULSE_RX_STALLS;
	} else if (polled && tx_stalls(p, now)) {
		verdict = PULSE_TX_STALLS;
	}
	p->last = *now;
	return verdict;
}

void port_pulse_reset(struct port_pulse *p)
{
	memset(p, 0, sizeof(*p));
}
