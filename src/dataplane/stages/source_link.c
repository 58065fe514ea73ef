/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/stages/source_link.h"

bool source_look(struct worker *w, struct source_slot *slot, be32 server, link_id link)
{
	const struct link_info *info = fib_link(w->env.fib, link);

	if (!(info && info->loose) && !fib_reaches4(w->env.fib, server, link))
		return false;
	if (slot->addr != server || slot->gen != w->env.gen)
		*slot = (struct source_slot){
			.addr = server, .gen = w->env.gen, .link = {link, link}};
	slot->link[1] = slot->link[0];
	slot->link[0] = link;
	return true;
}

enum drop_reason source_judge(struct worker *w, be32 saddr, link_id link)
{
	const struct addr_entry4 *e = addr_table4_find(w->env.snap->addrs4, saddr);

	if (e && (e->kinds & ADDR_KIND_VIP))
		return DROP_BAD_SOURCE;
	if (e && (e->kinds & ADDR_KIND_NAT_SERVER) && !source_on_link(w, saddr, link))
		return DROP_WRONG_LINK;
	return fib4_find_local(w->env.fib->v4, saddr) ? DROP_BAD_SOURCE : DROP_MAX;
}
