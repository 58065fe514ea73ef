/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proxy/proxy.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* Version 2: signature, version and command, family and protocol, length of the rest. */
#define V2_PROXY   0x21U
#define V2_TCP	   (FAMILY == 4 ? 0x11U : 0x21U)
#define V2_UDP	   (FAMILY == 4 ? 0x12U : 0x22U)
#define V2_NOOP	   0x04U /* type of a TLV */
#define V2_PADDING 4U	 /* a TLV of NOOP with one byte */
#define V2_ADDRS   (2U * (uint32_t)sizeof(FAM_ADDR) + 4U)
#define V2_FIXED   16U
#define V2_UDP_LEN (V2_FIXED + V2_ADDRS + V2_PADDING)

_Static_assert((V2_FIXED + 2 * sizeof(FAM_ADDR) + 4 + V2_PADDING) % 8 == 0,
	       "offsets of fragments count 8 bytes");

static uint32_t header_v2(const struct FAM(conn) *c, uint8_t *out)
{
	static const uint8_t signature[12] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
					      0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
	const bool udp = c->c.proto == IPPROTO_UDP;
	const be16 rest = be16_from((uint16_t)(V2_ADDRS + (udp ? V2_PADDING : 0)));
	uint8_t *p = out + V2_FIXED;

	memcpy(out, signature, sizeof(signature));
	out[12] = V2_PROXY;
	out[13] = (uint8_t)(udp ? V2_UDP : V2_TCP);
	memcpy(out + 14, &rest, 2);
	memcpy(p, &c->caddr, sizeof(c->caddr));
	memcpy(p + sizeof(c->caddr), &c->vaddr, sizeof(c->vaddr));
	p += 2 * sizeof(c->caddr);
	memcpy(p, &c->cport, 2);
	memcpy(p + 2, &c->vport, 2);
	if (!udp)
		return V2_FIXED + V2_ADDRS;
	memcpy(p + 4, (const uint8_t[V2_PADDING]){V2_NOOP, 0, 1, 0}, V2_PADDING);
	return V2_UDP_LEN;
}

static uint32_t header_v1(const struct FAM(conn) *c, uint8_t *out)
{
	char client[INET6_ADDRSTRLEN], vip[INET6_ADDRSTRLEN];
	const int family = FAMILY == 4 ? AF_INET : AF_INET6;

	if (!inet_ntop(family, &c->caddr, client, sizeof(client)) ||
	    !inet_ntop(family, &c->vaddr, vip, sizeof(vip)))
		return 0;
	return (uint32_t)snprintf((char *)out, PROXY_HEADER_MAX, "PROXY TCP%u %s %s %u %u\r\n",
				  (unsigned int)FAMILY, client, vip, be16_to(c->cport),
				  be16_to(c->vport));
}

uint32_t FAM_FN(proxy, header)(const struct FAM(conn) *c, uint8_t out[PROXY_HEADER_MAX])
{
	return (c->proxy & PROXY_VERSION) == CLIENT_ADDRESS_PROXY_V1 ? header_v1(c, out)
								     : header_v2(c, out);
}
