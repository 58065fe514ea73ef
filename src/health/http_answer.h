/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_HTTP_ANSWER_H
#define PLVS_HEALTH_HTTP_ANSWER_H

/*
 * Parses the answer to one HTTP/1.1 request piece by piece: the status, the header fields that give
 * the length of the body, and the body with its chunks joined. The header has at most 16 KiB; the
 * body is kept as far as the caller's buffer reaches. RFC 9112.
 *
 * Context: any.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEADER_MAX 16384U

enum http_stage {
	HTTP_STATUS,
	HTTP_HEADER,
	HTTP_BODY,	 /* up to left, or to the end of the connection */
	HTTP_CHUNK_SIZE, /* chunked */
	HTTP_CHUNK,
	HTTP_CHUNK_END,
	HTTP_TRAILER,
	HTTP_DONE, /* complete */
	HTTP_BAD,  /* see why */
};

struct http_answer {
	uint8_t stage; /* enum http_stage */
	bool head;     /* given: the request was HEAD, so there is no body */
	bool chunked, length_known;
	uint16_t status; /* 0 until known */
	uint64_t left;	 /* of the body or the chunk */
	uint32_t header; /* bytes of lines so far */
	char *body;	 /* [body_room], given; NULL: not kept */
	size_t body_room, body_len;
	const char *why;
};

/* True: the header is complete. */
static inline bool http_answer_has_header(const struct http_answer *a)
{
	return a->stage >= HTTP_BODY && a->stage != HTTP_BAD;
}
/* Takes more bytes. Returns the number of used bytes; the caller gives the rest again, with more
 * behind it. */
size_t http_answer_take(struct http_answer *a, const char *data, size_t len);
/* The connection was closed: DONE or BAD. */
void http_answer_close(struct http_answer *a);

#endif
