/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/runtime_hosts.h"

#include <errno.h>
#include <string.h>

#include "base/sparse.h"

#define CHAINS (1U << 17)

#define CHAIN_BYTES (CHAINS * sizeof(uint32_t))
#define LINK_BYTES  ((MAX_SERVERS + 1) * sizeof(uint32_t))

int runtime_hosts_init(struct runtime_hosts *h)
{
	h->first = sparse_get(CHAIN_BYTES);
	h->next = sparse_get(LINK_BYTES);
	h->prev = sparse_get(LINK_BYTES);
	return h->first && h->next && h->prev ? 0 : -ENOMEM;
}

void runtime_hosts_fini(struct runtime_hosts *h)
{
	sparse_put(h->first, CHAIN_BYTES);
	sparse_put(h->next, LINK_BYTES);
	sparse_put(h->prev, LINK_BYTES);
	memset(h, 0, sizeof(*h));
}

static uint32_t *chain_of(const struct runtime_hosts *h, const struct addr *addr)
{
	return &h->first[addr_hash(addr) & (CHAINS - 1)];
}

void runtime_hosts_add(struct runtime_hosts *h, const struct server_rt *srv)
{
	uint32_t *first = chain_of(h, &srv->ep.addr);

	h->prev[srv->id] = 0;
	h->next[srv->id] = *first;
	if (*first)
		h->prev[*first] = srv->id;
	*first = srv->id;
}

void runtime_hosts_del(struct runtime_hosts *h, const struct server_rt *srv)
{
	const uint32_t next = h->next[srv->id], prev = h->prev[srv->id];

	if (prev)
		h->next[prev] = next;
	else
		*chain_of(h, &srv->ep.addr) = next;
	if (next)
		h->prev[next] = prev;
}

const struct server_rt *runtime_host_next(const struct runtime *rt, const struct addr *addr,
					  const struct server_rt *last)
{
	uint32_t id = last ? rt->hosts.next[last->id] : *chain_of(&rt->hosts, addr);

	while (id && !addr_equal(&rt->servers[id]->ep.addr, addr))
		id = rt->hosts.next[id];
	return id ? rt->servers[id] : NULL;
}
