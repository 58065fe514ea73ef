/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_FTP_FTP_CONTROL_H
#define PLVS_DATAPLANE_FTP_FTP_CONTROL_H

/* What is known of control connections; for the files of this folder. Worker context. */

#include "dataplane/ftp/ftp.h"

struct ftp_control *ftp_control_find(struct worker *w, const struct conn4 *c);
/* NULL: the handshake is not over, or no room (counted). */
struct ftp_control *ftp_control_new(struct worker *w, const struct conn4 *c);

/* Data connections are expected from now on, in place of what was expected before. cport is
 * the client's port (active), or 0 and port is the server's. False: no room (counted). */
bool ftp_announce(struct worker *w, struct ftp_control *fc, const struct conn4 *c, be16 cport,
		  be16 port, uint32_t seconds);

/* --- ftp_read.c --- */

/* Payload of a client's and of a server's segment, which may be empty. The server's may be
 * rewritten, with its length. */
void ftp_read_client(struct worker *w, struct ftp_control *fc, struct pkt4 *p);
void ftp_read_server(struct worker *w, struct ftp_control *fc, struct pkt4 *p);

#endif
