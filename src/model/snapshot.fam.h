/* SPDX-License-Identifier: BSD-3-Clause */
/* Template of snapshot.h: the tables of one family. */

/* Control. Take over the caller's reference and drop the reference of the table before. NULL: no
 * table. */
void FAM(snapshot_set_addrs)(struct snapshot *s, struct FAM(addr_table) *t);
void FAM(snapshot_set_listeners)(struct snapshot *s, struct FAM(listener_table) *t);
void FAM(snapshot_set_owned)(struct snapshot *s, struct FAM(listener_table) *t);
void FAM(snapshot_set_pool)(struct snapshot *s, struct FAM(local_pool) *pool);
void FAM(snapshot_set_cover)(struct snapshot *s, struct FAM(mark_cover) *cover);

/* For snapshot.c: copy gets the tables of s, with a reference of each. */
void FAM_FN(snapshot, share)(struct snapshot *copy, const struct snapshot *s);
void FAM_FN(snapshot, put)(struct snapshot *s);
