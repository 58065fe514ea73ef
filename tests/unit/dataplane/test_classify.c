/* SPDX-License-Identifier: BSD-3-Clause */
/* Mark rules as compiled, against a walk over the rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <netinet/in.h>

#include "dataplane/stages/classify.h"
#include "lib/lab.h"

static char error[256];

/* A packet of either family. */
struct sample {
	struct addr saddr, daddr;
	uint16_t sport, dport;
	link_id link;
	uint8_t proto;
};

static struct addr addr(const char *text)
{
	struct addr a = {0};

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct mark_rule rule(const char *dest, uint8_t len, uint32_t mark)
{
	struct mark_rule r = {.link = LINK_ANY, .mark = mark};

	r.dest.addr = addr(dest);
	r.dest.len = len;
	return r;
}

static uint32_t classify(const struct mark_table *t, const struct sample *p, bool count)
{
	if (p->saddr.family == ADDR_V6) {
		const struct mark_key6 k = {.saddr = addr6_of(&p->saddr),
					    .daddr = addr6_of(&p->daddr),
					    .link = p->link,
					    .sport = be16_from(p->sport),
					    .dport = be16_from(p->dport),
					    .proto = p->proto};

		return classify6(t, &k, count);
	}
	const struct mark_key4 k = {.saddr = p->saddr.v4,
				    .daddr = p->daddr.v4,
				    .link = p->link,
				    .sport = be16_from(p->sport),
				    .dport = be16_from(p->dport),
				    .proto = p->proto};

	return classify4(t, &k, count);
}

static bool prefix_hits(const struct mark_prefix *m, const struct addr *a)
{
	const struct prefix p = {.addr = m->addr, .len = m->len};

	if (m->addr.family == ADDR_NONE)
		return true;
	return a->family == m->addr.family && prefix_contains(&p, a) != (m->negate != 0);
}

static bool ports_hit(const struct mark_ports *p, uint16_t v)
{
	return p->last == 0 || (v >= p->first && v <= p->last) != (p->negate != 0);
}

static uint32_t walk(const struct mark_rule *r, uint32_t n, const struct sample *k)
{
	uint32_t mark = 0;

	for (uint32_t i = 0; i < n; i++)
		if ((!r[i].family || r[i].family == k->saddr.family) &&
		    prefix_hits(&r[i].source, &k->saddr) && prefix_hits(&r[i].dest, &k->daddr) &&
		    ports_hit(&r[i].sport, k->sport) && ports_hit(&r[i].dport, k->dport) &&
		    (!r[i].proto || r[i].proto == k->proto) &&
		    (r[i].link == LINK_ANY || (r[i].link == k->link) != (r[i].link_negate != 0)))
			mark = r[i].mark;
	return mark;
}

/* 64 addresses, with bits that vary in three places of the address. */
static struct addr random_addr(uint8_t family)
{
	struct addr a = addr(family == ADDR_V6 ? "2001:db8::" : "10.0.0.0");
	const uint8_t size = family == ADDR_V6 ? 16 : 4;

	a.v6[size / 2] ^= (uint8_t)(rand() & 3);
	a.v6[size * 3 / 4] ^= (uint8_t)(rand() & 3);
	a.v6[size - 1] ^= (uint8_t)(rand() & 3);
	return a;
}

static struct mark_prefix random_prefix(uint8_t family)
{
	static const uint8_t lens4[] = {0, 8, 16, 24, 30, 32};
	static const uint8_t lens6[] = {0, 32, 64, 67, 96, 127, 128};
	struct mark_prefix p = {0};

	if (rand() % 4 == 0)
		return p;
	p.len = family == ADDR_V6 ? lens6[rand() % 7] : lens4[rand() % 6];
	p.addr = random_addr(family);
	p.addr = addr_masked(&p.addr, p.len);
	p.negate = p.len && rand() % 8 == 0;
	return p;
}

static struct mark_ports random_ports(void)
{
	struct mark_ports p = {0};

	if (rand() % 3)
		return p;
	p.first = (uint16_t)(rand() % 8);
	p.last = (uint16_t)(p.first + 1 + rand() % 4);
	p.negate = rand() % 4 == 0;
	return p;
}

static struct mark_rule random_rule(void)
{
	const uint8_t family = rand() % 2 ? ADDR_V4 : ADDR_V6;
	struct mark_rule r = {.source = random_prefix(family),
			      .dest = random_prefix(family),
			      .sport = random_ports(),
			      .dport = random_ports(),
			      .link = rand() % 4 ? LINK_ANY : link_id_of(rand() % 3, 0),
			      .mark = (uint32_t)rand() % 20,
			      .family = rand() % 4 ? ADDR_NONE : family};

	r.proto = rand() % 2 ? 0 : rand() % 2 ? IPPROTO_TCP : IPPROTO_UDP;
	r.link_negate = r.link != LINK_ANY && rand() % 2;
	return r;
}

static struct sample random_sample(uint8_t family)
{
	return (struct sample){.saddr = random_addr(family),
			       .daddr = random_addr(family),
			       .sport = (uint16_t)(rand() % 14),
			       .dport = (uint16_t)(rand() % 14),
			       .link = link_id_of(rand() % 3, 0),
			       .proto = rand() % 2 ? IPPROTO_TCP : IPPROTO_UDP};
}

static void the_last_rule_that_matches_decides_in_both_families(void **state)
{
	struct mark_rule r[200];
	unsigned int marked[2] = {0};

	(void)state;
	srand(7);
	for (uint32_t i = 0; i < 200; i++)
		r[i] = random_rule();
	for (uint32_t n = 1; n <= 200; n += 33) {
		struct mark_table *t = classify_create(r, n, NULL, error);

		assert_non_null(t);
		for (unsigned int i = 0; i < 6000; i++) {
			const struct sample k = random_sample(i % 2 ? ADDR_V6 : ADDR_V4);

			assert_int_equal(classify(t, &k, false), walk(r, n, &k));
			marked[i % 2] += walk(r, n, &k) != 0;
		}
		mark_table_put(t);
	}
	assert_true(marked[0] > 1000 && marked[1] > 1000);
}

static void a_rule_without_addresses_is_of_both_families(void **state)
{
	struct mark_rule r = {.link = LINK_ANY, .mark = 5, .proto = IPPROTO_UDP};
	const struct sample v4 = {addr("10.0.0.1"), addr("10.0.0.2"), 1, 2, 0, IPPROTO_UDP};
	const struct sample v6 = {addr("2001:db8::1"), addr("::2"), 1, 2, 0, IPPROTO_UDP};
	struct mark_table *t = classify_create(&r, 1, NULL, error);

	(void)state;
	assert_int_equal(classify(t, &v4, true), 5);
	assert_int_equal(classify(t, &v6, true), 5);
	assert_int_equal(classify_hits(t, 0), 2);
	mark_table_put(t);
	r.family = ADDR_V6;
	t = classify_create(&r, 1, NULL, error);
	assert_int_equal(classify(t, &v4, false), 0);
	assert_int_equal(classify(t, &v6, false), 5);
	mark_table_put(t);
}

static void counters_go_on_when_other_rules_change(void **state)
{
	struct mark_rule r[] = {rule("10.2.0.0", 16, 1), rule("10.3.0.0", 16, 2)};
	const struct sample k = {addr("10.0.0.1"), addr("10.3.0.1"), 0, 0, 0, IPPROTO_TCP};
	struct mark_table *t = classify_create(r, 2, NULL, error), *next;

	(void)state;
	assert_int_equal(classify(t, &k, true), 2);
	assert_true(classify_same(t, r, 2));
	r[0] = r[1];
	r[1] = rule("10.4.0.0", 16, 3);
	assert_false(classify_same(t, r, 2));
	next = classify_create(r, 2, t, error);
	mark_table_put(t);
	assert_int_equal(classify(next, &k, true), 2);
	assert_int_equal(classify_hits(next, 0), 2);
	assert_int_equal(classify_hits(next, 1), 0);
	mark_table_put(next);
}

/* A network for each rule, 10.0.0.0/24 or 2001:db8:0:0::/64 upwards. */
static void ten_thousand(uint8_t family)
{
	struct mark_rule *r = calloc(10000, sizeof(*r));
	struct sample k = {.proto = IPPROTO_TCP};
	struct mark_table *t;

	k.saddr = addr(family == ADDR_V6 ? "2001:db8:ffff::1" : "192.168.0.1");
	for (uint32_t i = 0; i < 10000; i++) {
		uint8_t *net;

		r[i] = family == ADDR_V6 ? rule("2001:db8::", 64, i + 1)
					 : rule("10.0.0.0", 24, i + 1);
		r[i].proto = IPPROTO_TCP;
		r[i].dport.first = r[i].dport.last = i % 7 ? 80 : 443;
		net = &r[i].dest.addr.v6[r[i].dest.len / 8 - 2];
		net[0] = (uint8_t)(i >> 8);
		net[1] = (uint8_t)i;
	}
	t = classify_create(r, 10000, NULL, error);
	assert_non_null(t);
	for (uint32_t i = 0; i < 10000; i++) {
		k.daddr = r[i].dest.addr;
		k.daddr.v6[family == ADDR_V6 ? 15 : 3] = (uint8_t)i;
		k.dport = r[i].dport.first;
		assert_int_equal(classify(t, &k, false), i + 1);
	}
	mark_table_put(t);
	free(r);
}

static void ten_thousand_rules_compile(void **state)
{
	(void)state;
	ten_thousand(ADDR_V4);
	ten_thousand(ADDR_V6);
}

static void all_but_a_prefix_is_one_part_for_each_bit(void **state)
{
	struct mark_rule r = rule("2001:db8:8000::", 33, 1);
	struct mark_prefix part[MARK_PREFIX_PARTS];
	const struct addr inside = addr("2001:db8:8000::9");

	(void)state;
	r.dest.negate = 1;
	assert_int_equal(mark_prefix_split(&r.dest, part), 33);
	assert_int_equal(mark_rule_entries(&r), 33);
	for (unsigned int i = 0; i < 1000; i++) {
		struct addr a = inside;
		unsigned int hits = 0;

		a.v6[i % 125 / 8] ^= (uint8_t)(0x80U >> i % 125 % 8);
		for (unsigned int k = 0; k < 33; k++)
			hits += prefix_hits(&part[k], &a);
		assert_int_equal(hits, i % 125 < 33);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_rule_that_matches_decides_in_both_families),
		cmocka_unit_test(a_rule_without_addresses_is_of_both_families),
		cmocka_unit_test(counters_go_on_when_other_rules_change),
		cmocka_unit_test(ten_thousand_rules_compile),
		cmocka_unit_test(all_but_a_prefix_is_one_part_for_each_bit),
	};

	return lab_run(512, tests);
}
