/* SPDX-License-Identifier: BSD-3-Clause */
/* The way of a burst through the stages while packets are traced. */
#include "dataplane/stages/pipeline.h"
#include "dataplane/observe/observer.h"

static void facts_put(struct observe_record *r, const struct FAM(pkt) *p)
{
	r->dir = p->dir;
	r->made = p->flags & PKT_NEW;
	if (r->detail >= OBSERVE_LOOKUP && p->conn) {
		r->found = true;
		r->state = p->conn->c.state;
		r->method = p->conn->c.method;
		r->server = p->conn->c.server;
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
		facts_put(r, &b->pkts[i]);
		observer_put(w->observer);
	}
}

void FAM_FN(observer, pass)(struct worker *w, struct FAM(burst) *b)
{
	FAM(stage_steer)(w, b);
	behind(w, b, OBSERVE_STEER);
	for (uint16_t i = 0; i < b->n; i++)
		b->pkts[i].nh = NULL; /* a local server's packets get none */
	FAM(stage_lookup)(w, b);
	behind(w, b, OBSERVE_LOOKUP);
	FAM(stage_schedule)(w, b);
	behind(w, b, OBSERVE_SCHEDULE);
	FAM(stage_resolve)(w, b);
	behind(w, b, OBSERVE_RESOLVE);
	FAM(stage_track)(w, b);
	behind(w, b, OBSERVE_TRACK);
	FAM(stage_rewrite)(w, b);
	behind(w, b, OBSERVE_REWRITE);
	FAM(stage_transmit)(w, b);
}
