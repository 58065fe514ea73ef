/* SPDX-License-Identifier: BSD-3-Clause */
#include "rpc/json_dump.h"

#include <string.h>

struct pieces {
	struct evbuffer *out;
	size_t n;
	char text[4096];
};

static int collected(struct pieces *p)
{
	const size_t n = p->n;

	p->n = 0;
	return n ? evbuffer_add(p->out, p->text, n) : 0;
}

static int piece(const char *data, size_t len, void *arg)
{
	struct pieces *p = arg;

	if (len > sizeof(p->text) - p->n && collected(p) < 0)
		return -1;
	if (len > sizeof(p->text))
		return evbuffer_add(p->out, data, len);
	memcpy(p->text + p->n, data, len);
	p->n += len;
	return 0;
}

int json_dump_evbuffer(const json_t *json, size_t flags, struct evbuffer *out)
{
	struct pieces p;

	p.out = out;
	p.n = 0;
	if (json_dump_callback(json, piece, &p, flags) < 0)
		return -1;
	return collected(&p);
}
