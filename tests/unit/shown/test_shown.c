/* SPDX-License-Identifier: BSD-3-Clause */
/* The tables of what is shown: complete, and walked as their rows say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/json_write.h"
#include "shown/objects.h"

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* No two rows are one key of one listing, or one metric. */
static void twins_check(const struct shown_table *t, uint16_t i)
{
	const struct shown *a = &t->rows[i];

	for (uint16_t k = 0; k < i; k++) {
		const struct shown *b = &t->rows[k];

		if (strcmp(a->name, b->name) == 0 && same_text(a->group, b->group) &&
		    (a->in & b->in))
			fail_msg("%s: %s stands there twice", t->title, a->name);
		if (a->metric && same_text(a->metric, b->metric))
			fail_msg("%s: metric %s stands there twice", t->title, a->metric);
	}
}

static bool unit_is_time(const char *unit)
{
	return unit &&
	       (strcmp(unit, "s") == 0 || strcmp(unit, "ms") == 0 || strcmp(unit, "us") == 0);
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && strcmp(text + len - n, end) == 0;
}

static void row_check(const struct shown_table *t, const struct shown *r)
{
	if (!r->name || !r->help || !r->help[0] || ends_with(r->help, "."))
		fail_msg("%s: %s has no help, or a full stop", t->title, r->name);
	if (!r->in && !r->metric)
		fail_msg("%s: %s is shown nowhere", t->title, r->name);
	if (r->metric && !t->prefix)
		fail_msg("%s: %s is a metric of a table without metrics", t->title, r->name);
	if (r->metric && unit_is_time(r->unit) && !ends_with(r->metric, "_seconds"))
		fail_msg("%s: metric %s is a time in seconds", t->title, r->metric);
	if (r->unit && strcmp(r->unit, "bytes") == 0 && !ends_with(r->metric, "bytes"))
		fail_msg("%s: metric %s counts bytes", t->title, r->metric);
	if ((r->kind == SHOWN_VECTOR || r->kind == SHOWN_LEVELS) && r->metric && !r->label)
		fail_msg("%s: %s has no label", t->title, r->name);
	if (r->rate_in && (!r->group || !ends_with(r->group, "counters") ||
			   r->at < t->counters_at || r->size != sizeof(uint64_t)))
		fail_msg("%s: %s has no rate", t->title, r->name);
}

static void columns_check(const struct shown_table *t, const struct shown_column *c)
{
	for (; c && c->name; c++) {
		if (c->with && !shown_find(t, c->with))
			fail_msg("%s: a column with %s, which is no row", t->title, c->with);
		if (*c->name && !shown_find(t, c->name))
			fail_msg("%s: a column for %s, which is no row", t->title, c->name);
	}
}

/* A service and its servers stand in one listing. */
static void test_columns_of_services_and_servers_agree(void **state)
{
	const struct shown_column *a = shown_service.columns, *b = shown_server.columns;

	(void)state;
	for (; a->name && b->name; a++, b++) {
		assert_int_equal(a->width, b->width);
		if (!a->title != !b->title || (a->title && strcmp(a->title, b->title) != 0))
			fail_msg("%s and %s are one column", a->name, b->name);
	}
	assert_null(a->name);
	assert_null(b->name);
}

static void test_each_row_is_complete(void **state)
{
	size_t rows = 0;

	(void)state;
	for (const struct shown_table *const *t = shown_tables; *t; t++) {
		for (uint16_t i = 0; i < (*t)->n; i++) {
			row_check(*t, &(*t)->rows[i]);
			twins_check(*t, i);
		}
		columns_check(*t, (*t)->columns);
		columns_check(*t, (*t)->of_counters);
		columns_check(*t, (*t)->of_health);
		rows += (*t)->n;
	}
	assert_true(rows > 200);
}

static const char *const vector_names[] = {"a", "b", "c"};
static const uint64_t vector_values[] = {7, 0, 9};

struct dummy {
	bool yes, known;
	uint64_t big, ago;
	uint32_t middle;
	uint16_t small;
	uint8_t tiny;
	int64_t id;
	const char *text, *none;
	struct shown_vector vector;
	uint64_t counted[2];
	double rate[2];
};

#define AT(member) offsetof(struct dummy, member), sizeof(((struct dummy *)0)->member)

static const struct shown dummy_rows[] = {
	{"yes", SHOWN_YES, AT(yes), SHOWN_LIST, 0, .help = "h"},
	{"hidden", SHOWN_YES, AT(yes), SHOWN_LIST, 0, .help = "h",
	 .if_at = offsetof(struct dummy, known)},
	{"big", SHOWN_COUNTER, AT(big), SHOWN_LIST, 0, .help = "h"},
	{"middle", SHOWN_GAUGE, AT(middle), SHOWN_LIST, 0, .help = "h"},
	{"small", SHOWN_GAUGE, AT(small), SHOWN_LIST, 0, .help = "h"},
	{"tiny", SHOWN_GAUGE, AT(tiny), SHOWN_LIST, 0, .help = "h"},
	{"never", SHOWN_AGO, AT(ago), SHOWN_LIST, 0, .help = "h"},
	{"id", SHOWN_ID, AT(id), SHOWN_LIST, 0, .help = "h"},
	{"text", SHOWN_TEXT, AT(text), SHOWN_LIST, 0, .help = "h", .group = "inner"},
	{"none", SHOWN_TEXT, AT(none), SHOWN_LIST, 0, .help = "h", .group = "inner"},
	{"vector", SHOWN_VECTOR, AT(vector), SHOWN_LIST, 0, .help = "h"},
	{"first", SHOWN_COUNTER, AT(counted[0]), SHOWN_LIST, SHOWN_COUNTS, .help = "h",
	 .group = "counters"},
	{"second", SHOWN_COUNTER, AT(counted[1]), SHOWN_LIST, SHOWN_COUNTS, .help = "h",
	 .group = "counters"},
};

static const struct shown_table dummies = {
	.title = "Dummies",
	.rows = dummy_rows,
	.n = sizeof(dummy_rows) / sizeof(dummy_rows[0]),
	.counters_at = offsetof(struct dummy, counted),
	.rates_at = offsetof(struct dummy, rate),
};

static void test_an_object_becomes_json_as_its_rows_say(void **state)
{
	const struct dummy d = {.yes = true,
				.big = 1ULL << 40,
				.middle = 70000,
				.small = 500,
				.tiny = 5,
				.ago = UINT64_MAX,
				.id = -1,
				.text = "t",
				.vector = {vector_names, vector_values, 0, 3},
				.counted = {1, 2},
				.rate = {0.26, 1000}};
	json_t *o = shown_object(&dummies, &d, SHOWN_LIST);
	json_t *want = json_loads("{\"yes\":true,\"big\":1099511627776,\"middle\":70000,"
				  "\"small\":500,\"tiny\":5,\"never\":null,\"id\":-1,"
				  "\"inner\":{\"text\":\"t\",\"none\":null},"
				  "\"vector\":{\"a\":7,\"c\":9},"
				  "\"counters\":{\"first\":1,\"second\":2}}",
				  0, NULL);

	(void)state;
	assert_true(json_equal(o, want));
	json_decref(o);
	json_decref(want);
	o = shown_object(&dummies, &d, SHOWN_COUNTS);
	want = json_loads("{\"rates\":{\"first\":0.3,\"second\":1000.0}}", 0, NULL);
	assert_true(json_equal(o, want));
	json_decref(o);
	json_decref(want);
}

/* Counts of all kinds, with all parts of an object that may be missing (parts), or none. */
static void fill(const struct shown_table *t, char *object, bool parts)
{
	for (uint16_t i = 0; i < t->n; i++) {
		const struct shown *r = &t->rows[i];
		const uint64_t count = i + 3U;
		const double rate = i + 0.5;

		if (r->if_at)
			object[r->if_at] = parts;
		if (r->kind == SHOWN_COUNTER || r->kind == SHOWN_GAUGE)
			memcpy(object + r->at, &count, r->size);
		if (r->rate_in)
			memcpy(object + t->rates_at + (r->at - t->counters_at), &rate,
			       sizeof(rate));
	}
}

static void append(struct json_writer *w, char *out, size_t room)
{
	assert_false(w->failed);
	assert_true(w->n < room);
	memcpy(out, w->text, w->n);
	out[w->n] = '\0';
}

/* With rows of each kind of listing. */
static void text_is_as_json(const struct shown_table *t, unsigned int in, bool parts)
{
	static _Alignas(64) char object[16384];
	static char text[JSON_WRITE_PIECE];
	json_t *o, *back;
	struct json_writer w;
	bool first = true;

	memset(object, 0, sizeof(object));
	fill(t, object, parts);
	json_writer_init(&w, NULL, NULL);
	json_writer_put(&w, "{", 1);
	shown_write(&w, &first, t, object, in);
	json_writer_put(&w, "}", 1);
	append(&w, text, sizeof(text));
	back = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	o = shown_object(t, object, in);
	if (!back || !json_equal(o, back))
		fail_msg("%s: %s", t->title, text);
	json_decref(o);
	json_decref(back);
}

static void test_an_object_becomes_the_same_as_text(void **state)
{
	static const unsigned int listings[] = {SHOWN_LIST, SHOWN_COUNTS, SHOWN_HEALTH};

	(void)state;
	for (size_t i = 0; shown_tables[i]; i++)
		for (size_t k = 0; k < sizeof(listings) / sizeof(listings[0]); k++) {
			text_is_as_json(shown_tables[i], listings[k], true);
			text_is_as_json(shown_tables[i], listings[k], false);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_row_is_complete),
		cmocka_unit_test(test_an_object_becomes_the_same_as_text),
		cmocka_unit_test(test_columns_of_services_and_servers_agree),
		cmocka_unit_test(test_an_object_becomes_json_as_its_rows_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
