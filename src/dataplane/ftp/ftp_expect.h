/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_FTP_FTP_EXPECT_H
#define PLVS_DATAPLANE_FTP_FTP_EXPECT_H

/*
 * Data connections that FTP control connections announced. The owner of the data connection is not
 * known before, since the client's port is not. So every worker has a table that only this worker
 * fills and all workers read, without locks. A slot's word holds a hash, a version and a bit for a
 * full slot. A reader reads the word, the fields and the word again. A worker empties a slot by a
 * compare-and-swap of the slot's word.
 *
 * An attacker can send a PORT with a forged source. So when all slots for a new expectation are in
 * use, the oldest whose control connection was not assured gives way. The others stay.
 *
 * Only SYNs without a connection are looked up, and only while data connections are expected.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "model/limits.h"

#define FTP_EXPECT_S	120
#define FTP_EXPECT_WAYS 4
#define FTP_EXPECT_MAX	1024 /* slots of one worker */

struct worker;

/* caddr:cport with cport 0: the client connects to vaddr:vport from any port. Else the server
 * connects from daddr:dport to caddr:cport, by full NAT to laddr:lport. */
struct ftp_expect {
	struct addr caddr, vaddr, daddr; /* of one family */
	struct addr laddr;		 /* full NAT: the client as the server sees it; else zero */
	be16 cport, vport, dport, lport;
	uint16_t assured; /* 1: its control connection was assured (conn/evidence.h) */
	uint16_t method;  /* enum forward_method of its control connection */
	uint32_t server;
	uint32_t until; /* tick */
};

struct ftp_slot {
	uint64_t word;
	uint32_t field[sizeof(struct ftp_expect) / 4];
};

struct ftp_expect_table {
	struct ftp_slot slot[FTP_EXPECT_MAX];
};

/* The slot that has the expectation: word 0 = none. */
struct ftp_ticket {
	uint64_t word;
	struct ftp_slot *slot;
};

/* Adds an expectation. False: no slot is free, and none gives way. */
bool ftp_expect_add(struct worker *w, const struct ftp_expect *e, struct ftp_ticket *out);
/* Ends the expectation of a ticket, unless the expectation is over. Any worker that has a
 * ticket. */
void ftp_expect_end(struct ftp_ticket *t);
/* Reads the expectation of a ticket. For the worker that announced the expectation. False: the
 * expectation is over. */
bool ftp_expect_read(const struct ftp_ticket *t, struct ftp_expect *out);
/* Finds the newest expectation for a packet: by the client's endpoint (port 0: any; from a server
 * by full NAT the local endpoint), and the endpoint on the other side, VIP or server. False:
 * none. */
bool ftp_expect_find(struct worker *w, const struct addr *client, be16 cport,
		     const struct addr *peer, be16 port, struct ftp_expect *out,
		     struct ftp_ticket *ticket);

#endif
