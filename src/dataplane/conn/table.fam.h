/* SPDX-License-Identifier: BSD-3-Clause */

/* The connection table of one family: table.h. */

struct FAM(table) {
	struct bucket *buckets;	 /* [n_buckets + n_overflow], overflow ones at the end */
	struct FAM(conn) *conns; /* [3 * half_first]; 0 is not used, halves from half_first on */
	uint64_t seed;
	uint32_t bucket_mask;
	uint32_t n_buckets;
	uint32_t n_overflow;
	uint32_t overflow_free;	  /* head of the overflow buckets given back */
	uint32_t overflow_unused; /* overflow buckets from here on were never used */
	uint32_t capacity;
	uint32_t n;	 /* entries in use */
	uint32_t free;	 /* head of the free list, linked by conn.free_next */
	uint32_t freed;	 /* times an entry was given back; wraps */
	uint32_t unused; /* entries from here on were never used */
	/* Servers' halves (fullnat/halves.h): that of entry i at half_first + i, that of entry i of
	 * the other family's table at 2 * half_first + i. The wheel, the lists of give_way.h and
	 * other arrays by entry have no places for halves. */
	uint32_t half_first;
	uint32_t n_halves; /* in use, of both kinds */
	/* Halves from here on were never used: [0] of this family's entries, [1] of the other's.
	 * worker: wo, ledger thread: ro */
	uint32_t half_unused[2];
	size_t bytes; /* of memory mapped, for the statistics */
	size_t map_bytes[2];
};

/* Memory from NUMA node `socket` (-1: any), huge pages advised. 0 or -errno (ENOMEM). */
int FAM_FN(table, create)(struct FAM(table) *t, uint32_t capacity, int socket, uint64_t seed);
void FAM_FN(table, destroy)(struct FAM(table) *t);

#if FAMILY == 4
/* addrs and rest: the two words of a key4. */
static inline uint32_t table4_hash_words(const struct table4 *t, uint64_t addrs, uint64_t rest)
{
	uint64_t h = (addrs ^ t->seed) * 0x9e3779b97f4a7c15ULL;

	h = (h ^ h >> 32 ^ rest) * 0xd6e8feb86659fd93ULL;
	return (uint32_t)(h >> 32);
}
#else
/* The two halves of a product, folded, so that every bit of a and b reaches every bit of the
 * result. */
static inline uint64_t table6_mix(uint64_t a, uint64_t b)
{
	const unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)(product >> 64) ^ (uint64_t)product;
}
#endif

static inline uint32_t FAM_FN(table, hash)(const struct FAM(table) *t, const struct FAM(key) *k)
{
	uint64_t rest;

	memcpy(&rest, &k->sport, sizeof(rest)); /* ports, protocol, padding of zero */
#if FAMILY == 4
	uint64_t addrs;

	memcpy(&addrs, &k->saddr, sizeof(addrs));
	return table4_hash_words(t, addrs, rest);
#else
	const uint64_t h = table6_mix(k->saddr.word[0] ^ t->seed,
				      k->saddr.word[1] ^ 0x9e3779b97f4a7c15ULL ^ t->seed) ^
			   table6_mix(k->daddr.word[0] ^ 0xd6e8feb86659fd93ULL ^ t->seed,
				      k->daddr.word[1] ^ 0xa0761d6478bd642fULL);

	return (uint32_t)(table6_mix(h ^ rest, t->seed ^ 0xe7037ed1a0b428dbULL) >> 32);
#endif
}

static inline struct bucket *FAM_FN(table, bucket)(const struct FAM(table) *t, uint32_t hash)
{
	return &t->buckets[(uint32_t)(hash * 0x9e3779b1ULL >> 16) & t->bucket_mask];
}

static inline void FAM_FN(table, prefetch_bucket)(const struct FAM(table) *t, uint32_t hash)
{
	__builtin_prefetch(FAM_FN(table, bucket)(t, hash));
}

/* Prefetches and returns the first entry of the first bucket whose tag and direction match, or
 * NULL. Most likely the result of the look-up: for FAM_FN(table, find_guess)(). */
static inline struct FAM(conn) *FAM_FN(table, prefetch_entry)(const struct FAM(table) *t,
							      uint32_t hash, unsigned int dir)
{
	const uint32_t *ref = bucket_first(FAM_FN(table, bucket)(t, hash), table_tag(hash));
	struct FAM(conn) *c;

	if (!ref)
		return NULL;
	c = &t->conns[*ref >> 1];
	__builtin_prefetch(c, 1);
	if (FAMILY == 6)
		__builtin_prefetch(&c->addr[0]);
	return (*ref & 1) == dir ? c : NULL;
}

/* True: the entry has the key. Without a branch on the direction, which no predictor could
 * learn. */
static inline bool FAM_FN(conn, matches)(const struct FAM(conn) *c, const struct FAM(key) *k,
					 unsigned int dir)
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

/* FAM_FN(table, find)() from the overflow bucket b on. */
struct FAM(conn) *FAM_FN(table, find_overflow)(const struct FAM(table) *t, const struct bucket *b,
					       const struct FAM(key) *k, uint32_t hash,
					       unsigned int dir);

/* The entry with this key and direction among those of a bucket, or NULL. */
static inline struct FAM(conn) *FAM_FN(bucket, find)(const struct FAM(table) *t,
						     const struct bucket *b,
						     const struct FAM(key) *k, uint32_t hash,
						     unsigned int dir)
{
	unsigned int hits = bucket_match(b, table_tag(hash));

	for (; hits; hits &= hits - 1) {
		uint32_t ref = b->ref[__builtin_ctz(hits)];
		struct FAM(conn) *c = &t->conns[ref >> 1];

		if ((ref & 1) == dir && FAM_FN(conn, matches)(c, k, dir))
			return c;
	}
	return NULL;
}

/* The connection with this key in this direction, or NULL. */
static inline struct FAM(conn) *FAM_FN(table, find)(const struct FAM(table) *t,
						    const struct FAM(key) *k, uint32_t hash,
						    unsigned int dir)
{
	const struct bucket *b = FAM_FN(table, bucket)(t, hash);
	struct FAM(conn) *c = FAM_FN(bucket, find)(t, b, k, hash, dir);

	if (c || !b->overflow)
		return c;
	return FAM_FN(table, find_overflow)(t, &t->buckets[b->overflow], k, hash, dir);
}

/* The same, with what FAM_FN(table, prefetch_entry)() returned. */
static inline struct FAM(conn) *FAM_FN(table, find_guess)(const struct FAM(table) *t,
							  const struct FAM(key) *k, uint32_t hash,
							  unsigned int dir, struct FAM(conn) *guess)
{
	if (guess && FAM_FN(conn, matches)(guess, k, dir))
		return guess;
	return FAM_FN(table, find)(t, k, hash, dir);
}

/* A new entry, zeroed, without keys in the table; NULL if all are in use. */
struct FAM(conn) *FAM_FN(table, alloc)(struct FAM(table) *t);
/* The same for the server's half of entry `index`, of this table or of the other family's, not
 * CONN_F_LIVE. NULL: there is no such entry. */
struct FAM(conn) *FAM_FN(table, alloc_half)(struct FAM(table) *t, uint32_t index, bool other);
void FAM_FN(table, free_half)(struct FAM(table) *t, struct FAM(conn) *h);
/* Puts the entry's in or out key into the table. 0, -EEXIST (the key is in use; *other, unless
 * other is NULL, has it), -ENOSPC (no overflow bucket left). */
int FAM_FN(table, link)(struct FAM(table) *t, struct FAM(conn) *c, unsigned int dir,
			struct FAM(conn) **other);
/* The same with the key's hash. */
int FAM_FN(table, link_hashed)(struct FAM(table) *t, struct FAM(conn) *c, unsigned int dir,
			       uint32_t hash, struct FAM(conn) **other);
/* The same for a key that is not in the table. 0 or -ENOSPC. */
int FAM_FN(table, add)(struct FAM(table) *t, struct FAM(conn) *c, unsigned int dir, uint32_t hash);
void FAM_FN(table, unlink)(struct FAM(table) *t, struct FAM(conn) *c, unsigned int dir);
/* Frees the entry, whose keys were unlinked before. */
void FAM_FN(table, free)(struct FAM(table) *t, struct FAM(conn) *c);

/* Prefetches the bucket of a key of the entry. */
void FAM_FN(table, prefetch_conn)(const struct FAM(table) *t, const struct FAM(conn) *c,
				  unsigned int dir);

static inline uint32_t FAM_FN(conn, index)(const struct FAM(table) *t, const struct FAM(conn) *c)
{
	return (uint32_t)(c - t->conns);
}

void FAM_FN(conn, key)(const struct FAM(conn) *c, unsigned int dir, struct FAM(key) *out);
