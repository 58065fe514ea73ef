/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/stages/service_match.h"

#include <netinet/in.h>

#include "dataplane/stages/classify.h"

#define PORT_FTP      21
#define PORT_FTP_DATA 20
#define PORT_USER     1024

static const struct service *listening(const struct snapshot *s, const struct FAM(key) *k,
				       be16 port)
{
	uint32_t id = FAM_FN(listener_table, find)(s->FAM(listeners), k->proto, k->daddr, port);

	return id ? s->services[id] : NULL;
}

/* A data connection belongs to the control connection's server, which only persistence tells. */
static const struct service *ftp_data(const struct snapshot *s, const struct FAM(key) *k)
{
	const struct service *svc;
	uint16_t port = be16_to(k->dport);

	if (k->proto != IPPROTO_TCP || (port != PORT_FTP_DATA && port < PORT_USER))
		return NULL;
	svc = listening(s, k, be16_from(PORT_FTP));
	return svc && svc->policy.persist_s ? svc : NULL;
}

static const struct service *marked(const struct worker *w, const struct FAM(pkt) *p)
{
	const struct snapshot *s = w->env.snap;
	/* Once, however often the packet comes by. */
	const bool count = pkt_tag(p->m)->kind == HANDOFF_STEER && !w->asks;
	const struct FAM(mark_key) key = {.saddr = p->key.saddr,
					  .daddr = p->key.daddr,
					  .link = p->link,
					  .sport = p->key.sport,
					  .dport = p->key.dport,
					  .proto = p->key.proto};
	uint32_t mark = FAM(classify)(s->marks, &key, count), id;

	id = mark ? FAM_FN(listener_table, find_mark)(s->FAM(listeners), mark) : 0;
	return id ? s->services[id] : NULL;
}

struct service_match FAM_FN(service, find)(const struct worker *w, const struct FAM(pkt) *p)
{
	const struct snapshot *s = w->env.snap;
	const struct FAM(key) *key = &p->key;
	const struct service *svc = s->marks ? marked(w, p) : NULL;

	if (svc)
		return (struct service_match){svc, false};
	svc = listening(s, key, key->dport);

	if (svc)
		return (struct service_match){svc, true};
	svc = ftp_data(s, key);
	if (!svc)
		svc = listening(s, key, 0);
	return (struct service_match){svc, false};
}

struct sched_request FAM_FN(service, request)(struct worker *w, const struct FAM(key) *key)
{
	return (struct sched_request){
		.family = FAMILY,
		.proto = key->proto,
		.client_port = key->sport,
		.dest_port = key->dport,
		.client = FAM(addr_from_addr)(key->saddr),
		.dest = FAM(addr_from_addr)(key->daddr),
		.now_s = w->env.now_s,
		.random = worker_random(w),
		.worker = &w->sched,
	};
}
