/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/sockaddr.h"

#include <netinet/in.h>
#include <string.h>

socklen_t endpoint_sockaddr(const struct endpoint *ep, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof(*out));
	if (ep->addr.family == ADDR_V4) {
		struct sockaddr_in *in = (struct sockaddr_in *)out;

		in->sin_family = AF_INET;
		in->sin_port = ep->port;
		in->sin_addr.s_addr = ep->addr.v4;
		return sizeof(*in);
	}
	if (ep->addr.family == ADDR_V6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = ep->port;
		memcpy(&in6->sin6_addr, ep->addr.v6, 16);
		return sizeof(*in6);
	}
	return 0;
}
