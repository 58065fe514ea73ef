/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Checks by name, and what a plan says of them. */

/* ---- checks by name ---- */

static int by_name(const void *key, const void *item)
{
	const struct config_check *const *c = item;

	return strcmp(key, (*c)->name);
}

const struct config_check *config_check_find(const struct config *config, const char *name)
{
	const struct config_check **found =
		config->n_checks ? bsearch(name, config->checks, config->n_checks,
					   sizeof(const struct config_check *), by_name)
				 : NULL;

	return found ? *found : NULL;
}

void config_checks_fini(struct config *config)
{
	for (uint32_t i = 0; i < config->shared.n_checks; i++)
		check_spec_fini(&config->shared.checks[i].spec);
	free(config->checks);
	config->checks = NULL;
	config->n_checks = 0;
}

/* ---- plan ---- */

int config_checks_plan(struct config_plan *plan)
{
	const struct config *before = plan->before, *after = plan->after;
	uint32_t n_before = before ? before->n_checks : 0;
	int ret = 0;

	for (uint32_t i = 0; i < n_before && ret == 0; i++)
		if (!config_check_find(after, before->checks[i]->name))
			ret = config_plan_object(plan, &config_object_check, OBJECT_CHECK,
						 before->checks[i], NULL);
	for (uint32_t i = 0; i < after->n_checks && ret == 0; i++) {
		const struct config_check *c = after->checks[i];

		ret = config_plan_object(plan, &config_object_check, OBJECT_CHECK,
					 before ? config_check_find(before, c->name) : NULL, c);
	}
	return ret;
}
