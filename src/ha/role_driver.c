/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <rte_cycles.h>

#include "base/log.h"
#include "ha/ha_internal.h"
#include "model/ledger_format.h"

#define RELAY_IDLE_US 1000000

/* --- words that workers read --- */

/* until_ms is of the monotonic clock, workers compare the TSC. */
static void lease_set(struct ha *ha, uint64_t until_ms)
{
	const uint64_t before = ha->pub->vip_lease;
	uint64_t lease = VIP_LEASE_NONE;

	if (until_ms != ROLE_LEASE_NONE) {
		const uint64_t now_us = ha_now_us(), tsc = rte_rdtsc();
		const uint64_t left_us = until_ms * 1000 > now_us ? until_ms * 1000 - now_us : 0;

		lease = tsc + left_us * (ha->host.tsc_hz / 1000) / 1000;
		if (left_us == 0)
			lease = VIP_LEASE_OFF;
	}
	__atomic_store_n(&ha->pub->vip_lease, lease, __ATOMIC_RELEASE);
	/* A lease that is prolonged changes nothing for a worker that sleeps. */
	if (before <= VIP_LEASE_OFF || lease <= VIP_LEASE_OFF)
		published_wake(ha->pub);
}

static void lease_off(struct ha *ha)
{
	__atomic_store_n(&ha->pub->vip_lease, (uint64_t)VIP_LEASE_OFF, __ATOMIC_RELEASE);
	published_wake(ha->pub);
}

static void flag_set(struct ha *ha, uint32_t flag, bool on)
{
	const uint32_t flags = ha->pub->vip_flags;

	__atomic_store_n(&ha->pub->vip_flags, on ? flags | flag : flags & ~flag, __ATOMIC_RELEASE);
	published_wake(ha->pub);
}

static void addresses_set(struct ha *ha, bool active)
{
	if (ha->host.set_active)
		ha->host.set_active(ha->host.arg, active);
}

/* --- relay --- */

static void relay_publish(struct ha *ha, struct relay *relay)
{
	struct relay *old = ha->relay;

	ha->relay = relay;
	__atomic_store_n(&ha->pub->relay, relay, __ATOMIC_RELEASE);
	published_wake(ha->pub);
	if (old)
		retire(&ha->retired, old, free);
}

static bool mac_known(const struct mac *m)
{
	static const struct mac none;

	return memcmp(m, &none, sizeof(none)) != 0;
}

/* Ports are compared by name: both lists are in the order of names. */
static void relay_start(struct ha *ha)
{
	struct relay *relay = calloc(1, sizeof(*relay));
	const struct role_peer *peer = &ha->role.peer;

	lease_off(ha);
	vip_links_silence(ha);
	addresses_set(ha, false);
	if (!relay) {
		log_error(HA_AREA, "no memory to relay: frames that still come here are lost");
		return;
	}
	for (uint8_t i = 0; i < ha->config.n_ports && i < peer->n_ports; i++) {
		const uint16_t port = ha->config.ports[i].port;

		if (port >= MAX_PORTS || !mac_known(&peer->ports[i].mac))
			continue;
		relay->peer[port].set = true;
		relay->peer[port].mac = peer->ports[i].mac;
	}
	relay_publish(ha, relay);
	ha->relayed = ha->host.relayed ? ha->host.relayed(ha->host.arg) : 0;
	ha->relayed_us = ha_now_us();
}

static void relay_look(struct ha *ha, uint64_t now_us)
{
	const struct role_event idle = {.type = ROLE_RELAY_IDLE};
	const uint64_t relayed = ha->host.relayed ? ha->host.relayed(ha->host.arg) : 0;

	if (relayed != ha->relayed) {
		ha->relayed = relayed;
		ha->relayed_us = now_us;
	} else if (now_us - ha->relayed_us >= RELAY_IDLE_US) {
		ha->relayed_us = now_us;
		ha_step(ha, &idle);
	}
}

void ha_act_tick(struct ha *ha, uint64_t now_us)
{
	if (ha->grace_until_ms && now_us / 1000 >= ha->grace_until_ms) {
		ha->grace_until_ms = 0;
		flag_set(ha, VIP_GRACE, false);
		log_info(HA_AREA,
			 "grace is over: packets without a connection are treated as usual");
	}
	if (ha->relay)
		relay_look(ha, now_us);
}

/* --- actions --- */

static void send_message(struct ha *ha, const struct role_send *send, bool answer)
{
	struct ha_message msg;

	memset(&msg, 0, sizeof(msg));
	role_fill(&ha->role, send, ha_now_ms(), &msg);
	msg.cluster_id = ha->config.cluster;
	if (answer)
		freshness_stamp_answer(&ha->fresh, &msg, &send->to, send->to_sequence);
	else
		freshness_stamp(&ha->fresh, &msg);
	heartbeat_paths_send(ha, &msg);
	peer_frames_send(ha, &msg);
}

static void reply(struct ha *ha, int rc, const char *text)
{
	struct ha_pending p;

	if (ha->n_pending == 0)
		return;
	p = ha->pending[0];
	memmove(ha->pending, ha->pending + 1, --ha->n_pending * sizeof(ha->pending[0]));
	if (p.done)
		p.done(p.arg, rc, text);
}

/* The state as notify scripts of keepalived have it. */
static const char *vrrp_state(enum ha_state s)
{
	switch (s) {
	case HA_ACTIVE:
		return "MASTER";
	case HA_FENCED:
	case HA_FAULT:
		return "FAULT";
	case HA_MAINTENANCE:
		return "STOP";
	default:
		return "BACKUP";
	}
}

static void programs_tell(struct ha *ha, const struct role_action *a)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:s}", "event", "ha", "state",
			      role_state_name(a->change.to), "vrrp", vrrp_state(a->change.to),
			      "was", role_state_name(a->change.from), "reason", a->text, "term",
			      (json_int_t)ha->role.term, "role",
			      ha->config.role.role == HA_ROLE_PRIMARY ? "primary" : "backup");
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	if (!text || notify_send(ha->notify, "ha", text) < 0)
		log_warning(HA_AREA, "the notify program is not told that this router is %s",
			    role_state_name(a->change.to));
	free(text);
	json_decref(o);
}

static void changed(struct ha *ha, const struct role_action *a)
{
	log_notice(HA_AREA, "%s, was %s: %s", role_state_name(a->change.to),
		   role_state_name(a->change.from), a->text);
	if (ha->notify)
		programs_tell(ha, a);
	if (ha->host.changed)
		ha->host.changed(ha->host.arg, a->change.from, a->change.to, a->text);
}

static void carry_out(struct ha *ha, const struct role_action *a)
{
	switch (a->type) {
	case ROLE_DO_SEND:
	case ROLE_DO_ANSWER:
		send_message(ha, &a->send, a->type == ROLE_DO_ANSWER);
		break;
	case ROLE_DO_LEASE:
		lease_set(ha, a->until_ms);
		break;
	case ROLE_DO_ACTIVATE:
		peer_connections_take_over(ha);
		relay_publish(ha, NULL);
		addresses_set(ha, true);
		vip_links_announce(ha);
		break;
	case ROLE_DO_ANNOUNCE:
		vip_links_announce(ha);
		break;
	case ROLE_DO_FENCE:
		lease_off(ha);
		vip_links_silence(ha);
		addresses_set(ha, false);
		break;
	case ROLE_DO_GRACE:
		ha->grace_until_ms = a->until_ms;
		flag_set(ha, VIP_GRACE, true);
		break;
	case ROLE_DO_FREEZE:
	case ROLE_DO_UNFREEZE:
		flag_set(ha, VIP_FREEZE, a->type == ROLE_DO_FREEZE);
		break;
	case ROLE_DO_SYNC_FLUSH:
		peer_connections_flush(ha, a->flush);
		break;
	case ROLE_DO_RELAY_START:
		relay_start(ha);
		break;
	case ROLE_DO_RELAY_STOP:
		relay_publish(ha, NULL);
		break;
	case ROLE_DO_NOTIFY:
		changed(ha, a);
		break;
	case ROLE_DO_LOG:
		log_write(NULL, (enum log_level)a->level, HA_AREA, "%s", a->text);
		break;
	case ROLE_DO_REPLY:
		reply(ha, a->rc, a->text);
		break;
	case ROLE_DO_QUIT:
		ha->dump = a->dump;
		ha->left_term = ha->role.term;
		if (!ha->has_left)
			sem_post(&ha->left);
		ha->has_left = true;
		break;
	}
}

/* Publishes the term, and whether this router serves and the peer is alive. The ledger keeps these
 * values for the next process, if this process is killed. */
static void duty_publish(struct ha *ha)
{
	const struct role *r = &ha->role;
	const uint64_t duty = r->term << DUTY_TERM_SHIFT |
			      (ha_state_serves(r->state) ? DUTY_SERVES : 0) |
			      (role_peer_alive(r, ha_now_ms()) ? DUTY_PEER_ALIVE : 0);

	__atomic_store_n(&ha->pub->duty, duty, __ATOMIC_RELAXED);
}

void ha_step(struct ha *ha, const struct role_event *event)
{
	struct role_actions out;

	if (ha->has_left) /* nothing more is to be decided */
		return;
	role_step(&ha->role, event, ha_now_ms(), &out);
	for (uint32_t i = 0; i < out.n; i++)
		carry_out(ha, &out.action[i]);
	duty_publish(ha);
	if (out.n)
		ha_status_publish(ha, false);
}
