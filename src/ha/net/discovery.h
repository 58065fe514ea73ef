/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_NET_DISCOVERY_H
#define PLVS_HA_NET_DISCOVERY_H

/*
 * ARP and neighbour discovery (ND, RFC 4861) by hand, on the Linux interface of a link (its TAP or
 * VLAN interface): what witnesses are asked with and addresses are announced by. Both say the
 * same: a question is an ARP request or a neighbour solicitation, an answer is an ARP reply or a
 * neighbour advertisement. The family of the addresses says which of the two.
 *
 * Frames go out by the worker as all that Linux sends, urgent ones first; what comes in is what
 * workers punt: answers, questions for the router's own addresses, announcements, and
 * strangers' claims of active addresses.
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
	struct addr sender;    /* of a question: who asks; of an answer: whose MAC is told */
	struct addr target;    /* of a question: who is asked for; of an answer: who asked,
				* or the sender again when nobody did */
};

struct discovery_socket {
	link_id link;
	char ifname[16];
	int fd; /* -1: not open */
	int ifindex;
	struct mac mac; /* of the interface */
};

extern const struct mac discovery_all;

/* Opens, or opens again after the interface went and came. 0 or -errno (-ENODEV). */
int discovery_open(struct discovery_socket *s, link_id link, const char *ifname);
void discovery_close(struct discovery_socket *s);
/* 0 or -errno: -ENODEV, -ENETDOWN: the interface went, open again; -EAGAIN: later. */
int discovery_send(const struct discovery_socket *s, const struct discovery_packet *p);
/* 1: *p is a packet; 0: none waits; -errno: the interface went. Frames but ARP of Ethernet and
 * IPv4, and valid solicitations and advertisements, are skipped. */
int discovery_receive_one(const struct discovery_socket *s, struct discovery_packet *p);

/* The frame as it travels, and back. format: bytes. parse: false when it is none. */
size_t discovery_format(const struct discovery_packet *p, const struct mac *src,
			uint8_t f[DISCOVERY_FRAME_BYTES]);
bool discovery_parse(const uint8_t *f, size_t n, struct discovery_packet *p);

#endif
