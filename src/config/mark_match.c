/* SPDX-License-Identifier: BSD-3-Clause */
/* What mark rules match, as texts: "10.0.0.0/8", "!10.0.0.0/8", "80", "1000-1999", "!80". */
#include "config/config_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* After the "!" and blanks that negate. */
static const char *negation_skip(const char *text, uint8_t *negate)
{
	*negate = text[0] == '!';
	if (*negate)
		text += 1 + strspn(text + 1, " ");
	return text;
}

int config_match_parse(const char *text, struct mark_prefix *out, uint8_t *family)
{
	struct mark_prefix p = {0};
	struct prefix prefix;

	*family = ADDR_NONE;
	if (strcmp(text, "any") == 0) {
		*out = p;
		return 0;
	}
	text = negation_skip(text, &p.negate);
	if (prefix_parse(text, &prefix) < 0 || (p.negate && prefix.len == 0))
		return -EINVAL;
	*family = prefix.addr.family;
	p.addr = prefix.addr;
	p.len = prefix.len;
	*out = p;
	return 0;
}

const char *config_match_format(const struct mark_prefix *p, char *buf, size_t len)
{
	const struct prefix prefix = {.addr = p->addr, .len = p->len};
	char text[PREFIX_STRLEN];

	if (p->addr.family == ADDR_NONE) {
		snprintf(buf, len, "any");
		return buf;
	}
	snprintf(buf, len, "%s%s", p->negate ? "!" : "",
		 prefix_format(&prefix, text, sizeof(text)));
	return buf;
}

static int port_parse(const char **text, uint16_t *out)
{
	size_t digits = strspn(*text, "0123456789");
	unsigned long v = strtoul(*text, NULL, 10);

	if (digits == 0 || digits > 5 || v > UINT16_MAX)
		return -EINVAL;
	*text += digits;
	*out = (uint16_t)v;
	return 0;
}

int config_ports_parse(const char *text, struct mark_ports *out)
{
	struct mark_ports p = {0};

	text = negation_skip(text, &p.negate);
	if (port_parse(&text, &p.first) < 0)
		return -EINVAL;
	p.last = p.first;
	if (*text == '-') {
		text++;
		if (port_parse(&text, &p.last) < 0)
			return -EINVAL;
	}
	/* 0 stands for "any" in here; as a port it is nobody's. */
	if (*text != '\0' || p.last == 0 || p.last < p.first ||
	    (p.negate && p.first == 0 && p.last == UINT16_MAX))
		return -EINVAL;
	*out = p;
	return 0;
}

json_t *config_ports_to_json(const struct mark_ports *p)
{
	char text[16];

	if (p->first == p->last && !p->negate)
		return json_integer(p->first);
	if (p->first == p->last)
		snprintf(text, sizeof(text), "!%u", p->first);
	else
		snprintf(text, sizeof(text), "%s%u-%u", p->negate ? "!" : "", p->first, p->last);
	return json_string(text);
}

/* ---- checks ---- */

/* A rule of two families matches nothing. */
static void families_check(struct config_context *ctx, const struct mark_rule *r)
{
	const uint8_t family = mark_rule_family(r);
	const bool source = r->source.addr.family && r->source.addr.family != family;

	if (!source && (!r->dest.addr.family || r->dest.addr.family == family))
		return;
	context_push_key(ctx, source ? "source" : "destination");
	config_report(ctx, -EINVAL, NULL, "is of another family than \"%s\": no packet has both",
		      source || r->family ? "family" : "source");
	context_pop(ctx);
}

void config_check_mark(struct config_context *ctx, const struct config_node *node,
		       struct config_mark *m)
{
	char quoted[CONFIG_QUOTE_LEN];
	const char *name;

	families_check(ctx, &m->rule);
	m->rule.link = LINK_ANY;
	if (!m->link)
		return;
	name = negation_skip(m->link, &m->rule.link_negate);
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
