/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_DNS_H
#define PLVS_HEALTH_DNS_H

/*
 * A DNS question and its answer, as bytes (RFC 1035). No byte of the answer is trusted: names end
 * within 255 bytes and pointers lead only backwards, so that each label is read once. Context: any.
 */

#include "base/addr.h"

#define DNS_MAX_QUERY (12 + 255 + 4)
#define DNS_A	      1
#define DNS_AAAA      28

struct dns_query {
	uint8_t bytes[DNS_MAX_QUERY];
	uint32_t len;
};

/* "example.org", "example.org." or "." (also NULL). 0, or -EINVAL: not a name. */
int dns_query_make(const char *name, uint16_t qtype, uint16_t id, struct dns_query *out);

enum dns_kind {
	DNS_FOREIGN, /* not an answer to this question: another id or name, or no answer at all */
	DNS_BROKEN,  /* an answer that cannot be read: see fault */
	DNS_ANSWER,
};

struct dns_answer {
	uint8_t rcode;
	bool cut;	   /* TC */
	uint16_t n;	   /* number of answers in the header */
	bool found;	   /* the address among its A or AAAA records */
	const char *fault; /* of DNS_BROKEN; static */
};

/*
 * Parses an answer. An answer to the question has the id and one question, with the same name (in
 * any case), type and class. An error without a question, which servers that cannot read the
 * question send, is recognised by its id and never has NOERROR. expect may be of no family.
 */
enum dns_kind dns_answer_parse(const struct dns_query *query, const uint8_t *data, size_t len,
			       const struct addr *expect, struct dns_answer *out);

/* "NXDOMAIN", or "RCODE 77" in buf. */
const char *dns_rcode_format(uint8_t rcode, char *buf, size_t len);

#endif
