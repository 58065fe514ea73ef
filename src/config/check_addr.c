/* SPDX-License-Identifier: BSD-3-Clause */
/* Which addresses packets can be sent to. */
#include "config/config_internal.h"

static const char *unusable4(uint32_t v4)
{
	if (v4 >> 24 == 127)
		return "a loopback address";
	if (v4 >> 28 == 0xe)
		return "a multicast address";
	if (v4 >> 28 == 0xf)
		return "a reserved or broadcast address";
	return v4 >> 24 == 0 ? "an address of \"this network\"" : NULL;
}

static const char *unusable6(const struct addr *a)
{
	if (addr_is_loopback(a))
		return "a loopback address";
	if (a->v6[0] == 0xff)
		return "a multicast address";
	if (a->word[0] == 0 && a->word[1] == 0 && be32_to(a->word[2]) == 0xffff)
		return "an IPv4 address in the form of IPv6: expected the IPv4 address";
	return NULL;
}

const char *config_addr_unusable(const struct addr *a)
{
	if (addr_is_zero(a))
		return "the unspecified address";
	return a->family == ADDR_V6 ? unusable6(a) : unusable4(be32_to(a->v4));
}
