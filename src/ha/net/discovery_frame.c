/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames of ARP and neighbour discovery: the two versions of one packet. */
#include <string.h>

#include "base/csum.h"
#include "ha/net/discovery.h"
#include "ha/wire/bytes.h"

#define ARP_BYTES 42

#define IP6_AT	      14
#define ICMP6_AT      54
#define TARGET_AT     62 /* of a solicitation and an advertisement */
#define OPTIONS_AT    78
#define ICMP6	      58
#define HOP_LIMIT     255 /* no router let the packet pass */
#define SOLICITATION  135
#define ADVERTISEMENT 136
#define OPTION_SOURCE 1
#define OPTION_TARGET 2
#define OPTION_BYTES  8
/* The flags of an advertisement. A router says so in each one: a station that hears the contrary
 * takes the address off its list of default routers (RFC 4861, 7.2.5). */
#define FLAG_ROUTER    0x80
#define FLAG_SOLICITED 0x40
#define FLAG_OVERRIDE  0x20

const struct mac discovery_all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

/* Hardware Ethernet, protocol IPv4, their lengths. */
static const uint8_t arp_fixed[8] = {0x08, 0x06, 0, 1, 0x08, 0x00, 6, 4};

static void arp_format(const struct discovery_packet *p, const struct mac *src, uint8_t *f)
{
	memcpy(f, p->dst.byte, 6);
	memcpy(f + 6, src->byte, 6);
	memcpy(f + 12, arp_fixed, sizeof(arp_fixed));
	put16(f + 20, p->op);
	memcpy(f + 22, p->sender_mac.byte, 6);
	memcpy(f + 28, &p->sender.v4, 4);
	memcpy(f + 32, p->target_mac.byte, 6);
	memcpy(f + 38, &p->target.v4, 4);
}

static bool arp_parse(const uint8_t *f, size_t n, struct discovery_packet *p)
{
	if (n < ARP_BYTES || memcmp(f + 12, arp_fixed, sizeof(arp_fixed)) != 0 || f[20] != 0 ||
	    (f[21] != DISCOVERY_QUESTION && f[21] != DISCOVERY_ANSWER))
		return false;
	p->op = f[21];
	p->solicited = p->op == DISCOVERY_ANSWER;
	memcpy(p->sender_mac.byte, f + 22, 6);
	p->sender.family = p->target.family = ADDR_V4;
	memcpy(&p->sender.v4, f + 28, 4);
	memcpy(p->target_mac.byte, f + 32, 6);
	memcpy(&p->target.v4, f + 38, 4);
	return true;
}

/* Where a packet to all goes: of a question to those whose addresses end as the one asked for. */
static void nd_group(const struct discovery_packet *p, uint8_t group[16], uint8_t mac[6])
{
	static const uint8_t nodes[16] = {0xff, 0x02, [15] = 1};
	static const uint8_t solicited[16] = {0xff, 0x02, [11] = 1, [12] = 0xff};

	memcpy(group, p->op == DISCOVERY_QUESTION ? solicited : nodes, 16);
	if (p->op == DISCOVERY_QUESTION)
		memcpy(group + 13, p->target.v6 + 13, 3);
	mac[0] = mac[1] = 0x33;
	memcpy(mac + 2, group + 12, 4);
}

/* Over the pseudo header and the ICMPv6 message of len bytes. */
static be16 nd_csum(const uint8_t *f, size_t len)
{
	uint8_t rest[8] = {0};

	put32(rest, (uint32_t)len);
	rest[7] = ICMP6;
	return (be16)~csum_fold(csum_add(
		csum_add(csum_add(0, f + IP6_AT + 8, 32), rest, sizeof(rest)), f + ICMP6_AT, len));
}

static void nd_format(const struct discovery_packet *p, const struct mac *src, uint8_t *f)
{
	const bool question = p->op == DISCOVERY_QUESTION;
	const bool to_all = memcmp(&p->dst, &discovery_all, sizeof(p->dst)) == 0;
	const size_t len = DISCOVERY_FRAME_BYTES - ICMP6_AT;
	be16 csum;

	memset(f, 0, DISCOVERY_FRAME_BYTES);
	memcpy(f + 6, src->byte, 6);
	put16(f + 12, 0x86dd);
	f[IP6_AT] = 0x6c; /* traffic class CS6 */
	put16(f + IP6_AT + 4, (uint16_t)len);
	f[IP6_AT + 6] = ICMP6;
	f[IP6_AT + 7] = HOP_LIMIT;
	memcpy(f + IP6_AT + 8, p->sender.v6, 16);
	if (to_all) {
		nd_group(p, f + IP6_AT + 24, f);
	} else {
		memcpy(f + IP6_AT + 24, p->target.v6, 16);
		memcpy(f, p->dst.byte, 6);
	}
	f[ICMP6_AT] = question ? SOLICITATION : ADVERTISEMENT;
	if (!question)
		f[ICMP6_AT + 4] = FLAG_ROUTER | FLAG_OVERRIDE | (to_all ? 0 : FLAG_SOLICITED);
	memcpy(f + TARGET_AT, question ? p->target.v6 : p->sender.v6, 16);
	f[OPTIONS_AT] = question ? OPTION_SOURCE : OPTION_TARGET;
	f[OPTIONS_AT + 1] = 1;
	memcpy(f + OPTIONS_AT + 2, p->sender_mac.byte, 6);
	csum = nd_csum(f, len);
	memcpy(f + ICMP6_AT + 2, &csum, 2);
}

/* The MAC of the option of a type; the frame's source without one. False: bad options. */
static bool nd_mac(const uint8_t *f, size_t end, uint8_t type, struct mac *mac)
{
	memcpy(mac->byte, f + 6, 6);
	for (size_t at = OPTIONS_AT; at < end;) {
		size_t len = end - at >= OPTION_BYTES ? f[at + 1] * 8UL : 0;

		if (len == 0 || len > end - at)
			return false;
		if (f[at] == type && len == OPTION_BYTES)
			memcpy(mac->byte, f + at + 2, 6);
		at += len;
	}
	return true;
}

/* RFC 4861, 7.1. */
static bool nd_is_valid(const uint8_t *f, size_t n)
{
	size_t len = n < OPTIONS_AT ? 0 : get16(f + IP6_AT + 4);

	return len >= OPTIONS_AT - ICMP6_AT && len <= n - ICMP6_AT && f[IP6_AT] >> 4 == 6 &&
	       f[IP6_AT + 6] == ICMP6 && f[IP6_AT + 7] == HOP_LIMIT &&
	       (f[ICMP6_AT] == SOLICITATION || f[ICMP6_AT] == ADVERTISEMENT) &&
	       f[ICMP6_AT + 1] == 0 && f[TARGET_AT] != 0xff && f[IP6_AT + 8] != 0xff &&
	       nd_csum(f, len) == 0;
}

static bool nd_parse(const uint8_t *f, size_t n, struct discovery_packet *p)
{
	bool question;

	if (!nd_is_valid(f, n))
		return false;
	question = f[ICMP6_AT] == SOLICITATION;
	p->op = question ? DISCOVERY_QUESTION : DISCOVERY_ANSWER;
	p->solicited = !question && f[ICMP6_AT + 4] & FLAG_SOLICITED;
	p->sender.family = p->target.family = ADDR_V6;
	memcpy(p->sender.v6, question ? f + IP6_AT + 8 : f + TARGET_AT, 16);
	memcpy(p->target.v6, question || f[IP6_AT + 24] == 0xff ? f + TARGET_AT : f + IP6_AT + 24,
	       16);
	return nd_mac(f, ICMP6_AT + get16(f + IP6_AT + 4), question ? OPTION_SOURCE : OPTION_TARGET,
		      &p->sender_mac);
}

size_t discovery_format(const struct discovery_packet *p, const struct mac *src,
			uint8_t f[DISCOVERY_FRAME_BYTES])
{
	if (p->sender.family == ADDR_V6)
		nd_format(p, src, f);
	else
		arp_format(p, src, f);
	return p->sender.family == ADDR_V6 ? DISCOVERY_FRAME_BYTES : ARP_BYTES;
}

bool discovery_parse(const uint8_t *f, size_t n, struct discovery_packet *p)
{
	memset(p, 0, sizeof(*p));
	if (n < IP6_AT)
		return false;
	return f[12] == 0x86 && f[13] == 0xdd ? nd_parse(f, n, p) : arp_parse(f, n, p);
}
