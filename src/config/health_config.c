/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Values of health in and out, checks by name, and what a plan says of them. */

/* ---- names of checks ---- */

static int name_add(struct config_context *ctx, const json_t *json, struct config_checks *out)
{
	char quoted[CONFIG_QUOTE_LEN];
	const char *text = json_string_value(json), *why = NULL;

	if (!text) {
		config_report(ctx, -EINVAL, NULL, "expected the name of a check");
		return -EINVAL;
	}
	if (strlen(text) >= CONFIG_CHECK_NAME_SIZE ||
	    config_text_check(RULE_LABEL, text, &why) < 0) {
		config_report(ctx, -EINVAL, NULL, "%s is not the name of a check",
			      config_quote(text, quoted));
		return -EINVAL;
	}
	for (uint8_t i = 0; i < out->n; i++) {
		if (strcmp(out->names[i], text) == 0) {
			config_report(ctx, -EINVAL, NULL, "\"%s\" stands here twice", text);
			return -EINVAL;
		}
	}
	snprintf(out->names[out->n++], CONFIG_CHECK_NAME_SIZE, "%s", text);
	return 0;
}

int config_names_parse(struct config_context *ctx, const struct config_field *f, const json_t *json,
		       struct config_checks *out)
{
	int ret = 0;

	(void)f;
	memset(out, 0, sizeof(*out));
	if (!json_is_array(json))
		return name_add(ctx, json, out);
	if (json_array_size(json) > CONFIG_SERVER_CHECKS) {
		config_report(ctx, -ENOSPC, NULL,
			      "%zu checks are more than the limit of %u (CONFIG_SERVER_CHECKS)",
			      json_array_size(json), CONFIG_SERVER_CHECKS);
		return -EINVAL;
	}
	for (uint32_t i = 0; i < json_array_size(json); i++) {
		context_push_index(ctx, i);
		if (name_add(ctx, json_array_get(json, i), out) < 0)
			ret = -EINVAL;
		context_pop(ctx);
	}
	return ret;
}

json_t *config_names_to_json(const struct config_checks *c)
{
	json_t *list;

	if (c->n == 1)
		return json_string(c->names[0]);
	list = json_array();
	for (uint8_t i = 0; list && i < c->n; i++)
		json_array_append_new(list, json_string(c->names[i]));
	return list;
}

/* ---- statuses ---- */

int config_status_parse(const char *text, struct check_status_range *out)
{
	unsigned int first, last;
	char rest;
	int n = sscanf(text, "%3u-%3u%c", &first, &last, &rest);

	if (n == 1 && strlen(text) == 3)
		last = first;
	else if (n != 2 || strlen(text) != 7)
		return -EINVAL;
	if (first < 100 || last > 599 || last < first)
		return -EINVAL;
	*out = (struct check_status_range){(uint16_t)first, (uint16_t)last};
	return 0;
}

json_t *config_status_to_json(const struct check_status_range *r)
{
	return r->first == r->last ? json_integer(r->first)
				   : json_sprintf("%u-%u", r->first, r->last);
}

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
