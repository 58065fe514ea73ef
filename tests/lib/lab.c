/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/lab.h"

struct harness h;

const struct mac lab_router[2] = {{{2, 0, 0, 0, 0, 1}}, {{2, 0, 0, 0, 0, 2}}};
const struct mac lab_station = {{2, 9, 9, 9, 9, 9}};

int lab_open(void **state, uint64_t max_connections, bool far)
{
	static const char *const clients[] = {"192.168.1.1", NULL};
	static const char *const servers[] = {"10.10.0.1", "10.10.0.2", NULL};

	if (bed_open(&h, (unsigned int)(uintptr_t)*state, max_connections, far) < 0)
		return -1;
	if (!far)
		bed_neighbours(&h, link_id_of(0, 0), clients);
	bed_neighbours(&h, link_id_of(1, 0), servers);
	return 0;
}

int lab_close(void **state)
{
	(void)state;
	return bed_close(&h);
}

/* ---- in ---- */

struct packet lab_tcp(const char *from, uint16_t sport, const char *to, uint16_t dport,
		      uint8_t flags)
{
	return (struct packet){.saddr = ipv4(from),
			       .daddr = ipv4(to),
			       .sport = be16_from(sport),
			       .dport = be16_from(dport),
			       .proto = IPPROTO_TCP,
			       .tcp_flags = flags};
}

struct packet lab_udp(const char *from, uint16_t sport, const char *to, uint16_t dport,
		      uint16_t payload)
{
	return (struct packet){.saddr = ipv4(from),
			       .daddr = ipv4(to),
			       .sport = be16_from(sport),
			       .dport = be16_from(dport),
			       .proto = IPPROTO_UDP,
			       .payload = payload};
}

void lab_put_whole(const char *from, uint16_t sport, const char *to, uint16_t dport,
		   uint16_t payload)
{
	struct packet p = lab_udp(from, sport, to, dport, payload);

	p.df = 1;
	lab_put(0, p);
}

void lab_put_frame(unsigned int port, const uint8_t *frame, size_t len)
{
	struct rte_mbuf *m = harness_frame(&h, frame, (uint16_t)len);

	assert_non_null(m);
	assert_int_equal(harness_receive(&h, (uint16_t)port, 0, m), 0);
	harness_run(&h);
}

void lab_put_from(unsigned int port, struct mac from, struct packet p)
{
	uint8_t frame[FRAME_MAX];
	size_t len;

	packet_to_port(&p, port, &from);
	len = packet_build(&p, frame);
	lab_put_frame(port, frame, len);
}

void lab_put(unsigned int port, struct packet p)
{
	lab_put_from(port, lab_station, p);
}

/* ---- out ---- */

static void describe(const struct rte_mbuf *m, struct packet *p)
{
	assert_int_equal(
		packet_describe(rte_pktmbuf_mtod(m, const uint8_t *), rte_pktmbuf_data_len(m), p),
		0);
	p->data = NULL;
}

bool lab_got(unsigned int port, struct packet *p)
{
	struct rte_mbuf *m = harness_sent(&h, (uint16_t)port);

	if (!m)
		return false;
	describe(m, p);
	rte_pktmbuf_free(m);
	return true;
}

size_t lab_got_frame(unsigned int port, uint8_t frame[FRAME_MAX])
{
	struct rte_mbuf *m = harness_sent(&h, (uint16_t)port);
	size_t len;

	if (!m)
		return 0;
	len = m->pkt_len;
	assert_true(len <= FRAME_MAX && m->nb_segs == 1);
	memcpy(frame, rte_pktmbuf_mtod(m, const uint8_t *), len);
	rte_pktmbuf_free(m);
	return len;
}

size_t lab_got_ip(unsigned int port, uint8_t ip[FRAME_MAX])
{
	uint8_t frame[FRAME_MAX];
	const size_t len = lab_got_frame(port, frame);

	if (!len)
		return 0;
	memcpy(ip, frame + RTE_ETHER_HDR_LEN, len - RTE_ETHER_HDR_LEN);
	return len - RTE_ETHER_HDR_LEN;
}

enum punt_class lab_punted(struct packet *p)
{
	enum punt_class class = PUNT_MAX;
	struct rte_mbuf *m = harness_punted(&h, &class);

	if (!m)
		return PUNT_MAX;
	if (p)
		describe(m, p);
	rte_pktmbuf_free(m);
	return class;
}

unsigned int lab_drain(unsigned int port)
{
	struct rte_mbuf *m;
	unsigned int n = 0;

	for (; (m = harness_sent(&h, (uint16_t)port)) != NULL; n++)
		rte_pktmbuf_free(m);
	return n;
}

unsigned int lab_drain_punted(void)
{
	unsigned int n = 0;

	while (lab_punted(NULL) != PUNT_MAX)
		n++;
	return n;
}

void lab_nothing(void)
{
	assert_int_equal(lab_drain(0), 0);
	assert_int_equal(lab_drain(1), 0);
	assert_int_equal(lab_drain_punted(), 0);
}

/* ---- counted ---- */

struct worker_counters lab_counters(void)
{
	struct worker_counters c;

	dataplane_worker_counters(h.dp, &c);
	return c;
}

uint64_t lab_dropped(enum drop_reason reason)
{
	return bed_dropped(&h, reason);
}

/* ---- bytes ---- */

uint16_t lab_get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

void lab_put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}
