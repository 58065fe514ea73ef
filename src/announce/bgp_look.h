/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_ANNOUNCE_BGP_LOOK_H
#define PLVS_ANNOUNCE_BGP_LOOK_H

/*
 * A look for a routing daemon that exports the routes of vip_routes.h. The look lists the TCP
 * sockets with the port of BGP in the namespace of the TAPs, by NETLINK_SOCK_DIAG. The request
 * needs no right, so the router can send it after it gave up its rights.
 *
 * A daemon that starts again is away for a moment: a state that is worse than the one before holds
 * from the third look in a row on, and a better one at once. After the router's start its
 * neighbours come one after the other: the first state holds from the tenth look on, or when a
 * connection is there.
 *
 * Context: one thread; bgp_look_open() before rights are given up.
 */

#include <stdint.h>

#include "base/error_text.h"

/* X(NAME, word, meaning): from worst to best. */
#define BGP_STATES(X)                                                                              \
	X(UNKNOWN, unknown, "plvs does not know of a routing daemon")                              \
	X(MISSING, missing, "no routing daemon runs: no program has the TCP port of BGP")          \
	X(IDLE, idle, "a routing daemon runs, and no neighbour has a BGP connection with it")      \
	X(CONNECTED, connected, "a routing daemon runs, and has BGP connections")

enum bgp_state {
#define X(NAME, word, meaning) BGP_##NAME,
	BGP_STATES(X)
#undef X
		BGP_STATE_MAX
};
extern const char *const bgp_state_names[BGP_STATE_MAX];
extern const char *const bgp_state_meanings[BGP_STATE_MAX];

#define BGP_LOOKS	3  /* in a row that give the same worse state */
#define BGP_LOOKS_FIRST 10 /* the same of the first state */

struct bgp_look {
	struct mnl_socket *sock; /* NULL: Linux cannot be asked, the state stays unknown */
	uint16_t port;		 /* TCP port of the daemon; 0: no looks */
	uint32_t seq;
	enum bgp_state state;
	uint32_t listeners, sessions; /* TCP sockets at the last look */
	enum bgp_state next;	      /* of the last look */
	uint32_t agreed;	      /* looks in a row that gave `next` */
	int error;		      /* of the last look: 0 or -errno */
};

/* Opens the socket in the namespace. 0, or -errno with a sentence. */
int bgp_look_open(struct bgp_look *l, const char *netns, char error[ERROR_TEXT]);
void bgp_look_close(struct bgp_look *l);
/* Looks once. Returns the state before. */
enum bgp_state bgp_look(struct bgp_look *l);
/* The same with the answer of Linux. ret: 0 or -errno. */
enum bgp_state bgp_look_take(struct bgp_look *l, int ret, uint32_t listeners, uint32_t sessions);

#endif
