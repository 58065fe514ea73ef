/* SPDX-License-Identifier: BSD-3-Clause */
/* Template of check_ports.h. */

/*
 * Worker; the port is in the range. The check that a packet from this port of ours to peer belongs
 * to; false: to no check. *out as bound.
 */
bool FAM_FN(check_ports, sent)(const struct check_ports *t, uint16_t port, FAM_ADDR peer,
			       be16 peer_port, uint8_t proto, struct check_peer *out);
/* The same of a packet to this port of ours: from the VIP, if the check means one. */
bool FAM_FN(check_ports, received)(const struct check_ports *t, uint16_t port, FAM_ADDR peer,
				   be16 peer_port, uint8_t proto, struct check_peer *out);
