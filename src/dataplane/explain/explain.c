/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/explain/explain.h"

#include <string.h>

#include "dataplane/exits/doors.h"
#include "dataplane/exits/drop_log.h"
#include "dataplane/explain/shadow.h"
#include "dataplane/fragment/fragment_track.h"
#include "dataplane/pages.h"
#include "dataplane/stages/pipeline.h"

const char *const explain_stage_names[EXPLAIN_STAGES] = {
	"parse", "steer", "schedule", "resolve", "rewrite", "transmit", "template",
};

const char *const explain_door_names[EXPLAIN_DOORS] = {
	"none", "sent", "handed_off", "punted", "answered", "dropped", "parked",
};

struct explain *explain_create(struct dataplane *dp)
{
	struct explain *x = pages_alloc(sizeof(*x), -1);

	if (!x)
		return NULL;
	x->shadow = shadow_create(x, dp);
	if (!x->shadow) {
		pages_free(x, sizeof(*x));
		return NULL;
	}
	x->port = EXPLAIN_ANY_PORT;
	return x;
}

void explain_destroy(struct explain *x)
{
	if (!x)
		return;
	rte_pktmbuf_free(x->m);
	shadow_destroy(x->shadow);
	pages_free(x, sizeof(*x));
}

/* --- what left the copy --- */

static void out_note(struct explain *x, struct rte_mbuf *m, uint16_t port, bool told)
{
	struct explain_out *o;
	const uint8_t *bytes;

	if (x->n_out == EXPLAIN_OUT) {
		x->out_full = true;
		return;
	}
	o = &x->out[x->n_out++];
	o->port = port;
	o->told = told;
	o->len = (uint16_t)m->pkt_len;
	o->caplen = (uint16_t)RTE_MIN(m->pkt_len, (uint32_t)EXPLAIN_HEAD);
	bytes = rte_pktmbuf_read(m, 0, o->caplen, o->head);
	if (bytes && bytes != o->head)
		memcpy(o->head, bytes, o->caplen);
}

static bool buffer_has(const struct tx_buffer *b, const struct rte_mbuf *m)
{
	for (uint16_t i = 0; i < b->n; i++)
		if (b->pkts[i] == m)
			return true;
	return false;
}

static bool sent_any(const struct worker *s)
{
	for (unsigned int p = 0; p < MAX_PORTS; p++)
		if (s->tx[p].n)
			return true;
	return false;
}

/* The last drop is the packet's own: packets that were made about it ended before. */
static bool dropped(const struct worker *s, struct explain_leg *leg)
{
	const struct drop_log *log = s->drop_log;
	uint64_t last = 0;

	for (unsigned int r = 0; r < DROP_MAX; r++) {
		for (unsigned int i = 0; s->counters.dropped[r] && i < DROP_LOG_RECORDS; i++) {
			if (log->reason[r].record[i].seq <= last)
				continue;
			last = log->reason[r].record[i].seq;
			leg->door = EXPLAIN_DROPPED;
			leg->reason = (uint8_t)r;
		}
	}
	return last != 0;
}

static bool punted(const struct worker *s, const struct rte_mbuf *m, struct explain_leg *leg)
{
	for (unsigned int class = 0; class < PUNT_MAX; class ++) {
		if (!buffer_has(&s->punt[class], m))
			continue;
		leg->door = EXPLAIN_PUNTED;
		leg->reason = (uint8_t) class;
		return true;
	}
	return false;
}

static bool handed_off(const struct worker *s, const struct rte_mbuf *m, struct explain_leg *leg)
{
	for (uint16_t to = 0; to < MAX_WORKERS; to++) {
		if (!buffer_has(&s->handoff[to], m))
			continue;
		leg->door = EXPLAIN_HANDED_OFF;
		leg->to = to;
		return true;
	}
	return false;
}

static bool parked(const struct worker *s, struct explain *x, struct explain_leg *leg)
{
	if (s->n_parked) {
		x->wanted_link = s->parked[0].link;
		x->wanted = s->parked[0].addr;
	}
	if (!s->n_parked && !s->v4.follow->n_waiting && !s->v6.follow->n_waiting)
		return false;
	leg->door = EXPLAIN_PARKED;
	return true;
}

static void door_find(struct explain *x, struct explain_leg *leg)
{
	const struct worker *s = &x->shadow->w;

	if (s->counters.answered)
		leg->door = EXPLAIN_ANSWERED;
	else if (!handed_off(s, x->m, leg) && !punted(s, x->m, leg) && !parked(s, x, leg) &&
		 !dropped(s, leg) && sent_any(s))
		leg->door = EXPLAIN_SENT;
}

/* Empties the buffers of the copy. spared: the packet that goes on. */
static void buffer_empty(struct tx_buffer *b, const struct rte_mbuf *spared)
{
	for (uint16_t i = 0; i < b->n; i++)
		if (b->pkts[i] != spared)
			rte_pktmbuf_free(b->pkts[i]);
	b->n = 0;
}

static void buffers_empty(struct worker *s, const struct rte_mbuf *spared)
{
	for (unsigned int p = 0; p < MAX_PORTS; p++)
		buffer_empty(&s->tx[p], NULL);
	for (unsigned int to = 0; to < MAX_WORKERS; to++)
		buffer_empty(&s->handoff[to], spared);
	for (unsigned int class = 0; class < PUNT_MAX; class ++)
		buffer_empty(&s->punt[class], NULL);
	for (uint16_t i = 0; i < s->n_parked; i++)
		rte_pktmbuf_free(s->parked[i].m);
	s->n_parked = 0;
	follow4_drain(s);
	follow6_drain(s);
}

static void outs_note(struct explain *x, const struct worker *w, const struct explain_leg *leg)
{
	const struct worker *s = &x->shadow->w;

	for (uint16_t p = 0; p < MAX_PORTS; p++) {
		for (uint16_t i = 0; i < s->tx[p].n; i++)
			out_note(x, s->tx[p].pkts[i], p,
				 leg->door != EXPLAIN_SENT && leg->door != EXPLAIN_ANSWERED);
		if (s->tx[p].n)
			x->tx_worker = w->tx_queue[p] >= 0 ? w->id : w->tx_owner[p];
	}
}

/* --- a leg --- */

static enum explain_stage stages_run(struct explain *x, struct worker *w, struct explain_leg *leg)
{
	struct worker *s = &x->shadow->w;
	struct rte_mbuf *frame = x->m;
	enum explain_stage stage = EXPLAIN_PARSE;
	struct burst4 b4;
	struct burst6 b6;

	stage_parse(s, &frame, 1, &b4, &b6);
	if (leg->kind == HANDOFF_HOME) {
		if (b4.n)
			stage = explain4_home(x, w, &b4);
		else if (b6.n)
			stage = explain6_home(x, w, &b6);
	} else if (b4.n) {
		stage = explain4_pass(x, w, &b4);
	} else if (b6.n) {
		stage = explain6_pass(x, w, &b6);
	}
	return stage;
}

/* False: x->fault says why. */
static bool frame_make(struct worker *w, struct explain *x)
{
	const uint8_t *bytes;

	x->m = explain_frame(w, x);
	if (!x->m)
		return false;
	pkt_tag_fresh(x->m);
	x->arrived = x->m->port;
	x->in_len = (uint16_t)x->m->pkt_len;
	x->in_caplen = (uint16_t)RTE_MIN(x->m->pkt_len, (uint32_t)EXPLAIN_HEAD);
	bytes = rte_pktmbuf_read(x->m, 0, x->in_caplen, x->in);
	if (bytes && bytes != x->in)
		memcpy(x->in, bytes, x->in_caplen);
	return true;
}

bool explain_leg(struct worker *w, struct explain *x)
{
	struct explain_leg *leg = &x->leg[x->n_legs];

	if (x->n_legs == EXPLAIN_LEGS || !w->env.snap || !w->env.fib)
		return false;
	if (!x->m && !frame_make(w, x))
		return false;
	x->n_legs++;
	*leg = (struct explain_leg){.worker = w->id, .kind = pkt_tag(x->m)->kind};
	shadow_become(x->shadow, w);
	leg->stage = (uint8_t)stages_run(x, w, leg);
	door_find(x, leg);
	outs_note(x, w, leg);
	if (leg->door == EXPLAIN_HANDED_OFF) {
		buffers_empty(&x->shadow->w, x->m);
		x->next = leg->to;
		return x->n_legs < EXPLAIN_LEGS;
	}
	buffers_empty(&x->shadow->w, NULL);
	x->m = NULL;
	return false;
}
