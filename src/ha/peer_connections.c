/* SPDX-License-Identifier: BSD-3-Clause */
/* Synchronisation of connections: its direction, and its path. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error_text.h"
#include "base/log.h"
#include "ha/ha_internal.h"
#include "ha/sync/sync_wire.h"

/* send NULL: there is no peer. */
struct peer_connections {
	struct identity *identity;
	struct sync_send *send;
	struct sync_recv *recv;
	struct path *paths[HA_PATHS];
	struct ha_channel channel;
	uint64_t sequence;
	uint64_t not_fresh;   /* authentic datagrams that were not believed */
	uint8_t version_told; /* of the peer, unknown here; 0: none */
	uint32_t mode;	      /* SYNC_* */
	bool sending, told_identity;
	struct ha_sync_progress progress; /* as the machine was told */
	uint32_t unbound;		  /* the same */
	bool flush_wanted;
	uint32_t flush, flush_number; /* of the machine, of the sender */
};

/* --- datagrams --- */

/* A single path is enough: lost datagrams are sent again. Returns the first path by which the peer
 * was heard within deadtime, else the path that heard the peer last; NULL: no path is open. */
static struct path *path_choose(struct ha *ha, uint64_t now_us)
{
	const uint64_t fresh_us = (uint64_t)ha->role.cfg.deadtime_ms * 1000;
	struct path *best = NULL;
	uint64_t best_us = 0;

	for (uint8_t i = 0; i < ha->config.n_paths; i++) {
		const struct path_state *s = heartbeat_path_state(ha, i);

		if (!s->open || !ha->copies->paths[i])
			continue;
		if (s->heard_us && now_us - s->heard_us < fresh_us)
			return ha->copies->paths[i];
		if (!best || s->heard_us > best_us) {
			best = ha->copies->paths[i];
			best_us = s->heard_us;
		}
	}
	return best;
}

void peer_datagram_send(struct ha *ha, uint8_t type, const void *bytes, size_t len)
{
	const uint64_t now_us = ha_now_us();
	struct path *p = path_choose(ha, now_us);
	struct ha_envelope e;

	if (!p || ha_session_is_none(&ha->fresh.peer))
		return;
	memset(&e, 0, sizeof(e));
	e.type = type;
	e.cluster_id = ha->config.cluster;
	e.session = ha->fresh.mine;
	e.heard = ha->fresh.peer;
	e.sequence = ++ha->copies->sequence;
	path_send(p, &e, bytes, len, now_us);
}

static void on_output(void *arg, const uint8_t *bytes, size_t len)
{
	peer_datagram_send(arg, HA_TYPE_SYNC, bytes, len);
}

/* Both routers of a pair run one release but for the time of an upgrade: the backup goes first.
 * Said once for each version, since datagrams of it go on coming. */
static bool version_known(struct ha *ha, struct path *p, uint8_t version)
{
	if (version >= SYNC_VERSION_LEAST && version <= SYNC_VERSION)
		return true;
	path_refuse(p, HA_WIRE_VERSION);
	if (ha->copies->version_told == version)
		return false;
	ha->copies->version_told = version;
	log_error(HA_AREA,
		  "the peer synchronises connections in version %u, and this router knows versions "
		  "%u to %u: no connections are copied until both run the same release",
		  version, SYNC_VERSION_LEAST, SYNC_VERSION);
	return false;
}

static bool on_received(void *arg, struct path *p, const struct ha_envelope *e,
			const uint8_t *payload, uint64_t now_us)
{
	struct ha *ha = arg;

	if (e->type != HA_TYPE_SYNC && e->type != HA_TYPE_BULK) {
		path_refuse(p, HA_WIRE_TYPE);
		return false;
	}
	if (!freshness_channel(&ha->fresh, &ha->copies->channel, &e->session, &e->heard,
			       e->sequence)) {
		ha->copies->not_fresh++;
		return false;
	}
	if (e->type == HA_TYPE_SYNC && e->payload_len >= 2 && !version_known(ha, p, payload[0]))
		return true;
	if (e->type == HA_TYPE_SYNC && e->payload_len >= 2 && payload[1] == SYNC_DATA)
		sync_recv_data(ha->copies->recv, payload, e->payload_len);
	else if (e->type == HA_TYPE_SYNC && e->payload_len >= 2 && payload[1] == SYNC_ACK)
		sync_send_ack(ha->copies->send, payload, e->payload_len, now_us / 1000);
	else if (e->type == HA_TYPE_BULK)
		(void)bulk_receive(&ha->bulk, payload, e->payload_len, now_us / 1000);
	ha_poll_soon(ha);
	return true;
}

static uint64_t on_now(void *arg)
{
	(void)arg;
	return ha_now_us();
}

/* --- who tells whom --- */

static void mode_set(struct ha *ha, uint32_t mode)
{
	if (mode == ha->copies->mode)
		return;
	ha->copies->mode = mode;
	ha->access.set_mode(ha->access.arg, mode);
}

/* Sets the mode of synchronisation by role and peer. */
static void direction_set(struct ha *ha, uint64_t now_ms)
{
	const struct role *r = &ha->role;
	const bool alive = role_peer_alive(r, now_ms);
	const bool serves = ha_state_serves(r->state);

	if (serves) {
		sync_recv_accept(ha->copies->recv, false, now_ms);
		mode_set(ha, alive ? SYNC_EMIT : 0);
		if (alive && !ha->copies->sending)
			sync_send_start(ha->copies->send, now_ms);
		else if (!alive && ha->copies->sending)
			sync_send_stop(ha->copies->send);
		ha->copies->sending = alive;
		return;
	}
	if (ha->copies->sending)
		sync_send_stop(ha->copies->send);
	ha->copies->sending = false;
	mode_set(ha, alive && ha_state_serves(r->peer.state) ? SYNC_HOLD : 0);
	sync_recv_accept(ha->copies->recv, true, now_ms);
}

static void peer_new(struct ha *ha)
{
	for (uint8_t i = 0; i < ha->config.n_paths; i++)
		path_forget(ha->copies->paths[i]);
	sync_recv_reset(ha->copies->recv);
	if (ha->copies->sending)
		sync_send_start(ha->copies->send, ha_now_ms());
}

void ha_known_tell(struct ha *ha)
{
	struct role_event event = {.type = ROLE_SYNC};

	event.sync.synchronised = ha->copies->progress.complete;
	event.sync.verdicts = ha->verdicts.complete;
	event.sync.servers = ha->verdicts.servers;
	event.sync.servers_up = ha->verdicts.up;
	event.sync.progress = ha->copies->progress;
	memcpy(event.sync.config_digest, ha->config_digest, HA_DIGEST_BYTES);
	memcpy(event.sync.verdict_digest, ha->verdicts.digest, HA_DIGEST_BYTES);
	event.sync.version = version_id_is_none(&ha->version.id) ? NULL : &ha->version;
	event.sync.unbound = ha->copies->unbound;
	ha_post(ha, &event);
}

/* Tells the machine how far things are. */
static void progress_tell(struct ha *ha)
{
	struct ha_sync_progress progress = {0};
	struct sync_send_status out;
	struct sync_recv_status in;

	sync_send_status(ha->copies->send, &out);
	sync_recv_status(ha->copies->recv, &in);
	progress.sent = out.position;
	progress.received = in.position;
	progress.complete = in.complete;
	progress.behind = out.behind;
	if (memcmp(&progress, &ha->copies->progress, sizeof(progress)) == 0 &&
	    in.unbound == ha->copies->unbound)
		return;
	ha->copies->progress = progress;
	ha->copies->unbound = in.unbound;
	ha_known_tell(ha);
}

void peer_connections_flush(struct ha *ha, uint32_t flush)
{
	ha->copies->flush = flush;
	ha->copies->flush_wanted = true;
	ha->copies->flush_number = sync_send_flush(ha->copies->send);
	ha_poll_soon(ha);
}

static void flush_look(struct ha *ha)
{
	struct role_event event = {.type = ROLE_FLUSHED};

	if (!ha->copies->flush_wanted ||
	    !sync_send_flushed(ha->copies->send, ha->copies->flush_number))
		return;
	ha->copies->flush_wanted = false;
	event.flush = ha->copies->flush;
	ha_post(ha, &event);
}

static uint32_t poll(struct ha *ha)
{
	const uint64_t now_ms = ha_now_ms();
	uint32_t wait_ms;

	if (!ha->copies->send)
		return UINT32_MAX;
	if (identity_poll(ha->copies->identity, ha->identities) < 0 && !ha->copies->told_identity) {
		ha->copies->told_identity = true;
		log_error(HA_AREA, "no memory for the names of services: some connections are not "
				   "told the peer");
	}
	sync_send_peer(ha->copies->send,
		       ha->role.peer.takes_fullnat ? SYNC_VERSION : SYNC_VERSION_MIXED);
	direction_set(ha, now_ms);
	wait_ms = sync_send_poll(ha->copies->send, now_ms);
	sync_recv_poll(ha->copies->recv, now_ms);
	progress_tell(ha);
	flush_look(ha);
	return wait_ms;
}

void peer_connections_take_over(struct ha *ha)
{
	if (!ha->copies->recv)
		return;
	sync_recv_poll(ha->copies->recv, ha_now_ms());
	direction_set(ha, ha_now_ms());
}

static void drain(struct ha *ha)
{
	for (uint8_t i = 0; i < ha->config.n_paths; i++)
		if (ha->copies->paths[i])
			path_drain(ha->copies->paths[i], HA_DRAIN_BUDGET, ha_now_us());
}

static void slow(struct ha *ha)
{
	for (uint8_t i = 0; i < ha->config.n_paths; i++)
		if (ha->copies->paths[i])
			path_tick(ha->copies->paths[i], ha_now_us());
}

void peer_connections_status(const struct ha *ha, struct ha_sync_status *out)
{
	struct sync_send_status s;
	struct sync_recv_status r;

	memset(out, 0, sizeof(*out));
	if (!ha->copies->send)
		return;
	sync_send_status(ha->copies->send, &s);
	sync_recv_status(ha->copies->recv, &r);
	out->synchronised = r.complete && r.unbound == 0;
	out->peer_synchronised = s.synchronised;
	out->behind = s.behind;
	out->sent = s.records;
	out->datagrams = s.datagrams;
	out->repeated = s.repeated;
	out->under_way = s.under_way;
	out->transfers = s.transfers;
	out->sheds = s.sheds;
	out->unknown = s.unknown;
	out->unreadable = s.unreadable;
	out->received = r.records;
	out->unbound = r.unbound;
	out->refused = r.refused;
	out->unbound_refused = r.unbound_refused;
	out->not_fresh = ha->copies->not_fresh;
	for (uint8_t i = 0; i < ha->config.n_paths; i++)
		for (unsigned int k = 0; ha->copies->paths[i] && k < HA_WIRE_MAX; k++)
			out->refused_as[k] += path_state(ha->copies->paths[i])->bad[k];
}

/* --- life --- */

static struct endpoint port_above(const struct endpoint *ep)
{
	struct endpoint out = *ep;

	out.port = be16_from((uint16_t)(be16_to(ep->port) + HA_SYNC_PORT_OFFSET));
	return out;
}

static int paths_open(struct ha *ha, char error[ERROR_TEXT])
{
	const struct path_ops ops = {.received = on_received, .now_us = on_now, .arg = ha};

	for (uint8_t i = 0; i < ha->config.n_paths; i++) {
		const struct ha_path_config *from = &ha->config.paths[i];
		struct path_config config = {.own = port_above(&from->local),
					     .peer = port_above(&from->peer),
					     .cluster_id = ha->config.cluster,
					     .buffer = HA_SYNC_BUFFER};
		int ret;

		snprintf(config.name, sizeof(config.name), "%s, connections", from->name);
		ret = path_create(&config, ha->base, &ha->keys, &ops, &ha->copies->paths[i]);
		if (ret < 0)
			return error_text(error, ret, "node.ha.paths[%u]: %s", i, strerror(-ret));
	}
	return 0;
}

static int start(struct ha *ha, char error[ERROR_TEXT])
{
	struct sync_send_config send = {.access = ha->access,
					.output = on_output,
					.output_arg = ha,
					.bytes_per_s = ha->config.sync_rate};
	struct sync_recv_config recv = {
		.access = ha->access, .output = on_output, .output_arg = ha};

	ha->copies = calloc(1, sizeof(*ha->copies));
	if (!ha->copies)
		return -ENOMEM;
	if (!ha->config.role.has_peer)
		return 0;
	ha->copies->identity = identity_create();
	send.identity = recv.identity = ha->copies->identity;
	if (ha->copies->identity) {
		ha->copies->send = sync_send_create(&send);
		ha->copies->recv = sync_recv_create(&recv);
	}
	if (!ha->copies->send || !ha->copies->recv)
		return -ENOMEM;
	return paths_open(ha, error);
}

static void stop(struct ha *ha)
{
	struct peer_connections *c = ha->copies;

	if (!c)
		return;
	for (uint8_t i = 0; i < HA_PATHS; i++)
		if (c->paths[i])
			path_destroy(c->paths[i]);
	if (c->send)
		sync_send_destroy(c->send);
	if (c->recv)
		sync_recv_destroy(c->recv);
	if (c->identity)
		identity_destroy(c->identity);
	free(c);
	ha->copies = NULL;
}

const struct ha_part peer_connections_part = {
	.start = start,
	.stop = stop,
	.drain = drain,
	.poll = poll,
	.slow = slow,
	.peer_new = peer_new,
};
