/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/trial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error_text.h"
#include "base/log.h"
#include "base/text.h"
#include "control/apply.h"
#include "control/audit.h"
#include "control/control_internal.h"
#include "control/undo_record.h"
#include "shown/objects.h"

#define AGAIN_MS 2000 /* after a rollback that failed */

void trial_look_in(struct control *c, uint32_t ms)
{
	const struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	if (c->trial.ev)
		evtimer_add(c->trial.ev, &tv);
}

uint32_t trial_left_ms(const struct trial *t)
{
	const uint64_t now = clock_us();

	return now < t->deadline_us ? (uint32_t)((t->deadline_us - now) / 1000) : 0;
}

const char *changes_refused(struct control *c)
{
	struct trial *t = &c->trial;
	char id[VERSION_ID_STRLEN];
	const char *why = versions_refuse_changes(c);

	if (why || !t->on)
		return why;
	snprintf(t->why, sizeof(t->why),
		 "the configuration %.8s of %s is not confirmed, and is taken back in %u s: "
		 "`plvsctl "
		 "config confirm` keeps it, `plvsctl config rollback` takes it back now",
		 version_id_format(&t->version, id), t->author, (trial_left_ms(t) + 999) / 1000);
	return t->why;
}

/* --- the end --- */

struct removal {
	struct job job;
	char dir[256], error[ERROR_TEXT];
	int ret;
};

static void removal_work(void *arg)
{
	struct removal *r = arg;

	r->ret = undo_record_remove(r->dir, r->error);
}

static void removal_done(void *arg)
{
	struct removal *r = arg;

	if (r->ret < 0)
		log_error(CONTROL_AREA,
			  "the undo record stays: %s: remove it, or a restart brings an older "
			  "configuration back",
			  r->error);
	free(r);
}

static void record_drop(struct control *c)
{
	struct removal *r = calloc(1, sizeof(*r));

	if (!r) {
		log_error(CONTROL_AREA, "no memory to remove the undo record");
		return;
	}
	snprintf(r->dir, sizeof(r->dir), "%s", c->versions.dir);
	r->job = (struct job){.work = removal_work, .done = removal_done, .arg = r};
	jobs_run(c->jobs, &r->job);
}

void trial_off(struct trial *t)
{
	t->on = false;
	if (t->ev)
		evtimer_del(t->ev);
	json_decref(t->before);
	t->before = NULL;
}

void trial_end(struct control *c)
{
	if (!c->trial.on)
		return;
	trial_off(&c->trial);
	record_drop(c);
}

void trial_again(struct control *c)
{
	c->trial.busy = false;
	if (c->trial.on)
		trial_look_in(c, trial_left_ms(&c->trial) + AGAIN_MS);
}

/* --- the beginning --- */

void trial_begin(struct control *c, json_t *before, uint32_t within_ms, uint32_t left,
		 const char *author, bool alone)
{
	struct trial *t = &c->trial;

	if (before) {
		json_decref(t->before);
		t->before = before;
	}
	t->on = true;
	t->alone = alone;
	t->version = c->versions.version.id;
	t->within_ms = within_ms;
	t->deadline_us = clock_us() + (uint64_t)left * 1000;
	snprintf(t->author, sizeof(t->author), "%s", author[0] ? author : "the peer");
	trial_look_in(c, left + 1);
}

/* --- in words --- */

json_t *trial_for_peer(const struct control *c)
{
	const struct trial *t = &c->trial;

	if (!t->on || t->alone)
		return NULL;
	return json_pack("{s:I, s:I, s:s}", "within_ms", (json_int_t)t->within_ms, "left_ms",
			 (json_int_t)trial_left_ms(t), "author", t->author);
}

json_t *trial_json(const struct control *c)
{
	const struct trial *t = &c->trial;
	char id[VERSION_ID_STRLEN];

	if (!t->on)
		return json_null();
	return shown_object(&shown_trial,
			    &(struct shown_trial){.version = version_id_format(&t->version, id),
						  .author = t->author,
						  .within_s = (double)t->within_ms / 1000,
						  .left_s = (double)trial_left_ms(t) / 1000},
			    SHOWN_LIST);
}
