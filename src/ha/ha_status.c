/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "ha/ha_internal.h"
#include "ha/role/role_internal.h"
#include "ha/wire/ha_wire.h"

static void peer_fill(const struct ha *ha, uint64_t now_ms, struct ha_status *out)
{
	const struct role_peer *p = &ha->role.peer;

	out->peer.known = p->known;
	out->peer.alive = role_peer_alive(&ha->role, now_ms);
	out->peer.takes_requests = p->takes_requests;
	out->peer.deaf = role_peer_deaf(&ha->role, now_ms);
	out->peer.digest_differs = role_configuration_differs(&ha->role);
	out->peer.relation = p->relation;
	out->peer.version = p->version;
	out->peer.unbound = p->unbound;
	out->peer.state = p->state;
	out->peer.role = p->role;
	out->peer.term = p->term;
	out->peer.priority = p->priority;
	out->peer.heard_ms = p->fresh_ms ? now_ms - p->fresh_ms : UINT64_MAX;
	out->peer.sync = p->sync;
	out->peer.verdicts = p->flags & HA_FLAG_VERDICTS;
	out->peer.servers_up = p->servers_up;
}

static void role_fill_status(const struct ha *ha, uint64_t now_ms, struct ha_status *out)
{
	const struct role *r = &ha->role;

	out->has_peer = r->cfg.has_peer;
	out->state = r->state;
	out->role = r->cfg.role;
	out->term = r->term;
	out->priority = r->cfg.priority;
	out->state_ms = now_ms - r->since_ms;
	memcpy(out->reason, r->reason, sizeof(out->reason));
	role_explain(r, now_ms, out->explain, sizeof(out->explain));
	role_alarm(r, now_ms, out->alarm, sizeof(out->alarm));
	out->ready = role_ready(r, now_ms);
	out->verdicts = r->verdicts;
	out->servers = r->servers;
	out->servers_up = r->servers_up;
	out->sees_more = ha_state_serves(r->state) ? role_peer_sees_more(r, now_ms) > 0
						   : role_peer_sees_more(r, now_ms) < 0;
	out->lease_left_ms = UINT64_MAX;
	if (r->cfg.has_peer && r->lease_ms != ROLE_LEASE_NONE)
		out->lease_left_ms = r->lease_ms > now_ms ? r->lease_ms - now_ms : 0;
	memcpy(out->transitions, r->rows, sizeof(out->transitions));
	out->refused_stops = r->refused;
	out->keepalive_ms = r->cfg.keepalive_ms;
	out->deadtime_ms = r->cfg.deadtime_ms;
	role_timers_text(r, now_ms, out->deadtime_reason, sizeof(out->deadtime_reason));
	if (role_deadtime_is_measured(r, now_ms))
		out->deadtime_supported_ms = role_deadtime_supported(r);
	out->near_takeovers = r->timers.nearly;
	out->realtime = ha->realtime && (!ha->host.realtime || ha->host.realtime(ha->host.arg));
}

static void fill(const struct ha *ha, struct ha_status *out)
{
	const uint64_t now_us = ha_now_us(), now_ms = now_us / 1000;

	memset(out, 0, sizeof(*out));
	role_fill_status(ha, now_ms, out);
	peer_fill(ha, now_ms, out);
	out->grace = ha->pub->vip_flags & VIP_GRACE;
	out->frozen = ha->pub->vip_flags & VIP_FREEZE;
	out->relaying = ha->relay != NULL;
	out->relayed = ha->host.relayed ? ha->host.relayed(ha->host.arg) : 0;
	out->late_p50_us = lateness_quantile(&ha->lateness, now_us, 500);
	out->late_p99_us = lateness_quantile(&ha->lateness, now_us, 990);
	out->late_max_us = lateness_quantile(&ha->lateness, now_us, 1000);
	out->counters = ha->counters;
	peer_connections_status(ha, &out->sync);
	heartbeat_paths_status(ha, out);
	vip_links_status(ha, out);
	peer_frames_status(ha, out);
}

/* The reader may be off the CPU with the lock: then the next round publishes. */
void ha_status_publish(struct ha *ha, bool wait)
{
	if (wait)
		pthread_mutex_lock(&ha->status_lock);
	else if (pthread_mutex_trylock(&ha->status_lock) != 0)
		return;
	fill(ha, &ha->status);
	pthread_mutex_unlock(&ha->status_lock);
}

void ha_status(struct ha *ha, struct ha_status *out)
{
	pthread_mutex_lock(&ha->status_lock);
	*out = ha->status;
	pthread_mutex_unlock(&ha->status_lock);
}
