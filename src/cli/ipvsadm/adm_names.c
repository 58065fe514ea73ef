/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses and ports with the names of /etc/hosts and /etc/services. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ipvsadm/adm_internal.h"

int64_t adm_number(const char *text, int64_t min, int64_t max)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	return end == text || *end || errno || n < min || n > max ? -1 : n;
}

static const char *proto_name(int proto)
{
	return proto == IPPROTO_TCP    ? "tcp"
	       : proto == IPPROTO_UDP  ? "udp"
	       : proto == IPPROTO_SCTP ? "sctp"
				       : NULL;
}

static int port_parse(const char *text, int proto, be16 *port)
{
	int64_t n = adm_number(text, 0, UINT16_MAX);
	const struct servent *known = NULL;

	if (n < 0 && proto_name(proto))
		known = getservbyname(text, proto_name(proto));
	if (n < 0 && !known)
		return -1;
	*port = n < 0 ? (be16)known->s_port : be16_from((uint16_t)n);
	return 0;
}

static int host_parse(const char *host, struct addr *addr)
{
	struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found = NULL;
	struct in_addr in;

	if (!*host)
		return -1;
	/* As inet_aton(): "10.1" is 10.0.0.1. Digits and dots alone are never looked up. */
	if (inet_aton(host, &in) == 0) {
		if (strspn(host, "0123456789.") == strlen(host) ||
		    getaddrinfo(host, NULL, &hints, &found) != 0 || !found)
			return -1;
		in = ((struct sockaddr_in *)(void *)found->ai_addr)->sin_addr;
		freeaddrinfo(found);
	}
	memset(addr, 0, sizeof(*addr));
	addr->family = ADDR_V4;
	memcpy(&addr->v4, &in, sizeof(addr->v4));
	return 0;
}

int adm_endpoint_parse(const char *text, int proto, struct endpoint *ep, bool *with_port)
{
	struct endpoint out = {0};
	char host[512], *end;
	size_t len;

	*with_port = false;
	if (*text == '[') {
		len = strcspn(text + 1, "]");
		if (len >= sizeof(host) || !text[1 + len])
			return -1;
		memcpy(host, text + 1, len);
		host[len] = '\0';
		if (addr_parse(host, &out.addr) < 0 || out.addr.family != ADDR_V6)
			return -1;
		text += len + 2;
		if (*text && *text != ':')
			return -1;
	} else {
		len = strcspn(text, ":");
		if (len >= sizeof(host))
			return -1;
		memcpy(host, text, len);
		host[len] = '\0';
		if (host_parse(host, &out.addr) < 0)
			return -1;
		text += len;
	}
	end = strchr(text, ':');
	if (end && port_parse(end + 1, proto, &out.port) < 0)
		return -1;
	*with_port = end != NULL;
	*ep = out;
	return 0;
}

const char *adm_endpoint_text(const struct endpoint *ep, int proto, bool numeric, char *buf,
			      size_t len)
{
	char host[NI_MAXHOST], addr[ADDR_STRLEN], port[8];
	struct sockaddr_in sa = {.sin_family = AF_INET};
	const struct servent *known = NULL;
	const char *name = addr;

	addr_format(&ep->addr, addr, sizeof(addr));
	memcpy(&sa.sin_addr, &ep->addr.v4, sizeof(sa.sin_addr));
	if (!numeric && ep->addr.family == ADDR_V4 &&
	    getnameinfo((struct sockaddr *)&sa, sizeof(sa), host, sizeof(host), NULL, 0,
			NI_NAMEREQD) == 0)
		name = host;
	snprintf(port, sizeof(port), "%u", be16_to(ep->port));
	if (!numeric && proto_name(proto))
		known = getservbyport(ep->port, proto_name(proto));
	snprintf(buf, len, ep->addr.family == ADDR_V6 && name == addr ? "[%s]:%s" : "%s:%s", name,
		 known ? known->s_name : port);
	return buf;
}
