/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/service.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define X(NAME, name, ipvs) #name,
const char *const client_address_names[CLIENT_ADDRESS_MAX + 1] = {"off", "proxy-v1", "proxy-v2",
								  "toa", NULL};
const char *const proxy_header_names[CLIENT_ADDRESS_TOA + 1] = {"off", "proxy-v1", "proxy-v2",
								NULL};

const char *const forward_names[FWD_MAX + 1] = {FORWARD_METHODS(X)};
#undef X
#define X(NAME, name, ipvs) ipvs,
const char *const forward_ipvs_names[FWD_MAX] = {FORWARD_METHODS(X)};
#undef X

#define MARK_IPV6 "/ipv6"

const char *service_key_format(uint8_t proto, const struct endpoint *ep, uint32_t fwmark,
			       uint8_t family, char *buf, size_t len)
{
	char text[ENDPOINT_STRLEN];

	if (fwmark != 0)
		snprintf(buf, len, "fwmark:%u%s", fwmark, family == ADDR_V6 ? MARK_IPV6 : "");
	else if (proto == IPPROTO_TCP || proto == IPPROTO_UDP)
		snprintf(buf, len, "%s:%s", proto == IPPROTO_TCP ? "tcp" : "udp",
			 endpoint_format(ep, text, sizeof(text)));
	else
		snprintf(buf, len, "%u:%s", proto, endpoint_format(ep, text, sizeof(text)));
	return buf;
}

static int mark_key_parse(const char *text, uint32_t *fwmark, uint8_t *family)
{
	unsigned long long mark;
	char *end;

	if (*text < '1' || *text > '9')
		return -EINVAL;
	mark = strtoull(text, &end, 10);
	if (mark > UINT32_MAX || (*end && strcmp(end, MARK_IPV6) != 0))
		return -EINVAL;
	*fwmark = (uint32_t)mark;
	*family = *end ? ADDR_V6 : ADDR_V4;
	return 0;
}

int service_key_parse(const char *text, uint8_t *proto, struct endpoint *ep, uint32_t *fwmark,
		      uint8_t *family)
{
	const bool tcp = strncmp(text, "tcp:", 4) == 0;

	if (strncmp(text, "fwmark:", 7) == 0) {
		if (mark_key_parse(text + 7, fwmark, family) < 0)
			return -EINVAL;
		*proto = 0;
		return 0;
	}
	if ((!tcp && strncmp(text, "udp:", 4) != 0) || endpoint_parse(text + 4, ep) < 0)
		return -EINVAL;
	*proto = tcp ? IPPROTO_TCP : IPPROTO_UDP;
	*fwmark = 0;
	*family = ep->addr.family;
	return 0;
}
