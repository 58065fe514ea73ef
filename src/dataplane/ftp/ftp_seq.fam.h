/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of ftp_seq.h that is compiled once for each address family. */

bool FAM_FN(ftp, is_fragment)(const struct FAM(pkt) *p);
/* Whether the segment is in one piece, of this worker alone, with a right checksum. The payload may
 * be empty. */
bool FAM_FN(ftp, segment_sound)(struct FAM(pkt) *p);
/* Of a sound one. */
const char *FAM_FN(ftp, payload)(const struct FAM(pkt) *p, uint32_t *len);
/* Whether it can grow by so many bytes. */
bool FAM_FN(ftp, payload_room)(const struct FAM(pkt) *p, uint32_t bytes);
/* len bytes from `at` become n bytes of text. False: no room, nothing is changed. The TCP
 * checksum is wrong until FAM_FN(ftp, payload_done)(), which also cuts what does not fit: its
 * sender sends that again. */
bool FAM_FN(ftp, payload_replace)(struct FAM(pkt) *p, uint32_t at, uint32_t len, const char *text,
				  uint32_t n);
void FAM_FN(ftp, payload_done)(struct FAM(pkt) *p, uint16_t mtu);

uint32_t FAM_FN(ftp, seq)(const struct FAM(pkt) *p);
uint32_t FAM_FN(ftp, ack)(const struct FAM(pkt) *p);
/* The server's sequence number that a client's segment acknowledges, in the server's numbering.
 * Without ACK: the next byte of the server that is to be read. */
uint32_t FAM_FN(ftp, acked)(const struct FAM(pkt) *p, const struct ftp_control *fc);
void FAM_FN(ftp, seq_set)(struct FAM(pkt) *p, uint32_t seq);
/* Adjusts sequence numbers of the server's segments, and acknowledgements of the client. */
void FAM_FN(ftp, seq_adjust)(struct FAM(pkt) *p, const struct ftp_control *fc);
