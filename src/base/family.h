/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The same source code for both address families.
 *
 * A source that works on packets or on tables of addresses is written once and compiled once for
 * each family, with FAMILY defined as 4 or 6. FAM(conn) is conn4 or conn6; FAM_FN(table, find) is
 * table4_find or table6_find. The compiler sees the family as a constant, so that the choice
 * costs nothing for a packet. Differences between the families are here, or in one function for
 * each difference whose two versions stand side by side.
 *
 * A header of types and inline functions for one family is a template without include guard
 * (NAME.fam.h). Only NAME.h includes the template, with FAMILY 4 and with FAMILY 6
 * (base/both_families.h); all other files include NAME.h.
 */
#ifndef PLVS_BASE_FAMILY_H
#define PLVS_BASE_FAMILY_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/addr.h"

/* An IPv6 address as tables and connections hold it, in the order of the packet. */
struct addr6 {
	uint64_t word[2];
};

static inline bool addr4_equal(be32 a, be32 b)
{
	return a == b;
}

static inline bool addr6_equal(struct addr6 a, struct addr6 b)
{
	return ((a.word[0] ^ b.word[0]) | (a.word[1] ^ b.word[1])) == 0;
}

/* The address of a struct addr that is known to be of the family. */
static inline be32 addr4_of(const struct addr *a)
{
	return a->v4;
}

static inline struct addr6 addr6_of(const struct addr *a)
{
	struct addr6 v;

	memcpy(&v, a->v6, sizeof(v));
	return v;
}

static inline struct addr addr_from_addr4(be32 v4)
{
	return (struct addr){.family = ADDR_V4, .v4 = v4};
}

static inline struct addr addr_from_addr6(struct addr6 v6)
{
	struct addr a = {.family = ADDR_V6};

	memcpy(a.v6, &v6, sizeof(v6));
	return a;
}

static inline bool addr4_is_zero(be32 a)
{
	return a == 0;
}

static inline bool addr6_is_zero(struct addr6 a)
{
	return (a.word[0] | a.word[1]) == 0;
}

/* The address without its host bits: len bits are kept. */
static inline be32 addr4_masked(be32 a, unsigned int len)
{
	return len == 0 ? 0 : a & be32_from(~0U << (32 - len));
}

/* The address under any mask, given as a number. An address of IPv6 has prefixes alone. */
static inline be32 addr4_under(be32 a, uint32_t mask)
{
	return a & be32_from(mask);
}

static inline struct addr6 addr6_under(struct addr6 a, uint32_t mask)
{
	(void)mask;
	return a;
}

static inline struct addr6 addr6_masked(struct addr6 a, unsigned int len)
{
	const unsigned int high = len < 64 ? len : 64, low = len - high;

	a.word[0] = high == 0 ? 0 : a.word[0] & htobe64(~0ULL << (64 - high));
	a.word[1] = low == 0 ? 0 : a.word[1] & htobe64(~0ULL << (64 - low));
	return a;
}

#define ADDR_MIX 0x9e3779b97f4a7c15ULL

/* For tables whose keys no stranger chooses. Use the high bits. */
static inline uint64_t addr4_mix(be32 a)
{
	return (uint64_t)a * ADDR_MIX;
}

static inline uint64_t addr6_mix(struct addr6 a)
{
	uint64_t h = (a.word[0] ^ a.word[0] >> 32) * ADDR_MIX;

	return (h ^ h >> 32 ^ a.word[1] ^ a.word[1] >> 32) * ADDR_MIX;
}

/* The high half: on a little-endian machine neighbours differ in the top byte only. */
static inline uint32_t addr4_hash(be32 a)
{
	return (uint32_t)(addr4_mix(a) >> 32);
}

static inline uint32_t addr6_hash(struct addr6 a)
{
	return (uint32_t)(addr6_mix(a) >> 32);
}

/* A firewall mark in the place of an address. */
static inline be32 addr4_of_mark(uint32_t mark)
{
	return mark;
}

static inline struct addr6 addr6_of_mark(uint32_t mark)
{
	return (struct addr6){.word = {mark, 0}};
}

/* Each part is loaded and stored by itself: one thread writes, others read. */
static inline be32 addr4_load_acquire(const be32 *a)
{
	return __atomic_load_n(a, __ATOMIC_ACQUIRE);
}

static inline struct addr6 addr6_load_acquire(const struct addr6 *a)
{
	struct addr6 v;

	v.word[0] = __atomic_load_n(&a->word[0], __ATOMIC_ACQUIRE);
	v.word[1] = __atomic_load_n(&a->word[1], __ATOMIC_ACQUIRE);
	return v;
}

static inline void addr4_store_release(be32 *a, be32 v)
{
	__atomic_store_n(a, v, __ATOMIC_RELEASE);
}

static inline void addr6_store_release(struct addr6 *a, struct addr6 v)
{
	__atomic_store_n(&a->word[0], v.word[0], __ATOMIC_RELEASE);
	__atomic_store_n(&a->word[1], v.word[1], __ATOMIC_RELEASE);
}

#define FAM_PASTE_(a, b)     a##b
#define FAM_PASTE(a, b)	     FAM_PASTE_(a, b)
#define FAM_PASTE3_(a, b, c) a##b##_##c
#define FAM_PASTE3(a, b, c)  FAM_PASTE3_(a, b, c)

/* conn -> conn4, conn6 */
#define FAM(name) FAM_PASTE(name, FAMILY)
/* table, find -> table4_find, table6_find */
#define FAM_FN(noun, verb) FAM_PASTE3(noun, FAMILY, verb)

/* An address of the family, its bits, and its enum addr_family. */
#define FAM_ADDR_4 be32
#define FAM_ADDR_6 struct addr6
#define FAM_ADDR   FAM(FAM_ADDR_)
#define FAM_BITS_4 32
#define FAM_BITS_6 128
#define FAM_BITS   FAM(FAM_BITS_)
#define FAM_FAMILY FAM(ADDR_V)

#endif
