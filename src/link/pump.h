/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_LINK_PUMP_H
#define PLVS_LINK_PUMP_H

/*
 * Frames between rings and TAPs. Link thread. Work per call is bounded, so that netlink and
 * messages are not delayed for long.
 */

#include <stdbool.h>

#include "link/link.h"
#include "link/tap.h"

#define PUMP_PUNT_BUDGET   256 /* frames to Linux in one call, over all rings */
#define PUMP_INJECT_BUDGET 64  /* frames from one TAP in one call */

struct pump {
	struct exchange *exchange;
	uint16_t n_ports;
	struct tap *taps[MAX_PORTS];
	struct tap **vlan_taps[MAX_PORTS];   /* [4096] by VLAN id; NULL: none */
	struct link_port_counters *counters; /* [n_ports] */
	struct link_counters *totals;
	uint8_t *spill; /* for the rest of a frame beyond its first mbuf */
	uint16_t first; /* worker whose rings are looked at first: rotates */
};

/* 0 or -ENOMEM. */
int pump_init(struct pump *p);
void pump_fini(struct pump *p);
/* Moves frames from punt rings to TAPs, ARP of all workers first, transit last. True: there is
 * more. */
bool pump_punts(struct pump *p);
/* True: a punt or resolve ring is not empty. Call after a full fence, before sleep. */
bool pump_pending(const struct pump *p);
/* Adds a TAP that stands for a VLAN: the pump removes and adds the tag. 0 or -ENOMEM. */
int pump_add_vlan_tap(struct pump *p, struct tap *tap);
/* Moves frames from the urgent queue of a TAP to the ring that the worker empties first. Returns as
 * pump_tap(). */
int pump_tap_urgent(struct pump *p, const struct tap *tap);
/* Moves frames from a TAP to the inject ring of its port's worker. 1: there may be more, 0: empty,
 * -errno: the TAP was removed. */
int pump_tap(struct pump *p, struct tap *tap);

#endif
