/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_GENERATOR_H
#define PLVS_GENERATOR_H

/*
 * A traffic generator that is the clients and the real servers of one virtual service, on two DPDK
 * ports, and that looks at all that comes back:
 *
 *	  clients ---- port 0                                    port 1 ---- servers
 *	     |                         the router                              |
 *	     `---- datagrams or TCP segments to the VIP --> checked, answered -'
 *
 * Answers of servers pass the router again by NAT. By direct routing they go to the clients by
 * another way, which needs no frames here.
 *
 * Context: one thread. Times are TSC cycles.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "base/addr.h"

#define GEN_BURST     32
#define GEN_PORTS     60000U /* source ports of one client address */
#define GEN_PORT_MIN  2000U
#define GEN_FRAME_MAX 1518U /* with FCS */
#define GEN_FCS	      4U
#define GEN_WHOLE     16U /* of so many frames one is looked at whole */

enum gen_side { GEN_CLIENTS, GEN_SERVERS };

struct gen_options {
	struct addr address; /* the clients' gateway into the router's link: our own there */
	struct addr gateway; /* the router's on that link */
	struct addr client;  /* the first client; others follow */
	struct endpoint vip;
	bool nat;		  /* answers pass the router */
	uint32_t sizes[16];	  /* of frames, with FCS */
	uint32_t connections[16]; /* numbers of flows */
	uint32_t n_sizes, n_connections;
	double rate;	   /* highest rate per second; 0: as fast as it goes */
	double seconds;	   /* of a trial */
	double loss;	   /* per cent that a good trial may lose */
	double resolution; /* of the search, per cent */
};

struct gen {
	struct gen_options o;
	struct rte_mempool *pool;
	uint16_t dev[2];
	struct mac mac[2];
	struct mac router; /* of the clients' link */
	uint64_t hz;
	uint64_t wrong;	      /* frames for us that are not as they should be */
	char wrong_text[160]; /* of the first */
	uint32_t trials;      /* run, those below included */
	uint32_t again;	      /* repeated, since a CPU was away */
};

/* --- frames.c ------------------------------------------------------------------------ */

/* The first bytes of a datagram's payload, as they lie in it. 18 bytes: a frame of 64 has room. */
struct gen_stamp {
	uint16_t magic;
	uint32_t flow;
	uint32_t number;
	uint64_t sent;
} __attribute__((packed));

#define GEN_MAGIC 0x706c

struct gen_frame { /* a frame to be built, or one that was read */
	struct mac dst, src;
	struct endpoint from, to;
	uint8_t proto;
	uint8_t flags; /* TCP; otherwise 0 */
	uint32_t seq, ack;
	const uint8_t *payload; /* of a frame that was read */
	uint16_t n_payload;
	uint8_t *l3; /* the same */
	uint16_t l3_len;
};

/* The least size of a frame with a stamp. */
uint32_t gen_size_min(uint8_t family);
/* Bytes of the headers before a payload. */
uint16_t gen_headers(uint8_t family, uint8_t proto);
/* Client number `flow`; the number of a client, or UINT32_MAX for whoever is none. */
struct endpoint gen_client(const struct gen_options *o, uint32_t flow);
uint32_t gen_flow(const struct gen_options *o, const struct endpoint *client);
/* Fills n bytes with what flow sends from offset `at` of its stream on; compares them. */
void gen_pattern(uint8_t *p, uint32_t n, uint32_t flow, uint32_t at);
bool gen_pattern_is(const uint8_t *p, uint32_t n, uint32_t flow, uint32_t at);
/* A frame with f's addresses, flags and numbers, and n_payload bytes of payload that the caller
 * writes; then gen_frame_sum() over it. The length. */
uint16_t gen_frame_head(uint8_t *frame, const struct gen_frame *f, uint16_t n_payload,
			uint8_t **payload);
void gen_frame_sum(uint8_t *frame);
/* 0; -EPROTO: neither TCP nor UDP of either family; -EBADMSG: lengths that do not fit. */
int gen_frame_read(uint8_t *frame, uint16_t len, struct gen_frame *f);
/* Both checksums are right. */
bool gen_frame_sums_are_right(const struct gen_frame *f);

/* --- ports.c ------------------------------------------------------------------------- */

/* Two ports of DPDK, started. Exits on an error. */
void gen_ports_start(struct gen *g);
void gen_ports_stop(struct gen *g);
/* Asks for the router's MAC, for 10 s at most. Exits without an answer. */
void gen_router_find(struct gen *g);
/* Answers requests for addresses by ARP and ND: for all but the router's. True: m was one of those,
 * or another frame of Linux that nobody counts, and is freed. */
bool gen_neighbour(struct gen *g, enum gen_side side, struct rte_mbuf *m);
/* Sends m, or says that the port takes no more; the frame stays the caller's then. */
bool gen_send(struct gen *g, enum gen_side side, struct rte_mbuf *m);
/* An empty frame of so many bytes; exits if there is no memory. */
struct rte_mbuf *gen_frame_alloc(struct gen *g, uint16_t len);
/* Notes a frame that is not as it should be. */
void gen_wrong(struct gen *g, const char *text, const struct gen_frame *f);

/* --- datagrams.c, tcp_lives.c: one trial ---------------------------------------------- */

#define GEN_BINS 832

struct gen_result {
	uint64_t offered; /* due by the rate */
	uint64_t sent;	  /* frames; connections begun */
	uint64_t arrived; /* at the servers */
	uint64_t good; /* came to their end: frames at the servers, or by NAT at the clients again;
			* connections that ended well */
	uint64_t unsent;   /* frames that the port did not take, lost: of servers, and of TCP */
	uint64_t repeated; /* segments sent once more */
	uint64_t failed;   /* connections that came to no end */
	double seconds;
	double gap_ms;		 /* the longest time in which this program did not run */
	double silence_ms;	 /* the longest in which nothing came, though frames were sent */
	uint32_t bins[GEN_BINS]; /* of times, logarithmic */
	uint64_t n_times;
};

struct gen_watch {
	uint64_t round;	     /* TSC of the last one */
	uint64_t heard;	     /* TSC: frames came; later by the gaps since then */
	uint64_t sent_heard; /* frames sent by then */
};

/* Datagrams of `flows` flows at `rate` a second (0: as many as go). */
void gen_datagrams(struct gen *g, uint32_t flows, uint32_t size, double rate, double seconds,
		   struct gen_result *r);
/* Whole TCP connections, begun at `rate` a second. */
void gen_tcp_lives(struct gen *g, double rate, double seconds, struct gen_result *r);
/* Watches for times without a CPU: once in each round of a trial's loop. n frames came since the
 * last round. */
void gen_watch_start(struct gen_watch *w, uint64_t now);
void gen_watch_round(struct gen_watch *w, const struct gen *g, struct gen_result *r, uint64_t now,
		     unsigned int n);
/* Per cent that was lost; 100 if nothing was sent. */
double gen_lost(const struct gen_result *r);
void gen_time_add(struct gen_result *r, uint64_t cycles);
/* Microseconds that permille of 1000 times do not exceed, within 3 %. 0: no times. */
double gen_time(const struct gen *g, const struct gen_result *r, uint32_t permille);

/* --- search.c ------------------------------------------------------------------------ */

struct gen_row {
	const char *test;
	uint32_t size, connections;
	double rate;  /* a second, without loss; 0: none */
	bool limited; /* by the generator, which could not send faster */
	bool asked;   /* no more was asked for */
	struct gen_result best;
};

typedef void gen_trial(struct gen *g, const struct gen_row *row, double rate, struct gen_result *r);

/* The highest rate whose trial loses no more than o.loss, as RFC 2544 searches it. A trial that
 * lost more is repeated, some times at the most, if this program or the router stood still
 * meanwhile: on a shared machine, since others had the CPU. Each trial is told on standard error.
 */
void gen_search(struct gen *g, gen_trial *trial, struct gen_row *row);
/* The same for one trial at a rate. True: it lost no more. */
bool gen_trial_run(struct gen *g, gen_trial *trial, const struct gen_row *row, double rate,
		   struct gen_result *r);

#endif
