/* SPDX-License-Identifier: BSD-3-Clause */

/* All stages behind parse, with a record of each observed packet behind each stage. */
void FAM_FN(observer, pass)(struct worker *w, struct FAM(burst) *b);
/* The same from stage resolve on. */
void FAM_FN(observer, finish)(struct worker *w, struct FAM(burst) *b);
