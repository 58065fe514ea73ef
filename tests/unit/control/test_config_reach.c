/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every key of the configuration reaches whoever goes by it. The keys come from the schema, so
 * that a new one is tried without being named here: it is given other values, in documents
 * that differ in what they allow, until one is valid. Then a router that runs is given the
 * changed document, and what workers, health and ha read must have changed, and must be what a
 * router reads that starts with it. What they read is taken from them (readers.h), not from
 * the configuration.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "control_bed.h"
#include "config/config_internal.h"
#include "control/checking.h"
#include "control/pair.h"
#include "lib/harness.h"
#include "readers.h"

/* ---- documents ---- */

#define NODE                                                                                       \
	"\"node\":{\"name\":\"lb1\",\"ports\":["                                                   \
	"{\"name\":\"public\",\"device\":\"d0\",\"linux\":{\"addresses\":[\"192.0.2.2/24\"],"      \
	"\"routes\":[\"10.50.0.0/16 via 192.0.2.1\"],\"vlans\":[{\"id\":10,"                       \
	"\"addresses\":[\"10.60.0.2/24\"],\"routes\":[\"10.61.0.0/16 via 10.60.0.1\"]}]}},"        \
	"{\"name\":\"private\",\"device\":\"d1\"}],"                                               \
	"\"ha\":{\"role\":\"primary\",\"key_file\":\"/etc/passwd\","                               \
	"\"paths\":[{\"name\":\"p\",\"local\":\"192.0.2.2\",\"peer\":\"192.0.2.3\"}]},"            \
	"\"announce\":{\"table\":7690,\"vips\":[{\"address\":\"192.0.2.80\"}]},"                   \
	"\"pool\":[{\"address\":\"192.0.2.78\",\"link\":\"public\"}],"                             \
	"\"notify\":{\"ha\":[\"/bin/true\"],\"health\":[\"/bin/true\"]},"                          \
	"\"telnet\":{\"users\":[{\"name\":\"eve\",\"password\":\"$6$x$0123456789012345\"}]}}"
/* A document by its first check, by what its first service says beyond its check, and by what the
 * first server of that says beyond its address. */
#define DOCUMENT_SERVER(check, service, server)                                                    \
	"{" NODE ",\"shared\":{\"addresses\":["                                                    \
	"{\"address\":\"10.20.0.0/24\",\"kind\":\"gateway\",\"link\":\"private\"}],"               \
	"\"marks\":[{\"source\":\"10.8.0.0/16\",\"protocol\":\"tcp\",\"mark\":7,"                  \
	"\"comment\":\"x\"}],"                                                                     \
	"\"ha\":{\"witnesses\":[{\"link\":\"public\",\"addresses\":[\"192.0.2.1\"]}]},"            \
	"\"checks\":[{\"name\":\"c1\"," check "},{\"name\":\"c2\",\"type\":\"tcp\"}],"             \
	"\"services\":[{\"name\":\"web\"," service ",\"check\":\"c1\",\"servers\":["               \
	"{\"address\":\"10.0.0.1:80\"" server "},{\"address\":\"10.0.0.2:80\"}]},"                 \
	"{\"name\":\"other\",\"protocol\":\"udp\","                                                \
	"\"listen\":[\"192.0.2.53:53\",\"192.0.2.80:53\"],"                                        \
	"\"servers\":[{\"address\":\"10.0.0.3:53\"}]},"                                            \
	"{\"name\":\"marked\",\"mark\":7,\"servers\":[{\"address\":\"10.0.0.4\"}]}]}}"
#define DOCUMENT(check, service) DOCUMENT_SERVER(check, service, ",\"upper\":100")
#define TCP			 "\"protocol\":\"tcp\",\"listen\":[\"192.0.2.80:80\"]"

/* A configuration that a fleet takes: no gateway address, no NAT. */
#define FLEET                                                                                      \
	"{" NODE ",\"shared\":{\"ha\":{\"members\":["                                              \
	"{\"name\":\"lb2\",\"address\":\"192.0.2.12:7696\"}]},"                                    \
	"\"services\":[{\"name\":\"web\"," TCP ",\"forward\":\"dr\","                              \
	"\"scheduler\":\"mh\",\"servers\":[{\"address\":\"10.0.0.1:80\"},"                         \
	"{\"address\":\"10.0.0.2:80\"}]}]}}"

static const char *const documents[] = {
	DOCUMENT("\"type\":\"tcp\"", TCP),
	DOCUMENT("\"type\":\"tcp\"", TCP ",\"forward\":\"dr\""),
	DOCUMENT("\"type\":\"tcp\",\"port\":90", "\"mark\":8"),
	DOCUMENT("\"type\":\"tcp\",\"port\":90", "\"mark\":8,\"forward\":\"tunnel\""),
	DOCUMENT_SERVER("\"type\":\"tcp\",\"port\":90", "\"mark\":8,\"forward\":\"tunnel\"",
			",\"tunnel_type\":\"gue\",\"tunnel_port\":6080"),
	DOCUMENT("\"type\":\"http\"", TCP),
	DOCUMENT("\"type\":\"http\",\"http\":{\"body\":\"x\"}", TCP),
	DOCUMENT("\"type\":\"http\",\"tls\":{\"on\":true,\"verify\":true,"
		 "\"cert_file\":\"/etc/passwd\",\"key_file\":\"/etc/passwd\"}",
		 TCP),
	DOCUMENT("\"type\":\"script\",\"steps\":[{\"send\":\"a\"},{\"expect\":\"b\"}]", TCP),
	DOCUMENT("\"type\":\"script\",\"steps\":[{\"expect\":\"b\"}]", TCP),
	DOCUMENT("\"type\":\"script\",\"steps\":[{\"expect_prefix\":\"b\"}]", TCP),
	DOCUMENT("\"type\":\"script\",\"steps\":[{\"expect_pattern\":\"b\"}]", TCP),
	DOCUMENT("\"type\":\"dns\"", TCP),
	DOCUMENT("\"type\":\"exec\",\"exec\":{\"argv\":[\"/bin/true\"],\"output\":\"x\"}", TCP),
	DOCUMENT("\"type\":\"exec\",\"exec\":{\"argv\":[\"/bin/true\"]}", TCP),
	DOCUMENT("\"type\":\"passive\"", TCP),
	FLEET,
};

/* Of texts: what is valid depends on the row and on the document. */
static const char *const words[] = {
	"other", "/etc/group", "private", "X-Other: 1", "/bin/false",
	"eth7",	 "c1",	       "c2",	  "other\\\\r", "0123456789abcdef0123456789abcdef"};
static const char *const times[] = {"20ms", "123ms", "1s", "3s", "61s", "400s"};
static const char *const addresses[] = {
	"192.0.2.77",		"10.21.0.0/24", "10.60.0.7/24", "10.9.0.0/16 via 10.60.0.9",
	"192.0.2.99:99",	"10.0.0.99:80", "0640",		"127.0.0.1:2399",
	"$6$y$0123456789012345"};

static void add(json_t *list, json_t *value)
{
	json_array_append_new(list, value);
}

/* Values to try for a row, most of them wrong. */
static json_t *values_of(const struct config_field *f)
{
	json_t *v = json_array(), *listed;
	size_t n;

	add(v, json_true());
	add(v, json_false());
	for (size_t i = 0; f->names && f->names[i]; i++) {
		add(v, json_string(f->names[i]));
		add(v, json_pack("[s]", f->names[i]));
	}
	for (size_t i = 0; f->type == TYPE_SCHEDULER && sched_names()[i]; i++)
		add(v, json_string(sched_names()[i]));
	for (int i = 1; i < 12; i++)
		add(v, json_integer((json_int_t)f->min + i * 7));
	for (int i = 0; i < 4; i++)
		add(v, json_integer(i));
	add(v, json_integer(201));
	add(v, json_integer(4096));
	for (size_t i = 0; i < ARRAY_LEN(times) && (f->type == TYPE_MS || f->type == TYPE_SECONDS);
	     i++)
		add(v, json_string(times[i]));
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++)
		add(v, json_string(addresses[i]));
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		add(v, json_string(words[i]));
	n = f->shape == SHAPE_ONE ? 0 : json_array_size(v);
	for (size_t i = 0; i < n; i++) {
		listed = json_array();
		add(listed, json_incref(json_array_get(v, i)));
		add(v, listed);
	}
	return v;
}

static json_t *document_load(const char *text)
{
	json_t *doc = json_loads(text, 0, NULL);

	assert_non_null(doc);
	return doc;
}

/* ---- rows ---- */

struct row {
	const struct config_field *field;
	struct json_step path[CONFIG_MAX_DEPTH];
	uint32_t depth;
	char name[160]; /* "shared.services[0].scheduler" */
};

typedef void row_fn(void *arg, const struct row *row);

static void step_name(struct row *r)
{
	const struct json_step *s = &r->path[r->depth - 1];
	size_t n = strlen(r->name);

	if (s->key)
		snprintf(r->name + n, sizeof(r->name) - n, "%s%s", n ? "." : "", s->key);
	else
		snprintf(r->name + n, sizeof(r->name) - n, "[%u]", s->index);
}

/* Leaves alone; of lists of objects the first one stands for all. */
static void rows_walk(const struct config_object *o, const struct row *at, row_fn *fn, void *arg)
{
	for (uint16_t i = 0; i < o->n; i++) {
		const struct config_field *f = &o->fields[i];
		struct row r = *at;

		r.field = f;
		if (f->type != TYPE_INLINE) {
			r.path[r.depth++] = (struct json_step){.key = f->name};
			step_name(&r);
		}
		if (!f->object) {
			fn(arg, &r);
			continue;
		}
		if (f->shape != SHAPE_ONE) {
			r.path[r.depth++] = (struct json_step){.index = 0};
			step_name(&r);
		}
		rows_walk(f->object, &r, fn, arg);
	}
}

/* The object that the row's key stands in; made where missing. Borrowed. */
static json_t *container(json_t *doc, const struct row *r)
{
	json_t *at = doc;

	for (uint32_t i = 0; at && i + 1 < r->depth; i++) {
		json_t *next = r->path[i].key ? json_object_get(at, r->path[i].key)
					      : json_array_get(at, r->path[i].index);

		if (!next && r->path[i].key && r->path[i + 1].key) {
			next = json_object();
			json_object_set_new(at, r->path[i].key, next);
		}
		at = next;
	}
	return at;
}

static const char *key_of(const struct row *r)
{
	return r->path[r->depth - 1].key;
}

/* Gives all strings that are old the value new: a name and what refers to it. */
static void rename_all(json_t *at, const char *old, const char *new)
{
	json_t *value;
	size_t i;
	const char *key;

	json_array_foreach (at, i, value) {
		if (json_is_string(value) && strcmp(json_string_value(value), old) == 0)
			json_string_set(value, new);
		rename_all(value, old, new);
	}
	json_object_foreach (at, key, value) {
		if (json_is_string(value) && strcmp(json_string_value(value), old) == 0)
			json_string_set(value, new);
		rename_all(value, old, new);
	}
}

/* Ways to put a value in: at its key, or wherever the old one is. */
enum way { WAY_SET, WAY_RENAME, WAY_MAX };

/* New reference, or NULL. */
static json_t *document_with(const char *text, const struct row *r, json_t *value, enum way way)
{
	json_t *doc = document_load(text), *at = container(doc, r), *old;

	old = at ? json_object_get(at, key_of(r)) : NULL;
	if (at && way == WAY_RENAME && json_is_string(old) && json_is_string(value)) {
		char *was = strdup(json_string_value(old));

		rename_all(doc, was, json_string_value(value));
		free(was);
		return doc;
	}
	if (!at || way == WAY_RENAME) {
		json_decref(doc);
		return NULL;
	}
	json_object_set(at, key_of(r), value);
	return doc;
}

static struct config *parse_or_null(const json_t *doc)
{
	char *text = json_dumps(doc, JSON_COMPACT);
	struct config_errors errors;
	struct config *config = NULL;

	config_errors_init(&errors);
	if (config_parse(text, strlen(text), NULL, sched_names(), &config, &errors) < 0)
		config = NULL;
	config_errors_fini(&errors);
	free(text);
	return config;
}

static char *node_text(const struct config *config)
{
	json_t *json = config_node_render(config, STYLE_FULL);
	char *text = json_dumps(json, 0);

	json_decref(json);
	return text;
}

/* Valid, and of another meaning than the document; said by what the peer would be shown. */
static bool differs(const json_t *changed, struct config *from)
{
	struct config *config = parse_or_null(changed);
	char a[CONFIG_DIGEST_STRLEN], b[CONFIG_DIGEST_STRLEN], *x, *y;
	bool other;

	if (!config)
		return false;
	x = node_text(config);
	y = node_text(from);
	other = strcmp(config_digest(config, a), config_digest(from, b)) != 0 || strcmp(x, y) != 0;
	free(x);
	free(y);
	config_destroy(config);
	return other;
}

/* ---- routers ---- */

/* Unless the document is about the socket. */
static void socket_set(json_t *doc, const char *path)
{
	json_t *node = json_object_get(doc, "node");

	if (!json_object_get(node, "control"))
		json_object_set_new(node, "control", json_object());
	if (!json_object_get(json_object_get(node, "control"), "socket"))
		json_object_set_new(json_object_get(node, "control"), "socket", json_string(path));
}

static void router_open(struct fixture *f, struct told *t, const json_t *doc)
{
	struct control_options opt = {.pub = &f->pub, .link = &f->link};
	json_t *mine = json_deep_copy(doc);
	char error[256] = "", *text;

	memset(f, 0, sizeof(*f));
	memset(t, 0, sizeof(*t));
	strcpy(f->dir, "/tmp/plvs-reach-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/sock", f->dir);
	socket_set(mine, f->path);
	text = json_dumps(mine, 0);
	assert_int_equal(runtime_init(&f->pub.runtime), 0);
	f->pub.grace = (struct grace){grace_start, grace_passed, f};
	assert_int_equal(control_create(&opt, parse(text), &f->control, error), 0);
	control_set_ha(f->control, (struct ha *)t);
	control_set_routes(f->control, (struct vip_routes *)t, &t->bgp);
	assert_int_equal(control_start(f->control, error), 0);
	f->fd = dial(f);
	free(text);
	json_decref(mine);
}

static void router_close(struct fixture *f)
{
	const struct health *h = checking_health(f->control);

	close(f->fd);
	control_stop(f->control);
	checked_forget(h);
	control_destroy(f->control);
	runtime_fini(&f->pub.runtime);
	rmdir(f->dir);
}

static char *fresh_text(const json_t *doc)
{
	struct fixture f;
	struct told t;
	char *text;

	router_open(&f, &t, doc);
	text = readers_text(&f, &t);
	router_close(&f);
	return text;
}

/* Result of config.apply; the socket stays as it is. */
static json_t *apply(struct fixture *f, const json_t *doc)
{
	json_t *mine = json_deep_copy(doc), *params, *result;
	char *text, *said;

	socket_set(mine, f->path);
	text = json_dumps(mine, 0);
	params = json_pack("{s:s}", "text", text);
	said = json_dumps(params, 0);
	result = get(f, "config.apply", said);
	free(said);
	free(text);
	json_decref(params);
	json_decref(mine);
	return result;
}

/* The ha thread is told some milliseconds later. */
static bool becomes(const struct fixture *f, const struct told *t, const char *expected)
{
	for (int i = 0; i < 400; i++) {
		char *text = readers_text(f, t);
		bool same = strcmp(text, expected) == 0;

		free(text);
		if (same)
			return true;
		usleep(5000);
	}
	return false;
}

static void first_difference(const char *a, const char *b, char out[512])
{
	size_t i = 0, line = 0;

	for (; a[i] && a[i] == b[i]; i++)
		if (a[i] == '\n')
			line = i + 1;
	snprintf(out, 512, "\n%.*s\n%.*s", (int)strcspn(a + line, "\n"), a + line,
		 (int)strcspn(b + line, "\n"), b + line);
}

/* ---- every key ---- */

struct attempt {
	struct fixture f; /* runs documents[at] */
	struct told told;
	struct config *config;
	char *before;
	size_t at;
	uint32_t n_tried, n_failed;
	uint8_t done[1024]; /* rows that had a valid value, by number */
	uint32_t number;
};

static void failed(struct attempt *t, const struct row *r, const char *what, const char *more)
{
	fprintf(stderr, "%s: %s%s\n", r->name, what, more);
	t->n_failed++;
}

/* The options of the ha thread of a router that starts; without its strings' addresses. */
static char *ha_text(struct config *config)
{
	static struct ha_config given;
	static struct told t;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	pair_config(config, &given);
	(void)__wrap_ha_configure((struct ha *)&t, &given);
	told_text(out, &t);
	fclose(out);
	return text;
}

/* Paths, key and role are read once, at start. */
static void ha_key(struct attempt *t, const struct row *r, const json_t *changed)
{
	struct config *config = parse_or_null(changed);
	char *before = ha_text(t->config), *after = ha_text(config);

	if (strcmp(before, after) == 0)
		failed(t, r, "does not reach the ha thread", "");
	free(before);
	free(after);
	config_destroy(config);
}

/* Keys of this machine are said to wait for a restart, or taken up at once. */
static void node_key(struct attempt *t, const struct row *r, const json_t *changed)
{
	json_t *result = apply(&t->f, changed), *restart = json_object_get(result, "restart");
	bool said = false;
	json_t *line;
	size_t i, n = strcspn(r->name + 5, "[.") + 5;

	json_array_foreach (restart, i, line)
		said |= strncmp(json_string_value(line), r->name, n) == 0;
	if (!said && !(r->field->flags & FIELD_LIVE))
		failed(t, r, "waits for a restart and nobody is told", "");
	if (strncmp(r->name, "node.ha.", 8) == 0)
		ha_key(t, r, changed);
	if (said && r->field->flags & FIELD_LIVE)
		failed(t, r, "is said to wait for a restart", "");
	json_decref(result);
}

static void shared_key(struct attempt *t, const struct row *r, const json_t *changed)
{
	char *fresh = fresh_text(changed), more[512];
	json_t *result = apply(&t->f, changed);

	if (!becomes(&t->f, &t->told, fresh)) {
		char *now = readers_text(&t->f, &t->told);

		first_difference(fresh, now, more);
		failed(t, r, "a router that starts reads other things than one that runs", more);
		free(now);
	}
	if (json_array_size(json_object_get(result, "changes")) == 0)
		failed(t, r, "the answer names no change", "");
	if (strcmp(fresh, t->before) == 0 && !(r->field->flags & FIELD_REMARK))
		failed(t, r, "reaches nobody", "");
	if (strcmp(fresh, t->before) != 0 && r->field->flags & FIELD_REMARK)
		failed(t, r, "is for people, and reaches somebody", "");
	free(fresh);
	json_decref(result);
}

static bool row_try(struct attempt *t, const struct row *r, const json_t *changed)
{
	const char *text = documents[t->at];
	json_t *doc;

	if (!changed || !differs(changed, t->config))
		return false;
	if (strncmp(r->name, "node.", 5) == 0)
		node_key(t, r, changed);
	else
		shared_key(t, r, changed);
	doc = document_load(text);
	json_decref(apply(&t->f, doc));
	if (!becomes(&t->f, &t->told, t->before))
		failed(t, r, "the way back leads elsewhere", "");
	json_decref(doc);
	return true;
}

/* REACH_ONLY=text: rows whose name contains it, for whoever looks for a fault. */
static bool row_wanted(const struct row *r)
{
	const char *only = getenv("REACH_ONLY");

	return !only || strstr(r->name, only);
}

static void row_of_document(void *arg, const struct row *r)
{
	struct attempt *t = arg;
	uint32_t number = t->number++;
	json_t *values, *value;
	size_t i;

	assert_true(number < sizeof(t->done));
	if (t->done[number] || !row_wanted(r))
		return;
	values = values_of(r->field);
	json_array_foreach (values, i, value) {
		for (int way = 0; way < WAY_MAX && !t->done[number]; way++) {
			json_t *changed = document_with(documents[t->at], r, value, (enum way)way);

			t->done[number] = row_try(t, r, changed);
			json_decref(changed);
		}
	}
	t->n_tried += t->done[number];
	json_decref(values);
}

static void row_left_over(void *arg, const struct row *r)
{
	struct attempt *t = arg;

	if (!t->done[t->number++] && row_wanted(r))
		failed(t, r, "no value of values_of() is valid in any of the documents", "");
}

static void trial_open(struct attempt *t, size_t at)
{
	json_t *doc = document_load(documents[at]);

	t->at = at;
	t->config = parse(documents[at]);
	router_open(&t->f, &t->told, doc);
	t->before = readers_text(&t->f, &t->told);
	json_decref(doc);
}

static void trial_close(struct attempt *t)
{
	router_close(&t->f);
	config_destroy(t->config);
	free(t->before);
}

static void every_key_reaches_whoever_goes_by_it(void **state)
{
	static struct attempt t;
	const struct row root = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
		trial_open(&t, i);
		t.number = 0;
		rows_walk(&config_object_root, &root, row_of_document, &t);
		trial_close(&t);
	}
	t.number = 0;
	rows_walk(&config_object_root, &root, row_left_over, &t);
	if (!getenv("REACH_ONLY"))
		assert_true(t.n_tried > 150);
	assert_int_equal(t.n_failed, 0);
}

/* ---- what did not change ---- */

static uint32_t sets(void)
{
	uint32_t n;

	pthread_mutex_lock(&told_lock);
	n = n_set;
	pthread_mutex_unlock(&told_lock);
	return n;
}

/* With every policy of each service spelled out. */
static json_t *spelled_out(const json_t *doc)
{
	struct config *config = parse_or_null(doc);
	json_t *out = json_deep_copy(doc), *services, *service;
	size_t i;

	services = json_object_get(json_object_get(out, "shared"), "services");
	json_array_foreach (services, i, service) {
		const struct config_policy *policy = &config->shared.services[i]->policy;
		json_t *full =
			config_object_to_json(&config_object_policy, policy, policy, STYLE_FULL);

		json_object_update_missing(service, full);
		json_decref(full);
	}
	config_destroy(config);
	return out;
}

static void what_means_the_same_is_not_built_again(void **state)
{
	json_t *doc = document_load(documents[0]), *again = spelled_out(doc);
	const struct snapshot *snapshot;
	static struct attempt t;
	uint32_t n;

	(void)state;
	trial_open(&t, 0);
	snapshot = t.f.pub.snapshot;
	n = sets();
	json_decref(apply(&t.f, doc));
	json_decref(apply(&t.f, again));
	do_it(&t.f, "service.edit", "{\"service\":\"web\",\"set\":{\"scheduler\":\"wlc\"}}");
	do_it(&t.f, "server.edit",
	      "{\"service\":\"web\",\"server\":\"10.0.0.1:80\",\"set\":{\"weight\":1}}");
	assert_ptr_equal(t.f.pub.snapshot, snapshot);
	assert_int_equal(sets(), n);
	trial_close(&t);
	json_decref(doc);
	json_decref(again);
}

static void a_change_of_one_service_builds_that_service_alone(void **state)
{
	json_t *doc = document_load(documents[0]);
	const struct service *first, *other, *marked;
	static struct attempt t;
	struct row row = {
		.path = {{.key = "shared"}, {.key = "services"}, {.index = 0}, {.key = "quorum"}},
		.depth = 4};
	uint32_t n;

	(void)state;
	trial_open(&t, 0);
	first = node_of(&t.f, WEB);
	other = node_of(&t.f, DNS);
	marked = node_of(&t.f, "fwmark:7");
	assert_non_null(marked);
	n = sets();
	json_object_set_new(container(doc, &row), "quorum", json_integer(2));
	json_decref(apply(&t.f, doc));
	assert_ptr_not_equal(node_of(&t.f, WEB), first);
	assert_ptr_equal(node_of(&t.f, DNS), other);
	assert_ptr_equal(node_of(&t.f, "fwmark:7"), marked);
	assert_int_equal(sets(), n + 1);
	/* A check is asked otherwise: health is told, and no list is built. */
	first = node_of(&t.f, WEB);
	row.path[1].key = "checks";
	json_object_set_new(container(doc, &row), "fall", json_integer(7));
	json_decref(apply(&t.f, doc));
	assert_ptr_equal(node_of(&t.f, WEB), first);
	assert_int_equal(sets(), n + 2);
	trial_close(&t);
	json_decref(doc);
}

/* ---- the other ways to change ---- */

/* Sends set as a change of the first service or of its first server. */
static void key_by_request(void *arg, const struct row *r)
{
	struct attempt *t = arg;
	const bool server = strstr(r->name, ".servers[0]") != NULL;
	json_t *values, *value;
	bool done = false;
	size_t i;

	if (strncmp(r->name, "shared.services[0].", 19) != 0 || !row_wanted(r))
		return;
	values = values_of(r->field);
	json_array_foreach (values, i, value) {
		json_t *changed = document_with(documents[t->at], r, value, WAY_SET);
		json_t *object = changed ? container(changed, r) : NULL, *params;
		char *said, *fresh;

		if (done || !object || !differs(changed, t->config)) {
			json_decref(changed);
			continue;
		}
		done = true;
		fresh = fresh_text(changed);
		object = json_object_get(json_object_get(changed, "shared"), "services");
		object = json_array_get(object, 0);
		if (server)
			object = json_array_get(json_object_get(object, "servers"), 0);
		params = server ? json_pack("{s:s, s:s, s:O}", "service", "web", "server",
					    "10.0.0.1:80", "set", object)
				: json_pack("{s:s, s:O}", "service", "web", "set", object);
		said = json_dumps(params, 0);
		do_it(&t->f, server ? "server.edit" : "service.edit", said);
		if (!becomes(&t->f, &t->told, fresh))
			failed(t, r, "a request leads elsewhere than the file", "");
		free(said);
		free(fresh);
		json_decref(params);
		json_decref(changed);
		changed = document_load(documents[t->at]);
		json_decref(apply(&t->f, changed));
		if (!becomes(&t->f, &t->told, t->before))
			failed(t, r, "the way back leads elsewhere", "");
		json_decref(changed);
	}
	t->n_tried += done;
	json_decref(values);
}

static void a_request_reaches_whom_a_file_reaches(void **state)
{
	static struct attempt t;
	const struct row root = {0};

	(void)state;
	trial_open(&t, 0);
	rows_walk(&config_object_root, &root, key_by_request, &t);
	trial_close(&t);
	if (!getenv("REACH_ONLY"))
		assert_true(t.n_tried > 40);
	assert_int_equal(t.n_failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_reaches_whoever_goes_by_it),
		cmocka_unit_test(what_means_the_same_is_not_built_again),
		cmocka_unit_test(a_change_of_one_service_builds_that_service_alone),
		cmocka_unit_test(a_request_reaches_whom_a_file_reaches),
	};
	int ret;

	log_set_sink(remember);
	if (harness_eal_init(0, 128, NULL) < 0)
		return 1;
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	harness_eal_fini();
	return ret;
}
