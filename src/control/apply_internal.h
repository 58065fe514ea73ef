/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_APPLY_INTERNAL_H
#define PLVS_CONTROL_APPLY_INTERNAL_H

/* An apply under way: shared by apply.c, apply_load.c and apply_report.c. */

#include "base/error_text.h"
#include "control/apply.h"
#include "control/control_internal.h"
#include "control/checking.h"
#include "publish/builder.h"

/* From PHASE_BUILD to PHASE_RESTORE the draft is held: apply_stop(). */
enum phase {
	PHASE_LOAD,
	PHASE_COUNT,
	PHASE_BUILD,
	PHASE_CHECKS,
	PHASE_TABLES,
	PHASE_RESTORE,
	PHASE_WRITE,
};

/* Owned. One of the three is set. */
struct apply_source {
	json_t *text;
	char *path;
	struct version_id back; /* an earlier version; none: text or path */
};

struct apply {
	struct pending pending; /* without a request: SIGHUP, or the peer's versions */
	struct turn turn;
	struct job job;
	enum apply_kind kind;
	bool pushed;	/* by the peer, with versions */
	bool from_peer; /* by the peer */
	bool undo;	/* of a trial */
	enum phase phase;
	struct apply_source from;
	struct version_store *versions; /* owned; NULL: a new version */
	uint64_t change;		/* its number */
	uint64_t start_us;
	struct event *step_ev;
	char author[VERSION_AUTHOR_LEN], comment[VERSION_COMMENT_LEN]; /* "": none was given */

	/* --- a trial --- */
	uint32_t confirm_ms, left_ms;
	bool on_trial;	      /* at the begin of the turn: the undo record exists */
	bool recorded;	      /* the undo record is this one's */
	json_t *before;	      /* the contents of the record; NULL once the trial has them */
	json_t *peers_before; /* as in apply_order */

	/* --- results of loading --- */
	struct config_errors errors;
	const struct config *boot, *running; /* unchanged until the turn ends */
	struct config *after;		     /* NULL once it runs */
	struct config_plan *plan;
	struct config_words *words; /* of the plan */
	json_t *restart;	    /* texts: keys of node that wait for a restart */
	json_t *at_once;	    /* texts: keys of node that change with this apply */
	struct builder_run build;
	struct checking_run checks;
	int ret;
	char error[ERROR_TEXT];

	uint64_t *connections; /* of each of the words */
	uint32_t n_counted;
	struct config *old; /* to be freed */
	struct evbuffer *out;
};

/* ---- apply_load.c: on the job thread ---- */

/* The configuration of an order, checked on this host. NULL: see errors. */
struct config *apply_read(const struct control *c, const struct apply_source *from,
			  const struct config *running, struct config_errors *errors);

/* Reads, parses, compares and compiles. arg: struct apply. */
void apply_load(void *arg);

/* ---- apply.c ---- */

/* Copies the source of an order. 0 or -ENOMEM. */
int apply_source_take(struct apply_source *to, const struct apply_order *order);
void apply_source_fini(struct apply_source *from);

/* ---- apply_report.c ---- */

void apply_log_errors(const struct config_errors *errors);
void apply_log(const struct apply *a);
/* The changes in words, to the audit. */
void apply_audit(const struct apply *a);
/* On the job thread: makes the answer's text, {"changes", "at_once", "restart", "warnings"}; after
 * a swap without the closing bracket. arg: struct apply. */
void apply_write(void *arg);
/* Makes a new version of the configuration that runs now. Returns the number of the change. */
uint64_t apply_version(struct apply *a);
/* The comment of a version that is made of `from`. asked: by a request. Returns buf. */
const char *apply_said(const struct apply_source *from, bool asked, char buf[VERSION_COMMENT_LEN]);

#endif
