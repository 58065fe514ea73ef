/* SPDX-License-Identifier: BSD-3-Clause */

/* All stages behind parse, with a record of each observed packet behind each stage. */
void FAM_FN(observer, pass)(struct worker *w, struct FAM(burst) *b);
