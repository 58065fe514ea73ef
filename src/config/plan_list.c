/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of changes that a plan is. */
#include "config/config_internal.h"

#include <errno.h>

#include "base/array.h"

int config_plan_add(struct config_plan *plan, const struct config_change *change)
{
	if (array_room(&plan->v, plan->n, &plan->max, sizeof(*plan->v)) < 0)
		return -ENOMEM;
	plan->v[plan->n++] = *change;
	return 0;
}

int config_plan_object(struct config_plan *plan, const struct config_object *o,
		       enum config_kind kind, const void *before, const void *after)
{
	const struct config_change change = {.kind = (uint8_t)kind,
					     .how = CHANGE_VALUE,
					     .before.any = before,
					     .after.any = after,
					     .from = CONFIG_NOWHERE,
					     .to = CONFIG_NOWHERE};

	if (before && after && config_object_equal(o, before, after))
		return 0;
	return config_plan_add(plan, &change);
}
