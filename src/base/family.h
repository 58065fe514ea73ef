/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * One body of code for both address families.
 *
 * A source that works on packets or on tables of addresses is written once and compiled once for
 * each family, with FAMILY defined as 4 or 6. FAM(conn) is conn4 or conn6; FAM_FN(table, find) is
 * table4_find or table6_find. The compiler sees the family as a constant, so that the choice
 * costs nothing for a packet. What differs between the families is here, or in one function for
 * each difference whose two versions stand side by side.
 *
 * A header of types and inline functions for one family is a template without include guard
 * (NAME.fam.h); the header NAME.h, which everybody else includes, includes the template with
 * FAMILY 4 and with FAMILY 6.
 *
 * This header itself may be included again after FAMILY has changed.
 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/addr.h"

#ifndef PLVS_BASE_FAMILY_H
#define PLVS_BASE_FAMILY_H

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

#define FAM_PASTE_(a, b)     a##b
#define FAM_PASTE(a, b)	     FAM_PASTE_(a, b)
#define FAM_PASTE3_(a, b, c) a##b##_##c
#define FAM_PASTE3(a, b, c)  FAM_PASTE3_(a, b, c)

/* conn -> conn4, conn6 */
#define FAM(name) FAM_PASTE(name, FAMILY)
/* table, find -> table4_find, table6_find */
#define FAM_FN(noun, verb) FAM_PASTE3(noun, FAMILY, verb)

#endif

#undef FAM_ADDR
#ifdef FAMILY
#if FAMILY == 4
#define FAM_ADDR be32
#elif FAMILY == 6
#define FAM_ADDR struct addr6
#else
#error "FAMILY is 4 or 6"
#endif
#endif
