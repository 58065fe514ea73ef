/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_READERS_H
#define PLVS_TESTS_READERS_H

/*
 * Values that workers, health, ha and the link side read, as text: lines that are equal when all of
 * them would do the same. Structs go in byte by byte, so that a new member takes part; the
 * configuration and its schema are not asked. What health itself makes of a server (down, a
 * lower weight) is left out. health_set_service(), ha_configure() and their kind are wrapped
 * (-Wl,--wrap): health runs as ever, ha is never started.
 *
 * A test program includes this file once, after control_bed.h.
 */

#include <pthread.h>

#include "announce/bgp_look.h"
#include "announce/vip_routes.h"
#include "control/pushed_programs.h"
#include "dataplane/stages/classify.h"
#include "ha/ha.h"

/* ---- what was told to health and ha ---- */

struct checked {
	const struct health *health;
	char key[64];
	char *text;
};

/* Values that the log was given last. */
static struct told_log {
	enum log_level level;
	enum log_format format;
} told_log;

/* Stands in for struct ha. */
struct told {
	struct ha_config config;
	char notify[256];
	struct ha_address addresses[64];
	uint32_t n_addresses;
	struct vip_route routes[64]; /* of VIPs that are to be announced */
	uint32_t n_routes;
	struct bgp_look bgp;
};

static pthread_mutex_t told_lock = PTHREAD_MUTEX_INITIALIZER;
static struct checked checked[64];
static uint32_t n_set; /* calls of health_set_service() */

static inline void hex(FILE *out, const char *name, const void *bytes, size_t n)
{
	fprintf(out, " %s ", name);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%02x", ((const uint8_t *)bytes)[i]);
}

#define HEX(out, value) hex(out, #value, &(value), sizeof(value))

static inline void match_text(FILE *out, const struct match *m)
{
	fprintf(out, " match %u", m->kind);
	hex(out, "of", m->bytes, m->bytes ? m->len : 0);
}

static inline void texts(FILE *out, const char *name, char *const *v, uint32_t n)
{
	fprintf(out, " %s", name);
	for (uint32_t i = 0; i < n; i++)
		fprintf(out, " '%s'", v[i] ? v[i] : "-");
}

#define TEXT(out, value) texts(out, #value, &(value), 1)

static inline void spec_text(FILE *out, const struct check_spec *c)
{
	fprintf(out, "\n  check %s", c->name);
	HEX(out, c->type);
	HEX(out, c->interval_ms);
	HEX(out, c->fast_ms);
	HEX(out, c->down_ms);
	HEX(out, c->timeout_ms);
	HEX(out, c->rise);
	HEX(out, c->fall);
	HEX(out, c->reentry_ms);
	HEX(out, c->address);
	HEX(out, c->port);
	HEX(out, c->via_vip);
	HEX(out, c->header);
	HEX(out, c->source);
	HEX(out, c->source_port);
	HEX(out, c->tls.on);
	HEX(out, c->tls.verify);
	TEXT(out, c->tls.ca_file);
	TEXT(out, c->tls.sni);
	TEXT(out, c->tls.cert_file);
	TEXT(out, c->tls.key_file);
	for (uint32_t i = 0; i < c->n_steps; i++) {
		match_text(out, &c->steps[i]);
		HEX(out, c->steps[i].timeout_ms);
	}
	TEXT(out, c->http.method);
	TEXT(out, c->http.path);
	TEXT(out, c->http.host);
	texts(out, "headers", c->http.headers, c->http.n_headers);
	hex(out, "statuses", c->http.statuses, c->http.n_statuses * sizeof(*c->http.statuses));
	match_text(out, &c->http.body);
	HEX(out, c->http.body_not);
	TEXT(out, c->dns.name);
	HEX(out, c->dns.qtype);
	HEX(out, c->dns.any_rcode);
	HEX(out, c->dns.expect);
	texts(out, "argv", c->exec.argv, c->exec.n_argv);
	TEXT(out, c->exec.user);
	match_text(out, &c->exec.output);
	HEX(out, c->exec.any_code);
	HEX(out, c->exec.load);
	HEX(out, c->exec.code_weight);
	HEX(out, c->passive);
	HEX(out, c->weight);
}

static inline struct checked *checked_find(const struct health *h, const char *key)
{
	struct checked *empty = NULL;

	for (size_t i = 0; i < sizeof(checked) / sizeof(checked[0]); i++) {
		if (checked[i].health == h && strcmp(checked[i].key, key) == 0)
			return &checked[i];
		if (!checked[i].health)
			empty = &checked[i];
	}
	assert_non_null(empty);
	return empty;
}

int __real_health_set_service(struct health *h, const char *key, const struct endpoint *vip,
			      const struct health_policy *policy,
			      const struct health_server *servers, uint32_t n);
int __wrap_health_set_service(struct health *h, const char *key, const struct endpoint *vip,
			      const struct health_policy *policy,
			      const struct health_server *servers, uint32_t n);
int __wrap_health_set_service(struct health *h, const char *key, const struct endpoint *vip,
			      const struct health_policy *policy,
			      const struct health_server *servers, uint32_t n)
{
	struct checked *w;
	size_t size;
	FILE *out;

	pthread_mutex_lock(&told_lock);
	n_set++;
	w = checked_find(h, key);
	free(w->text);
	out = open_memstream(&w->text, &size);
	HEX(out, *vip);
	HEX(out, *policy);
	for (uint32_t i = 0; i < n; i++) {
		fprintf(out, "\n server");
		HEX(out, servers[i].ep);
		HEX(out, servers[i].weight);
		HEX(out, servers[i].method);
		HEX(out, servers[i].sorry);
		HEX(out, servers[i].consequence);
		for (uint32_t k = 0; servers[i].checks[k]; k++)
			spec_text(out, servers[i].checks[k]);
	}
	fclose(out);
	w->health = h;
	snprintf(w->key, sizeof(w->key), "%s", key);
	pthread_mutex_unlock(&told_lock);
	return __real_health_set_service(h, key, vip, policy, servers, n);
}

void __real_health_del_service(struct health *h, const char *key);
void __wrap_health_del_service(struct health *h, const char *key);
void __wrap_health_del_service(struct health *h, const char *key)
{
	struct checked *w;

	pthread_mutex_lock(&told_lock);
	w = checked_find(h, key);
	free(w->text);
	memset(w, 0, sizeof(*w));
	pthread_mutex_unlock(&told_lock);
	__real_health_del_service(h, key);
}

static inline void checked_forget(const struct health *h)
{
	for (size_t i = 0; i < sizeof(checked) / sizeof(checked[0]); i++) {
		if (checked[i].health != h)
			continue;
		free(checked[i].text);
		memset(&checked[i], 0, sizeof(checked[i]));
	}
}

void __wrap_ha_status(struct ha *ha, struct ha_status *out);
void __wrap_ha_status(struct ha *ha, struct ha_status *out)
{
	(void)ha;
	memset(out, 0, sizeof(*out));
}

int __wrap_ha_configure(struct ha *ha, const struct ha_config *config);
int __wrap_ha_configure(struct ha *ha, const struct ha_config *config)
{
	struct told *t = (struct told *)ha;
	size_t at = 0;

	pthread_mutex_lock(&told_lock);
	t->config = *config;
	t->config.notify = NULL;
	t->notify[0] = '\0';
	for (uint32_t i = 0; i < config->n_notify; i++)
		at += (size_t)snprintf(t->notify + at, sizeof(t->notify) - at, "'%s'",
				       config->notify[i]);
	pthread_mutex_unlock(&told_lock);
	return 0;
}

int __wrap_ha_set_addresses(struct ha *ha, const struct ha_address *list, uint32_t n);
int __wrap_ha_set_addresses(struct ha *ha, const struct ha_address *list, uint32_t n)
{
	struct told *t = (struct told *)ha;

	pthread_mutex_lock(&told_lock);
	t->n_addresses = n < 64 ? n : 64;
	memcpy(t->addresses, list, t->n_addresses * sizeof(*list));
	pthread_mutex_unlock(&told_lock);
	return 0;
}

int __wrap_ha_set_digest(struct ha *ha, const uint8_t digest[HA_DIGEST_BYTES]);
int __wrap_ha_set_digest(struct ha *ha, const uint8_t digest[HA_DIGEST_BYTES])
{
	(void)ha;
	(void)digest;
	return 0;
}

int __wrap_ha_set_verdicts(struct ha *ha, const struct ha_verdicts *verdicts);
int __wrap_ha_set_verdicts(struct ha *ha, const struct ha_verdicts *verdicts)
{
	(void)ha;
	(void)verdicts;
	return 0;
}

int __wrap_ha_set_version(struct ha *ha, const struct version *version);
int __wrap_ha_set_version(struct ha *ha, const struct version *version)
{
	(void)ha;
	(void)version;
	return 0;
}

/* Announced VIPs follow from quorums: here services of UDP have theirs. */
int __wrap_health_get_service(const struct health *h, const char *key,
			      struct health_service_view *out);
int __wrap_health_get_service(const struct health *h, const char *key,
			      struct health_service_view *out)
{
	(void)h;
	memset(out, 0, sizeof(*out));
	out->quorum = strncmp(key, "udp", 3) == 0;
	return 0;
}

/* Stands in for struct vip_routes. */
int __wrap_vip_routes_set(struct vip_routes *v, const struct vip_route *list, uint32_t n);
int __wrap_vip_routes_set(struct vip_routes *v, const struct vip_route *list, uint32_t n)
{
	struct told *t = (struct told *)v;

	pthread_mutex_lock(&told_lock);
	t->n_routes = n < 64 ? n : 64;
	memcpy(t->routes, list, t->n_routes * sizeof(*list));
	pthread_mutex_unlock(&told_lock);
	return 0;
}

void __wrap_log_set_level(enum log_level level);
void __wrap_log_set_level(enum log_level level)
{
	told_log.level = level;
}

void __wrap_log_set_format(enum log_format format);
void __wrap_log_set_format(enum log_format format)
{
	told_log.format = format;
}

/* ---- as text ---- */

static inline void service_text(FILE *out, const struct service *svc)
{
	struct service_rt *rt = svc->rt;

	fprintf(out, "service %s %s %s", rt->key, svc->name ? svc->name : "-", svc->sched->name);
	HEX(out, svc->fwmark);
	HEX(out, svc->proto);
	HEX(out, svc->family);
	HEX(out, svc->policy);
	HEX(out, rt->on_removed);
	hex(out, "listen", svc->listen, svc->n_listen * sizeof(*svc->listen));
	for (uint32_t i = 0; i < svc->n_servers; i++) {
		struct server s = svc->servers[i];

		fprintf(out, "\n server %u", s.rt->method);
		HEX(out, s.rt->upper);
		HEX(out, s.rt->lower);
		s.weight = s.last_weight = 0;
		s.down = s.as_removed = 0;
		s.rt = NULL;
		s.id = 0; /* of rt */
		HEX(out, s);
	}
	fprintf(out, "\n");
}

#define FAM_TEMPLATE "control/readers.fam.h"
#include "base/both_families.h"

static inline void snapshot_text(FILE *out, const struct snapshot *s)
{
	const struct mark_rule *rules;
	uint32_t n = classify_rules(s->marks, &rules);

	fprintf(out, "snapshot");
	HEX(out, s->ipvs);
	fprintf(out, "\n");
	for (uint32_t id = 1; id <= s->max_service_id; id++)
		if (s->services[id])
			service_text(out, s->services[id]);
	tables4_text(out, s);
	tables6_text(out, s);
	for (uint32_t i = 0; i < n; i++) {
		fprintf(out, "mark %u", i);
		HEX(out, rules[i]);
		fprintf(out, "\n");
	}
}

static inline void told_text(FILE *out, const struct told *t)
{
	fprintf(out, "ha %s", t->notify);
	HEX(out, t->config);
	fprintf(out, "\n");
	for (uint32_t i = 0; i < t->n_addresses; i++) {
		fprintf(out, "ha address");
		HEX(out, t->addresses[i]);
		fprintf(out, "\n");
	}
}

static inline void routes_text(FILE *out, const struct told *t)
{
	for (uint32_t i = 0; i < t->n_routes; i++) {
		fprintf(out, "announced");
		HEX(out, t->routes[i].addr);
		HEX(out, t->routes[i].metric);
		fprintf(out, "\n");
	}
	fprintf(out, "routing daemon at %u\n", t->bgp.port);
}

static inline void link_text(FILE *out, const struct link *l)
{
	for (uint32_t i = 0; i < l->n_addresses; i++) {
		fprintf(out, "link address");
		HEX(out, l->addresses[i].addr);
		HEX(out, l->addresses[i].len);
		HEX(out, l->addresses[i].kind);
		HEX(out, l->addresses[i].link);
		fprintf(out, "\n");
	}
	for (uint32_t i = 0; i < l->n_wants; i++) {
		fprintf(out, "link wants");
		HEX(out, l->wants[i].addr);
		fprintf(out, "\n");
	}
}

static inline int line_cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Objects in no order; a line that begins with a blank belongs to the one before. To be freed. */
static inline char *sorted(char *text)
{
	char *v[512], *out = calloc(1, strlen(text) + 2);
	size_t n = 0;

	for (char *p = text; p && *p; p = strchr(p, '\n')) {
		while (*p == '\n')
			*p++ = '\0';
		if (*p == ' ')
			p[-1] = '\n';
		else if (*p && n < 512)
			v[n++] = p;
		if (!*p)
			break;
	}
	qsort(v, n, sizeof(v[0]), line_cmp);
	for (size_t i = 0, at = 0; i < n; i++)
		at += (size_t)sprintf(out + at, "%s\n", v[i]);
	free(text);
	return out;
}

/* Members that fleet.ask finds, by the configuration of the control thread. */
static inline void members_text(FILE *out, const struct config_ha_shared *ha)
{
	char text[ENDPOINT_STRLEN];

	for (uint32_t i = 0; i < ha->n_members; i++)
		fprintf(out, "member %s %s\n", ha->members[i].name,
			endpoint_format(&ha->members[i].address, text, sizeof(text)));
}

/* The telnet server's, which telnet.stream asks for. */
static inline void telnet_text(FILE *out, const struct config_telnet *t)
{
	fprintf(out, "telnet");
	HEX(out, t->listen);
	for (uint32_t i = 0; i < t->n_users; i++) {
		TEXT(out, t->users[i].name);
		TEXT(out, t->users[i].password);
		HEX(out, t->users[i].level);
	}
	HEX(out, t->sessions);
	HEX(out, t->idle_s);
	HEX(out, t->start);
	TEXT(out, t->user);
	TEXT(out, t->program);
	TEXT(out, t->shell);
	fprintf(out, "\n");
}

/* Whether the peer may have this router run a program. */
static inline void allowed_text(FILE *out, const struct config *boot, const struct config *running)
{
	static const char text[] =
		"{\"shared\":{\"checks\":[{\"name\":\"a\",\"type\":\"exec\",\"exec\":{\"argv\":["
		"\"/usr/bin/env\"]}},{\"name\":\"b\",\"type\":\"exec\",\"exec\":{\"argv\":["
		"\"/usr/bin/env\"],\"user\":\"daemon\"}}]}}";
	struct config *pushed = parse(text);
	struct config_errors errors;

	config_errors_init(&errors);
	pushed_programs_check(boot, running, pushed, &errors);
	for (uint32_t i = 0; i < errors.errors.n; i++)
		fprintf(out, "refused: %s: %s\n", errors.errors.v[i].path,
			errors.errors.v[i].message);
	config_errors_fini(&errors);
	config_destroy(pushed);
}

/* To be freed. */
static inline char *readers_text(const struct fixture *f, const struct told *t)
{
	const struct health *h = checking_health(f->control);
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	pthread_mutex_lock(&told_lock);
	snapshot_text(out, snapshot_of(f));
	for (size_t i = 0; i < sizeof(checked) / sizeof(checked[0]); i++)
		if (checked[i].health == h)
			fprintf(out, "health of %s%s\n", checked[i].key, checked[i].text);
	told_text(out, t);
	routes_text(out, t);
	members_text(out, &f->control->config->shared.ha); /* no request is under way */
	telnet_text(out, &f->control->config->node.telnet);
	allowed_text(out, f->control->boot, f->control->config);
	link_text(out, &f->link);
	pthread_mutex_unlock(&told_lock);
	fclose(out);
	return sorted(text);
}

#endif
