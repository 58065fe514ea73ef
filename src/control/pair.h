/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_PAIR_H
#define PLVS_CONTROL_PAIR_H

/*
 * The configuration for the ha thread: makes struct ha_config from both parts of the document, and
 * sends changes to the ha thread.
 *
 * Context: the control thread, or main before it starts.
 */

#include "config/config.h"
#include "ha/ha.h"

struct control;

/* The ha thread's part of a configuration. Pointers in *out are the configuration's. */
void pair_config(const struct config *config, struct ha_config *out);
/* The punt rules: heartbeats of the configured paths (PUNT_HA), BGP and BFD (PUNT_ROUTING). */
void pair_punt_rules(const struct config *config, struct punt_rules *out);

/* Addresses were published: announces those that move in a failover. */
void pair_addresses(struct control *c, const struct snapshot *live);
/* The configuration changed: passes on timers, witnesses and the digest. */
void pair_configured(struct control *c);

#endif
