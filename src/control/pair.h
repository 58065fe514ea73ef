/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_PAIR_H
#define PLVS_CONTROL_PAIR_H

/*
 * The configuration for the ha thread: struct ha_config is made of both parts of the document,
 * and the ha thread is told when it changes.
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

/* Addresses were published: those that move are announced. */
void pair_addresses(struct control *c, const struct snapshot *live);
/* The configuration is another one: timers, witnesses, its digest. */
void pair_configured(struct control *c);

#endif
