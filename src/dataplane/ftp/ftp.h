/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_FTP_FTP_H
#define PLVS_DATAPLANE_FTP_FTP_H

/*
 * FTP through NAT and full NAT (`ftp` of a service): data connections, active and passive, go to
 * the server of their control connection. The address in 227 answers becomes the VIP; sequence
 * numbers follow. A 227 that is cut across segments is held back: the held bytes are not sent on,
 * so the client does not acknowledge them, and they go out with the segment that brings the rest.
 * TCP repairs losses meanwhile.
 *
 * By full NAT servers know their clients by a local address and port. So the address and port of
 * PORT and EPRT become local ones (ftp_port.h), in the same way as the address of a 227
 * (ftp_client.c), and passive data connections come from the local address of their control
 * connection: servers refuse any other address (RFC 2577, 3).
 *
 * Commands and answers are read once and in order (ftp_stream.h), and each answer belongs to a
 * command (ftp_dialog.h). An answer is believed when a PASV or EPSV waits for it and the real
 * server itself sent it (ftp_read.c). An answer that names other addresses than the
 * connection's own, or a port below 1024, is counted and left as it is, and nothing is expected.
 * A single data connection is expected at a time; a PORT or EPRT that the server refuses, and an
 * ABOR that it accepts, end the expectation.
 *
 * Room is bounded: FTP_CONTROL_MAX control connections and FTP_EXPECT_MAX expectations of a worker.
 * When room is short, entries of control connections that are not assured (conn/evidence.h) give
 * way, oldest first, to any others. A network has no share of its own: a client is assured by the
 * server's greeting, before the client says anything, so the entries that are not assured are an
 * attacker's.
 *
 * Only control connections (conn4_is_ftp()) come here. Worker context, one owner.
 */

#include "dataplane/dataplane.h"
#include "dataplane/ftp/ftp_dialog.h"
#include "dataplane/ftp/ftp_expect.h"
#include "dataplane/ftp/ftp_port.h"
#include "dataplane/ftp/ftp_stream.h"
#include "model/service.h"

/* Sequence numbers of one end, as that end has them: those up to pos are moved by before, others
 * by after. All zero: nothing has moved. */
struct ftp_shift {
	uint32_t pos;
	int32_t before, after;
	uint32_t moved; /* 1: the rest is set */
};

#define FTP_CONTROL_MAX 4096 /* control connections of one worker that are helped */
struct ftp_control {
	uint32_t conn; /* entry << 1 | IPv6 */
	uint32_t next; /* in its chain, or among the free; 0 = end */
	/* By enum pkt_dir. Of the client's numbers by full NAT alone. */
	struct ftp_shift shift[2];
	uint8_t held[2];  /* 1: s.in or s.out, which begins at its next byte, was not sent on */
	uint8_t tries[2]; /* times in a row that bytes were kept from the other end */
	/* The last 227 or 229 that was believed: its port, 0 = unknown, and where it began. */
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
	uint32_t hand;	 /* the last one that was asked to give way */
	struct ftp_control control[FTP_CONTROL_MAX + 1]; /* 0 is not used */
	uint32_t port_until[FTP_PORTS];			 /* ftp_port.h */
};

/* The ports of a data connection that is announced. */
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

/* Of a control connection, for a peer. */
struct ftp_state {
	struct ftp_shift shift[2]; /* by enum pkt_dir */
	uint32_t left_s;	   /* 0: nothing is announced */
	struct ftp_data data;
};

/* Whether anything may be expected at all. */
static inline bool ftp_expecting(const struct worker *w)
{
	return w->dp && (int32_t)(__atomic_load_n(&w->dp->ftp_until, __ATOMIC_ACQUIRE) -
				  w->env.now_tick) > 0;
}

#define FAM_TEMPLATE "dataplane/ftp/ftp.fam.h"
#include "base/both_families.h"

#endif
