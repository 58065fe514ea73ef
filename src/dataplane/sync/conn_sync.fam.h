/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of conn_sync.h that is compiled once for each address family. */

/* Made, in another state, or found alive by the wheel. */
void FAM_FN(sync, changed)(struct worker *w, struct FAM(conn) *c);
/* A client has got through under this template. Any worker that has a hold on the template. */
void FAM_FN(sync, template)(struct worker *w, const struct FAM(conn) *t);
/* A template about to move: from now on its changes are told if they were before. */
void FAM_FN(sync, told)(struct worker *w, const struct FAM(conn) *t);
/* On its way out. To be called whenever marks are there. */
void FAM_FN(sync, ended)(struct worker *w, const struct FAM(conn) *c);
/* An FTP control connection's numbers moved; the connection announced a data connection. */
void FAM_FN(sync, ftp_seq)(struct worker *w, const struct FAM(conn) *c, unsigned int dir,
			   const struct ftp_shift *shift);
void FAM_FN(sync, ftp_expect)(struct worker *w, const struct FAM(conn) *c,
			      const struct ftp_data *data, uint32_t left_s);
/* These events, for the ledger as well. */
struct sync_event FAM_FN(sync, seq_event)(const struct FAM(conn) *c, unsigned int dir,
					  const struct ftp_shift *shift);
struct sync_event FAM_FN(sync, expect_event)(const struct FAM(conn) *c, const struct ftp_data *data,
					     uint32_t left_s);

/* Whether an entry that has run out is to wait on: its tick is set then. */
bool FAM_FN(sync, holds)(struct worker *w, struct conn *c, uint32_t index);
/* Since when an entry is idle, waiting for its active router included. */
uint32_t FAM_FN(sync, tick)(const struct worker *w, const struct FAM(conn) *c);

/* Worker, or nobody runs: the events of an entry go to fn (up to 4), if it is worth telling. */
void FAM_FN(sync, describe)(struct worker *w, struct FAM(conn) *c,
			    void (*fn)(struct worker *w, const struct sync_event *e, void *arg),
			    void *arg);
