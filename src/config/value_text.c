/* SPDX-License-Identifier: BSD-3-Clause */
/* From texts to values of one type: routes, netmasks, modes. */
#include "config/config_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int word_next(const char **p, char *buf, size_t len)
{
	size_t n;

	*p += strspn(*p, " ");
	n = strcspn(*p, " ");
	if (n == 0)
		return -ENOENT;
	if (n >= len)
		return -EINVAL;
	memcpy(buf, *p, n);
	buf[n] = '\0';
	*p += n;
	return 0;
}

int config_route_parse(const char *text, struct net_route *out)
{
	struct net_route r;
	char key[16], word[PREFIX_STRLEN];
	const char *p = text;
	bool is_default;
	int ret;

	memset(&r, 0, sizeof(r));
	if (word_next(&p, word, sizeof(word)) < 0)
		return -EINVAL;
	is_default = strcmp(word, "default") == 0;
	if (!is_default && prefix_parse(word, &r.dest) < 0)
		return -EINVAL;
	while ((ret = word_next(&p, key, sizeof(key))) == 0) {
		if (word_next(&p, word, sizeof(word)) < 0)
			return -EINVAL;
		if (strcmp(key, "via") == 0 && r.via.family == ADDR_NONE)
			ret = addr_parse(word, &r.via);
		else if (strcmp(key, "src") == 0 && r.source.family == ADDR_NONE)
			ret = addr_parse(word, &r.source);
		else if (strcmp(key, "metric") == 0 && strlen(word) < 10 && r.metric == 0 &&
			 word[strspn(word, "0123456789")] == '\0')
			r.metric = (uint32_t)strtoul(word, NULL, 10);
		else
			ret = -EINVAL;
		if (ret < 0)
			return -EINVAL;
	}
	if (ret != -ENOENT)
		return -EINVAL;
	if (is_default)
		r.dest.addr.family = r.via.family ? r.via.family : ADDR_V4;
	if ((r.via.family && r.via.family != r.dest.addr.family) ||
	    (r.source.family && r.source.family != r.dest.addr.family))
		return -EINVAL;
	*out = r;
	return 0;
}

int config_netmask_parse(const char *text, uint64_t *out)
{
	unsigned int len;
	struct addr a;
	uint32_t bits;

	if (addr_parse(text, &a) < 0 || a.family != ADDR_V4)
		return -EINVAL;
	bits = be32_to(a.v4);
	for (len = 0; len < 32 && bits & 0x80000000U >> len; len++)
		;
	*out = len < 32 && bits << len != 0 ? NETMASK_BITS | bits : len;
	return 0;
}

int config_mode_parse(const char *text, uint32_t *out)
{
	char *end;
	unsigned long v = strtoul(text, &end, 8);

	if (text[0] != '0' || strlen(text) > 5 || *end != '\0' || v > 0777 || v == 0)
		return -EINVAL;
	*out = (uint32_t)v;
	return 0;
}
