/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/bed.h"

#include <stdio.h>
#include <string.h>

#include "base/csum.h"
#include "lib/world.h"

void bed_neighbours(struct harness *h, link_id link, const char *const *addrs)
{
	for (; *addrs; addrs++) {
		struct mac m = {{2, 1}};
		char mac[MAC_STRLEN];
		struct addr a;

		if (addr_parse(*addrs, &a) < 0)
			continue;
		memcpy(m.byte + 2, &a.v4, 4);
		world_neighbour(h, link, *addrs, mac_format(&m, mac, sizeof(mac)));
	}
}

int bed_open(struct harness *h, unsigned int workers, uint64_t max_connections, bool far)
{
	const struct harness_config hc = {.n_workers = (uint16_t)workers,
					  .max_connections = max_connections};
	static const char *const gateway[] = {BED_GATEWAY, NULL};
	char error[256];

	if (harness_create(h, &hc, error) < 0) {
		fprintf(stderr, "%s\n", error);
		return -1;
	}
	world_route(h, "0.0.0.0/0", link_id_of(0, 0), far ? BED_GATEWAY : NULL);
	world_route(h, "10.10.0.0/16", link_id_of(1, 0), NULL);
	world_own(h, "192.168.1.254", link_id_of(0, 0));
	world_own(h, "10.10.255.254", link_id_of(1, 0));
	if (far)
		bed_neighbours(h, link_id_of(0, 0), gateway);
	return 0;
}

int bed_close(struct harness *h)
{
	char error[256];
	bool ok = harness_doors_add_up(h, error);
	unsigned int lost;

	if (!ok)
		fprintf(stderr, "doors: %s\n", error);
	lost = harness_destroy(h);
	if (lost)
		fprintf(stderr, "%u packet buffers lost\n", lost);
	return ok && lost == 0 ? 0 : -1;
}

uint64_t bed_dropped(const struct harness *h, enum drop_reason reason)
{
	struct worker_counters c;

	dataplane_worker_counters(h->dp, &c);
	return c.dropped[reason];
}

bool bed_error(struct harness *h, unsigned int port, struct packet *outer, struct packet *inner)
{
	struct rte_mbuf *m = harness_sent(h, (uint16_t)port);
	bool ok;

	if (!m)
		return false;
	ok = packet_describe(rte_pktmbuf_mtod(m, const uint8_t *), rte_pktmbuf_data_len(m),
			     outer) == 0;
	if (ok) {
		const uint8_t *ip = outer->data;

		memset(inner, 0, sizeof(*inner));
		memcpy(&inner->saddr, ip + 12, 4);
		memcpy(&inner->daddr, ip + 16, 4);
		memcpy(&inner->sport, ip + 20, 2);
		memcpy(&inner->dport, ip + 22, 2);
		inner->bad_ip = csum_fold(csum_add(0, ip, 20)) != 0xffff;
		outer->data = NULL;
	}
	rte_pktmbuf_free(m);
	return ok;
}
