/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/stages/source_link.h"

bool FAM_FN(source, look)(struct worker *w, const struct FAM(addr_entry) *server, link_id link)
{
	struct FAM(source_slot) *const slot = FAM_FN(source, slot)(w, server);
	const struct link_info *info = fib_link(w->env.fib, link);

	if (!(info && info->loose) && !FAM(fib_reaches)(w->env.fib, server->addr, link))
		return false;
	if (!FAM_FN(addr, equal)(slot->addr, server->addr) || slot->gen != w->env.gen)
		*slot = (struct FAM(source_slot)){
			.addr = server->addr, .gen = w->env.gen, .link = {link, link}};
	slot->link[1] = slot->link[0];
	slot->link[0] = link;
	return true;
}

enum drop_reason FAM_FN(source, judge)(struct worker *w, FAM_ADDR saddr, link_id link)
{
	const struct FAM(addr_entry) *e = FAM_FN(addr_table, find)(w->env.snap->FAM(addrs), saddr);

	if (e && (e->kinds & ADDR_KIND_VIP))
		return DROP_BAD_SOURCE;
	if (e && (e->kinds & ADDR_KIND_NAT_SERVER) && !FAM_FN(source, on_link)(w, e, link))
		return DROP_WRONG_LINK;
	return FAM_FN(fib, find_local)(w->env.fib->FAM(v), saddr) ? DROP_BAD_SOURCE : DROP_MAX;
}
