/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of ftp_control.h that is compiled once for each address family. */

struct ftp_control *FAM_FN(ftp_control, find)(struct worker *w, const struct FAM(conn) *c);
/* NULL: the handshake is not over, or no room (counted). */
struct ftp_control *FAM_FN(ftp_control, new)(struct worker *w, const struct FAM(conn) *c);

/* Data connections are expected from now on, in place of what was expected before. cport is
 * the client's port (active), or 0 and port is the server's. False: no room (counted). */
bool FAM_FN(ftp, announce)(struct worker *w, struct ftp_control *fc, const struct FAM(conn) *c,
			   be16 cport, be16 port, uint32_t seconds);

/* --- ftp_read.c --- */

/* Payload of a client's and of a server's segment, which may be empty. The server's may be
 * rewritten, with its length. */
void FAM_FN(ftp_read, client)(struct worker *w, struct ftp_control *fc, struct FAM(pkt) *p);
void FAM_FN(ftp_read, server)(struct worker *w, struct ftp_control *fc, struct FAM(pkt) *p);

/* --- ftp_seq.c --- */

/* The server's sequence number that a client's segment acknowledges, in the server's numbering.
 * Without ACK: the next byte of the server that is to be read. */
uint32_t FAM_FN(ftp, acked)(const struct FAM(pkt) *p, const struct ftp_control *fc);
/* Adjusts sequence numbers of the server's segments, and acknowledgements of the client. */
void FAM_FN(ftp, seq_adjust)(struct FAM(pkt) *p, const struct ftp_control *fc);
