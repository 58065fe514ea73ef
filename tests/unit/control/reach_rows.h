/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_REACH_ROWS_H
#define PLVS_TESTS_REACH_ROWS_H

/*
 * Rows of the schema, and documents in which each of them has another value. The rows come from the
 * schema, so that a new one is tried without being named here: it is given other values, in
 * documents that differ in what they allow, until one is valid.
 *
 * A test program includes this file once, after control_bed.h.
 */

#include "config/config_internal.h"

/* ---- documents ---- */

#define NODE                                                                                       \
	"\"node\":{\"name\":\"lb1\",\"ports\":["                                                   \
	"{\"name\":\"public\",\"device\":\"d0\",\"linux\":{\"addresses\":[\"192.0.2.2/24\"],"      \
	"\"routes\":[\"10.50.0.0/16 via 192.0.2.1\"],\"vlans\":[{\"id\":10,"                       \
	"\"addresses\":[\"10.60.0.2/24\"],\"routes\":[\"10.61.0.0/16 via 10.60.0.1\"]}]}},"        \
	"{\"name\":\"private\",\"device\":\"d1\"}],"                                               \
	"\"ha\":{\"role\":\"primary\",\"key_file\":\"/etc/passwd\","                               \
	"\"paths\":[{\"name\":\"p\",\"local\":\"192.0.2.2\",\"peer\":\"192.0.2.3\"}]},"            \
	"\"announce\":{\"table\":7690,\"vips\":[{\"address\":\"192.0.2.53\",\"metric\":90}]},"     \
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
static const char *const words[] = {"daemon",	  "other",	"/usr",
				    "/etc/group", "private",	"X-Other: 1",
				    "/bin/false", "eth7",	"c1",
				    "c2",	  "other\\\\r", "0123456789abcdef0123456789abcdef"};
static const char *const times[] = {"20ms", "123ms", "1s", "3s", "61s", "400s"};
static const char *const addresses[] = {
	"192.0.2.77",		"10.21.0.0/24", "10.60.0.7/24", "10.9.0.0/16 via 10.60.0.9",
	"192.0.2.99:99",	"10.0.0.99:80", "0640",		"127.0.0.1:2399",
	"$6$y$0123456789012345"};

static inline void add(json_t *list, json_t *value)
{
	json_array_append_new(list, value);
}

/* Values to try for a row, most of them wrong. */
static inline json_t *values_of(const struct config_field *f)
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

static inline json_t *document_load(const char *text)
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

static inline void step_name(struct row *r)
{
	const struct json_step *s = &r->path[r->depth - 1];
	size_t n = strlen(r->name);

	if (s->key)
		snprintf(r->name + n, sizeof(r->name) - n, "%s%s", n ? "." : "", s->key);
	else
		snprintf(r->name + n, sizeof(r->name) - n, "[%u]", s->index);
}

/* Leaves alone; of lists of objects the first one stands for all. */
static inline void rows_walk(const struct config_object *o, const struct row *at, row_fn *fn,
			     void *arg)
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
static inline json_t *container(json_t *doc, const struct row *r)
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

static inline const char *key_of(const struct row *r)
{
	return r->path[r->depth - 1].key;
}

/* Gives all strings that are old the value new: a name and what refers to it. */
static inline void rename_all(json_t *at, const char *old, const char *new)
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

/* Ways to put a value in: behind the entries of a list, at its key, or wherever the old one is. */
enum way { WAY_APPEND, WAY_SET, WAY_RENAME, WAY_MAX };

/* New reference, or NULL. */
static inline json_t *document_with(const char *text, const struct row *r, json_t *value,
				    enum way way)
{
	json_t *doc = document_load(text), *at = container(doc, r), *old;

	old = at ? json_object_get(at, key_of(r)) : NULL;
	if (way == WAY_APPEND && r->field->shape != SHAPE_ONE && json_is_array(old) &&
	    json_is_array(value)) {
		json_array_extend(old, value);
		return doc;
	}
	if (at && way == WAY_RENAME && json_is_string(old) && json_is_string(value)) {
		char *was = strdup(json_string_value(old));

		rename_all(doc, was, json_string_value(value));
		free(was);
		return doc;
	}
	if (!at || way != WAY_SET) {
		json_decref(doc);
		return NULL;
	}
	json_object_set(at, key_of(r), value);
	return doc;
}

static inline struct config *parse_or_null(const json_t *doc)
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

static inline char *node_text(const struct config *config)
{
	json_t *json = config_node_render(config, STYLE_FULL);
	char *text = json_dumps(json, 0);

	json_decref(json);
	return text;
}

/* Valid, and of another meaning than the document; said by what the peer would be shown. */
static inline bool differs(const json_t *changed, struct config *from)
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

/* REACH_ONLY=text: rows whose name contains it, for whoever looks for a fault. */
static inline bool row_wanted(const struct row *r)
{
	const char *only = getenv("REACH_ONLY");

	return !only || strstr(r->name, only);
}

/* Calls fn with each document that a value and a way make of the text, until fn says that a way was
 * good. Returns the ways that were, as bits; done: those that need not be tried. */
static inline unsigned int
ways_try(const char *text, const struct row *r, unsigned int done,
	 bool (*fn)(void *arg, const struct row *r, const json_t *changed), void *arg)
{
	const unsigned int none = r->field->shape == SHAPE_ONE ? 1U << WAY_APPEND : 0;
	json_t *values = values_of(r->field), *value;
	size_t i;

	json_array_foreach (values, i, value) {
		for (int way = 0; way < WAY_MAX; way++) {
			json_t *changed = NULL;

			if (!((done | none) >> way & 1))
				changed = document_with(text, r, value, (enum way)way);
			if (changed && fn(arg, r, changed))
				done |= 1U << way;
			json_decref(changed);
		}
		if (done & 1U << WAY_SET)
			done |= 1U << WAY_RENAME;
		if ((done | none) + 1 == 1U << WAY_MAX)
			break;
	}
	json_decref(values);
	return done;
}

#endif
