/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames of the generator, written and read byte by byte: no code of the router is used, whose
 * faults would meet themselves here. */
#include "generator.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define ETH 14U

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static uint32_t get16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) << 16 | get16(p + 2);
}

static uint32_t sum_add(uint32_t sum, const uint8_t *p, size_t n)
{
	for (; n >= 2; p += 2, n -= 2)
		sum += get16(p);
	return n ? sum + ((uint32_t)p[0] << 8) : sum;
}

static uint16_t sum_end(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

uint16_t gen_headers(uint8_t family, uint8_t proto)
{
	return (uint16_t)(ETH + (family == ADDR_V6 ? 40 : 20) + (proto == IPPROTO_TCP ? 20 : 8));
}

uint32_t gen_size_min(uint8_t family)
{
	return gen_headers(family, IPPROTO_UDP) + (uint32_t)sizeof(struct gen_stamp) + GEN_FCS;
}

struct endpoint gen_client(const struct gen_options *o, uint32_t flow)
{
	struct endpoint e = {.addr = o->client};
	uint8_t *low = e.addr.family == ADDR_V6 ? e.addr.v6 + 12 : (uint8_t *)&e.addr.v4;

	put32(low, get32(low) + flow / GEN_PORTS);
	e.port = be16_from((uint16_t)(GEN_PORT_MIN + flow % GEN_PORTS));
	return e;
}

uint32_t gen_flow(const struct gen_options *o, const struct endpoint *client)
{
	const uint8_t *first =
		o->client.family == ADDR_V6 ? o->client.v6 + 12 : (const uint8_t *)&o->client.v4;
	const uint8_t *low = client->addr.family == ADDR_V6 ? client->addr.v6 + 12
							    : (const uint8_t *)&client->addr.v4;
	const uint64_t nth = (uint64_t)get32(low) - get32(first);
	const uint32_t port = be16_to(client->port);

	if (client->addr.family != o->client.family || get32(low) < get32(first) ||
	    port < GEN_PORT_MIN || port >= GEN_PORT_MIN + GEN_PORTS ||
	    nth >= UINT32_MAX / GEN_PORTS)
		return UINT32_MAX;
	if (o->client.family == ADDR_V6 && memcmp(client->addr.v6, o->client.v6, 12) != 0)
		return UINT32_MAX;
	return (uint32_t)(nth * GEN_PORTS + port - GEN_PORT_MIN);
}

void gen_pattern(uint8_t *p, uint32_t n, uint32_t flow, uint32_t at)
{
	for (uint32_t i = 0; i < n; i++)
		p[i] = (uint8_t)(flow * 31 + (at + i) * 7);
}

bool gen_pattern_is(const uint8_t *p, uint32_t n, uint32_t flow, uint32_t at)
{
	for (uint32_t i = 0; i < n; i++)
		if (p[i] != (uint8_t)(flow * 31 + (at + i) * 7))
			return false;
	return true;
}

/* --- writing --- */

static void ip_write(uint8_t *ip, const struct gen_frame *f, uint16_t l4_len)
{
	if (f->from.addr.family == ADDR_V6) {
		put32(ip, 0x60000000);
		put16(ip + 4, l4_len);
		ip[6] = f->proto;
		ip[7] = 64;
		memcpy(ip + 8, f->from.addr.v6, 16);
		memcpy(ip + 24, f->to.addr.v6, 16);
		return;
	}
	put16(ip, 0x4500);
	put16(ip + 2, 20U + l4_len);
	put32(ip + 4, 0x4000); /* DF */
	ip[8] = 64;
	ip[9] = f->proto;
	put16(ip + 10, 0);
	memcpy(ip + 12, &f->from.addr.v4, 4);
	memcpy(ip + 16, &f->to.addr.v4, 4);
	put16(ip + 10, sum_end(sum_add(0, ip, 20)));
}

uint16_t gen_frame_head(uint8_t *frame, const struct gen_frame *f, uint16_t n_payload,
			uint8_t **payload)
{
	const bool v6 = f->from.addr.family == ADDR_V6;
	const uint16_t headers = gen_headers(f->from.addr.family, f->proto);
	const uint16_t l4_len = (uint16_t)(headers - ETH - (v6 ? 40 : 20) + n_payload);
	uint8_t *ip = frame + ETH, *l4 = ip + (v6 ? 40 : 20);

	memcpy(frame, f->dst.byte, 6);
	memcpy(frame + 6, f->src.byte, 6);
	put16(frame + 12, v6 ? 0x86dd : 0x0800);
	ip_write(ip, f, l4_len);
	memcpy(l4, &f->from.port, 2);
	memcpy(l4 + 2, &f->to.port, 2);
	if (f->proto == IPPROTO_TCP) {
		put32(l4 + 4, f->seq);
		put32(l4 + 8, f->ack);
		l4[12] = 5 << 4;
		l4[13] = f->flags;
		put16(l4 + 14, 65535);
		put32(l4 + 16, 0);
	} else {
		put16(l4 + 4, l4_len);
		put16(l4 + 6, 0);
	}
	*payload = frame + headers;
	return (uint16_t)(headers + n_payload);
}

/* Over the pseudo header and all of TCP or UDP. 0 if the checksum there is right. */
static uint16_t l4_sum(const uint8_t *ip)
{
	const bool v6 = ip[0] >> 4 == 6;
	const uint8_t proto = v6 ? ip[6] : ip[9];
	const uint32_t len = v6 ? get16(ip + 4) : get16(ip + 2) - 20;
	uint32_t sum = len + proto;

	sum = sum_add(sum, v6 ? ip + 8 : ip + 12, v6 ? 32 : 8);
	return sum_end(sum_add(sum, ip + (v6 ? 40 : 20), len));
}

void gen_frame_sum(uint8_t *frame)
{
	uint8_t *ip = frame + ETH;
	const bool v6 = ip[0] >> 4 == 6;
	const uint8_t proto = v6 ? ip[6] : ip[9];
	uint8_t *at = ip + (v6 ? 40 : 20) + (proto == IPPROTO_TCP ? 16 : 6);
	uint16_t sum;

	put16(at, 0);
	sum = l4_sum(ip);
	put16(at, sum == 0 && proto == IPPROTO_UDP ? 0xffff : sum);
}

/* --- reading --- */

static int l4_read(uint8_t *l4, uint32_t len, struct gen_frame *f)
{
	uint32_t head = 8;

	if (f->proto != IPPROTO_TCP && f->proto != IPPROTO_UDP)
		return -EPROTO;
	if (len < (f->proto == IPPROTO_TCP ? 20U : 8U))
		return -EBADMSG;
	memcpy(&f->from.port, l4, 2);
	memcpy(&f->to.port, l4 + 2, 2);
	if (f->proto == IPPROTO_TCP) {
		f->seq = get32(l4 + 4);
		f->ack = get32(l4 + 8);
		f->flags = l4[13];
		head = (l4[12] >> 4) * 4U;
		if (head < 20 || head > len)
			return -EBADMSG;
	} else if (get16(l4 + 4) != len) {
		return -EBADMSG;
	}
	f->payload = l4 + head;
	f->n_payload = (uint16_t)(len - head);
	return 0;
}

int gen_frame_read(uint8_t *frame, uint16_t len, struct gen_frame *f)
{
	uint8_t *ip = frame + ETH;
	uint32_t total;

	*f = (struct gen_frame){.l3 = ip};
	if (len < ETH + 20U)
		return -EPROTO;
	memcpy(f->dst.byte, frame, 6);
	memcpy(f->src.byte, frame + 6, 6);
	if (get16(frame + 12) == 0x0800 && ip[0] == 0x45) {
		total = get16(ip + 2);
		f->proto = ip[9];
		f->from.addr.family = f->to.addr.family = ADDR_V4;
		memcpy(&f->from.addr.v4, ip + 12, 4);
		memcpy(&f->to.addr.v4, ip + 16, 4);
		if (total < 20 || total > len - ETH || (get16(ip + 6) & 0x3fff))
			return -EBADMSG;
		f->l3_len = (uint16_t)total;
		return l4_read(ip + 20, total - 20, f);
	}
	if (get16(frame + 12) != 0x86dd || len < ETH + 40U || ip[0] >> 4 != 6)
		return -EPROTO;
	total = get16(ip + 4);
	f->proto = ip[6];
	f->from.addr.family = f->to.addr.family = ADDR_V6;
	memcpy(f->from.addr.v6, ip + 8, 16);
	memcpy(f->to.addr.v6, ip + 24, 16);
	if (total > len - ETH - 40)
		return -EBADMSG;
	f->l3_len = (uint16_t)(40 + total);
	return l4_read(ip + 40, total, f);
}

bool gen_frame_sums_are_right(const struct gen_frame *f)
{
	const bool v4 = f->l3[0] >> 4 == 4;

	return (!v4 || sum_end(sum_add(0, f->l3, 20)) == 0) && l4_sum(f->l3) == 0;
}
