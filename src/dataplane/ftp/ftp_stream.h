/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_FTP_FTP_STREAM_H
#define PLVS_DATAPLANE_FTP_FTP_STREAM_H

/*
 * The two streams of an FTP control connection, with the sequence numbers of bytes that were read
 * already. Each byte is read once and in order, as by its receiver: repeated bytes are skipped,
 * bytes beyond the next ones wait or are passed over.
 *
 * The server's numbers are trusted. A client's segment moves only its own stream, and its
 * acknowledgement counts only within the bytes that the server has sent.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FTP_LINE_MAX 128   /* bytes of a line of interest */
#define FTP_WINDOW   65536 /* segments further from the next byte are ignored */

/* The beginning of a line whose end has not come. */
struct ftp_partial {
	uint16_t len;
	bool over; /* bytes of this line are missing in text, before or after it */
	char text[FTP_LINE_MAX];
};

void ftp_partial_add(struct ftp_partial *l, const char *text, size_t n);

enum ftp_pin {
	FTP_PIN_NONE,
	FTP_PIN_CLIENT, /* by a client's segment; a server's segment may correct them */
	FTP_PIN_SERVER,
};

struct ftp_streams {
	uint8_t pin;	   /* enum ftp_pin */
	bool missed;	   /* bytes of the server passed unread; the reader clears the flag */
	uint32_t in_next;  /* of the client: the next byte to be read */
	uint32_t out_next; /* of the server, in its own numbers */
	uint32_t out_top;  /* behind the last byte that the server has sent */
	struct ftp_partial in, out;
	/* A client's segment that came before its turn. */
	uint32_t early_seq;
	uint16_t early_len;
	char early[FTP_LINE_MAX];
};

/* Takes a client's segment. Returns the number of its bytes that were read before; -1: the next
 * byte is not among them. acked is in the server's numbers. */
int32_t ftp_stream_in(struct ftp_streams *s, uint32_t seq, const char *data, uint32_t len,
		      uint32_t acked);
/* Copies out the unread bytes of the early segment, if their turn has come. Returns the length; 0:
 * there are none. */
uint32_t ftp_stream_early(struct ftp_streams *s, char text[FTP_LINE_MAX]);

/* Takes a server's segment. False: its numbers do not fit the connection. */
bool ftp_stream_out(struct ftp_streams *s, uint32_t seq, uint32_t len, uint32_t ack);

#endif
