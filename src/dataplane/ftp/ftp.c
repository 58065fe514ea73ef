/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ftp/ftp.h"

#include <errno.h>

#include <rte_ip.h>
#include <rte_tcp.h>

#include "base/csum.h"
#include "dataplane/ftp/ftp_seq.h"
#include "dataplane/ftp/ftp_text.h"
#include "dataplane/conn/conn_life.h"
#include "dataplane/sync/conn_sync.h"
#include "dataplane/conn/tcp_state.h"

#define PORT_USER 1024
/* A 227 that comes again without the rest so often goes on as it is. */
#define HOLD_TRIES 6

/* ---- control connections ---- */

static uint32_t *chain_of(struct ftp *f, uint32_t conn)
{
	return &f->chain[conn % FTP_CONTROL_MAX];
}

static struct ftp_control *control_find(struct worker *w, const struct conn4 *c)
{
	const uint32_t conn = conn4_index(&w->table4, c);

	for (uint32_t i = *chain_of(w->ftp, conn); i; i = w->ftp->control[i].next)
		if (w->ftp->control[i].conn == conn)
			return &w->ftp->control[i];
	return NULL;
}

/* Only with what both sides have agreed to: a SYN costs nothing here. */
static struct ftp_control *control_new(struct worker *w, const struct conn4 *c)
{
	const uint32_t conn = conn4_index(&w->table4, c);
	struct ftp *f = w->ftp;
	uint32_t i = f->free;

	if (c->c.flags & CONN_F_EMBRYONIC)
		return NULL;
	if (i) {
		f->free = f->control[i].next;
	} else if (f->unused < FTP_CONTROL_MAX) {
		i = ++f->unused;
	} else {
		w->counters.ftp_full++;
		return NULL;
	}
	memset(&f->control[i], 0, sizeof(f->control[i]));
	f->control[i].conn = conn;
	f->control[i].next = *chain_of(f, conn);
	*chain_of(f, conn) = i;
	return &f->control[i];
}

void ftp4_end(struct worker *w, const struct conn4 *c)
{
	struct ftp *f = w->ftp;
	uint32_t *at = chain_of(f, conn4_index(&w->table4, c));
	struct ftp_control *fc = control_find(w, c);
	const uint32_t i = fc ? (uint32_t)(fc - f->control) : 0;

	if (!fc)
		return;
	ftp_expect_end(&fc->ticket);
	while (*at != i)
		at = &f->control[*at].next;
	*at = fc->next;
	fc->next = f->free;
	f->free = i;
}

/* ---- what is announced ---- */

/* cport 0: passive, port is the server's. False: nothing is expected. */
static bool announce(struct worker *w, struct ftp_control *fc, const struct conn4 *c, be16 cport,
		     be16 port, uint32_t seconds)
{
	const struct ftp_expect e = {
		.caddr = c->caddr,
		.vaddr = c->vaddr,
		.daddr = c->daddr,
		.cport = cport,
		/* Active: from the port below that of control connections. */
		.vport = cport ? be16_from((uint16_t)(be16_to(c->vport) - 1)) : port,
		.dport = cport ? be16_from((uint16_t)(be16_to(c->dport) - 1)) : port,
		.server = c->c.server,
		.until = w->env.now_tick + seconds * CONN_TICK_HZ,
	};

	ftp_expect_end(&fc->ticket);
	if (!ftp_expect_add(w, &e, &fc->ticket)) {
		w->counters.ftp_full++;
		return false;
	}
	w->counters.ftp_expected++;
	if (sync_on(w))
		sync_ftp_expect(w, c, cport, port, seconds);
	return true;
}

static void client_line(struct worker *w, struct ftp_control *fc, const struct conn4 *c,
			const char *line, size_t len)
{
	struct ftp_line l;

	ftp_parse_command(line, len, &l);
	if (l.verb == FTP_PASV) {
		fc->asked = 1;
	} else if (l.verb == FTP_PORT && l.addr == c->caddr && l.port >= PORT_USER) {
		fc->asked = 0;
		announce(w, fc, c, be16_from(l.port), 0, FTP_EXPECT_S);
	} else if (l.verb != FTP_OTHER) {
		w->counters.ftp_refused++;
	}
}

static void client_segment(struct worker *w, struct ftp_control *fc, const struct conn4 *c,
			   uint32_t seq, const char *data, size_t len)
{
	struct ftp_partial *in = &fc->in;

	if (in->len == 0 || seq != in->seq + in->len) {
		in->seq = seq;
		in->len = 0;
	}
	while (len) {
		const char *nl = memchr(data, '\n', len);
		size_t n = nl ? (size_t)(nl - data) + 1 : len;

		if (in->len + n > sizeof(in->text)) { /* no command of interest is so long */
			in->len = 0;
		} else {
			memcpy(in->text + in->len, data, n);
			in->len = (uint16_t)(in->len + n);
			if (nl)
				client_line(w, fc, c, in->text, in->len);
		}
		seq += (uint32_t)n;
		data += n;
		len -= n;
		if (nl) {
			in->seq = seq;
			in->len = 0;
		}
	}
}

/* ---- the server's answers ---- */

/* An answer about to be sent on. */
struct reply {
	struct pkt4 *p;
	uint32_t seq;	/* of its payload */
	uint32_t start; /* of the line at hand, in the payload */
	int32_t grown;	/* bytes by which lines before it have grown */
	bool changed;
};

static uint32_t line_seq(const struct reply *r)
{
	return r->seq + r->start - (uint32_t)r->grown;
}

/* The same line again, as TCP repeats it. */
static bool repeated(const struct ftp_control *fc, const struct reply *r)
{
	return fc->moved && line_seq(r) == fc->pos;
}

/* Puts the VIP into a 227. Returns by how much it grew. */
static int32_t answer_rewrite(struct worker *w, struct ftp_control *fc, struct reply *r,
			      const struct ftp_line *l)
{
	char text[FTP_NUMBERS_MAX];
	size_t n = ftp_numbers_put(r->p->conn->vaddr, l->port, text);
	int32_t grows = (int32_t)n - l->len;

	if (!ftp_payload_replace(r->p, r->start + l->at, l->len, text, (uint32_t)n))
		return 0;
	if (!repeated(fc, r)) {
		fc->before = fc->moved ? fc->after : 0;
		fc->after = fc->before + grows;
		fc->pos = line_seq(r);
		fc->moved = 1;
		if (sync_on(w))
			sync_ftp_seq(w, r->p->conn, fc->pos, fc->before, fc->after);
	}
	r->changed = true;
	return grows;
}

/* Whether an answer may be believed. */
static bool sound(const struct conn4 *c, const struct ftp_line *l)
{
	if (l->verb == FTP_BAD || l->port < PORT_USER)
		return false;
	return l->verb == FTP_229 || l->addr == c->daddr || l->addr == c->vaddr;
}

static int32_t server_line(struct worker *w, struct ftp_control *fc, struct reply *r,
			   const char *line, size_t len)
{
	const struct conn4 *c = r->p->conn;
	const bool again = repeated(fc, r);
	struct ftp_line l;

	ftp_parse_reply(line, len, &l);
	if (l.verb == FTP_OTHER)
		return 0;
	if (!sound(c, &l) || !(fc->asked || again)) {
		w->counters.ftp_refused++;
		return 0;
	}
	if (!again) {
		/* Room for the longest text, before anything is promised. */
		if (!ftp_payload_room(r->p, FTP_NUMBERS_MAX) ||
		    !announce(w, fc, c, 0, be16_from(l.port), FTP_EXPECT_S))
			return 0;
		fc->asked = 0;
	}
	return l.verb == FTP_227 && l.addr != c->vaddr ? answer_rewrite(w, fc, r, &l) : 0;
}

/* Whether the beginning of a line may become a 227 that has to be changed. */
static bool worth_holding(const struct ftp_control *fc, const struct reply *r, const char *text,
			  size_t len)
{
	return len <= FTP_LINE_MAX && (fc->asked || repeated(fc, r)) &&
	       memcmp(text, "227 ", RTE_MIN(len, 4U)) == 0;
}

/* Keeps the unfinished line from the client until the rest comes. */
static void hold(struct ftp_control *fc, struct reply *r, const char *text, size_t len, bool joined)
{
	struct ftp_partial *out = &fc->out;
	const uint32_t seq = line_seq(r);

	out->tries = (uint8_t)(!joined && out->seq == seq ? out->tries + 1 : 1);
	out->seq = seq;
	if (out->tries > HOLD_TRIES) {
		out->tries = HOLD_TRIES;
		return;
	}
	memcpy(out->text, text, len);
	out->len = (uint16_t)len;
	ftp_payload_replace(r->p, r->start, (uint32_t)len, NULL, 0);
	r->changed = true;
}

static void server_segment(struct worker *w, struct ftp_control *fc, struct pkt4 *p)
{
	struct ftp_partial *out = &fc->out;
	struct reply r = {.p = p, .seq = ftp_seq(p)};
	const uint16_t had = p->l3_len;
	const bool joined = out->len && r.seq == out->seq + out->len &&
			    ftp_payload_replace(p, 0, 0, out->text, out->len);
	const char *text, *nl;
	uint32_t len;

	if (joined) {
		r.seq = out->seq;
		r.changed = true;
		ftp_seq_set(p, r.seq);
	}
	out->len = 0;
	for (;;) {
		text = ftp_payload(p, &len);
		text += r.start;
		len -= r.start;
		nl = len ? memchr(text, '\n', len) : NULL;
		if (!nl)
			break;
		len = (uint32_t)(nl - text) + 1;
		int32_t grew = server_line(w, fc, &r, text, len);

		r.start += len + (uint32_t)grew;
		r.grown += grew;
	}
	if (len && !(p->tcp_flags & TCP_FIN) && worth_holding(fc, &r, text, len))
		hold(fc, &r, text, len, joined);
	if (r.changed)
		ftp_payload_done(p, RTE_MAX(had, p->nh->mtu));
}

void ftp4_packet(struct worker *w, struct pkt4 *p)
{
	struct ftp_control *fc;
	const char *data;
	uint32_t len;

	if ((p->flags & PKT_RELATED) || ftp_is_fragment(p))
		return;
	fc = control_find(w, p->conn);
	if (!(p->tcp_flags & (TCP_SYN | TCP_RST)) && ftp_payload_sound(p)) {
		if (!fc)
			fc = control_new(w, p->conn);
		data = ftp_payload(p, &len);
		if (fc && p->dir == DIR_IN)
			client_segment(w, fc, p->conn, ftp_seq(p), data, len);
		else if (fc)
			server_segment(w, fc, p);
	}
	if (fc && fc->moved)
		ftp_seq_adjust(p, fc);
}

/* ---- of the peer and for it ---- */

bool ftp4_state(struct worker *w, const struct conn4 *c, struct ftp_state *out)
{
	const struct ftp_control *fc = control_find(w, c);
	struct ftp_expect e;

	if (!fc)
		return false;
	*out = (struct ftp_state){
		.moved = fc->moved, .pos = fc->pos, .before = fc->before, .after = fc->after};
	if (ftp_expect_read(&fc->ticket, &e) && (int32_t)(e.until - w->env.now_tick) > 0) {
		out->left_s = (e.until - w->env.now_tick + CONN_TICK_HZ - 1) / CONN_TICK_HZ;
		out->data_cport = e.cport;
		out->data_port = e.cport ? 0 : e.dport;
	}
	return out->moved || out->left_s;
}

void ftp4_take_seq(struct worker *w, const struct conn4 *c, uint32_t pos, int32_t before,
		   int32_t after)
{
	struct ftp_control *fc = control_find(w, c);

	if (!fc)
		fc = control_new(w, c);
	if (!fc)
		return;
	fc->pos = pos;
	fc->before = before;
	fc->after = after;
	fc->moved = 1;
}

void ftp4_take_expect(struct worker *w, const struct conn4 *c, be16 data_cport, be16 data_port,
		      uint32_t left_s)
{
	struct ftp_control *fc = control_find(w, c);

	if (!fc)
		fc = control_new(w, c);
	if (fc)
		announce(w, fc, c, data_cport, data_port, RTE_MIN(left_s, (uint32_t)FTP_EXPECT_S));
}

/* ---- data connections ---- */

/* Active: the client's port and VIP's may still be those of an earlier one. */
static int in_key_free(struct worker *w, const struct ftp_expect *e)
{
	const struct key4 key = {.saddr = e->caddr,
				 .daddr = e->vaddr,
				 .sport = e->cport,
				 .dport = e->vport,
				 .proto = IPPROTO_TCP};
	struct conn4 *c = table4_find(&w->table4, &key, table4_hash(&w->table4, &key), DIR_IN);

	if (!c)
		return 0;
	if (c->c.state != CONN_TIME_WAIT && c->c.state != CONN_CLOSE && c->c.state != CONN_LAST_ACK)
		return -EEXIST;
	conn4_destroy(w, c);
	w->counters.reused++;
	return 0;
}

static bool expectation_of(struct worker *w, const struct pkt4 *p, struct ftp_expect *e,
			   struct ftp_ticket *ticket)
{
	const struct key4 *k = &p->key;

	if (k->proto != IPPROTO_TCP || (p->flags & PKT_RELATED) || w->env.lease_off ||
	    (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) != TCP_SYN)
		return false;
	if (p->dir == DIR_IN)
		return ftp_expect_find(w, k->saddr, 0, k->daddr, k->dport, e, ticket);
	return k->dport && ftp_expect_find(w, k->daddr, k->dport, k->saddr, k->sport, e, ticket);
}

int ftp4_make(struct worker *w, struct pkt4 *p)
{
	const struct snapshot *s = w->env.snap;
	struct server_rt *rt;
	struct ftp_expect e;
	struct ftp_ticket ticket;
	int ret;

	/* An earlier packet of this burst may have made it. */
	p->conn = table4_find(&w->table4, &p->key, p->hash, p->dir);
	if (p->conn)
		return 0;
	if (!expectation_of(w, p, &e, &ticket))
		return -ENOENT;
	rt = runtime_server(&w->pub->runtime, e.server);
	if (!rt || server_rt_removed(rt))
		return -ENOENT;
	if (p->dir == DIR_OUT) {
		ret = in_key_free(w, &e);
		if (ret < 0)
			return ret;
	}
	const struct conn4_new n = {
		.caddr = e.caddr,
		.cport = p->dir == DIR_IN ? p->key.sport : e.cport,
		.vaddr = e.vaddr,
		.vport = e.vport,
		.daddr = e.daddr,
		.dport = e.dport,
		.proto = IPPROTO_TCP,
		.method = FWD_NAT,
		.svc = rt->service_id <= s->max_service_id ? s->services[rt->service_id] : NULL,
		.server = rt,
	};

	ret = conn4_create(w, &n, &p->conn);
	if (ret == 0)
		ftp_expect_end(&ticket);
	return ret;
}
