/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_NET_DISCOVERY_H
#define PLVS_HA_NET_DISCOVERY_H

/*
 * Packets of ARP and neighbour discovery (ND, RFC 4861) on the Linux interface of a link (its TAP
 * or VLAN interface), for questions to witnesses and for announcements of addresses. A question is
 * an ARP request or a neighbour solicitation, an answer is an ARP reply or a neighbour
 * advertisement; the family of the addresses decides between the two.
 *
 * Frames leave by the worker like all frames of Linux, urgent ones first. Received frames are those
 * that workers punt: answers, questions for the router's own addresses, announcements, and other
 * stations' claims of active addresses.
 *
 * Context: the ha thread, in the namespace of the TAPs.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "model/link_id.h"

enum discovery_op {
	DISCOVERY_QUESTION = 1,
	DISCOVERY_ANSWER = 2,
};

#define DISCOVERY_FRAME_BYTES 86 /* at most: of ND; ARP has 42 */

struct discovery_packet {
	uint8_t op;	       /* enum discovery_op */
	bool solicited;	       /* received: an answer to a question */
	struct mac dst;	       /* of the frame; broadcast: to all; when received: zero */
	struct mac sender_mac; /* discovery_send(): zero = the interface's */
	struct mac target_mac; /* ARP only */
	struct addr sender; /* of a question: the asking station; of an answer: the address of the
			       MAC */
	struct addr target; /* of a question: the address in question; of an answer: the asking
			       station, or the sender again if unsolicited */
};

struct discovery_socket {
	link_id link;
	char ifname[16];
	int fd; /* -1: not open */
	int ifindex;
	struct mac mac; /* of the interface */
};

extern const struct mac discovery_all;

/* Opens, or opens again after the interface was made anew. 0 or -errno (-ENODEV). */
int discovery_open(struct discovery_socket *s, link_id link, const char *ifname);
void discovery_close(struct discovery_socket *s);
/* 0 or -errno: -ENODEV, -ENETDOWN: the interface was removed, open again; -EAGAIN: try later. */
int discovery_send(const struct discovery_socket *s, const struct discovery_packet *p);
/* 1: *p is a packet; 0: none waits; -errno: the interface was removed. Only ARP of Ethernet and
 * IPv4 and valid solicitations and advertisements are taken; other frames are skipped. */
int discovery_receive_one(const struct discovery_socket *s, struct discovery_packet *p);

/* Write and read a frame. format: returns the length. parse: false for another kind of frame. */
size_t discovery_format(const struct discovery_packet *p, const struct mac *src,
			uint8_t f[DISCOVERY_FRAME_BYTES]);
bool discovery_parse(const uint8_t *f, size_t n, struct discovery_packet *p);

#endif
