/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TELNET_TELNET_STREAM_H
#define PLVS_TELNET_TELNET_STREAM_H

/*
 * The telnet side of one connection (RFC 854, 855, 857, 858, 1073, 1091), on libtelnet. The
 * client's bytes become keys for a terminal, and the terminal's output becomes bytes for the
 * client. All sizes are bounded: a client that sends options for ever, or never reads, costs one
 * buffer.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Needs size_t. */
#include <libtelnet.h>

#define STREAM_OUT_ROOM	  65536 /* bytes that may wait for the client */
#define STREAM_OUT_PAUSE  32768 /* client and shell are not read above this */
#define STREAM_KEYS_ROOM  8192
#define STREAM_KEYS_PAUSE 4096
#define STREAM_READ	  2048 /* bytes of one reading, of either side */
#define STREAM_TERM_MAX	  32
#define STREAM_OPTIONS	  4096 /* option requests of one connection; beyond, it is closed */

struct stream_bytes {
	size_t start, n; /* from start, n bytes */
	size_t room;
	unsigned char *v;
};

struct telnet_stream {
	telnet_t *telnet;
	struct stream_bytes out;	/* for the client's socket */
	struct stream_bytes keys;	/* for the terminal */
	bool speaks;			/* the client has answered an option: it speaks telnet */
	bool resized;			/* columns and rows are new */
	bool there;			/* a key came since this was cleared */
	bool broken;			/* protocol error, or too much */
	uint16_t columns, rows;		/* 0: not known */
	char term[STREAM_TERM_MAX + 1]; /* terminal type in lower case; "" = not known */
	uint32_t options;
	bool key_cr, out_cr; /* the last byte was CR */
};

/* 0 or -ENOMEM. Offers the options. */
int telnet_stream_open(struct telnet_stream *s);
void telnet_stream_close(struct telnet_stream *s);
/* Takes bytes that came from the client's socket: at most STREAM_READ. */
void telnet_stream_received(struct telnet_stream *s, const void *bytes, size_t n);
/* Takes bytes that the terminal prints: at most STREAM_READ. */
void telnet_stream_print(struct telnet_stream *s, const void *bytes, size_t n);
/* True: the client, or the terminal, may be read. */
bool telnet_stream_takes_input(const struct telnet_stream *s);
bool telnet_stream_takes_output(const struct telnet_stream *s);
/* True: the client has answered all options offered at the start. */
bool telnet_stream_agreed(const struct telnet_stream *s);
/* Removes the first n bytes. */
void stream_bytes_take(struct stream_bytes *b, size_t n);

#endif
