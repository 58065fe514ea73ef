/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "dataplane/conn/tcp_state.h"
#include "lib/world.h"
#include "unit/dataplane/ftp_talk.h"

#define GREETING "220 ready\r\n"

struct harness h;
uint32_t client_seq, server_seq;

static uint8_t last[FRAME_MAX];
static uint32_t client_top; /* behind what the client's control connection has sent */
static int32_t grown;	    /* bytes by which texts of the server have grown */

static int bed_setup_n(unsigned int workers)
{
	static const char *const servers[] = {SERVER, NULL};
	const struct world_policy ftp = {.ftp = true};
	const struct world_server server = {SERVER ":21", 1, FWD_NAT};

	if (bed_open(&h, workers, 0, true) < 0)
		return -1;
	bed_neighbours(&h, link_id_of(1, 0), servers);
	world_policy(&h, &ftp);
	world_service(&h, "tcp", VIP ":21", NULL, &server, 1);
	return 0;
}

int bed_setup(void **state)
{
	(void)state;
	return bed_setup_n(1);
}

int bed_setup_3(void **state)
{
	(void)state;
	return bed_setup_n(3);
}

int bed_teardown(void **state)
{
	(void)state;
	return bed_close(&h);
}

struct packet pass(unsigned int port, struct packet p)
{
	static const struct mac stranger = {{2, 9, 9, 9, 9, 9}}, none;
	uint8_t frame[FRAME_MAX];
	struct packet got = {0};
	struct rte_mbuf *m;
	size_t len;

	p.proto = IPPROTO_TCP;
	p.dst = (struct mac){{2, 0, 0, 0, 0, (uint8_t)(port + 1)}};
	if (memcmp(&p.src, &none, sizeof(none)) == 0)
		p.src = stranger;
	len = packet_build(&p, frame);
	assert_int_equal(
		harness_receive(&h, (uint16_t)port, 0, harness_frame(&h, frame, (uint16_t)len)), 0);
	harness_run(&h);
	m = harness_sent(&h, (uint16_t)!port);
	if (!m)
		return got;
	len = rte_pktmbuf_data_len(m);
	memcpy(last, rte_pktmbuf_mtod(m, void *), len);
	rte_pktmbuf_free(m);
	assert_int_equal(packet_describe(last, len, &got), 0);
	assert_false(got.bad_ip);
	assert_int_equal(got.bad_l4, p.bad_l4);
	return got;
}

struct packet from_client(uint16_t sport, uint16_t dport, uint8_t flags, uint32_t seq, uint32_t ack,
			  const char *text)
{
	const uint32_t end = seq + (uint32_t)strlen(text) + !!(flags & TCP_SYN);

	if (dport == 21 && (int32_t)(end - client_top) > 0)
		client_top = end;
	return pass(0, (struct packet){.saddr = ipv4(CLIENT),
				       .daddr = ipv4(VIP),
				       .sport = be16_from(sport),
				       .dport = be16_from(dport),
				       .tcp_flags = flags,
				       .seq = seq,
				       .ack = ack,
				       .data = text,
				       .payload = (uint16_t)strlen(text)});
}

struct packet from_server(uint16_t sport, uint16_t dport, uint8_t flags, uint32_t seq,
			  const char *text)
{
	return pass(1, (struct packet){.src = STATION,
				       .saddr = ipv4(SERVER),
				       .daddr = ipv4(CLIENT),
				       .sport = be16_from(sport),
				       .dport = be16_from(dport),
				       .tcp_flags = flags,
				       .seq = seq,
				       .ack = client_top,
				       .data = text,
				       .payload = (uint16_t)strlen(text)});
}

struct packet command(const char *text)
{
	struct packet p =
		from_client(CPORT, 21, TCP_ACK, client_seq, server_seq + (uint32_t)grown, text);

	client_seq += (uint32_t)strlen(text);
	return p;
}

struct packet answer(const char *text)
{
	struct packet p = from_server(21, CPORT, TCP_ACK, server_seq, text);

	server_seq += (uint32_t)strlen(text);
	if (p.proto) /* the client has all that came */
		grown = (int32_t)(p.seq + p.payload - server_seq);
	return p;
}

void says(struct packet p, const char *text)
{
	assert_int_equal(p.proto, IPPROTO_TCP);
	assert_int_equal(p.payload, strlen(text));
	assert_memory_equal(p.data, text, strlen(text));
}

void logged_in(void)
{
	client_top = 1000;
	grown = 0;
	from_client(CPORT, 21, TCP_SYN, 1000, 0, "");
	from_server(21, CPORT, TCP_SYN | TCP_ACK, 5000, "");
	client_seq = 1001;
	server_seq = 5001;
	command("");
	says(answer(GREETING), GREETING);
	command("");
}

uint64_t refused(void)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < h.dp->n_workers; i++)
		n += h.dp->workers[i]->counters.ftp_refused;
	return n;
}

bool data_reaches_server(uint16_t cport, uint16_t port)
{
	struct packet p = from_client(cport, port, TCP_SYN, 1, 0, "");
	enum punt_class class;
	struct rte_mbuf *m;

	while ((m = harness_punted(&h, &class)) != NULL)
		rte_pktmbuf_free(m);
	return p.proto && p.daddr == ipv4(SERVER) && p.dport == be16_from(port);
}
