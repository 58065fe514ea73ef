/* SPDX-License-Identifier: BSD-3-Clause */
/* The matches of mark rules as texts: "10.0.0.0/8", "!10.0.0.0/8", "80", "1000-1999", "!80". */
#include "config/config_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* After the "!" and blanks that negate. */
const char *config_negation_skip(const char *text, uint8_t *negate)
{
	*negate = text[0] == '!';
	if (*negate)
		text += 1 + strspn(text + 1, " ");
	return text;
}

int config_match_parse(const char *text, struct mark_prefix *out, uint8_t *family)
{
	struct mark_prefix p = {0};
	struct prefix prefix;

	*family = ADDR_NONE;
	if (strcmp(text, "any") == 0) {
		*out = p;
		return 0;
	}
	text = config_negation_skip(text, &p.negate);
	if (prefix_parse(text, &prefix) < 0 || (p.negate && prefix.len == 0))
		return -EINVAL;
	*family = prefix.addr.family;
	p.addr = prefix.addr;
	p.len = prefix.len;
	*out = p;
	return 0;
}

const char *config_match_format(const struct mark_prefix *p, char *buf, size_t len)
{
	const struct prefix prefix = {.addr = p->addr, .len = p->len};
	char text[PREFIX_STRLEN];

	if (p->addr.family == ADDR_NONE) {
		snprintf(buf, len, "any");
		return buf;
	}
	snprintf(buf, len, "%s%s", p->negate ? "!" : "",
		 prefix_format(&prefix, text, sizeof(text)));
	return buf;
}

static int port_parse(const char **text, uint16_t *out)
{
	size_t digits = strspn(*text, "0123456789");
	unsigned long v = strtoul(*text, NULL, 10);

	if (digits == 0 || digits > 5 || v > UINT16_MAX)
		return -EINVAL;
	*text += digits;
	*out = (uint16_t)v;
	return 0;
}

int config_ports_parse(const char *text, struct mark_ports *out)
{
	struct mark_ports p = {0};

	text = config_negation_skip(text, &p.negate);
	if (port_parse(&text, &p.first) < 0)
		return -EINVAL;
	p.last = p.first;
	if (*text == '-') {
		text++;
		if (port_parse(&text, &p.last) < 0)
			return -EINVAL;
	}
	/* 0 stands for "any" in here; as a port it is nobody's. */
	if (*text != '\0' || p.last == 0 || p.last < p.first ||
	    (p.negate && p.first == 0 && p.last == UINT16_MAX))
		return -EINVAL;
	*out = p;
	return 0;
}

json_t *config_ports_to_json(const struct mark_ports *p)
{
	char text[16];

	if (p->first == p->last && !p->negate)
		return json_integer(p->first);
	if (p->first == p->last)
		snprintf(text, sizeof(text), "!%u", p->first);
	else
		snprintf(text, sizeof(text), "%s%u-%u", p->negate ? "!" : "", p->first, p->last);
	return json_string(text);
}
