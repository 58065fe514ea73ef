/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_ASK_ADDRESSES_H
#define PLVS_HA_ASK_ADDRESSES_H

#include <stdint.h>

struct ha;

#define HA_QUESTIONS 256

/* Asks the stations of each link, by ARP or ND, who else has the addresses that move: at most
 * HA_QUESTIONS of them, the next time those that follow. Answers are claims (struct ha_status).
 * The thread asks only while this router serves. *asked: questions since the start. Returns the
 * milliseconds in which all answers have come, or -ENOMEM. Any thread. */
int ha_ask_addresses(struct ha *ha, uint64_t *asked);

#endif
