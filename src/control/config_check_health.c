/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/config_internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "health/checkers.h"
#include "health/pattern.h"

/*
 * From checks as written to specs, and what must hold of them and of who names them. A spec
 * is put together of borrowed parts and copied at the end; the copy belongs to the check.
 */

static void wrong(struct config_context *ctx, const char *key, const char *text)
{
	context_push_key(ctx, key);
	config_report(ctx, -EINVAL, NULL, "%s", text);
	context_pop(ctx);
}

/* ---- which keys a type takes ---- */

#define OF(type) (1U << CHECK_##type)
#define NETWORK	 (OF(TCP) | OF(SCRIPT) | OF(HTTP) | OF(UDP) | OF(DNS) | OF(AGENT))

static const struct {
	const char *key;
	uint32_t types;
} takes[] = {
	{"address", NETWORK | OF(ICMP) | OF(EXEC)},
	{"port", NETWORK | OF(EXEC)},
	{"via_vip", NETWORK | OF(ICMP)},
	{"tls", OF(SCRIPT) | OF(HTTP)},
	{"steps", OF(SCRIPT) | OF(UDP)},
	{"http", OF(HTTP)},
	{"dns", OF(DNS)},
	{"exec", OF(EXEC)},
	{"passive", OF(PASSIVE)},
	{"weight", OF(AGENT) | OF(EXEC)},
};

static void types_join(uint32_t types, char *buf, size_t len)
{
	size_t at = 0;

	buf[0] = '\0';
	for (uint32_t t = 0; t < CHECK_TYPE_MAX; t++)
		if (types & 1U << t && at < len)
			at += (size_t)snprintf(buf + at, len - at, "%s%s", at ? ", " : "",
					       check_type_names[t]);
}

static void keys_check(struct config_context *ctx, const struct config_check *c)
{
	struct config_check model;
	char types[128], text[192];
	json_t *said;

	memset(&model, 0, sizeof(model));
	config_object_init(&config_object_check, ctx->schedulers, &model);
	said = config_object_to_json(&config_object_check, c, &model, STYLE_DIGEST);
	for (size_t i = 0; i < ARRAY_LEN(takes); i++) {
		if (takes[i].types & 1U << c->type || !json_object_get(said, takes[i].key))
			continue;
		types_join(takes[i].types, types, sizeof(types));
		snprintf(text, sizeof(text), "means nothing to a check of type %s: only to %s",
			 check_type_names[c->type], types);
		wrong(ctx, takes[i].key, text);
	}
	json_decref(said);
}

/* ---- texts ---- */

static int hex_digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0'
	       : c >= 'a' && c <= 'f'	 ? c - 'a' + 10
	       : c >= 'A' && c <= 'F'	 ? c - 'A' + 10
					 : -1;
}

/* Of a text without escapes as many bytes as it has, else fewer. NULL, *at: not an escape. */
static char *unescape(const char *text, uint32_t *len, size_t *at)
{
	static const char names[] = "rnt0\\", bytes[] = {'\r', '\n', '\t', '\0', '\\'};
	char *out = malloc(strlen(text) + 1);
	uint32_t n = 0;

	for (const char *p = text; out && *p; p++) {
		const char *name;

		if (*p != '\\') {
			out[n++] = *p;
			continue;
		}
		*at = (size_t)(p - text);
		p++;
		if (*p == 'x' && hex_digit(p[1]) >= 0 && hex_digit(p[2]) >= 0) {
			out[n++] = (char)(hex_digit(p[1]) << 4 | hex_digit(p[2]));
			p += 2;
		} else if (*p && (name = strchr(names, *p)) != NULL) {
			out[n++] = bytes[name - names];
		} else {
			free(out);
			return NULL;
		}
	}
	*at = SIZE_MAX;
	if (out)
		out[n] = '\0';
	*len = n;
	return out;
}

/* Into a match that owns its bytes. */
static void match_bytes(struct config_context *ctx, const char *key, const char *text,
			enum match_kind kind, struct match *out)
{
	char why[160];
	size_t at = 0;

	context_push_key(ctx, key);
	if (kind == MATCH_PATTERN) {
		/* Escapes are the pattern's own. */
		if (pattern_check(text, strlen(text), why, sizeof(why)) < 0)
			config_report(ctx, -EINVAL, NULL, "not a pattern: %s", why);
		out->bytes = strdup(text);
		out->len = (uint32_t)strlen(text);
	} else {
		out->bytes = unescape(text, &out->len, &at);
		if (!out->bytes && at != SIZE_MAX)
			config_report(ctx, -EINVAL, NULL,
				      "character %zu: expected \\r, \\n, \\t, \\0, \\\\ or \\xHH "
				      "after the backslash",
				      at + 1);
		else if (out->bytes && out->len == 0)
			config_report(ctx, -EINVAL, NULL, "is empty");
	}
	if (!out->bytes && at == SIZE_MAX)
		config_report_memory(ctx);
	out->kind = (uint8_t)kind;
	context_pop(ctx);
}

/* keys: of literal, prefix, pattern. At most one of them is given. */
static void match_make(struct config_context *ctx, const struct config_match *from,
		       const char *const keys[3], struct match *out)
{
	const char *texts[] = {from->literal, from->prefix, from->pattern};
	static const uint8_t kinds[] = {MATCH_LITERAL, MATCH_PREFIX, MATCH_PATTERN};
	char text[64];

	for (size_t i = 0; i < 3; i++) {
		if (!texts[i])
			continue;
		if (out->kind != MATCH_NONE) {
			snprintf(text, sizeof(text), "expected one of %s, %s, %s", keys[0], keys[1],
				 keys[2]);
			wrong(ctx, keys[i], text);
			return;
		}
		match_bytes(ctx, keys[i], texts[i], (enum match_kind)kinds[i], out);
	}
}

/* ---- by type ---- */

static void step_make(struct config_context *ctx, const struct config_step *from,
		      struct check_step *out)
{
	static const char *const keys[] = {"expect", "expect_prefix", "expect_pattern"};
	const struct config_match m = {from->expect, from->expect_prefix, from->expect_pattern};
	bool expects = m.literal || m.prefix || m.pattern;

	out->expect = expects;
	if (!expects == !from->send)
		config_report(ctx, -EINVAL, NULL,
			      "expected one of send, expect, expect_prefix, expect_pattern");
	else if (from->send)
		match_bytes(ctx, "send", from->send, MATCH_LITERAL, &out->what);
	else
		match_make(ctx, &m, keys, &out->what);
}

static void steps_make(struct config_context *ctx, const struct config_check *c,
		       struct check_spec *spec)
{
	uint32_t n_send = 0;

	if (c->n_steps == 0 && c->type == CHECK_SCRIPT)
		wrong(ctx, "steps", "missing: expected at least one, or type tcp");
	spec->steps = calloc(c->n_steps + 1, sizeof(*spec->steps));
	if (!spec->steps) {
		config_report_memory(ctx);
		return;
	}
	spec->n_steps = c->n_steps;
	context_push_key(ctx, "steps");
	for (uint32_t i = 0; i < c->n_steps; i++) {
		context_push_index(ctx, i);
		step_make(ctx, &c->steps[i], &spec->steps[i]);
		context_pop(ctx);
		n_send += !spec->steps[i].expect;
	}
	context_pop(ctx);
	if (c->type == CHECK_UDP && (n_send != 1 || c->n_steps > 2 || spec->steps[0].expect))
		wrong(ctx, "steps", "of udp: expected one to send, then perhaps one to expect");
}

static void header_make(struct config_context *ctx, const char *text, struct check_header *out)
{
	const char *colon = strchr(text, ':'), *value = colon ? colon + 1 : "";
	static const char bad[] = " \t()<>@,;:\\\"/[]?={}";
	size_t n = colon ? (size_t)(colon - text) : 0;

	value += strspn(value, " ");
	if (n == 0 || strcspn(text, bad) != n) {
		config_report(ctx, -EINVAL, NULL, "expected a header as \"Accept: text/html\"");
		return;
	}
	out->name = strndup(text, n);
	out->value = strdup(value);
	if (!out->name || !out->value)
		config_report_memory(ctx);
}

static void http_make(struct config_context *ctx, const struct config_check *c,
		      struct check_spec *spec)
{
	static const char *const keys[] = {"body", "body_prefix", "body_pattern"};

	spec->http.method = c->http.method;
	spec->http.path = c->http.path;
	spec->http.host = c->http.host;
	spec->http.statuses = c->http.statuses;
	spec->http.n_statuses = c->http.n_statuses;
	spec->http.headers = calloc(c->http.n_headers + 1, sizeof(*spec->http.headers));
	if (!spec->http.headers) {
		config_report_memory(ctx);
		return;
	}
	context_push_key(ctx, "http");
	if (c->http.path && (c->http.path[0] != '/' || strchr(c->http.path, ' ')))
		wrong(ctx, "path", "expected a path that begins with / and has no blanks");
	if (c->http.host && strpbrk(c->http.host, " /"))
		wrong(ctx, "host", "expected a host name, perhaps with :port");
	if (c->http.n_headers > CHECK_MAX_HEADERS)
		wrong(ctx, "headers", "more than the limit of 32 (CHECK_MAX_HEADERS)");
	else
		spec->http.n_headers = c->http.n_headers;
	context_push_key(ctx, "headers");
	for (uint32_t i = 0; i < spec->http.n_headers; i++) {
		context_push_index(ctx, i);
		header_make(ctx, c->http.headers[i], &spec->http.headers[i]);
		context_pop(ctx);
	}
	context_pop(ctx);
	match_make(ctx, &c->http.body, keys, &spec->http.body);
	context_pop(ctx);
}

static void exec_make(struct config_context *ctx, const struct config_check *c,
		      struct check_spec *spec)
{
	static const char *const keys[] = {"output", "output_prefix", "output_pattern"};

	spec->exec.argv = c->exec.argv;
	spec->exec.n_argv = c->exec.n_argv;
	spec->exec.user = c->exec.user;
	spec->exec.any_code = c->exec.any_code;
	spec->exec.load = c->exec.load;
	context_push_key(ctx, "exec");
	if (c->exec.n_argv == 0)
		wrong(ctx, "argv", "missing: expected a program and its arguments");
	else if (c->exec.argv[0][0] != '/')
		wrong(ctx, "argv", "[0] is no absolute path: expected the program as \"/usr/...\"");
	match_make(ctx, &c->exec.output, keys, &spec->exec.output);
	if (c->exec.any_code && spec->exec.output.kind == MATCH_NONE && !c->exec.load)
		wrong(ctx, "any_code", "without an output that is expected nothing can fail");
	context_pop(ctx);
}

static void tls_check(struct config_context *ctx, const struct config_check *c)
{
	const struct check_tls *t = &c->tls;

	context_push_key(ctx, "tls");
	if (!t->on && (t->verify || t->ca_file || t->sni || t->cert_file || t->key_file))
		wrong(ctx, "on", "missing: expected true, or none of the other keys");
	if (!t->verify && t->ca_file)
		wrong(ctx, "ca_file", "means nothing without \"verify\": true");
	if (!t->cert_file != !t->key_file)
		wrong(ctx, t->cert_file ? "key_file" : "cert_file",
		      "missing: a certificate and its key belong together");
	context_pop(ctx);
}

static void passive_make(const struct config_check *c, struct check_spec *spec)
{
	spec->passive.window_ms = c->passive.window_ms;
	spec->passive.min_syns = c->passive.min_syns;
	spec->passive.no_answer_percent = c->passive.no_answer;
	spec->passive.refused_percent = c->passive.refused;
	spec->passive.max_answer_ms = c->passive.max_answer_ms;
}

/* Frees what is not borrowed. */
static void draft_fini(struct check_spec *spec)
{
	for (uint32_t i = 0; i < spec->n_steps; i++)
		free(spec->steps[i].what.bytes);
	free(spec->steps);
	for (uint32_t i = 0; i < spec->http.n_headers; i++) {
		free(spec->http.headers[i].name);
		free(spec->http.headers[i].value);
	}
	free(spec->http.headers);
	free(spec->http.body.bytes);
	free(spec->exec.output.bytes);
}

static void timing_check(struct config_context *ctx, const struct config_check *c)
{
	uint32_t timeout = c->timeout_ms ? c->timeout_ms : c->interval_ms;
	char text[128];

	if (timeout > 10ULL * c->interval_ms) {
		snprintf(text, sizeof(text), "%u ms is more than ten intervals of %u ms", timeout,
			 c->interval_ms);
		wrong(ctx, "timeout", text);
	}
	if (c->type == CHECK_PASSIVE && c->passive.window_ms < c->interval_ms) {
		context_push_key(ctx, "passive");
		wrong(ctx, "window", "is shorter than \"interval\"");
		context_pop(ctx);
	}
}

static void check_make(struct config_context *ctx, struct config_check *c)
{
	struct check_spec draft = {
		.name = c->name,
		.type = c->type,
		.interval_ms = c->interval_ms,
		.fast_ms = c->fast_ms,
		.down_ms = c->down_ms,
		.timeout_ms = c->timeout_ms,
		.rise = c->rise,
		.fall = c->fall,
		.reentry_ms = c->reentry_ms,
		.address = c->address.addr,
		.port = (uint16_t)c->port,
		.via_vip = c->via_vip,
		.tls = c->tls,
		.weight = c->weight,
	};
	uint32_t errors = ctx->errors->errors.n + ctx->errors->errors.n_more;

	if (!checkers[c->type])
		wrong(ctx, "type", "this type of check is not supported yet");
	keys_check(ctx, c);
	timing_check(ctx, c);
	tls_check(ctx, c);
	if (c->type == CHECK_SCRIPT || c->type == CHECK_UDP)
		steps_make(ctx, c, &draft);
	if (c->type == CHECK_HTTP)
		http_make(ctx, c, &draft);
	if (c->type == CHECK_EXEC)
		exec_make(ctx, c, &draft);
	if (c->type == CHECK_DNS) {
		draft.dns.name = c->dns.name;
		draft.dns.qtype = c->dns.qtype;
		draft.dns.any_rcode = c->dns.any_rcode;
		draft.dns.expect = c->dns.expect.addr;
	}
	if (c->type == CHECK_PASSIVE)
		passive_make(c, &draft);
	c->valid = errors == ctx->errors->errors.n + ctx->errors->errors.n_more;
	if (c->valid && check_spec_copy(&draft, &c->spec) < 0) {
		c->valid = false;
		config_report_memory(ctx);
	}
	draft_fini(&draft);
}

static int name_cmp(const void *a, const void *b)
{
	const struct config_check *const *x = a, *const *y = b;
	int order = strcmp((*x)->name, (*y)->name);

	return order ? order : (*x > *y) - (*x < *y);
}

void config_check_checks(struct config_context *ctx, struct config *config)
{
	struct config_shared *shared = &config->shared;

	config->checks = calloc(shared->n_checks + 1, sizeof(const struct config_check *));
	if (!config->checks) {
		config_report_memory(ctx);
		return;
	}
	context_push_key(ctx, "checks");
	for (uint32_t i = 0; i < shared->n_checks; i++) {
		struct config_check *c = &shared->checks[i];

		if (!c->name)
			continue; /* reported where it was parsed */
		context_push_index(ctx, i);
		check_make(ctx, c);
		context_pop(ctx);
		config->checks[config->n_checks++] = c;
	}
	qsort(config->checks, config->n_checks, sizeof(const struct config_check *), name_cmp);
	for (uint32_t i = 1; i < config->n_checks; i++) {
		if (strcmp(config->checks[i]->name, config->checks[i - 1]->name) != 0)
			continue;
		context_push_index(ctx, (uint32_t)(config->checks[i] - shared->checks));
		wrong(ctx, "name", "is that of another check already");
		context_pop(ctx);
	}
	context_pop(ctx);
}

/* ---- who names them ---- */

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

/* Those that are written at the context's path. */
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
	names_check(ctx, config, &config->shared.defaults.health.check);
	context_pop(ctx);
}

/* Why a check does not fit a server, or NULL. */
static const char *unfit(const struct config_check *c, const struct config_service *svc,
			 const struct config_server *s)
{
	bool network = NETWORK >> c->type & 1;

	if (c->via_vip && s->forward != FWD_DR && s->forward != FWD_TUNNEL)
		return "has \"via_vip\": needs \"forward\": \"dr\" or \"tunnel\"";
	if (c->via_vip && svc->n_listen == 0)
		return "has \"via_vip\": a service with a mark has no VIP of its own";
	if (c->type == CHECK_PASSIVE && s->forward != FWD_NAT)
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
		const struct config_check *c = config_check_find(config, s->check.names[i]);
		const char *why = c && c->valid ? unfit(c, svc, s) : NULL;

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
	const struct config_health *h = &svc->policy.health;
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
	const struct config_health *h = &svc->policy.health;

	if (svc->policy.set & 1ULL << CONFIG_SET_CHECK)
		names_check(ctx, config, &h->check);
	for (uint32_t i = 0; i < svc->n_servers; i++) {
		if (svc->servers[i].ep.addr.family == ADDR_NONE)
			continue; /* reported where it was parsed */
		context_push_key(ctx, "servers");
		context_push_index(ctx, i);
		server_check(ctx, config, svc, &svc->servers[i]);
		context_pop(ctx);
		context_pop(ctx);
	}
	quorum_check(ctx, svc);
	if (h->weight_max && h->weight_min > h->weight_max)
		wrong(ctx, "weight_min", "is above \"weight_max\"");
}
