/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads what servers say on control connections. An answer of a server is believed if it is
 *
 *	an answer of its own: the frame comes from the server's station (from_server())
 *	in order: its first byte is the next byte of the stream, and its line began there
 *	asked for: a PASV or EPSV without a reply, whose line the segment acknowledges
 *	of this connection: the server's address or the VIP, and a port from 1024 up
 *
 * All else crosses as it came, announces nothing and, where it names a data connection, is
 * counted (ftp_refused).
 */
#include "dataplane/conn/tcp_state.h"
#include "dataplane/ftp/ftp_control.h"
#include "dataplane/payload/payload.h"
#include "dataplane/stages/route.h"
#include "dataplane/sync/conn_sync.h"

#define PORT_USER 1024

static bool names(const struct ftp_line *l, FAM_ADDR addr)
{
	return l->addr.family == FAMILY && FAM_FN(addr, equal)(FAM_FN(addr, of)(&l->addr), addr);
}

/*
 * Whether the frame is of the station that this router sends to for the server. Servers behind
 * another router may answer by any router of their link, and servers on a loose link with any
 * MAC: for them the link alone counts, which stage steer has judged.
 */
static bool from_server(const struct worker *w, const struct FAM(pkt) *p)
{
	const struct nexthop *nh = nexthop_by_id(w->nexthops, p->conn->c.nexthop[DIR_IN]);
	const struct link_info *info = fib_link(w->env.fib, p->link);
	const struct addr server = FAM(addr_from_addr)(p->conn->daddr);
	struct addr neighbour;
	link_id link;
	uint32_t id;

	if (info && info->loose)
		return true;
	if (!nh) { /* not resolved since routes changed */
		if (!route_next(w->env.fib, &server, &link, &neighbour))
			return false;
		id = nexthop_find(w->nexthops, link, &neighbour);
		nh = id ? nexthop_by_id(w->nexthops, id) : NULL;
	}
	if (!nh || nh->state != NEXTHOP_REACHABLE)
		return false;
	if (!addr_equal(&nh->addr, &server))
		return true;
	return memcmp(nh->l2, rte_pktmbuf_mtod_offset(p->m, const uint8_t *, sizeof(struct mac)),
		      sizeof(struct mac)) == 0;
}

/* Whether the line at hand is the last one that was rewritten. */
static bool is_last(const struct ftp_control *fc, const struct FAM(ftp_edit) *a)
{
	const struct ftp_shift *s = &fc->shift[DIR_OUT];

	return s->moved && FAM_FN(ftp_edit, line)(a) == s->pos;
}

/* A 227 has no room for an IPv6 address: line_announces() lets none come this far. */
static be32 vip_of(const struct FAM(ftp_edit) *a)
{
	be32 vip;

	memcpy(&vip, &a->p->conn->vaddr, sizeof(vip));
	return vip;
}

/* Puts the VIP into a 227. Returns by how much the text grew. */
static int32_t answer_rewrite(struct worker *w, struct ftp_control *fc, struct FAM(ftp_edit) *a,
			      const struct ftp_line *l)
{
	char text[FTP_NUMBERS_MAX];
	const size_t n = ftp_numbers_put(vip_of(a), l->port, text);

	return FAM_FN(ftp_edit, replace)(w, fc, a, l->at, l->len, text, n);
}

/*
 * The line of the last announcement once more, as TCP repeats it: the same rewriting, and no
 * new announcement. Another port than before: one of the two is forged, and neither is
 * believed.
 */
static int32_t line_again(struct worker *w, struct ftp_control *fc, struct FAM(ftp_edit) *a,
			  const char *line, size_t len)
{
	struct ftp_line l;

	ftp_parse_reply(line, len, &l);
	if (fc->said && FAM_FN(ftp_edit, line)(a) == fc->said_seq && l.port != fc->said) {
		ftp_expect_end(&fc->ticket);
		w->counters.ftp_refused++;
	}
	return l.verb == FTP_227 && is_last(fc, a) ? answer_rewrite(w, fc, a, &l) : 0;
}

/* whole: the line begins in this segment, and can be rewritten. */
static int32_t line_announces(struct worker *w, struct ftp_control *fc, struct FAM(ftp_edit) *a,
			      const struct ftp_line *l, enum ftp_verb answers, bool whole)
{
	const struct FAM(conn) *c = a->p->conn;
	const bool rewrite = l->verb == FTP_227 && !names(l, c->vaddr);
	const struct ftp_data data = {.port = be16_from(l->port)};
	const struct ftp_shift *s = &fc->shift[DIR_OUT];

	if (answers != (l->verb == FTP_227 ? FTP_PASV : FTP_EPSV) || l->verb == FTP_BAD ||
	    l->port < PORT_USER || (rewrite && (!names(l, c->daddr) || !whole)) ||
	    (l->verb == FTP_227 && fc->dialog.epsv_only) ||
	    (rewrite && s->moved && (int32_t)(FAM_FN(ftp_edit, line)(a) - s->pos) < 0)) {
		w->counters.ftp_refused++;
		return 0;
	}
	/* Room for the longest text, before anything is promised. */
	if ((rewrite && !FAM_FN(payload, room)(a->p, FTP_NUMBERS_MAX)) ||
	    !FAM_FN(ftp, announce)(w, fc, c, &data, FTP_EXPECT_S))
		return 0;
	fc->said = whole ? l->port : 0;
	fc->said_seq = FAM_FN(ftp_edit, line)(a);
	return rewrite ? answer_rewrite(w, fc, a, l) : 0;
}

/* A line that has come to its end; text is its beginning. Returns by how much it grew. */
static int32_t server_line(struct worker *w, struct ftp_control *fc, struct FAM(ftp_edit) *a,
			   const char *text, size_t len, bool whole)
{
	struct ftp_reply reply;
	struct ftp_line l;

	if (whole && is_last(fc, a))
		return line_again(w, fc, a, text, len);
	ftp_dialog_reply(&fc->dialog, text, len, a->ack, &reply);
	if (reply.code == 0)
		return 0;
	ftp_parse_reply(text, len, &l);
	if (l.verb != FTP_OTHER)
		return line_announces(w, fc, a, &l, reply.answers, whole);
	if (reply.answers == FTP_PORT && reply.code >= FTP_FAILED)
		ftp_expect_end(&fc->ticket);
	else if (reply.answers == FTP_ABOR && reply.code < FTP_FAILED)
		ftp_expect_end(&fc->ticket);
	else if (reply.answers == FTP_EPSV_ALL && reply.code < FTP_FAILED)
		fc->dialog.epsv_only = true;
	return 0;
}

/* ---- segments of servers ---- */

/* Text that names a data connection, in a segment that is not read. */
static void refuse_text(struct worker *w, const char *data, uint32_t len)
{
	struct ftp_line l;

	ftp_parse_reply(data, RTE_MIN(len, (uint32_t)FTP_LINE_MAX), &l);
	if (l.verb != FTP_OTHER)
		w->counters.ftp_refused++;
}

/* The first `known` bytes were read before: only the line of the last announcement matters.
 * False: the rest was held back. */
static bool server_again(struct worker *w, struct ftp_control *fc, struct FAM(ftp_edit) *a,
			 uint32_t known)
{
	uint32_t at = fc->said_seq - a->seq, len;
	const char *text = FAM_FN(payload, of)(a->p, &len), *nl;

	if (!(fc->said || fc->shift[DIR_OUT].moved) || at >= known)
		return true;
	nl = memchr(text + at, '\n', len - at);
	a->start = at;
	if (nl)
		a->grown += line_again(w, fc, a, text + at, (size_t)(nl - text) - at + 1);
	else if (fc->shift[DIR_OUT].moved && fc->shift[DIR_OUT].pos == fc->said_seq)
		return !FAM_FN(ftp_edit, cut_back)(fc, a, at, len - at);
	return true;
}

/* Whether the beginning of a line may become a 227 that has to be changed. */
static bool worth_holding(const struct ftp_control *fc, const struct FAM(ftp_edit) *a,
			  const char *text, uint32_t len)
{
	return len <= FTP_LINE_MAX && !fc->s.out.over && fc->s.out.len == 0 &&
	       fc->dialog.multiline == 0 &&
	       (ftp_dialog_awaits(&fc->dialog, FTP_PASV) || is_last(fc, a)) &&
	       memcmp(text, "227 ", RTE_MIN(len, 4U)) == 0;
}

/* The rest of a segment, a line without its end. */
static void server_rest(struct ftp_control *fc, struct FAM(ftp_edit) *a, const char *text,
			uint32_t len)
{
	struct ftp_partial *out = &fc->s.out;

	if (!worth_holding(fc, a, text, len)) {
		ftp_partial_add(out, text, len);
		return;
	}
	ftp_partial_add(out, text, len); /* before the payload goes */
	if (FAM_FN(ftp_edit, cut_back)(fc, a, a->start, len)) {
		fc->held[DIR_OUT] = 1;
		fc->s.out_next = FAM_FN(ftp_edit, line)(a);
	}
}

/* The next bytes of the server, from a->start on. */
static void server_text(struct worker *w, struct ftp_control *fc, struct FAM(ftp_edit) *a)
{
	struct ftp_partial *out = &fc->s.out;

	for (;;) {
		uint32_t len;
		const char *text = FAM_FN(payload, of)(a->p, &len), *nl;
		int32_t grew;

		text += a->start;
		len -= a->start;
		nl = len ? memchr(text, '\n', len) : NULL;
		if (!nl) {
			if (len)
				server_rest(fc, a, text, len);
			return;
		}
		len = (uint32_t)(nl - text) + 1;
		if (out->len || out->over) {
			ftp_partial_add(out, text, len);
			grew = server_line(w, fc, a, out->text, out->len, false);
			out->len = 0;
			out->over = false;
		} else {
			grew = server_line(w, fc, a, text, len, true);
		}
		a->start += len + (uint32_t)grew;
		a->grown += grew;
	}
}

static void server_segment(struct worker *w, struct ftp_control *fc, struct FAM(ftp_edit) *a,
			   uint32_t len)
{
	const uint32_t end = a->seq + len, before = fc->s.out_next;
	const bool joined = FAM_FN(ftp_edit, join)(fc, a);
	int32_t known = (int32_t)(before - a->seq);

	if (known < 0) {
		if (ftp_dialog_awaits(&fc->dialog, FTP_PASV) ||
		    ftp_dialog_awaits(&fc->dialog, FTP_EPSV))
			FAM_FN(ftp_edit, cut_back)(fc, a, 0, len);
		return;
	}
	if (known > 0 && !server_again(w, fc, a, RTE_MIN((uint32_t)known, len)))
		return;
	if ((int32_t)(end - before) <= 0)
		return;
	if (joined || fc->held[DIR_OUT]) { /* the line is in the payload now */
		fc->s.out.len = 0;
		fc->held[DIR_OUT] = 0;
	}
	a->start = (uint32_t)(known + a->grown);
	server_text(w, fc, a);
	if (fc->held[DIR_OUT])
		return;
	fc->s.out_next = end;
	fc->tries[DIR_OUT] = 0;
}

void FAM_FN(ftp_read, server)(struct worker *w, struct ftp_control *fc, struct FAM(pkt) *p)
{
	struct FAM(ftp_edit) a = {
		.p = p, .seq = FAM_FN(payload, seq)(p), .ack = FAM_FN(ftp, acked)(p, fc)};
	const uint16_t had = p->l3_len;
	uint32_t len;
	const char *data = FAM_FN(payload, of)(p, &len);

	if (!(p->tcp_flags & TCP_ACK) || !from_server(w, p) ||
	    !ftp_stream_out(&fc->s, a.seq, len, a.ack)) {
		refuse_text(w, data, len);
		return;
	}
	if (len)
		server_segment(w, fc, &a, len);
	FAM_FN(ftp_edit, done)(&a, had);
}
