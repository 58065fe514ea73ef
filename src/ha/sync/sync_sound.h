/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_SYNC_SYNC_SOUND_H
#define PLVS_HA_SYNC_SYNC_SOUND_H

/*
 * Checks of events from the network or from a file: addresses, protocol, state and ports have to
 * fit each other. Context: any.
 */

#include <stdbool.h>

#include "base/addr.h"
#include "ha/sync/sync_record.h"

/* True: a packet can be sent to the address, on some link. */
bool sync_addr_is_unicast(struct addr a);
bool sync_key_sound(const struct sync_event *e);
/* The parts of an event behind its key, by kind. */
bool sync_put_sound(const struct sync_event *e);
bool sync_seq_sound(const struct sync_event *e);
bool sync_expect_sound(const struct sync_event *e);

#endif
