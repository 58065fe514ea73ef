/* SPDX-License-Identifier: BSD-3-Clause */
/* Versions on their way to the disk and to the peer. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error_text.h"
#include "base/log.h"
#include "control/control_internal.h"
#include "control/versions_internal.h"
#include "ha/ha.h"

#define TEXT_SOON_MS 300     /* several changes are one text */
#define OLD_WORD_US  1000000 /* the peer's word is younger */

void versions_tell(struct control *c)
{
	if (c->ha && ha_set_version(c->ha, &c->versions.version) < 0)
		log_error(CONTROL_AREA, "no memory to tell the peer of the version of the "
					"configuration: the next change tells the peer");
}

void versions_relate(struct versions *v)
{
	v->relation = version_relate(&v->version, &v->word);
	if (v->relation != VERSION_EQUAL || !v->peer_alive ||
	    version_id_equal(&v->word.id, &v->confirmed_of))
		return;
	/* A change that undoes the last one makes the configuration equal to what an old heartbeat
	 * names, which the peer has left by then. */
	if (version_id_equal(&v->version.id, &v->word.id) ||
	    clock_us() - v->changed_us > OLD_WORD_US)
		v->at_peer = v->changes;
}

/* --- writing --- */

static void write_work(void *arg)
{
	struct versions *v = &((struct control *)arg)->versions;

	v->ret = v->text ? version_store_save(v->dir, v->text, v->error) : -ENOMEM;
}

static void written(struct control *c)
{
	struct versions *v = &c->versions;
	const char *why = v->ret == -ENOMEM ? "out of memory" : v->error;

	if (v->ret < 0 && strcmp(v->fault, why) != 0)
		log_error(
			CONTROL_AREA,
			"the version of the configuration is not stored: %s; after a restart this "
			"router has an older version",
			why);
	else if (v->ret == 0 && v->fault[0])
		log_notice(CONTROL_AREA, "the version of the configuration is stored again");
	snprintf(v->fault, sizeof(v->fault), "%s", v->ret < 0 ? why : "");
	v->durable = v->writing_changes;
}

/* The peer gets a change as soon as the change is durable, not at the next look. */
static void forward(struct control *c)
{
	struct versions *v = &c->versions;

	versions_relate(v);
	if (v->forward && v->relation == VERSION_PEER_OLDER && v->peer_alive &&
	    clock_us() >= v->retry_us)
		v->forward(c);
	versions_waits_look(c);
}

static void on_written(void *arg)
{
	struct control *c = arg;
	struct versions *v = &c->versions;
	const struct timeval soon = {.tv_usec = TEXT_SOON_MS * 1000};

	v->writing = false;
	free(v->text);
	v->text = NULL;
	written(c);
	if (v->durable < v->changes) {
		versions_write_start(c);
		return;
	}
	versions_tell(c);
	if (v->ret == 0 && v->text_ev)
		evtimer_add(v->text_ev, &soon);
	forward(c);
}

char *versions_store_text(const struct version_store *s)
{
	json_t *json = version_store_json(s);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	return text;
}

void versions_write_start(struct control *c)
{
	struct versions *v = &c->versions;

	if (v->writing)
		return;
	if (!v->dir[0] || !c->jobs) {
		v->durable = v->changes;
		versions_tell(c);
		forward(c);
		return;
	}
	v->writing = true;
	v->writing_changes = v->changes;
	v->text = versions_store_text(&v->store);
	v->job = (struct job){.work = write_work, .done = on_written, .arg = c};
	jobs_run(c->jobs, &v->job);
}

/* --- what a version says, in a file --- */

/* Changes go on while the text is made: a turn takes no longer than freezing takes. */
struct text_turn {
	struct turn turn;
	struct job job;
	struct control *control;
	struct config *frozen; /* NULL: not begun */
	char dir[256], error[ERROR_TEXT];
	struct version_id id, wanted[VERSION_STORE_ENTRIES];
	uint32_t n_wanted;
	int ret;
};

void versions_text_drop(struct versions *v)
{
	if (v->text_turn)
		config_destroy(v->text_turn->frozen);
	free(v->text_turn);
	v->text_turn = NULL;
}

static void text_work(void *arg)
{
	struct text_turn *t = arg;
	char *text = config_shared_text(t->frozen);

	t->ret = text ? version_store_put_text(t->dir, &t->id, text, t->wanted, t->n_wanted,
					       t->error)
		      : -ENOMEM;
	free(text);
}

static void text_done(void *arg)
{
	struct text_turn *t = arg;
	struct control *c = t->control;

	if (t->ret < 0)
		log_warning(CONTROL_AREA, "the configuration is not kept for later: %s",
			    t->ret == -ENOMEM ? "out of memory" : t->error);
	versions_text_drop(&c->versions);
	memory_trim_soon(c);
}

static void text_begin(struct control *c, struct turn *turn)
{
	struct text_turn *t = (struct text_turn *)turn;
	const struct versions *v = &c->versions;

	t->frozen = config_freeze(c->config);
	t->id = v->store.entry[0].id;
	for (t->n_wanted = 0; t->n_wanted < v->store.n; t->n_wanted++)
		t->wanted[t->n_wanted] = v->store.entry[t->n_wanted].id;
	snprintf(t->dir, sizeof(t->dir), "%s", v->dir);
	t->job = (struct job){.work = text_work, .done = text_done, .arg = t};
	if (t->frozen) {
		jobs_run(c->idle_jobs, &t->job);
	} else {
		t->ret = -ENOMEM;
		text_done(t);
	}
	turn_end(c);
}

static void text_cancel(struct control *c, struct turn *turn)
{
	(void)turn;
	versions_text_drop(&c->versions);
}

void versions_on_text(evutil_socket_t fd, short what, void *arg)
{
	struct control *c = arg;
	struct text_turn *t = c->versions.text_turn ? NULL : calloc(1, sizeof(*t));

	(void)fd;
	(void)what;
	if (!t)
		return;
	c->versions.text_turn = t;
	t->turn = (struct turn){.begin = text_begin, .cancel = text_cancel};
	t->control = c;
	turn_take(c, &t->turn);
}
