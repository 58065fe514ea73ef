/* SPDX-License-Identifier: BSD-3-Clause */
#include "shown/packet_shown.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"

#define ETHERNET	14
#define TYPE_IP		0x0800
#define TYPE_ARP	0x0806
#define TYPE_VLAN	0x8100
#define TYPE_IP6	0x86dd
#define PROTO_IPIP	4
#define PROTO_IP6IP	41
#define IN_MAX		2 /* packets inside packets */
#define IP6_EXTENSIONS	8
#define EXT_HOP_BY_HOP	0
#define EXT_ROUTING	43
#define EXT_FRAGMENT	44
#define EXT_DESTINATION 60

/* The bytes that are not decoded yet. */
struct view {
	const uint8_t *at;
	size_t caplen;
};

struct line {
	char text[320];
	size_t used;
};

static void put(struct line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct line *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->text + l->used, sizeof(l->text) - l->used, fmt, ap);
	va_end(ap);
	if (n > 0)
		l->used += (size_t)n < sizeof(l->text) - l->used ? (size_t)n
								 : sizeof(l->text) - l->used - 1;
}

static unsigned int word(const uint8_t *at)
{
	return (unsigned int)at[0] << 8 | at[1];
}

static bool skip(struct view *v, size_t n)
{
	if (v->caplen < n)
		return false;
	v->at += n;
	v->caplen -= n;
	return true;
}

static void flags_put(json_t *o, struct line *l, uint8_t flags)
{
	static const char letters[] = "FSRPAU";
	char text[8] = "";
	size_t n = 0;

	for (unsigned int i = 0; i < 6; i++)
		if (flags >> i & 1)
			text[n++] = letters[i];
	json_object_set_new(o, "flags", json_string(text));
	put(l, " %s", text[0] ? text : "no flags");
}

static json_t *ip_shown(struct view v, struct line *l, unsigned int depth);

static void icmp_put(json_t *o, struct line *l, struct view v, bool v6, unsigned int depth)
{
	char text[16];
	bool error;

	if (v.caplen < 2)
		return;
	snprintf(text, sizeof(text), "%u/%u", v.at[0], v.at[1]);
	json_object_set_new(o, "icmp", json_string(text));
	put(l, " icmp %s", text);
	error = v6 ? v.at[0] < 128 : v.at[0] == 3 || v.at[0] == 11 || v.at[0] == 12;
	if (!error || depth == IN_MAX || !skip(&v, 8))
		return;
	put(l, " about (");
	json_object_set_new(o, "inner", ip_shown(v, l, depth + 1));
	put(l, ")");
}

/* Ports, where the packet has them. */
static void ends_put(json_t *o, struct line *l, const struct addr *from, const struct addr *to,
		     const struct view *v, bool ports)
{
	char a[ENDPOINT_STRLEN], b[ENDPOINT_STRLEN];
	struct endpoint source = {.addr = *from}, dest = {.addr = *to};

	if (ports && v->caplen >= 4) {
		memcpy(&source.port, v->at, 2);
		memcpy(&dest.port, v->at + 2, 2);
		endpoint_format(&source, a, sizeof(a));
		endpoint_format(&dest, b, sizeof(b));
	} else {
		addr_format(from, a, sizeof(a));
		addr_format(to, b, sizeof(b));
	}
	json_object_set_new(o, "source", json_string(a));
	json_object_set_new(o, "destination", json_string(b));
	put(l, "%s > %s", a, b);
}

static void l4_put(json_t *o, struct line *l, const struct addr *from, const struct addr *to,
		   struct view v, uint8_t proto, bool first, unsigned int depth)
{
	const bool v6 = from->family == ADDR_V6;
	char name[16];

	switch (proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
		ends_put(o, l, from, to, &v, first);
		json_object_set_new(o, "protocol",
				    json_string(proto == IPPROTO_TCP ? "tcp" : "udp"));
		put(l, proto == IPPROTO_TCP ? " tcp" : " udp");
		if (first && proto == IPPROTO_TCP && v.caplen >= 14)
			flags_put(o, l, v.at[13] & 0x3f);
		return;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		ends_put(o, l, from, to, &v, false);
		json_object_set_new(o, "protocol", json_string(v6 ? "icmpv6" : "icmp"));
		if (first)
			icmp_put(o, l, v, v6, depth);
		return;
	case PROTO_IPIP:
	case PROTO_IP6IP:
		ends_put(o, l, from, to, &v, false);
		json_object_set_new(o, "protocol", json_string("ipip"));
		put(l, " with (");
		if (first && depth < IN_MAX)
			json_object_set_new(o, "inner", ip_shown(v, l, depth + 1));
		put(l, ")");
		return;
	default:
		ends_put(o, l, from, to, &v, false);
		snprintf(name, sizeof(name), "ip %u", proto);
		json_object_set_new(o, "protocol", json_string(name));
		put(l, " protocol %u", proto);
	}
}

static void length_put(json_t *o, struct line *l, unsigned int len, unsigned int hops)
{
	json_object_set_new(o, "length", json_integer(len));
	json_object_set_new(o, "hops", json_integer(hops));
	put(l, " hops %u length %u", hops, len);
}

static json_t *ip4_shown(struct view v, struct line *l, unsigned int depth)
{
	struct addr from = {.family = ADDR_V4}, to = {.family = ADDR_V4};
	const uint8_t *ip = v.at;
	const unsigned int field = word(ip + 6);
	json_t *o = json_object();

	memcpy(&from.v4, ip + 12, 4);
	memcpy(&to.v4, ip + 16, 4);
	if (!skip(&v, (ip[0] & 0xfU) * 4))
		v.caplen = 0;
	l4_put(o, l, &from, &to, v, ip[9], (field & 0x1fff) == 0, depth);
	if (field & 0x3fff)
		put(l, " fragment at %u%s", (field & 0x1fff) * 8, field & 0x2000 ? "+" : "");
	length_put(o, l, word(ip + 2), ip[8]);
	return o;
}

static json_t *ip6_shown(struct view v, struct line *l, unsigned int depth)
{
	struct addr from = {.family = ADDR_V6}, to = {.family = ADDR_V6};
	const uint8_t *ip = v.at;
	uint8_t proto = ip[6];
	bool first = true;
	json_t *o = json_object();

	memcpy(from.v6, ip + 8, 16);
	memcpy(to.v6, ip + 24, 16);
	skip(&v, 40);
	for (unsigned int i = 0; i < IP6_EXTENSIONS && v.caplen >= 8; i++) {
		const uint8_t next = v.at[0];

		if (proto == EXT_FRAGMENT)
			first = (word(v.at + 2) & 0xfff8) == 0;
		else if (proto != EXT_HOP_BY_HOP && proto != EXT_ROUTING &&
			 proto != EXT_DESTINATION)
			break;
		if (!skip(&v, proto == EXT_FRAGMENT ? 8 : 8 + v.at[1] * 8U))
			v.caplen = 0;
		proto = next;
	}
	l4_put(o, l, &from, &to, v, proto, first, depth);
	length_put(o, l, 40 + word(ip + 4), ip[7]);
	return o;
}

static json_t *ip_shown(struct view v, struct line *l, unsigned int depth)
{
	if (v.caplen >= 20 && v.at[0] >> 4 == 4)
		return ip4_shown(v, l, depth);
	if (v.caplen >= 40 && v.at[0] >> 4 == 6)
		return ip6_shown(v, l, depth);
	put(l, "cut short, or not IP");
	return json_object();
}

static json_t *arp_shown(struct view v, struct line *l)
{
	struct addr from = {.family = ADDR_V4}, to = {.family = ADDR_V4};
	char a[ADDR_STRLEN], b[ADDR_STRLEN];

	if (v.caplen < 28) {
		put(l, "arp, cut short");
		return json_pack("{s:s}", "protocol", "arp");
	}
	memcpy(&from.v4, v.at + 14, 4);
	memcpy(&to.v4, v.at + 24, 4);
	addr_format(&from, a, sizeof(a));
	addr_format(&to, b, sizeof(b));
	put(l, word(v.at + 6) == 1 ? "arp who has %s, tell %s" : "arp %s, to %s",
	    word(v.at + 6) == 1 ? b : a, word(v.at + 6) == 1 ? a : b);
	return json_pack("{s:s, s:s, s:s}", "protocol", "arp", "source", a, "destination", b);
}

json_t *packet_shown(const uint8_t *frame, size_t caplen, size_t len, unsigned int vlan)
{
	char from[MAC_STRLEN], to[MAC_STRLEN];
	struct view v = {frame, caplen};
	struct line l = {0};
	struct mac mac;
	unsigned int type;
	json_t *o;

	if (caplen < ETHERNET)
		return json_pack("{s:s, s:I}", "text", "cut short", "frame_length",
				 (json_int_t)len);
	memcpy(&mac, frame + 6, 6);
	mac_format(&mac, from, sizeof(from));
	memcpy(&mac, frame, 6);
	mac_format(&mac, to, sizeof(to));
	type = word(frame + 12);
	skip(&v, ETHERNET);
	if (type == TYPE_VLAN && v.caplen >= 4) {
		vlan = word(v.at) & 0xfff;
		type = word(v.at + 2);
		skip(&v, 4);
	}
	if (vlan)
		put(&l, "vlan %u ", vlan);
	if (type == TYPE_IP || type == TYPE_IP6) {
		o = ip_shown(v, &l, 0);
	} else if (type == TYPE_ARP) {
		o = arp_shown(v, &l);
	} else {
		put(&l, "ethertype 0x%04x", type);
		o = json_object();
	}
	json_object_set_new(o, "mac_source", json_string(from));
	json_object_set_new(o, "mac_destination", json_string(to));
	json_object_set_new(o, "frame_length", json_integer((json_int_t)len));
	if (vlan)
		json_object_set_new(o, "vlan", json_integer(vlan));
	json_object_set_new(o, "text", json_string(l.text));
	return o;
}
