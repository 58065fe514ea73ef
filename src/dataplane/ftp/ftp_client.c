/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads what clients say on control connections. By NAT a client's bytes cross as they came. By
 * full NAT the server has to read, in PORT and EPRT, an address and port under which the server
 * reaches the client: a local address of the connection, and a port that is chosen here. So a
 * command that may become a PORT or EPRT, and whose line has not come to its end, is held back, as
 * the beginning of a 227 is (ftp_read.c), and so are bytes that come before their turn.
 */
#include <strings.h>

#include "dataplane/conn/tcp_state.h"
#include "dataplane/ftp/ftp_control.h"
#include "dataplane/fullnat/local_end.h"
#include "dataplane/payload/payload.h"

#define PORT_USER 1024

static bool names(const struct ftp_line *l, FAM_ADDR addr)
{
	return l->addr.family == FAMILY && FAM_FN(addr, equal)(FAM_FN(addr, of)(&l->addr), addr);
}

/* Whether a PORT or EPRT may be believed. */
static bool is_own(const struct ftp_control *fc, const struct ftp_line *l,
		   const struct FAM(conn) *c)
{
	return l->verb == FTP_PORT && !fc->dialog.epsv_only && names(l, c->caddr) &&
	       l->port >= PORT_USER;
}

static void parse(struct ftp_line *l, const char *text, size_t len, bool over)
{
	*l = (struct ftp_line){.verb = FTP_OTHER};
	if (!over)
		ftp_parse_command(text, len, l);
}

/* The line's command awaits a reply. end: the number behind the line. */
static void await(struct ftp_control *fc, const struct ftp_line *l, uint32_t end)
{
	ftp_dialog_command(&fc->dialog, l->verb == FTP_BAD ? FTP_OTHER : l->verb, end);
}

/* ---- NAT ---- */

static void client_line(struct worker *w, struct ftp_control *fc, const struct FAM(conn) *c)
{
	const struct ftp_partial *in = &fc->s.in;
	struct ftp_line l;

	parse(&l, in->text, in->len, in->over);
	if (l.verb == FTP_EMPTY)
		return;
	if (is_own(fc, &l, c)) {
		const struct ftp_data data = {.cport = be16_from(l.port)};

		FAM_FN(ftp, announce)(w, fc, c, &data, FTP_EXPECT_S);
	} else if (l.verb == FTP_PORT || l.verb == FTP_BAD) {
		w->counters.ftp_refused++;
	}
	await(fc, &l, fc->s.in_next);
}

/* The next bytes of a client. */
static void client_text(struct worker *w, struct ftp_control *fc, const struct FAM(conn) *c,
			const char *text, size_t len)
{
	while (len) {
		const char *nl = memchr(text, '\n', len);
		const size_t n = nl ? (size_t)(nl - text) + 1 : len;

		ftp_partial_add(&fc->s.in, text, n);
		fc->s.in_next += (uint32_t)n;
		if (nl) {
			client_line(w, fc, c);
			fc->s.in.len = 0;
			fc->s.in.over = false;
		}
		text += n;
		len -= n;
	}
}

/* ---- full NAT ---- */

/* The text for the server, in the place of the client's address and port. */
static int32_t port_rewrite(struct worker *w, struct ftp_control *fc, struct FAM(ftp_edit) *a,
			    const struct ftp_line *l, be16 lport)
{
	const struct FAM(table) *t = &w->FAM(v).table;
	char text[FTP_ARGUMENT_MAX];
	struct addr local;
	be16 own;

	local = FAM(addr_from_addr)(FAM_FN(local, of)(t, a->p->conn, &own));
	return FAM_FN(ftp_edit,
		      replace)(w, fc, a, l->at, l->len, text,
			       ftp_argument_put(l->extended, &local, be16_to(lport), text));
}

/* Returns by how much the line grew. */
static int32_t port_line(struct worker *w, struct ftp_control *fc, struct FAM(ftp_edit) *a,
			 const struct ftp_line *l)
{
	const struct FAM(conn) *c = a->p->conn;
	struct ftp_data data = {.cport = be16_from(l->port)};
	struct FAM(ftp_end) end = {.server = c->daddr,
				   .dport = ftp_active_port(c->dport),
				   .step = (uint8_t)FAM_FN(owner, step)(c->caddr, data.cport)};
	be16 own;

	/* Room for the longest text, before anything is promised. */
	if (!FAM_FN(payload, room)(a->p, FTP_ARGUMENT_MAX))
		return 0;
	end.local = FAM_FN(local, of)(&w->FAM(v).table, c, &own);
	if (!FAM_FN(ftp_port, choose)(w, &end, FTP_EXPECT_S)) {
		w->counters.ftp_full++;
		return 0;
	}
	data.lport = end.lport;
	if (!FAM_FN(ftp, announce)(w, fc, c, &data, FTP_EXPECT_S))
		return 0;
	fc->lport = end.lport;
	return port_rewrite(w, fc, a, l, end.lport);
}

/* A line that has come to its end; text is its beginning. whole: the line begins in this segment,
 * and can be rewritten. Returns by how much the line grew. */
static int32_t command_line(struct worker *w, struct ftp_control *fc, struct FAM(ftp_edit) *a,
			    const struct ftp_line *l, bool whole)
{
	if (whole && is_own(fc, l, a->p->conn))
		return port_line(w, fc, a, l);
	if (l->verb == FTP_PORT || l->verb == FTP_BAD)
		w->counters.ftp_refused++;
	return 0;
}

/* Whether the beginning of a line may become a PORT or EPRT. */
static bool worth_holding(const struct ftp_partial *in, const char *text, uint32_t len)
{
	const uint32_t n = RTE_MIN(len, 5U);

	return len <= FTP_LINE_MAX && !in->over && in->len == 0 &&
	       (strncasecmp(text, "PORT ", n) == 0 || strncasecmp(text, "EPRT ", n) == 0);
}

/* From the line at hand on nothing was read: in_next is its beginning. */
static void stop_at(struct ftp_control *fc, const struct FAM(ftp_edit) *a)
{
	fc->s.in_next = FAM_FN(ftp_edit, line)(a);
}

/* The rest of a segment, a line without its end. False: the rest was held back. */
static bool client_rest(struct ftp_control *fc, struct FAM(ftp_edit) *a, const char *text,
			uint32_t len)
{
	struct ftp_partial *in = &fc->s.in;
	const bool holds = worth_holding(in, text, len);

	ftp_partial_add(in, text, len); /* before the payload goes */
	if (!holds || !FAM_FN(ftp_edit, cut_back)(fc, a, a->start, len))
		return true;
	fc->held[DIR_IN] = 1;
	stop_at(fc, a);
	return false;
}

/* The next bytes of the client, from a->start on. False: the last ones were held back. */
static bool client_lines(struct worker *w, struct ftp_control *fc, struct FAM(ftp_edit) *a)
{
	struct ftp_partial *in = &fc->s.in;

	for (;;) {
		uint32_t len, n;
		const char *text = FAM_FN(payload, of)(a->p, &len), *nl;
		const bool whole = in->len == 0 && !in->over;
		struct ftp_line l;
		int32_t grew = 0;

		text += a->start;
		len -= a->start;
		nl = len ? memchr(text, '\n', len) : NULL;
		if (!nl)
			return len == 0 || client_rest(fc, a, text, len);
		n = (uint32_t)(nl - text) + 1;
		if (whole) {
			parse(&l, text, n, false);
		} else {
			ftp_partial_add(in, text, n);
			parse(&l, in->text, in->len, in->over);
		}
		/* Numbers of a segment have one place from which on they are moved. */
		if (whole && l.verb == FTP_PORT && a->rewritten &&
		    FAM_FN(ftp_edit, cut_back)(fc, a, a->start, len)) {
			stop_at(fc, a);
			return false;
		}
		if (l.verb != FTP_EMPTY) {
			grew = command_line(w, fc, a, &l, whole && !a->rewritten);
			await(fc, &l, FAM_FN(ftp_edit, line)(a) + n);
		}
		in->len = 0;
		in->over = false;
		a->start += n + (uint32_t)grew;
		a->grown += grew;
	}
}

/* The first `known` bytes were read before: only the last PORT or EPRT matters, which TCP repeats.
 * False: the rest was held back. */
static bool client_again(struct worker *w, struct ftp_control *fc, struct FAM(ftp_edit) *a,
			 uint32_t known)
{
	const struct ftp_shift *s = &fc->shift[DIR_IN];
	uint32_t at = s->pos - a->seq, len;
	const char *text = FAM_FN(payload, of)(a->p, &len), *nl;
	struct ftp_line l;

	if (!s->moved || at >= known)
		return true;
	nl = memchr(text + at, '\n', len - at);
	a->start = at;
	if (!nl)
		return !FAM_FN(ftp_edit, cut_back)(fc, a, at, len - at);
	parse(&l, text + at, (size_t)(nl - text) - at + 1, false);
	if (l.verb == FTP_PORT && fc->lport)
		a->grown += port_rewrite(w, fc, a, &l, fc->lport);
	return true;
}

static void client_segment(struct worker *w, struct ftp_control *fc, struct FAM(ftp_edit) *a,
			   uint32_t len)
{
	const uint32_t end = a->seq + len, before = fc->s.in_next;
	const bool joined = FAM_FN(ftp_edit, join)(fc, a);
	const int32_t known = (int32_t)(before - a->seq);

	if (known < 0) {
		FAM_FN(ftp_edit, cut_back)(fc, a, 0, len);
		return;
	}
	if (known > 0 && !client_again(w, fc, a, RTE_MIN((uint32_t)known, len)))
		return;
	if ((int32_t)(end - before) <= 0)
		return;
	if (joined || fc->held[DIR_IN]) { /* the line is in the payload now */
		fc->s.in.len = 0;
		fc->held[DIR_IN] = 0;
	}
	a->start = (uint32_t)(known + a->grown);
	if (!client_lines(w, fc, a))
		return;
	fc->s.in_next = end;
	fc->tries[DIR_IN] = 0;
}

/* ---- both ---- */

void FAM_FN(ftp_read, client)(struct worker *w, struct ftp_control *fc, struct FAM(pkt) *p)
{
	const bool edits = forward_has(p->conn->c.method, FORWARD_BY_LOCAL);
	struct FAM(ftp_edit) a = {.p = p, .seq = FAM_FN(payload, seq)(p)};
	const uint16_t had = p->l3_len;
	char early[FTP_LINE_MAX];
	uint32_t len;
	const char *data = FAM_FN(payload, of)(p, &len);
	int32_t known =
		ftp_stream_in(&fc->s, a.seq, data, edits ? 0 : len, FAM_FN(ftp, acked)(p, fc));

	if (fc->s.missed) {
		fc->s.missed = false;
		fc->held[DIR_OUT] = 0;
		ftp_dialog_forget(&fc->dialog);
	}
	if (edits) {
		if (len)
			client_segment(w, fc, &a, len);
		FAM_FN(ftp_edit, done)(&a, had);
		return;
	}
	if (known < 0)
		return;
	client_text(w, fc, p->conn, data + known, len - (uint32_t)known);
	client_text(w, fc, p->conn, early, ftp_stream_early(&fc->s, early));
}
