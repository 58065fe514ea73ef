/* SPDX-License-Identifier: BSD-3-Clause */
/* The fill of connection tables: each family has a table of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/dataplane.h"
#include "metrics/table_warning.h"

static struct worker workers[2];

static int workers_make(void **state)
{
	(void)state;
	memset(workers, 0, sizeof(workers));
	for (uint16_t i = 0; i < 2; i++) {
		workers[i].id = i;
		workers[i].v4.table.capacity = 100;
		workers[i].v6.table.capacity = 100;
		workers[i].v4.table.bytes = 1000;
		workers[i].v6.table.bytes = 1700;
	}
	return 0;
}

static struct table_fill fullest(void)
{
	struct table_fill f = {0};

	table_fill_see(&f, &workers[0]);
	table_fill_see(&f, &workers[1]);
	return f;
}

static void the_families_of_a_worker_are_not_added_up(void **state)
{
	struct table_fill f;

	(void)state;
	workers[0].v4.table.n = 50;
	workers[0].v6.table.n = 49;
	f = fullest();
	assert_false(table_fill_warns(&f, false));
	assert_false(table_fill_warns(&f, true));
	assert_int_equal(f.family, TABLE_IPV4);
	assert_int_equal(f.entries, 50);
}

static void a_full_table_of_either_family_warns_and_is_named(void **state)
{
	struct table_fill f;
	char text[320];

	(void)state;
	workers[0].v4.table.n = 89;
	workers[0].v4.way.list[GIVE_WAY_ENDING].n = 77;
	f = fullest();
	assert_false(table_fill_warns(&f, false));
	assert_true(table_fill_warns(&f, true));
	workers[1].v6.table.n = 90;
	workers[1].v6.way.list[GIVE_WAY_ENDING].n = 5;
	workers[1].v6.way.list[GIVE_WAY_HALF_OPEN].n = 6;
	workers[1].v6.way.list[GIVE_WAY_NOT_ASSURED].n = 7;
	f = fullest();
	assert_true(table_fill_warns(&f, false));
	table_fill_format(&f, text, sizeof(text));
	assert_string_equal(
		text, "the IPv6 connection table of worker 1 is 90% full: 90 of 100 entries. "
		      "New connections displace 5 that are ending, 6 half-open, 7 not assured; "
		      "assured ones stay. Raise node.workers.connections");
	workers[0].v4.table.n = 100;
	f = fullest();
	table_fill_format(&f, text, sizeof(text));
	assert_non_null(strstr(text, "the IPv4 connection table of worker 0 is 100% full"));
	assert_non_null(strstr(text, "displace 77 that are ending"));
}

static void sums_have_entries_and_room_by_family_and_memory_of_both(void **state)
{
	struct dataplane dp = {.n_workers = 2, .workers = {&workers[0], &workers[1]}};
	struct table_sums t;

	(void)state;
	workers[0].v4.table.n = 1;
	workers[1].v4.table.n = 2;
	workers[1].v6.table.n = 40;
	table_sums_read(&dp, &t);
	assert_int_equal(t.entries[TABLE_IPV4], 3);
	assert_int_equal(t.entries[TABLE_IPV6], 40);
	assert_int_equal(t.capacity, 200);
	assert_int_equal(t.bytes, 2 * (1000 + 1700));
	table_sums_read(NULL, &t);
	assert_int_equal(t.entries[TABLE_IPV4] + t.entries[TABLE_IPV6] + t.capacity + t.bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_families_of_a_worker_are_not_added_up, workers_make),
		cmocka_unit_test_setup(a_full_table_of_either_family_warns_and_is_named,
				       workers_make),
		cmocka_unit_test_setup(sums_have_entries_and_room_by_family_and_memory_of_both,
				       workers_make),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
