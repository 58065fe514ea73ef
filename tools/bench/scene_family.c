/* SPDX-License-Identifier: BSD-3-Clause */
/* Compiled for each address family: what of the scene has addresses in it. */
#include "bench.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/csum.h"
#include "dataplane/fullnat/crossing.h"
#include "dataplane/stages/ip.h"

#if FAMILY == 4
static be32 address(uint32_t net, uint32_t host)
{
	return be32_from(net + host);
}
#define NET_PUBLIC  0xc6336400U /* 198.51.100.0/24 */
#define NET_SERVERS 0xc0a80000U /* 192.168.0.0/16, from 192.168.10.11 on */
#define FIRST_HOST  0xa0bU
#define SERVER_BITS 16
#define NET_CLIENTS 0x0a400000U /* 10.64.0.0 */
#define NET_BITS    24
#else
static struct addr6 address(uint32_t net, uint32_t host)
{
	return (struct addr6){.word = {htobe64(0x20010db800000000ULL | net), htobe64(host)}};
}
#define NET_PUBLIC  0x00010000U /* 2001:db8:1::/64 */
#define NET_SERVERS 0x00100000U /* 2001:db8:10::/64 */
#define NET_CLIENTS 0x000c0000U /* 2001:db8:c:: */
#define FIRST_HOST  11
#define SERVER_BITS 64
#define NET_BITS    64
#endif

FAM_ADDR FAM_FN(scene, client)(uint32_t i)
{
	return address(NET_CLIENTS, i / 64);
}

FAM_ADDR FAM_FN(scene, vip)(void)
{
	return address(NET_PUBLIC, 100);
}

FAM_ADDR FAM_FN(scene, server)(unsigned int k)
{
	return address(NET_SERVERS, FIRST_HOST + k);
}

FAM_ADDR FAM_FN(scene, gateway)(void)
{
	return address(NET_PUBLIC, 1);
}

FAM_ADDR FAM_FN(scene, pool)(unsigned int k)
{
	return address(NET_SERVERS, 200 + k);
}

void FAM_FN(scene, tables)(struct snapshot *snap, const struct service *svc)
{
	struct FAM(addr_entry) *addrs = calloc(svc->n_servers + N_POOL + 1, sizeof(*addrs));
	const struct FAM(listener) listener = {.addr = FAM_FN(scene, vip)(),
					       .port = be16_from(SCENE_VIP_PORT),
					       .proto = IPPROTO_TCP,
					       .service_id = svc->rt->id};
	const bool mine = svc->family == FAM_FAMILY;
	const bool servers = svc->servers[0].addr.family == FAM_FAMILY;
	uint32_t n = 0;

	if (!addrs)
		fail("no memory for addresses");
	if (mine)
		addrs[n++] = (struct FAM(addr_entry)){FAM_FN(scene, vip)(),
						      ADDR_KIND_VIP | ADDR_KIND_ACTIVE, LINK_ANY};
	for (unsigned int k = 0; k < svc->n_servers && mine && svc->policy.forward == FWD_NAT; k++)
		addrs[n++] = (struct FAM(addr_entry)){FAM_FN(scene, server)(k),
						      ADDR_KIND_NAT_SERVER, LINK_ANY};
	for (unsigned int k = 0; k < N_POOL && servers && svc->policy.forward == FWD_FULLNAT; k++)
		addrs[n++] = (struct FAM(addr_entry)){
			FAM_FN(scene, pool)(k), ADDR_KIND_VIP | ADDR_KIND_ACTIVE | ADDR_KIND_POOL,
			link_id_of(0, 0)};
	FAM(snapshot_set_addrs)(snap, FAM_FN(addr_table, create)(addrs, n));
	free(addrs);
	FAM(snapshot_set_pool)(snap, FAM_FN(local_pool, create)(snap->FAM(addrs)));
	FAM(snapshot_set_listeners)(snap, FAM_FN(listener_table, create)(&listener, mine));
}

struct FAM(fib) *FAM_FN(scene, routes)(bool on)
{
	const link_id link = link_id_of(0, 0);
	const struct FAM(route) routes[] = {
		{.addr = address(NET_SERVERS, 0),
		 .len = SERVER_BITS,
		 .kind = ROUTE_ONLINK,
		 .mtu = 1500,
		 .link = link},
		{.addr = address(NET_PUBLIC, 0),
		 .len = NET_BITS,
		 .kind = ROUTE_ONLINK,
		 .mtu = 1500,
		 .link = link},
		{.addr = address(NET_PUBLIC, 254),
		 .len = FAM_BITS,
		 .kind = ROUTE_LOCAL,
		 .link = link},
		{.kind = ROUTE_GATEWAY, .mtu = 1500, .via = FAM_FN(scene, gateway)(), .link = link},
	};

	return FAM_FN(fib, create)(routes, on ? RTE_DIM(routes) : 0);
}

void FAM_FN(scene, nexthop)(struct published *pub, FAM_ADDR addr, uint8_t last)
{
	struct nexthop *nh = calloc(1, sizeof(*nh));
	const be16 type = be16_from(FAMILY == 4 ? RTE_ETHER_TYPE_IPV4 : RTE_ETHER_TYPE_IPV6);
	const uint8_t macs[12] = {0x02, 0, 0, 0, 2, last, 0x02, 0, 0, 0, 0, 1};

	if (!nh)
		fail("no memory for a next hop");
	memcpy(nh->l2, macs, sizeof(macs));
	memcpy(nh->l2 + sizeof(macs), &type, sizeof(type));
	nh->l2_len = sizeof(macs) + sizeof(type);
	nh->state = NEXTHOP_REACHABLE;
	nh->mtu = 1500;
	nh->link = link_id_of(0, 0);
	nh->addr = FAM(addr_from_addr)(addr);
	if (FAM(nexthop_add)(&pub->nexthops, nh->link, addr, nh) == 0)
		fail("no room for a next hop");
}

struct FAM(conn) *FAM_FN(scene, find)(const struct scene *s, uint32_t i)
{
	const struct FAM(key) key = {.saddr = FAM_FN(scene, client)(i),
				     .daddr = FAM_FN(scene, vip)(),
				     .sport = scene_client_port(i),
				     .dport = be16_from(SCENE_VIP_PORT),
				     .proto = IPPROTO_TCP};
	const struct FAM(table) *t = &s->w->FAM(v).table;

	return FAM_FN(table, find)(t, &key, FAM_FN(table, hash)(t, &key), DIR_IN);
}

/* The same where the pool is of the servers' family and that is another. */
static void other_local(struct scene *s, uint32_t i)
{
	const OTHER_ADDR local =
		FAM_FN(crossing, local)(s->w, FAM_FN(scene, find)(s, i), &s->local_port[i]);

	for (unsigned int k = 0; k < N_POOL; k++)
		if (OTHER_FN(addr, equal)(local, OTHER_FN(scene, pool)(k)))
			s->local_of[i] = (uint8_t)k;
}

void FAM_FN(scene, local)(struct scene *s, uint32_t i)
{
	const struct FAM(table) *t = &s->w->FAM(v).table;
	FAM_ADDR local;

	if (s->servers != s->family) {
		other_local(s, i);
		return;
	}
	local = FAM_FN(local, of)(t, FAM_FN(scene, find)(s, i), &s->local_port[i]);
	for (unsigned int k = 0; k < N_POOL; k++)
		if (FAM_FN(addr, equal)(local, FAM_FN(scene, pool)(k)))
			s->local_of[i] = (uint8_t)k;
}

void FAM_FN(scene, assure)(const struct scene *s, uint32_t i)
{
	struct FAM(conn) *c = FAM_FN(scene, find)(s, i);

	c->c.evidence |= EVIDENCE_ASSURED;
	FAM_FN(give_way, update)(s->w, c);
}

uint16_t FAM_FN(packet, ip)(const struct scene *s, uint8_t *l3, uint32_t i, enum pkt_dir dir,
			    uint16_t l4_len)
{
	const FAM_ADDR client = s->method == FWD_FULLNAT && dir == DIR_OUT
					? FAM_FN(scene, pool)(s->local_of[i])
					: FAM_FN(scene, client)(i);

	FAM_FN(ip, put)
	(l3, dir == DIR_IN ? client : FAM_FN(scene, server)(s->server_of[i]),
	 dir == DIR_IN ? FAM_FN(scene, vip)() : client, IPPROTO_TCP, l4_len, 0, 0, true);
	return FAMILY == 4 ? sizeof(struct rte_ipv4_hdr) : sizeof(struct rte_ipv6_hdr);
}
