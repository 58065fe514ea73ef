/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_LINK_TAP_H
#define PLVS_LINK_TAP_H

/*
 * A TAP interface, VLAN interfaces on it, and the sysctls of both. An existing interface keeps its
 * addresses; plvs sets up and removes interfaces that it makes. Where the kernel has no VLAN
 * interfaces (8021q), a separate TAP stands for a VLAN: the pump adds and removes the tag.
 *
 * Context: the link thread, in the namespace of the TAPs.
 */

#include <stdbool.h>

#include "base/error_text.h"
#include "link/link.h"
#include "link/nlreq.h"

struct tap {
	int fd; /* -1: not open */
	/* A separate queue for frames that Linux sends with priority 7 (heartbeats, ARP), or -1:
	 * then such frames wait behind the others in the TAP. */
	int urgent_fd;
	int ifindex;
	bool created; /* by plvs: removed with the descriptor */
	int carrier;  /* last state set in Linux; -1: none yet */
	uint16_t port;
	uint16_t vlan; /* stands for this VLAN; 0: for the port */
	/* VLAN interfaces that plvs made on a TAP that it did not make. */
	int *made_vlans;
	uint32_t n_made_vlans, max_made_vlans;
};

struct tap_want {
	const char *name;
	const struct mac *mac;
	uint16_t mtu;
	const struct link_linux *linux_side;
};

void tap_init(struct tap *t, uint16_t port, uint16_t vlan);
/* Opens a TAP (attaches or creates), sets the port's MAC and brings it up. On a created TAP sets
 * MTU, addresses and routes. 0 or -errno. */
int tap_open(struct tap *t, struct nlreq *r, const struct tap_want *want, char error[ERROR_TEXT]);
/* A VLAN interface on the TAP of a port, if it is not there yet. 0, -errno, or -EOPNOTSUPP:
 * the kernel has none. */
int tap_vlan_add(struct tap *t, struct nlreq *r, const struct link_vlan_config *vlan,
		 const char *name, char error[ERROR_TEXT]);
/* Removes all that tap_open() and tap_vlan_add() made. r NULL: the interface does not exist any
 * more. */
void tap_close(struct tap *t, struct nlreq *r);
void tap_set_carrier(struct tap *t, bool up);

/* Sets sysctls of a TAP or VLAN interface; logs failures. */
void tap_sysctls(const char *ifname);
/* Sets sysctls of the namespace that would overrule those. own: only plvs uses the namespace. */
void tap_sysctls_all(bool own);

#endif
