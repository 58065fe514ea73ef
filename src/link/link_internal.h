/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_LINK_LINK_INTERNAL_H
#define PLVS_LINK_LINK_INTERNAL_H

/*
 * The link thread's state. All members are the link thread's alone from link_start() on, but the
 * message queue (under lock) and the counters (relaxed reads by anyone).
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "base/error_text.h"
#include "link/hops.h"
#include "link/link.h"
#include "link/mirror.h"
#include "link/nlreq.h"
#include "link/pump.h"
#include "link/reserve.h"
#include "link/silence.h"
#include "link/tap.h"
#include "link/vips.h"

#define LINK_AREA "link"

#define LINK_SET(counter, n) __atomic_store_n(&(counter), (n), __ATOMIC_RELAXED)
#define LINK_COUNT(counter)  LINK_SET(counter, (counter) + 1)

/* Something to do in the link thread. */
struct link_msg {
	struct link_msg *next;
	void (*fn)(struct link *l, struct link_msg *msg);
	bool wait; /* on the caller's stack, who waits; else freed here */
	bool done;
	int ret;
	uint16_t port;
	bool up;
	void *list; /* malloc: taken over */
	uint32_t n;
};

/* A TAP and what goes with it. */
struct tap_slot {
	struct link *l;
	struct tap tap;
	struct event *event, *urgent_event;  /* urgent_event NULL: one queue */
	const struct link_vlan_config *vlan; /* NULL: of the port itself */
	char name[LINK_IFNAME_LEN];
	bool used; /* VLAN: the kernel has no VLAN interfaces, this TAP stands for it */
	bool lost; /* disappeared: tried again by the tick */
	bool told_lost;
};

struct link {
	/* --- set by link_create(), then read only --- */
	struct link_config config; /* a deep copy */
	struct reserve reserve;
	struct published *pub;
	struct exchange *exchange;

	/* --- any thread, under lock --- */
	pthread_mutex_t lock;
	pthread_cond_t cond;
	struct link_msg *first, *last;
	bool running; /* messages are taken */
	bool started; /* the start is over, well or not */
	int start_ret;
	char *start_error;

	bool ordinary; /* no real-time priority, though there should be. link: wo, any: ro */

	/* --- link thread --- */
	pthread_t thread;
	bool joinable;
	bool stop;
	int msg_fd;
	struct event_base *base;
	struct event *ev_msg, *ev_wake, *ev_netlink, *ev_host, *ev_more, *ev_batch, *ev_tick,
		*ev_look;
	struct tap_slot *slots; /* [n_slots]: one per port, then one per configured VLAN */
	uint32_t n_slots;
	bool carrier[MAX_PORTS];
	struct silence silence[MAX_PORTS];
	uint16_t port_mtu[MAX_PORTS];
	bool check_tap[MAX_PORTS];  /* MAC or MTU may differ from the port's */
	struct nlreq req;	    /* in the TAPs' namespace */
	struct nlreq host_req;	    /* in the creator's */
	struct mnl_socket *netlink; /* events of the TAPs' namespace */
	struct mnl_socket *host;    /* events of kernel_if, or NULL */
	uint8_t *netlink_buf;
	struct mirror mirror;
	struct hops hops;
	struct vips vips;
	struct pump pump;
	struct retire_list retired;
	struct link_fib_route *routes; /* of the published fib */
	uint32_t n_routes;
	unsigned int dirty; /* MIRROR_FIB, MIRROR_REREAD; 0: published is what Linux has */
	bool force;	    /* links changed: publish even if routes are the same */
	bool all_unknown;   /* everything has to be read */
	bool vips_dirty;
	bool batch_armed;
	uint64_t build_us; /* how long the last build took: spaces out the next */
	bool told_over, told_malformed;

	bool interface_up[MAX_PORTS]; /* of kernel_if */
	struct link_port_counters port_counters[MAX_PORTS];
	struct link_counters counters;
};

/* netlink_events.c: netlink in, fib out. */
int netlink_open(struct link *l);
void netlink_close(struct link *l);
/* Takes up to budget datagrams. True: there may be more. */
bool netlink_read(struct link *l, unsigned int budget);
/* Reads what is unknown, builds and publishes if anything changed. False: could not, try
 * again later. */
bool netlink_apply(struct link *l);

/* carrier.c: interfaces of the creator's namespace. */
int carrier_open(struct link *l);
void carrier_close(struct link *l);
void carrier_read(struct link *l);
void carrier_set(struct link *l, uint16_t port, bool up);
/* Asks the devices of all ports: the carrier of every port is up to date. */
void carrier_look(struct link *l);
/* Every second: notices ports that receive nothing. */
void carrier_listen(struct link *l);

/* thread.c */
void *link_main(void *arg);

/* link_round.c */
/* Something is left to do: come back after the others ran. */
void link_more(struct link *l);
/* Every wake ends here. */
void link_round_end(struct link *l);

/* taps.c: all TAPs. */
/* 0 or -ENOMEM. */
int taps_init(struct link *l);
void taps_fini(struct link *l);
/* 0 or -errno with *error. */
int taps_open(struct link *l, char error[ERROR_TEXT]);
void taps_close(struct link *l);
/* Tries to make again what is lost. */
void taps_retry(struct link *l);
/* The interface of a link went. Without a TAP for the link the call does nothing. */
void taps_gone(struct link *l, link_id link);
void taps_set_carrier(struct link *l, uint16_t port);
void taps_set_mtu(struct link *l, uint16_t port, uint16_t mtu);

/* link_message.c */
/* Link thread: does what waits. */
void link_messages(struct link *l);
/* The thread has ended: nothing is taken any more, and those who wait get -ESHUTDOWN. */
void link_messages_end(struct link *l);
/* Any thread. 0, or -ESHUTDOWN: nobody takes it. The message stays until it is done. */
int link_post(struct link *l, struct link_msg *msg);
/* Any thread. A copy of *from is done by the link thread some time; its list is taken over.
 * 0 or -ENOMEM; a message that comes too late is no error. */
int link_tell(struct link *l, const struct link_msg *from);
/* Any thread. Returns msg->ret once it is done, or -ESHUTDOWN. */
int link_call(struct link *l, struct link_msg *msg);
/* malloc; NULL with *failed set, or NULL for n = 0. */
void *link_copy_array(const void *from, size_t size, uint32_t n, bool *failed);

#endif
