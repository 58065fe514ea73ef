/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_NET_FRAME_LINK_H
#define PLVS_HA_NET_FRAME_LINK_H

/*
 * Heartbeats in Ethernet frames, without IP and UDP, on the Linux interface of a VIP link. The
 * frame has EtherType ETHER_TYPE_PEER, an experimental one of IEEE 802, and holds the same signed
 * datagram as a path. A filter for UDP or IP does not stop such a frame.
 *
 * Workers punt received frames in a class of their own (PUNT_PEER). Frames of this router leave by
 * the TAP's urgent queue.
 *
 * Context: the ha thread, in the namespace of the TAPs.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

#define FRAME_LINK_MAX 1514 /* bytes of a frame: header and datagram */

struct frame_link {
	char ifname[16];
	int fd; /* -1: not open */
	int ifindex;
	struct mac mac; /* of the interface */
};

/* Opens, or opens again after the interface was made anew. 0 or -errno (-ENODEV). */
int frame_link_open(struct frame_link *l, const char *ifname);
void frame_link_close(struct frame_link *l);
/* 0 or -errno: -ENODEV: the interface was removed, open again; -EAGAIN: try later; -EMSGSIZE. */
int frame_link_send(const struct frame_link *l, const struct mac *to, const uint8_t *datagram,
		    size_t len);
/* Takes the datagram of one frame to this router. Returns its length; 0: none waits; -errno: the
 * interface was removed. For a frame to another station the length is above 0 and too short for an
 * envelope. */
int frame_link_receive(const struct frame_link *l, uint8_t datagram[FRAME_LINK_MAX]);

#endif
