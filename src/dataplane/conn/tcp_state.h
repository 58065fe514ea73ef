/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_CONN_TCP_STATE_H
#define PLVS_DATAPLANE_CONN_TCP_STATE_H

/*
 * The TCP state tables of IPVS: INPUT, OUTPUT and INPUT_ONLY (no reply has passed, as with
 * direct routing). Of several flags the event is the first of RST, SYN, FIN, ACK.
 * Pure; any context.
 */

#include <stdbool.h>
#include <stdint.h>

#include "model/conn_state.h"

#define TCP_FIN 0x01U
#define TCP_SYN 0x02U
#define TCP_RST 0x04U
#define TCP_PSH 0x08U
#define TCP_ACK 0x10U
#define TCP_URG 0x20U

enum tcp_table { TCP_TABLE_INPUT, TCP_TABLE_OUTPUT, TCP_TABLE_INPUT_ONLY, TCP_TABLE_MAX };

/* The state after a segment with these flags; `state` if the flags are no event. */
enum conn_state tcp_state_next(enum tcp_table table, enum conn_state state, uint8_t tcp_flags);

/* Flags that no stack sends in one segment (SYN with FIN or RST, none at all, FIN without
 * ACK, RST with FIN): such segments are dropped before a connection is made. */
bool tcp_flags_nonsense(uint8_t tcp_flags);

#endif
