/* SPDX-License-Identifier: BSD-3-Clause */
/* Template of fib.h: the routes of one family. */

/* Without padding: compared as bytes. */
struct FAM(route) {
	FAM_ADDR addr;	 /* host bits zero */
	FAM_ADDR via;	 /* with ROUTE_GATEWAY */
	FAM_ADDR source; /* the router's own address towards it (preferred source), or 0 */
	link_id link;
	uint32_t metric;
	uint32_t links_at; /* in fib.links_of: every link that a route for this prefix uses */
	uint16_t mtu;	   /* of the link, bytes of IP */
	uint8_t len;
	uint8_t kind; /* enum route_kind */
};
_Static_assert(sizeof(struct FAM(route)) == 3 * sizeof(FAM_ADDR) + 16, "a route has no padding");

/* Longest prefix; of equal ones the lowest metric. The first member is a uint64_t with bits of the
 * hashes of the router's own addresses: FAM_FN(fib, may_be_local)(). */
struct FAM(fib);

/* The bit of an address. Tables of addresses use the low bits of the same hash. */
static inline uint64_t FAM_FN(fib, local_bit)(FAM_ADDR addr)
{
	return 1ULL << (FAM_FN(addr, hash)(addr) >> 26);
}

/* Link thread. NULL: out of memory. The array is copied. */
struct FAM(fib) *FAM_FN(fib, create)(const struct FAM(route) *routes, uint32_t n);
void FAM_FN(fib, destroy)(struct FAM(fib) *fib); /* NULL is allowed */
/* Any. The best route, or NULL. The pointer lives as long as the fib. fib may be NULL. */
const struct FAM(route) *FAM_FN(fib, find)(const struct FAM(fib) *fib, FAM_ADDR dest);
/* Any. The host route of an address of the router's own, or NULL. Cheaper than fib*_find():
 * steering asks for every packet that is not for a VIP. */
const struct FAM(route) *FAM_FN(fib, find_local)(const struct FAM(fib) *fib, FAM_ADDR dest);
/* Any. False: FAM_FN(fib, find_local)() finds nothing. */
static inline bool FAM_FN(fib, may_be_local)(const struct FAM(fib) *fib, FAM_ADDR dest)
{
	return *(const uint64_t *)(const void *)fib & FAM_FN(fib, local_bit)(dest);
}
