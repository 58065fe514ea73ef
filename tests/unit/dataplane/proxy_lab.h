/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_UNIT_DATAPLANE_PROXY_LAB_H
#define PLVS_TESTS_UNIT_DATAPLANE_PROXY_LAB_H

/* A client, a server and a router that tells the server the client's address: segments by hand. */

#include "dataplane/conn/tcp_state.h"
#include "dataplane/proxy/proxy.h"
#include "lib/lab_families.h"

#define VIP    "10.1.0.100"
#define CLIENT "192.168.1.1"
#define SERVER "10.10.0.1"
#define LOCAL  "10.10.0.200"

/* The connection of the tests. */
#define CPORT	7001
#define FIRST	1001 /* the client's first byte */
#define S_FIRST 5001 /* the server's */

/* A way of the tests: family, method, version. */
struct way {
	bool v6;
	uint8_t method;	 /* enum forward_method */
	uint8_t version; /* enum client_address */
};

/* All ways of TCP. */
extern const struct way ways[];
extern const unsigned int n_ways;
extern struct way way;

/* A bed with services at port 80 (TCP) and 53 (UDP) of the VIP, for `way`. */
int way_open(void **state);
/* The header that a server has to read of a client's port. Returns its length. */
uint32_t way_header(uint16_t cport, uint8_t out[PROXY_HEADER_MAX]);

/* A segment. Numbers and window in host order. */
struct seg {
	uint8_t flags;
	uint32_t seq, ack;
	uint16_t window; /* 0 = 65535 */
	uint16_t urgent;
	uint8_t options[40];
	uint8_t n_options; /* a multiple of 4 */
	uint16_t n;	   /* bytes of data */
	uint8_t data[1600];
	be16 sport, dport;
};

/* A segment of the client's port arrives, or one of the server's, whose peer is the endpoint that
 * the server's last segment of the client came from. */
void client_puts(uint16_t cport, const struct seg *s);
void server_puts(const struct seg *s);
/* The next segment that the server, or the client, gets, with right checksums. False: none. */
bool server_gets(struct seg *s);
bool client_gets(struct seg *s);

/* The same for a segment that has to come. */
struct seg at_server(void);
struct seg at_client(void);

struct seg seg_of(uint8_t flags, uint32_t seq, uint32_t ack, const char *text);
/* A segment of the server, as the client gets it. */
struct seg server_says(uint8_t flags, uint32_t seq, uint32_t ack, const char *text);

#endif
