/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_UNIT_HA_LAB_H
#define PLVS_TESTS_UNIT_HA_LAB_H

/*
 * A role machine on a bench: 50 / 200 ms, two paths, a VIP link with three witnesses, and
 * a peer that says what the test wants. Time passes in ticks as the machine asks for them.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "ha/role/role.h"

#define KEEPALIVE 50
#define DEADTIME  200
#define LEASE	  100

struct lab {
	struct role r;
	struct role_config cfg;
	uint64_t now;
	struct role_actions out; /* of the last step */
	/* Since lab_forget(). */
	uint32_t count[ROLE_DO_QUIT + 1];
	struct role_action last[ROLE_DO_QUIT + 1];
	uint32_t sent[HA_MSG_TYPE_MAX + 1];
	struct role_send last_sent[HA_MSG_TYPE_MAX + 1];
	bool witnesses;	       /* answer at every tick */
	bool peer_speaks;      /* says `peer` at every tick */
	uint32_t under_way_ms; /* its messages, at most */
	struct ha_message peer;
};

static struct lab lab;

static inline void lab_forget(void)
{
	memset(lab.count, 0, sizeof(lab.count));
	memset(lab.sent, 0, sizeof(lab.sent));
}

static inline void lab_step(const struct role_event *ev)
{
	role_step(&lab.r, ev, lab.now, &lab.out);
	for (uint32_t i = 0; i < lab.out.n; i++) {
		const struct role_action *a = &lab.out.action[i];

		lab.count[a->type]++;
		lab.last[a->type] = *a;
		if (a->type == ROLE_DO_SEND) {
			lab.sent[a->send.type]++;
			lab.last_sent[a->send.type] = a->send;
		}
	}
}

static inline void lab_witness(uint8_t n)
{
	for (uint8_t w = 0; w < n; w++) {
		const struct role_event ev = {.type = ROLE_WITNESS,
					      .witness = {.link = 0, .witness = w}};

		lab_step(&ev);
	}
}

static inline void lab_judged(enum ha_verdict verdict, bool newest)
{
	const struct role_event ev = {
		.type = ROLE_MESSAGE,
		.message = {.msg = &lab.peer,
			    .verdict = verdict,
			    .newest = newest,
			    .sent_after_ms =
				    lab.now > lab.under_way_ms ? lab.now - lab.under_way_ms : 0}};

	lab.peer.sequence++;
	lab_step(&ev);
}

/* A fresh message of the peer as it stands in lab.peer. */
static inline void lab_hear(enum ha_message_type type, enum ha_state state)
{
	lab.peer.type = type;
	lab.peer.state = state;
	lab_judged(HA_FRESH, true);
}

static inline void lab_tick(void)
{
	const struct role_event ev = {.type = ROLE_TICK};

	if (lab.witnesses)
		lab_witness(3);
	if (lab.peer_speaks)
		lab_hear(HA_MSG_HEARTBEAT, lab.peer.state);
	lab_step(&ev);
}

/* Time passes, in ticks of at most 10 ms. */
static inline void lab_pass(uint64_t ms)
{
	const uint64_t end = lab.now + ms;

	while (lab.now < end) {
		const uint64_t next = role_next(&lab.r);

		lab.now += 10;
		if (lab.now > next && next + 10 > lab.now)
			lab.now = next;
		if (lab.now > end)
			lab.now = end;
		lab_tick();
	}
}

static inline void lab_command(enum role_command c, bool force)
{
	const struct role_event ev = {.type = ROLE_COMMAND,
				      .command = {.command = c, .force = force}};

	lab_step(&ev);
}

static inline void lab_ports(uint8_t public_up, uint8_t private_up)
{
	const struct role_event ev = {.type = ROLE_PORTS,
				      .ports = {.n = 2,
						.port = {{.up = public_up, .configured = 1},
							 {.up = private_up, .configured = 1}}}};

	lab_step(&ev);
}

static inline void lab_sync(bool synchronised)
{
	const struct role_event ev = {.type = ROLE_SYNC,
				      .sync = {.synchronised = synchronised,
					       .verdicts = true,
					       .servers = 4,
					       .servers_up = 4}};

	lab_step(&ev);
}

static inline void lab_late(uint32_t ms)
{
	const struct role_event ev = {.type = ROLE_LATE, .late_ms = ms};

	lab_step(&ev);
}

static inline void lab_flushed(void)
{
	const struct role_event ev = {.type = ROLE_FLUSHED,
				      .flush = lab.last[ROLE_DO_SYNC_FLUSH].flush};

	lab_step(&ev);
}

static inline void lab_relay_idle(void)
{
	const struct role_event ev = {.type = ROLE_RELAY_IDLE};

	lab_step(&ev);
}

/* A router that has just started, ports up, with witnesses and no peer yet. */
static inline void lab_start(void)
{
	memset(&lab, 0, sizeof(lab));
	role_config_defaults(&lab.cfg);
	lab.cfg.n_paths = 2;
	lab.cfg.n_vip_links = 1;
	lab.cfg.witnesses[0] = 3;
	snprintf(lab.cfg.path_names[0], ROLE_NAME_LEN, "public");
	snprintf(lab.cfg.path_names[1], ROLE_NAME_LEN, "private");
	snprintf(lab.cfg.vip_link_names[0], ROLE_NAME_LEN, "public");
	memset(lab.cfg.session.byte, 1, sizeof(lab.cfg.session.byte));
	lab.now = 100000;
	lab.witnesses = true;
	lab.peer = (struct ha_message){
		.type = HA_MSG_HEARTBEAT,
		.state = HA_BACKUP,
		.role = HA_ROLE_BACKUP,
		.flags = HA_FLAG_READY | HA_FLAG_SYNCHRONISED | HA_FLAG_VERDICTS,
		.priority = 50,
		.witnesses = 3,
		.servers_up = 4,
		.n_port_roles = 2,
		.ports = {{.up = 1, .configured = 1}, {.up = 1, .configured = 1}},
	};
	memset(lab.peer.session.byte, 2, sizeof(lab.peer.session.byte));
	role_init(&lab.r, &lab.cfg, lab.now);
	lab_ports(1, 1);
}

/* The machine in a state, reached by real events. Term 5, the peer last heard now. */
static inline void lab_be(enum ha_state state)
{
	lab_start();
	lab.peer.term = 5;
	switch (state) {
	case HA_INIT:
		lab_tick();
		lab_hear(HA_MSG_HEARTBEAT, HA_BACKUP);
		break;
	case HA_ACTIVE:
		lab_pass(6000);
		lab.peer.term = lab.r.term = 5;
		lab_hear(HA_MSG_HEARTBEAT, HA_BACKUP);
		break;
	case HA_BACKUP:
		lab_witness(3);
		lab_hear(HA_MSG_HEARTBEAT, HA_ACTIVE);
		lab_sync(true);
		break;
	case HA_TAKEOVER:
		lab_be(HA_BACKUP);
		lab_pass(DEADTIME);
		break;
	case HA_HANDOVER:
		lab_be(HA_ACTIVE);
		lab_command(ROLE_CMD_HANDOVER, false);
		break;
	case HA_RELAY:
		lab_be(HA_HANDOVER);
		lab.peer.handover = lab.r.give.id;
		lab.peer.term = 6;
		lab_hear(HA_MSG_HANDOVER_READY, HA_BACKUP);
		lab_flushed();
		lab_flushed();
		lab_hear(HA_MSG_HANDOVER_DONE, HA_ACTIVE);
		break;
	case HA_FENCED:
		lab_be(HA_ACTIVE);
		lab.peer.term = 6;
		lab_hear(HA_MSG_STOP, HA_TAKEOVER);
		break;
	case HA_FAULT:
		lab_be(HA_BACKUP);
		lab.witnesses = false;
		lab.now += 20; /* after their last answer */
		lab_hear(HA_MSG_HEARTBEAT, HA_ACTIVE);
		lab_pass(2 * DEADTIME);
		break;
	case HA_MAINTENANCE:
		lab_be(HA_BACKUP);
		lab_command(ROLE_CMD_MAINTENANCE, false);
		break;
	}
	assert_int_equal(lab.r.state, state);
	lab_forget();
	memset(lab.r.rows, 0, sizeof(lab.r.rows));
}

/* A hand-over by the active router, up to its commit. */
static inline void lab_to_commit(void)
{
	lab.peer.handover = lab.r.give.id;
	lab.peer.term = 6;
	lab_hear(HA_MSG_HANDOVER_READY, HA_BACKUP);
	assert_int_equal(lab.count[ROLE_DO_FREEZE], 0);
	lab_flushed();
	assert_int_equal(lab.count[ROLE_DO_FREEZE], 1);
	assert_int_equal(lab.sent[HA_MSG_HANDOVER_COMMIT], 0);
	lab_flushed();
	assert_int_equal(lab.last_sent[HA_MSG_HANDOVER_COMMIT].term, 6);
}

#endif
