/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/wire/message.h"

#include <errno.h>
#include <string.h>

#include "ha/wire/bytes.h"
#include "ha/wire/ha_wire.h"

/* Where fields of the payload begin; what lies between is sent as 0. */
enum {
	AT_ROLE = 0,
	AT_STATE = 1,
	AT_FLAGS = 2,
	AT_REASON = 3,
	AT_PRIORITY = 4,
	AT_WITNESSES = 6,
	AT_TERM = 8,
	AT_HANDOVER = 16,
	AT_FAILBACK = 20,
	AT_N_PORTS = 21,
	AT_PORTS = 24,
	AT_SYNC_SENT = 40,
	AT_SYNC_RECEIVED = 48,
	AT_SYNC_COMPLETE = 56,
	AT_SYNC_BEHIND = 57,
	AT_SERVERS_UP = 60,
	AT_CONFIG = 64,
	AT_VERDICTS = 96,
	AT_MACS = 128,
	AT_VERSION = 176,
	AT_JUDGED = 192,
	AT_JUDGEMENT = 208,
	AT_NOTES = 209,
	AT_LINKS = 210,
	AT_UNBOUND = 212,
	AT_TIMERS = 216,
};
_Static_assert(AT_PORTS + 2 * HA_MAX_PORT_ROLES == AT_SYNC_SENT, "room for all port roles");
_Static_assert(AT_VERDICTS + HA_DIGEST_BYTES == AT_MACS && AT_MACS == HA_MESSAGE_LEAST,
	       "what the first senders did not say comes last");
_Static_assert(AT_MACS + 6 * HA_MAX_PORT_ROLES == AT_VERSION, "room for all MACs");
_Static_assert(AT_UNBOUND + 4 == AT_TIMERS && VERSION_DIGEST_BYTES == HA_DIGEST_BYTES,
	       "fields of versions");
_Static_assert(AT_TIMERS + 16 == HA_MESSAGE_BYTES, "the end of the message");

#define NOTE_SECOND   0x01
#define NOTE_FRAMES   0x02
#define NOTE_REQUESTS 0x04
#define NOTE_FULLNAT  0x08

static bool time_in_range(uint16_t ms)
{
	return ms >= HA_DEADTIME_MIN_MS && ms <= HA_DEADTIME_MAX_MS;
}

static bool timers_in_range(const struct ha_timers *t)
{
	static const struct ha_timers none;

	return memcmp(t, &none, sizeof(none)) == 0 ||
	       (time_in_range(t->wish_ms) && time_in_range(t->agreed_ms) &&
		time_in_range(t->lease_base_ms) && t->number != 0 && t->keepalive_ms != 0 &&
		t->keepalive_ms <= HA_DEADTIME_MAX_MS);
}

/* The same limits for what is sent and what is believed. Flags of a later version are not
 * an error: the bits are masked. */
static bool in_range(const struct ha_message *m)
{
	return m->role >= HA_ROLE_PRIMARY && m->role <= HA_ROLE_MAX && m->state <= HA_STATE_MAX &&
	       m->reason <= HA_REASON_MAX && m->n_port_roles <= HA_MAX_PORT_ROLES &&
	       m->sync.complete <= 1 && m->sync.behind <= 1 &&
	       m->version.judgement <= VERSION_IS_FOREIGN && timers_in_range(&m->timers);
}

static bool type_known(unsigned int type)
{
	return type >= HA_MSG_HEARTBEAT && type <= HA_MSG_TYPE_MAX;
}

int ha_message_encode(const struct ha_message *m, struct ha_envelope *e,
		      uint8_t payload[HA_MESSAGE_BYTES])
{
	uint8_t *p = payload;

	if (!in_range(m) || !type_known(m->type))
		return -EINVAL;
	e->type = (uint8_t)m->type;
	e->payload_len = HA_MESSAGE_BYTES;
	e->cluster_id = m->cluster_id;
	e->session = m->session;
	e->heard = m->heard;
	e->sequence = m->sequence;
	e->heard_sequence = m->heard_sequence;
	memset(p, 0, HA_MESSAGE_BYTES);
	p[AT_ROLE] = (uint8_t)m->role;
	p[AT_STATE] = (uint8_t)m->state;
	p[AT_FLAGS] = m->flags & HA_FLAGS_KNOWN;
	p[AT_REASON] = (uint8_t)m->reason;
	put16(p + AT_PRIORITY, m->priority);
	put16(p + AT_WITNESSES, m->witnesses);
	put64(p + AT_TERM, m->term);
	put32(p + AT_HANDOVER, m->handover);
	p[AT_FAILBACK] = m->failback_failures;
	p[AT_N_PORTS] = m->n_port_roles;
	for (unsigned int i = 0; i < m->n_port_roles; i++) {
		p[AT_PORTS + 2 * i] = m->ports[i].up;
		p[AT_PORTS + 2 * i + 1] = m->ports[i].configured;
		memcpy(p + AT_MACS + 6 * i, &m->ports[i].mac, 6);
	}
	put64(p + AT_SYNC_SENT, m->sync.sent);
	put64(p + AT_SYNC_RECEIVED, m->sync.received);
	p[AT_SYNC_COMPLETE] = m->sync.complete;
	p[AT_SYNC_BEHIND] = m->sync.behind;
	put32(p + AT_SERVERS_UP, m->servers_up);
	memcpy(p + AT_CONFIG, m->config_digest, HA_DIGEST_BYTES);
	memcpy(p + AT_VERDICTS, m->verdict_digest, HA_DIGEST_BYTES);
	memcpy(p + AT_VERSION, m->version.id.byte, VERSION_ID_BYTES);
	memcpy(p + AT_JUDGED, m->version.judged.byte, VERSION_ID_BYTES);
	p[AT_JUDGEMENT] = (uint8_t)m->version.judgement;
	p[AT_LINKS] = m->links_answer;
	p[AT_NOTES] = (m->hears_second ? NOTE_SECOND : 0) | (m->asks_frames ? NOTE_FRAMES : 0) |
		      (m->takes_requests ? NOTE_REQUESTS : 0) |
		      (m->takes_fullnat ? NOTE_FULLNAT : 0);
	put32(p + AT_UNBOUND, m->unbound);
	put16(p + AT_TIMERS, m->timers.wish_ms);
	put16(p + AT_TIMERS + 2, m->timers.agreed_ms);
	put16(p + AT_TIMERS + 4, m->timers.number);
	put16(p + AT_TIMERS + 6, m->timers.echo);
	put16(p + AT_TIMERS + 8, m->timers.lease_base_ms);
	put16(p + AT_TIMERS + 10, m->timers.keepalive_ms);
	return 0;
}

static void timers_decode(const uint8_t *p, struct ha_timers *t)
{
	t->wish_ms = get16(p);
	t->agreed_ms = get16(p + 2);
	t->number = get16(p + 4);
	t->echo = get16(p + 6);
	t->lease_base_ms = get16(p + 8);
	t->keepalive_ms = get16(p + 10);
}

/* Fields that later senders appended, as far as they came. */
static void appended_decode(const struct ha_envelope *e, const uint8_t *p, struct ha_message *m)
{
	if (e->payload_len >= AT_VERSION)
		for (unsigned int i = 0; i < m->n_port_roles && i < HA_MAX_PORT_ROLES; i++)
			memcpy(&m->ports[i].mac, p + AT_MACS + 6 * i, 6);
	if (e->payload_len < AT_TIMERS)
		return;
	memcpy(m->version.id.byte, p + AT_VERSION, VERSION_ID_BYTES);
	memcpy(m->version.judged.byte, p + AT_JUDGED, VERSION_ID_BYTES);
	memcpy(m->version.digest, m->config_digest, HA_DIGEST_BYTES);
	m->version.judgement = (enum version_judgement)p[AT_JUDGEMENT];
	m->links_answer = p[AT_LINKS];
	m->hears_second = p[AT_NOTES] & NOTE_SECOND;
	m->asks_frames = p[AT_NOTES] & NOTE_FRAMES;
	m->takes_requests = p[AT_NOTES] & NOTE_REQUESTS;
	m->takes_fullnat = p[AT_NOTES] & NOTE_FULLNAT;
	m->unbound = get32(p + AT_UNBOUND);
	if (e->payload_len >= HA_MESSAGE_BYTES)
		timers_decode(p + AT_TIMERS, &m->timers);
}

enum ha_wire_error ha_message_decode(const struct ha_envelope *e, const uint8_t *payload,
				     struct ha_message *out)
{
	const uint8_t *p = payload;
	struct ha_message m;

	if (!type_known(e->type))
		return HA_WIRE_TYPE;
	if (e->payload_len < HA_MESSAGE_LEAST)
		return HA_WIRE_TRUNCATED;
	if (e->payload_len > HA_MESSAGE_ACCEPT)
		return HA_WIRE_OVERLONG;
	memset(&m, 0, sizeof(m));
	m.cluster_id = e->cluster_id;
	m.key_id = e->key_id;
	m.session = e->session;
	m.heard = e->heard;
	m.sequence = e->sequence;
	m.heard_sequence = e->heard_sequence;
	m.type = (enum ha_message_type)e->type;
	m.role = (enum ha_role)p[AT_ROLE];
	m.state = (enum ha_state)p[AT_STATE];
	m.flags = p[AT_FLAGS] & HA_FLAGS_KNOWN;
	m.reason = (enum ha_reason)p[AT_REASON];
	m.priority = get16(p + AT_PRIORITY);
	m.witnesses = get16(p + AT_WITNESSES);
	m.term = get64(p + AT_TERM);
	m.handover = get32(p + AT_HANDOVER);
	m.failback_failures = p[AT_FAILBACK];
	m.n_port_roles = p[AT_N_PORTS];
	for (unsigned int i = 0; i < m.n_port_roles && i < HA_MAX_PORT_ROLES; i++) {
		m.ports[i].up = p[AT_PORTS + 2 * i];
		m.ports[i].configured = p[AT_PORTS + 2 * i + 1];
	}
	m.sync.sent = get64(p + AT_SYNC_SENT);
	m.sync.received = get64(p + AT_SYNC_RECEIVED);
	m.sync.complete = p[AT_SYNC_COMPLETE];
	m.sync.behind = p[AT_SYNC_BEHIND];
	m.servers_up = get32(p + AT_SERVERS_UP);
	memcpy(m.config_digest, p + AT_CONFIG, HA_DIGEST_BYTES);
	memcpy(m.verdict_digest, p + AT_VERDICTS, HA_DIGEST_BYTES);
	appended_decode(e, p, &m);
	if (!in_range(&m) || ha_session_is_none(&m.session) || m.sequence == 0)
		return HA_WIRE_VALUE;
	*out = m;
	return HA_WIRE_OK;
}
