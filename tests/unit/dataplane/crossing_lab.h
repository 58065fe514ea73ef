/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_UNIT_DATAPLANE_CROSSING_LAB_H
#define PLVS_TESTS_UNIT_DATAPLANE_CROSSING_LAB_H

/*
 * The laboratory (lab.h) with services by full NAT whose one server is of the other family:
 *
 *	tcp VIP4:80, udp VIP4:53	SERVER6:8080 by LOCAL6
 *	tcp VIP6:80, udp VIP6:53	SERVER4:8080 by LOCAL4
 */

#include "lib/lab_families.h"

#define VIP4	"10.1.0.100"
#define CLIENT4 "192.168.1.1"
#define SERVER4 "10.10.0.1"
#define LOCAL4	"10.10.0.200"
#define ETH	14U

/* 0 or -1. small: tables of 40 entries. */
int crossing_setup(void **state);
int crossing_setup_small(void **state);

/* A packet of a client to the service of the protocol, with DF; UDP has 21 bytes. */
struct packet from_client(bool v6, uint8_t proto, uint16_t sport, uint8_t flags);
/* The answer of a receiver. UDP has 22 bytes. */
struct packet answer(const struct packet *got, uint8_t flags);
void is_at_server(const struct packet *p, bool v6);
void is_at_client(const struct packet *p, bool v6, uint16_t port);

#endif
