/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Checks by name, and their changes in a plan. */

/* ---- checks by name ---- */

static int by_name(const void *key, const void *item)
{
	const struct check_spec *const *c = item;

	return strcmp(key, (*c)->name);
}

const struct check_spec *config_check_find(const struct config *config, const char *name)
{
	const struct check_spec **found =
		config->n_checks ? bsearch(name, config->checks, config->n_checks,
					   sizeof(const struct check_spec *), by_name)
				 : NULL;

	return found ? *found : NULL;
}

void config_checks_fini(struct config *config)
{
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
		const struct check_spec *c = after->checks[i];

		ret = config_plan_object(plan, &config_object_check, OBJECT_CHECK,
					 before ? config_check_find(before, c->name) : NULL, c);
	}
	return ret;
}

/* ---- specs ---- */

static int spec_copy(const struct check_spec *from, struct check_spec *to)
{
	return config_object_copy(&config_object_check, from, to);
}

static void spec_fini(struct check_spec *spec)
{
	config_object_fini(&config_object_check, spec);
}

static bool spec_equal(const struct check_spec *a, const struct check_spec *b)
{
	return config_object_alike(&config_object_check, a, b, FIELD_NAME);
}

static bool spec_same_question(const struct check_spec *a, const struct check_spec *b)
{
	return config_object_alike(&config_object_check, a, b, FIELD_NAME | FIELD_PACE);
}

bool config_check_runs_same(const struct check_spec *a, const struct check_spec *b)
{
	return config_object_equal(&config_object_program, a, b);
}

const struct check_spec_ops config_spec_ops = {
	.copy = spec_copy,
	.fini = spec_fini,
	.equal = spec_equal,
	.same_question = spec_same_question,
};
