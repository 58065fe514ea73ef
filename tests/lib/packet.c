/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/packet.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/csum.h"

be32 ipv4(const char *text)
{
	struct in_addr a = {0};

	inet_pton(AF_INET, text, &a);
	return a.s_addr;
}

struct addr6 ipv6(const char *text)
{
	struct addr6 a = {0};

	inet_pton(AF_INET6, text, &a);
	return a;
}

static void put16(uint8_t *p, uint16_t host)
{
	p[0] = (uint8_t)(host >> 8);
	p[1] = (uint8_t)host;
}

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* Over pseudo header and L4 as they stand; right when it is 0xffff. */
static uint16_t l4_sum(const uint8_t *ip, const uint8_t *l4, size_t len)
{
	uint64_t sum = csum_add(0, ip + 12, 8);

	sum += be16_from((uint16_t)len);
	sum += be16_from(ip[9]);
	return csum_fold(csum_add(sum, l4, len));
}

static size_t l4_offset_csum(uint8_t proto)
{
	return proto == IPPROTO_TCP ? 16 : proto == IPPROTO_UDP ? 6 : 2;
}

static size_t l4_header(uint8_t proto)
{
	return proto == IPPROTO_TCP ? 20 : 8;
}

static size_t l4_build(const struct packet *p, uint8_t *l4)
{
	size_t len = l4_header(p->proto) + p->payload;

	memset(l4, 0, l4_header(p->proto));
	if (p->proto == IPPROTO_ICMP || p->proto == IPPROTO_ICMPV6) {
		put16(l4, p->sport);
		put16(l4 + 4, be16_to(p->dport));
	} else {
		memcpy(l4, &p->sport, 2);
		memcpy(l4 + 2, &p->dport, 2);
	}
	if (p->proto == IPPROTO_TCP) {
		put16(l4 + 4, (uint16_t)(p->seq >> 16));
		put16(l4 + 6, (uint16_t)p->seq);
		put16(l4 + 8, (uint16_t)(p->ack >> 16));
		put16(l4 + 10, (uint16_t)p->ack);
		l4[12] = 5 << 4;
		l4[13] = p->tcp_flags;
		put16(l4 + 14, 65535);
	} else if (p->proto == IPPROTO_UDP) {
		put16(l4 + 4, (uint16_t)len);
	}
	if (p->data)
		memcpy(l4 + l4_header(p->proto), p->data, p->payload);
	else
		memset(l4 + l4_header(p->proto), 'x', p->payload);
	return len;
}

/* Over pseudo header and L4 as they stand; right when it is 0xffff. */
static uint16_t l4_sum6(const uint8_t *ip, uint8_t proto, const uint8_t *l4, size_t len)
{
	uint64_t sum = csum_add(0, ip + 8, 32);

	sum += be16_from((uint16_t)len);
	sum += be16_from(proto);
	return csum_fold(csum_add(sum, l4, len));
}

static size_t build6(const struct packet *p, uint8_t *ip)
{
	const uint32_t first = 6U << 28 | (uint32_t)p->traffic_class << 20 | p->flow_label;
	uint8_t *l4 = ip + 40 + p->ext_len;
	const size_t len = l4_build(p, l4);
	uint16_t sum;

	put16(ip - 2, 0x86dd);
	memset(ip, 0, 40);
	put16(ip, (uint16_t)(first >> 16));
	put16(ip + 2, (uint16_t)first);
	put16(ip + 4, (uint16_t)(p->ext_len + len));
	ip[6] = p->ext_len ? p->ext_first : p->proto;
	ip[7] = p->ttl ? p->ttl : 64;
	memcpy(ip + 8, &p->saddr6, 16);
	memcpy(ip + 24, &p->daddr6, 16);
	if (p->ext_len) {
		memcpy(ip + 40, p->ext, p->ext_len);
		ip[40 + p->ext_last] = p->proto;
	}
	sum = (uint16_t)~l4_sum6(ip, p->proto, l4, len);
	if (p->proto == IPPROTO_UDP && sum == 0)
		sum = 0xffff;
	if (p->no_l4)
		sum = 0;
	memcpy(l4 + l4_offset_csum(p->proto), &sum, 2);
	if (p->bad_l4)
		l4[l4_offset_csum(p->proto)] ^= 0x55;
	return 40U + p->ext_len + len;
}

void packet_to_port(struct packet *p, unsigned int port, const struct mac *from)
{
	static const struct mac station = {{2, 9, 9, 9, 9, 9}};

	p->dst = (struct mac){{2, 0, 0, 0, 0, (uint8_t)(port + 1)}};
	p->src = from ? *from : station;
}

size_t packet_build(const struct packet *p, uint8_t frame[FRAME_MAX])
{
	uint8_t *ip = frame + 14, *l4;
	size_t len;
	uint16_t sum;

	memcpy(frame, &p->dst, 6);
	memcpy(frame + 6, &p->src, 6);
	if (p->vlan) {
		put16(frame + 12, 0x8100);
		put16(frame + 14, p->vlan);
		ip += 4;
	}
	if (p->v6)
		return (size_t)(ip - frame) + build6(p, ip);
	put16(ip - 2, 0x0800);
	l4 = ip + 20;
	len = l4_build(p, l4);
	memset(ip, 0, 20);
	ip[0] = 0x45;
	put16(ip + 2, (uint16_t)(20 + len));
	ip[6] = p->df ? 0x40 : 0;
	ip[8] = p->ttl ? p->ttl : 64;
	ip[9] = p->proto;
	memcpy(ip + 12, &p->saddr, 4);
	memcpy(ip + 16, &p->daddr, 4);
	sum = csum_of(ip, 20);
	memcpy(ip + 10, &sum, 2);
	if (p->bad_ip)
		ip[10] ^= 0x55;
	if (p->proto == IPPROTO_ICMP)
		sum = csum_of(l4, len);
	else
		sum = (uint16_t)~l4_sum(ip, l4, len);
	if (p->proto == IPPROTO_UDP && sum == 0)
		sum = 0xffff;
	if (p->no_l4)
		sum = 0;
	memcpy(l4 + l4_offset_csum(p->proto), &sum, 2);
	if (p->bad_l4)
		l4[l4_offset_csum(p->proto)] ^= 0x55;
	return (size_t)(l4 - frame) + len;
}

static void l4_describe(const uint8_t *l4, size_t l4_len, struct packet *p)
{
	if (p->proto == IPPROTO_ICMP || p->proto == IPPROTO_ICMPV6) {
		p->sport = get16(l4);
		p->dport = be16_from(get16(l4 + 4));
	} else {
		memcpy(&p->sport, l4, 2);
		memcpy(&p->dport, l4 + 2, 2);
	}
	if (p->proto == IPPROTO_TCP) {
		p->tcp_flags = l4[13];
		p->seq = (uint32_t)get16(l4 + 4) << 16 | get16(l4 + 6);
		p->ack = (uint32_t)get16(l4 + 8) << 16 | get16(l4 + 10);
	}
	p->payload = (uint16_t)(l4_len - l4_header(p->proto));
	p->data = l4 + l4_header(p->proto);
}

static bool ext6_skipped(uint8_t proto)
{
	return proto == 0 || proto == 43 || proto == 60;
}

static int describe6(const uint8_t *ip, size_t len, struct packet *p)
{
	const size_t total = len < 40 ? 0 : 40U + get16(ip + 4);
	const uint8_t *l4 = ip + 40;
	uint16_t sum;
	size_t l4_len;

	if (len < 40 || total > len)
		return -1;
	p->v6 = true;
	p->traffic_class = (uint8_t)(ip[0] << 4 | ip[1] >> 4);
	p->flow_label = (uint32_t)(ip[1] & 0xf) << 16 | get16(ip + 2);
	p->ttl = ip[7];
	p->proto = ip[6];
	memcpy(&p->saddr6, ip + 8, 16);
	memcpy(&p->daddr6, ip + 24, 16);
	p->ext = l4;
	p->ext_first = p->proto;
	for (; ext6_skipped(p->proto) && (size_t)(l4 - ip) + 8 <= total; l4 += (l4[1] + 1) * 8)
		p->proto = l4[0];
	p->ext_len = (uint16_t)(l4 - p->ext);
	l4_len = total < (size_t)(l4 - ip) ? 0 : total - (size_t)(l4 - ip);
	if (l4_len < l4_header(p->proto))
		return -1;
	memcpy(&sum, l4 + l4_offset_csum(p->proto), 2);
	p->no_l4 = p->proto == IPPROTO_UDP && sum == 0;
	p->bad_l4 = !p->no_l4 && l4_sum6(ip, p->proto, l4, l4_len) != 0xffff;
	l4_describe(l4, l4_len, p);
	return 0;
}

int packet_describe(const uint8_t *frame, size_t len, struct packet *p)
{
	const uint8_t *ip = frame + 14, *l4;
	uint16_t total, sum;
	size_t l4_len, ihl;

	memset(p, 0, sizeof(*p));
	if (len < 34)
		return -1;
	memcpy(&p->dst, frame, 6);
	memcpy(&p->src, frame + 6, 6);
	if (get16(frame + 12) == 0x8100) {
		p->vlan = get16(frame + 14) & 0xfff;
		ip += 4;
	}
	if (get16(ip - 2) == 0x86dd)
		return describe6(ip, len - (size_t)(ip - frame), p);
	if (get16(ip - 2) != 0x0800)
		return -1;
	ihl = (size_t)(ip[0] & 0xf) * 4;
	total = get16(ip + 2);
	if ((size_t)(ip - frame) + total > len || total < ihl + 8)
		return -1;
	p->bad_ip = csum_fold(csum_add(0, ip, ihl)) != 0xffff;
	p->df = (ip[6] & 0x40) != 0;
	p->ttl = ip[8];
	p->proto = ip[9];
	memcpy(&p->saddr, ip + 12, 4);
	memcpy(&p->daddr, ip + 16, 4);
	l4 = ip + ihl;
	l4_len = total - ihl;
	if (l4_len < l4_header(p->proto))
		return -1;
	memcpy(&sum, l4 + l4_offset_csum(p->proto), 2);
	if (p->proto != IPPROTO_ICMP) {
		p->no_l4 = p->proto == IPPROTO_UDP && sum == 0;
		p->bad_l4 = !p->no_l4 && l4_sum(ip, l4, l4_len) != 0xffff;
	} else {
		p->bad_l4 = csum_fold(csum_add(0, l4, l4_len)) != 0xffff;
	}
	l4_describe(l4, l4_len, p);
	return 0;
}
