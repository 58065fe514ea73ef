/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of changes that a plan is. */
#include "config/config_internal.h"

#include <errno.h>
#include <stdlib.h>

int config_plan_add(struct config_plan *plan, const struct config_change *change)
{
	/* Room doubles: a plan may be all of ten thousand services. */
	if ((plan->n & (plan->n - 1)) == 0) {
		struct config_change *v =
			realloc(plan->v, (plan->n ? 2 * (size_t)plan->n : 1) * sizeof(*v));

		if (!v)
			return -ENOMEM;
		plan->v = v;
	}
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
