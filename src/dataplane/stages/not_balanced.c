/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/stages/not_balanced.h"

#include "dataplane/check_path/check_path.h"
#include "dataplane/exits/doors.h"
#include "dataplane/exits/relay.h"
#include "dataplane/stages/answer.h"
#include "dataplane/stages/nd.h"
#include "dataplane/stages/source_link.h"
#include "dataplane/tunnel/tunnel.h"

/* For a packet that makes no connection and goes to Linux or is answered. True: the packet was
 * dropped, since no link can bring its source. */
static bool source_dropped(struct worker *w, struct FAM(pkt) *p)
{
	const enum drop_reason reason = FAM_FN(source, judge)(w, p->key.saddr, p->link);

	if (likely(reason == DROP_MAX) || (reason == DROP_BAD_SOURCE && pkt_tag(p->m)->ours))
		return false;
	door_drop(w, p->m, reason);
	return true;
}

static bool rule_takes(const struct addr *rule, FAM_ADDR addr)
{
	return addr_is_zero(rule) || FAM_FN(addr, equal)(FAM_FN(addr, of)(rule), addr);
}

/* Of a packet for the router itself: the first rule that fits. Fragments have no ports. */
static enum punt_class class_by_rule(const struct punt_rules *rules, const struct FAM(pkt) *p)
{
	for (uint32_t i = 0; proto_is_balanced(p->key.proto) && i < rules->n; i++) {
		const struct punt_rule *r = &rules->rule[i];
		const uint16_t port = be16_to(r->from ? p->key.sport : p->key.dport);

		if (r->proto == p->key.proto && port >= r->first && port <= r->last &&
		    r->own.family == FAMILY && rule_takes(&r->own, p->key.daddr) &&
		    rule_takes(&r->peer, p->key.saddr))
			return (enum punt_class)r->class;
	}
	return PUNT_OWN;
}

static enum punt_class class_of_own(const struct worker *w, const struct FAM(pkt) *p)
{
	const struct punt_rules *rules = w->pub->punt_rules;

	if (p->key.proto == ICMP_PROTO)
		return PUNT_ICMP;
	return rules && !(p->flags & (PKT_FRAGMENT | PKT_BAD_L4)) ? class_by_rule(rules, p)
								  : PUNT_OWN;
}

/* To Linux. */
static void punt(struct worker *w, struct FAM(pkt) *p, enum punt_class class)
{
	if (!source_dropped(w, p))
		door_punt(w, p->m, class);
}

/* To Linux, unless the packet is an ICMP error about a tunnel's outer packet, to an address of the
 * router or of a prefix of tunnel sources. */
static void punt_unless_tunnel(struct worker *w, struct FAM(pkt) *p, enum punt_class class)
{
	if (p->key.proto != ICMP_PROTO || !FAM_FN(tunnel, error)(w, p))
		punt(w, p, class);
}

void FAM_FN(not_balanced, leave)(struct worker *w, struct FAM(pkt) *p, enum steering s)
{
	switch (s) {
#if FAMILY == 6
	case STEER_ND:
		nd_receive(w, p);
		break;
#endif
	case STEER_ECHO:
		if (!source_dropped(w, p))
			FAM_FN(echo, receive)(w, p);
		break;
	case STEER_TO_VIP:
		punt(w, p, PUNT_OWN);
		break;
	case STEER_CHECK:
		if (FAM_FN(check_path, take)(w, p))
			break;
		/* The check has ended since stage steer looked. */
		/* fall through */
	case STEER_OWN:
		punt_unless_tunnel(w, p, class_of_own(w, p));
		break;
	case STEER_TRANSIT:
		punt_unless_tunnel(w, p, PUNT_TRANSIT);
		break;
	case STEER_NOT_ACTIVE:
		if (!relay_take(w, p->m, p->link))
			door_drop(w, p->m, DROP_NOT_ACTIVE);
		break;
	default:
		door_drop(w, p->m, (enum drop_reason)(s - STEER_DROP));
		break;
	}
}
