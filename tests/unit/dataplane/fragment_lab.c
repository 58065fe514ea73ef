/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "base/csum.h"
#include "sched/sched.h"
#include "unit/dataplane/fragment_lab.h"

int fragment_setup(void **state)
{
	static const struct world_server nat[] = {{SERVER ":8053", 1, FWD_NAT}};
	static const struct world_server dr[] = {{SERVER2 ":54", 1, FWD_DR}};
	static const struct world_server tunnel[] = {{SERVER2 ":55", 1, FWD_TUNNEL}};
	static const struct world_server local[] = {{"192.168.1.254:80", 1, FWD_LOCAL}};
	const struct sched_ops *rr = sched_find("rr");

	if (lab_open(state, 0, false) < 0)
		return -1;
	world_service(&h, "udp", VIP ":53", rr, nat, 1);
	world_service(&h, "udp", VIP ":54", rr, dr, 1);
	world_service(&h, "udp", VIP ":55", rr, tunnel, 1);
	world_service(&h, "tcp", VIP ":80", rr, local, 1);
	return 0;
}

struct packet udp_from_client(uint16_t sport, uint16_t dport, uint16_t payload)
{
	return (struct packet){.dst = lab_router[0],
			       .src = lab_station,
			       .saddr = ipv4(CLIENT),
			       .daddr = ipv4(VIP),
			       .sport = be16_from(sport),
			       .dport = be16_from(dport),
			       .proto = IPPROTO_UDP,
			       .payload = payload};
}

void header_sum(uint8_t *ip)
{
	be16 sum;

	memset(ip + 10, 0, 2);
	sum = csum_of(ip, (size_t)(ip[0] & 0xf) * 4);
	memcpy(ip + 10, &sum, 2);
}

void gather(unsigned int port, unsigned int n, struct datagram *d)
{
	size_t data = 0;
	uint16_t id = 0;

	memset(d, 0, sizeof(*d));
	for (d->n = 0; d->n < n; d->n++) {
		struct rte_mbuf *m = harness_sent(&h, (uint16_t)port);
		const uint8_t *f, *ip;
		size_t ihl, len, at;

		assert_non_null(m);
		f = rte_pktmbuf_mtod(m, const uint8_t *);
		ip = f + ETH;
		ihl = (size_t)(ip[0] & 0xf) * 4;
		len = lab_get16(ip + 2) - ihl;
		at = (lab_get16(ip + 6) & 0x1fffU) * 8U;
		assert_int_equal(csum_fold(csum_add(0, ip, ihl)), 0xffff);
		assert_int_equal(rte_pktmbuf_pkt_len(m), ETH + lab_get16(ip + 2));
		assert_int_equal(m->nb_segs, 1);
		if (d->n == 0)
			id = lab_get16(ip + 4);
		assert_int_equal(lab_get16(ip + 4), id);
		if (at == 0)
			memcpy(d->frame, f, ETH + ihl);
		if (!(ip[6] & 0x20))
			data = at + len;
		else
			assert_int_equal(len % 8, 0);
		assert_true(ETH + ihl + at + len <= sizeof(d->frame));
		memcpy(d->frame + ETH + ihl + at, ip + ihl, len);
		memcpy(d->options[d->n], ip + 20, ihl - 20);
		d->at[d->n] = (uint16_t)at;
		d->total[d->n] = lab_get16(ip + 2);
		rte_pktmbuf_free(m);
	}
	assert_null(harness_sent(&h, (uint16_t)port));
	assert_true(data > 0);
	d->len = ETH + (size_t)(d->frame[ETH] & 0xf) * 4 + data;
	lab_put16(d->frame + ETH + 2, (uint16_t)(d->len - ETH));
	d->frame[ETH + 6] &= 0x40;
	header_sum(d->frame + ETH);
}

void lan_mtu(uint16_t mtu)
{
	const link_id lan = link_id_of(1, 0);

	world_link(&h, lan, mtu);
	world_neighbour(&h, lan, SERVER, "02:01:0a:0a:00:01");
	world_neighbour(&h, lan, SERVER2, "02:01:0a:0a:00:02");
}
