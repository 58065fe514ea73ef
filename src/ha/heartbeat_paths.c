/* SPDX-License-Identifier: BSD-3-Clause */
/* Heartbeats: paths to the peer, this router's ports, and threads that heartbeats go through. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error_text.h"
#include "base/log.h"
#include "ha/ha_internal.h"
#include "ha/wire/ha_wire.h"

#define REFUSED_TELL_US 60000000

struct heartbeat_paths {
	struct path *paths[HA_PATHS];
	uint64_t verdicts_of[HA_VERDICTS]; /* authentic messages, by the verdict */
	/* refused: datagrams that each path had refused at the last warning, by error. refused_us:
	 * the time of that warning; 0: never. */
	uint64_t refused[HA_PATHS][HA_WIRE_MAX], refused_us[HA_PATHS];
	struct ha_port_role ports[HA_MAX_PORT_ROLES];
	struct late late;
};

/* --- the peer --- */

static uint8_t path_index(const struct ha *ha, const struct path *p)
{
	uint8_t i = 0;

	while (i + 1 < ha->config.n_paths && ha->beats->paths[i] != p)
		i++;
	return i;
}

static void peer_new(struct ha *ha)
{
	for (uint8_t i = 0; i < ha->config.n_paths; i++)
		path_forget(ha->beats->paths[i]);
}

enum ha_wire_error heartbeat_received(struct ha *ha, uint8_t path, const struct ha_envelope *e,
				      const uint8_t *payload, bool *believed)
{
	struct role_event event = {.type = ROLE_MESSAGE};
	enum ha_wire_error error;
	struct ha_message msg;

	error = ha_message_decode(e, payload, &msg);
	if (error != HA_WIRE_OK)
		return error;
	event.message.msg = &msg;
	event.message.path = path;
	ha->fresh.speaks = role_peer_speaks(&ha->role, ha_now_ms());
	freshness_note_time(&ha->fresh, ha_now_ms(), ha->role.cfg.deadtime_ms);
	event.message.verdict = freshness_check(&ha->fresh, &msg, &event.message.newest);
	event.message.sent_after_ms = freshness_sent_after(&ha->fresh, &msg);
	ha->beats->verdicts_of[event.message.verdict]++;
	ha_post(ha, &event);
	*believed = event.message.verdict <= HA_COPY;
	return HA_WIRE_OK;
}

static bool on_received(void *arg, struct path *p, const struct ha_envelope *e,
			const uint8_t *payload, uint64_t now_us)
{
	struct ha *ha = arg;
	enum ha_wire_error error;
	bool believed = false;

	(void)now_us;
	error = heartbeat_received(ha, path_index(ha, p), e, payload, &believed);
	if (error != HA_WIRE_OK)
		path_refuse(p, error);
	return believed;
}

static uint64_t on_now(void *arg)
{
	(void)arg;
	return ha_now_us();
}

void heartbeat_paths_send(struct ha *ha, struct ha_message *msg)
{
	uint8_t payload[HA_MESSAGE_BYTES];
	struct ha_envelope e;

	memset(&e, 0, sizeof(e));
	if (ha_message_encode(msg, &e, payload) < 0)
		return;
	for (uint8_t i = 0; i < ha->config.n_paths; i++) {
		struct ha_envelope copy = e;

		if (ha->beats->paths[i])
			path_send(ha->beats->paths[i], &copy, payload, sizeof(payload),
				  ha_now_us());
	}
	late_wanted(&ha->beats->late, ha_now_us());
	if (ha->host.poke)
		ha->host.poke(ha->host.arg);
}

/* Begins to look for stalls of the threads that heartbeats go through. */
static void loops_start(struct ha *ha, uint64_t now_us)
{
	const uint64_t *progress[HA_LOOPS];
	bool on_demand[HA_LOOPS];
	uint16_t n = 0;

	late_init(&ha->beats->late, HA_TICK_MS * 1000, now_us);
	if (ha->host.loops && ha->config.n_paths) /* without a peer nobody has to be heard */
		n = ha->host.loops(ha->host.arg, progress, on_demand);
	for (uint16_t i = 0; i < n; i++)
		late_thread_add(&ha->beats->late, progress[i], on_demand[i], now_us);
}

static int start(struct ha *ha, char error[ERROR_TEXT])
{
	const struct path_ops ops = {.received = on_received, .now_us = on_now, .arg = ha};

	ha->beats = calloc(1, sizeof(*ha->beats));
	if (!ha->beats)
		return error_text(error, -ENOMEM, "out of memory");
	loops_start(ha, ha_now_us());
	for (uint8_t i = 0; i < ha->config.n_paths; i++) {
		const struct ha_path_config *from = &ha->config.paths[i];
		struct path_config config = {
			.own = from->local, .peer = from->peer, .cluster_id = ha->config.cluster};
		int ret;

		snprintf(config.name, sizeof(config.name), "%s", from->name);
		ret = path_create(&config, ha->base, &ha->keys, &ops, &ha->beats->paths[i]);
		if (ret < 0)
			return error_text(error, ret, "node.ha.paths[%u]: %s", i, strerror(-ret));
	}
	return 0;
}

static void stop(struct ha *ha)
{
	for (uint8_t i = 0; ha->beats && i < HA_PATHS; i++)
		if (ha->beats->paths[i])
			path_destroy(ha->beats->paths[i]);
	free(ha->beats);
	ha->beats = NULL;
}

static void drain(struct ha *ha)
{
	const uint64_t now_us = ha_now_us();

	for (uint8_t i = 0; i < ha->config.n_paths; i++)
		if (ha->beats->paths[i])
			path_drain(ha->beats->paths[i], HA_DRAIN_BUDGET, now_us);
}

/* Of a peer with another key or version nothing else is heard. Once a minute on each path:
 * anybody can send what is refused. */
static void refused_tell(struct ha *ha, uint8_t i, uint64_t now_us)
{
	const struct path_state *s = path_state(ha->beats->paths[i]);
	unsigned int most = 0;
	uint64_t n = 0;

	if (ha->beats->refused_us[i] && now_us - ha->beats->refused_us[i] < REFUSED_TELL_US)
		return;
	for (unsigned int k = 0; k < HA_WIRE_MAX; k++) {
		const uint64_t more = s->bad[k] - ha->beats->refused[i][k];

		if (more > n) {
			n = more;
			most = k;
		}
	}
	if (n == 0)
		return;
	memcpy(ha->beats->refused[i], s->bad, sizeof(ha->beats->refused[i]));
	ha->beats->refused_us[i] = now_us;
	log_warning(HA_AREA, "path %s: refused %llu datagrams as %s: %s", ha->config.paths[i].name,
		    (unsigned long long)n, ha_wire_names[most], ha_wire_helps[most]);
}

static void slow(struct ha *ha)
{
	const uint64_t now_us = ha_now_us();

	for (uint8_t i = 0; i < ha->config.n_paths; i++) {
		if (!ha->beats->paths[i])
			continue;
		path_tick(ha->beats->paths[i], now_us);
		refused_tell(ha, i, now_us);
	}
}

/* --- this router --- */

void ha_ports_look(struct ha *ha)
{
	struct role_event event = {.type = ROLE_PORTS};

	event.ports.n = ha->config.n_ports;
	for (uint8_t i = 0; i < ha->config.n_ports; i++) {
		struct ha_port_role *p = &event.ports.port[i];

		p->configured = 1;
		p->up = !ha->host.port ||
			ha->host.port(ha->host.arg, ha->config.ports[i].port, &p->mac);
	}
	if (memcmp(ha->beats->ports, event.ports.port, sizeof(ha->beats->ports)) == 0)
		return;
	memcpy(ha->beats->ports, event.ports.port, sizeof(ha->beats->ports));
	ha_post(ha, &event);
}

/* --- the picture --- */

static void path_fill(const struct ha *ha, uint8_t i, uint64_t now_us, struct ha_path_status *out)
{
	const struct ha_path_config *config = &ha->config.paths[i];
	const struct path_state *s;

	memcpy(out->name, config->name, sizeof(out->name));
	out->local = config->local;
	out->peer = config->peer;
	out->heard_ms = UINT64_MAX;
	if (!ha->beats->paths[i])
		return;
	s = path_state(ha->beats->paths[i]);
	out->open = s->open;
	out->counters = s->counters;
	out->rtt_us = s->rtt_us;
	if (s->heard_us)
		out->heard_ms = (now_us - s->heard_us) / 1000;
	for (unsigned int k = 0; k < HA_WIRE_MAX; k++)
		out->bad += s->bad[k];
	memcpy(out->refused, s->bad, sizeof(out->refused));
}

void heartbeat_paths_status(const struct ha *ha, struct ha_status *out)
{
	memcpy(out->heard, ha->beats->verdicts_of, sizeof(out->heard));
	out->n_paths = ha->config.n_paths;
	for (uint8_t i = 0; i < out->n_paths; i++)
		path_fill(ha, i, ha_now_us(), &out->paths[i]);
}

const struct path_state *heartbeat_path_state(const struct ha *ha, uint8_t i)
{
	return path_state(ha->beats->paths[i]);
}

uint64_t heartbeat_paths_late(struct ha *ha, uint64_t now_us)
{
	return late_measure(&ha->beats->late, now_us);
}

const struct ha_part heartbeat_paths_part = {
	.start = start,
	.stop = stop,
	.drain = drain,
	.slow = slow,
	.peer_new = peer_new,
};
