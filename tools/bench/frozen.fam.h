/* SPDX-License-Identifier: BSD-3-Clause */

/* The frozen table of one family: frozen.h. */

struct FAM(frozen_conn) {
	struct frozen_entry c;
#if FAMILY == 6
	be16 port[END_MAX];
	uint16_t proxy;
	uint32_t control;
	uint64_t room;
	FAM_ADDR addr[END_MAX];
	uint64_t more_room[2];
#else
	FAM_ADDR addr[END_MAX];
	be16 port[END_MAX];
	uint16_t proxy;
	uint32_t control;
#endif
};
_Static_assert(sizeof(struct FAM(frozen_conn)) == (FAMILY == 4 ? 64 : 128), "as in the data path");

struct FAM(frozen) {
	struct frozen_bucket *buckets;
	struct FAM(frozen_conn) *conns;
	uint64_t seed;
	uint32_t bucket_mask;
	uint32_t overflow_unused;
	size_t map_bytes[2];
	struct rte_hash *hash; /* keys to references, of the second yardstick; or NULL */
};

/* The frozen copy of the scene's table, made at the first call. */
struct FAM(frozen) *FAM_FN(frozen, of)(struct scene *s);

#if FAMILY == 6
static inline uint64_t frozen6_mix(uint64_t a, uint64_t b)
{
	const unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)(product >> 64) ^ (uint64_t)product;
}
#endif

static inline uint32_t FAM_FN(frozen, hash)(const struct FAM(frozen) *t, const struct FAM(key) *k)
{
	uint64_t rest;

	memcpy(&rest, &k->sport, sizeof(rest));
#if FAMILY == 4
	uint64_t addrs, h;

	memcpy(&addrs, &k->saddr, sizeof(addrs));
	h = (addrs ^ t->seed) * 0x9e3779b97f4a7c15ULL;
	h = (h ^ h >> 32 ^ rest) * 0xd6e8feb86659fd93ULL;
	return (uint32_t)(h >> 32);
#else
	const uint64_t h = frozen6_mix(k->saddr.word[0] ^ t->seed,
				       k->saddr.word[1] ^ 0x9e3779b97f4a7c15ULL ^ t->seed) ^
			   frozen6_mix(k->daddr.word[0] ^ 0xd6e8feb86659fd93ULL ^ t->seed,
				       k->daddr.word[1] ^ 0xa0761d6478bd642fULL);

	return (uint32_t)(frozen6_mix(h ^ rest, t->seed ^ 0xe7037ed1a0b428dbULL) >> 32);
#endif
}

static inline struct frozen_bucket *FAM_FN(frozen, bucket)(const struct FAM(frozen) *t,
							   uint32_t hash)
{
	return &t->buckets[(uint32_t)(hash * 0x9e3779b1ULL >> 16) & t->bucket_mask];
}

static inline void FAM_FN(frozen, prefetch_bucket)(const struct FAM(frozen) *t, uint32_t hash)
{
	__builtin_prefetch(FAM_FN(frozen, bucket)(t, hash));
}

static inline struct FAM(frozen_conn) *
FAM_FN(frozen, prefetch_entry)(const struct FAM(frozen) *t, uint32_t hash, unsigned int dir)
{
	const struct frozen_bucket *b = FAM_FN(frozen, bucket)(t, hash);
	unsigned int hits = frozen_match(b, frozen_tag(hash));
	struct FAM(frozen_conn) *c;
	uint32_t ref;

	if (!hits)
		return NULL;
	ref = b->ref[__builtin_ctz(hits)];
	c = &t->conns[ref >> 1];
	__builtin_prefetch(c, 1);
	if (FAMILY == 6)
		__builtin_prefetch(&c->addr[0]);
	return (ref & 1) == dir ? c : NULL;
}

static inline bool FAM_FN(frozen, matches)(const struct FAM(frozen_conn) *c,
					   const struct FAM(key) *k, unsigned int dir)
{
	const FAM_ADDR *addr = &c->addr[end_first(dir)];
	const be16 *port = &c->port[end_first(dir)];
	uint32_t ports, want_ports;

	memcpy(&ports, port, sizeof(ports));
	memcpy(&want_ports, &k->sport, sizeof(want_ports));
#if FAMILY == 4
	uint64_t addrs, want_addrs;

	memcpy(&addrs, addr, sizeof(addrs));
	memcpy(&want_addrs, &k->saddr, sizeof(want_addrs));
	addrs ^= want_addrs;
#else
	const uint64_t addrs =
		(addr[0].word[0] ^ k->saddr.word[0]) | (addr[0].word[1] ^ k->saddr.word[1]) |
		(addr[1].word[0] ^ k->daddr.word[0]) | (addr[1].word[1] ^ k->daddr.word[1]);
#endif
	return (addrs | (ports ^ want_ports) | (uint32_t)(c->c.proto ^ k->proto)) == 0;
}

static inline struct FAM(frozen_conn) *FAM_FN(frozen, find)(const struct FAM(frozen) *t,
							    const struct FAM(key) *k, uint32_t hash,
							    unsigned int dir)
{
	const struct frozen_bucket *b = FAM_FN(frozen, bucket)(t, hash);

	for (;; b = &t->buckets[b->overflow]) {
		unsigned int hits = frozen_match(b, frozen_tag(hash));

		for (; hits; hits &= hits - 1) {
			uint32_t ref = b->ref[__builtin_ctz(hits)];
			struct FAM(frozen_conn) *c = &t->conns[ref >> 1];

			if ((ref & 1) == dir && FAM_FN(frozen, matches)(c, k, dir))
				return c;
		}
		if (!b->overflow)
			return NULL;
	}
}

/* With what FAM_FN(frozen, prefetch_entry)() returned. */
static inline struct FAM(frozen_conn) *FAM_FN(frozen, find_guess)(const struct FAM(frozen) *t,
								  const struct FAM(key) *k,
								  uint32_t hash, unsigned int dir,
								  struct FAM(frozen_conn) *guess)
{
	if (guess && FAM_FN(frozen, matches)(guess, k, dir))
		return guess;
	return FAM_FN(frozen, find)(t, k, hash, dir);
}
