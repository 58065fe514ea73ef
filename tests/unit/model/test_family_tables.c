/* SPDX-License-Identifier: BSD-3-Clause */
/* The tables that exist for IPv4 and for IPv6: every case is run for both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <netinet/in.h>

#include "model/mark.h"
#include "model/nexthop.h"
#include "model/owned_port.h"

#define FAM_TEMPLATE "model/family_tables.fam.h"
#include "base/both_families.h"

/* The bits that are kept and the bits that are cleared, at every length. */
static void an_address_is_masked_bit_by_bit(void **state)
{
	struct addr ones = {.family = ADDR_V6};

	(void)state;
	memset(ones.v6, 0xff, 16);
	for (unsigned int len = 0; len <= 128; len++) {
		const struct addr6 m = addr6_masked(addr6_of(&ones), len);
		const struct addr a = addr_from_addr6(m), b = addr_masked(&ones, len);

		for (unsigned int bit = 0; bit < 128; bit++)
			assert_int_equal(a.v6[bit / 8] >> (7 - bit % 8) & 1, bit < len);
		assert_true(addr_equal(&a, &b));
	}
	for (unsigned int len = 0; len <= 32; len++)
		assert_int_equal(be32_to(addr4_masked(0xffffffffU, len)),
				 len ? ~0U << (32 - len) : 0);
}

static void a_snapshot_lists_the_addresses_of_both_families(void **state)
{
	const struct addr_entry4 e4 = {be32_from(0x0a000001), ADDR_KIND_VIP, LINK_ANY};
	const struct addr_entry6 e6 = {{{1, 2}}, ADDR_KIND_GATEWAY, 4};
	struct snapshot *s = snapshot_create(1), *clone;
	struct addr_entry *v;
	uint32_t n = 0;

	(void)state;
	snapshot_set_addrs4(s, addr_table4_create(&e4, 1));
	snapshot_set_addrs6(s, addr_table6_create(&e6, 1));
	clone = snapshot_clone(s, 1);
	snapshot_destroy(s);
	v = snapshot_addrs(clone, &n);
	assert_int_equal(n, 2);
	assert_int_equal(v[0].addr.family, ADDR_V4);
	assert_int_equal(v[1].addr.family, ADDR_V6);
	assert_int_equal(v[1].kinds, ADDR_KIND_GATEWAY);
	assert_int_equal(v[1].link, 4);
	free(v);
	snapshot_destroy(clone);
}

/* Both families share the ids. */
static void a_full_next_hop_table_is_full_for_both(void **state)
{
	struct nexthop *nh[3];
	struct nexthop_table t;

	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		nh[i] = calloc(1, sizeof(*nh[i]));
	assert_int_equal(nexthop_table_init(&t, 2), 0);
	assert_int_not_equal(nexthop_add4(&t, 1, 5, nh[0]), 0);
	assert_int_not_equal(nexthop_add6(&t, 1, (struct addr6){{5, 0}}, nh[1]), 0);
	assert_int_not_equal(nh[0]->id, nh[1]->id);
	assert_int_equal(nexthop_add6(&t, 1, (struct addr6){{6, 0}}, nh[2]), 0);
	free(nh[2]);
	nexthop_table_fini(&t);
}

#define BOTH(f) cmocka_unit_test(f##4), cmocka_unit_test(f##6)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_masked_bit_by_bit),
		cmocka_unit_test(a_snapshot_lists_the_addresses_of_both_families),
		cmocka_unit_test(a_full_next_hop_table_is_full_for_both),
		BOTH(the_longest_prefix_wins),
		BOTH(only_the_routers_own_hosts_are_local),
		BOTH(a_server_is_reached_by_the_links_of_its_route),
		BOTH(addresses_are_found_and_their_kinds_merged),
		BOTH(a_listener_is_protocol_address_and_port),
		BOTH(owned_ports_are_those_of_nat_servers_of_the_family),
		BOTH(next_hops_are_found_and_unlinked_after_much_churn),
		BOTH(a_slot_that_changed_hands_is_no_match),
		BOTH(a_cover_has_the_rules_of_its_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
