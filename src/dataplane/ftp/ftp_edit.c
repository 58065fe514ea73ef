/* SPDX-License-Identifier: BSD-3-Clause */
/* Segments of FTP control connections whose text changes, or is held back. */
#include "dataplane/ftp/ftp_control.h"

#include "dataplane/conn/tcp_state.h"
#include "dataplane/payload/payload.h"
#include "dataplane/sync/conn_sync.h"

/* Bytes that come again so often without the rest of their line, or without what is missing
 * before them, are sent on as they are. */
#define HOLD_TRIES 6

static void shift_move(struct worker *w, struct ftp_control *fc, const struct FAM(pkt) *p,
		       uint32_t seq, int32_t grows)
{
	struct ftp_shift *s = &fc->shift[p->dir];

	if (s->moved && seq == s->pos)
		return;
	s->before = s->moved ? s->after : 0;
	s->after = s->before + grows;
	s->pos = seq;
	s->moved = 1;
	if (sync_on(w))
		FAM_FN(sync, ftp_seq)(w, p->conn, p->dir, s);
}

int32_t FAM_FN(ftp_edit, replace)(struct worker *w, struct ftp_control *fc, struct FAM(ftp_edit) *a,
				  uint16_t at, uint16_t len, const char *text, size_t n)
{
	const uint32_t seq = FAM_FN(ftp_edit, line)(a);
	const int32_t grows = (int32_t)n - len;

	if (!FAM_FN(payload, replace)(a->p, a->start + at, len, text, (uint32_t)n))
		return 0;
	shift_move(w, fc, a->p, seq, grows);
	a->changed = a->rewritten = true;
	return grows;
}

bool FAM_FN(ftp_edit, cut_back)(struct ftp_control *fc, struct FAM(ftp_edit) *a, uint32_t at,
				uint32_t len)
{
	uint8_t *tries = &fc->tries[a->p->dir];

	if (*tries >= HOLD_TRIES || (a->p->tcp_flags & TCP_FIN))
		return false;
	++*tries;
	FAM_FN(payload, replace)(a->p, at, len, NULL, 0);
	a->changed = true;
	return true;
}

bool FAM_FN(ftp_edit, join)(struct ftp_control *fc, struct FAM(ftp_edit) *a)
{
	const unsigned int dir = a->p->dir;
	const struct ftp_partial *held = dir == DIR_IN ? &fc->s.in : &fc->s.out;
	const uint32_t from = dir == DIR_IN ? fc->s.in_next : fc->s.out_next;

	if (!fc->held[dir] || a->seq != from + held->len ||
	    !FAM_FN(payload, replace)(a->p, 0, 0, held->text, held->len))
		return false;
	a->seq = from;
	a->changed = true;
	fc->tries[dir] = 0; /* the line goes on */
	FAM_FN(payload, seq_set)(a->p, a->seq);
	return true;
}

void FAM_FN(ftp_edit, done)(const struct FAM(ftp_edit) *a, uint16_t had)
{
	if (a->changed)
		FAM_FN(payload, done)(a->p, RTE_MAX(had, a->p->nh->mtu));
}
