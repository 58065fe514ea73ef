/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_FTP_FTP_DIALOG_H
#define PLVS_DATAPLANE_FTP_FTP_DIALOG_H

/*
 * Assigns replies of an FTP server to commands of its client (RFC 959, 4.2 and 5.4).
 *
 * Commands that have no final reply yet stand in a queue, oldest first. A final reply takes the
 * oldest one. 227 and 229 take the oldest PASV and EPSV, with all older commands. A server may give
 * no reply to a command, or two. So a reply below 400 that is neither 227 nor 229 never takes a
 * PASV or EPSV. A reply in a segment that does not acknowledge the command's line answers another
 * command, or is forged.
 *
 * Lines inside a multi-line reply ("xyz-" to "xyz ") are only text. Pure.
 */

#include <stdbool.h>

#include "dataplane/ftp/ftp_text.h"

#define FTP_FAILED	 400 /* and all codes above: the command had no effect */
#define FTP_COMMANDS_MAX 16  /* in the queue; beyond, the oldest one is forgotten */

struct ftp_command {
	uint32_t end; /* sequence number behind its line */
	uint8_t verb; /* enum ftp_verb */
};

struct ftp_dialog {
	struct ftp_command queue[FTP_COMMANDS_MAX];
	uint8_t n;
	bool epsv_only;	    /* EPSV ALL was accepted: PASV, PORT and EPRT are refused */
	uint16_t multiline; /* code of a reply whose last line has not come; 0 = none */
};

struct ftp_reply {
	uint16_t code;	       /* of the last line of a reply; 0: another line */
	enum ftp_verb answers; /* FTP_OTHER: no command of interest */
};

/* A line of the client. end: the sequence number behind it. */
void ftp_dialog_command(struct ftp_dialog *d, enum ftp_verb verb, uint32_t end);
/* A line of the server, with or without its end. ack: the acknowledgement number of its segment. */
void ftp_dialog_reply(struct ftp_dialog *d, const char *line, size_t len, uint32_t ack,
		      struct ftp_reply *out);
/* Lines of the server were missed, so the commands that they answered are not known, and a reply of
 * several lines may be under way. All earlier commands count as answered. */
void ftp_dialog_forget(struct ftp_dialog *d);
/* True: a command with this verb has no reply yet. */
bool ftp_dialog_awaits(const struct ftp_dialog *d, enum ftp_verb verb);

#endif
