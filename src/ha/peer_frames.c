/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Heartbeats in Ethernet frames on the VIP links. A filter for UDP between the paths' addresses
 * would make two routers active that see each other's ARP all the time. So while no path brings
 * anything, each message goes to the peer's MAC on each VIP link as well, signed as on a path, and
 * what comes that way is judged as what comes by a path. A VIP link without a path has such frames
 * always.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error_text.h"
#include "base/log.h"
#include "ha/ha_internal.h"
#include "ha/wire/ha_wire.h"

#define FRAMES_A_ROUND 64 /* frames of a link before others run */

/* Heartbeats in Ethernet frames on a VIP link. */
struct frames_of_link {
	struct ha *ha;
	struct frame_link link;
	struct event *event;
	uint64_t sent, received, refused; /* received: authentic */
	uint64_t sent_us, heard_us;
};

struct peer_frames {
	struct frames_of_link links[ROLE_MAX_VIP_LINKS];
};

static bool receive_one(struct ha *ha, struct frames_of_link *f, uint8_t i, const uint8_t *datagram,
			size_t n)
{
	struct ha_envelope e;
	const uint8_t *payload;
	enum ha_wire_error error =
		ha_envelope_open(&ha->keys, ha->config.cluster, datagram, n, &e, &payload);
	bool believed = false;

	if (error == HA_WIRE_OK)
		error = heartbeat_received(ha, ROLE_PATH_FRAME(i), &e, payload, &believed);
	if (error != HA_WIRE_OK) {
		f->refused++;
		return false;
	}
	f->received++;
	return believed;
}

static void frames_lost(struct frames_of_link *f)
{
	if (f->event)
		event_free(f->event);
	f->event = NULL;
	frame_link_close(&f->link);
}

static void frames_read(struct ha *ha, uint8_t i, unsigned int budget)
{
	struct frames_of_link *f = &ha->frames->links[i];
	uint8_t datagram[FRAME_LINK_MAX];
	int n = 0;

	while (budget-- && f->link.fd >= 0 && (n = frame_link_receive(&f->link, datagram)) > 0) {
		if (receive_one(ha, f, i, datagram, (size_t)n))
			f->heard_us = ha_now_us();
	}
	if (n < 0)
		frames_lost(f);
}

static void on_frame(evutil_socket_t fd, short what, void *arg)
{
	struct frames_of_link *f = arg;

	(void)fd;
	(void)what;
	frames_read(f->ha, (uint8_t)(f - f->ha->frames->links), FRAMES_A_ROUND);
}

static void drain(struct ha *ha)
{
	for (uint8_t i = 0; i < ha->config.n_links; i++)
		frames_read(ha, i, HA_DRAIN_BUDGET);
}

static void send_one(struct ha *ha, uint8_t i, const uint8_t *datagram, size_t n)
{
	struct frames_of_link *f = &ha->frames->links[i];
	struct mac to;
	int ret;

	if (f->link.fd < 0 || !vip_links_peer_mac(ha, i, &to))
		return;
	ret = frame_link_send(&f->link, &to, datagram, n);
	if (ret == -ENODEV)
		frames_lost(f);
	if (ret == 0)
		f->sent++;
}

void peer_frames_send(struct ha *ha, const struct ha_message *msg)
{
	uint8_t payload[HA_MESSAGE_BYTES], datagram[HA_DATAGRAM_MAX];
	const uint64_t now_us = ha_now_us();
	struct ha_envelope e = {0};
	int n = 0;

	for (uint8_t i = 0; i < ha->config.n_links; i++) {
		const uint64_t every_us = 1000ULL * role_frame_period(&ha->role, i, now_us / 1000);
		struct frames_of_link *f = &ha->frames->links[i];

		/* At keepalive rate with each message: one of them may not wait for the next. */
		if (every_us == 0 || (every_us > 1000ULL * ha->role.cfg.keepalive_ms &&
				      now_us - f->sent_us < every_us))
			continue;
		if (n == 0 && ha_message_encode(msg, &e, payload) == 0)
			n = ha_envelope_seal(&ha->keys, &e, payload, sizeof(payload), datagram,
					     sizeof(datagram));
		if (n <= 0)
			return;
		f->sent_us = now_us;
		send_one(ha, i, datagram, (size_t)n);
	}
}

/* Opens what is not open: a TAP may come later, or go and come back. */
static void slow(struct ha *ha)
{
	for (uint8_t i = 0; ha->config.role.has_peer && i < ha->config.n_links; i++) {
		struct frames_of_link *f = &ha->frames->links[i];

		if (f->link.fd >= 0 || frame_link_open(&f->link, ha->config.links[i].ifname) < 0)
			continue;
		f->event = event_new(ha->base, f->link.fd, EV_READ | EV_PERSIST, on_frame, f);
		if (!f->event || event_add(f->event, NULL) < 0)
			frames_lost(f);
	}
}

static int start(struct ha *ha, char error[ERROR_TEXT])
{
	ha->frames = calloc(1, sizeof(*ha->frames));
	if (!ha->frames)
		return error_text(error, -ENOMEM, "out of memory");
	for (uint8_t i = 0; i < ROLE_MAX_VIP_LINKS; i++) {
		ha->frames->links[i].ha = ha;
		ha->frames->links[i].link.fd = -1;
	}
	slow(ha);
	return 0;
}

static void stop(struct ha *ha)
{
	for (uint8_t i = 0; ha->frames && i < ROLE_MAX_VIP_LINKS; i++)
		frames_lost(&ha->frames->links[i]);
	free(ha->frames);
	ha->frames = NULL;
}

void peer_frames_status(const struct ha *ha, struct ha_status *out)
{
	const uint64_t now_us = ha_now_us();

	for (uint8_t i = 0; i < ha->config.n_links; i++) {
		const struct frames_of_link *f = &ha->frames->links[i];
		struct ha_witness_status *w = &out->witnesses[i];

		w->frames_sent = f->sent;
		w->frames_received = f->received;
		w->frames_refused = f->refused;
		w->frames_heard_ms = f->heard_us ? (now_us - f->heard_us) / 1000 : UINT64_MAX;
	}
}

const struct ha_part peer_frames_part = {
	.start = start,
	.stop = stop,
	.drain = drain,
	.slow = slow,
};
