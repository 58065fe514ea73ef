/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sieve: an XDP program that sorts the frames of an interface which Linux keeps
 *(docs/ports.md). Frames that the router balances go to the router's AF_XDP socket of the queue;
 * all others go on to Linux.
 *
 *	destination	VIP, covered by a mark rule, of the source pool		router
 *	source		a server's endpoint of a service whose replies pass here,
 *			and the destination is no address of Linux		router
 *	ICMP error	about a packet to such a server				router
 *	ARP, ND		a question for a VIP					router
 *			a question for a gateway address, and no router reads	dropped
 *	everything else								Linux
 *
 * A balanced frame that no router reads is dropped: Linux would answer connections of the router
 * with RST, or forward a server's reply with the server's address.
 *
 * Compiled by clang for the target bpf, loaded by the driver net_af_xdp (argument xdp_prog), which
 * puts the sockets into xsks_map. Uses no helper that asks for a licence.
 */
#include "dataplane/sieve/sieve_keys.h"

#define SECTION(name)	     __attribute__((section(name), used))
#define MAP_NUMBER(name, n)  int(*name)[n]
#define MAP_TYPE(name, type) type *name

enum { MAP_HASH = 1, MAP_LPM_TRIE = 11, MAP_XSK = 17 }; /* enum bpf_map_type */
enum { NO_PREALLOC = 1 };
enum { DROP = 1, PASS = 2 }; /* enum xdp_action */

/* struct xdp_md of the kernel. */
struct frame {
	uint32_t data, data_end, data_meta, ifindex, queue, egress;
};

static void *(*const map_find)(void *map, const void *key) = (void *)1;
static long (*const map_redirect)(void *map, uint32_t key, uint64_t otherwise) = (void *)51;

struct {
	MAP_NUMBER(type, MAP_XSK);
	MAP_NUMBER(max_entries, SIEVE_QUEUES);
	MAP_TYPE(key, uint32_t);
	MAP_TYPE(value, uint32_t);
} xsks_map SECTION(".maps");

struct {
	MAP_NUMBER(type, MAP_LPM_TRIE);
	MAP_NUMBER(max_entries, SIEVE_TO_MAX);
	MAP_NUMBER(map_flags, NO_PREALLOC);
	MAP_TYPE(key, struct sieve_to_key);
	MAP_TYPE(value, struct sieve_to);
} plvs_to SECTION(".maps");

struct {
	MAP_NUMBER(type, MAP_HASH);
	MAP_NUMBER(max_entries, SIEVE_FROM_MAX);
	MAP_NUMBER(map_flags, NO_PREALLOC);
	MAP_TYPE(key, struct sieve_from_key);
	MAP_TYPE(value, struct sieve_from);
} plvs_from SECTION(".maps");

struct {
	MAP_NUMBER(type, MAP_HASH);
	MAP_NUMBER(max_entries, SIEVE_OWN_MAX);
	MAP_NUMBER(map_flags, NO_PREALLOC);
	MAP_TYPE(key, struct sieve_own_key);
	MAP_TYPE(value, uint8_t);
} plvs_own SECTION(".maps");

char licence[] SECTION("license") = "BSD";

#define INLINE static inline __attribute__((always_inline))

#define ETH_LEN	 14
#define TAG_LEN	 4
#define ARP_LEN	 28
#define IP4_LEN	 20
#define IP6_LEN	 40
#define FRAG_LEN 8
#define ICMP_LEN 8

enum {
	TYPE_IP4 = 0x0800,
	TYPE_ARP = 0x0806,
	TYPE_TAG = 0x8100,
	TYPE_QINQ = 0x88a8,
	TYPE_IP6 = 0x86dd
};
enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_FRAG6 = 44, PROTO_ICMP6 = 58 };
enum { ND_SOLICIT = 135, ICMP6_ERRORS = 4 /* 1 to 4 */ };

INLINE uint16_t be16_at(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

INLINE void put4(uint8_t to[16], const uint8_t *from)
{
	__builtin_memset(to, 0, 10);
	to[10] = to[11] = 0xff;
	__builtin_memcpy(to + 12, from, 4);
}

INLINE int to_router(const struct frame *f)
{
	return (int)map_redirect(&xsks_map, f->queue, DROP);
}

INLINE const struct sieve_to *to_find(const uint8_t addr[16])
{
	struct sieve_to_key key = {.len = 128};

	__builtin_memcpy(key.addr, addr, 16);
	return map_find(&plvs_to, &key);
}

/* A question for the address of a host gets an answer from the router, or from Linux. */
INLINE int question(const struct frame *f, const uint8_t target[16])
{
	const struct sieve_to *to = to_find(target);
	uint32_t queue = f->queue;

	if (!to || !to->host)
		return PASS;
	if (to->kind == SIEVE_BALANCED)
		return to_router(f);
	return map_find(&xsks_map, &queue) ? PASS : DROP;
}

/* Announcements, whose sender is their target, are for Linux and for those who listen there. */
INLINE int arp(const struct frame *f, const uint8_t *p, const uint8_t *end)
{
	uint8_t target[16];

	if (p + ARP_LEN > end || be16_at(p + 2) != TYPE_IP4 || be16_at(p + 6) != 1 ||
	    (be16_at(p + 14) == be16_at(p + 24) && be16_at(p + 16) == be16_at(p + 26)))
		return PASS;
	put4(target, p + 24);
	return question(f, target);
}

INLINE const struct sieve_from *from_find(const uint8_t addr[16], uint8_t proto, uint16_t port)
{
	struct sieve_from_key key = {.port = port, .proto = proto};

	__builtin_memcpy(key.addr, addr, 16);
	return map_find(&plvs_from, &key);
}

INLINE int own(const uint8_t addr[16])
{
	struct sieve_own_key key;

	__builtin_memcpy(key.addr, addr, 16);
	return map_find(&plvs_own, &key) != 0;
}

struct packet {
	uint8_t src[16], dst[16];
	uint8_t proto;
	uint8_t portless; /* a fragment without ports */
};

/* The destination of the packet that an ICMP error quotes is such a server. */
INLINE int quotes_server(const uint8_t *quoted, const uint8_t *end, int v6)
{
	uint8_t dst[16];

	if (v6) {
		if (quoted + IP6_LEN > end)
			return 0;
		__builtin_memcpy(dst, quoted + 24, 16);
	} else {
		if (quoted + IP4_LEN > end)
			return 0;
		put4(dst, quoted + 16);
	}
	return from_find(dst, 0, 0) != 0;
}

INLINE int icmp_error(uint8_t type, int v6)
{
	if (v6)
		return type >= 1 && type <= ICMP6_ERRORS;
	return type == 3 || type == 4 || type == 11 || type == 12;
}

/* l4 is the header behind that of IP. */
INLINE int sort(const struct frame *f, const struct packet *p, const uint8_t *l4,
		const uint8_t *end, int v6)
{
	const struct sieve_to *to = to_find(p->dst);
	const struct sieve_from *from;
	uint16_t port;

	if (to && to->kind == SIEVE_BALANCED && to->host)
		return to_router(f);
	if (own(p->dst))
		return PASS;
	if (to && to->kind == SIEVE_BALANCED)
		return to_router(f);
	from = from_find(p->src, 0, 0);
	if (from && (from->any || p->portless))
		return to_router(f);
	if (p->portless || l4 + ICMP_LEN > end)
		return PASS;
	if (p->proto == (v6 ? PROTO_ICMP6 : PROTO_ICMP) && icmp_error(l4[0], v6))
		return quotes_server(l4 + ICMP_LEN, end, v6) ? to_router(f) : PASS;
	if (!from || (p->proto != PROTO_TCP && p->proto != PROTO_UDP))
		return PASS;
	__builtin_memcpy(&port, l4, sizeof(port));
	return from_find(p->src, p->proto, port) ? to_router(f) : PASS;
}

INLINE int ip4(const struct frame *f, const uint8_t *p, const uint8_t *end)
{
	struct packet pkt;
	uint32_t len;

	if (p + IP4_LEN > end)
		return PASS;
	len = (p[0] & 0xfU) * 4;
	if (len < IP4_LEN)
		return PASS;
	put4(pkt.src, p + 12);
	put4(pkt.dst, p + 16);
	pkt.proto = p[9];
	pkt.portless = (be16_at(p + 6) & 0x1fff) != 0;
	return sort(f, &pkt, p + len, end, 0);
}

/* Of extension headers only that of fragments is looked behind. Other packets of a server that
 * have some go to the router, which walks them. */
INLINE int ip6(const struct frame *f, const uint8_t *p, const uint8_t *end)
{
	const uint8_t *l4 = p + IP6_LEN;
	struct packet pkt;

	if (l4 > end)
		return PASS;
	__builtin_memcpy(pkt.src, p + 8, 16);
	__builtin_memcpy(pkt.dst, p + 24, 16);
	pkt.proto = p[6];
	pkt.portless = 0;
	if (pkt.proto == PROTO_ICMP6 && l4 + ICMP_LEN + 16 <= end && l4[0] == ND_SOLICIT) {
		uint8_t target[16];

		__builtin_memcpy(target, l4 + ICMP_LEN, 16);
		return question(f, target);
	}
	if (pkt.proto == PROTO_FRAG6 && l4 + FRAG_LEN <= end) {
		pkt.proto = l4[0];
		pkt.portless = (be16_at(l4 + 2) & 0xfff8) != 0;
		l4 += FRAG_LEN;
	} else if (pkt.proto != PROTO_TCP && pkt.proto != PROTO_UDP && pkt.proto != PROTO_ICMP6) {
		pkt.portless = 1;
	}
	return sort(f, &pkt, l4, end, 1);
}

SECTION("xdp") int plvs_sieve(struct frame *f)
{
	const uint8_t *p = (const uint8_t *)(long)f->data,
		      *end = (const uint8_t *)(long)f->data_end;
	uint16_t type;

	if (p + ETH_LEN + TAG_LEN > end)
		return PASS;
	type = be16_at(p + 12);
	if (type == TYPE_TAG || type == TYPE_QINQ) {
		p += TAG_LEN;
		type = be16_at(p + 12);
	}
	p += ETH_LEN;
	if (type == TYPE_ARP)
		return arp(f, p, end);
	if (type == TYPE_IP4)
		return ip4(f, p, end);
	return type == TYPE_IP6 ? ip6(f, p, end) : PASS;
}
