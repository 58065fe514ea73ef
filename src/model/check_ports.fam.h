/* SPDX-License-Identifier: BSD-3-Clause */
/* Template of check_ports.h. */

/*
 * Worker; the port is in the range. Finds the check that a packet from the router's `port` to peer
 * belongs to: *out as bound. False: no check.
 */
bool FAM_FN(check_ports, sent)(const struct check_ports *t, uint16_t port, FAM_ADDR peer,
			       be16 peer_port, uint8_t proto, struct check_peer *out);
/* The same for a packet from peer to the router's `port`. peer is the VIP if the check has one. */
bool FAM_FN(check_ports, received)(const struct check_ports *t, uint16_t port, FAM_ADDR peer,
				   be16 peer_port, uint8_t proto, struct check_peer *out);
