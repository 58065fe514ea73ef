/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_PERSISTENCE_CALL_ID_H
#define PLVS_DATAPLANE_PERSISTENCE_CALL_ID_H

/*
 * The Call-ID of a SIP message (RFC 3261), for persistence by the engine `sip`. The message may be
 * hostile: one pass over its header, without trust in its lengths. Any context.
 */

#include <stddef.h>
#include <stdint.h>

#define CALL_ID_MAX 255 /* bytes; a longer one is ignored (IPVS) */

/* The first Call-ID ("Call-ID:" or "i:") in the header of a message, of which `len` bytes are here.
 * Returns its length and *at; 0: no whole and well-formed one. */
size_t call_id_find(const uint8_t *message, size_t len, const uint8_t **at);

/* 1 to 65535, the same on every router; 0: the message has no Call-ID. */
uint16_t call_id_hash(const uint8_t *message, size_t len);

#endif
