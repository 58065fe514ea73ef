/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_ROOT_LINK_LAB_H
#define PLVS_TESTS_ROOT_LINK_LAB_H

/*
 * The Linux side of ports against a real kernel, in a namespace of its own: TAPs, and a
 * "wire" thread in the place of workers and ports that answers ARP, solicitations and echo
 * requests for a few hosts. Needs CAP_NET_ADMIN; a program exits 77 without.
 *
 * Tests are written with addresses of IPv4. Run for IPv6, each stands for the address of
 * 2001:db8::/96 that ends in it, and the length of a prefix grows by 96.
 */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <unistd.h>

#include "link/link.h"

#define N_PORTS 2

/* A station on the wire. */
struct host {
	const char *ip;
	struct mac mac;
	uint16_t port;
	uint16_t vlan;
	bool answers;
	unsigned int arps, echoes;
};

extern uint8_t family; /* ADDR_V4 or ADDR_V6: of the test that runs */
extern struct exchange exchange;
extern struct published published;
extern struct link *side;
extern uint32_t mtu_answer;		/* errno, 0 = accepted */
extern uint32_t mtu_asked;		/* last MTU */
extern uint32_t bulk_seen, urgent_seen; /* datagrams to the discard port, by the wire */
extern uint32_t callback_hold;		/* the callback waits while it is set */
extern uint32_t carrier_edges;
/* The VLANs that vlan_changed() told of, and the answer that port_up() gives. */
extern bool vlan_there[N_PORTS][MAX_VLAN + 1], link_is_up;
bool port_up(void *arg, uint16_t port);

/* --- The wire ------------------------------------------------------------------------------ */

extern pthread_mutex_t hosts_lock;
struct host *host_add(const char *text, uint8_t last, uint16_t port, uint16_t vlan, bool answers);
/* Before a test: there are none. */
void hosts_forget(void);
/* An unasked ARP reply or advertisement of a host, to all. */
void host_announce(const struct host *h);
/* In segments where one buffer is too small, as a port would give it. */
void to_linux(uint16_t port, enum punt_class class, const uint8_t *frame, uint32_t len);
/* The thread; it ends once wire_stop is set. */
extern uint32_t wire_stop;
/* Frames of Linux that found the thread asleep and did not wake it. Written by the thread. */
extern unsigned int wire_lost;
void *wire_main(void *arg);

/* --- Families ------------------------------------------------------------------------------ */

struct addr ip(const char *text);
/* The length of a prefix. */
uint8_t bits(uint8_t len);
/* The text with each address, and the length behind it, as the family has them. */
const char *of_family(const char *text, char *out, size_t room);
/* A command of the shell; it must succeed. */
void run(const char *command);
bool run_ok(const char *command);

/* --- The side ------------------------------------------------------------------------------ */

/* Two ports: public 192.0.2.10/24 with a default route, private 10.10.0.2/16 with VLAN 10. */
struct link_config config_make(void);
void side_start(const struct link_config *c);
void side_end(void);
int each_start(void **state);
int each_end(void **state);
int each_start6(void **state);
int each_end6(void **state);
bool vlan_is(uint16_t port, uint16_t vlan, bool there);

/* The route that workers find, or NULL. */
const struct link_fib_route *route_to(const char *dest);
bool is_local(const char *text);
const struct nexthop *hop_of(link_id link, const char *text);
bool hop_is(link_id link, const char *text, enum nexthop_state state, const struct mac *mac);
/* want(): control asks for a next hop. resolve(): a worker asks for one. */
void want(link_id link, const char *text);
void resolve(link_id link, const char *text);

/* --- Time, and a program -------------------------------------------------------------------- */

double now_s(void);

/* Polls a condition for up to s seconds. */
#define WITHIN(s, condition)                                                                       \
	({                                                                                         \
		double until_ = now_s() + (s);                                                     \
		bool met_;                                                                         \
		while (!(met_ = (condition)) && now_s() < until_)                                  \
			usleep(2000);                                                              \
		met_;                                                                              \
	})

#define assert_ip(a, text)                                                                         \
	do {                                                                                       \
		const struct addr is_ = (a), want_ = ip(text);                                     \
		assert_memory_equal(&is_, &want_, sizeof(is_));                                    \
	} while (0)

/* A test for IPv4, or for each family. */
#define T4(f) cmocka_unit_test_setup_teardown(f, each_start, each_end)
#define T(f)                                                                                       \
	T4(f),                                                                                     \
	{                                                                                          \
#f " (IPv6)", f, each_start6, each_end6, NULL                                      \
	}
/* All of a program; argv[1] is a filter. Its exit status. */
int link_lab_run(int argc, char **argv, const struct CMUnitTest *tests, size_t n);

#endif
