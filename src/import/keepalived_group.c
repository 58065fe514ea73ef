/* SPDX-License-Identifier: BSD-3-Clause */
/* virtual_server_group: addresses, ranges of addresses and marks. */
#include <stdlib.h>
#include <string.h>

#include "import/keepalived.h"

#define ENTRIES_MAX 65536U

static const struct kw *group_find(const struct keepalived *ka, const char *name)
{
	const struct kw *k = ka->tree.root.children;

	while (k && !(kw_is(k, "virtual_server_group") && strcmp(kw_word(ka->im, k, 1), name) == 0))
		k = k->next;
	return k;
}

static struct ka_entry *entry_add(struct importer *im, struct ka_entry ***end, struct origin at)
{
	struct ka_entry *e = arena_alloc(im, sizeof(*e));

	e->at = at;
	**end = e;
	*end = &e->next;
	return e;
}

/* The last 32 bits of an address: ranges differ in these alone. */
static be32 *tail(struct addr *a)
{
	return a->family == ADDR_V6 ? &a->word[3] : &a->v4;
}

static struct addr addr_behind(const struct addr *a, uint32_t n)
{
	struct addr out = *a;

	*tail(&out) = be32_from(be32_to(*tail(&out)) + n);
	return out;
}

static bool prefix_range(const char *text, struct addr *first, struct addr *last)
{
	struct prefix p;
	uint32_t host;

	if (prefix_parse(text, &p) < 0)
		return false;
	host = p.len + (p.addr.family == ADDR_V6 ? 0U : 96U);
	*first = *last = p.addr;
	*tail(last) |= be32_from(host > 96 ? (uint32_t)((1ULL << (128 - host)) - 1) : UINT32_MAX);
	return true;
}

/* The part behind the dash: the last part of the address, or a whole address. */
static bool last_parse(const char *text, struct addr *last)
{
	const struct addr first = *last;
	const bool v6 = first.family == ADDR_V6;
	uint32_t low = v6 ? 0xffff : 0xff;
	uint64_t n;

	if (v6 && strspn(text, "0123456789abcdefABCDEF") == strlen(text) && *text)
		n = strtoull(text, NULL, 16);
	else if (v6 || !number_parse(text, 255, &n))
		n = UINT64_MAX;
	if (n <= low) {
		*tail(last) = be32_from((be32_to(*tail(last)) & ~low) | (uint32_t)n);
		return true;
	}
	if (addr_parse(text, last) < 0 || last->family != first.family)
		return false;
	return !v6 || memcmp(last->v6, first.v6, 12) == 0;
}

/* "A.B.C.D-E", "2001:db8::10-1f", "A-B", "A/LEN" without host bits: first and last. */
static bool range_parse(const char *text, struct importer *im, struct addr *first,
			struct addr *last)
{
	const char *dash = strchr(text, '-');
	char *copy = arena_copy(im, text, strlen(text));

	if (!dash && strchr(text, '/'))
		return prefix_range(text, first, last);
	if (dash)
		copy[dash - text] = '\0';
	if (addr_parse(copy, first) < 0)
		return false;
	*last = *first;
	if (!dash)
		return true;
	return last_parse(dash + 1, last) && be32_to(*tail(last)) >= be32_to(*tail(first));
}

static void range_add(struct keepalived *ka, const struct kw *k, struct ka_entry ***end,
		      uint32_t *total)
{
	struct importer *im = ka->im;
	struct addr first, last;
	uint32_t n, port = 0;
	struct ka_entry *e;

	if (!range_parse(k->raw[0], im, &first, &last)) {
		note(im, k->at, NOTE_ERROR,
		     "\"%.64s\": expected ADDRESS, A.B.C.D-E, ADDRESS-ADDRESS, PREFIX or fwmark N",
		     k->raw[0]);
		return;
	}
	if (k->n > 1 && !kw_port(im, k, 1, &port))
		return;
	n = be32_to(*tail(&last)) - be32_to(*tail(&first)) + 1;
	if (n == 0 || n > ENTRIES_MAX || (*total += n) > ENTRIES_MAX)
		give_up(im, k->at, "a group of more than %u addresses", ENTRIES_MAX);
	for (uint32_t i = 0; i < n; i++) {
		e = entry_add(im, end, k->at);
		e->addr = addr_behind(&first, i);
		e->port = port;
	}
}

const struct ka_entry *ka_group_entries(struct keepalived *ka, const struct kw *use)
{
	const char *name = kw_word(ka->im, use, 2);
	const struct kw *group = group_find(ka, name);
	struct ka_entry *entries = NULL, **end = &entries;
	uint32_t total = 0;

	if (!group) {
		note(ka->im, use->at, NOTE_ERROR, "there is no virtual_server_group \"%.64s\"",
		     name);
		return NULL;
	}
	for (const struct kw *k = group->children; k; k = k->next) {
		if (kw_is(k, "fwmark")) {
			struct ka_entry *e;
			uint32_t mark;

			if (!kw_number(ka->im, k, 1, UINT32_MAX, &mark) || !mark)
				continue;
			e = entry_add(ka->im, &end, k->at);
			e->mark = mark;
			kw_family(ka->im, k, 2, &e->family);
		} else {
			range_add(ka, k, &end, &total);
		}
	}
	if (!entries)
		note(ka->im, group->at, NOTE_ERROR, "group \"%.64s\" is empty", name);
	return entries;
}

void ka_groups_unused(struct keepalived *ka)
{
	for (const struct kw *g = ka->tree.root.children; g; g = g->next) {
		bool used = false;

		if (!kw_is(g, "virtual_server_group"))
			continue;
		for (const struct kw *k = ka->tree.root.children; k && !used; k = k->next)
			used = kw_is(k, "virtual_server") && k->n > 2 &&
			       strcmp(k->raw[1], "group") == 0 &&
			       strcmp(kw_word(ka->im, k, 2), kw_word(ka->im, g, 1)) == 0;
		if (!used)
			note(ka->im, g->at, NOTE_NOTICE,
			     "virtual_server_group %.64s: no virtual_server uses it, nothing is "
			     "imported",
			     kw_word(ka->im, g, 1));
	}
}
