/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/error_text.h"
#include "ha/role/role_internal.h"

#include <errno.h>
#include <stdio.h>

bool role_ports_up(const struct role *r)
{
	for (uint8_t i = 0; i < r->n_ports; i++) {
		if (r->ports[i].configured > 0 && r->ports[i].up == 0)
			return false;
	}
	return true;
}

bool role_ready(const struct role *r, uint64_t now_ms)
{
	return role_ports_up(r) && role_witnesses_answer(r, now_ms);
}

int role_ports_compare(const struct ha_port_role *a, uint8_t n_a, const struct ha_port_role *b,
		       uint8_t n_b)
{
	bool better = false, worse = false;

	if (n_a != n_b)
		return 0;
	for (uint8_t i = 0; i < n_a; i++) {
		/* Shares, so that routers with bonds of different width compare. */
		const int x = a[i].up * b[i].configured, y = b[i].up * a[i].configured;

		better |= x > y;
		worse |= x < y;
	}
	return better == worse ? 0 : better ? 1 : -1;
}

int role_rank(uint16_t priority, enum ha_role role, const struct role_config *mine)
{
	if (priority != mine->priority)
		return priority > mine->priority ? 1 : -1;
	if (role != mine->role)
		return role == HA_ROLE_PRIMARY ? 1 : -1;
	return 0;
}

/* Also of two that are configured alike: both come to the same. Never 0. */
static int rank_order(uint16_t priority, enum ha_role role, const struct ha_session *session,
		      const struct role_config *mine)
{
	const int rank = role_rank(priority, role, mine);

	if (rank != 0)
		return rank;
	return memcmp(session->byte, mine->session.byte, sizeof(session->byte)) > 0 ? 1 : -1;
}

int64_t role_peer_sees_more(const struct role *r, uint64_t now_ms)
{
	const struct role_peer *p = &r->peer;

	if (!role_peer_alive(r, now_ms) || role_configuration_differs(r) || !r->verdicts ||
	    !(p->flags & HA_FLAG_VERDICTS))
		return 0;
	return (int64_t)p->servers_up - r->servers_up;
}

bool role_configuration_differs(const struct role *r)
{
	const struct role_peer *p = &r->peer;

	if (!p->known)
		return false;
	if (p->relation == VERSION_NONE)
		return memcmp(p->version.digest, r->config_digest, HA_DIGEST_BYTES) != 0;
	return p->relation != VERSION_EQUAL;
}

bool role_versions_hinder(const struct role *r)
{
	return r->peer.relation != VERSION_NONE && r->peer.relation != VERSION_EQUAL;
}

enum role_clash role_clash(const struct role *r)
{
	const struct role_peer *p = &r->peer;

	if (!p->known)
		return ROLE_CLASH_NONE;
	if (p->role == r->cfg.role)
		return ROLE_CLASH_ROLE;
	if (p->priority != r->cfg.priority &&
	    (p->priority > r->cfg.priority) != (p->role == HA_ROLE_PRIMARY))
		return ROLE_CLASH_PRIORITY;
	return ROLE_CLASH_NONE;
}

bool role_holds_alone(const struct role *r, uint64_t now)
{
	return !role_peer_alive(r, now) && (r->synchronised || r->kept || r->activated_ms != 0);
}

/* Of two that could serve. */
static bool peer_is_better(const struct role *r)
{
	const struct role_peer *p = &r->peer;
	const bool mine = r->synchronised || r->kept;
	const bool theirs = p->flags & (HA_FLAG_SYNCHRONISED | HA_FLAG_KEPT);
	const int ports = role_ports_compare(p->ports, p->n_ports, r->ports, r->n_ports);

	if (ports != 0)
		return ports > 0;
	if (theirs != mine)
		return theirs;
	return rank_order(p->priority, p->role, &p->session, &r->cfg) > 0;
}

bool role_peer_goes_first(const struct role *r, uint64_t now)
{
	const struct role_peer *p = &r->peer;

	return role_peer_alive(r, now) && (p->flags & HA_FLAG_READY) &&
	       (p->state == HA_BACKUP || p->state == HA_TAKEOVER || p->state == HA_FENCED) &&
	       peer_is_better(r);
}

bool role_peer_starts_first(const struct role *r, uint64_t now)
{
	const struct role_peer *p = &r->peer;

	return role_peer_alive(r, now) && p->state == HA_INIT && !(p->flags & HA_FLAG_STOPPING) &&
	       (p->witnesses > 0 || !role_asks_witnesses(r)) && peer_is_better(r);
}

uint64_t role_due(const struct role *r, uint64_t now)
{
	uint64_t due = r->no_active_ms + r->cfg.deadtime_ms;

	/* The peer should go first and may still fail to, so this router waits two deadtimes
	 * longer. */
	if (role_peer_goes_first(r, now))
		due += UINT64_C(2) * r->cfg.deadtime_ms;
	return due > r->stale_until_ms ? due : r->stale_until_ms;
}

uint64_t role_own_term(const struct ha_message *msg)
{
	switch (msg->type) {
	case HA_MSG_STOP:
	case HA_MSG_HANDOVER_PREPARE:
	case HA_MSG_HANDOVER_READY:
	case HA_MSG_HANDOVER_COMMIT:
		return msg->term > 0 ? msg->term - 1 : 0;
	default:
		return msg->term;
	}
}

int role_conflict_order(const struct role *r, const struct ha_message *msg, uint64_t my_term)
{
	const uint64_t term = role_own_term(msg);

	if (term != my_term)
		return term > my_term ? 1 : -1;
	return rank_order(msg->priority, msg->role, &msg->session, &r->cfg);
}

/* Counted by the router that was asked, so that the one that failed need not remember. */
uint8_t role_failback_failures(const struct role *r)
{
	return r->failback_failures > r->peer.failback_failures ? r->failback_failures
								: r->peer.failback_failures;
}

static bool ports_all_up(const struct role *r)
{
	for (uint8_t i = 0; i < r->n_ports; i++) {
		if (r->ports[i].up < r->ports[i].configured)
			return false;
	}
	return true;
}

const char *role_failback_waits(const struct role *r, uint64_t now_ms)
{
	if (r->cfg.failback != HA_FAILBACK_AUTO || r->failback_held || r->stopping ||
	    r->state != HA_BACKUP || role_failback_failures(r) >= ROLE_FAILBACK_TRIES ||
	    !role_peer_alive(r, now_ms) || r->peer.state != HA_ACTIVE ||
	    role_rank(r->peer.priority, r->peer.role, &r->cfg) >= 0)
		return NULL;
	if (!ports_all_up(r))
		return "a port";
	if (!role_ready(r, now_ms))
		return "a witness on each VIP link";
	if (r->peer.relation == VERSION_DIVERGED)
		return "one configuration: the two have diverged";
	if (role_versions_hinder(r))
		return "the peer's configuration, or the peer for this one";
	if (!r->synchronised)
		return "all connections of the peer";
	if (r->unbound > 0)
		return "services and servers of the peer's connections";
	return r->verdicts ? "" : "a verdict of every health check";
}

void role_config_defaults(struct role_config *cfg)
{
	memset(cfg, 0, sizeof(*cfg));
	cfg->has_peer = true;
	cfg->keepalive_ms = 50;
	cfg->deadtime_ms = 200;
	cfg->start_delay_ms = 5000;
	cfg->failback_delay_ms = 60000;
	cfg->grace_ms = 10000;
	cfg->handover_sync_ms = 10000;
	cfg->handover_freeze_ms = 1000;
	cfg->failback = HA_FAILBACK_AUTO;
	cfg->role = HA_ROLE_PRIMARY;
	cfg->priority = 100;
}

int role_config_check(const struct role_config *cfg, char error[ERROR_TEXT])
{
	if (!cfg->has_peer)
		return 0;
	if (cfg->keepalive_ms == 1)
		error_text(error, 0, "ha.keepalive: %u ms is less than 2 ms", cfg->keepalive_ms);
	else if (cfg->deadtime_ms > HA_DEADTIME_MAX_MS)
		error_text(error, 0, "ha.deadtime: %u ms is more than 60 s", cfg->deadtime_ms);
	else if (cfg->deadtime_ms != 0 && cfg->keepalive_ms != 0 &&
		 cfg->deadtime_ms < 3 * cfg->keepalive_ms + 3)
		error_text(
			error, 0,
			"ha.deadtime: %u ms is not more than 3 keepalives of %u ms (4 or more are "
			"better)",
			cfg->deadtime_ms, cfg->keepalive_ms);
	else if (cfg->n_paths < 1 || cfg->n_paths > ROLE_MAX_PATHS)
		error_text(error, 0, "ha.paths: %u are not 1 to %u", cfg->n_paths, ROLE_MAX_PATHS);
	else if (cfg->n_vip_links > ROLE_MAX_VIP_LINKS)
		error_text(error, 0, "ha: %u links with VIPs are more than %u", cfg->n_vip_links,
			   ROLE_MAX_VIP_LINKS);
	else
		return 0;
	return -EINVAL;
}
