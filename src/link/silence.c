/* SPDX-License-Identifier: BSD-3-Clause */
#include "link/silence.h"

bool silence_lasts(struct silence *s, bool up, uint64_t received, uint64_t sent, uint32_t now_s)
{
	if (!up || !s->up || received != s->received) {
		s->up = up;
		s->received = received;
		s->sent = sent;
		s->since_s = now_s;
		return false;
	}
	return now_s - s->since_s >= SILENCE_S && sent - s->sent >= SILENCE_FRAMES;
}
