/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/role/role_internal.h"

#include <stdarg.h>
#include <stdio.h>

const struct role_row_info role_rows[ROLE_N_ROWS] = {
#define ROLE_ROW_INFO(name, from, to, text) {#name, from, to, text},
	ROLE_ROWS(ROLE_ROW_INFO)
#undef ROLE_ROW_INFO
};

const char *role_state_name(enum ha_state s)
{
	static const char *const names[] = {
		[HA_INIT] = "init",
		[HA_BACKUP] = "backup",
		[HA_TAKEOVER] = "takeover",
		[HA_ACTIVE] = "active",
		[HA_HANDOVER] = "handover",
		[HA_RELAY] = "relay",
		[HA_FENCED] = "fenced",
		[HA_FAULT] = "fault",
		[HA_MAINTENANCE] = "maintenance",
	};

	return (unsigned int)s <= HA_STATE_MAX ? names[s] : "unknown";
}

const char *role_reason_text(enum ha_reason reason)
{
	static const char *const texts[] = {
		[HA_REASON_NONE] = "no reason given",
		[HA_REASON_MORE_WITNESSES] = "more witnesses answer there",
		[HA_REASON_OLD_TERM] = "the term is not the next one",
		[HA_REASON_NOT_ACTIVE] = "it is not active",
		[HA_REASON_NOT_READY] = "the peer is not ready",
		[HA_REASON_NOT_SYNCHRONISED] = "the peer does not hold all connections",
		[HA_REASON_TIMEOUT] = "it took too long",
		[HA_REASON_FAILBACK_HELD] = "failback is manual until `plvsctl ha reset`",
		[HA_REASON_COMMAND] = "by command",
		[HA_REASON_PRIORITY] = "the peer goes first",
		[HA_REASON_CONFIGURATION] = "the two routers' configurations are not the same",
	};

	return (unsigned int)reason <= HA_REASON_MAX ? texts[reason] : "unknown reason";
}

size_t role_text_add(char *buf, size_t len, size_t used, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (used + 1 >= len)
		return used;
	va_start(ap, fmt);
	n = vsnprintf(buf + used, len - used, fmt, ap);
	va_end(ap);
	if (n < 0)
		return used;
	return used + (size_t)n < len ? used + (size_t)n : len - 1;
}

void role_names(const char (*names)[ROLE_NAME_LEN], uint32_t n, char *buf, size_t len)
{
	size_t used = role_text_add(buf, len, 0, "%s", n == 0 ? "no path" : "");

	for (uint32_t i = 0; i < n; i++)
		used = role_text_add(buf, len, used, "%s%s",
				     i == 0	  ? ""
				     : i + 1 == n ? " and "
						  : ", ",
				     names[i]);
}

static size_t witness_text(const struct role *r, uint64_t now, char *buf, size_t len, size_t used)
{
	const uint16_t n = role_witnesses(r, now);
	bool any = false;

	for (uint8_t i = 0; i < r->cfg.n_vip_links; i++)
		any |= r->cfg.witnesses[i] > 0;
	if (!any)
		return role_text_add(buf, len, used, "no witness is configured");
	if (n == 0)
		return role_text_add(buf, len, used, "no witness answers");
	return role_text_add(buf, len, used, n == 1 ? "1 witness answers" : "%u witnesses answer",
			     n);
}

void role_silence_text(const struct role *r, uint64_t now, char *buf, size_t len)
{
	char paths[ROLE_MAX_PATHS * (ROLE_NAME_LEN + 5)];
	size_t used;

	role_names(r->cfg.path_names, r->cfg.n_paths, paths, sizeof(paths));
	if (r->peer.fresh_ms == 0)
		used = role_text_add(buf, len, 0, "no peer was heard on %.80s since the start; ",
				     paths);
	else if (role_peer_alive(r, now))
		used = role_text_add(buf, len, 0,
				     "no router was active for %llu ms, the peer is in state %s; ",
				     (unsigned long long)(now - r->no_active_ms),
				     role_state_name(r->peer.state));
	else
		used = role_text_add(buf, len, 0, "no heartbeat on %.80s for %llu ms; ", paths,
				     (unsigned long long)(now - r->peer.fresh_ms));
	used = witness_text(r, now, buf, len, used);
	if (r->peer.relation == VERSION_DIVERGED)
		role_text_add(buf, len, used, "; its configuration is another one");
}

void role_clash_text(const struct role *r, char *buf, size_t len)
{
	switch (role_clash(r)) {
	case ROLE_CLASH_ROLE:
		snprintf(buf, len,
			 "both routers are configured as %s: one of each makes a pair "
			 "(node.ha.role)",
			 r->cfg.role == HA_ROLE_PRIMARY ? "primary" : "backup");
		break;
	case ROLE_CLASH_PRIORITY:
		snprintf(buf, len,
			 "the backup has the higher priority of the two, and goes first "
			 "(node.ha.priority)");
		break;
	case ROLE_CLASH_NONE:
		snprintf(buf, len, "role and priority of the two routers go together again");
		break;
	}
}

void role_deaf_text(const struct role *r, uint64_t now, char *buf, size_t len)
{
	const char(*names)[ROLE_NAME_LEN] = r->cfg.vip_link_names;
	size_t used = role_text_add(buf, len, 0, "deaf: no witness answers");

	for (uint8_t i = 0, n = 0; i < r->cfg.n_vip_links; i++) {
		if (!role_link_answers(r, i, now))
			used = role_text_add(buf, len, used, "%s%s", n++ == 0 ? " on " : ", ",
					     names[i]);
	}
	role_text_add(buf, len, used, "; the silence may be this router's own");
}

static size_t alarm_begin(char *buf, size_t len, size_t used)
{
	return used > 0 ? role_text_add(buf, len, used, "; ") : used;
}

size_t role_alarm(const struct role *r, uint64_t now_ms, char *buf, size_t len)
{
	char clash[ROLE_REASON_LEN];
	size_t used = 0;

	if (len == 0)
		return 0;
	buf[0] = '\0';
	if (r->peer.diverged && r->peer.relation == VERSION_DIVERGED)
		used = role_text_add(buf, len, used,
				     "the shared configurations of the two routers have diverged: "
				     "nothing is overwritten, no failback, no hand-over; `plvsctl "
				     "config push plan` says how they differ, `plvsctl config push "
				     "force` at the router whose configuration is to stay ends it");
	if (role_is_split(r, now_ms))
		used = role_text_add(buf, len, alarm_begin(buf, len, used),
				     "both routers are active and do not hear each other: the peer "
				     "claims addresses of this router; is UDP between the paths' "
				     "addresses filtered?");
	if (role_frames_only(r, now_ms))
		used = role_text_add(
			buf, len, alarm_begin(buf, len, used),
			"the peer is heard in Ethernet frames only, on no path: "
			"connections and configurations do not cross; is UDP between the "
			"paths' addresses filtered?");
	if (role_hears_second(r, now_ms))
		used = role_text_add(buf, len, alarm_begin(buf, len, used),
				     "two routers say that they are the peer: a clone, or another "
				     "machine with the same key; the one heard first counts");
	if (r->peer.hears_second && role_peer_alive(r, now_ms))
		used = role_text_add(buf, len, alarm_begin(buf, len, used),
				     "the peer hears another router that says that it is this one: "
				     "a clone, or another machine with the same key");
	if (r->peer.absurd)
		used = role_text_add(buf, len, alarm_begin(buf, len, used),
				     "the peer says a term that cannot be, and is ignored");
	if (role_clash(r) != ROLE_CLASH_NONE) {
		role_clash_text(r, clash, sizeof(clash));
		used = role_text_add(buf, len, alarm_begin(buf, len, used), "%s", clash);
	}
	return used;
}

/* --- Messages ------------------------------------------------------------------------- */

static uint8_t flags(const struct role *r, uint64_t now)
{
	const bool able = r->state != HA_INIT && r->state != HA_FAULT && r->state != HA_MAINTENANCE;
	uint8_t f = 0;

	if (able && role_ready(r, now))
		f |= HA_FLAG_READY;
	if (r->synchronised && r->unbound == 0)
		f |= HA_FLAG_SYNCHRONISED;
	if (r->verdicts)
		f |= HA_FLAG_VERDICTS;
	if (r->stopping)
		f |= HA_FLAG_STOPPING;
	if (r->kept)
		f |= HA_FLAG_KEPT;
	if (role_misses(r, now))
		f |= HA_FLAG_MISSES;
	return f;
}

void role_fill(const struct role *r, const struct role_send *send, uint64_t now_ms,
	       struct ha_message *msg)
{
	msg->type = send->type;
	msg->role = r->cfg.role;
	msg->state = r->state;
	msg->flags = flags(r, now_ms) | send->flags;
	msg->reason = send->reason;
	msg->term = send->term != 0 ? send->term : r->term;
	msg->handover = send->handover;
	msg->priority = r->cfg.priority;
	msg->witnesses = r->state == HA_TAKEOVER ? role_witnesses_fresh(r, now_ms)
						 : role_witnesses(r, now_ms);
	msg->failback_failures = r->failback_failures;
	msg->n_port_roles = r->n_ports;
	memcpy(msg->ports, r->ports, sizeof(msg->ports));
	msg->sync = r->sync;
	memcpy(msg->config_digest, r->config_digest, HA_DIGEST_BYTES);
	memcpy(msg->verdict_digest, r->verdict_digest, HA_DIGEST_BYTES);
	msg->servers_up = r->servers_up;
	msg->unbound = r->unbound;
	msg->links_answer = role_links_answer(r, now_ms);
	msg->hears_second = role_hears_second(r, now_ms);
	msg->asks_frames = role_paths_silent(r, now_ms);
	msg->takes_requests = true;
	msg->takes_fullnat = true;
	role_timers_fill(r, send->type, &msg->timers);
	if (!r->version)
		return;
	msg->version.id = r->version->id;
	msg->version.judged = r->peer.version.id;
	msg->version.judgement = version_judge(r->version, &r->peer.version.id);
}

/* --- In words ------------------------------------------------------------------------- */

static size_t explain_state(const struct role *r, uint64_t now, char *buf, size_t len, size_t used)
{
	const uint64_t t = now - r->since_ms;

	used = role_text_add(buf, len, used, "State %s for %llu.%llu s under term %llu: %s.\n",
			     role_state_name(r->state), (unsigned long long)(t / 1000),
			     (unsigned long long)(t % 1000 / 100), (unsigned long long)r->term,
			     r->reason);
	switch (r->state) {
	case HA_INIT:
		if (r->kept)
			used = role_text_add(buf, len, used,
					     "Holds the connections of before it was stopped.\n");
		if (r->good_since_ms != 0)
			return role_text_add(
				buf, len, used, "Waits for start_delay (%u ms)%s.\n",
				r->cfg.start_delay_ms,
				role_peer_starts_first(r, now)
					? ", and as long again for the peer that goes first"
					: "");
		return role_text_add(buf, len, used, "Waits for %s before start_delay begins.\n",
				     role_ports_up(r) ? "a witness on each VIP link"
						      : "ports with link");
	case HA_ACTIVE:
	case HA_HANDOVER:
		if (r->lease_ms == ROLE_LEASE_NONE)
			return role_text_add(buf, len, used,
					     "Forwards without a lease: no peer in reach.\n");
		if (now >= r->lease_ms)
			return role_text_add(buf, len, used,
					     "The lease has lapsed: VIP traffic is dropped.\n");
		return role_text_add(buf, len, used, "Forwards under a lease for %llu ms more.\n",
				     (unsigned long long)(r->lease_ms - now));
	case HA_BACKUP:
		if (r->synchronised && r->unbound > 0)
			return role_text_add(buf, len, used,
					     "Holds the peer's connections but for %u, whose "
					     "service or server is unknown here.\n",
					     r->unbound);
		return role_text_add(buf, len, used, "Holds %s of the peer's connections.\n",
				     r->synchronised ? "all" : "not all");
	case HA_FENCED:
		return role_text_add(buf, len, used, "Waits for the peer to be active.\n");
	case HA_MAINTENANCE:
		return role_text_add(buf, len, used,
				     "Does not take over whatever happens, until "
				     "`plvsctl ha maintenance off`.\n");
	default:
		return used;
	}
}

static size_t explain_peer(const struct role *r, uint64_t now, char *buf, size_t len, size_t used)
{
	const uint64_t ago = now - r->peer.fresh_ms;
	char alarm[ROLE_ALARM_LEN];

	if (!r->peer.known)
		return role_text_add(buf, len, used, "The peer was never heard.\n");
	if (role_peer_alive(r, now))
		used = role_text_add(buf, len, used,
				     "The peer is %s under term %llu, heard %llu ms ago",
				     role_state_name(r->peer.state),
				     (unsigned long long)r->peer.term, (unsigned long long)ago);
	else
		used = role_text_add(
			buf, len, used,
			"The peer was %s under term %llu when last heard, %llu.%llu s "
			"ago%s",
			role_state_name(r->peer.state), (unsigned long long)r->peer.term,
			(unsigned long long)(ago / 1000), (unsigned long long)(ago % 1000 / 100),
			r->peer.flags & HA_FLAG_STOPPING ? ", and ended in order" : "");
	for (uint8_t i = 0; i < r->cfg.n_paths; i++) {
		if (r->peer.path_ms[i] == 0 || now - r->peer.path_ms[i] > r->cfg.deadtime_ms)
			used = role_text_add(buf, len, used, "; not on %s", r->cfg.path_names[i]);
	}
	used = role_text_add(buf, len, used, ".\n");
	if (role_peer_deaf(r, now))
		used = role_text_add(
			buf, len, used,
			"It does NOT HEAR this router: what it answers stands still.\n");
	if (role_alarm(r, now, alarm, sizeof(alarm)) > 0)
		used = role_text_add(buf, len, used, "ALARM: %s.\n", alarm);
	if (role_configuration_differs(r))
		used = role_text_add(
			buf, len, used, "Its shared configuration DIFFERS from the one here%s.\n",
			r->peer.relation == VERSION_PEER_OLDER	 ? ": it is older"
			: r->peer.relation == VERSION_PEER_NEWER ? ": it is newer"
			: r->peer.relation == VERSION_DIVERGED	 ? ": neither follows the other"
								 : "");
	return used;
}

static size_t explain_servers(const struct role *r, uint64_t now, char *buf, size_t len,
			      size_t used)
{
	const int64_t more = role_peer_sees_more(r, now);
	const bool serves = ha_state_serves(r->state);

	if (more == 0)
		return used;
	used = role_text_add(buf, len, used,
			     "The peer sees %u of %u real servers up, this router %u",
			     r->peer.servers_up, r->servers, r->servers_up);
	if ((more > 0 && serves) || (more < 0 && ha_state_serves(r->peer.state)))
		used = role_text_add(buf, len, used,
				     ": the backup sees MORE than the active router");
	return role_text_add(buf, len, used, ".\n");
}

size_t role_timers_text(const struct role *r, uint64_t now, char *buf, size_t len)
{
	const struct role_lateness worst = role_lateness(r);
	const struct ha_timers *said = &r->peer.timers;
	const bool of_peer =
		r->peer.known && said->agreed_ms != 0 && said->wish_ms > r->timers.wish_ms;

	if (of_peer)
		return role_text_add(buf, len, 0, "the peer wants %u ms, this router %u ms",
				     said->wish_ms, r->timers.wish_ms);
	if (r->timers.deadtime_ms != 0)
		return role_text_add(buf, len, 0, "configured");
	if (r->peer.known && said->agreed_ms == 0)
		return role_text_add(buf, len, 0, "auto: the peer cannot agree, it is older");
	if (!role_deadtime_is_measured(r, now))
		return role_text_add(buf, len, 0, "auto: the first %u s are measured",
				     ROLE_MEASURE_MS / 1000);
	if (r->timers.stalled && role_deadtime_supported(r) < r->timers.wish_ms)
		return role_text_add(buf, len, 0,
				     "auto: something was more than %u ms late since the start",
				     ROLE_LATENESS_STALL_MS);
	if (worst.own_ms <= ROLE_LATENESS_USUAL_MS && worst.peer_ms <= ROLE_LATENESS_USUAL_MS)
		return role_text_add(buf, len, 0, "auto: the floor, nothing was late");
	return role_text_add(buf, len, 0,
			     "auto: in the last 5 minutes this router was %u ms late at most, the "
			     "peer's heartbeats %u ms",
			     worst.own_ms, worst.peer_ms);
}

static size_t explain_timers(const struct role *r, uint64_t now, char *buf, size_t len, size_t used)
{
	char why[ROLE_REASON_LEN];

	role_timers_text(r, now, why, sizeof(why));
	used = role_text_add(buf, len, used, "Heartbeats every %u ms, deadtime %u ms (%s).\n",
			     r->cfg.keepalive_ms, r->cfg.deadtime_ms, why);
	if (role_deadtime_is_measured(r, now) && role_deadtime_supported(r) > r->cfg.deadtime_ms)
		used = role_text_add(buf, len, used,
				     "This host and its paths bear a deadtime of %u ms, no less.\n",
				     role_deadtime_supported(r));
	return used;
}

size_t role_explain(const struct role *r, uint64_t now_ms, char *buf, size_t len)
{
	const uint8_t failures = role_failback_failures(r);
	const char *waits = role_failback_waits(r, now_ms);
	size_t used = 0;

	if (len == 0)
		return 0;
	buf[0] = '\0';
	used = explain_state(r, now_ms, buf, len, used);
	if (!r->cfg.has_peer)
		return used;
	used = explain_peer(r, now_ms, buf, len, used);
	used = explain_timers(r, now_ms, buf, len, used);
	used = witness_text(r, now_ms, buf, len, role_text_add(buf, len, used, "Witnesses: "));
	used = role_text_add(buf, len, used, ".\n");
	used = explain_servers(r, now_ms, buf, len, used);
	if (r->failback_held)
		used = role_text_add(buf, len, used,
				     "Failback waits: the role was moved by command; "
				     "`plvsctl ha reset` ends that.\n");
	else if (failures >= ROLE_FAILBACK_TRIES)
		used = role_text_add(buf, len, used,
				     "Failback failed %u times and is manual until "
				     "`plvsctl ha reset`.\n",
				     failures);
	else if (r->failback_since_ms != 0)
		used = role_text_add(
			buf, len, used, "Ready for failback for %llu of %llu s.\n",
			(unsigned long long)((now_ms - r->failback_since_ms) / 1000),
			(unsigned long long)(((uint64_t)r->cfg.failback_delay_ms << failures) /
					     1000));
	else if (waits && waits[0])
		used = role_text_add(buf, len, used, "Failback waits for %s.\n", waits);
	return used;
}
