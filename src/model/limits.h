/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_LIMITS_H
#define PLVS_MODEL_LIMITS_H

/* Hard limits. A configuration beyond one is refused with the limit named. */

#define MAX_PORTS		16
#define MAX_WORKERS		64
#define MAX_VLAN		4094
#define MAX_SERVICES		65535  /* service ids are 1 .. MAX_SERVICES */
#define MAX_SERVERS		262143 /* real servers of all services, removed ones included */
#define MAX_SERVERS_PER_SERVICE 16384
#define MAX_LISTEN		256 /* address:port pairs of one service */
#define MAX_VIPS		65535
#define MAX_WEIGHT		2147483647 /* of IPVS: an int */
#define MAX_NEXTHOPS		65535 /* ids are 1 .. MAX_NEXTHOPS; a connection holds 16 bits */
#define MAX_NAME		63
#define MAX_MARK_RULES		16384
#define MAX_MARK_ENTRIES	131072 /* of all mark rules, negations taken apart */

#endif
