/* SPDX-License-Identifier: BSD-3-Clause */

/* The stages of one family: pipeline.h. */

void FAM(stage_steer)(struct worker *w, struct FAM(burst) *b);
void FAM(stage_lookup)(struct worker *w, struct FAM(burst) *b);
void FAM(stage_schedule)(struct worker *w, struct FAM(burst) *b);
void FAM(stage_resolve)(struct worker *w, struct FAM(burst) *b);
void FAM(stage_track)(struct worker *w, struct FAM(burst) *b);
void FAM(stage_rewrite)(struct worker *w, struct FAM(burst) *b);
void FAM(stage_transmit)(struct worker *w, struct FAM(burst) *b);

/* All stages behind parse. */
void FAM_FN(pipeline, pass)(struct worker *w, struct FAM(burst) *b);
/* All stages behind steer, on packets of connections that w owns. */
void FAM_FN(pipeline, own)(struct worker *w, struct FAM(burst) *b);
/* The same on frames that another worker handed off as HANDOFF_STEERED, at most BURST_MAX. */
void FAM_FN(steered, take)(struct worker *w, struct rte_mbuf **frames, uint16_t n);
/* The stages after schedule. */
void FAM_FN(pipeline, finish)(struct worker *w, struct FAM(burst) *b);
/* The same for one packet, stage by stage. */
void FAM_FN(forward, staged)(struct worker *w, struct FAM(pkt) *p);
/* The same for a burst of a worker with connections whose server is of the other family
 * (fullnat/crossing.h). */
void FAM_FN(pipeline, finish_halves)(struct worker *w, struct FAM(burst) *b);
/* The same for untranslated replies of servers of the other family, with the client's connection
 * (fullnat/crossing.h). */
void FAM_FN(pipeline, finish_replies)(struct worker *w, struct FAM(burst) *b);
/* Expiry, bounded. Returns entries looked at. */
uint32_t FAM_FN(pipeline, expire)(struct worker *w);
