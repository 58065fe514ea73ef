/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/pair.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/fullnat/crossing.h"
#include "dataplane/sync/conn_sync.h"
#include "dataplane/conn/tcp_state.h"
#include "lib/world.h"
#include "sched/sched.h"

static const struct world_server nat[] = {{PAIR_SERVER1 ":8080", 1, FWD_NAT},
					  {PAIR_SERVER2 ":8080", 1, FWD_NAT}};
static const struct world_server dr[] = {{PAIR_SERVER1 ":81", 1, FWD_DR},
					 {PAIR_SERVER2 ":81", 1, FWD_DR}};
static const struct world_server full[] = {{PAIR_SERVER1 ":8080", 1, FWD_FULLNAT},
					   {PAIR_SERVER2 ":8080", 1, FWD_FULLNAT}};
/* Of the other family than the service. */
static const struct world_server sixes[] = {{"[" PAIR_SERVER6 "]:8080", 1, FWD_FULLNAT}};
static const struct world_server ftp[] = {{PAIR_SERVER1 ":21", 1, FWD_NAT}};
static const struct world_server full_ftp[] = {{PAIR_SERVER1 ":21", 1, FWD_FULLNAT}};

static int services(struct harness *h)
{
	const struct world_policy persistent = {.persist_s = 300, .netmask = 24};
	const struct world_policy is_ftp = {.ftp = true};
	const struct world_policy tells = {.client_address = CLIENT_ADDRESS_PROXY_V2};
	const struct sched_ops *rr = sched_find("rr");
	int rc = 0;

	rc |= world_service(h, "tcp", PAIR_VIP ":80", rr, nat, 2);
	rc |= world_service(h, "tcp", PAIR_VIP ":81", rr, dr, 2);
	rc |= world_service(h, "udp", PAIR_VIP ":53", rr, nat, 2);
	rc |= world_service(h, "mark", "7", rr, nat, 2);
	world_policy(h, &persistent);
	rc |= world_service(h, "tcp", PAIR_VIP ":443", rr, nat, 2);
	world_policy(h, &is_ftp);
	rc |= world_service(h, "tcp", PAIR_VIP ":21", rr, ftp, 1);
	rc |= world_service(h, "tcp", PAIR_VIP ":85", rr, full_ftp, 1);
	world_policy(h, NULL);
	rc |= world_service(h, "tcp", PAIR_VIP ":82", rr, full, 2);
	rc |= world_pool(h, "10.10.0.200", link_id_of(1, 0));
	world_policy(h, &tells);
	rc |= world_service(h, "tcp", PAIR_VIP ":83", rr, full, 2);
	world_policy(h, NULL);
	rc |= world_service(h, "tcp", PAIR_VIP ":84", rr, sixes, 1);
	rc |= world_route(h, "2001:db8:10::/48", link_id_of(1, 0), NULL);
	rc |= world_own(h, "2001:db8:10::fe", link_id_of(1, 0));
	rc |= world_neighbour(h, link_id_of(1, 0), PAIR_SERVER6, "02:06:00:00:00:02");
	rc |= world_pool(h, PAIR_LOCAL6, link_id_of(1, 0));
	return rc;
}

static int director_open(struct harness *h, unsigned int workers, uint64_t max, bool other_ids)
{
	static const char *const servers[] = {PAIR_SERVER1, PAIR_SERVER2, NULL};

	if (bed_open(h, workers, max, true) < 0)
		return -1;
	bed_neighbours(h, link_id_of(1, 0), servers);
	if (other_ids && (world_service(h, "tcp", "10.1.0.99:99", NULL, dr, 2) < 0 ||
			  world_service_del(h, "tcp", "10.1.0.99:99") < 0))
		return -1;
	if (services(h) < 0 || dataplane_sync_enable(h->dp) < 0)
		return -1;
	return 0;
}

int pair_open(struct pair *p, unsigned int workers_a, unsigned int workers_b, uint64_t max)
{
	memset(p, 0, sizeof(*p));
	if (director_open(&p->a, workers_a, max, false) < 0 ||
	    director_open(&p->b, workers_b, max, true) < 0)
		return -1;
	dataplane_sync_access(p->a.dp, &p->access_a);
	dataplane_sync_access(p->b.dp, &p->access_b);
	return 0;
}

int pair_close(struct pair *p)
{
	int a = bed_close(&p->a), b = bed_close(&p->b);

	return a == 0 && b == 0 ? 0 : -1;
}

/* ---- traffic ---- */

void pair_put(struct harness *h, unsigned int port, struct packet p)
{
	struct mac server = {{2, 1}}; /* as bed_neighbours() has it */
	uint8_t frame[FRAME_MAX];
	size_t len;

	memcpy(server.byte + 2, &p.saddr, 4);
	packet_to_port(&p, port, port ? &server : NULL);
	len = packet_build(&p, frame);
	harness_receive(h, (uint16_t)port, 0, harness_frame(h, frame, (uint16_t)len));
	harness_run(h);
}

bool pair_sent(struct harness *h, unsigned int port, struct packet *out)
{
	struct rte_mbuf *m = harness_sent(h, (uint16_t)port);
	enum punt_class class;
	bool found = m && packet_describe(rte_pktmbuf_mtod(m, const uint8_t *),
					  rte_pktmbuf_data_len(m), out) == 0;

	rte_pktmbuf_free(m);
	for (unsigned int i = 0; i < 2; i++)
		while ((m = harness_sent(h, (uint16_t)i)) != NULL)
			rte_pktmbuf_free(m);
	while ((m = harness_punted(h, &class)) != NULL)
		rte_pktmbuf_free(m);
	return found;
}

struct packet pair_from_client(uint32_t client, uint16_t sport, uint8_t proto, uint16_t dport,
			       uint8_t tcp_flags)
{
	return (struct packet){.saddr = be32_from(client),
			       .daddr = ipv4(PAIR_VIP),
			       .sport = be16_from(sport),
			       .dport = be16_from(dport),
			       .proto = proto,
			       .tcp_flags = tcp_flags,
			       .payload = proto == IPPROTO_UDP ? 18 : 0};
}

struct packet pair_answer(const struct packet *arrived, uint8_t tcp_flags)
{
	return (struct packet){.v6 = arrived->v6,
			       .saddr = arrived->daddr,
			       .daddr = arrived->saddr,
			       .saddr6 = arrived->daddr6,
			       .daddr6 = arrived->saddr6,
			       .sport = arrived->dport,
			       .dport = arrived->sport,
			       .proto = arrived->proto,
			       .tcp_flags = tcp_flags,
			       .payload = arrived->proto == IPPROTO_UDP ? 18 : 0};
}

be32 pair_connect(struct harness *h, uint32_t client, uint16_t sport, uint8_t proto, uint16_t dport)
{
	struct packet p;
	be32 server;

	pair_put(h, 0, pair_from_client(client, sport, proto, dport, TCP_SYN));
	if (!pair_sent(h, 1, &p))
		return 0;
	server = p.v6 ? 1 : p.daddr;
	if (p.daddr != ipv4(PAIR_VIP)) { /* NAT */
		pair_put(h, 1, pair_answer(&p, TCP_SYN | TCP_ACK));
		if (!pair_sent(h, 0, &p))
			return 0;
	}
	if (proto == IPPROTO_TCP) {
		pair_put(h, 0, pair_from_client(client, sport, proto, dport, TCP_ACK));
		if (!pair_sent(h, 1, &p))
			return 0;
	}
	return server;
}

/* ---- tables ---- */

uint32_t pair_entries(const struct harness *h)
{
	uint32_t n = 0;

	for (unsigned int i = 0; i < h->dp->n_workers; i++)
		n += h->dp->workers[i]->v4.table.n;
	return n;
}

static struct conn4 *find_key(struct harness *h, const struct key4 *k)
{
	unsigned int owner =
		owner4(&h->dp->owners, k->saddr, k->proto & PROTO_TEMPLATE ? 0 : k->sport);
	struct worker *w = h->dp->workers[owner];

	return table4_find(&w->v4.table, k, table4_hash(&w->v4.table, k), DIR_IN);
}

struct conn4 *pair_find(struct harness *h, be32 client, uint16_t sport, uint8_t proto, be32 vaddr,
			uint16_t vport)
{
	const struct key4 k = {.saddr = client,
			       .daddr = vaddr,
			       .sport = be16_from(sport),
			       .dport = be16_from(vport),
			       .proto = proto};

	return find_key(h, &k);
}

/* The local address and port of a connection by full NAT, or zeros. */
static struct endpoint local_of(struct harness *h, const struct conn4 *c)
{
	const unsigned int owner = owner4(&h->dp->owners, c->caddr, c->cport);
	const struct worker *w = h->dp->workers[owner];
	struct endpoint local = {0};

	if (c->c.method == FWD_FULLNAT && half4_crosses(c))
		local.addr = addr_from_addr6(crossing4_local(w, c, &local.port));
	else
		local.addr = addr_from_addr4(local4_of(&w->v4.table, c, &local.port));
	return local;
}

static bool same_local(struct pair *p, const struct conn4 *x, const struct conn4 *y)
{
	const struct endpoint a = local_of(&p->a, x), b = local_of(&p->b, y);

	return endpoint_equal(&a, &b);
}

static bool same(struct pair *p, const struct conn4 *x, const struct conn4 *y)
{
	const struct server_rt *s = runtime_server(&p->a.dp->pub.runtime, x->c.server);
	const struct server_rt *t = runtime_server(&p->b.dp->pub.runtime, y->c.server);
	const struct service_rt *u = runtime_service_of(&p->a.dp->pub.runtime, s);
	const struct service_rt *v = runtime_service_of(&p->b.dp->pub.runtime, t);

	return x->c.state == y->c.state && x->daddr == y->daddr && x->dport == y->dport &&
	       x->c.method == y->c.method && x->proxy == y->proxy && x->proxy_len == y->proxy_len &&
	       same_local(p, x, y) && endpoint_equal(&s->ep, &t->ep) && strcmp(u->key, v->key) == 0;
}

static bool all_there(struct pair *p, uint32_t *n)
{
	for (unsigned int i = 0; i < p->a.dp->n_workers; i++) {
		const struct table4 *t = &p->a.dp->workers[i]->v4.table;

		for (uint32_t k = 1; k < t->unused; k++) {
			const struct conn4 *c = &t->conns[k], *other;
			struct key4 key;

			if (!(c->c.flags & CONN_F_LIVE) ||
			    ((c->c.flags & CONN_F_EMBRYONIC) && !(c->c.flags & CONN_F_TEMPLATE)))
				continue;
			if ((c->c.flags & CONN_F_TEMPLATE) && !c->c.assured)
				continue;
			conn4_key(t, c, DIR_IN, &key);
			other = find_key(&p->b, &key);
			if (!other || !same(p, c, other)) {
				fprintf(stderr, "port %u, protocol %u, state %u: %s\n",
					be16_to(c->cport), c->c.proto, c->c.state,
					other ? "differs" : "is not there");
				return false;
			}
			(*n)++;
		}
	}
	return true;
}

static bool counts_equal(struct pair *p)
{
	static const char *const services_of[][2] = {
		{"tcp", PAIR_VIP ":80"}, {"udp", PAIR_VIP ":53"}, {"tcp", PAIR_VIP ":443"}};

	for (unsigned int i = 0; i < 6; i++) {
		const char *const *s = services_of[i / 2];
		const char *server = i % 2 ? PAIR_SERVER2 ":8080" : PAIR_SERVER1 ":8080";
		uint64_t a = server_rt_counts(world_server(&p->a, s[0], s[1], server));
		uint64_t b = server_rt_counts(world_server(&p->b, s[0], s[1], server));

		if (a == b)
			continue;
		fprintf(stderr, "%s %s %s: %u/%u active/inactive, the other %u/%u\n", s[0], s[1],
			server, counts_active(a), counts_inactive(a), counts_active(b),
			counts_inactive(b));
		return false;
	}
	return true;
}

bool pair_equal(struct pair *p)
{
	uint32_t n = 0;

	if (!all_there(p, &n))
		return false;
	if (n != pair_entries(&p->b)) {
		fprintf(stderr, "%u entries, the other has %u\n", n, pair_entries(&p->b));
		return false;
	}
	return counts_equal(p);
}
