/* SPDX-License-Identifier: BSD-3-Clause */
/* The way of a burst through the stages while packets are traced. */
#include "dataplane/fullnat/crossing.h"
#include "dataplane/stages/pipeline.h"
#include "dataplane/observe/observer.h"

/* Of a reply that crosses the families, what was found is a half: crossing.h. */
static const struct conn *conn_of(const struct worker *w, const struct FAM(conn) *found)
{
	return FAM_FN(half, is_other)(found) ? &w->OTHER_FAM(v).table.conns[found->control].c
					     : &found->c;
}

static void facts_put(const struct worker *w, struct observe_record *r, const struct FAM(pkt) *p)
{
	r->dir = p->dir;
	r->made = p->flags & PKT_NEW;
	if (r->detail >= OBSERVE_LOOKUP && p->conn) {
		const struct conn *c = conn_of(w, p->conn);

		r->found = true;
		r->state = c->state;
		r->method = c->method;
		r->server = c->server;
	}
	if (r->detail >= OBSERVE_RESOLVE && p->nh) {
		r->nh_port = p->nh->port;
		memcpy(r->nh_mac, p->nh->l2, sizeof(r->nh_mac));
	}
}

static void behind(struct worker *w, struct FAM(burst) *b, enum observe_stage stage)
{
	if (!w->observer->stages)
		return;
	for (uint16_t i = 0; i < b->n; i++) {
		struct observe_record *r;

		if (!pkt_tag(b->pkts[i].m)->observed)
			continue;
		r = observer_begin(w, b->pkts[i].m, OBSERVE_STAGE, stage, false);
		if (!r)
			continue;
		facts_put(w, r, &b->pkts[i]);
		observer_put(w->observer);
	}
}

void FAM_FN(observer, finish)(struct worker *w, struct FAM(burst) *b)
{
	FAM(stage_resolve)(w, b);
	behind(w, b, OBSERVE_RESOLVE);
	FAM(stage_track)(w, b);
	behind(w, b, OBSERVE_TRACK);
	FAM(stage_rewrite)(w, b);
	behind(w, b, OBSERVE_REWRITE);
	FAM(stage_transmit)(w, b);
}

void FAM_FN(observer, pass)(struct worker *w, struct FAM(burst) *b)
{
	FAM(stage_steer)(w, b);
	behind(w, b, OBSERVE_STEER);
	for (uint16_t i = 0; i < b->n; i++)
		b->pkts[i].nh = NULL; /* a local server's packets get none */
	FAM(stage_lookup)(w, b);
	behind(w, b, OBSERVE_LOOKUP);
	if (unlikely(w->FAM(v).n_others))
		FAM_FN(crossing, pass)(w, b);
	FAM(stage_schedule)(w, b);
	behind(w, b, OBSERVE_SCHEDULE);
	FAM_FN(observer, finish)(w, b);
}
