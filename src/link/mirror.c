/* SPDX-License-Identifier: BSD-3-Clause */
#include "link/mirror.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/if.h>
#include <linux/rtnetlink.h>

#include "base/array.h"
#include "link/mirror_route.h"

static uint32_t ifindex_hash(int ifindex)
{
	return hash_seeded(&ifindex, sizeof(ifindex));
}

static struct iface *iface_of(struct hash_node *node)
{
	return (struct iface *)node; /* first member */
}

static void iface_destroy(struct hash_node *node)
{
	free(iface_of(node)->addrs);
	free(node);
}

static void addr_destroy(struct hash_node *node)
{
	free(node);
}

int mirror_init(struct mirror *m, uint16_t n_ports)
{
	memset(m, 0, sizeof(*m));
	m->n_ports = n_ports;
	if (hash_table_reserve(&m->ifaces) == 0 && hash_table_reserve(&m->addrs) == 0 &&
	    hash_table_reserve(&m->routes) == 0)
		return 0;
	mirror_fini(m);
	return -ENOMEM;
}

void mirror_fini(struct mirror *m)
{
	hash_table_fini(&m->routes, mirror_route_destroy);
	hash_table_fini(&m->addrs, addr_destroy);
	hash_table_fini(&m->ifaces, iface_destroy);
	for (unsigned int i = 0; i < MAX_PORTS; i++)
		free(m->by_link[i]);
	free(m->anchors);
	free(m->loose);
}

int mirror_set_loose(struct mirror *m, link_id link)
{
	if (array_room(&m->loose, m->n_loose, &m->max_loose, sizeof(*m->loose)) < 0)
		return -ENOMEM;
	m->loose[m->n_loose++] = link;
	return 0;
}

static bool is_loose(const struct mirror *m, link_id link)
{
	for (uint32_t i = 0; i < m->n_loose; i++)
		if (m->loose[i] == link || m->loose[i] == link_id_of(link_port(link), 0))
			return true;
	return false;
}

struct iface *mirror_iface(const struct mirror *m, int ifindex)
{
	struct hash_node *node = hash_table_first(&m->ifaces, ifindex_hash(ifindex));

	while (node && iface_of(node)->ifindex != ifindex)
		node = hash_table_next(node);
	return node ? iface_of(node) : NULL;
}

struct iface *mirror_iface_by_link(const struct mirror *m, link_id link)
{
	if (link >= LINK_MAX || !m->by_link[link_port(link)])
		return NULL;
	return m->by_link[link_port(link)][link_vlan(link)];
}

static unsigned int iface_del(struct mirror *m, struct iface *iface, link_id *link)
{
	*link = iface->link;
	m->by_link[link_port(iface->link)][link_vlan(iface->link)] = NULL;
	hash_table_del(&m->ifaces, &iface->by_ifindex);
	iface_destroy(&iface->by_ifindex);
	return MIRROR_FIB | MIRROR_REREAD | MIRROR_LINK_GONE;
}

static struct mirror_anchor *anchor_find(const struct mirror *m, link_id link)
{
	for (uint32_t i = 0; i < m->n_anchors; i++)
		if (m->anchors[i].link == link)
			return &m->anchors[i];
	return NULL;
}

/* Removes the addresses and routes of an interface that went. */
static void forget_ifaces(struct mirror *m, link_id link)
{
	struct iface **page = m->by_link[link_port(link)];
	unsigned int first = link_vlan(link), last = first ? first : 4095;
	link_id ignored;

	for (unsigned int vlan = first; page && vlan <= last; vlan++)
		if (page[vlan])
			iface_del(m, page[vlan], &ignored);
}

int mirror_set_tap(struct mirror *m, link_id link, int ifindex)
{
	struct mirror_anchor *anchor = anchor_find(m, link);

	if (!anchor) {
		if (array_room(&m->anchors, m->n_anchors, &m->max_anchors, sizeof(*anchor)) < 0)
			return -ENOMEM;
		anchor = &m->anchors[m->n_anchors++];
		*anchor = (struct mirror_anchor){link, 0};
	}
	if (anchor->ifindex != ifindex)
		forget_ifaces(m, link);
	anchor->ifindex = ifindex;
	return 0;
}

/* The link that an interface stands for, or LINK_ANY: none of ours. */
static link_id link_of(const struct mirror *m, const struct nl_link *l)
{
	int tap = l->vlan ? l->parent : l->ifindex;

	for (uint32_t i = 0; i < m->n_anchors; i++) {
		const struct mirror_anchor *a = &m->anchors[i];

		if (a->ifindex == 0 || a->ifindex != tap)
			continue;
		if (l->vlan == 0)
			return a->link;
		/* A tag within a tag is no link. */
		return link_vlan(a->link) ? LINK_ANY : link_id_of(link_port(a->link), l->vlan);
	}
	return LINK_ANY;
}

static struct iface *iface_add(struct mirror *m, int ifindex, link_id link)
{
	struct iface **page = m->by_link[link_port(link)];
	struct iface *iface;

	if (!page) {
		page = calloc(4096, sizeof(*page));
		if (!page)
			return NULL;
		m->by_link[link_port(link)] = page;
	}
	iface = calloc(1, sizeof(*iface));
	if (!iface)
		return NULL;
	iface->ifindex = ifindex;
	iface->link = link;
	iface->info.known = true;
	iface->info.loose = is_loose(m, link);
	hash_table_add(&m->ifaces, &iface->by_ifindex, ifindex_hash(ifindex));
	page[link_vlan(link)] = iface;
	return iface;
}

static unsigned int iface_update(struct iface *iface, const struct nl_link *l, bool fresh)
{
	uint32_t changed = iface->flags ^ l->flags;
	struct link_info info = iface->info;
	unsigned int bits = 0;

	info.up = (l->flags & IFF_UP) && (l->flags & IFF_LOWER_UP);
	info.mtu = (uint16_t)(l->mtu > UINT16_MAX ? UINT16_MAX : l->mtu);
	if (l->has_mac)
		info.mac = l->mac;
	if (l->name[0])
		memcpy(info.name, l->name, sizeof(info.name));
	if (memcmp(&info, &iface->info, sizeof(info)) != 0)
		bits |= MIRROR_FIB;
	if (info.mtu != iface->info.mtu ||
	    memcmp(&info.mac, &iface->info.mac, sizeof(info.mac)) != 0)
		bits |= MIRROR_LINK_EDIT;
	/* Routes of an interface go without a word when it goes down, and come back with
	 * words; LOWER_UP moves the dead flag of their next hops. */
	if (changed & (IFF_UP | IFF_LOWER_UP))
		bits |= MIRROR_REREAD | MIRROR_FIB;
	if (fresh || (changed & l->flags & (IFF_UP | IFF_LOWER_UP)))
		bits |= MIRROR_LINK_NEW;
	iface->info = info;
	iface->flags = l->flags;
	return bits;
}

#define IFF_SEEN 0x80000000U /* not a flag of Linux: seen in this reading */

static unsigned int apply_link(struct mirror *m, const struct nl_event *ev, link_id *link)
{
	const struct nl_link *l = &ev->link;
	struct iface *iface = mirror_iface(m, l->ifindex), *other;
	struct nl_link seen = *l;
	unsigned int bits = 0;
	link_id id;

	if (ev->gone)
		return iface ? iface_del(m, iface, link) : 0;
	id = link_of(m, l);
	if (iface && iface->link != id)
		bits = iface_del(m, iface, link); /* an index used again: events were missed */
	if (id == LINK_ANY)
		return bits;
	iface = mirror_iface(m, l->ifindex);
	if (!iface) {
		other = mirror_iface_by_link(m, id);
		if (other)
			bits |= iface_del(m, other, link);
		iface = iface_add(m, l->ifindex, id);
		if (!iface)
			return bits | MIRROR_REREAD;
		bits |= MIRROR_LINK_NEW | MIRROR_REREAD;
	}
	*link = id;
	seen.flags |= IFF_SEEN;
	bits |= iface_update(iface, &seen, bits & MIRROR_LINK_NEW);
	/* Gone and new at once: new says it all, the link is there. */
	return bits & MIRROR_LINK_NEW ? bits & ~MIRROR_LINK_GONE : bits;
}

void mirror_ifaces_begin(struct mirror *m)
{
	struct hash_node *node = NULL;
	uint32_t cursor = 0;

	while ((node = hash_table_walk(&m->ifaces, &cursor, node)))
		iface_of(node)->flags &= ~IFF_SEEN;
}

unsigned int mirror_ifaces_end(struct mirror *m, void (*gone)(void *arg, link_id link), void *arg)
{
	unsigned int bits = 0;

	for (unsigned int p = 0; p < m->n_ports; p++) {
		for (unsigned int v = 0; m->by_link[p] && v < 4096; v++) {
			struct iface *iface = m->by_link[p][v];
			link_id link;

			if (!iface || iface->flags & IFF_SEEN)
				continue;
			bits |= iface_del(m, iface, &link);
			gone(arg, link);
		}
	}
	return bits;
}

struct addr_key {
	int ifindex;
	struct addr addr;
	uint32_t len;
};

static struct mirror_addr *addr_find(const struct mirror *m, const struct addr_key *key,
				     uint64_t hash)
{
	struct hash_node *node = hash_table_first(&m->addrs, hash);

	for (; node; node = hash_table_next(node)) {
		struct mirror_addr *a = (struct mirror_addr *)node;

		if (a->ifindex == key->ifindex && addr_equal(&a->addr, &key->addr) &&
		    a->len == key->len)
			return a;
	}
	return NULL;
}

static bool is_host(const struct addr *a, uint8_t len)
{
	return len == (a->family == ADDR_V6 ? 128 : 32);
}

static unsigned int apply_addr(struct mirror *m, const struct nl_event *ev)
{
	const struct nl_addr *ad = &ev->addr;
	const struct addr_key key = {ad->ifindex, ad->addr, ad->len};
	uint64_t hash = hash_seeded(&key, sizeof(key));
	struct mirror_addr *a = addr_find(m, &key, hash);

	if (ev->gone) {
		if (!a)
			return 0;
		hash_table_del(&m->addrs, &a->by_key);
		addr_destroy(&a->by_key);
		/* Routes with this source go without a word. A host's address has none but
		 * its local one, which is announced: VIPs by the thousand stay cheap. */
		return is_host(&ad->addr, ad->len) ? MIRROR_FIB : MIRROR_FIB | MIRROR_REREAD;
	}
	/* Addresses elsewhere (lo, a management port) are known by their local routes. */
	if (!mirror_iface(m, ad->ifindex))
		return 0;
	if (a) {
		bool same = a->unusable == ad->unusable;

		a->unusable = ad->unusable;
		return same ? 0 : MIRROR_FIB;
	}
	a = calloc(1, sizeof(*a));
	if (!a)
		return MIRROR_REREAD;
	a->ifindex = ad->ifindex;
	a->addr = ad->addr;
	a->len = ad->len;
	a->proto = ad->proto;
	a->unusable = ad->unusable;
	hash_table_add(&m->addrs, &a->by_key, hash);
	return MIRROR_FIB;
}

unsigned int mirror_apply(struct mirror *m, const struct nl_event *ev, link_id *link)
{
	switch (ev->kind) {
	case NL_LINK:
		return apply_link(m, ev, link);
	case NL_ADDR:
		return apply_addr(m, ev);
	case NL_ROUTE:
		return mirror_apply_route(m, ev);
	case NL_NEXTHOP:
		/* IPv4 routes that end with their object go without a word. */
		return MIRROR_REREAD;
	case NL_NEIGH:
		break;
	}
	return 0;
}

void mirror_clear_routes(struct mirror *m)
{
	hash_table_clear(&m->routes, mirror_route_destroy);
	m->n_left_out = 0;
}

void mirror_clear_addrs(struct mirror *m)
{
	hash_table_clear(&m->addrs, addr_destroy);
}

struct mirror_addr *mirror_addr_walk(const struct mirror *m, uint32_t *cursor,
				     const struct mirror_addr *prev)
{
	return (struct mirror_addr *)hash_table_walk(&m->addrs, cursor,
						     prev ? &prev->by_key : NULL);
}
