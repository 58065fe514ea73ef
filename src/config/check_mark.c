/* SPDX-License-Identifier: BSD-3-Clause */
/* The conditions that mark rules must meet. */
#include "config/config_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void config_check_mark(struct config_context *ctx, const struct config_node *node,
		       struct config_mark *m)
{
	char quoted[CONFIG_QUOTE_LEN];
	const char *name;

	m->rule.link = LINK_ANY;
	if (!m->link)
		return;
	name = config_negation_skip(m->link, &m->rule.link_negate);
	for (uint32_t i = 0; i < node->n_ports; i++)
		if (!node->ports[i].name)
			return; /* reported where it was parsed */
	if (config_link_find(node, name, &m->rule.link) == 0)
		return;
	context_push_key(ctx, "link");
	config_report(ctx, -EINVAL, NULL, "%s is not a link: expected a port or port.VLAN",
		      config_quote(name, quoted));
	context_pop(ctx);
}

void config_check_mark_entries(struct config_context *ctx, uint64_t entries)
{
	if (entries > MAX_MARK_ENTRIES)
		config_report(ctx, -ENOSPC, NULL,
			      "the rules take apart into %llu for their negations: more than the "
			      "limit of %u (MAX_MARK_ENTRIES)",
			      (unsigned long long)entries, MAX_MARK_ENTRIES);
}

void config_check_marks(struct config_context *ctx, struct config *config)
{
	struct config_shared *shared = &config->shared;
	uint64_t entries = 0;

	context_push_key(ctx, "marks");
	for (uint32_t i = 0; i < shared->n_marks; i++) {
		context_push_index(ctx, i);
		config_check_mark(ctx, &config->node, &shared->marks[i]);
		entries += mark_rule_entries(&shared->marks[i].rule);
		context_pop(ctx);
	}
	config_check_mark_entries(ctx, entries);
	context_pop(ctx);
}

json_t *config_mark_to_json(const struct config_mark *mark)
{
	static const char *const none[] = {"", NULL};
	struct config_mark model;

	memset(&model, 0, sizeof(model));
	config_object_init(&config_object_mark, none, &model);
	return config_object_to_json(&config_object_mark, mark, &model, STYLE_FILE);
}
