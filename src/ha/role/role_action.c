/* SPDX-License-Identifier: BSD-3-Clause */
/* Actions and transitions, for all parts of the machine. */
#include "ha/role/role_internal.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

/* --- Actions -------------------------------------------------------------------------- */

struct role_action *role_add(struct role_call *t, enum role_action_type type)
{
	struct role_action *a;

	assert(t->out->n < ROLE_MAX_ACTIONS);
	a = &t->out->action[t->out->n++];
	a->type = type;
	a->text[0] = '\0';
	return a;
}

void role_send_about(struct role_call *t, enum ha_message_type type, uint64_t term,
		     uint32_t handover, enum ha_reason reason, uint8_t flags)
{
	struct role_action *a;

	if (!t->r->cfg.has_peer)
		return;
	a = role_add(t, ROLE_DO_SEND);
	a->send = (struct role_send){
		.type = type, .term = term, .handover = handover, .reason = reason, .flags = flags};
}

void role_send(struct role_call *t, enum ha_message_type type)
{
	role_send_about(t, type, 0, 0, HA_REASON_NONE, 0);
}

void role_log(struct role_call *t, enum log_level level, const char *fmt, ...)
{
	struct role_action *a = role_add(t, ROLE_DO_LOG);
	va_list ap;

	a->level = (int)level;
	va_start(ap, fmt);
	vsnprintf(a->text, sizeof(a->text), fmt, ap);
	va_end(ap);
}

void role_reply(struct role_call *t, int rc, const char *fmt, ...)
{
	struct role_action *a = role_add(t, ROLE_DO_REPLY);
	va_list ap;

	a->rc = rc;
	va_start(ap, fmt);
	vsnprintf(a->text, sizeof(a->text), fmt, ap);
	va_end(ap);
}

void role_quit(struct role_call *t, bool dump)
{
	role_add(t, ROLE_DO_QUIT)->dump = dump;
}

/* --- Transitions ---------------------------------------------------------------------- */

void role_go(struct role_call *t, enum role_row row, const char *fmt, ...)
{
	struct role *r = t->r;
	struct role_action *a = role_add(t, ROLE_DO_NOTIFY);
	va_list ap;

	assert(role_rows[row].from & ROLE_IN(r->state));
	va_start(ap, fmt);
	vsnprintf(r->reason, sizeof(r->reason), fmt, ap);
	va_end(ap);
	a->change.row = row;
	a->change.from = r->state;
	a->change.to = role_rows[row].to;
	memcpy(a->text, r->reason, sizeof(a->text));
	r->state = role_rows[row].to;
	r->since_ms = t->now;
	r->next_send_ms = t->now + r->cfg.keepalive_ms;
	r->offered = false;
	r->request_until_ms = 0;
	r->failback_since_ms = 0;
	r->rows[row]++;
	if (r->state != HA_TAKEOVER)
		role_send(t, HA_MSG_HEARTBEAT);
}

void role_lease_bound(struct role_call *t)
{
	struct role *r = t->r;
	const uint64_t until = t->now + role_lease_ms(&r->cfg);

	if (!ha_state_serves(r->state) || r->lease_ms == ROLE_LEASE_NONE || r->lease_ms <= until)
		return;
	r->lease_ms = until;
	role_add(t, ROLE_DO_LEASE)->until_ms = until;
}

void role_lease_renew(struct role_call *t)
{
	struct role *r = t->r;
	const uint32_t lease = role_lease_ms(&r->cfg);
	uint64_t until = ROLE_LEASE_NONE;

	/* A message that is heard before the first tick after a standstill has waited in the socket
	 * and tells an old state. The peer may serve by now, and its message of that is further
	 * back in the same queue. */
	if (role_is_late(r, t->now) || t->now < r->lease_hold_ms)
		return;
	if (role_peer_in_reach(r, t->now)) {
		until = t->now + lease;
		/* A late loop must not stretch a conflict. */
		if (r->conflict_ms != 0 && until > r->conflict_ms + lease + r->cfg.keepalive_ms)
			until = r->conflict_ms + lease + r->cfg.keepalive_ms;
	}
	if (until == r->lease_ms)
		return;
	r->lease_ms = until;
	role_add(t, ROLE_DO_LEASE)->until_ms = until;
}

void role_failback_failed(struct role_call *t)
{
	struct role *r = t->r;

	if (r->failback_failures < UINT8_MAX)
		r->failback_failures++;
	if (r->failback_failures >= ROLE_FAILBACK_TRIES)
		role_log(t, LOG_LEVEL_WARNING,
			 "failback failed %u times: it is manual until `plvsctl ha reset`",
			 r->failback_failures);
	else
		role_log(t, LOG_LEVEL_WARNING, "failback failed: the next one waits for %u s",
			 (r->cfg.failback_delay_ms << r->failback_failures) / 1000);
}

void role_failback_count(struct role_call *t)
{
	struct role *r = t->r;

	if (r->given_back_ms != 0 && t->now - r->given_back_ms <= ROLE_FAILBACK_MIN_MS)
		role_failback_failed(t);
	r->given_back_ms = 0;
}

void role_activate(struct role_call *t, enum role_row row, uint64_t term, const char *reason)
{
	struct role *r = t->r;

	if (term > r->term)
		r->term = term;
	r->conflict_ms = r->lease_hold_ms = 0;
	r->failback_held = false;
	r->lease_ms = 0;
	r->kept = false;
	r->activated_ms = r->listening_ms = t->now;
	r->deaf_ms = 0;
	/* Alone, what it kept is in the table by now and nothing more can come to be known. */
	if (r->cfg.has_peer) {
		r->grace_open = !r->synchronised && role_peer_alive(r, t->now);
		r->grace_ms = t->now + r->cfg.grace_ms;
		role_add(t, ROLE_DO_GRACE)->until_ms = r->grace_ms;
	}
	role_lease_renew(t);
	role_add(t, ROLE_DO_ACTIVATE);
	role_go(t, row, "%s", reason);
	if (row == ROLE_ROW_COMMITTED)
		role_send(t, HA_MSG_HANDOVER_DONE);
	else if (row != ROLE_ROW_ALONE)
		role_failback_count(t);
}

void role_fence(struct role_call *t, enum role_row row, const char *reason)
{
	struct role *r = t->r;

	role_add(t, ROLE_DO_FENCE);
	if (r->give.frozen)
		role_add(t, ROLE_DO_UNFREEZE);
	r->give.frozen = false;
	r->lease_ms = r->conflict_ms = 0;
	r->no_active_ms = t->now;
	r->stale_until_ms = 0;
	role_go(t, row, "%s", reason);
}

void role_take_over(struct role_call *t, enum role_row row, bool forced, const char *reason)
{
	struct role *r = t->r;

	r->takeover_term = r->term + 1;
	r->takeover_forced = forced;
	role_go(t, row, "%s", reason);
	r->next_send_ms = t->now + (r->cfg.keepalive_ms + 1) / 2;
	role_send_about(t, HA_MSG_STOP, r->takeover_term, 0, HA_REASON_NONE,
			forced ? HA_FLAG_FORCED : 0);
}
