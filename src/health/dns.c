/* SPDX-License-Identifier: BSD-3-Clause */
#include "health/dns.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HEADER	  12U
#define MAX_NAME  255U /* with its last 0 */
#define MAX_LABEL 63U
#define IN	  1
#define FLAG_QR	  0x80 /* of byte 2 */
#define FLAG_TC	  0x02
#define FLAG_RD	  0x01
#define OPCODE	  0x78
#define MAX_JUMPS 64U /* of one name */

static const char cut_off[] = "it is cut off";

static void put16(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* ---- the question ---- */

/* Labels with their lengths. The bytes used, or 0: not a name. */
static uint32_t name_put(const char *name, uint8_t *out)
{
	uint32_t at = 0;

	if (strcmp(name, ".") == 0)
		name = "";
	while (*name) {
		size_t len = strcspn(name, ".");

		if (len == 0 || len > MAX_LABEL || at + 1 + len + 1 > MAX_NAME)
			return 0;
		out[at] = (uint8_t)len;
		memcpy(out + at + 1, name, len);
		at += 1 + (uint32_t)len;
		name += len + (name[len] == '.');
	}
	out[at] = 0;
	return at + 1;
}

int dns_query_make(const char *name, uint16_t qtype, uint16_t id, struct dns_query *out)
{
	struct dns_query q = {0};
	uint32_t n = name_put(name ? name : "", q.bytes + HEADER);

	if (n == 0)
		return -EINVAL;
	put16(q.bytes, id);
	q.bytes[2] = FLAG_RD;
	put16(q.bytes + 4, 1);
	put16(q.bytes + HEADER + n, qtype);
	put16(q.bytes + HEADER + n + 2, IN);
	q.len = HEADER + n + 4;
	*out = q;
	return 0;
}

/* ---- the answer ---- */

struct reader {
	const uint8_t *data;
	size_t len, at;
};

/* Goes behind a name. NULL, or what is wrong with it. */
static const char *name_skip(struct reader *r)
{
	size_t at = r->at, end = 0, segment = at, length = 0;
	uint32_t jumps = 0;

	for (;;) {
		size_t target;
		uint8_t c;

		if (at >= r->len)
			return cut_off;
		c = r->data[at];
		if (c == 0)
			break;
		if (c <= MAX_LABEL) {
			length += 1 + c;
			if (length + 1 > MAX_NAME)
				return "a name of more than 255 bytes";
			at += 1 + (size_t)c;
			continue;
		}
		if (c < 0xc0)
			return "a label of no known kind";
		if (at + 1 >= r->len)
			return cut_off;
		target = get16(r->data + at) & 0x3fffU;
		/* Backwards, before the labels just read: this ends, whatever is there. */
		if (target < HEADER || target >= segment || ++jumps > MAX_JUMPS)
			return "a name points in a circle";
		if (end == 0)
			end = at + 2;
		segment = at = target;
	}
	r->at = end ? end : at + 1;
	return NULL;
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* Length bytes are below 'A': they compare as they are. */
static bool question_equal(const struct dns_query *q, const uint8_t *data, size_t len)
{
	uint32_t name_end = q->len - 4;

	if (len < q->len)
		return false;
	for (uint32_t i = HEADER; i < name_end; i++)
		if (lower(q->bytes[i]) != lower(data[i]))
			return false;
	return memcmp(q->bytes + name_end, data + name_end, 4) == 0;
}

static bool record_holds(uint16_t type, uint16_t class, const uint8_t *data, uint16_t len,
			 const struct addr *want)
{
	if (class != IN)
		return false;
	if (want->family == ADDR_V4)
		return type == DNS_A && len == 4 && memcmp(data, &want->v4, 4) == 0;
	if (want->family == ADDR_V6)
		return type == DNS_AAAA && len == 16 && memcmp(data, want->v6, 16) == 0;
	return false;
}

static const char *records_read(struct reader *r, const struct addr *want, struct dns_answer *a)
{
	for (uint32_t i = 0; i < a->n; i++) {
		const char *fault = name_skip(r);
		const uint8_t *at = r->data + r->at;
		uint16_t len;

		if (fault)
			return fault;
		if (r->len - r->at < 10)
			return cut_off;
		len = get16(at + 8);
		if (r->len - r->at - 10 < len)
			return cut_off;
		if (record_holds(get16(at), get16(at + 2), at + 10, len, want))
			a->found = true;
		r->at += 10U + len;
	}
	return NULL;
}

enum dns_kind dns_answer_parse(const struct dns_query *query, const uint8_t *data, size_t len,
			       const struct addr *expect, struct dns_answer *out)
{
	struct reader r = {data, len, query->len};
	struct dns_answer a = {0};
	uint16_t questions;

	if (len < HEADER || memcmp(data, query->bytes, 2) != 0 || !(data[2] & FLAG_QR) ||
	    data[2] & OPCODE)
		return DNS_FOREIGN;
	a.rcode = data[3] & 0x0f;
	a.cut = data[2] & FLAG_TC;
	a.n = get16(data + 6);
	questions = get16(data + 4);
	if (questions == 0 && a.rcode != 0 && a.n == 0) {
		*out = a;
		return DNS_ANSWER;
	}
	if (questions != 1 || !question_equal(query, data, len))
		return DNS_FOREIGN;
	a.fault = records_read(&r, expect, &a);
	/* A datagram may be cut anywhere if it says that it is. */
	if (a.cut && a.fault == cut_off)
		a.fault = NULL;
	*out = a;
	return a.fault ? DNS_BROKEN : DNS_ANSWER;
}

const char *dns_rcode_format(uint8_t rcode, char *buf, size_t len)
{
	static const char *const names[] = {"NOERROR",	"FORMERR", "SERVFAIL",
					    "NXDOMAIN", "NOTIMP",  "REFUSED"};

	if (rcode < sizeof(names) / sizeof(names[0]))
		return names[rcode];
	snprintf(buf, len, "RCODE %u", rcode);
	return buf;
}
