/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/versions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/error_text.h"
#include "base/log.h"
#include "control/control_internal.h"
#include "control/undo_record.h"
#include "control/versions_internal.h"
#include "ha/ha.h"
#include "shown/objects.h"

#define LOOK_MS	      100
#define RETRY_US      1000000 /* first pause after a refusal of the peer */
#define RETRY_MOST_US 30000000

/* --- the present version --- */

static uint8_t nibble(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void digest_of(struct control *c, uint8_t digest[VERSION_DIGEST_BYTES])
{
	char text[CONFIG_DIGEST_STRLEN];

	config_digest(c->config, text);
	for (size_t i = 0; i < VERSION_DIGEST_BYTES; i++)
		digest[i] = (uint8_t)(nibble(text[2 * i]) << 4 | nibble(text[2 * i + 1]));
}

static void entry_make(struct version_entry *e, const uint8_t digest[VERSION_DIGEST_BYTES],
		       const char *author)
{
	memset(e, 0, sizeof(*e));
	/* Without random numbers the kernel itself is broken; an id of none is no version. */
	if (getrandom(&e->id, sizeof(e->id), 0) != sizeof(e->id))
		memset(&e->id, 0, sizeof(e->id));
	memcpy(e->digest, digest, sizeof(e->digest));
	e->time_s = (int64_t)(clock_wall_ms() / 1000);
	snprintf(e->author, sizeof(e->author), "%s", author);
}

/* --- changes --- */

static uint64_t changed(struct control *c)
{
	struct versions *v = &c->versions;

	memset(&v->confirmed_of, 0, sizeof(v->confirmed_of));
	version_store_version(&v->store, &v->version);
	v->changes++;
	v->changed_us = clock_us();
	versions_relate(v);
	v->peer_fault[0] = '\0';
	v->retry_us = v->retry_after_us = 0;
	versions_write_start(c);
	return v->changes;
}

uint64_t versions_changed(struct control *c, const char *author, const char *comment)
{
	struct versions *v = &c->versions;
	uint8_t digest[VERSION_DIGEST_BYTES];
	struct version_entry e;

	digest_of(c, digest);
	if (v->store.n > 0 && memcmp(digest, v->version.digest, sizeof(digest)) == 0)
		return v->changes;
	entry_make(&e, digest, author);
	snprintf(e.comment, sizeof(e.comment), "%s", comment ? comment : "");
	version_store_child(&v->store, &e);
	return changed(c);
}

uint64_t versions_adopted(struct control *c, struct version_store *peers)
{
	struct versions *v = &c->versions;
	uint64_t change;

	version_store_adopt(&v->store, peers);
	free(peers);
	/* Two versions of plvs may have two digests of one configuration. */
	digest_of(c, v->store.entry[0].digest);
	change = changed(c);
	/* The peer has it, and its heartbeats are about to say so. */
	v->retry_us = clock_us() + RETRY_US;
	return change;
}

uint64_t versions_force(struct control *c)
{
	struct versions *v = &c->versions;
	struct version_entry e;

	entry_make(&e, v->version.digest, "config push force");
	version_store_ancestor(&v->store, &v->word.id, v->word.digest);
	version_store_child(&v->store, &e);
	return changed(c);
}

uint64_t versions_confirmed(struct control *c, const char *author, const char *comment)
{
	struct versions *v = &c->versions;
	const struct version_id parent = v->version.id;
	struct version_entry e;
	uint64_t change;

	entry_make(&e, v->version.digest, author);
	snprintf(e.comment, sizeof(e.comment), "%s", comment);
	version_store_child(&v->store, &e);
	change = changed(c);
	v->confirmed_of = parent;
	v->at_peer = change - 1;
	return change;
}

uint64_t versions_child_of_peer(struct control *c, const struct version_id *child)
{
	struct versions *v = &c->versions;
	struct version_entry e;

	entry_make(&e, v->version.digest, "the peer");
	e.id = *child;
	snprintf(e.comment, sizeof(e.comment), "config confirm");
	version_store_child(&v->store, &e);
	return changed(c);
}

void versions_in_file(struct control *c)
{
	config_digest(c->config, c->versions.in_file);
}

bool versions_unsaved(struct control *c)
{
	char digest[CONFIG_DIGEST_STRLEN];

	return strcmp(config_digest(c->config, digest), c->versions.in_file) != 0;
}

bool versions_may_adopt(const struct control *c, const struct version_store *peers)
{
	struct version other;

	version_store_version(peers, &other);
	return version_may_replace(&c->versions.version, &other);
}

/* --- the peer --- */

void versions_at_peer(struct control *c, uint64_t change, const char *why)
{
	struct versions *v = &c->versions;

	if (!why) {
		v->peer_fault[0] = '\0';
		v->retry_after_us = 0;
		if (change > v->at_peer)
			v->at_peer = change;
		versions_waits_look(c);
		return;
	}
	if (strcmp(v->peer_fault, why) != 0)
		log_error(CONTROL_AREA, "the peer does not take the configuration: %s", why);
	snprintf(v->peer_fault, sizeof(v->peer_fault), "%s", why);
	v->failed_changes = change;
	v->retry_after_us = v->retry_after_us ? 2 * v->retry_after_us : RETRY_US;
	if (v->retry_after_us > RETRY_MOST_US)
		v->retry_after_us = RETRY_MOST_US;
	v->retry_us = clock_us() + v->retry_after_us;
	versions_waits_look(c);
}

static void difference_forget(struct versions *v)
{
	json_decref(v->difference);
	v->difference = NULL;
	memset(&v->asked_mine, 0, sizeof(v->asked_mine));
}

void versions_difference_failed(struct control *c)
{
	struct versions *v = &c->versions;

	memset(&v->asked_mine, 0, sizeof(v->asked_mine));
	v->ask_after_us = v->ask_after_us ? 2 * v->ask_after_us : RETRY_US;
	if (v->ask_after_us > RETRY_MOST_US)
		v->ask_after_us = RETRY_MOST_US;
	v->ask_us = clock_us() + v->ask_after_us;
}

/* The two versions have diverged: the peer is asked what would change there, once for each pair of
 * versions. */
static void difference_look(struct control *c)
{
	struct versions *v = &c->versions;

	if (version_id_equal(&v->asked_mine, &v->version.id) &&
	    version_id_equal(&v->asked_peers, &v->word.id))
		return;
	if (clock_us() < v->ask_us)
		return;
	difference_forget(v);
	v->asked_mine = v->version.id;
	v->asked_peers = v->word.id;
	v->ask_difference(c);
}

static void look(struct control *c)
{
	struct versions *v = &c->versions;
	struct ha_status *s = c->ha ? malloc(sizeof(*s)) : NULL;

	if (!s)
		return;
	ha_status(c->ha, s);
	v->has_peer = s->has_peer;
	v->peer_alive = s->peer.known && s->peer.alive;
	v->word = s->peer.version;
	free(s);
	versions_relate(v);
	if (!v->peer_alive)
		return;
	if (v->relation == VERSION_EQUAL && c->trial.on && !c->trial.alone) {
		/* The peer made a child of the version on trial that says the same. */
		if (!version_id_equal(&v->word.id, &v->version.id) &&
		    version_id_equal(&v->word.judged, &v->version.id) &&
		    v->word.judgement == VERSION_IS_ANCESTOR)
			v->confirmed(c, &v->word.id);
	} else if (v->relation == VERSION_EQUAL &&
		   version_store_unite(&v->store, &v->word.id, v->word.digest)) {
		version_store_version(&v->store, &v->version);
		v->changes++;
		versions_write_start(c);
	} else if (v->relation == VERSION_PEER_OLDER && clock_us() >= v->retry_us &&
		   v->durable == v->changes) {
		v->forward(c);
	}
	if (v->relation == VERSION_DIVERGED)
		difference_look(c);
	else if (v->difference)
		difference_forget(v);
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	look(arg);
	versions_waits_look(arg);
}

const char *versions_refuse_changes(struct control *c)
{
	struct ha_status *s = c->ha ? malloc(sizeof(*s)) : NULL;
	bool moves = false;

	if (s) {
		ha_status(c->ha, s);
		moves = s->state == HA_HANDOVER ||
			(s->peer.known && s->peer.alive && s->peer.state == HA_HANDOVER);
	}
	free(s);
	return moves ? "a hand-over is under way: nothing is changed until it is over, within "
		       "seconds"
		     : NULL;
}

static const char *id_or_null(const struct version_id *id, char text[VERSION_ID_STRLEN])
{
	return version_id_is_none(id) ? NULL : version_id_format(id, text);
}

json_t *versions_json(const struct control *c)
{
	const struct versions *v = &c->versions;
	const struct version_entry *newest = v->store.n > 0 ? &v->store.entry[0] : NULL;
	char here[VERSION_ID_STRLEN], there[VERSION_ID_STRLEN];
	const struct shown_agreement shown = {
		.version = id_or_null(&v->version.id, here),
		.stored = v->dir[0] && !v->fault[0] && v->durable == v->changes,
		.fault = v->fault[0] ? v->fault : NULL,
		.relation = version_relation_name(v->has_peer ? v->relation : VERSION_NONE),
		.peer_version = id_or_null(&v->word.id, there),
		.peer_fault = v->peer_fault[0] ? v->peer_fault : NULL,
		.has_author = newest,
		.author = newest ? newest->author : NULL,
		.time = newest ? (uint64_t)newest->time_s : 0,
	};
	json_t *out = shown_object(&shown_agreement, &shown, SHOWN_LIST);

	if (out && v->difference)
		json_object_set(out, "difference", v->difference);
	return out;
}

/* --- life --- */

static void start_log(const struct versions *v, enum version_start how,
		      const struct version_entry *newer)
{
	char id[VERSION_ID_STRLEN], other[VERSION_ID_STRLEN];

	version_id_format(&v->version.id, id);
	switch (how) {
	case VERSION_START_NEW:
		log_info(CONTROL_AREA, "the configuration has the new version %.8s", id);
		break;
	case VERSION_START_SAME:
		log_info(CONTROL_AREA, "the configuration has the stored version %.8s", id);
		break;
	case VERSION_START_EDITED:
		log_notice(CONTROL_AREA,
			   "the configuration was edited while plvs was down: version %.8s", id);
		break;
	case VERSION_START_OLD:
		log_warning(
			CONTROL_AREA,
			"the configuration of the file has the older version %.8s; the last one "
			"that ran was %.8s (%s), which was not saved to the file",
			id, version_id_format(&newer->id, other), newer->author);
		break;
	}
}

int versions_init(struct control *c, const struct control_options *options)
{
	const char *dir = options->state_dir;
	struct versions *v = &c->versions;
	struct version_store *before = malloc(sizeof(*before));
	uint8_t digest[VERSION_DIGEST_BYTES];
	struct version_entry made, newer;
	enum version_start how;
	char error[ERROR_TEXT];
	char *text;

	if (!before)
		return -ENOMEM;
	TAILQ_INIT(&v->waits);
	snprintf(v->dir, sizeof(v->dir), "%s", dir ? dir : "");
	v->has_peer = c->config->node.ha.n_paths > 0;
	if (dir && version_store_load(&v->store, dir, error) < 0)
		log_error(CONTROL_AREA, "%s: the configuration is related to no other version",
			  error);
	*before = v->store;
	digest_of(c, digest);
	entry_make(&made, digest, "file");
	how = version_store_start(&v->store, digest, &made, &newer);
	version_store_version(&v->store, &v->version);
	snprintf(v->in_file, sizeof(v->in_file), "%s",
		 options->file_digest ? options->file_digest : "");
	if (!v->in_file[0])
		versions_in_file(c);
	/* No newer version was confirmed. */
	if (how == VERSION_START_OLD && !options->undone) {
		v->newer = before;
		before = NULL;
	}
	free(before);
	if (dir && (how == VERSION_START_NEW || how == VERSION_START_EDITED || options->undone)) {
		text = versions_store_text(&v->store);
		if (!text || version_store_save(dir, text, error) < 0) {
			snprintf(v->fault, sizeof(v->fault), "%s", text ? error : "out of memory");
			log_error(CONTROL_AREA,
				  "the version of the configuration is not stored: %s", v->fault);
		}
		free(text);
	}
	if (dir && options->undone && !v->fault[0] && undo_record_remove(dir, error) < 0)
		log_error(CONTROL_AREA, "the undo record stays: %s", error);
	if (dir && !options->undone)
		start_log(v, how, &newer);
	return 0;
}

void versions_fini(struct control *c)
{
	free(c->versions.newer);
	json_decref(c->versions.difference);
}

int versions_start(struct control *c)
{
	const struct timeval often = {.tv_usec = LOOK_MS * 1000}, now = {.tv_usec = 1};
	struct versions *v = &c->versions;

	v->text_ev = evtimer_new(c->base, versions_on_text, c);
	v->look_ev = event_new(c->base, -1, EV_PERSIST, on_look, c);
	if (!v->text_ev || !v->look_ev || (v->has_peer && event_add(v->look_ev, &often) < 0))
		return -ENOMEM;
	/* So that the first change leaves something to go back to. */
	if (v->dir[0] && !v->fault[0])
		evtimer_add(v->text_ev, &now);
	return 0;
}

void versions_stop(struct control *c)
{
	struct versions *v = &c->versions;
	const struct versions_outcome outcome = {.here = "plvs is stopping"};

	versions_waits_end(c, &outcome);
	if (v->text_ev)
		event_free(v->text_ev);
	if (v->look_ev)
		event_free(v->look_ev);
	v->text_ev = v->look_ev = NULL;
	versions_text_drop(v);
	free(v->text);
	v->text = NULL;
}
