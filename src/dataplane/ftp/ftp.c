/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ftp/ftp.h"

#include <errno.h>

#include "dataplane/ftp/ftp_control.h"
#include "dataplane/payload/payload.h"
#include "dataplane/conn/conn_life.h"
#include "dataplane/fullnat/local_end.h"
#include "dataplane/sync/conn_sync.h"
#include "dataplane/conn/tcp_state.h"

#define HAND_STEP 64 /* places looked at for one that gives way */

/* ---- control connections ---- */

static uint32_t *chain_of(struct ftp *f, uint32_t conn)
{
	return &f->chain[conn % FTP_CONTROL_MAX];
}

static uint32_t id_of(const struct worker *w, const struct FAM(conn) *c)
{
	return FAM_FN(conn, index)(&w->FAM(v).table, c) << 1 | (FAMILY == 6);
}

/* Of a control connection of either family. */
static const struct conn *conn_of(const struct worker *w, uint32_t id)
{
	return id & 1 ? &w->v6.table.conns[id >> 1].c : &w->v4.table.conns[id >> 1].c;
}

static struct ftp_control *control_find(struct worker *w, uint32_t id)
{
	for (uint32_t i = *chain_of(w->ftp, id); i; i = w->ftp->control[i].next)
		if (w->ftp->control[i].conn == id)
			return &w->ftp->control[i];
	return NULL;
}

struct ftp_control *FAM_FN(ftp_control, find)(struct worker *w, const struct FAM(conn) *c)
{
	return control_find(w, id_of(w, c));
}

static void control_end(struct worker *w, uint32_t id)
{
	struct ftp *f = w->ftp;
	uint32_t *at = chain_of(f, id);
	struct ftp_control *fc = control_find(w, id);
	const uint32_t i = fc ? (uint32_t)(fc - f->control) : 0;

	if (!fc)
		return;
	ftp_expect_end(&fc->ticket);
	while (*at != i)
		at = &f->control[*at].next;
	*at = fc->next;
	fc->next = f->free;
	f->free = i;
	if (i < w->sync.ftp_rows_limit)
		__atomic_store_n(&w->sync.ftp_rows[i].check, 0, __ATOMIC_RELAXED);
}

/* Numbers that moved must go on moving, and what was held back must be sent. */
static bool in_use(const struct ftp_control *fc)
{
	return fc->shift[DIR_IN].moved || fc->shift[DIR_OUT].moved || fc->held[DIR_IN] ||
	       fc->held[DIR_OUT];
}

/* When no place is free: the next one whose connection is not assured gives way, by a hand that
 * goes round in the order in which places were given away. False: none of 64 may. */
static bool control_displace(struct worker *w)
{
	struct ftp *f = w->ftp;

	for (unsigned int i = 0; i < HAND_STEP; i++) {
		const struct ftp_control *fc;

		f->hand = f->hand < FTP_CONTROL_MAX ? f->hand + 1 : 1;
		fc = &f->control[f->hand];
		if ((conn_of(w, fc->conn)->evidence & EVIDENCE_ASSURED) || in_use(fc))
			continue;
		control_end(w, fc->conn);
		w->counters.ftp_full++;
		return true;
	}
	return false;
}

struct ftp_control *FAM_FN(ftp_control, new)(struct worker *w, const struct FAM(conn) *c)
{
	const uint32_t conn = id_of(w, c);
	struct ftp *f = w->ftp;
	uint32_t i;

	if (c->c.flags & CONN_F_EMBRYONIC)
		return NULL;
	if (!f->free && f->unused == FTP_CONTROL_MAX)
		control_displace(w);
	i = f->free;
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

void FAM_FN(ftp, end)(struct worker *w, const struct FAM(conn) *c)
{
	control_end(w, id_of(w, c));
}

/* ---- what is announced ---- */

bool FAM_FN(ftp, announce)(struct worker *w, struct ftp_control *fc, const struct FAM(conn) *c,
			   const struct ftp_data *data, uint32_t seconds)
{
	struct ftp_expect e = {
		.caddr = FAM(addr_from_addr)(c->caddr),
		.vaddr = FAM(addr_from_addr)(c->vaddr),
		.daddr = FAM(addr_from_addr)(c->daddr),
		.cport = data->cport,
		.lport = data->lport,
		.vport = data->cport ? ftp_active_port(c->vport) : data->port,
		.dport = data->cport ? ftp_active_port(c->dport) : data->port,
		.assured = (c->c.evidence & EVIDENCE_ASSURED) != 0,
		.method = c->c.method,
		.server = c->c.server,
		.until = w->env.now_tick + seconds * CONN_TICK_HZ,
	};
	be16 own;

	if (forward_has(c->c.method, FORWARD_BY_LOCAL))
		e.laddr = FAM(addr_from_addr)(FAM_FN(local, of)(&w->FAM(v).table, c, &own));
	ftp_expect_end(&fc->ticket);
	if (!ftp_expect_add(w, &e, &fc->ticket)) {
		w->counters.ftp_full++;
		return false;
	}
	w->counters.ftp_expected++;
	if (sync_on(w))
		FAM_FN(sync, ftp_expect)(w, c, data, seconds);
	return true;
}

void FAM_FN(ftp, packet)(struct worker *w, struct FAM(pkt) *p)
{
	struct ftp_control *fc;
	uint32_t len;

	if ((p->flags & PKT_RELATED) || FAM_FN(payload, is_fragment)(p))
		return;
	fc = FAM_FN(ftp_control, find)(w, p->conn);
	if (!(p->tcp_flags & (TCP_SYN | TCP_RST)) && FAM_FN(payload, sound)(p)) {
		FAM_FN(payload, of)(p, &len);
		if (!fc && len)
			fc = FAM_FN(ftp_control, new)(w, p->conn);
		if (fc && p->dir == DIR_IN)
			FAM_FN(ftp_read, client)(w, fc, p);
		else if (fc)
			FAM_FN(ftp_read, server)(w, fc, p);
	}
	if (fc && (fc->shift[DIR_IN].moved || fc->shift[DIR_OUT].moved))
		FAM_FN(ftp, seq_adjust)(p, fc);
}

/* ---- of the peer and for it ---- */

bool FAM_FN(ftp, state)(struct worker *w, const struct FAM(conn) *c, struct ftp_state *out)
{
	const struct ftp_control *fc = FAM_FN(ftp_control, find)(w, c);
	struct ftp_expect e;

	if (!fc)
		return false;
	*out = (struct ftp_state){.shift = {fc->shift[DIR_IN], fc->shift[DIR_OUT]}};
	if (ftp_expect_read(&fc->ticket, &e) && (int32_t)(e.until - w->env.now_tick) > 0) {
		out->left_s = (e.until - w->env.now_tick + CONN_TICK_HZ - 1) / CONN_TICK_HZ;
		out->data = (struct ftp_data){
			.cport = e.cport, .lport = e.lport, .port = e.cport ? 0 : e.dport};
	}
	return out->shift[DIR_IN].moved || out->shift[DIR_OUT].moved || out->left_s;
}

void FAM_FN(ftp, take_seq)(struct worker *w, const struct FAM(conn) *c, unsigned int dir,
			   const struct ftp_shift *shift)
{
	struct ftp_control *fc = FAM_FN(ftp_control, find)(w, c);

	if (!fc)
		fc = FAM_FN(ftp_control, new)(w, c);
	if (!fc)
		return;
	fc->shift[dir] = *shift;
	if (dir == DIR_IN) {
		fc->lport = 0;
		return;
	}
	fc->said = 0;
	fc->said_seq = shift->pos;
}

void FAM_FN(ftp, take_expect)(struct worker *w, const struct FAM(conn) *c,
			      const struct ftp_data *data, uint32_t left_s)
{
	const bool by_local = forward_has(c->c.method, FORWARD_BY_LOCAL);
	const uint32_t seconds = RTE_MIN(left_s, (uint32_t)FTP_EXPECT_S);
	struct ftp_control *fc = FAM_FN(ftp_control, find)(w, c);
	be16 own;

	if (!fc)
		fc = FAM_FN(ftp_control, new)(w, c);
	if (!fc || (data->cport && by_local != (data->lport != 0)))
		return;
	if (data->lport) {
		const struct FAM(ftp_end) end = {
			.local = FAM_FN(local, of)(&w->FAM(v).table, c, &own),
			.server = c->daddr,
			.lport = data->lport,
			.dport = ftp_active_port(c->dport),
			.step = (uint8_t)FAM_FN(owner, step)(c->caddr, data->cport)};

		FAM_FN(ftp_port, hold)(w, &end, seconds);
		fc->lport = data->lport;
	}
	FAM_FN(ftp, announce)(w, fc, c, data, seconds);
}

/* ---- data connections ---- */

/* Active: the client's port and VIP's may still be those of an earlier one. */
static int in_key_free(struct worker *w, const struct ftp_expect *e)
{
	const struct FAM(key) key = {.saddr = FAM_FN(addr, of)(&e->caddr),
				     .daddr = FAM_FN(addr, of)(&e->vaddr),
				     .sport = e->cport,
				     .dport = e->vport,
				     .proto = IPPROTO_TCP};
	struct FAM(conn) *c = FAM_FN(table, find)(
		&w->FAM(v).table, &key, FAM_FN(table, hash)(&w->FAM(v).table, &key), DIR_IN);

	if (!c)
		return 0;
	if (c->c.state != CONN_TIME_WAIT && c->c.state != CONN_CLOSE && c->c.state != CONN_LAST_ACK)
		return -EEXIST;
	FAM_FN(conn, destroy)(w, c);
	w->counters.reused++;
	return 0;
}

bool FAM_FN(ftp, expectation)(struct worker *w, const struct FAM(pkt) *p, struct ftp_expect *e,
			      struct ftp_ticket *ticket)
{
	const struct FAM(key) *k = &p->key;

	if (k->proto != IPPROTO_TCP || (p->flags & PKT_RELATED) || w->env.lease_off ||
	    (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) != TCP_SYN)
		return false;
	const struct addr saddr = FAM(addr_from_addr)(k->saddr);
	const struct addr daddr = FAM(addr_from_addr)(k->daddr);

	if (p->dir == DIR_IN)
		return ftp_expect_find(w, &saddr, 0, &daddr, k->dport, e, ticket);
	return k->dport && ftp_expect_find(w, &daddr, k->dport, &saddr, k->sport, e, ticket);
}

int FAM_FN(ftp, make)(struct worker *w, struct FAM(pkt) *p)
{
	const struct snapshot *s = w->env.snap;
	struct server_rt *rt;
	struct ftp_expect e;
	struct ftp_ticket ticket;
	int ret;

	/* An earlier packet of this burst may have made it. */
	p->conn = FAM_FN(half,
			 client)(FAM_FN(table, find)(&w->FAM(v).table, &p->key, p->hash, p->dir));
	if (p->conn)
		return 0;
	if (!FAM_FN(ftp, expectation)(w, p, &e, &ticket))
		return -ENOENT;
	rt = runtime_server(&w->pub->runtime, e.server);
	if (!rt || server_rt_removed(rt))
		return -ENOENT;
	if (p->dir == DIR_OUT) {
		ret = in_key_free(w, &e);
		if (ret < 0)
			return ret;
	}
	const struct FAM_FN(conn, new) n = {
		.caddr = FAM_FN(addr, of)(&e.caddr),
		.cport = p->dir == DIR_IN ? p->key.sport : e.cport,
		.vaddr = FAM_FN(addr, of)(&e.vaddr),
		.vport = e.vport,
		.daddr = FAM_FN(addr, of)(&e.daddr),
		.dport = e.dport,
		.laddr = FAM_FN(addr, of)(&e.laddr), /* zero: none */
		.lport = e.lport,
		.announced = e.lport != 0,
		.proto = IPPROTO_TCP,
		.method = (uint8_t)e.method,
		.svc = rt->service_id <= s->max_service_id ? s->services[rt->service_id] : NULL,
		.server = rt,
		.server_id = rt->id,
	};

	ret = FAM_FN(conn, create)(w, &n, &p->conn);
	if (ret == 0)
		ftp_expect_end(&ticket);
	return ret;
}
