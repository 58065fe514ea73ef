/* SPDX-License-Identifier: BSD-3-Clause */

/* Local ports of one family, which is the server's: local_port.h. */

/* A connection as its server sees it. */
struct FAM(local_end) {
	FAM_ADDR local, server;
	be16 lport, dport;
	uint8_t proto;
	uint8_t step;	   /* of local and lport, and of the client's endpoint */
	uint8_t place;	   /* of the port in its half of the group */
	uint32_t group;	   /* set with place by choose and take; 0: none */
	uint16_t local_id; /* IPv4: the number of local, set with place */
};

struct FAM(local_group) {
	FAM_ADDR local, server;
	be16 dport;
	uint8_t proto;
	uint8_t step;
	uint32_t next; /* in the chain of a hash; 0: none */
	uint16_t n_used;
	uint16_t local_id; /* IPv4: of local, among locals[] */
	struct local_half half[2];
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct FAM(local_group)) == (FAMILY == 4 ? 64 : 128), "whole cache lines");

struct FAM(local_ports) {
	struct FAM(local_group) *groups; /* [n_groups + 1]; 0 is not used */
	struct local_ring *rings;	 /* [n_groups + 1], by group */
	uint32_t *heads;		 /* [mask + 1]; the low bits of an index are a step */
	uint32_t n_groups, mask;
	uint32_t unused;		/* groups from here on were never used */
	uint32_t hand;			/* where the next search for a group with no use begins */
	uint32_t n_used;		/* ports in use. worker: wo, control: ro */
	uint32_t n_searches, n_choices; /* begun, finished */
	uint64_t fill; /* local_fill_word(): the fullest lately. worker: wo, control: ro */
	uint64_t seed;
	uint8_t side;			/* 0 or 1: the half of every group to be used first */
	uint8_t hint[LOCAL_PORT_HINTS]; /* by server endpoint and step: address of the last choice
					 */
#if FAMILY == 4
	be32 *locals; /* [LOCAL_ADDRS]: the addresses of groups, by number; 0 is not used */
	uint32_t *n_groups_of; /* [LOCAL_ADDRS]: groups that have the address; 0: it may go */
	uint32_t n_locals;     /* numbers from here on were never used */
#endif
};

/* Memory is touched as groups are used. side: of the pair. 0 or -ENOMEM. */
int FAM_FN(local_ports, create)(struct FAM(local_ports) *t, uint32_t n_groups, int socket,
				uint64_t seed, uint8_t side);
void FAM_FN(local_ports, destroy)(struct FAM(local_ports) *t);

/*
 * Chooses a port for end (server, dport, proto, step) and sets its other fields. addrs: the n
 * usable addresses of the pool, 128 at most. 0, or -EADDRNOTAVAIL: every port is in use or in
 * quarantine, as far as the search went.
 */
int FAM_FN(local_port, choose)(struct FAM(local_ports) *t, struct FAM(local_end) *end,
			       const FAM_ADDR *addrs, uint32_t n, uint32_t now_s);

/* A choice that is under way: where the search begins, in the order own halves of all addresses,
 * then the other halves. */
struct FAM(local_search) {
	uint64_t server;      /* the hash of the server endpoint */
	const uint32_t *head; /* of the chain in which the group of the first address is */
	uint32_t group;	      /* of the first address, most likely; 0: there is none yet */
	uint16_t hint;	      /* index of local_ports.hint */
	uint8_t at;
};

/*
 * The same in steps, for several ends. Each step is done for all ends before the next, so that the
 * prefetches of a step stand in a row: begin, prefetch_head, look, prefetch, finish. end and addrs
 * are the same in all steps; nothing else may be changed between begin and finish but by other
 * choices and ends.
 */
void FAM_FN(local_search, begin)(struct FAM(local_ports) *t, const struct FAM(local_end) *end,
				 const FAM_ADDR *addrs, uint32_t n,
				 struct FAM(local_search) *search);
static inline void FAM_FN(local_search, prefetch_head)(const struct FAM(local_search) *search)
{
	__builtin_prefetch(search->head);
}
/* Reads the head of the chain and prefetches the group. */
static inline void FAM_FN(local_search, look)(const struct FAM(local_ports) *t,
					      struct FAM(local_search) *search)
{
	const struct FAM(local_group) *g = &t->groups[search->group = *search->head];

	__builtin_prefetch(g, 1);
	if (sizeof(*g) > 64)
		__builtin_prefetch((const uint8_t *)g + 64, 1);
}
static inline void FAM_FN(local_search, prefetch)(const struct FAM(local_ports) *t,
						  const struct FAM(local_search) *search,
						  uint32_t n)
{
	const unsigned int h = t->side ^ (search->at >= n);
	const struct local_half *half = &t->groups[search->group].half[h];

	if (half->n_fresh == LOCAL_PORT_HALF)
		__builtin_prefetch(&t->rings[search->group].free[h][half->head]);
}
int FAM_FN(local_search, finish)(struct FAM(local_ports) *t, struct FAM(local_end) *end,
				 const FAM_ADDR *addrs, uint32_t n, uint32_t now_s,
				 const struct FAM(local_search) *search);
/* The percentage of the ports for end (server, dport, proto, step) that are in use or in
 * quarantine. The cost grows with n. */
uint32_t FAM_FN(local_port, percent)(const struct FAM(local_ports) *t,
				     const struct FAM(local_end) *end, const FAM_ADDR *addrs,
				     uint32_t n, uint32_t now_s);
/* Takes a given port, for a connection of a peer or a file. 0, -EEXIST: in use; -ENOSPC: no group;
 * -EINVAL: not a port of pools. */
int FAM_FN(local_port, take)(struct FAM(local_ports) *t, struct FAM(local_end) *end,
			     uint32_t now_s);
/* The port's connection has ended: begins the quarantine. end is as set by choose or take. */
void FAM_FN(local_port, release)(struct FAM(local_ports) *t, const struct FAM(local_end) *end,
				 uint32_t now_s);

#if FAMILY == 4
/* The number of an address for one more group. 0: none is left. */
uint16_t local_addr4_get(struct local_ports4 *t, be32 local);
#endif

/* Prefetches what FAM_FN(local_port, release)() will touch: the group; then, when that has come,
 * the place in the ring of free ports. */
static inline void FAM_FN(local_port, prefetch_group)(const struct FAM(local_ports) *t,
						      uint32_t group)
{
	if (group - 1 < t->n_groups)
		__builtin_prefetch(&t->groups[group], 1);
}

static inline void FAM_FN(local_port, prefetch)(const struct FAM(local_ports) *t, uint32_t group,
						unsigned int h)
{
	const struct local_half *half;

	if (group - 1 >= t->n_groups)
		return;
	half = &t->groups[group].half[h];
	__builtin_prefetch(&t->rings[group].free[h][(uint8_t)(half->head + half->n)], 1);
}
