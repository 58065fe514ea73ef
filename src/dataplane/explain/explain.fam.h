/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of explain that is compiled once for each address family: explain_pass.c. */

/* Takes the packet that stage parse left in b through the other stages of the copy. w: the worker
 * whose tables are read. Returns the stage by which the packet left. */
enum explain_stage FAM_FN(explain, pass)(struct explain *x, struct worker *w, struct FAM(burst) *b);
/* The same for a packet that asks the home of its template for a server. */
enum explain_stage FAM_FN(explain, home)(struct explain *x, struct worker *w, struct FAM(burst) *b);
/* The same from stage resolve on, for a reply that stage parse found to be of the other family. */
enum explain_stage FAM_FN(explain, crossed)(struct explain *x, struct FAM(burst) *b);
/* Copies an entry of w, so that look-ups in the copy find it. */
void FAM_FN(explain, entry)(struct explain *x, struct worker *w, uint32_t index);
