/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/flow.h"

#include <netinet/in.h>

#include "dataplane/conn/tcp_state.h"
#include "lib/bed.h"
#include "lib/packet.h"
#include "lib/world.h"
#include "sched/sched.h"

int flow_bed_open(struct harness *h, unsigned int workers, uint64_t max_connections)
{
	static const struct world_server nat[] = {{FLOW_SERVER ":8080", 1, FWD_NAT}};
	static const struct world_server dr[] = {{FLOW_SERVER ":0", 1, FWD_DR}};
	static const char *const servers[] = {FLOW_SERVER, NULL};
	const struct sched_ops *rr = sched_find("rr");

	if (bed_open(h, workers, max_connections, true) < 0)
		return -1;
	bed_neighbours(h, link_id_of(1, 0), servers);
	if (world_service(h, "tcp", FLOW_VIP ":80", rr, nat, 1) < 0 ||
	    world_service(h, "tcp", FLOW_VIP ":81", rr, dr, 1) < 0 ||
	    world_service(h, "udp", FLOW_VIP ":53", rr, nat, 1) < 0 ||
	    world_service(h, "udp", FLOW_VIP ":54", rr, dr, 1) < 0)
		return -1;
	return 0;
}

struct flow flow_of(struct harness *h, uint32_t client, uint16_t port, bool nat)
{
	return (struct flow){.h = h,
			     .client = client,
			     .port = port,
			     .nat = nat,
			     .cseq = client * 2654435761U + port,
			     .sseq = client * 40503U ^ 0x80000000U};
}

static uint16_t service_port(const struct flow *f)
{
	if (f->udp)
		return f->nat ? FLOW_UDP_NAT : FLOW_UDP_DR;
	return f->nat ? FLOW_PORT_NAT : FLOW_PORT_DR;
}

static void frame_put(struct harness *h, uint16_t port, struct packet *p)
{
	uint8_t frame[FRAME_MAX];
	size_t len;

	packet_to_port(p, port, NULL);
	len = packet_build(p, frame);
	harness_receive(h, port, 0, harness_frame(h, frame, (uint16_t)len));
}

void flow_raw(const struct flow *f, unsigned int dir, uint8_t flags, uint32_t seq, uint32_t ack,
	      uint16_t payload)
{
	struct packet p = {.saddr = be32_from(f->client),
			   .daddr = ipv4(FLOW_VIP),
			   .sport = be16_from(f->port),
			   .dport = be16_from(service_port(f)),
			   .proto = f->udp ? IPPROTO_UDP : IPPROTO_TCP,
			   .tcp_flags = flags,
			   .seq = seq,
			   .ack = ack,
			   .payload = payload};

	if (dir == DIR_OUT) {
		p.daddr = p.saddr;
		p.dport = p.sport;
		p.saddr = ipv4(FLOW_SERVER);
		p.sport = be16_from(FLOW_PORT_BASE);
	}
	frame_put(f->h, dir == DIR_OUT, &p);
}

void flow_send(struct flow *f, unsigned int dir, uint8_t flags, uint16_t payload)
{
	uint32_t *own = dir == DIR_OUT ? &f->sseq : &f->cseq;
	const uint32_t other = dir == DIR_OUT ? f->cseq : f->sseq;

	if (dir == DIR_IN || f->nat)
		flow_raw(f, dir, flags, *own, flags & TCP_ACK ? other : 0, payload);
	*own += payload + !!(flags & TCP_SYN) + !!(flags & TCP_FIN);
}

unsigned int flow_drain(struct harness *h)
{
	unsigned int n = 0;

	harness_run(h);
	for (uint16_t port = 0; port < 2; port++) {
		struct rte_mbuf *m;

		while ((m = harness_sent(h, port)) != NULL) {
			rte_pktmbuf_free(m);
			n++;
		}
	}
	return n;
}

bool flow_pass(struct flow *f, unsigned int dir, uint8_t flags, uint16_t payload)
{
	flow_send(f, dir, flags, payload);
	return flow_drain(f->h) != 0;
}

bool flow_pass_raw(const struct flow *f, unsigned int dir, uint8_t flags, uint32_t seq,
		   uint32_t ack, uint16_t payload)
{
	flow_raw(f, dir, flags, seq, ack, payload);
	return flow_drain(f->h) != 0;
}

void flow_open(struct flow *f)
{
	flow_pass(f, DIR_IN, TCP_SYN, 0);
	flow_pass(f, DIR_OUT, TCP_SYN | TCP_ACK, 0);
	flow_pass(f, DIR_IN, TCP_ACK, 0);
}

struct conn4 *flow_entry(const struct flow *f)
{
	const struct key4 key = {.saddr = be32_from(f->client),
				 .daddr = ipv4(FLOW_VIP),
				 .sport = be16_from(f->port),
				 .dport = be16_from(service_port(f)),
				 .proto = f->udp ? IPPROTO_UDP : IPPROTO_TCP};
	unsigned int owner = owner4(&f->h->dp->owners, key.saddr, key.sport);
	const struct table4 *t = &f->h->dp->workers[owner]->v4.table;

	return table4_find(t, &key, table4_hash(t, &key), DIR_IN);
}
