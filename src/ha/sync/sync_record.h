/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_SYNC_SYNC_RECORD_H
#define PLVS_HA_SYNC_SYNC_RECORD_H

/*
 * A connection, or a change of one, as bytes between routers and in a file. No member is local to a
 * router: no id, no index, no worker. Numbers are in network order.
 *
 *	 0  kind            1  length of the record    2  flags    3  protocol
 *	 4  client's address, virtual address, client's port, virtual port
 *	then
 *	PUT:     state (1), method (1), server's port, server's address, both as the
 *		 connection has them; with SERVICE: protocol, 0, port, address or mark;
 *		 with SERVER: address, port, 0, 0; with LOCAL: address, port, 0, 0;
 *		 with PROXY: begin of the stream (4), state, 0, 0, 0
 *	END:     nothing more
 *	SEQ:     position, before, after (4 each); LOCAL: of the client's numbers
 *	EXPECT:  seconds left (4), client's data port, server's data port;
 *		 with LOCAL: the client's port for the server, 0, 0
 *	BEGIN, COMPLETE, BEHIND: 0 kind, 1 length 4, 2 transfer (BEHIND: 0), 3 zero
 *
 * Addresses have 4 bytes, or 16 with the flag IPV6. A mark has 4, and zeros up to 16. A tunnel or
 * full NAT may lead to a server of the other family: the connection's server address is zero then,
 * and the address of SERVER is of the other length (flag OTHER).
 *
 * SERVICE stands if the service does not follow from virtual address, port and protocol (marks,
 * port 0, FTP data, a further listener). SERVER stands if the server is listed with another address
 * or port than the connection has (DR with another port, port 0).
 *
 * LOCAL stands with full NAT alone, in PUT always: the address and port that the server sees. With
 * OTHER the server is of the other family, and so is the local address.
 * PROXY stands if the server is told the client's address (model/client_address.h).
 *
 * The decoder checks that every field is within its range and refuses impossible connections.
 * Context: any.
 */

#include <stddef.h>

#include "ha/sync/identity.h"

#define SYNC_RECORD_MAX 128 /* of IPv6, with SERVICE, SERVER, LOCAL and PROXY */

enum sync_record_kind {
	RECORD_PUT = 1,
	RECORD_END = 2,
	RECORD_SEQ = 3,
	RECORD_EXPECT = 4,
	RECORD_BEGIN =
		5, /* a transfer begins: at its end, entries that it did not bring are removed */
	RECORD_COMPLETE = 6, /* the transfer is complete */
	RECORD_BEHIND =
		7, /* changes were shed, so the copy is not complete; a transfer will come */
};

/* Protocol bit of a template, as in conn.h. */
#define RECORD_TEMPLATE 0x80U

struct sync_record {
	enum sync_record_kind kind;
	uint8_t gen;		   /* BEGIN, COMPLETE */
	struct sync_event e;	   /* the rest; e.kind is set, e.server is 0 */
	struct sync_server server; /* PUT */
};

/* Bytes written, at most SYNC_RECORD_MAX. */
size_t sync_record_encode(const struct sync_record *r, uint8_t *out);
/* Bytes read, or -EINVAL with *r untouched. */
int sync_record_decode(const uint8_t *bytes, size_t len, struct sync_record *r);

/* Makes a record of a worker's event. 0; -ENOENT: unknown server; -EINVAL: not of a connection
 * (SYNC_WALK, SYNC_FLUSH). */
int sync_record_make(const struct identity *m, const struct sync_event *e, struct sync_record *r);
/* Makes an operation for a worker (PUT, END, SEQ, EXPECT), of transfer gen. False: unknown
 * server. */
bool sync_record_op(const struct identity *m, const struct sync_record *r, uint8_t gen,
		    struct sync_event *op);

/* True: only a peer of version SYNC_VERSION can read the record. */
bool sync_record_is_local(const struct sync_record *r);

/* True: the record marks a transfer, and is of no connection: not counted. */
static inline bool sync_record_is_marker(const struct sync_record *r)
{
	return r->kind == RECORD_BEGIN || r->kind == RECORD_COMPLETE || r->kind == RECORD_BEHIND;
}

/* True: a PUT with a server of the other family: needs SYNC_VERSION_MIXED. */
bool sync_record_is_mixed(const struct sync_record *r);

/* True: an event (PUT, SEQ, EXPECT) is possible for a connection: every field but the server is
 * within its range. */
bool sync_event_sound(const struct sync_event *e);

#endif
