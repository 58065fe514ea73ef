/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_PUBLISHED_H
#define PLVS_MODEL_PUBLISHED_H

/*
 * Pointers that cross planes, and the rule to free what they pointed to.
 *
 * A publisher stores its pointer with release order, then, if connections may have to
 * resolve again, adds one to resolve_gen. A worker loads resolve_gen (acquire) before
 * the pointers, once per burst: a connection resolved under generation g used
 * pointers at least as new as g.
 *
 * Old objects are retired: kept until every worker has passed a quiescent state.
 */

#include <stdbool.h>
#include <stdint.h>

#include "model/check_ports.h"
#include "model/fib.h"
#include "model/nexthop.h"
#include "model/runtime.h"
#include "model/snapshot.h"

/* Grace periods. Filled in by the data plane (QSBR); tests give a grace period that is always over.
 * start and passed may be called from any thread but a worker. */
struct grace {
	uint64_t (*start)(void *arg);
	bool (*passed)(void *arg, uint64_t token);
	void *arg;
};

/*
 * The right to act for VIPs (and, in ARP, for gateway addresses) is one word, so that a takeover
 * or a fence is one store and never waits for control. Workers read the word at the start of a
 * round and again before each transmit burst.
 */
#define VIP_LEASE_NONE 0 /* no peer that could take over: active, without a deadline */
#define VIP_LEASE_OFF  1 /* not active */

/* A packet without a connection may belong to a connection of the peer that is not known yet: no
 * RST is sent, and no reply of a server is routed untranslated. */
#define VIP_GRACE 0x1U
/* No new connections: the peer is about to take over. */
#define VIP_FREEZE 0x2U

/* The ports of the peer that took over; immutable. Frames for VIPs, and frames from NAT servers
 * through the gateway address, go to the peer while neighbours still send them here. */
struct relay {
	struct {
		bool set;
		struct mac mac; /* of the peer's port of the same name */
	} peer[MAX_PORTS];
};

/*
 * Packets for the router's own addresses that are more urgent than others: heartbeats and
 * synchronisation (PUNT_HA), routing daemons (PUNT_ROUTING). Workers ask only for packets that are
 * punted anyway. The peer's address is part of a rule so that a flood from elsewhere does not use
 * up the budget of the class.
 */
#define PUNT_RULES_MAX 64

struct punt_rule {
	struct addr own;      /* destination; zero = any address of the router's own */
	struct addr peer;     /* source; zero = any. Both are of one family */
	uint16_t first, last; /* destination ports, host order; with `from` source ports */
	uint8_t proto;
	uint8_t class; /* enum punt_class */
	bool from;
};

struct punt_rules {
	uint32_t n;
	struct punt_rule rule[PUNT_RULES_MAX];
};

struct published {
	struct snapshot *snapshot; /* control: wo (release), worker: ro */
	struct fib *fib;	   /* link: wo (release), worker: ro */
	uint16_t n_workers;	   /* set before the first service is built; 0: none */
	uint32_t resolve_gen;	   /* control, link: atomic add; worker: ro. From 1 on */
	uint64_t vip_lease;	   /* ha: wo; worker: ro. VIP_LEASE_*, or the TSC of its end */
	uint32_t vip_flags;	   /* ha: wo; worker: ro. VIP_* */
	const struct relay *relay; /* ha: wo (release), worker: ro. NULL: nothing is relayed */
	const struct punt_rules *punt_rules; /* set before workers start; NULL = none */
	/* Set before workers start; NULL = checks are packets like any other. */
	const struct check_ports *check_ports;
	uint32_t sync; /* ha: wo; worker: ro. SYNC_*: sync_event.h */
	uint64_t duty; /* ha: wo (relaxed); ledger thread: ro. DUTY_*: ledger_format.h */
	struct nexthop_table nexthops;
	struct runtime runtime;
	struct grace grace;
	void (*wake)(void *arg); /* set before workers start; see published_wake() */
	void *wake_arg;
};

/* Wakes workers that sleep, so that they read the published words now and not at their next tick.
 * The start of a grace period wakes them as well. Any thread but a worker. */
static inline void published_wake(const struct published *p)
{
	if (p->wake)
		p->wake(p->wake_arg);
}

/* Not a generation: marks a connection that was ended (dataplane/stages/ended.h). */
#define GEN_ENDED 0U

static inline void published_raise_gen(struct published *p)
{
	if (__atomic_add_fetch(&p->resolve_gen, 1, __ATOMIC_ACQ_REL) == GEN_ENDED)
		__atomic_fetch_add(&p->resolve_gen, 1, __ATOMIC_ACQ_REL);
}

/* A list of things to free after their grace period; one per thread that publishes. */
struct retired {
	void *object;
	void (*destroy)(void *object);
	uint64_t token;
};

struct retire_list {
	const struct grace *grace;
	struct retired *items;
	uint32_t head, n, capacity;
};

void retire_list_init(struct retire_list *l, const struct grace *grace);
/* Frees all objects without waiting: only after workers have stopped. */
void retire_list_fini(struct retire_list *l);
/* Never fails: without memory for the list, the call waits for the grace period. */
void retire(struct retire_list *l, void *object, void (*destroy)(void *object));
/* Frees objects whose grace period is over. Returns the number of objects left. Call from a timer.
 * */
uint32_t retire_poll(struct retire_list *l);

#endif
