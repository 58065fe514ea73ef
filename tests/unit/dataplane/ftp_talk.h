/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_UNIT_DATAPLANE_FTP_TALK_H
#define PLVS_TESTS_UNIT_DATAPLANE_FTP_TALK_H

/* A client, a server and a router with FTP between them, for tests: every packet by hand. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/lab.h"

#define VIP	"10.1.0.100"
#define VIP2	"10.1.0.101" /* IPv4 alone */
#define SERVER	"10.10.0.1"
#define CLIENT	"192.168.1.1"
#define VIP6	"2001:db8:1::100"
#define SERVER6 "2001:db8:10::1"
#define CLIENT6 "2001:db8:c::1"
#define CPORT	9801
#define STATION ((struct mac){{2, 1, 10, 10, 0, 1}}) /* the server's, as neighbours know it */

#define ANSWER	   "227 Entering Passive Mode (10,10,0,1,200,13).\r\n"
#define ANSWER_NAT "227 Entering Passive Mode (10,1,0,100,200,13).\r\n"
#define PASV_PORT  (200 * 256 + 13)

#define POOL_FIRST   "10.10.0.200" /* the server sees these, by full NAT */
#define POOL_SECOND  "10.10.0.201"
#define POOL6_FIRST  "2001:db8:10::200"
#define POOL6_SECOND "2001:db8:10::201"

/* Of a LAB_TEST. They speak IPv4, or IPv6; by NAT, or by full NAT. */
int bed_setup(void **state);
int bed_setup6(void **state);
int bed_setup_fullnat(void **state);
int bed_setup_fullnat6(void **state);
extern bool talk_v6;
/* By full NAT: the local end of the control connection, as the server saw it last. */
extern struct addr talk_local;
extern be16 talk_lport;
/* The VIP that the client's packets are for, and the port of its control connection: VIP and CPORT
 * at first. */
extern const char *talk_vip;
extern uint16_t talk_cport;

/* A frame arrives at a port. What comes out of the other one; proto 0: nothing. */
struct packet pass(unsigned int port, struct packet p);
struct packet from_client(uint16_t sport, uint16_t dport, uint8_t flags, uint32_t seq, uint32_t ack,
			  const char *text);
/* Acknowledges all that the client's control connection has sent. By full NAT to talk_local, and
 * from the control port to talk_lport. */
struct packet from_server(uint16_t sport, uint16_t dport, uint8_t flags, uint32_t seq,
			  const char *text);

/* Segments of the control connection, the next ones: its numbers go on by themselves. */
struct packet command(const char *text);
struct packet answer(const char *text);
/* Numbers of their next bytes, to be read and set; the server's are those of its own side. */
extern uint32_t client_seq, server_seq;
/* Bytes by which texts of the client have grown. */
extern int32_t client_grown;

void says(struct packet p, const char *text);
/* The handshake, and a greeting. */
void logged_in(void);
uint64_t refused(void);
/* A command goes to the server as it came, is counted as the nth that is refused, and fails. */
void refuses(const char *text, uint64_t n);
/* Whether a SYN of the client to this port of the VIP goes to the server. */
bool data_reaches_server(uint16_t cport, uint16_t port);

#endif
