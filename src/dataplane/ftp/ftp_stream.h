/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_FTP_FTP_STREAM_H
#define PLVS_DATAPLANE_FTP_FTP_STREAM_H

/*
 * The two streams of an FTP control connection: which bytes were read already, by sequence
 * numbers. Each byte is read once and in order, as its receiver reads it: bytes that come
 * again are known, bytes that are not the next ones wait or are passed over.
 *
 * The server's numbers are believed. A client's segment moves nothing but its own stream, and
 * its acknowledgement counts only within the bytes that the server has sent.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FTP_LINE_MAX 128   /* bytes of a line that matters */
#define FTP_WINDOW   65536 /* bytes around the next one within which segments are looked at */

/* The beginning of a line whose end has not come. */
struct ftp_partial {
	uint16_t len;
	bool over; /* bytes of this line are not in text: before it, or after */
	char text[FTP_LINE_MAX];
};

void ftp_partial_add(struct ftp_partial *l, const char *text, size_t n);

enum ftp_pin {
	FTP_PIN_NONE,
	FTP_PIN_CLIENT, /* numbers are those of a client's segment; the server's may correct them */
	FTP_PIN_SERVER,
};

struct ftp_streams {
	uint8_t pin;	   /* enum ftp_pin */
	bool missed;	   /* bytes of the server passed that were not read; the reader clears it */
	uint32_t in_next;  /* of the client: the next byte to be read */
	uint32_t out_next; /* of the server, as it numbers them */
	uint32_t out_top;  /* behind the last byte that the server has sent */
	struct ftp_partial in, out;
	/* A client's segment that came before its turn. */
	uint32_t early_seq;
	uint16_t early_len;
	char early[FTP_LINE_MAX];
};

/* A client's segment: how many of its bytes were read before; -1: none of them is next. acked
 * is as the server numbers. */
int32_t ftp_stream_in(struct ftp_streams *s, uint32_t seq, const char *data, uint32_t len,
		      uint32_t acked);
/* Copies out the unread bytes of the early segment, if their turn has come. Returns the length; 0:
 * there are none. */
uint32_t ftp_stream_early(struct ftp_streams *s, char text[FTP_LINE_MAX]);

/* A server's segment. False: its numbers do not fit the connection. */
bool ftp_stream_out(struct ftp_streams *s, uint32_t seq, uint32_t len, uint32_t ack);

#endif
