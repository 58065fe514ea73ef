/* SPDX-License-Identifier: BSD-3-Clause */

/* The hand-off of a steered packet of one family: steered.h. */

/* To the worker that owns the packet's connection. */
void FAM_FN(steered, put)(struct worker *w, const struct FAM(pkt) *p, unsigned int owner,
			  enum pkt_dir dir);
