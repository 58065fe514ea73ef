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

/* A name in /etc/hosts or DNS, or -1. ipvsadm looks for addresses of IPv4 alone. */
static int name_parse(const char *name, struct addr *addr)
{
	struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found = NULL;

	if (getaddrinfo(name, NULL, &hints, &found) != 0 || !found)
		return -1;
	*addr = addr_from_v4(((struct sockaddr_in *)(void *)found->ai_addr)->sin_addr.s_addr);
	freeaddrinfo(found);
	return 0;
}

static int host_parse(const char *host, struct addr *addr)
{
	struct in_addr in;

	if (!*host)
		return -1;
	/* As inet_aton(): "10.1" is 10.0.0.1. Digits and dots alone are never looked up. */
	if (inet_aton(host, &in) != 0) {
		*addr = addr_from_v4(in.s_addr);
		return 0;
	}
	return strspn(host, "0123456789.") == strlen(host) ? -1 : name_parse(host, addr);
}

/* "[IPV6]:PORT". An address of IPv4 or a name in brackets is taken without its port, as by
 * ipvsadm. */
static int bracket_parse(const char *text, int proto, struct endpoint *ep, bool *with_port)
{
	char host[512];
	const size_t len = strcspn(text + 1, "]");

	if (len >= sizeof(host) || text[1 + len] != ']' || text[2 + len] != ':')
		return -1;
	memcpy(host, text + 1, len);
	host[len] = '\0';
	if (addr_parse(host, &ep->addr) < 0 || ep->addr.family != ADDR_V6)
		return host_parse(host, &ep->addr);
	*with_port = true;
	return port_parse(text + len + 3, proto, &ep->port);
}

int adm_endpoint_parse(const char *text, int proto, struct endpoint *ep, bool *with_port)
{
	struct endpoint out = {0};
	const char *colon = strchr(text, ':');
	char host[512];
	size_t len;

	*with_port = false;
	if (*text == '[') {
		if (bracket_parse(text, proto, &out, with_port) < 0)
			return -1;
	} else if (colon && strchr(colon + 1, ':')) {
		/* Two colons: an address without a port. */
		if (addr_parse(text, &out.addr) < 0)
			return -1;
	} else {
		len = colon ? (size_t)(colon - text) : strlen(text);
		/* Digits alone are no address, unless a port follows. */
		if (len >= sizeof(host) || (!colon && strspn(text, "0123456789") == len))
			return -1;
		memcpy(host, text, len);
		host[len] = '\0';
		if (host_parse(host, &out.addr) < 0 ||
		    (colon && port_parse(colon + 1, proto, &out.port) < 0))
			return -1;
		*with_port = colon != NULL;
	}
	*ep = out;
	return 0;
}

const char *adm_endpoint_text(const struct endpoint *ep, int proto, bool numeric, char *buf,
			      size_t len)
{
	char host[NI_MAXHOST], addr[ADDR_STRLEN], port[8];
	const bool v6 = ep->addr.family == ADDR_V6;
	struct sockaddr_in sa4 = {.sin_family = AF_INET, .sin_addr.s_addr = ep->addr.v4};
	struct sockaddr_in6 sa6 = {.sin6_family = AF_INET6};
	const struct sockaddr *sa = v6 ? (const void *)&sa6 : (const void *)&sa4;
	const struct servent *known = NULL;
	const char *name = addr;

	addr_format(&ep->addr, addr, sizeof(addr));
	memcpy(&sa6.sin6_addr, ep->addr.v6, sizeof(sa6.sin6_addr));
	if (!numeric && ep->addr.family != ADDR_NONE &&
	    getnameinfo(sa, v6 ? sizeof(sa6) : sizeof(sa4), host, sizeof(host), NULL, 0,
			NI_NAMEREQD) == 0)
		name = host;
	snprintf(port, sizeof(port), "%u", be16_to(ep->port));
	if (!numeric && proto_name(proto))
		known = getservbyport(ep->port, proto_name(proto));
	snprintf(buf, len, v6 ? "[%s]:%s" : "%s:%s", name, known ? known->s_name : port);
	return buf;
}
