/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "health/checkers.h"

/* Rules of checks, and of the services and servers that name them. */

static void wrong(struct config_context *ctx, const char *key, const char *text)
{
	context_push_key(ctx, key);
	config_report(ctx, -EINVAL, NULL, "%s", text);
	context_pop(ctx);
}

/* ---- which keys a type takes ---- */

static void types_join(uint32_t types, char *buf, size_t len)
{
	size_t at = 0;

	buf[0] = '\0';
	for (uint32_t t = 0; t < CHECK_TYPE_MAX; t++)
		if (types & 1U << t && at < len)
			at += (size_t)snprintf(buf + at, len - at, "%s%s", at ? ", " : "",
					       check_type_names[t]);
}

static void keys_check(struct config_context *ctx, const struct check_spec *c)
{
	struct check_spec model;
	char types[128], text[192];
	json_t *said;

	memset(&model, 0, sizeof(model));
	config_object_init(&config_object_check, ctx->schedulers, &model);
	said = config_object_to_json(&config_object_check, c, &model, STYLE_DIGEST);
	for (uint16_t i = 0; i < config_object_check.n; i++) {
		const struct config_field *f = &config_object_check.fields[i];

		if (!f->types || f->types & 1U << c->type || !json_object_get(said, f->name))
			continue;
		types_join(f->types, types, sizeof(types));
		snprintf(text, sizeof(text), "means nothing to a check of type %s: only to %s",
			 check_type_names[c->type], types);
		wrong(ctx, f->name, text);
	}
	json_decref(said);
}

static int name_cmp(const void *a, const void *b)
{
	const struct check_spec *const *x = a, *const *y = b;
	int order = strcmp((*x)->name, (*y)->name);

	return order ? order : (*x > *y) - (*x < *y);
}

void config_check_checks(struct config_context *ctx, struct config *config)
{
	struct config_shared *shared = &config->shared;

	config->checks = calloc(shared->n_checks + 1, sizeof(const struct check_spec *));
	if (!config->checks) {
		config_report_memory(ctx);
		return;
	}
	context_push_key(ctx, "checks");
	for (uint32_t i = 0; i < shared->n_checks; i++) {
		const struct check_spec *c = &shared->checks[i];

		if (!c->name)
			continue; /* reported where it was parsed */
		context_push_index(ctx, i);
		keys_check(ctx, c);
		context_pop(ctx);
		config->checks[config->n_checks++] = c;
	}
	qsort(config->checks, config->n_checks, sizeof(const struct check_spec *), name_cmp);
	for (uint32_t i = 1; i < config->n_checks; i++) {
		if (strcmp(config->checks[i]->name, config->checks[i - 1]->name) != 0)
			continue;
		context_push_index(ctx, (uint32_t)(config->checks[i] - shared->checks));
		wrong(ctx, "name", "is that of another check already");
		context_pop(ctx);
	}
	context_pop(ctx);
}

/* ---- services and servers that name checks ---- */

static void name_unknown(struct config_context *ctx, const struct config *config, const char *name)
{
	const char **names = calloc(config->n_checks + 1, sizeof(char *));
	struct config_hint hint = {0};

	if (!names) {
		config_report_memory(ctx);
		return;
	}
	for (uint32_t i = 0; i < config->n_checks; i++)
		names[i] = config->checks[i]->name;
	hint.suggestion = text_near_miss(name, names);
	if (hint.suggestion)
		config_report(ctx, -EINVAL, &hint,
			      "there is no check \"%s\" in shared.checks (did you mean \"%s\"?)",
			      name, hint.suggestion);
	else
		config_report(ctx, -EINVAL, &hint, "there is no check \"%s\" in shared.checks",
			      name);
	free(names);
}

/* Reports unknown names of checks in "check" at the context's path. */
static void names_check(struct config_context *ctx, const struct config *config,
			const struct config_checks *c)
{
	context_push_key(ctx, "check");
	for (uint8_t i = 0; i < c->n; i++)
		if (!config_check_find(config, c->names[i]))
			name_unknown(ctx, config, c->names[i]);
	context_pop(ctx);
}

void config_check_defaults(struct config_context *ctx, const struct config *config)
{
	context_push_key(ctx, "defaults");
	names_check(ctx, config, &config->shared.defaults.check);
	context_pop(ctx);
}

/* Why a check does not fit a server, or NULL. */
static const char *unfit(const struct check_spec *c, const struct config_service *svc,
			 const struct config_server *s)
{
	bool network = CHECK_NETWORK >> c->type & 1;

	if (c->via_vip && !forward_has(s->forward, FORWARD_SERVER_HAS_VIP))
		return "has \"via_vip\": needs \"forward\": \"dr\" or \"tunnel\"";
	if (c->via_vip && svc->n_listen == 0)
		return "has \"via_vip\": a service with a mark has no VIP of its own";
	if (c->via_vip && s->ep.addr.family != config_service_family(svc))
		return "has \"via_vip\": needs a server of the service's address family";
	if (c->via_vip && s->encap.type != ENCAP_IPIP)
		return "has \"via_vip\": checks travel by \"tunnel_type\": \"ipip\" only";
	if (c->type == CHECK_PASSIVE && !forward_has(s->forward, FORWARD_REPLIES_PASS))
		return "is of type passive: needs \"forward\": \"nat\"";
	if (network && c->port == 0 && s->ep.port == 0 &&
	    (svc->n_listen == 0 || svc->listen[0].port == 0))
		return "has no \"port\", and neither the server nor the service has one";
	return NULL;
}

static void server_check(struct config_context *ctx, const struct config *config,
			 const struct config_service *svc, const struct config_server *s)
{
	char text[ENDPOINT_STRLEN];

	if (s->set & 1ULL << CONFIG_SERVER_CHECK)
		names_check(ctx, config, &s->check);
	for (uint8_t i = 0; i < s->check.n; i++) {
		const struct check_spec *c = config_check_find(config, s->check.names[i]);
		const char *why = c ? unfit(c, svc, s) : NULL;

		if (!why)
			continue;
		context_push_key(ctx, "check");
		config_report(ctx, -EINVAL, NULL, "check \"%s\" of server %s %s", c->name,
			      endpoint_format(&s->ep, text, sizeof(text)), why);
		context_pop(ctx);
	}
}

/* Only warnings: servers come and go while the router runs. */
static void quorum_check(struct config_context *ctx, const struct config_service *svc)
{
	const struct health_policy *h = &svc->policy.health;
	uint64_t total = 0;
	uint32_t n_sorry = 0;

	for (uint32_t i = 0; i < svc->n_servers; i++) {
		n_sorry += svc->servers[i].sorry;
		if (!svc->servers[i].sorry)
			total += h->quorum_weight ? svc->servers[i].weight : 1;
	}
	if (svc->n_servers && n_sorry == svc->n_servers)
		config_report(ctx, 0, NULL, "all of its servers are sorry servers");
	if (svc->n_servers == n_sorry || h->quorum <= 1 || h->quorum <= total)
		return;
	context_push_key(ctx, "quorum");
	config_report(ctx, 0, NULL, "%u is more than all servers together have, which is %llu",
		      h->quorum, (unsigned long long)total);
	context_pop(ctx);
}

void config_check_service_health(struct config_context *ctx, const struct config *config,
				 const struct config_service *svc)
{
	const struct health_policy *h = &svc->policy.health;

	if (svc->policy.set & 1ULL << CONFIG_SET_CHECK)
		names_check(ctx, config, &svc->policy.check);
	for (uint32_t i = 0; i < svc->n_servers; i++) {
		if (svc->servers[i].ep.addr.family == ADDR_NONE)
			continue; /* reported where it was parsed */
		context_push_key(ctx, "servers");
		context_push_index(ctx, svc->servers[i].written);
		server_check(ctx, config, svc, &svc->servers[i]);
		context_pop(ctx);
		context_pop(ctx);
	}
	quorum_check(ctx, svc);
	if (h->weight_max_percent && h->weight_min_percent > h->weight_max_percent)
		wrong(ctx, "weight_min", "is above \"weight_max\"");
}
