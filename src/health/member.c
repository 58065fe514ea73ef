/* SPDX-License-Identifier: BSD-3-Clause */
#include "health/member.h"

#include "health/check.h"

const char *const health_state_names[HEALTH_STATE_MAX] = {
	[HEALTH_UNKNOWN] = "unknown",
	[HEALTH_UP] = "up",
	[HEALTH_DOWN] = "down",
};

const char *const health_admin_names[HEALTH_ADMIN_MAX] = {
	[HEALTH_ADMIN_NONE] = "none",
	[HEALTH_ADMIN_UP] = "up",
	[HEALTH_ADMIN_DOWN] = "down",
	[HEALTH_ADMIN_MAINT] = "maintenance",
};

const char *const standing_names[STANDING_MAX] = {
	[STANDING_OUT] = "unknown",
	[STANDING_IN] = "up",
	[STANDING_DOWN] = "down",
	[STANDING_MAINT] = "maintenance",
};

const uint8_t member_steps[HEALTH_STATE_MAX][HEALTH_STATE_MAX] = {
	[HEALTH_UNKNOWN] =
		{
			[HEALTH_UNKNOWN] = MEMBER_STAY,
			[HEALTH_UP] = MEMBER_RISE,
			[HEALTH_DOWN] = MEMBER_FALL,
		},
	[HEALTH_UP] =
		{
			[HEALTH_UNKNOWN] = MEMBER_STAY,
			[HEALTH_UP] = MEMBER_STAY,
			[HEALTH_DOWN] = MEMBER_FALL,
		},
	[HEALTH_DOWN] =
		{
			[HEALTH_UNKNOWN] = MEMBER_STAY,
			[HEALTH_UP] = MEMBER_WAIT,
			[HEALTH_DOWN] = MEMBER_STAY,
		},
};

enum health_state member_combine(const uint8_t *states, uint32_t n)
{
	enum health_state all = HEALTH_UP;

	for (uint32_t i = 0; i < n; i++) {
		if (states[i] == HEALTH_DOWN)
			return HEALTH_DOWN;
		if (states[i] == HEALTH_UNKNOWN)
			all = HEALTH_UNKNOWN;
	}
	return all;
}

bool member_update(struct member_state *m, enum health_state checks, bool failed,
		   uint64_t reentry_us, uint64_t now_us, uint64_t *due_us)
{
	enum member_step step = member_steps[m->state][checks];

	*due_us = UINT64_MAX;
	if (step == MEMBER_WAIT) {
		if (m->good_us == 0 || failed)
			m->good_us = now_us ? now_us : 1;
		if (now_us - m->good_us >= reentry_us) {
			step = MEMBER_RISE;
		} else {
			*due_us = m->good_us + reentry_us;
			return false;
		}
	}
	m->good_us = 0;
	if (step == MEMBER_STAY)
		return false;
	m->state = step == MEMBER_RISE ? HEALTH_UP : HEALTH_DOWN;
	return true;
}

enum health_state member_verdict(const struct member_state *m)
{
	return m->state == HEALTH_UNKNOWN ? (enum health_state)m->peer
					  : (enum health_state)m->state;
}

enum standing member_standing(const struct member_state *m)
{
	static const uint8_t by_verdict[HEALTH_STATE_MAX] = {
		[HEALTH_UNKNOWN] = STANDING_OUT,
		[HEALTH_UP] = STANDING_IN,
		[HEALTH_DOWN] = STANDING_DOWN,
	};

	switch (m->admin) {
	case HEALTH_ADMIN_UP:
		return STANDING_IN;
	case HEALTH_ADMIN_DOWN:
		return STANDING_DOWN;
	case HEALTH_ADMIN_MAINT:
		return STANDING_MAINT;
	default:
		break;
	}
	/* Down beats an agent's maintenance: what its connections get is decided by checks. */
	if (m->maint && member_verdict(m) != HEALTH_DOWN)
		return STANDING_MAINT;
	return (enum standing)by_verdict[member_verdict(m)];
}

bool member_asked(const struct member_state *m)
{
	return m->admin != HEALTH_ADMIN_MAINT;
}

bool member_advise(struct member_state *m, uint32_t advice)
{
	bool drain = m->drain, maint = m->maint;

	if (advice & ADVICE_READY)
		m->drain = m->maint = false;
	if (advice & ADVICE_DRAIN)
		m->drain = true;
	if (advice & ADVICE_MAINT)
		m->maint = true;
	return drain != m->drain || maint != m->maint;
}
