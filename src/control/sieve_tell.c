/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/sieve_tell.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/control_internal.h"
#include "dataplane/dataplane.h"
#include "model/mark.h"
#include "model/runtime.h"

static int add_addresses(struct sieve_list *list, const struct snapshot *live)
{
	uint32_t n = 0;
	struct addr_entry *all = snapshot_addrs(live, &n);

	for (uint32_t i = 0; all && i < n; i++) {
		const struct addr_entry *e = &all[i];
		uint8_t len = e->addr.family == ADDR_V6 ? 128 : 32;

		if (e->kinds & (ADDR_KIND_VIP | ADDR_KIND_LINGERING))
			sieve_add_to(list, &e->addr, len, SIEVE_BALANCED);
		else if (e->kinds & ADDR_KIND_GATEWAY)
			sieve_add_to(list, &e->addr, len, SIEVE_GATEWAY);
	}
	free(all);
	return all ? 0 : -1;
}

static void add_covered(struct sieve_list *list, const struct snapshot *live)
{
	for (uint32_t i = 0; live->cover4 && i < live->cover4->n; i++) {
		const struct mark_cover_entry4 *e = &live->cover4->entries[i];
		struct addr addr = addr_from_v4(e->addr);

		sieve_add_to(list, &addr, e->len, SIEVE_BALANCED);
	}
	for (uint32_t i = 0; live->cover6 && i < live->cover6->n; i++) {
		const struct mark_cover_entry6 *e = &live->cover6->entries[i];
		struct addr addr = addr_from_addr6(e->addr);

		sieve_add_to(list, &addr, e->len, SIEVE_BALANCED);
	}
}

/* The protocol of a service; 0: of several, or not known. */
static uint8_t protocol_of(const struct service_rt *svc)
{
	if (svc && strncmp(svc->key, "tcp:", 4) == 0)
		return IPPROTO_TCP;
	return svc && strncmp(svc->key, "udp:", 4) == 0 ? IPPROTO_UDP : 0;
}

/* Servers that were removed are in the registry until their connections have ended. Connections of
 * a service that is gone, and data connections of FTP, come from any port. */
static void add_servers(struct sieve_list *list, const struct control *c,
			const struct snapshot *live)
{
	const struct runtime *rt = &c->pub->runtime;

	for (uint32_t id = 1; id <= MAX_SERVERS; id++) {
		const struct server_rt *srv = runtime_server(rt, id);
		const struct service *svc = srv ? snapshot_service(live, srv->service_id) : NULL;
		uint8_t proto = srv ? protocol_of(rt->services[srv->service_id]) : 0;
		bool any = !svc || svc->policy.ftp || proto == 0 || be16_to(srv->ep.port) == 0;

		if (!srv ||
		    (!forward_has(srv->method, FORWARD_BY_SOURCE) && !c->publisher.was_nat[id]))
			continue;
		sieve_add_server(list, &srv->ep.addr, any);
		if (!any)
			sieve_add_endpoint(list, &srv->ep, proto);
	}
}

void sieve_tell(struct control *c)
{
	const struct snapshot *live = c->publisher.live;
	struct sieve_list list = {0};

	if (!c->dp || c->dp->sieve.n_ports == 0)
		return;
	list.failed = add_addresses(&list, live) < 0;
	add_covered(&list, live);
	add_servers(&list, c, live);
	if (sieve_replace(&c->dp->sieve, SIEVE_BY_CONTROL, &list) < 0)
		log_error(CONTROL_AREA,
			  "no memory to tell XDP programs of addresses: told with the "
			  "next change");
}
