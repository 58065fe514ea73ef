/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/translate/icmp_map.h"

#include <stddef.h>

#include "dataplane/translate/header_len.h"

#define NONE 0xffU /* no counterpart */

/* Types of errors: of ICMPv4 (RFC 792), of ICMPv6 (RFC 4443). */
enum { V4_UNREACH = 3, V4_TIME = 11, V4_PARAMETER = 12 };
enum { V6_UNREACH = 1, V6_TOO_BIG = 2, V6_TIME = 3, V6_PARAMETER = 4 };
enum { V4_PROTOCOL = 2, V4_FRAGMENTATION = 4 }; /* codes of V4_UNREACH */
enum { V6_HEADER = 0, V6_NEXT_HEADER = 1 };	/* codes of V6_PARAMETER */

/* Destination unreachable, code by code. Codes with another type in the other family are handled
 * before. */
static const uint8_t unreach_4to6[] = {
	[0] = 0, [1] = 0,  [3] = 4,  [5] = 0,  [6] = 0,	 [7] = 0,     [8] = 0,
	[9] = 1, [10] = 1, [11] = 0, [12] = 0, [13] = 1, [14] = NONE, [15] = 1,
};
static const uint8_t unreach_6to4[] = {1, 10, 1, 1, 3};

/* The place of a field in the header of the other family, by the place of each byte. */
static const uint8_t pointer_4to6[20] = {
	0, 1, 4, 4, NONE, NONE, NONE, NONE, 7, 6, NONE, NONE, 8, 8, 8, 8, 24, 24, 24, 24,
};
static const uint8_t pointer_6to4[40] = {
	0,  1,	NONE, NONE, 2,	2,  9,	8,  12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12,
	12, 12, 12,   12,   16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
};

#define POINTER_V6_NEXT 6 /* the next header */

static bool put(struct icmp_words *out, uint8_t type, uint8_t code, uint32_t info)
{
	*out = (struct icmp_words){.type = type, .code = code, .info = info};
	return true;
}

static bool unreach4(const struct icmp_words *in, struct icmp_words *out)
{
	if (in->code == V4_PROTOCOL)
		return put(out, V6_PARAMETER, V6_NEXT_HEADER, POINTER_V6_NEXT);
	if (in->code == V4_FRAGMENTATION)
		return put(out, V6_TOO_BIG, 0, in->info & UINT16_MAX);
	if (in->code >= sizeof(unreach_4to6) || unreach_4to6[in->code] == NONE)
		return false;
	return put(out, V6_UNREACH, unreach_4to6[in->code], 0);
}

/* Codes 0 and 2 have a pointer, in the first byte. */
static bool parameter4(const struct icmp_words *in, struct icmp_words *out)
{
	const uint32_t at = in->info >> 24;

	if ((in->code != 0 && in->code != 2) || at >= sizeof(pointer_4to6) ||
	    pointer_4to6[at] == NONE)
		return false;
	return put(out, V6_PARAMETER, V6_HEADER, pointer_4to6[at]);
}

bool icmp_words_4to6(const struct icmp_words *in, struct icmp_words *out)
{
	switch (in->type) {
	case V4_UNREACH:
		return unreach4(in, out);
	case V4_TIME:
		return put(out, V6_TIME, in->code, 0);
	case V4_PARAMETER:
		return parameter4(in, out);
	default:
		return false;
	}
}

static bool parameter6(const struct icmp_words *in, struct icmp_words *out)
{
	if (in->code == V6_NEXT_HEADER)
		return put(out, V4_UNREACH, V4_PROTOCOL, 0);
	if (in->code != V6_HEADER || in->info >= sizeof(pointer_6to4) ||
	    pointer_6to4[in->info] == NONE)
		return false;
	return put(out, V4_PARAMETER, 0, (uint32_t)pointer_6to4[in->info] << 24);
}

bool icmp_words_6to4(const struct icmp_words *in, struct icmp_words *out)
{
	switch (in->type) {
	case V6_UNREACH:
		if (in->code >= sizeof(unreach_6to4))
			return false;
		return put(out, V4_UNREACH, unreach_6to4[in->code], 0);
	case V6_TOO_BIG:
		return put(out, V4_UNREACH, V4_FRAGMENTATION, in->info);
	case V6_TIME:
		return put(out, V4_TIME, in->code, 0);
	case V6_PARAMETER:
		return parameter6(in, out);
	default:
		return false;
	}
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* RFC 1191, 7. */
static uint32_t plateau(uint16_t quoted)
{
	static const uint16_t plateaus[] = {65535, 32000, 17914, 8166, 4352, 2002,
					    1492,  1006,  508,	 296,  68};
	size_t i = 0;

	while (i < sizeof(plateaus) / sizeof(*plateaus) - 1 && plateaus[i] >= quoted)
		i++;
	return plateaus[i];
}

uint32_t translated6_mtu(uint32_t mtu, uint16_t quoted, uint32_t mtu6, uint32_t mtu4)
{
	mtu = least(mtu ? mtu : plateau(quoted), mtu4) + TRANSLATED_GROWTH;
	mtu = least(mtu, mtu6);
	return mtu < MTU6_MIN ? MTU6_MIN : mtu;
}

uint32_t translated4_mtu(uint32_t mtu, bool fragment, uint32_t mtu4, uint32_t mtu6)
{
	const uint32_t less = TRANSLATED_GROWTH + (fragment ? FRAGMENT6_HDR : 0);

	mtu = least(mtu, mtu6);
	mtu = mtu > less ? mtu - less : 0;
	mtu = least(mtu, mtu4);
	return mtu < MTU4_MIN ? MTU4_MIN : mtu;
}
