/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "link/link.h"

#define ROUTE_TEXT_MAX 256

static int number_parse(const char *word, uint32_t *out)
{
	unsigned long v;
	char *end;

	if (*word < '0' || *word > '9')
		return -EINVAL;
	errno = 0;
	v = strtoul(word, &end, 10);
	if (errno || *end || v > UINT32_MAX)
		return -EINVAL;
	*out = (uint32_t)v;
	return 0;
}

static int option_parse(const char *key, const char *value, struct link_route *r,
			const char **error)
{
	if (strcmp(key, "via") == 0) {
		*error = "\"via\" takes the address of a router of the destination's family";
		return addr_parse(value, &r->via) || r->via.family != r->dest.addr.family;
	}
	if (strcmp(key, "src") == 0) {
		*error = "\"src\" takes an own address of the destination's family";
		return addr_parse(value, &r->source) || r->source.family != r->dest.addr.family;
	}
	if (strcmp(key, "metric") == 0) {
		*error = "\"metric\" takes a number";
		return number_parse(value, &r->metric);
	}
	if (strcmp(key, "mtu") == 0) {
		*error = "\"mtu\" takes a number from 68 to 65535";
		return number_parse(value, &r->mtu) || r->mtu < 68 || r->mtu > 65535;
	}
	*error = "expected \"via\", \"src\", \"metric\" or \"mtu\" after the destination";
	return -EINVAL;
}

int link_route_parse(const char *text, struct link_route *out, const char **error)
{
	struct link_route r = {0};
	char copy[ROUTE_TEXT_MAX], *save, *word, *value;
	bool is_default;

	*error = "expected \"PREFIX via ADDRESS\" or \"default via ADDRESS\"";
	if (strlen(text) >= sizeof(copy))
		return -EINVAL;
	strcpy(copy, text);
	word = strtok_r(copy, " \t", &save);
	if (!word)
		return -EINVAL;
	is_default = strcmp(word, "default") == 0;
	if (is_default)
		r.dest.addr.family = ADDR_V4;
	else if (prefix_parse(word, &r.dest) < 0) {
		*error = "expected a prefix without host bits, or \"default\"";
		return -EINVAL;
	}
	while ((word = strtok_r(NULL, " \t", &save))) {
		value = strtok_r(NULL, " \t", &save);
		/* A default route has the family of its router. */
		if (is_default && value && strcmp(word, "via") == 0 && strchr(value, ':'))
			r.dest.addr.family = ADDR_V6;
		if (option_parse(word, value ? value : "", &r, error))
			return -EINVAL;
	}
	*out = r;
	*error = NULL;
	return 0;
}
