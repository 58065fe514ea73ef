/* SPDX-License-Identifier: BSD-3-Clause */
/* Template of test_family_tables.c: the tables of one family. */

/* Addresses that differ in their last bytes, as the text says. */
static FAM_ADDR FAM(text)(const char *v4, const char *v6)
{
	struct addr a = {0};

	assert_int_equal(addr_parse(FAMILY == 4 ? v4 : v6, &a), 0);
	return FAM_FN(addr, of)(&a);
}

#define NET(v4, v6) FAM(text)(v4, v6)

/* Few different addresses, that share prefixes of many lengths. */
static FAM_ADDR FAM(random_addr)(void)
{
	struct addr a = {.family = FAM_FAMILY};

	for (unsigned int i = 0; i < FAM_BITS / 8; i++)
		a.v6[i] = (uint8_t)(rand() % 4 ? 0xaa : 1 << rand() % 8);
	return FAM_FN(addr, of)(&a);
}

static void FAM(the_longest_prefix_wins)(void **state)
{
	enum { N = 3000 };
	struct FAM(route) *routes = calloc(N, sizeof(*routes));
	struct FAM(fib) *fib;

	(void)state;
	srand(FAMILY);
	for (uint32_t i = 0; i < N; i++) {
		routes[i].len = (uint8_t)(rand() % (FAM_BITS + 1));
		routes[i].addr = FAM_FN(addr, masked)(FAM(random_addr)(), routes[i].len);
		routes[i].metric = (uint32_t)rand() % 4;
		routes[i].link = i;
	}
	fib = FAM_FN(fib, create)(routes, N);
	for (uint32_t i = 0; i < N; i++) {
		const FAM_ADDR dest = i % 2 ? routes[i].addr : FAM(random_addr)();
		const struct FAM(route) *best = NULL, *r = FAM_FN(fib, find)(fib, dest);

		for (uint32_t k = 0; k < N; k++) {
			const struct FAM(route) *c = &routes[k];

			if (!FAM_FN(addr, equal)(FAM_FN(addr, masked)(dest, c->len), c->addr))
				continue;
			if (!best || c->len > best->len ||
			    (c->len == best->len && c->metric < best->metric))
				best = c;
		}
		assert_true(!best == !r);
		if (best) {
			assert_int_equal(r->len, best->len);
			assert_int_equal(r->metric, best->metric);
		}
	}
	FAM_FN(fib, destroy)(fib);
	free(routes);
}

static void FAM(only_the_routers_own_hosts_are_local)(void **state)
{
	const struct FAM(route) routes[] = {
		{.addr = NET("10.0.0.0", "2001:db8::"), .len = 8, .kind = ROUTE_ONLINK},
		{.addr = NET("10.0.0.1", "2001:db8::1"), .len = FAM_BITS, .kind = ROUTE_LOCAL},
		{.addr = NET("10.0.0.2", "2001:db8::2"), .len = FAM_BITS, .kind = ROUTE_GATEWAY},
		{.addr = NET("10.0.0.3", "2001:db8::3"), .len = FAM_BITS - 1, .kind = ROUTE_LOCAL},
	};
	struct FAM(fib) *fib = FAM_FN(fib, create)(routes, 4);

	(void)state;
	assert_non_null(FAM_FN(fib, find_local)(fib, routes[1].addr));
	assert_null(FAM_FN(fib, find_local)(fib, routes[2].addr));
	assert_null(FAM_FN(fib, find_local)(fib, routes[3].addr));
	FAM_FN(fib, destroy)(fib);
}

static void FAM(a_server_is_reached_by_the_links_of_its_route)(void **state)
{
	link_id links[] = {0, 2, 5, 7};
	const struct FAM(route) routes[] = {
		{.addr = NET("10.0.0.0", "fd00::"), .len = 8, .link = 3},
		{.addr = NET("10.1.0.0", "fd00:1::"), .len = 32, .link = 5, .links_at = 1},
	};
	struct fib fib = {.FAM(v) = FAM_FN(fib, create)(routes, 2), .links_of = links};
	const FAM_ADDR in = NET("10.0.0.9", "fd00::9"), two = NET("10.1.0.0", "fd00:1::9");

	(void)state;
	assert_true(FAM(fib_reaches)(&fib, in, 3));
	assert_false(FAM(fib_reaches)(&fib, in, 5));
	assert_true(FAM(fib_reaches)(&fib, two, 5));
	assert_true(FAM(fib_reaches)(&fib, two, 7));
	assert_false(FAM(fib_reaches)(&fib, two, 3));
	assert_false(FAM(fib_reaches)(&fib, NET("11.0.0.1", "2001::1"), 3));
	FAM_FN(fib, destroy)(fib.FAM(v));
}

static void FAM(addresses_are_found_and_their_kinds_merged)(void **state)
{
	enum { N = 5000 };
	struct FAM(addr_entry) *e = calloc(N + 1, sizeof(*e));
	struct addr_entry *list = calloc(N, sizeof(*list));
	struct FAM(addr_table) *t;

	(void)state;
	for (uint32_t i = 0; i < N; i++) {
		struct addr a = {.family = FAM_FAMILY};

		a.v6[FAM_BITS / 8 - 1 - i % 2] = (uint8_t)(i >> 1);
		a.v6[i % 3] = (uint8_t)(i >> 8);
		a.v6[FAM_BITS / 16] = (uint8_t)(i % 6);
		e[i] = (struct FAM(addr_entry)){FAM_FN(addr, of)(&a), ADDR_KIND_VIP, LINK_ANY};
	}
	e[N] = (struct FAM(addr_entry)){e[7].addr, ADDR_KIND_GATEWAY, 3};
	t = FAM_FN(addr_table, create)(e, N + 1);
	for (uint32_t i = 0; i < N; i++)
		assert_true(FAM_FN(addr_table, find)(t, e[i].addr)->kinds & ADDR_KIND_VIP);
	assert_int_equal(FAM_FN(addr_table, find)(t, e[7].addr)->kinds,
			 ADDR_KIND_VIP | ADDR_KIND_GATEWAY);
	assert_int_equal(FAM_FN(addr_table, find)(t, e[7].addr)->link, 3);
	assert_null(FAM_FN(addr_table, find)(t, NET("99.99.99.99", "99::99")));
	FAM_FN(addr_table, list)(t, list);
	for (uint32_t i = 0; i < t->n; i++)
		assert_int_equal(list[i].addr.family, FAM_FAMILY);
	FAM_FN(addr_table, put)(t);
	free(list);
	free(e);
}

static void FAM(a_listener_is_protocol_address_and_port)(void **state)
{
	const FAM_ADDR vip = NET("10.1.0.1", "2001:db8::1"), other = NET("10.1.0.2", "2001:db8::2");
	const struct FAM(listener) l[] = {
		{vip, be16_from(80), IPPROTO_TCP, 0, 1},
		{vip, be16_from(80), IPPROTO_UDP, 0, 2},
		{other, be16_from(80), IPPROTO_TCP, 0, 3},
		{FAM_FN(addr, of_mark)(7), 0, LISTENER_MARK, 0, 4},
		{vip, be16_from(80), IPPROTO_TCP, 0, 5},
	};
	struct FAM(listener_table) *t = FAM_FN(listener_table, create)(l, 4);

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(FAM_FN(listener_table, find)(t, l[i].proto, l[i].addr, l[i].port),
				 i + 1);
	assert_int_equal(FAM_FN(listener_table, find_mark)(t, 7), 4);
	assert_int_equal(FAM_FN(listener_table, find_mark)(t, 8), 0);
	assert_int_equal(FAM_FN(listener_table, find)(t, IPPROTO_TCP, vip, be16_from(81)), 0);
	FAM_FN(listener_table, put)(t);
	assert_null(FAM_FN(listener_table, create)(l, 5));
}

static void FAM(owned_ports_are_those_of_nat_servers_of_the_family)(void **state)
{
	struct service *svc = service_create(3, 1);
	struct snapshot *s = snapshot_create(1);
	struct service_rt rt = {.id = 1};
	struct FAM(listener_table) *t;

	(void)state;
	svc->rt = &rt;
	svc->proto = IPPROTO_TCP;
	svc->listen[0].port = be16_from(80);
	svc->policy.unknown_reply = REPLY_RESET;
	for (uint32_t i = 0; i < 3; i++) {
		struct addr *a = &svc->servers[i].addr;

		assert_int_equal(addr_parse(i == 2 ? "2001:db8::9" : "10.0.0.9", a), 0);
		svc->servers[i].port = be16_from((uint16_t)(8080 + i));
		svc->servers[i].method = i == 1 ? FWD_TUNNEL : FWD_NAT;
	}
	snapshot_set_service(s, 1, svc);
	t = FAM_FN(owned_ports, create)(s);
	assert_int_equal(t->n, 1);
	FAM(snapshot_set_owned)(s, t);
	assert_int_equal(FAM_FN(owned_port, find)(s, IPPROTO_TCP, NET("10.0.0.9", "2001:db8::9"),
						  be16_from(FAMILY == 4 ? 8080 : 8082))
				 ->flags,
			 OWNED_RESET);
	snapshot_destroy(s);
}

static struct addr FAM(neighbour)(uint32_t i)
{
	struct addr a = {.family = FAM_FAMILY};

	memcpy(&a.v6[FAM_BITS / 8 - 4], &i, 4);
	a.v6[0] ^= 0x20;
	return a;
}

static void FAM(next_hops_are_found_and_unlinked_after_much_churn)(void **state)
{
	struct nexthop_table t;

	(void)state;
	assert_int_equal(nexthop_table_init(&t, 64), 0);
	for (uint32_t i = 0; i < 20000; i++) {
		struct nexthop *nh = calloc(1, sizeof(*nh));
		struct addr a = FAM(neighbour)(i);
		uint32_t id;

		nh->link = i % 3;
		nh->addr = a;
		assert_int_not_equal(FAM(nexthop_add)(&t, i % 3, FAM_FN(addr, of)(&a), nh), 0);
		assert_int_equal(FAM(nexthop_find)(&t, i % 3 + 1, FAM_FN(addr, of)(&a)), 0);
		if (i < 40)
			continue;
		a = FAM(neighbour)(i - 40);
		id = FAM(nexthop_find)(&t, (i - 40) % 3, FAM_FN(addr, of)(&a));
		assert_int_not_equal(id, 0);
		FAM(nexthop_unlink)(&t, id);
		assert_int_equal(FAM(nexthop_find)(&t, (i - 40) % 3, FAM_FN(addr, of)(&a)), 0);
		free((void *)nexthop_free_id(&t, id));
	}
	nexthop_table_fini(&t);
}

static void FAM(a_slot_that_changed_hands_is_no_match)(void **state)
{
	const FAM_ADDR five = NET("0.0.0.5", "2001:db8::5"), six = NET("0.0.0.6", "2001:db9::5");
	const struct FAM(nexthop_slot) s = {.link = 1, .addr = five, .id = 7};

	(void)state;
	assert_true(FAM_FN(nexthop_slot, matches)(&s, 7, 1, five));
	assert_false(FAM_FN(nexthop_slot, matches)(&s, 6, 1, five));
	assert_false(FAM_FN(nexthop_slot, matches)(&s, 7, 2, five));
	assert_false(FAM_FN(nexthop_slot, matches)(&s, 7, 1, six));
}

/* A mark rule leads to the service of its mark in the family of the packet. */
static void FAM(a_cover_has_the_rules_of_its_family)(void **state)
{
	const struct FAM(listener) l[] = {{FAM_FN(addr, of_mark)(1), 0, LISTENER_MARK, 0, 11},
					  {FAM_FN(addr, of_mark)(2), 0, LISTENER_MARK, 0, 12}};
	struct FAM(listener_table) *services = FAM_FN(listener_table, create)(l, 2);
	struct mark_rule r[3] = {{.link = LINK_ANY, .mark = 1},
				 {.link = LINK_ANY, .mark = 2},
				 {.link = LINK_ANY, .mark = 3}};
	struct FAM(mark_cover) *c, *after, *less = NULL;
	uint8_t *busy = calloc(MAX_SERVICES + 1, 1);

	(void)state;
	assert_int_equal(addr_parse("10.1.0.0", &r[0].dest.addr), 0);
	assert_int_equal(addr_parse("2001:db8::", &r[1].dest.addr), 0);
	assert_int_equal(addr_parse(FAMILY == 4 ? "10.3.0.0" : "fd00::", &r[2].dest.addr), 0);
	r[0].dest.len = 16;
	r[1].dest.len = 32;
	r[2].dest.len = 16;
	c = FAM_FN(mark_cover, create)(r, 3, services, NULL);
	assert_int_equal(c->n, 1);
	assert_true(FAM_FN(mark_cover, has)(c, NET("10.1.0.9", "2001:db8::9")));
	assert_false(FAM_FN(mark_cover, has)(c, NET("10.3.0.9", "fd00::9")));
	/* Without addresses it is of both families. */
	r[2].mark = 2;
	memset(&r[2].dest, 0, sizeof(r[2].dest));
	after = FAM_FN(mark_cover, create)(r, 3, services, c);
	assert_true(FAM_FN(mark_cover, has)(after, NET("99.9.9.9", "99::9")));
	FAM_FN(mark_cover, put)(after);
	/* An address that no rule names any more lingers, while its service has connections. */
	after = FAM_FN(mark_cover, create)(r, 0, services, c);
	assert_int_equal(after->n_linger, 1);
	busy[11] = busy[12] = 1;
	assert_int_equal(FAM_FN(mark_cover, trim)(after, busy, &less), 0);
	busy[11] = busy[12] = 0;
	assert_int_equal(FAM_FN(mark_cover, trim)(after, busy, &less), 1);
	assert_null(less);
	FAM_FN(mark_cover, put)(after);
	FAM_FN(mark_cover, put)(c);
	FAM_FN(listener_table, put)(services);
	free(busy);
}

#undef NET
