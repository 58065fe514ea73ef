/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/service.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

const char *const forward_names[FWD_MAX] = {"nat", "dr", "tunnel", "local"};
const char *const forward_ipvs_names[FWD_MAX] = {"Masq", "Route", "Tunnel", "Local"};

int forward_parse(const char *text, enum forward_method *out)
{
	for (unsigned int i = 0; i < FWD_MAX; i++) {
		if (strcmp(text, forward_names[i]) == 0) {
			*out = (enum forward_method)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *service_key_format(uint8_t proto, const struct endpoint *ep, uint32_t fwmark, char *buf,
			       size_t len)
{
	char text[ENDPOINT_STRLEN];

	if (fwmark != 0)
		snprintf(buf, len, "fwmark:%u", fwmark);
	else if (proto == IPPROTO_TCP || proto == IPPROTO_UDP)
		snprintf(buf, len, "%s:%s", proto == IPPROTO_TCP ? "tcp" : "udp",
			 endpoint_format(ep, text, sizeof(text)));
	else
		snprintf(buf, len, "%u:%s", proto, endpoint_format(ep, text, sizeof(text)));
	return buf;
}
