/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/worker.h"

#include <errno.h>
#include <string.h>

#include "dataplane/exits/drop_log.h"
#include "dataplane/ftp/ftp.h"
#include "dataplane/pages.h"
#include "dataplane/tunnel/tunnel.h"

int pkt_tag_offset = -1;

int pkt_tag_register(void)
{
	static const struct rte_mbuf_dynfield field = {
		.name = "plvs_pkt_tag",
		.size = sizeof(struct pkt_tag),
		.align = _Alignof(uint64_t),
	};
	int offset = rte_mbuf_dynfield_register(&field);

	if (offset < 0)
		return -rte_errno;
	pkt_tag_offset = offset;
	return 0;
}

#define ICMP_ERRORS_PER_S 1000
#define RESETS_PER_S	  1000
#define CLAIMS_PER_S	  64

static void rate_init(struct rate_limit *r, uint32_t per_s)
{
	r->per_tick = (per_s + CONN_TICK_HZ - 1) / CONN_TICK_HZ;
	r->burst = per_s;
	r->tokens = per_s;
}

static void parts_free(struct worker *w)
{
	pages_free(w->tunnel_paths, sizeof(*w->tunnel_paths) * (MAX_SERVERS + 1));
	pages_free(w->handshakes, sizeof(*w->handshakes) * (MAX_SERVERS + 1));
	pages_free(w->drop_log, sizeof(*w->drop_log));
	pages_free(w->ftp, sizeof(*w->ftp));
	pages_free(w->servers, sizeof(*w->servers) * (MAX_SERVERS + 1));
	pages_free(w->sched.place_of, sizeof(*w->sched.place_of) * (MAX_SERVERS + 1));
}

int worker_init(struct worker *w, uint16_t id, uint32_t capacity, int socket, uint64_t seed,
		const struct published *pub)
{
	int ret;

	memset(w, 0, sizeof(*w));
	w->id = id;
	w->n_workers = 1;
	w->socket = (int16_t)socket;
	w->pub = pub;
	w->nexthops = (struct nexthop_table *)&pub->nexthops;
	w->random = (seed + id) | 1;
	w->link_eventfd = -1;
	for (unsigned int p = 0; p < MAX_PORTS; p++)
		w->tx_queue[p] = -1;
	for (unsigned int c = 0; c < PUNT_MAX; c++)
		rate_init(&w->punt_rate[c], punt_rates[c]);
	rate_init(&w->icmp_rate, ICMP_ERRORS_PER_S);
	rate_init(&w->claim_rate, CLAIMS_PER_S);
	rate_init(&w->reset_rate, RESETS_PER_S);
	ret = worker4_init(w, capacity, seed);
	if (ret < 0)
		return ret;
	ret = worker6_init(w, capacity, ~seed);
	if (ret < 0)
		goto err_v4;
	w->servers = pages_alloc(sizeof(*w->servers) * (MAX_SERVERS + 1), socket);
	w->ftp = pages_alloc(sizeof(*w->ftp), socket); /* touched when there is FTP */
	w->tunnel_paths = pages_alloc(sizeof(*w->tunnel_paths) * (MAX_SERVERS + 1), socket);
	w->handshakes = pages_alloc(sizeof(*w->handshakes) * (MAX_SERVERS + 1), socket);
	w->drop_log = pages_alloc(sizeof(*w->drop_log), socket);
	w->sched.id = id;
	if (pub->runtime.slots) /* explain has rows of its own */
		w->sched.row = runtime_row(&pub->runtime, id);
	w->sched.place_of = pages_alloc(sizeof(*w->sched.place_of) * (MAX_SERVERS + 1), socket);
	if (w->servers && w->ftp && w->tunnel_paths && w->handshakes && w->drop_log &&
	    w->sched.place_of)
		return 0;
	ret = -ENOMEM;
	parts_free(w);
	worker6_fini(w);
err_v4:
	worker4_fini(w);
	return ret;
}

void worker_fini(struct worker *w)
{
	parts_free(w);
	worker6_fini(w);
	worker4_fini(w);
	memset(w, 0, sizeof(*w));
}
