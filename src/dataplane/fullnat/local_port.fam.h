/* SPDX-License-Identifier: BSD-3-Clause */

/* Local ports of one family, which is the server's: local_port.h. */

/* A connection as its server sees it. */
struct FAM(local_end) {
	FAM_ADDR local, server;
	be16 lport, dport;
	uint8_t proto;
	uint8_t step;	/* of local and lport; of the client's endpoint as well */
	uint8_t place;	/* of the port in its half of the group */
	uint32_t group; /* set with place when the port is chosen or taken; 0: none */
};

struct FAM(local_group) {
	FAM_ADDR local, server;
	be16 dport;
	uint8_t proto;
	uint8_t step;
	uint32_t next; /* in the chain of a hash; 0: none */
	uint16_t n_used;
	struct local_half half[2];
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct FAM(local_group)) == (FAMILY == 4 ? 64 : 128), "whole cache lines");

struct FAM(local_ports) {
	struct FAM(local_group) *groups; /* [n_groups + 1]; 0 is not used */
	struct local_ring *rings;	 /* [n_groups + 1], by group */
	uint32_t *heads;		 /* [mask + 1]; the low bits of an index are a step */
	uint32_t n_groups, mask;
	uint32_t unused; /* groups from here on were never used */
	uint32_t hand;	 /* the next group that is asked to make room */
	uint32_t n_used; /* ports in use. worker: wo, control: ro */
	uint32_t n_choices;
	uint64_t fill; /* local_fill_word(): the fullest of late. worker: wo, control: ro */
	uint64_t seed;
	uint8_t side;			/* 0 or 1: the half of every group that is taken first */
	uint8_t hint[LOCAL_PORT_HINTS]; /* by server endpoint and step: where ports were last */
};

/* Memory is touched as groups are used. side: of the pair. 0 or -ENOMEM. */
int FAM_FN(local_ports, create)(struct FAM(local_ports) *t, uint32_t n_groups, int socket,
				uint64_t seed, uint8_t side);
void FAM_FN(local_ports, destroy)(struct FAM(local_ports) *t);

/*
 * A port for end (server, dport, proto, step), whose other fields are set. addrs: the pool's
 * addresses that may be used, n of them, 128 at most. 0, or -EADDRNOTAVAIL: every port is in use
 * or in quarantine, as far as the search went.
 */
int FAM_FN(local_port, choose)(struct FAM(local_ports) *t, struct FAM(local_end) *end,
			       const FAM_ADDR *addrs, uint32_t n, uint32_t now_s);
/* The percentage of the ports for end (server, dport, proto, step) that are in use or in
 * quarantine. Searches are as long as n. */
uint32_t FAM_FN(local_port, percent)(const struct FAM(local_ports) *t,
				     const struct FAM(local_end) *end, const FAM_ADDR *addrs,
				     uint32_t n, uint32_t now_s);
/* Takes the port of a connection that is known from elsewhere. 0, -EEXIST: in use; -ENOSPC: no
 * group; -EINVAL: not a port of pools. */
int FAM_FN(local_port, take)(struct FAM(local_ports) *t, struct FAM(local_end) *end,
			     uint32_t now_s);
/* The port's connection has ended: the quarantine begins. end is as choose or take left it. */
void FAM_FN(local_port, release)(struct FAM(local_ports) *t, const struct FAM(local_end) *end,
				 uint32_t now_s);

/* Prefetches what FAM_FN(local_port, release)() will touch, but for the group itself. */
static inline void FAM_FN(local_port, prefetch)(const struct FAM(local_ports) *t, uint32_t group,
						unsigned int h)
{
	const struct local_half *half;

	if (group - 1 >= t->n_groups)
		return;
	half = &t->groups[group].half[h];
	__builtin_prefetch(&t->rings[group].free[h][(uint8_t)(half->head + half->n)], 1);
}
