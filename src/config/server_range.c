/* SPDX-License-Identifier: BSD-3-Clause */
/* Ranges of addresses in lists of real servers: "10.0.0.11-20:80" stands for ten of them. */
#include "config/config_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The last address: the last part of it alone, or the whole. */
static bool last_parse(const char *text, uint32_t first, uint32_t *last)
{
	struct addr a;
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && n <= 255) {
		*last = (first & ~255U) | (uint32_t)n;
		return true;
	}
	if (addr_parse(text, &a) < 0 || a.family != ADDR_V4)
		return false;
	*last = be32_to(a.v4);
	return true;
}

uint32_t config_server_range(const json_t *server, uint32_t *first)
{
	const char *text = json_string_value(json_object_get(server, "address"));
	const size_t len = text ? strcspn(text, ":") : 0;
	char range[2 * ADDR_STRLEN], *dash;
	struct addr a;
	uint32_t last;

	if (len == 0 || len >= sizeof(range) || !memchr(text, '-', len))
		return 1;
	snprintf(range, sizeof(range), "%.*s", (int)len, text);
	dash = strchr(range, '-');
	if (!dash)
		return 1;
	*dash = '\0';
	if (addr_parse(range, &a) < 0 || a.family != ADDR_V4)
		return 1;
	*first = be32_to(a.v4);
	if (!last_parse(dash + 1, *first, &last) || last <= *first ||
	    last - *first >= MAX_SERVERS_PER_SERVICE)
		return 1;
	return last - *first + 1;
}

json_t *config_server_of_range(const json_t *server, uint32_t address)
{
	const char *text = json_string_value(json_object_get(server, "address"));
	const struct addr a = {.family = ADDR_V4, .v4 = be32_from(address)};
	json_t *one = json_copy((json_t *)(uintptr_t)server);
	char buf[ADDR_STRLEN];

	if (one && json_object_set_new(one, "address",
				       json_sprintf("%s%s", addr_format(&a, buf, sizeof(buf)),
						    text + strcspn(text, ":"))) < 0) {
		json_decref(one);
		return NULL;
	}
	return one;
}
