/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_FTP_FTP_H
#define PLVS_DATAPLANE_FTP_FTP_H

/*
 * FTP through NAT and full NAT (`ftp` of a service): data connections, active and passive, go to
 * the server of their control connection. The address in 227 answers becomes the VIP, and sequence
 * numbers are shifted accordingly. The first part of a 227 that is cut across segments is held
 * back: it is not sent on, so the client does not acknowledge it, and it leaves with the segment
 * that brings the rest. TCP repairs losses meanwhile.
 *
 * By full NAT servers know their clients by a local address and port. So the address and port of
 * PORT and EPRT become local ones (ftp_port.h), in the same way as the address of a 227
 * (ftp_client.c), and passive data connections come from the local address of their control
 * connection: servers refuse other addresses (RFC 2577, 3).
 *
 * Commands and answers are read once and in order (ftp_stream.h), and each answer belongs to a
 * command (ftp_dialog.h). An answer is believed when a PASV or EPSV waits for it and the real
 * server itself sent it (ftp_read.c). An answer with another address than the connection's own, or
 * a port below 1024, is counted and not changed, and no data connection is expected. A single data
 * connection is expected at a time; a PORT or EPRT that the server refuses, and an ABOR that it
 * accepts, end the expectation.
 *
 * Room is bounded: FTP_CONTROL_MAX control connections and FTP_EXPECT_MAX expectations of a worker.
 * When room is short, entries of control connections that are not assured (conn/evidence.h) give
 * way, oldest first, to new entries. A network has no share of its own: a client is assured by the
 * server's greeting, before the client says anything, so entries that are not assured belong to an
 * attacker.
 *
 * Only control connections (conn4_is_ftp()) come here. Worker context, one owner.
 */

#include "dataplane/dataplane.h"
#include "dataplane/ftp/ftp_dialog.h"
#include "dataplane/ftp/ftp_expect.h"
#include "dataplane/ftp/ftp_port.h"
#include "dataplane/ftp/ftp_stream.h"
#include "model/service.h"

/* The shift of one end's sequence numbers, in that end's own numbers: numbers up to pos move by
 * before, others by after. All zero: no shift. */
struct ftp_shift {
	uint32_t pos;
	int32_t before, after;
	uint32_t moved; /* 1: the rest is set */
};

#define FTP_CONTROL_MAX 4096 /* control connections that one worker follows */
struct ftp_control {
	uint32_t conn; /* entry << 1 | IPv6 */
	uint32_t next; /* in its chain, or among the free; 0 = end */
	/* By enum pkt_dir. The client's numbers shift by full NAT only. */
	struct ftp_shift shift[2];
	uint8_t held[2];  /* 1: s.in or s.out, from its next byte on, is held back */
	uint8_t tries[2]; /* times in a row that bytes were held back */
	/* The last valid 227 or 229: its port, 0 = unknown, and the number at its begin. */
	uint16_t said;
	be16 lport; /* full NAT: in the last PORT or EPRT, which began at shift[DIR_IN].pos */
	uint32_t said_seq;
	struct ftp_ticket ticket;
	struct ftp_dialog dialog;
	struct ftp_streams s;
};

struct ftp {
	struct ftp_expect_table expected;
	uint32_t chain[FTP_CONTROL_MAX];
	uint32_t free;
	uint32_t unused; /* never used from here on */
	uint32_t hand;	 /* where the last search for room stopped */
	struct ftp_control control[FTP_CONTROL_MAX + 1]; /* 0 is not used */
	uint32_t port_until[FTP_PORTS];			 /* ftp_port.h */
};

/* The ports of an announced data connection. */
struct ftp_data {
	be16 cport; /* active: the client's, else 0 */
	be16 lport; /* active, full NAT: in its place for the server */
	be16 port;  /* passive: the server's */
};

/* The port from which a server opens active data connections: below that of control connections. */
static inline be16 ftp_active_port(be16 control)
{
	return be16_from((uint16_t)(be16_to(control) - 1));
}

/* The state of a control connection, for a peer. */
struct ftp_state {
	struct ftp_shift shift[2]; /* by enum pkt_dir */
	uint32_t left_s;	   /* 0: none is announced */
	struct ftp_data data;
};

/* True: data connections may be expected. */
static inline bool ftp_expecting(const struct worker *w)
{
	return w->dp && (int32_t)(__atomic_load_n(&w->dp->ftp_until, __ATOMIC_ACQUIRE) -
				  w->env.now_tick) > 0;
}

#define FAM_TEMPLATE "dataplane/ftp/ftp.fam.h"
#include "base/both_families.h"

#endif
