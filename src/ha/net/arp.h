/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_NET_ARP_H
#define PLVS_HA_NET_ARP_H

/*
 * ARP by hand, on the Linux interface of a link (its TAP or VLAN interface): what witnesses
 * are asked with and addresses are announced by. Frames go out by the worker as all that
 * Linux sends, urgent ones first; what comes in is what workers punt: answers, questions for
 * the router's own addresses, announcements, and strangers' claims of active addresses.
 *
 * For IPv6 a sibling nd.h would send solicitations and unsolicited advertisements by a raw
 * ICMPv6 socket; witness.h, announce.h and claim.h need a family in their addresses then.
 *
 * Context: the ha thread, in the namespace of the TAPs.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "model/link_id.h"

#define ARP_REQUEST	1
#define ARP_REPLY	2
#define ARP_FRAME_BYTES 42

struct arp_packet {
	uint16_t op;	       /* ARP_REQUEST, ARP_REPLY */
	struct mac dst;	       /* of the frame; when received: zero */
	struct mac sender_mac; /* arp_send(): zero = the interface's */
	struct mac target_mac;
	be32 sender, target;
};

struct arp_socket {
	link_id link;
	char ifname[16];
	int fd; /* -1: not open */
	int ifindex;
	struct mac mac; /* of the interface */
};

extern const struct mac arp_broadcast;

/* Opens, or opens again after the interface went and came. 0 or -errno (-ENODEV). */
int arp_open(struct arp_socket *s, link_id link, const char *ifname);
void arp_close(struct arp_socket *s);
/* 0 or -errno: -ENODEV, -ENETDOWN: the interface went, open again; -EAGAIN: later. */
int arp_send(const struct arp_socket *s, const struct arp_packet *p);
/* 1: *p is a packet; 0: none waits; -errno: the interface went. What is no ARP of Ethernet
 * and IPv4 is skipped. */
int arp_receive_one(const struct arp_socket *s, struct arp_packet *p);

/* The ARP frame as it travels, and back. parse: false when it is none. */
void arp_format(const struct arp_packet *p, const struct mac *src, uint8_t f[ARP_FRAME_BYTES]);
bool arp_parse(const uint8_t *f, size_t n, struct arp_packet *p);

#endif
