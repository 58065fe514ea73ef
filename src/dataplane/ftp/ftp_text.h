/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_FTP_FTP_TEXT_H
#define PLVS_DATAPLANE_FTP_FTP_TEXT_H

/* Lines of FTP (RFC 959, RFC 2428) that announce data connections. Any context. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

enum ftp_verb {
	FTP_OTHER,
	FTP_PASV,
	FTP_EPSV,
	FTP_EPSV_ALL, /* client: only EPSV from now on (RFC 2428, 4) */
	FTP_ABOR,
	FTP_PORT,  /* client: PORT or EPRT, address and port are set, and extended */
	FTP_EMPTY, /* client: an empty line, which is no command */
	FTP_227,   /* server: address and port are set */
	FTP_229,   /* server: only the port is set */
	FTP_BAD,   /* one of these with unreadable numbers */
};

struct ftp_line {
	enum ftp_verb verb;
	struct addr addr;
	uint16_t port;
	/* FTP_227, FTP_PORT: place of "h1,h2,h3,h4,p1,p2", or of the argument of EPRT, in the line.
	 */
	uint16_t at, len;
	bool extended; /* FTP_PORT: EPRT */
};

/* Parses a line, with or without its end. ftp_parse_command() skips Telnet commands before the FTP
 * command (RFC 959, 4.1.3: the interrupt before ABOR). */
void ftp_parse_command(const char *line, size_t len, struct ftp_line *out);
void ftp_parse_reply(const char *line, size_t len, struct ftp_line *out);

/* The three digits at the begin of a line, if the line ends there or a blank or a hyphen follows;
 * else 0. *more: a hyphen, the reply has more lines. */
uint16_t ftp_reply_code(const char *line, size_t len, bool *more);

#define FTP_NUMBERS_MAX 24 /* of "255,255,255,255,255,255" and a NUL */
/* "h1,h2,h3,h4,p1,p2". Returns its length. */
size_t ftp_numbers_put(be32 addr, uint16_t port, char out[FTP_NUMBERS_MAX]);

#define FTP_ARGUMENT_MAX (ADDR_STRLEN + 16)
/* The argument of PORT, or of EPRT ("|2|2001:db8::1|65535|"). Returns its length. PORT is of IPv4.
 */
size_t ftp_argument_put(bool extended, const struct addr *addr, uint16_t port,
			char out[FTP_ARGUMENT_MAX]);

#endif
