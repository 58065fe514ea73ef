/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_TRANSLATE_HEADER_LEN_H
#define PLVS_DATAPLANE_TRANSLATE_HEADER_LEN_H

/* Lengths, in bytes, of a translation between IPv4 and IPv6 (RFC 7915). */

#define TRANSLATED_GROWTH 20   /* difference between the IPv6 and the IPv4 header */
#define FRAGMENT6_HDR	  8    /* the fragment header of IPv6 */
#define MTU6_MIN	  1280 /* of every IPv6 link */
#define MTU4_MIN	  68   /* of every IPv4 link */
/* The longest translated IPv4 packet that leaves without DF, and the longest IPv6 packet made from
 * an IPv4 packet without DF. */
#define WHOLE4_MAX (MTU6_MIN - TRANSLATED_GROWTH)
#define WHOLE6_MAX MTU6_MIN

#endif
