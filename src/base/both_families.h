/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Includes a template for both address families (base/family.h):
 *
 *	#define FAM_TEMPLATE "model/fib.fam.h"
 *	#include "base/both_families.h"
 *
 * The template includes nothing itself. FAMILY keeps its value, so that a source compiled for one
 * family may include such a header.
 */
#include "base/family.h"

#pragma push_macro("FAMILY")
#undef FAMILY
#define FAMILY 4
#include FAM_TEMPLATE
#undef FAMILY
#define FAMILY 6
#include FAM_TEMPLATE
#undef FAMILY
#pragma pop_macro("FAMILY")
#undef FAM_TEMPLATE
