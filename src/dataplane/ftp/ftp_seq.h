/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_FTP_FTP_SEQ_H
#define PLVS_DATAPLANE_FTP_FTP_SEQ_H

/* Segments of FTP control connections: payload that changes its length, and sequence numbers
 * that follow. Worker context. */

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/ftp/ftp.h"

bool ftp_is_fragment(const struct pkt4 *p);
/* Whether the segment is in one piece, of this worker alone, with a right checksum. Its payload
 * may be empty. */
bool ftp_segment_sound(struct pkt4 *p);
/* Of a sound one. */
const char *ftp_payload(const struct pkt4 *p, uint32_t *len);
/* Whether it can grow by so many bytes. */
bool ftp_payload_room(const struct pkt4 *p, uint32_t bytes);
/* len bytes from `at` become n bytes of text. False: no room, nothing is changed. The TCP
 * checksum is wrong until ftp_payload_done(), which also cuts what does not fit: its sender
 * sends that again. */
bool ftp_payload_replace(struct pkt4 *p, uint32_t at, uint32_t len, const char *text, uint32_t n);
void ftp_payload_done(struct pkt4 *p, uint16_t mtu);

uint32_t ftp_seq(const struct pkt4 *p);
uint32_t ftp_ack(const struct pkt4 *p);
/* What a client's segment acknowledges, as the server numbers; without ACK, what is known. */
uint32_t ftp_acked(const struct pkt4 *p, const struct ftp_control *fc);
void ftp_seq_set(struct pkt4 *p, uint32_t seq);
/* Sequence numbers of the server's segments; what the client acknowledges of them. */
void ftp_seq_adjust(struct pkt4 *p, const struct ftp_control *fc);

#endif
