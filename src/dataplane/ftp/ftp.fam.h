/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of ftp.h that is compiled once for each address family. */

/* A new connection of a TCP service with `ftp`. The answers of a server of the other family, which
 * has no address here, are not read. */
static inline void FAM_FN(ftp, begin)(struct FAM(conn) *c)
{
	if (c->c.proto == IPPROTO_TCP && forward_has(c->c.method, FORWARD_REWRITES) &&
	    !FAM_FN(addr, is_zero)(c->daddr))
		c->c.flags |= CONN_F_PAYLOAD;
}

/* The state for a peer. False: there is none. */
bool FAM_FN(ftp, state)(struct worker *w, const struct FAM(conn) *c, struct ftp_state *out);
/* Take in the state of a control connection that a peer sent. The peer does not send a line that
 * was cut in the middle at that moment: the server sends the held-back bytes of an answer again;
 * half a command of the client is lost, with the data connection of that command. */
void FAM_FN(ftp, take_seq)(struct worker *w, const struct FAM(conn) *c, unsigned int dir,
			   const struct ftp_shift *shift);
void FAM_FN(ftp, take_expect)(struct worker *w, const struct FAM(conn) *c,
			      const struct ftp_data *data, uint32_t left_s);

/* Ends the state of a control connection that ends, with the announced data connection. */
void FAM_FN(ftp, end)(struct worker *w, const struct FAM(conn) *c);
/* Takes a packet of a control connection, before its headers are rewritten. */
void FAM_FN(ftp, packet)(struct worker *w, struct FAM(pkt) *p);

/* The expectation that a SYN fits. False: none. */
bool FAM_FN(ftp, expectation)(struct worker *w, const struct FAM(pkt) *p, struct ftp_expect *e,
			      struct ftp_ticket *ticket);
/* Makes the connection of an announced SYN: 0. -ENOENT: not announced; or as FAM_FN(conn,
 * create)(). */
int FAM_FN(ftp, make)(struct worker *w, struct FAM(pkt) *p);
