/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/check_ports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The parts of check_slot.who: port, protocol, flags, and a count of changes. */
#define WHO_PROTO_SHIFT 16
#define WHO_USED	(1ULL << 24)
#define WHO_IPV6	(1ULL << 25)
#define WHO_TUNNEL	(1ULL << 26)
#define WHO_VIA		(1ULL << 27)
#define WHO_COUNT_SHIFT 32

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
	uint32_t count; /* of changes */
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

static void words_store(uint64_t to[2], const struct addr *a)
{
	uint64_t words[2];

	memcpy(words, a->v6, sizeof(words));
	__atomic_store_n(&to[0], words[0], __ATOMIC_RELEASE);
	__atomic_store_n(&to[1], words[1], __ATOMIC_RELEASE);
}

static struct addr words_load(const uint64_t from[2], uint8_t family)
{
	const uint64_t words[2] = {__atomic_load_n(&from[0], __ATOMIC_ACQUIRE),
				   __atomic_load_n(&from[1], __ATOMIC_ACQUIRE)};
	struct addr a = {.family = family};

	memcpy(a.v6, words, sizeof(words));
	return a;
}

/* No reader sees a mixture of two peers: see check_slot. */
static void slot_set(struct check_ports *t, uint32_t slot, const struct check_peer *peer)
{
	struct check_slot *s = &t->slots[slot];
	uint64_t who = WHO_USED | peer->port | (uint64_t)peer->proto << WHO_PROTO_SHIFT;

	if (peer->server.family == ADDR_V6)
		who |= WHO_IPV6;
	if (peer->vip.family)
		who |= WHO_VIA | (peer->tunnel ? WHO_TUNNEL : 0);
	who |= (uint64_t)++t->own->count << WHO_COUNT_SHIFT;
	__atomic_store_n(&s->who, 0, __ATOMIC_RELEASE);
	words_store(s->server, &peer->server);
	words_store(s->vip, &peer->vip);
	__atomic_store_n(&s->who, who, __ATOMIC_RELEASE);
}

/* Copies a slot as it was at one moment. False: the slot changed meanwhile, or has no peer. */
static bool slot_get(const struct check_slot *s, struct check_peer *out)
{
	const uint64_t who = __atomic_load_n(&s->who, __ATOMIC_ACQUIRE);
	const uint8_t family = who & WHO_IPV6 ? ADDR_V6 : ADDR_V4;
	struct check_peer p = {
		.server = words_load(s->server, family),
		.port = (be16)(who & 0xffff),
		.proto = (uint8_t)(who >> WHO_PROTO_SHIFT & 0xff),
		.tunnel = (who & WHO_TUNNEL) != 0,
	};

	if (who & WHO_VIA)
		p.vip = words_load(s->vip, family);
	if (!(who & WHO_USED) || __atomic_load_n(&s->who, __ATOMIC_RELAXED) != who)
		return false;
	*out = p;
	return true;
}

/* The name of the other side in packets that come from there. */
static const struct addr *peer_heard(const struct check_peer *p)
{
	return p->vip.family ? &p->vip : &p->server;
}

static bool same_port(const struct check_peer *a, const struct check_peer *b)
{
	return a->port == b->port && a->proto == b->proto;
}

/* Frees the slots whose quiet time is over. */
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

/* A slot whose packets, sent and received, differ from those of the port's other slots. */
static bool slot_fits(const struct check_ports *t, uint32_t slot, const struct check_peer *peer)
{
	const struct check_slot *way = &t->slots[slot - slot % CHECK_PORT_WAYS];
	struct check_peer other;

	if (t->own->taken[slot])
		return false;
	for (unsigned int i = 0; i < CHECK_PORT_WAYS; i++)
		if (slot_get(&way[i], &other) && same_port(&other, peer) &&
		    (addr_equal(&other.server, &peer->server) ||
		     addr_equal(peer_heard(&other), peer_heard(peer))))
			return false;
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
	uint32_t slot = (uint32_t)(port - t->first) * CHECK_PORT_WAYS;
	struct check_peer bound;

	quiet_end(t, now_ms);
	for (unsigned int i = 0; i < CHECK_PORT_WAYS; i++, slot++) {
		if (!slot_get(&t->slots[slot], &bound) || !same_port(&bound, peer) ||
		    !addr_equal(&bound.server, &peer->server))
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

static bool find(const struct check_ports *t, uint16_t port, const struct addr *peer,
		 be16 peer_port, uint8_t proto, bool sent, struct check_peer *out)
{
	const struct check_slot *way = &t->slots[(uint16_t)(port - t->first) * CHECK_PORT_WAYS];
	struct check_peer p;

	for (unsigned int i = 0; i < CHECK_PORT_WAYS; i++) {
		if (!slot_get(&way[i], &p) || p.port != peer_port || p.proto != proto ||
		    !addr_equal(peer, sent ? &p.server : peer_heard(&p)))
			continue;
		*out = p;
		return true;
	}
	return false;
}

bool check_ports4_sent(const struct check_ports *t, uint16_t port, be32 peer, be16 peer_port,
		       uint8_t proto, struct check_peer *out)
{
	const struct addr a = addr_from_addr4(peer);

	return find(t, port, &a, peer_port, proto, true, out);
}

bool check_ports6_sent(const struct check_ports *t, uint16_t port, struct addr6 peer,
		       be16 peer_port, uint8_t proto, struct check_peer *out)
{
	const struct addr a = addr_from_addr6(peer);

	return find(t, port, &a, peer_port, proto, true, out);
}

bool check_ports4_received(const struct check_ports *t, uint16_t port, be32 peer, be16 peer_port,
			   uint8_t proto, struct check_peer *out)
{
	const struct addr a = addr_from_addr4(peer);

	return find(t, port, &a, peer_port, proto, false, out);
}

bool check_ports6_received(const struct check_ports *t, uint16_t port, struct addr6 peer,
			   be16 peer_port, uint8_t proto, struct check_peer *out)
{
	const struct addr a = addr_from_addr6(peer);

	return find(t, port, &a, peer_port, proto, false, out);
}
