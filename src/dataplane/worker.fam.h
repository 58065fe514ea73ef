/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of a worker that exists once for each address family: worker.h. */

/*
 * A cache of destinations of mark rules: neither VIP nor the router's own, under a prefix of a rule
 * that leads to a service. The cache spares an established packet the search by prefix; it is
 * emptied at each change of snapshot or routes.
 */
struct FAM(marked_dests) {
	const struct snapshot *snap;
	uint64_t generation; /* the snapshot's */
	uint32_t resolve_gen;
	FAM_ADDR dest[MARKED_DESTS]; /* by addr4_hash(), addr6_hash(); 0: none */
};

/* The links by which packets of a NAT server may come in; see source_link.h. */
struct FAM(source_slot) {
	FAM_ADDR addr; /* the server's; 0 = none */
	uint32_t gen;  /* the resolve generation of the answer */
	link_id link[2];
};
_Static_assert(sizeof(struct FAM(source_slot)) == (FAMILY == 4 ? 16 : 32),
	       "whole ones in a cache line");

/* The addresses of the pool that are on the link of a server. */
struct FAM(pool_slot) {
	FAM_ADDR server;
	uint32_t gen; /* the resolve generation of the answer; 0: none */
	uint32_t n;
	uint64_t generation;   /* the snapshot's */
	const FAM_ADDR *addrs; /* [n] */
};

/* The local end that a connection c by full NAT is to get, and the search for its port. */
struct FAM(local_plan) {
	struct FAM(local_end) end;
	struct FAM(conn) *c;
	const FAM_ADDR *addrs; /* [n_addrs] */
	uint32_t n_addrs;
	struct FAM(local_search) search;
};

struct FAM(worker) {
	struct FAM(table) table;
	struct wheel wheel;
	struct give_way way;
	uint32_t *syn_stamps;	      /* [capacity + 1], by entry: handshake.h; NULL: off */
	struct proxy_start *proxies;  /* [capacity + 1], by entry: proxy/proxy.h */
	struct local_place *places;   /* [capacity + 1], by entry: fullnat/local_end.h */
	struct FAM(ledger_row) *rows; /* by entry and local end: sync/ledger.h; NULL: off */
	uint32_t rows_limit; /* rows from here on have no memory. ledger thread: wo, worker: ro */
	/* The same of rows of local ends: of this family's entries, of the other family's. */
	uint32_t local_rows_limit[2];
	uint8_t *
		marks; /* [capacity + 1], by entry: sync/conn_sync.h; NULL: no peer is configured */
	struct FAM(follow) *follow;	  /* fragments and their datagrams */
	struct FAM(conn) once[BURST_MAX]; /* one-packet connections of the burst at hand */
	uint32_t n_once;
	uint32_t n_begun; /* connections of the burst at hand without their out key */
	struct FAM(marked_dests) marked;
	struct FAM(local_ports) ports;		 /* of full NAT, towards servers of this family */
	struct FAM(local_plan) plans[BURST_MAX]; /* of the burst at hand: fullnat/local_end.h */
	uint32_t n_plans;
	struct FAM(pool_slot) pools[POOL_SLOTS]; /* by the hash of the server's address */
	uint32_t n_others; /* servers' halves of connections in the other family's table */
	struct FAM(source_slot) sources[SOURCE_SLOTS]; /* by the server's place in addrs */
};

/* Tables of one family for w, whose capacity is in entries. 0 or -ENOMEM. Control, before start. */
int FAM_FN(worker, init)(struct worker *w, uint32_t capacity, uint64_t seed);
void FAM_FN(worker, fini)(struct worker *w);
