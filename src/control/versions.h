/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_VERSIONS_H
#define PLVS_CONTROL_VERSIONS_H

/*
 * The version of the running shared configuration (model/version.h): a change makes a child, which
 * is stored before the change is answered; the ha thread sends the version to the peer. The
 * relation of the peer's version to the version here decides the next step:
 *
 *	peer older	this router sends its configuration to the peer, which takes it
 *	peer newer	the peer sends its own
 *	diverged	no transfer; this router asks for the difference and shows it
 *
 * Context: the control thread, or main before it starts.
 */

#include <event2/event.h>
#include <sys/queue.h>

#include "config/config.h"
#include "control/jobs.h"
#include "control/version_store.h"

struct control;
struct control_options;
struct rpc_request;
struct text_turn;

#define VERSIONS_WHY 256

/* The places where a change is stored by now. */
struct versions_outcome {
	const char *here; /* reason why the change is not stored in node.state_dir; NULL: it is */
	bool has_peer;
	const char *
		peer; /* with a peer: reason why the peer has not stored the change; NULL: it has */
};

typedef void versions_done(void *arg, const struct versions_outcome *outcome);

struct versions_wait;
TAILQ_HEAD(versions_wait_list, versions_wait);

struct versions {
	char dir[256];		  /* "": versions are not stored */
	char fault[VERSIONS_WHY]; /* reason why the present version is not stored, or "" */
	struct version_store store;
	struct version version; /* of the store, for comparisons */
	struct version_id
		confirmed_of; /* the version on trial that the present one confirms; or none */
	char in_file[CONFIG_DIGEST_STRLEN]; /* digest of the start file */
	/* Changes are counted: all that were made; those that are durable; those that the peer has.
	 */
	uint64_t changes, durable, at_peer;
	uint64_t changed_us; /* when the last change was made */

	/* The job that writes. */
	struct job job;
	bool writing;
	uint64_t writing_changes;
	char *text;
	int ret;
	char error[VERSIONS_WHY];
	struct text_turn *text_turn; /* the text of the version is being written; or NULL */
	struct event *text_ev, *look_ev;

	/* The peer, as of the last look. */
	bool has_peer, peer_alive;
	struct version_word word;
	enum version_relation relation;
	/* Of the last attempt to send the version there. */
	char peer_fault[VERSIONS_WHY];
	uint64_t retry_us, retry_after_us, failed_changes;
	/* While the versions have diverged: the differences between asked_mine and asked_peers, an
	 * array of texts. */
	struct version_id asked_mine, asked_peers;
	uint64_t ask_us, ask_after_us; /* after a question without an answer: the time of the next
					  one, and the pause */
	json_t *difference;

	/* At the start: the versions whose present one is not that of the start file. Owned by
	 * push.c's start, which applies it; or NULL. */
	struct version_store *newer;
	/* Of push.c: sends the version here to the peer; asks the peer for the difference. */
	void (*forward)(struct control *c);
	void (*ask_difference)(struct control *c);
	/* Of methods_trial.c: called when the peer's version is a child of the version on trial,
	 * with its digest.
	 */
	void (*confirmed)(struct control *c, const struct version_id *child);
	struct versions_wait_list waits;
};

/* Finds the version of the configuration with which the router starts. 0 or -ENOMEM; other errors
 * are logged. */
int versions_init(struct control *c, const struct control_options *options);
void versions_fini(struct control *c);
/* Once the loop is there. 0 or -ENOMEM. */
int versions_start(struct control *c);
void versions_stop(struct control *c);
/* Sends the version to the ha thread, which has been started. */
void versions_tell(struct control *c);

/* Call after a change of the configuration. Returns the number of the change. comment may be
 * NULL. */
uint64_t versions_changed(struct control *c, const char *author, const char *comment);
/* The same for a configuration of the peer: its versions replace those here. Takes *peers over. */
uint64_t versions_adopted(struct control *c, struct version_store *peers);
/* Makes a child of the version here and of the peer's, with the configuration here. */
uint64_t versions_force(struct control *c);
/* A child with the same digest: the version on trial is confirmed. */
uint64_t versions_confirmed(struct control *c, const char *author, const char *comment);
/* The same for a child that the peer made. */
uint64_t versions_child_of_peer(struct control *c, const struct version_id *child);
/* The start file has the running configuration. */
void versions_in_file(struct control *c);
/* True: the shared configuration differs from the start file as last read or saved. */
bool versions_unsaved(struct control *c);
/* Calls done once: when the change is durable here and, unless `alone`, the peer has it or is
 * known not to take it. */
void versions_wait(struct control *c, uint64_t change, bool alone, versions_done *done, void *arg);
/* The peer has stored (why NULL), or has refused, the version of `change`. */
void versions_at_peer(struct control *c, uint64_t change, const char *why);
/* True: the peer's versions may replace those here. */
bool versions_may_adopt(const struct control *c, const struct version_store *peers);

/* The peer did not answer how the configurations differ: it is asked again, later each time. */
void versions_difference_failed(struct control *c);

/* NULL, or the reason why changes are refused now: a hand-over is under way. */
const char *versions_refuse_changes(struct control *c);
/* For `ha.status`. New reference. */
json_t *versions_json(const struct control *c);

#endif
