/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "dataplane/conn/tcp_state.h"
#include "lib/lab.h"
#include "unit/dataplane/ftp_talk.h"

#define GREETING "220 ready\r\n"

uint32_t client_seq, server_seq;
bool talk_v6;
const char *talk_vip;
uint16_t talk_cport;
struct addr talk_local;
be16 talk_lport;
int32_t client_grown;

static uint8_t last[FRAME_MAX];
static uint32_t client_top; /* behind what the client's control connection has sent */
static int32_t grown;	    /* bytes by which texts of the server have grown */

static int bed_of6(void **state, uint8_t method)
{
	const struct world_policy ftp = {.ftp = true};
	const struct world_server server = {"[" SERVER6 "]:21", 1, method};

	talk_v6 = true;
	talk_cport = CPORT;
	talk_local = (struct addr){0};
	if (lab_open(state, 0, true) < 0)
		return -1;
	world_route(&h, "::/0", link_id_of(0, 0), NULL);
	world_route(&h, "2001:db8:10::/48", link_id_of(1, 0), NULL);
	world_neighbour(&h, link_id_of(0, 0), CLIENT6, "02:06:00:00:00:01");
	world_neighbour(&h, link_id_of(1, 0), SERVER6, "02:01:0a:0a:00:01");
	world_policy(&h, &ftp);
	return world_service(&h, "tcp", "[" VIP6 "]:21", NULL, &server, 1);
}

static int bed_of(void **state, uint8_t method)
{
	const struct world_policy ftp = {.ftp = true};
	const struct world_server server = {SERVER ":21", 1, method};

	talk_v6 = false;
	talk_vip = VIP;
	talk_cport = CPORT;
	talk_local = (struct addr){0};
	if (lab_open(state, 0, true) < 0)
		return -1;
	world_policy(&h, &ftp);
	world_service(&h, "tcp", VIP2 ":21", NULL, &server, 1);
	return world_service(&h, "tcp", VIP ":21", NULL, &server, 1);
}

int bed_setup6(void **state)
{
	return bed_of6(state, FWD_NAT);
}

int bed_setup(void **state)
{
	return bed_of(state, FWD_NAT);
}

int bed_setup_fullnat6(void **state)
{
	if (bed_of6(state, FWD_FULLNAT) < 0 || world_pool(&h, POOL6_FIRST, link_id_of(1, 0)) < 0)
		return -1;
	return world_pool(&h, POOL6_SECOND, link_id_of(1, 0));
}

int bed_setup_fullnat(void **state)
{
	if (bed_of(state, FWD_FULLNAT) < 0 || world_pool(&h, POOL_FIRST, link_id_of(1, 0)) < 0)
		return -1;
	return world_pool(&h, POOL_SECOND, link_id_of(1, 0));
}

struct packet pass(unsigned int port, struct packet p)
{
	static const struct mac none;
	struct packet got = {0};
	size_t len;

	p.proto = IPPROTO_TCP;
	lab_put_from(port, memcmp(&p.src, &none, sizeof(none)) == 0 ? lab_station : p.src, p);
	len = lab_got_frame(!port, last);
	if (len == 0)
		return got;
	assert_int_equal(packet_describe(last, len, &got), 0);
	assert_false(got.bad_ip);
	assert_int_equal(got.bad_l4, p.bad_l4);
	return got;
}

/* With addresses of the family at hand. */
static struct packet addressed(struct packet p, const char *from, const char *to, const char *from6,
			       const char *to6)
{
	p.v6 = talk_v6;
	if (talk_v6) {
		p.saddr6 = ipv6(from6);
		p.daddr6 = ipv6(to6);
	} else {
		p.saddr = ipv4(from);
		p.daddr = ipv4(to);
	}
	return p;
}

struct packet from_client(uint16_t sport, uint16_t dport, uint8_t flags, uint32_t seq, uint32_t ack,
			  const char *text)
{
	const uint32_t end = seq + (uint32_t)strlen(text) + !!(flags & TCP_SYN);
	struct packet p;

	if (dport == 21 && (int32_t)(end - client_top) > 0)
		client_top = end;
	p = pass(0, addressed((struct packet){.sport = be16_from(sport),
					      .dport = be16_from(dport),
					      .tcp_flags = flags,
					      .seq = seq,
					      .ack = ack,
					      .data = text,
					      .payload = (uint16_t)strlen(text)},
			      CLIENT, talk_vip, CLIENT6, VIP6));
	if (dport == 21 && p.proto) {
		talk_local = talk_v6 ? addr_from_addr6(p.saddr6) : addr_from_addr4(p.saddr);
		talk_lport = p.sport;
	}
	return p;
}

static bool by_fullnat(void)
{
	return talk_local.family && be16_to(talk_lport) != talk_cport;
}

struct packet from_server(uint16_t sport, uint16_t dport, uint8_t flags, uint32_t seq,
			  const char *text)
{
	struct packet p = addressed((struct packet){.src = STATION,
						    .sport = be16_from(sport),
						    .dport = be16_from(dport),
						    .tcp_flags = flags,
						    .seq = seq,
						    .ack = client_top + (uint32_t)client_grown,
						    .data = text,
						    .payload = (uint16_t)strlen(text)},
				    SERVER, CLIENT, SERVER6, CLIENT6);

	if (by_fullnat() && talk_v6)
		p.daddr6 = addr6_of(&talk_local);
	else if (by_fullnat())
		p.daddr = talk_local.v4;
	if (by_fullnat() && sport == 21)
		p.dport = talk_lport;
	return pass(1, p);
}

struct packet command(const char *text)
{
	struct packet p = from_client(talk_cport, 21, TCP_ACK, client_seq,
				      server_seq + (uint32_t)grown, text);

	client_seq += (uint32_t)strlen(text);
	if (p.proto) /* the server has all that came */
		client_grown = (int32_t)(p.seq + p.payload - client_seq);
	return p;
}

struct packet answer(const char *text)
{
	struct packet p = from_server(21, talk_cport, TCP_ACK, server_seq, text);

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
	grown = client_grown = 0;
	from_client(talk_cport, 21, TCP_SYN, 1000, 0, "");
	from_server(21, talk_cport, TCP_SYN | TCP_ACK, 5000, "");
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

void refuses(const char *text, uint64_t n)
{
	says(command(text), text);
	assert_int_equal(refused(), n);
	answer("500 no\r\n");
}

bool data_reaches_server(uint16_t cport, uint16_t port)
{
	struct packet p = from_client(cport, port, TCP_SYN, 1, 0, "");

	lab_drain_punted();
	return p.proto && p.dport == be16_from(port) &&
	       (talk_v6 ? addr6_equal(p.daddr6, ipv6(SERVER6)) : p.daddr == ipv4(SERVER));
}
