/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_ASK_ADDRESSES_H
#define PLVS_HA_ASK_ADDRESSES_H

#include <stdint.h>

struct ha;

#define HA_QUESTIONS 256

/* Looks by ARP or ND for other stations on each link that have the addresses that move: at most
 * HA_QUESTIONS addresses in a call, the next ones in the next call. Answers are claims (struct
 * ha_status). The thread asks only while this router serves. *asked: questions since the start.
 * Returns the milliseconds to wait for answers, or -ENOMEM. Any thread. */
int ha_ask_addresses(struct ha *ha, uint64_t *asked);

#endif
