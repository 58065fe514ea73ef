/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_SYNC_SYNC_WIRE_H
#define PLVS_HA_SYNC_SYNC_WIRE_H

/*
 * Datagrams of synchronisation (HA_TYPE_SYNC), inside an envelope that is fresh. Network order.
 *
 *	DATA	 0 version 5   1 type 1   2 records   4 stream   8 sequence   12 records ...
 *	ACK	 0 version     1 type 2   2 flags     4 stream   8 next      12 have (16 bytes)
 *
 * Version 1 has no flag for assured connections, version 2 no connections of IPv6, version 3 no
 * servers of the other family, version 4 no connections by full NAT and none whose server is told
 * its client's address (sync_record.h). A router receives each version and acknowledges in the same
 * version. A datagram has the least version that its records need. A router that knows only an
 * older version refuses and counts the datagram. Records of full NAT and of told addresses are not
 * sent to a router that cannot read them.
 *
 * A stream is a sequence of datagrams from 0 on, taken in order. The sender begins another one,
 * with a higher number, when the last cannot go on: at join and after loss.
 * `next` is the first that has not come, bit i of `have` (byte i / 8, from bit 0) the datagram
 * next + 1 + i. A receiver that cannot follow a stream sends LOST, and the sender begins anew.
 */

#include "ha/wire/ha_wire.h"

#define SYNC_VERSION	    5
#define SYNC_VERSION_MIXED  4 /* without a connection by full NAT */
#define SYNC_VERSION_IPV6   3 /* without a server of the other family */
#define SYNC_VERSION_IPV4   2 /* without a record of IPv6 */
#define SYNC_VERSION_LEAST  1
#define SYNC_DATA	    1
#define SYNC_ACK	    2
#define SYNC_HEADER_BYTES   12
#define SYNC_ACK_BYTES	    28
#define SYNC_WINDOW	    128 /* datagrams under way; the bits of `have` */
#define SYNC_DATAGRAM_BYTES HA_PAYLOAD_MAX
#define SYNC_SEND_BYTES	    (HA_PAYLOAD_MAX - 20) /* the header of IPv6 is 20 bytes longer */

#define SYNC_ACK_COMPLETE 0x1U /* a complete transfer is installed, without loss since */
#define SYNC_ACK_LOST	  0x2U
#define SYNC_ACK_FLAGS	  0x3U

/* Sends one datagram, which may get lost. */
typedef void sync_output(void *arg, const uint8_t *bytes, size_t len);

#endif
