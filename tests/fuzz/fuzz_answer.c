/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "health/advice.h"
#include "health/dns.h"
#include "health/http_answer.h"
#include "health/pattern.h"

/*
 * Any bytes as what checked servers and programs say: HTTP, DNS, a line of an agent, a load
 * number, and as a pattern; the first byte says which. An HTTP answer means the same however
 * it is cut.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(what)                                                                                 \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "fuzz_answer: not true: %s\n", #what);                     \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

#define BODY 256U

/* In pieces of step bytes, with what was not used again before the next. */
static void http_take(struct http_answer *a, const char *data, size_t size, size_t step)
{
	char *held = malloc(size + 1);
	size_t n = 0, at = 0;

	MUST(held);
	while (at < size && a->stage != HTTP_DONE && a->stage != HTTP_BAD) {
		size_t more = size - at < step ? size - at : step, used;

		memcpy(held + n, data + at, more);
		at += more;
		n += more;
		used = http_answer_take(a, held, n);
		MUST(used <= n);
		n -= used;
		memmove(held, held + used, n);
	}
	free(held);
	if (a->stage != HTTP_DONE && a->stage != HTTP_BAD)
		http_answer_close(a);
	MUST(a->stage == HTTP_DONE || a->stage == HTTP_BAD);
	MUST(a->stage != HTTP_BAD || a->why);
	MUST(a->body_len <= a->body_room && a->status <= 999);
}

static void http(const uint8_t *data, size_t size)
{
	char whole[BODY], cut[BODY];
	struct http_answer a = {.body = whole, .body_room = BODY},
			   b = {.body = cut, .body_room = BODY};

	a.head = b.head = data[0] & 1;
	http_take(&a, (const char *)data + 1, size - 1, size);
	http_take(&b, (const char *)data + 1, size - 1, 1 + (data[0] >> 1) % 7U);
	MUST(a.stage == b.stage && a.status == b.status && a.body_len == b.body_len);
	MUST(memcmp(whole, cut, a.body_len) == 0);
}

static void dns(const uint8_t *data, size_t size)
{
	static const struct addr expect = {.family = ADDR_V4, .v4 = 0x0100007f};
	struct dns_query q;
	struct dns_answer a;
	char name[300];

	MUST(dns_query_make("www.example.org", 1, 0x1234, &q) == 0);
	if (dns_answer_parse(&q, data, size, &expect, &a) == DNS_BROKEN)
		MUST(a.fault);
	/* An answer that begins as the question does. */
	if (size > q.len) {
		uint8_t *copy = malloc(size);

		MUST(copy);
		memcpy(copy, data, size);
		memcpy(copy, q.bytes, q.len);
		copy[2] |= 0x80;
		memcpy(copy + 6, data + 6, 6);
		(void)dns_answer_parse(&q, copy, size, &expect, &a);
		free(copy);
	}
	snprintf(name, sizeof(name), "%.*s", (int)(size < 299 ? size : 299), (const char *)data);
	if (dns_query_make(name, 28, 1, &q) == 0)
		MUST(q.len > 16 && q.len <= sizeof(q.bytes));
}

static void advice(const uint8_t *data, size_t size)
{
	struct probe_result r = {0};
	char why[64];
	double load;

	(void)advice_parse((const char *)data, size, &r, why, sizeof(why));
	MUST(memchr(why, 0, sizeof(why)));
	if (load_parse((const char *)data, size, &load) == 0)
		MUST(load >= 0);
}

static void pattern(const uint8_t *data, size_t size)
{
	struct pattern_cache *c;
	char why[128] = "";
	size_t end, n = data[0] < size ? data[0] : size - 1;

	MUST(pattern_cache_create(&c) == 0);
	if (pattern_check((const char *)data + 1, n, why, sizeof(why)) < 0)
		MUST(why[0]);
	else
		(void)pattern_find(c, (const char *)data + 1, n, (const char *)data + 1 + n,
				   size - 1 - n, &end);
	pattern_cache_destroy(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	switch (data[0] % 4) {
	case 0:
		http(data + 1, size - 1);
		break;
	case 1:
		dns(data + 1, size - 1);
		break;
	case 2:
		advice(data + 1, size - 1);
		break;
	default:
		pattern(data + 1, size - 1);
	}
	return 0;
}
