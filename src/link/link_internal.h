/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_LINK_LINK_INTERNAL_H
#define PLVS_LINK_LINK_INTERNAL_H

/*
 * The link thread's state. From link_start() on only the link thread uses the members, apart from
 * the message queue (under lock) and the counters (relaxed reads by any thread).
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

/* A task for the link thread. */
struct link_msg {
	struct link_msg *next;
	void (*fn)(struct link *l, struct link_msg *msg);
	bool wait; /* on the stack of the caller, which waits; else freed here */
	bool done;
	int ret;
	uint16_t port;
	bool up;
	void *list; /* malloc: taken over */
	uint32_t n;
};

/* A TAP with its events. */
struct tap_slot {
	struct link *l;
	struct tap tap;
	struct event *event, *urgent_event;  /* urgent_event NULL: one queue */
	const struct link_vlan_config *vlan; /* NULL: of the port itself */
	char name[LINK_IFNAME_LEN];
	bool used; /* VLAN: the kernel has no VLAN interfaces, so this TAP is in use */
	bool lost; /* disappeared: the tick tries again */
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
	bool started; /* the start has succeeded or failed */
	int start_ret;
	char *start_error;

	bool ordinary; /* no real-time priority, though configured. link: wo, any: ro */

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
	unsigned int dirty; /* MIRROR_FIB, MIRROR_REREAD; 0: the published fib is up to date */
	bool force;	    /* links changed: publish even if routes are the same */
	bool all_unknown;   /* all state has to be read */
	bool vips_dirty;
	bool batch_armed;
	uint64_t build_us; /* time of the last build: sets the pause before the next */
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
/* Reads missing state; builds and publishes a fib after changes. False: not possible now, try again
 * later. */
bool netlink_apply(struct link *l);

/* carrier.c: interfaces of the creator's namespace. */
int carrier_open(struct link *l);
void carrier_close(struct link *l);
void carrier_read(struct link *l);
void carrier_set(struct link *l, uint16_t port, bool up);
/* Reads the carrier of every port from the devices. */
void carrier_look(struct link *l);
/* Every second: notices ports that receive nothing. */
void carrier_listen(struct link *l);

/* thread.c */
void *link_main(void *arg);

/* link_round.c */
/* Work is left: calls again after other events. */
void link_more(struct link *l);
/* The end of every wake. */
void link_round_end(struct link *l);

/* taps.c: all TAPs. */
/* 0 or -ENOMEM. */
int taps_init(struct link *l);
void taps_fini(struct link *l);
/* 0 or -errno with *error. */
int taps_open(struct link *l, char error[ERROR_TEXT]);
void taps_close(struct link *l);
/* Tries to make lost TAPs again. */
void taps_retry(struct link *l);
/* The interface of a link was removed. Without a TAP for the link the call does nothing. */
void taps_gone(struct link *l, link_id link);
void taps_set_carrier(struct link *l, uint16_t port);
void taps_set_mtu(struct link *l, uint16_t port, uint16_t mtu);

/* link_message.c */
/* Link thread: runs waiting messages. */
void link_messages(struct link *l);
/* The thread has ended: messages are refused, and waiting callers get -ESHUTDOWN. */
void link_messages_end(struct link *l);
/* Any thread. 0, or -ESHUTDOWN: the thread does not run. The message must live until it is done. */
int link_post(struct link *l, struct link_msg *msg);
/* Any thread. The link thread runs a copy of *from later; the list is taken over. 0 or -ENOMEM; a
 * message that comes too late is no error. */
int link_tell(struct link *l, const struct link_msg *from);
/* Any thread. Returns msg->ret when the message is done, or -ESHUTDOWN. */
int link_call(struct link *l, struct link_msg *msg);
/* malloc; NULL with *failed set, or NULL for n = 0. */
void *link_copy_array(const void *from, size_t size, uint32_t n, bool *failed);

#endif
