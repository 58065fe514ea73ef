/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/fragment/fragment_split.h"

#include <string.h>

#include "dataplane/exits/doors.h"
#include "dataplane/stages/ext6.h"
#include "dataplane/stages/ip.h"
#include "dataplane/stages/pipeline.h"

#define OPTION_COPIED 0x80U
#define OPTION_END    0U
#define OPTION_NOP    1U

/* How one packet is cut. Lengths in bytes. */
struct cut {
	uint16_t l2_len, l3_hdr;
	uint16_t data;	/* behind the IP header */
	uint16_t piece; /* data of every fragment but the last: a multiple of 8 */
	uint16_t first; /* fragment field of the packet itself, host order */
};

#if FAMILY == 6
static struct ext6_fragment *header_at(uint8_t *l3)
{
	return (struct ext6_fragment *)(void *)(l3 + IP_HDR);
}
#endif

static bool cut_plan(const struct worker *w, uint8_t *l3, uint16_t l3_len, const struct nexthop *nh,
		     uint32_t max, struct cut *c)
{
	uint32_t room = rte_pktmbuf_data_room_size(w->pool) - RTE_PKTMBUF_HEADROOM;

#if FAMILY == 4
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)l3;

	c->l3_hdr = (uint16_t)((ip->version_ihl & 0xfU) * 4);
	c->first = rte_be_to_cpu_16(ip->fragment_offset);
#else
	c->l3_hdr = IP_HDR + sizeof(struct ext6_fragment);
	c->first = be16_to(header_at(l3)->field);
#endif
	c->l2_len = nh->l2_len;
	c->data = (uint16_t)(l3_len - c->l3_hdr);
	if (max > room - c->l2_len) /* smaller than they could be is as right */
		max = room - c->l2_len;
	if (max < c->l3_hdr + 8U)
		return false;
	c->piece = (uint16_t)((max - c->l3_hdr) & ~7U);
	return (c->data + c->piece - 1U) / c->piece <= FRAGMENTS_MAX;
}

#if FAMILY == 4
/* Options that fragments but the first do not carry become no-operations (as Linux). */
static void options_reduce(uint8_t *options, unsigned int len)
{
	unsigned int i = 0;

	while (i < len && options[i] != OPTION_END) {
		unsigned int n = 1;

		if (options[i] != OPTION_NOP) {
			n = i + 1 < len ? options[i + 1] : 0;
			if (n < 2 || n > len - i)
				return; /* nonsense travels as it came */
			if (!(options[i] & OPTION_COPIED))
				memset(options + i, OPTION_NOP, n);
		}
		i += n;
	}
}

/* Length, fragment field and checksum of the fragment that starts at byte `at`. */
static void header_put(uint8_t *l3, const struct cut *c, uint32_t at, uint32_t len)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)l3;
	uint16_t field = (uint16_t)(c->first + at / 8);

	if (at + len < c->data)
		field |= RTE_IPV4_HDR_MF_FLAG;
	ip->total_length = rte_cpu_to_be_16((uint16_t)(c->l3_hdr + len));
	ip->fragment_offset = rte_cpu_to_be_16(field);
	ip->hdr_checksum = 0;
	ip->hdr_checksum = csum_of(ip, c->l3_hdr);
}
#else
/* Length and fragment header of the fragment that starts at byte `at`. */
static void header_put(uint8_t *l3, const struct cut *c, uint32_t at, uint32_t len)
{
	/* Of the packet itself: its own offset, and whether others follow it. */
	const uint32_t field = (c->first + at) | (at + len < c->data ? EXT6_MORE : 0);

	ip6_length_put(l3, (uint16_t)(c->l3_hdr + len));
	header_at(l3)->field = be16_from((uint16_t)field);
}

/* Room for a fragment header, with an identification of its own; NULL: none. */
static uint8_t *header_insert(struct worker *w, struct rte_mbuf *m, uint8_t *l3)
{
	const uint32_t id = (uint32_t)worker_random(w);
	const uint16_t head = (uint16_t)(l3 + IP_HDR - rte_pktmbuf_mtod(m, uint8_t *));
	struct ext6_fragment f = {.next = ((struct rte_ipv6_hdr *)l3)->proto, .id = id};
	uint8_t *data = (uint8_t *)rte_pktmbuf_prepend(m, sizeof(f));

	if (!data)
		return NULL;
	memmove(data, data + sizeof(f), head);
	l3 -= sizeof(f);
	((struct rte_ipv6_hdr *)l3)->proto = EXT6_FRAGMENT;
	memcpy(l3 + IP_HDR, &f, sizeof(f));
	return l3;
}
#endif

/* Copies a fragment out of the packet. Not for the first fragment. */
static bool fragment_fill(struct rte_mbuf *to, const struct rte_mbuf *from, const struct cut *c,
			  uint32_t at, uint32_t len)
{
	uint32_t head = (uint32_t)c->l2_len + c->l3_hdr;
	uint8_t *data = (uint8_t *)rte_pktmbuf_append(to, (uint16_t)(head + len));
	const void *src;

	if (!data)
		return false;
	memcpy(data, rte_pktmbuf_mtod(from, const void *), head);
	src = rte_pktmbuf_read(from, head + at, len, data + head);
	if (!src)
		return false;
	if (src != data + head)
		memcpy(data + head, src, len);
#if FAMILY == 4
	options_reduce(data + c->l2_len + sizeof(struct rte_ipv4_hdr),
		       c->l3_hdr - (unsigned int)sizeof(struct rte_ipv4_hdr));
#endif
	header_put(data + c->l2_len, c, at, len);
	to->port = from->port;
	pkt_tag_fresh(to);
	pkt_tag(to)->observed = pkt_tag((struct rte_mbuf *)(uintptr_t)from)->observed;
	return true;
}

/* The packet keeps its first len bytes; they are in as many segments as it takes. */
static void mbuf_shorten(struct rte_mbuf *m, uint32_t len)
{
	struct rte_mbuf *s = m;
	uint32_t left = len;
	uint16_t n = 1;

	for (; left > s->data_len; s = s->next, n++)
		left -= s->data_len;
	s->data_len = (uint16_t)left;
	rte_pktmbuf_free(s->next);
	s->next = NULL;
	m->nb_segs = n;
	m->pkt_len = len;
}

void FAM_FN(fragment, send)(struct worker *w, struct rte_mbuf *m, uint8_t *l3, uint16_t l3_len,
			    const struct nexthop *nh, uint16_t mtu)
{
	struct rte_mbuf *rest[FRAGMENTS_MAX];
	uint32_t n, i, at;
	bool ok = true;
	struct cut c;

#if FAMILY == 6
	if (((struct rte_ipv6_hdr *)l3)->proto != EXT6_FRAGMENT) {
		l3 = header_insert(w, m, l3);
		if (!l3) {
			door_drop(w, m, DROP_NO_BUFFER);
			return;
		}
		l3_len = (uint16_t)(l3_len + sizeof(struct ext6_fragment));
	}
#endif
	if (!cut_plan(w, l3, l3_len, nh, mtu, &c)) {
		door_drop(w, m, DROP_TOO_BIG);
		return;
	}
	n = (c.data + c.piece - 1U) / c.piece - 1;
	if (rte_pktmbuf_alloc_bulk(w->pool, rest, n) != 0) {
		door_drop(w, m, DROP_NO_BUFFER);
		return;
	}
	for (i = 0, at = c.piece; i < n && ok; i++, at += c.piece)
		ok = fragment_fill(rest[i], m, &c, at, RTE_MIN(c.piece, c.data - at));
	if (!ok) {
		rte_pktmbuf_free_bulk(rest, n);
		door_drop(w, m, DROP_NO_BUFFER);
		return;
	}
	mbuf_shorten(m, (uint32_t)c.l2_len + c.l3_hdr + c.piece);
	header_put(l3, &c, 0, c.piece);
	door_send(w, m, nh->port);
	w->counters.generated += n;
	for (i = 0; i < n; i++)
		door_send(w, rest[i], nh->port);
}
