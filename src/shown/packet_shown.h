/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_SHOWN_PACKET_SHOWN_H
#define PLVS_SHOWN_PACKET_SHOWN_H

/*
 * The headers of a frame, for people and as JSON: Ethernet, VLAN, ARP, IPv4, IPv6, TCP, UDP, ICMP,
 * and the packet inside a tunnel or an ICMP error. No payload. Any thread; no server.
 */

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Shows the first caplen bytes of a frame of len. vlan: a tag that was stripped from the frame; or
 * 0. New reference: {text, mac_source, mac_destination, vlan, protocol, source, destination,
 * length, hops, flags, icmp, inner}, as far as the bytes go. text has all of it in a line.
 */
json_t *packet_shown(const uint8_t *frame, size_t caplen, size_t len, unsigned int vlan);

#endif
