/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A million connections by full NAT with one server, held at a time: by 24 addresses of a pool, on
 * a router of one worker and on one of three.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/conn/tcp_state.h"
#include "lib/lab_families.h"

#define VIP	    "10.1.0.100"
#define SERVER	    "10.10.0.1"
#define POOL_FIRST  0x0a0a0064U /* 10.10.0.100 */
#define N_POOL	    24
#define CONNECTIONS 1000000U
#define PORTS_EACH  40000U /* of one client */
#define BATCH	    64

static uint8_t *used; /* a bit for each port of each address of the pool */
static uint32_t held;

static int setup(void **state)
{
	static const struct world_server server[] = {{SERVER ":8080", 1, FWD_FULLNAT}};
	char text[32];

	if (lab_open(state, 2 * CONNECTIONS, true) < 0)
		return -1;
	world_service(&h, "tcp", VIP ":80", NULL, server, 1);
	for (unsigned int i = 0; i < N_POOL; i++) {
		snprintf(text, sizeof(text), "10.10.0.%u", 100 + i);
		if (world_pool(&h, text, link_id_of(1, 0)) < 0)
			return -1;
	}
	used = calloc(N_POOL, 65536 / 8);
	held = 0;
	return used ? 0 : -1;
}

static int teardown(void **state)
{
	free(used);
	return lab_close(state);
}

static void put(unsigned int port, struct packet p)
{
	uint8_t frame[FRAME_MAX];
	size_t len;

	packet_to_port(&p, port, &lab_station);
	len = packet_build(&p, frame);
	assert_int_equal(
		harness_receive(&h, (uint16_t)port, 0, harness_frame(&h, frame, (uint16_t)len)), 0);
}

/* No other connection has this address and port. */
static void local_take(const struct packet *p)
{
	const uint32_t address = be32_to(p->saddr) - POOL_FIRST, port = be16_to(p->sport);
	uint8_t *bits = used + address * (65536 / 8) + port / 8;

	assert_true(address < N_POOL && port >= 1024);
	assert_false(*bits & 1U << port % 8);
	*bits |= (uint8_t)(1U << port % 8);
	held++;
}

static struct packet client_packet(uint32_t i, uint8_t flags)
{
	return (struct packet){.saddr = be32_from(0xac100000U + i / PORTS_EACH * 256 + 7),
			       .daddr = ipv4(VIP),
			       .sport = be16_from((uint16_t)(10000 + i % PORTS_EACH)),
			       .dport = be16_from(80),
			       .proto = 6,
			       .tcp_flags = flags};
}

/* SYN, SYN-ACK and ACK of BATCH clients. Returns how many were answered. */
static uint32_t batch_connect(uint32_t first)
{
	struct packet got[BATCH];
	uint32_t n = 0, answered = 0;

	for (uint32_t i = 0; i < BATCH; i++)
		put(0, client_packet(first + i, TCP_SYN));
	harness_run(&h);
	while (n < BATCH && lab_got(1, &got[n]))
		local_take(&got[n++]);
	for (uint32_t i = 0; i < n; i++)
		put(1, lab_answer(&got[i], TCP_SYN | TCP_ACK));
	harness_run(&h);
	while (answered < n && lab_got(0, &got[answered]))
		answered++;
	for (uint32_t i = 0; i < answered; i++)
		put(0, lab_answer(&got[i], TCP_ACK));
	harness_run(&h);
	assert_int_equal(lab_drain(1), answered);
	return answered;
}

static void a_million_ports_are_held_at_one_server(void **state)
{
	uint32_t connected = 0;

	(void)state;
	for (uint32_t i = 0; i < CONNECTIONS; i += BATCH)
		connected += batch_connect(i);
	assert_int_equal(connected, CONNECTIONS);
	assert_int_equal(held, CONNECTIONS);
	assert_int_equal(lab_counters().connections, CONNECTIONS);
	assert_int_equal(lab_counters().local_ports, CONNECTIONS);
	assert_int_equal(lab_dropped(DROP_NO_LOCAL_PORT), 0);
	/* Each is still there, and reaches its server. */
	for (uint32_t i = 0; i < CONNECTIONS; i += 997) {
		put(0, client_packet(i, TCP_ACK));
		harness_run(&h);
		assert_int_equal(lab_drain(1), 1);
	}
	lab_nothing();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"a_million_ports_are_held_at_one_server_by_1_worker",
		 a_million_ports_are_held_at_one_server, setup, teardown, (void *)(uintptr_t)1},
		{"a_million_ports_are_held_at_one_server_by_3_workers",
		 a_million_ports_are_held_at_one_server, setup, teardown, (void *)(uintptr_t)3},
	};

	return lab_run(512, tests);
}
