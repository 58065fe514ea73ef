/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_PROBE_H
#define PLVS_TESTS_PROBE_H

/*
 * probe: the clients and servers of the namespace tests that no stock tool gives. One
 * thread, one subcommand; results are one JSON document a line on standard output.
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct probe_options {
	struct sockaddr_storage address; /* of IPv4 or IPv6 */
	uint64_t count;			 /* packets or connections */
	unsigned int rate;		 /* per second */
	unsigned int flows;		 /* UDP source ports */
	unsigned int size;		 /* UDP payload, bytes */
	unsigned int linger_ms;
	bool urgent; /* as heartbeats: SO_PRIORITY 7 */
};

/* Each returns the exit status. */
int udp_echo(const struct probe_options *o);
int udp_ask(const struct probe_options *o);
/* A question at a time: how long each answer took. */
int udp_beat(const struct probe_options *o);
int tcp_echo(const struct probe_options *o);
int tcp_hold(const struct probe_options *o);
/* A stream of numbered words at a steady rate, and its client, which tells its holes. */
int tcp_pour(const struct probe_options *o);
int tcp_drink(const struct probe_options *o);
/* New connections at a steady rate: the longest time in which none came about. */
int tcp_knock(const struct probe_options *o);
/* Frames in hexadecimal, one a line on standard input. */
int frame_send(const char *interface, const struct probe_options *o);
/* The end of IPIP tunnels: what they carry comes out of a TUN interface of that name. */
int ipip_open(const char *interface, bool v6);
/* argv: the trunk's interface, then VLAN:INTERFACE for each access port. */
int vlan_switch(int argc, char **argv);

/* Times between events: the longest one, and the longest one that had ended when SIGUSR1 came. */
struct hole {
	uint64_t last_us, longest_us, before_us;
	unsigned int marks;
};
void hole_note(struct hole *h, uint64_t now);

/* SIGTERM or SIGINT came. */
bool probe_stopped(void);
/* Nothing new is to be sent. */
bool probe_enough(void);
/* How often SIGUSR1 came. */
unsigned int probe_marks(void);
uint64_t now_us(void);
/* Prints what failed with errno and exits with status 2. */
__attribute__((noreturn)) void die(const char *what);

#endif
