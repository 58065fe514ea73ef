/* SPDX-License-Identifier: BSD-3-Clause */

/* The connection table of one family: table.h. */

struct FAM(table) {
	struct bucket *buckets;	 /* [n_buckets + n_overflow], overflow ones at the end */
	struct FAM(conn) *conns; /* [2 * half_first]; 0 is not used, halves from half_first on */
#if FAMILY == 4
	const be32 *locals; /* addresses of pools, by conn.local_id: fullnat/local_port.h */
#endif
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
	/* Servers' halves (fullnat/crossing.h): that of entry i of the other family's table at
	 * half_first + i. The wheel, the lists of give_way.h and other arrays by entry have no
	 * place for them. */
	uint32_t half_first;
	uint32_t n_locals; /* out keys that have a local address: of entries and of halves */
	/* Entries with a local address, places of halves, from here on were never used. worker: wo,
	 * ledger thread: ro */
	uint32_t local_unused[2];
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

/* True: the entry has the key. Not for an out key that has a local address. Without a branch on the
 * direction, which no predictor could learn. */
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

/* Whether the out key of an entry is (server, local). */
static inline bool FAM_FN(conn, has_local)(const struct FAM(conn) *c)
{
	return forward_has(c->c.method, FORWARD_BY_LOCAL) & ((c->c.flags & CONN_F_LIVE) != 0);
}

/* The local address of such an entry. */
static inline const FAM_ADDR *FAM_FN(conn, local_addr)(const struct FAM(table) *t,
						       const struct FAM(conn) *c)
{
#if FAMILY == 4
	return &t->locals[c->c.local_id];
#else
	(void)t;
	return &c->laddr;
#endif
}

/* An address and a port of an entry. */
struct FAM(conn_end) {
	const FAM_ADDR *addr;
	const be16 *port;
};

/* The second end of the key of a direction, of an entry of any method. Without a branch on the
 * direction. */
static inline struct FAM(conn_end) FAM_FN(conn, second)(const struct FAM(table) *t,
							const struct FAM(conn) *c, unsigned int dir)
{
	const FAM_ADDR *addr = &c->addr[end_first(dir) + 1];
	const be16 *port = &c->port[end_first(dir) + 1];
	const uintptr_t local = -(uintptr_t)(dir & FAM_FN(conn, has_local)(c));
	const uintptr_t to_addr = (uintptr_t)FAM_FN(conn, local_addr)(t, c) - (uintptr_t)addr,
			to_port = (uintptr_t)&c->c.lport - (uintptr_t)port;

	return (struct FAM(conn_end)){
		.addr = (const FAM_ADDR *)((uintptr_t)addr + (to_addr & local)),
		.port = (const be16 *)((uintptr_t)port + (to_port & local)),
	};
}

/* As FAM_FN(conn, matches)(), for an entry of any method: where any method is as good as any other.
 */
static inline bool FAM_FN(conn, has_key_any)(const struct FAM(table) *t, const struct FAM(conn) *c,
					     const struct FAM(key) *k, unsigned int dir)
{
	const struct FAM(conn_end) second = FAM_FN(conn, second)(t, c, dir);
	const FAM_ADDR *first = &c->addr[end_first(dir)];
	const uint32_t rest = (uint32_t)(c->port[end_first(dir)] ^ k->sport) |
			      (uint32_t)(*second.port ^ k->dport) |
			      (uint32_t)(c->c.proto ^ k->proto);
#if FAMILY == 4
	return ((*first ^ k->saddr) | (*second.addr ^ k->daddr) | rest) == 0;
#else
	return ((first->word[0] ^ k->saddr.word[0]) | (first->word[1] ^ k->saddr.word[1]) |
		(second.addr->word[0] ^ k->daddr.word[0]) |
		(second.addr->word[1] ^ k->daddr.word[1]) | rest) == 0;
#endif
}

/* The same where full NAT is rare. */
static inline bool FAM_FN(conn, has_key)(const struct FAM(table) *t, const struct FAM(conn) *c,
					 const struct FAM(key) *k, unsigned int dir)
{
	if (unlikely(dir && FAM_FN(conn, has_local)(c)))
		return FAM_FN(conn, has_key_any)(t, c, k, dir);
	return FAM_FN(conn, matches)(c, k, dir);
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

		if ((ref & 1) == dir && FAM_FN(conn, has_key)(t, c, k, dir))
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
	if (guess && FAM_FN(conn, has_key_any)(t, guess, k, dir))
		return guess;
	return FAM_FN(table, find)(t, k, hash, dir);
}

/* A new entry, zeroed, without keys in the table; NULL if all are in use. */
struct FAM(conn) *FAM_FN(table, alloc)(struct FAM(table) *t);
/* The same for the server's half of entry `index` of the other family's table; it is not
 * CONN_F_LIVE. NULL: there is no such entry. */
struct FAM(conn) *FAM_FN(table, alloc_half)(struct FAM(table) *t, uint32_t index);
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

/* Counts an out key with a local address, of entry `index`; half: of a half of that entry. */
static inline void FAM_FN(table, local_begin)(struct FAM(table) *t, uint32_t index, bool half)
{
	t->n_locals++;
	if (unlikely(index >= t->local_unused[half]))
		__atomic_store_n(&t->local_unused[half], index + 1, __ATOMIC_RELAXED);
}

void FAM_FN(conn, key)(const struct FAM(table) *t, const struct FAM(conn) *c, unsigned int dir,
		       struct FAM(key) *out);

/* FAM_FN(table, hash)() of a key of the entry. */
static inline uint32_t FAM_FN(conn, hash)(const struct FAM(table) *t, const struct FAM(conn) *c,
					  unsigned int dir)
{
#if FAMILY == 4
	/* The words of the key at once: parts of a word that were stored one by one come late. */
	const unsigned int first = end_first(dir);
	uint64_t addrs, rest;
	uint32_t ports;

	memcpy(&addrs, &c->addr[first], sizeof(addrs));
	memcpy(&ports, &c->port[first], sizeof(ports));
	rest = (uint64_t)c->c.proto << 32 | ports;
	if (unlikely(dir && conn4_has_local(c))) {
		addrs = (uint64_t)*conn4_local_addr(t, c) << 32 | (uint32_t)addrs;
		rest = (uint64_t)c->c.proto << 32 | (uint32_t)c->c.lport << 16 | (ports & 0xffff);
	}
	return table4_hash_words(t, addrs, rest);
#else
	struct FAM(key) k;

	conn6_key(t, c, dir, &k);
	return table6_hash(t, &k);
#endif
}
