/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Doctor's rule about packet filters: whether nftables drops heartbeats for certain.
 *
 * The ruleset is that of `nft -j list ruleset`. Each path of the pair is a packet in each
 * direction. A match is true, false, or not known (a set by its name, a state of conntrack, an
 * interface). A heartbeat is called dropped only where no rule in front of the drop may have
 * accepted it.
 */
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "cli/doctor.h"
#include "cli/view.h"

#define HEARTBEAT_PORT 7694
#define JUMPS_MAX      16

enum truth { NO, MAYBE, YES };
enum end { THROUGH, ACCEPTED, DROPPED, UNKNOWN };

/* A heartbeat on its way in or out of this router. */
struct beat {
	const json_t *rules; /* the list "nftables" */
	struct endpoint from, to;
	bool in;
};

static enum truth truth_of(bool is)
{
	return is ? YES : NO;
}

static enum truth not(enum truth t) { return t == YES ? NO : t == NO ? YES : MAYBE; }

/* ---- matches ---- */

static enum truth number_in(const json_t *right, json_int_t n)
{
	const json_t *range = json_object_get(right, "range");

	if (json_is_integer(right))
		return truth_of(json_integer_value(right) == n);
	if (json_is_integer(json_array_get(range, 0)) && json_is_integer(json_array_get(range, 1)))
		return truth_of(n >= json_integer_value(json_array_get(range, 0)) &&
				n <= json_integer_value(json_array_get(range, 1)));
	return MAYBE;
}

static enum truth word_in(const json_t *right, const char *word)
{
	if (!json_is_string(right) || json_string_value(right)[0] == '@')
		return MAYBE;
	return truth_of(strcmp(json_string_value(right), word) == 0);
}

static enum truth address_in(const json_t *right, const struct addr *a)
{
	const json_t *p = json_object_get(right, "prefix");
	char text[ADDR_STRLEN + 8];
	struct prefix prefix;

	if (p)
		snprintf(text, sizeof(text), "%.*s/%d", ADDR_STRLEN, view_text(p, "addr"),
			 (int)view_number(p, "len"));
	else
		snprintf(text, sizeof(text), "%.*s", ADDR_STRLEN,
			 json_is_string(right) ? json_string_value(right) : "");
	return prefix_parse(text, &prefix) < 0 ? MAYBE : truth_of(prefix_contains(&prefix, a));
}

/* A field of another protocol's header: the rule does not hold, whatever its operator. */
static bool is_of_another(const struct beat *b, const json_t *left)
{
	static const char *const others[] = {"tcp", "sctp", "dccp", "icmp", "icmpv6", "esp", "ah"};
	const char *protocol = view_text(left, "payload.protocol");

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcmp(protocol, others[i]) == 0)
			return true;
	return strcmp(protocol, b->to.addr.family == ADDR_V6 ? "ip" : "ip6") == 0;
}

/* A value of the right side. */
static enum truth value_matches(const struct beat *b, const json_t *left, const json_t *right)
{
	const char *protocol = view_text(left, "payload.protocol");
	const char *field = view_text(left, "payload.field"), *key = view_text(left, "meta.key");
	const bool v6 = b->to.addr.family == ADDR_V6;

	if (strcmp(key, "l4proto") == 0 || strcmp(field, "protocol") == 0 ||
	    strcmp(field, "nexthdr") == 0)
		return json_is_integer(right) ? number_in(right, 17) : word_in(right, "udp");
	/* The names of TAPs are not known here, and no path leads over the loopback. */
	if (strstr(key, "iif") || strstr(key, "oif"))
		return word_in(right, "lo") == YES ? NO : MAYBE;
	if (strcmp(key, "nfproto") == 0)
		return word_in(right, v6 ? "ipv6" : "ipv4");
	if ((strcmp(protocol, "udp") == 0 || strcmp(protocol, "th") == 0) &&
	    strcmp(field, "dport") == 0)
		return number_in(right, be16_to(b->to.port));
	if (strncmp(protocol, "ip", 2) == 0 && strcmp(field, "saddr") == 0)
		return address_in(right, &b->from.addr);
	if (strncmp(protocol, "ip", 2) == 0 && strcmp(field, "daddr") == 0)
		return address_in(right, &b->to.addr);
	return MAYBE;
}

static enum truth match_is(const struct beat *b, const json_t *match)
{
	const json_t *left = json_object_get(match, "left"), *right, *value, *set;
	const char *op = view_text(match, "op");
	enum truth t = NO, one;
	size_t i;

	if (is_of_another(b, left))
		return NO;
	right = json_object_get(match, "right");
	set = json_object_get(right, "set");
	if (json_is_array(set)) {
		json_array_foreach (set, i, value) {
			one = value_matches(b, left, value);
			t = one > t ? one : t;
		}
	} else {
		t = value_matches(b, left, right);
	}
	if (strcmp(op, "==") == 0 || strcmp(op, "in") == 0)
		return t;
	return strcmp(op, "!=") == 0 ? not(t) : MAYBE;
}

/* ---- chains ---- */

static enum end chain_walk(const struct beat *b, const json_t *chain, const char *name, int depth);

/* The verdict of the rule on the packet; THROUGH: the next rule is asked. *back: the rule ends its
 * chain. */
static enum end rule_walk(const struct beat *b, const json_t *chain, const json_t *rule, int depth,
			  bool *back)
{
	enum truth t = YES, one;
	const json_t *e, *to;
	enum end end;
	size_t i;

	json_array_foreach (json_object_get(rule, "expr"), i, e) {
		one = json_object_get(e, "match") ? match_is(b, json_object_get(e, "match")) : YES;
		if (json_object_get(e, "limit") || json_object_get(e, "quota") ||
		    strcmp(view_text(e, "xt.type"), "match") == 0)
			one = MAYBE;
		t = one < t ? one : t;
		if (t == NO)
			return THROUGH;
		if (json_object_get(e, "drop") || json_object_get(e, "reject"))
			return t == YES ? DROPPED : THROUGH;
		if (json_object_get(e, "accept"))
			return t == YES ? ACCEPTED : UNKNOWN;
		if (json_object_get(e, "return")) {
			*back = t == YES;
			return t == YES ? THROUGH : UNKNOWN;
		}
		if (json_object_get(e, "queue") || json_object_get(e, "vmap") ||
		    strcmp(view_text(e, "xt.type"), "target") == 0)
			return UNKNOWN;
		to = json_object_get(e, "jump");
		to = to ? to : json_object_get(e, "goto");
		if (!to)
			continue;
		end = chain_walk(b, chain, view_text(to, "target"), depth + 1);
		*back = t == YES && json_object_get(e, "goto");
		if (t == YES || end == THROUGH)
			return end;
		return end == DROPPED ? THROUGH : UNKNOWN;
	}
	return THROUGH;
}

static bool same(const json_t *a, const json_t *b, const char *key)
{
	return strcmp(view_text(a, key), view_text(b, key)) == 0;
}

/* The chain of this name in the table of `chain`. */
static enum end chain_walk(const struct beat *b, const json_t *chain, const char *name, int depth)
{
	const json_t *object, *rule;
	bool back = false;
	enum end end;
	size_t i;

	if (depth > JUMPS_MAX)
		return UNKNOWN;
	json_array_foreach (b->rules, i, object) {
		rule = json_object_get(object, "rule");
		if (!rule || !same(rule, chain, "family") || !same(rule, chain, "table") ||
		    strcmp(view_text(rule, "chain"), name) != 0)
			continue;
		end = rule_walk(b, chain, rule, depth, &back);
		if (end != THROUGH || back)
			return end;
	}
	return THROUGH;
}

static bool chain_sees(const struct beat *b, const json_t *chain)
{
	const char *hook = view_text(chain, "hook"), *family = view_text(chain, "family");

	if (strcmp(family, "inet") != 0 &&
	    strcmp(family, b->to.addr.family == ADDR_V6 ? "ip6" : "ip") != 0)
		return false;
	if (b->in)
		return strcmp(hook, "input") == 0 || strcmp(hook, "prerouting") == 0;
	return strcmp(hook, "output") == 0 || strcmp(hook, "postrouting") == 0;
}

static void look_beat(const struct beat *b, const char *path, json_t *out)
{
	const json_t *object, *chain;
	enum end end;
	size_t i;

	json_array_foreach (b->rules, i, object) {
		chain = json_object_get(object, "chain");
		if (!chain || !chain_sees(b, chain))
			continue;
		end = chain_walk(b, chain, view_text(chain, "name"), 0);
		if (end == THROUGH && strcmp(view_text(chain, "policy"), "drop") == 0)
			end = DROPPED;
		if (end != DROPPED)
			continue;
		doctor_find(
			out, FINDING_HEARTBEATS_FILTERED,
			"a router that is not heard is taken for dead: accept UDP of the pair "
			"in front of the rule that drops it (nft list ruleset)",
			"ha status",
			"path %s: chain %s of table %s %s drops heartbeats %s the peer (UDP port "
			"%u)",
			path, view_text(chain, "name"), view_text(chain, "family"),
			view_text(chain, "table"), b->in ? "of" : "to", be16_to(b->to.port));
	}
}

/* "ADDRESS" or "ADDRESS:PORT". */
static bool end_parse(const char *text, struct endpoint *ep)
{
	if (endpoint_parse(text, ep) == 0)
		return true;
	ep->port = be16_from(HEARTBEAT_PORT);
	return addr_parse(text, &ep->addr) == 0;
}

void doctor_look_firewall(const json_t *config, const json_t *ruleset, json_t *out)
{
	const json_t *path;
	size_t i;

	json_array_foreach (view_at(config, "config.node.ha.paths"), i, path) {
		struct beat b = {.rules = json_object_get(ruleset, "nftables")};
		struct endpoint local, peer;

		if (!end_parse(view_text(path, "local"), &local) ||
		    !end_parse(view_text(path, "peer"), &peer))
			continue;
		b.in = true;
		b.from = peer;
		b.to = local;
		look_beat(&b, view_text(path, "name"), out);
		b.in = false;
		b.from = local;
		b.to = peer;
		look_beat(&b, view_text(path, "name"), out);
	}
}
