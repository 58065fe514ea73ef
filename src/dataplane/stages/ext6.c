/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/stages/ext6.h"

#include <stddef.h>

#define IP6_HDR	     40U
#define IP6_NEXT     6U /* next header in the IPv6 header */
#define OPTION_PAD1  0U
#define OPTION_PADN  1U
#define OPTION_ACT   0xc0U /* action for an unknown option (RFC 8200, 4.2); 0: skip */
#define ROUTER_ALERT 5U

static uint32_t header_len(uint8_t proto, const uint8_t *h)
{
	if (proto == EXT6_FRAGMENT)
		return sizeof(struct ext6_fragment);
	return proto == EXT6_AH ? (h[1] + 2U) * 4 : (h[1] + 1U) * 8;
}

/* Hop-by-hop options: those whose type says that a router which does not know them must not
 * pass the packet on, jumbograms among them, and options that do not fit. */
static bool options_pass(const uint8_t *h, uint32_t len, uint32_t *at)
{
	uint32_t i = 2;

	while (i < len) {
		uint32_t n = h[i] == OPTION_PAD1 ? 1 : i + 1 < len ? h[i + 1] + 2U : len + 1;

		*at = i;
		if (n > len - i)
			return false;
		if (h[i] != OPTION_PAD1 && h[i] != OPTION_PADN && h[i] != ROUTER_ALERT &&
		    (h[i] & OPTION_ACT))
			return false;
		i += n;
	}
	return true;
}

enum ext6_verdict ext6_walk(const uint8_t *l3, uint32_t len, uint32_t here, struct ext6 *out)
{
	uint8_t proto = l3[IP6_NEXT];
	uint32_t at = IP6_HDR;

	*out = (struct ext6){.proto = proto, .l4_off = IP6_HDR};
	if (here > len)
		here = len;
	for (unsigned int n = 0; ext6_is_header(proto); n++) {
		const uint8_t *h = l3 + at;
		uint32_t size, option;

		if (n == EXT6_MAX)
			return EXT6_TOO_LONG;
		if (at + 8 > here)
			return EXT6_CUT;
		size = header_len(proto, h);
		if (at + size > EXT6_LEN_MAX)
			return EXT6_TOO_LONG;
		if (at + size > here)
			return EXT6_CUT;
		if (proto == EXT6_HOP) {
			if (n != 0)
				return EXT6_ORDER;
			if (!options_pass(h, size, &option)) {
				out->at = (uint16_t)(at + option);
				out->option = h[option];
				return EXT6_OPTION;
			}
		}
		if (proto == EXT6_ROUTING && h[2] == 0 && h[3] != 0)
			out->routing0 = true;
		if (proto == EXT6_FRAGMENT) {
			if (out->fragment)
				return EXT6_ORDER;
			out->fragment = (uint16_t)at;
		}
		proto = h[0];
		at += size;
		/* The bytes behind the header of a later fragment are data. */
		if (out->fragment == at - size &&
		    (be16_to(((const struct ext6_fragment *)(const void *)h)->field) & EXT6_OFFSET))
			break;
	}
	out->proto = proto;
	out->l4_off = (uint16_t)at;
	return EXT6_OK;
}

struct ext6_fragment *ext6_fragment_find(uint8_t *l3, uint16_t l4_off)
{
	uint8_t proto = l3[IP6_NEXT];

	for (uint32_t at = IP6_HDR; at + 8 <= l4_off && ext6_is_header(proto);) {
		const uint8_t next = l3[at];

		if (proto == EXT6_FRAGMENT)
			return (struct ext6_fragment *)(void *)(l3 + at);
		at += header_len(proto, l3 + at);
		proto = next;
	}
	return NULL;
}
