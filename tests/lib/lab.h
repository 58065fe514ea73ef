/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_LIB_LAB_H
#define PLVS_TESTS_LIB_LAB_H

/*
 * The packet laboratory of the unit tests: one director on the bed of bed.h, packets that arrive at
 * its ports, and packets that leave them. For cmocka programs: a frame that cannot arrive, or that
 * cannot be read when it left, fails the test that runs.
 */

#include <stddef.h>

#include "lib/bed.h"
#include "lib/eal_run.h"
#include "lib/packet.h"
#include "lib/world.h"

/* The director. A test may also use it by harness.h and world.h. */
extern struct harness h;

/* The MACs of the director's ports, and of whoever sends. */
extern const struct mac lab_router[2];
extern const struct mac lab_station;

/* A test of cmocka, whose setup calls lab_open(), on a director of so many workers. */
#define LAB_TEST(test, setup, n_workers)                                                           \
	{                                                                                          \
#test, test, setup, lab_close, (void *)(uintptr_t)(n_workers)                      \
	}

/* A bed whose neighbours are 192.168.1.1 on port 0 (unless far: clients are behind a gateway
 * then), and the servers 10.10.0.1 and 10.10.0.2 on port 1. 0 or -1. */
int lab_open(void **state, uint64_t max_connections, bool far);
/* Ends the bed, and fails the test where the doors do not add up or a buffer is lost. */
int lab_close(void **state);

/* Runs the tests of a program, with so much memory for EAL. The program's exit status. */
#define lab_run(megabytes, tests) eal_run(0, megabytes, tests)

/* --- in ------------------------------------------------------------------------------ */

/* TCP flags, or a datagram of `payload` bytes. */
struct packet lab_tcp(const char *from, uint16_t sport, const char *to, uint16_t dport,
		      uint8_t flags);
struct packet lab_udp(const char *from, uint16_t sport, const char *to, uint16_t dport,
		      uint16_t payload);
/* A datagram that must not be divided (DF) arrives from the station at port 0. */
void lab_put_whole(const char *from, uint16_t sport, const char *to, uint16_t dport,
		   uint16_t payload);
/* A frame, or a packet, arrives at a port, and rounds are made until nothing waits. */
void lab_put_frame(unsigned int port, const uint8_t *frame, size_t len);
void lab_put(unsigned int port, struct packet p);
void lab_put_from(unsigned int port, struct mac from, struct packet p);

/* --- out ----------------------------------------------------------------------------- */

/* The next packet that left by a port. False: none did. Its data is not kept. */
bool lab_got(unsigned int port, struct packet *p);
/* The next frame, and its length; 0: none. */
size_t lab_got_frame(unsigned int port, uint8_t frame[FRAME_MAX]);
/* The next IP packet that left by a port, without its Ethernet header, and its length; 0: none. */
size_t lab_got_ip(unsigned int port, uint8_t ip[FRAME_MAX]);
/* The class in which the next packet went to Linux; PUNT_MAX: none did. p may be NULL. */
enum punt_class lab_punted(struct packet *p);
/* How many packets left by a port, or went to Linux; they are forgotten. */
unsigned int lab_drain(unsigned int port);
unsigned int lab_drain_punted(void);
/* Nothing left by any port or went to Linux. */
void lab_nothing(void);

/* --- counted ------------------------------------------------------------------------- */

struct worker_counters lab_counters(void);
uint64_t lab_dropped(enum drop_reason reason);

/* --- bytes --------------------------------------------------------------------------- */

uint16_t lab_get16(const uint8_t *p);
void lab_put16(uint8_t *p, uint16_t v);

#endif
