/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of conn_sync.h that is compiled once for each address family. */

/* Reports an entry that is new, in another state, or found alive by the wheel. */
void FAM_FN(sync, changed)(struct worker *w, struct FAM(conn) *c);
/* Reports that a client has got through under this template. Any worker that has a hold on the
 * template. */
void FAM_FN(sync, template)(struct worker *w, const struct FAM(conn) *t);
/* For a template about to move: changes are reported from now on if they were before. */
void FAM_FN(sync, told)(struct worker *w, const struct FAM(conn) *t);
/* Reports an entry that ends. Call whenever there are marks. */
void FAM_FN(sync, ended)(struct worker *w, const struct FAM(conn) *c);
/* Report a shift of an FTP control connection's numbers, and an announced data connection. */
void FAM_FN(sync, ftp_seq)(struct worker *w, const struct FAM(conn) *c, unsigned int dir,
			   const struct ftp_shift *shift);
void FAM_FN(sync, ftp_expect)(struct worker *w, const struct FAM(conn) *c,
			      const struct ftp_data *data, uint32_t left_s);
/* Make these events, also for the ledger. */
struct sync_event FAM_FN(sync, seq_event)(const struct FAM(conn) *c, unsigned int dir,
					  const struct ftp_shift *shift);
struct sync_event FAM_FN(sync, expect_event)(const struct FAM(conn) *c, const struct ftp_data *data,
					     uint32_t left_s);

/* True: an entry whose time is over has to wait on; its tick is set. */
bool FAM_FN(sync, holds)(struct worker *w, struct conn *c, uint32_t index);
/* The tick since which an entry is idle, waiting for its active router included. */
uint32_t FAM_FN(sync, tick)(const struct worker *w, const struct FAM(conn) *c);

/* Gives the events (up to 4) of an entry to fn, if it is to be reported. Worker, or control while
 * no worker runs. */
void FAM_FN(sync, describe)(struct worker *w, struct FAM(conn) *c,
			    void (*fn)(struct worker *w, const struct sync_event *e, void *arg),
			    void *arg);
