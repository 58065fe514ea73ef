/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/check_ports.h"

#include <errno.h>
#include <stdlib.h>

/* The parts of check_slot.who. */
#define WHO_PORT_SHIFT	32
#define WHO_PROTO_SHIFT 48
#define WHO_USED	(1ULL << 56)
#define WHO_TUNNEL	(1ULL << 57)
#define WHO_VIA		(1ULL << 58)
#define WHO_COUNT_SHIFT 59
#define WHO_ADDR_MASK	0xffffffffULL
#define WHO_PEER_MASK	((1ULL << 57) - 1) /* address, port, protocol, used */

struct quiet {
	uint32_t slot;
	uint64_t until_ms;
};

/* Slots go from free to bound, to quiet, and after a while to free again. */
struct check_ports_own {
	uint32_t n_slots, n_bound;
	uint32_t cursor;     /* the next one to be tried */
	bool *taken;	     /* [n_slots]: bound or quiet */
	struct quiet *quiet; /* ring of those, oldest first, [n_slots] */
	uint32_t quiet_head, n_quiet;
	uint8_t count; /* of changes */
};

int check_ports_create(uint16_t first, uint16_t last, struct check_ports **out)
{
	struct check_ports *t;

	if (first == 0 || last < first)
		return -EINVAL;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->first = first;
	t->n = (uint16_t)(last - first + 1);
	t->slots = calloc((size_t)t->n * CHECK_PORT_WAYS, sizeof(*t->slots));
	t->own = calloc(1, sizeof(*t->own));
	if (!t->slots || !t->own)
		goto err_destroy;
	t->own->n_slots = (uint32_t)t->n * CHECK_PORT_WAYS;
	t->own->taken = calloc(t->own->n_slots, sizeof(*t->own->taken));
	t->own->quiet = calloc(t->own->n_slots, sizeof(*t->own->quiet));
	if (!t->own->taken || !t->own->quiet)
		goto err_destroy;
	*out = t;
	return 0;
err_destroy:
	check_ports_destroy(t);
	return -ENOMEM;
}

void check_ports_destroy(struct check_ports *t)
{
	if (!t)
		return;
	if (t->own) {
		free(t->own->taken);
		free(t->own->quiet);
	}
	free(t->own);
	free(t->slots);
	free(t);
}

static uint64_t who_peer(be32 addr, be16 port, uint8_t proto)
{
	return addr | (uint64_t)port << WHO_PORT_SHIFT | (uint64_t)proto << WHO_PROTO_SHIFT |
	       WHO_USED;
}

/* Nobody can see a mixture of two: see check_slot. */
static void slot_set(struct check_ports *t, uint32_t slot, const struct check_peer *peer)
{
	struct check_slot *s = &t->slots[slot];
	uint64_t who = who_peer(peer->server, peer->port, peer->proto);

	if (peer->vip)
		who |= WHO_VIA | (peer->tunnel ? WHO_TUNNEL : 0);
	who |= (uint64_t)(++t->own->count & 31U) << WHO_COUNT_SHIFT;
	__atomic_store_n(&s->who, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&s->via, peer->vip, __ATOMIC_RELEASE);
	__atomic_store_n(&s->who, who, __ATOMIC_RELEASE);
}

/* Those that have been quiet for long enough are free. */
static void quiet_end(struct check_ports *t, uint64_t now_ms)
{
	struct check_ports_own *own = t->own;

	while (own->n_quiet && own->quiet[own->quiet_head].until_ms <= now_ms) {
		uint32_t slot = own->quiet[own->quiet_head].slot;

		__atomic_store_n(&t->slots[slot].who, 0, __ATOMIC_RELEASE);
		own->taken[slot] = false;
		own->quiet_head = (own->quiet_head + 1) % own->n_slots;
		own->n_quiet--;
	}
}

/* A slot that can be told from the others of its port, both by what is sent and by what comes
 * back. */
static bool slot_fits(const struct check_ports *t, uint32_t slot, const struct check_peer *peer)
{
	const struct check_slot *way = &t->slots[slot - slot % CHECK_PORT_WAYS];
	uint64_t sent = who_peer(peer->server, peer->port, peer->proto);
	uint64_t back = who_peer(peer->vip ? peer->vip : peer->server, peer->port, peer->proto);

	if (t->own->taken[slot])
		return false;
	for (unsigned int i = 0; i < CHECK_PORT_WAYS; i++) {
		uint64_t who = way[i].who & WHO_PEER_MASK, other = who;

		if (way[i].who & WHO_VIA)
			other = (who & ~WHO_ADDR_MASK) | (way[i].via & WHO_ADDR_MASK);
		if (who == sent || other == back)
			return false;
	}
	return true;
}

/* Slot i in the order in which they are tried: each port once, then each a second time. */
static uint32_t slot_at(const struct check_ports *t, uint32_t i)
{
	return i % t->n * CHECK_PORT_WAYS + i / t->n;
}

int check_port_bind(struct check_ports *t, const struct check_peer *peer, uint64_t now_ms)
{
	struct check_ports_own *own = t->own;

	quiet_end(t, now_ms);
	if (own->n_bound + own->n_quiet == own->n_slots)
		return -EADDRNOTAVAIL;
	for (uint32_t tried = 0; tried < own->n_slots; tried++) {
		uint32_t slot = slot_at(t, own->cursor);

		own->cursor = (own->cursor + 1) % own->n_slots;
		if (!slot_fits(t, slot, peer))
			continue;
		own->taken[slot] = true;
		own->n_bound++;
		slot_set(t, slot, peer);
		return (int)(t->first + slot / CHECK_PORT_WAYS);
	}
	return -EADDRNOTAVAIL;
}

void check_port_release(struct check_ports *t, uint16_t port, const struct check_peer *peer,
			uint64_t now_ms)
{
	struct check_ports_own *own = t->own;
	uint64_t sent = who_peer(peer->server, peer->port, peer->proto);
	uint32_t slot = (uint32_t)(port - t->first) * CHECK_PORT_WAYS;

	quiet_end(t, now_ms);
	for (unsigned int i = 0; i < CHECK_PORT_WAYS; i++, slot++) {
		if ((t->slots[slot].who & WHO_PEER_MASK) != sent)
			continue;
		own->quiet[(own->quiet_head + own->n_quiet++) % own->n_slots] =
			(struct quiet){slot, now_ms + CHECK_PORT_QUIET_MS};
		own->n_bound--;
		return;
	}
}

uint32_t check_ports_bound(const struct check_ports *t)
{
	return t->own->n_bound;
}

/* One slot as it was at one moment. False: it changed meanwhile, or is nobody's. */
static bool slot_get(const struct check_slot *s, struct check_peer *out)
{
	uint64_t who = __atomic_load_n(&s->who, __ATOMIC_ACQUIRE);
	uint64_t via = __atomic_load_n(&s->via, __ATOMIC_ACQUIRE);

	if (!(who & WHO_USED) || __atomic_load_n(&s->who, __ATOMIC_RELAXED) != who)
		return false;
	*out = (struct check_peer){
		.server = (be32)(who & WHO_ADDR_MASK),
		.port = (be16)(who >> WHO_PORT_SHIFT & 0xffff),
		.proto = (uint8_t)(who >> WHO_PROTO_SHIFT & 0xff),
		.tunnel = (who & WHO_TUNNEL) != 0,
		.vip = who & WHO_VIA ? (be32)via : 0,
	};
	return true;
}

static bool find(const struct check_ports *t, uint16_t port, be32 peer, be16 peer_port,
		 uint8_t proto, bool sent, struct check_peer *out)
{
	const struct check_slot *way = &t->slots[(uint16_t)(port - t->first) * CHECK_PORT_WAYS];
	struct check_peer p;

	for (unsigned int i = 0; i < CHECK_PORT_WAYS; i++) {
		if (!slot_get(&way[i], &p) || p.port != peer_port || p.proto != proto ||
		    peer != (sent || !p.vip ? p.server : p.vip))
			continue;
		*out = p;
		return true;
	}
	return false;
}

bool check_ports_sent(const struct check_ports *t, uint16_t port, be32 peer, be16 peer_port,
		      uint8_t proto, struct check_peer *out)
{
	return find(t, port, peer, peer_port, proto, true, out);
}

bool check_ports_received(const struct check_ports *t, uint16_t port, be32 peer, be16 peer_port,
			  uint8_t proto, struct check_peer *out)
{
	return find(t, port, peer, peer_port, proto, false, out);
}
