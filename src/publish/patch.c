/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tables of addresses and of owned ports after a change of a few servers. A table of a hundred
 * thousand servers takes 20 ms to build and half a millisecond to copy, so the copy is changed:
 * the entries of the touched servers are made from all servers of the same address, as a build of
 * the whole table makes them. Compiled for each family: base/family.h.
 */
#include "publish/publisher.h"

#include <errno.h>

#include "model/owned_port.h"
#include "model/runtime_hosts.h"

/* A server of a NAT service has the address: in the draft, or until its connections have ended. */
static bool is_nat(const struct publisher *p, const struct addr *addr)
{
	const struct server_rt *rt = NULL;

	while ((rt = runtime_host_next(&p->pub->runtime, addr, rt))) {
		const struct server *s;

		if (forward_has(rt->method, FORWARD_BY_SOURCE) || p->was_nat[rt->id])
			return true;
		s = service_server(snapshot_service(p->draft, rt->service_id), rt);
		if (s && forward_has(s->method, FORWARD_BY_SOURCE))
			return true;
	}
	return false;
}

int FAM(publisher_patch_addrs)(struct publisher *p)
{
	const struct FAM(addr_table) *old = p->draft->FAM(addrs);
	struct FAM(addr_table) *t = NULL;

	for (uint32_t i = 0; i < p->n_touched; i++) {
		const struct addr *addr = &p->touched[i].addr;
		const struct FAM(addr_entry) *e;
		uint32_t was, kinds;

		if (addr->family != FAM_FAMILY)
			continue;
		e = FAM_FN(addr_table, find)(t ? t : old, FAM_FN(addr, of)(addr));
		was = e ? e->kinds : 0;
		kinds = !(was & ADDR_KIND_VIP) && is_nat(p, addr) ? was | ADDR_KIND_NAT_SERVER
								  : was & ~ADDR_KIND_NAT_SERVER;
		if (kinds == was)
			continue;
		if (!t)
			t = FAM_FN(addr_table, copy)(old, p->n_touched);
		if (!t)
			return -errno;
		FAM_FN(addr_table, set)(t, FAM_FN(addr, of)(addr), kinds);
	}
	if (t)
		FAM(snapshot_set_addrs)(p->draft, t);
	return 0;
}

int FAM(publisher_patch_owned)(struct publisher *p)
{
	const struct FAM(listener_table) *old = p->draft->FAM(owned);
	struct FAM(listener_table) *t;
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->n_touched; i++)
		n += p->touched[i].addr.family == FAM_FAMILY;
	if (n == 0)
		return 0;
	if (!old)
		return -ENOSPC;
	t = FAM_FN(listener_table, copy)(old, 2 * n);
	if (!t)
		return -errno;
	FAM_FN(owned_ports, patch)(t, p->draft, &p->pub->runtime, p->touched, p->n_touched);
	FAM(snapshot_set_owned)(p->draft, t);
	return 0;
}
