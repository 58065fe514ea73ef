/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/version.h"

static struct version_id id_of(uint32_t n)
{
	struct version_id id = {{0}};

	memcpy(id.byte, &n, sizeof(n));
	id.byte[15] = 1;
	return id;
}

static struct version first(uint32_t id, uint8_t says)
{
	struct version v = {.id = id_of(id)};

	v.digest[0] = says;
	return v;
}

static struct version child(const struct version *parent, uint32_t id, uint8_t says)
{
	uint8_t digest[VERSION_DIGEST_BYTES] = {says};
	const struct version_id new = id_of(id);
	struct version v;

	version_child(parent, &new, digest, NULL, &v);
	return v;
}

/* The message of a router with *v to one with *to. */
static struct version_word word(const struct version *v, const struct version *to)
{
	struct version_word w = {.id = v->id, .judged = to->id};

	memcpy(w.digest, v->digest, sizeof(w.digest));
	w.judgement = version_judge(v, &to->id);
	return w;
}

static enum version_relation relation(const struct version *mine, const struct version *peers)
{
	const struct version_word w = word(peers, mine);

	return version_relate(mine, &w);
}

static void an_edit_while_the_other_is_down_is_a_newer_version(void **state)
{
	const struct version a = first(1, 1), b = child(&a, 2, 2), c = child(&b, 3, 3);

	(void)state;
	assert_int_equal(relation(&a, &a), VERSION_EQUAL);
	assert_int_equal(relation(&a, &c), VERSION_PEER_NEWER);
	assert_int_equal(relation(&c, &a), VERSION_PEER_OLDER);
	assert_true(version_may_replace(&a, &c));
	assert_false(version_may_replace(&c, &a));
}

static void edits_at_both_diverge_at_both(void **state)
{
	const struct version a = first(1, 1), b = child(&a, 2, 2), c = child(&a, 3, 3);

	(void)state;
	assert_int_equal(relation(&b, &c), VERSION_DIVERGED);
	assert_int_equal(relation(&c, &b), VERSION_DIVERGED);
	assert_false(version_may_replace(&b, &c));
	assert_false(version_may_replace(&c, &b));
}

static void routers_without_a_store_are_unrelated_unless_they_say_the_same(void **state)
{
	const struct version a = first(1, 1), same = first(2, 1), other = first(3, 9);

	(void)state;
	assert_int_equal(relation(&a, &same), VERSION_EQUAL);
	assert_true(version_may_replace(&a, &same));
	assert_int_equal(relation(&a, &other), VERSION_DIVERGED);
	assert_int_equal(relation(&other, &a), VERSION_DIVERGED);
}

/* Two that say the same become one family, so that the next change of either is newer. */
static void what_was_equal_under_two_ids_is_an_ancestor_from_then_on(void **state)
{
	struct version a = first(1, 1), b = first(2, 1), c;

	(void)state;
	assert_true(version_add_ancestor(&a, &b.id));
	assert_false(version_add_ancestor(&a, &b.id));
	assert_false(version_add_ancestor(&a, &a.id));
	c = child(&a, 3, 3);
	assert_int_equal(relation(&b, &c), VERSION_PEER_NEWER);
	assert_int_equal(relation(&c, &b), VERSION_PEER_OLDER);
}

static void a_forced_version_is_a_child_of_both(void **state)
{
	const struct version a = first(1, 1), b = child(&a, 2, 2), c = child(&a, 3, 3);
	const struct version_id id = id_of(4);
	struct version both;

	(void)state;
	version_child(&b, &id, b.digest, &c.id, &both);
	assert_int_equal(relation(&c, &both), VERSION_PEER_NEWER);
	assert_int_equal(relation(&both, &c), VERSION_PEER_OLDER);
	assert_int_equal(relation(&both, &a), VERSION_PEER_OLDER);
	assert_true(version_may_replace(&c, &both));
	assert_int_equal(both.n_ancestors, 3);
	assert_true(version_id_equal(&both.ancestor[0], &b.id));
}

static void a_roll_back_is_a_new_child(void **state)
{
	const struct version a = first(1, 1), b = child(&a, 2, 2), back = child(&b, 3, 1);

	(void)state;
	assert_int_equal(relation(&b, &back), VERSION_PEER_NEWER);
	/* A router that was restored with the version of then has the same already. */
	assert_int_equal(relation(&a, &back), VERSION_EQUAL);
}

/* A configuration on trial that comes once more, behind its confirmation. */
static void an_ancestor_that_says_the_same_replaces_nothing(void **state)
{
	const struct version a = first(1, 1), trial = child(&a, 2, 2),
			     confirmed = child(&trial, 3, 2);

	(void)state;
	assert_int_equal(relation(&trial, &confirmed), VERSION_EQUAL);
	assert_true(version_may_replace(&trial, &confirmed));
	assert_false(version_may_replace(&confirmed, &trial));
}

static void more_than_256_changes_ago_is_unrelated(void **state)
{
	struct version a = first(1, 1), last = a, recent = a;

	(void)state;
	for (uint32_t i = 0; i < VERSION_ANCESTORS + 5; i++) {
		last = child(&last, 100 + i, (uint8_t)(10 + i % 200));
		if (i == 10)
			recent = last;
	}
	assert_int_equal(last.n_ancestors, VERSION_ANCESTORS);
	assert_int_equal(relation(&a, &last), VERSION_DIVERGED);
	assert_int_equal(relation(&recent, &last), VERSION_PEER_NEWER);
}

static void a_judgement_of_another_version_counts_for_nothing(void **state)
{
	const struct version a = first(1, 1), b = child(&a, 2, 2), c = child(&a, 3, 3);
	struct version_word w = word(&c, &a); /* about a, not about b */

	(void)state;
	assert_int_equal(w.judgement, VERSION_IS_ANCESTOR);
	assert_int_equal(version_relate(&b, &w), VERSION_PENDING);
	w.judgement = VERSION_NOT_JUDGED;
	assert_int_equal(version_relate(&a, &w), VERSION_PENDING);
}

static void a_router_without_versions_has_no_relation(void **state)
{
	const struct version a = first(1, 1);
	struct version none = {.digest = {2}};

	(void)state;
	assert_int_equal(relation(&a, &none), VERSION_NONE);
	assert_int_equal(relation(&none, &a), VERSION_NONE);
	assert_true(version_may_replace(&none, &a));
	assert_string_equal(version_relation_name(VERSION_NONE), "none");
	assert_string_equal(version_relation_name(VERSION_DIVERGED), "diverged");
}

static void ids_are_read_as_they_are_written(void **state)
{
	const struct version_id id = id_of(0xabcdef01);
	char text[VERSION_ID_STRLEN];
	struct version_id back;

	(void)state;
	assert_string_equal(version_id_format(&id, text), "01efcdab000000000000000000000001");
	assert_true(version_id_parse(text, &back));
	assert_true(version_id_equal(&id, &back));
	assert_false(version_id_parse("01efcdab00000000000000000000000", &back));
	assert_false(version_id_parse("01efcdab0000000000000000000000zz", &back));
	assert_false(version_id_parse("00000000000000000000000000000000", &back));
	assert_false(version_id_parse(NULL, &back));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_edit_while_the_other_is_down_is_a_newer_version),
		cmocka_unit_test(edits_at_both_diverge_at_both),
		cmocka_unit_test(routers_without_a_store_are_unrelated_unless_they_say_the_same),
		cmocka_unit_test(what_was_equal_under_two_ids_is_an_ancestor_from_then_on),
		cmocka_unit_test(a_forced_version_is_a_child_of_both),
		cmocka_unit_test(a_roll_back_is_a_new_child),
		cmocka_unit_test(an_ancestor_that_says_the_same_replaces_nothing),
		cmocka_unit_test(more_than_256_changes_ago_is_unrelated),
		cmocka_unit_test(a_judgement_of_another_version_counts_for_nothing),
		cmocka_unit_test(a_router_without_versions_has_no_relation),
		cmocka_unit_test(ids_are_read_as_they_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
