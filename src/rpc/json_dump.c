/* SPDX-License-Identifier: BSD-3-Clause */
#include "rpc/json_dump.h"

#include "base/json_write.h"

static int piece(const char *text, size_t n, void *arg)
{
	return evbuffer_add(arg, text, n);
}

int json_dump_evbuffer(const json_t *json, bool embed, struct evbuffer *out)
{
	return json_write(json, embed, piece, out);
}
