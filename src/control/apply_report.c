/* SPDX-License-Identifier: BSD-3-Clause */
/* The outcome of an apply in words: log, audit, answer. */
#include <event2/buffer.h>
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "base/log.h"
#include "control/apply_internal.h"
#include "control/audit.h"
#include "rpc/json_dump.h"

void apply_log_errors(const struct config_errors *errors)
{
	char line[1024];

	for (uint32_t i = 0; i < errors->errors.n; i++)
		log_error(CONTROL_AREA, "%s",
			  config_error_format(errors, &errors->errors.v[i], line, sizeof(line)));
	for (uint32_t i = 0; i < errors->warnings.n; i++)
		log_warning(
			CONTROL_AREA, "%s",
			config_error_format(errors, &errors->warnings.v[i], line, sizeof(line)));
}

void apply_log(const struct apply *a)
{
	const struct control *c = a->pending.control;
	uint64_t ended = 0;

	for (uint32_t i = 0; i < a->words->n; i++)
		if (a->words->v[i].action == CONFIG_DELETE)
			ended += a->connections[i];
	if (ended > 0)
		log_warning(CONTROL_AREA,
			    "the new configuration lacks services or servers of %llu connections",
			    (unsigned long long)ended);
	if (a->pushed) {
		log_notice(CONTROL_AREA, "the peer's configuration is taken: %u changes",
			   a->words->n);
		return;
	}
	if (a->undo) {
		log_warning(CONTROL_AREA, "%s: %u changes", a->comment, a->words->n);
		return;
	}
	if (!a->pending.req && !a->from.path) {
		log_notice(CONTROL_AREA,
			   "the configuration that ran before the restart is in "
			   "place again: %u changes",
			   a->words->n);
		return;
	}
	if (a->pending.req) {
		return; /* the audit says so */
	}
	for (size_t i = 0; i < json_array_size(a->at_once); i++)
		log_notice(CONTROL_AREA, "takes effect at once: %s",
			   json_string_value(json_array_get(a->at_once, i)));
	for (size_t i = 0; i < json_array_size(c->restart); i++)
		log_warning(CONTROL_AREA, "takes effect after a restart: %s",
			    json_string_value(json_array_get(c->restart, i)));
	log_notice(CONTROL_AREA, "reload: %s is applied", a->from.path);
}

static int piece(const char *text, size_t n, void *arg)
{
	return evbuffer_add(arg, text, n);
}

static void put(struct json_writer *w, const char *text)
{
	json_writer_put(w, text, strlen(text));
}

static void put_string(struct json_writer *w, const char *key, const char *text)
{
	put(w, key);
	json_writer_string(w, text, strlen(text));
}

/* "changes": [{action, object, detail, connections}]. A hundred thousand lines as JSON objects
 * would take longer than the change. */
static int changes_write(const struct apply *a, struct evbuffer *out)
{
	struct json_writer w;

	json_writer_init(&w, piece, out);
	put(&w, "{\"changes\":[");
	for (uint32_t i = 0; i < a->words->n; i++) {
		const struct config_line *item = &a->words->v[i];

		put_string(&w,
			   i ? ",{\"action\":" : "{\"action\":", config_action_names[item->action]);
		put_string(&w, ",\"object\":", item->object);
		put_string(&w, ",\"detail\":", item->detail);
		put(&w, ",\"connections\":");
		json_writer_integer(&w, (int64_t)a->connections[i]);
		put(&w, "}");
	}
	put(&w, "],");
	return json_writer_end(&w);
}

void apply_write(void *arg)
{
	struct apply *a = arg;
	json_t *doc;

	config_destroy(a->old);
	a->old = NULL;
	if (!a->pending.req)
		return;
	doc = json_pack("{s:O, s:O, s:o}", "at_once", a->at_once, "restart", a->restart, "warnings",
			config_error_list_json(&a->errors.warnings));
	if (doc && a->confirm_ms)
		json_object_set_new(doc, "confirm_within_ms", json_integer(a->confirm_ms));
	a->out = evbuffer_new();
	if (!doc || !a->out || changes_write(a, a->out) < 0 ||
	    json_dump_evbuffer(doc, true, a->out) < 0 ||
	    (a->kind != APPLY_SWAP && evbuffer_add(a->out, "}", 1) < 0)) {
		if (a->out)
			evbuffer_free(a->out);
		a->out = NULL;
	}
	json_decref(doc);
}

void apply_audit(const struct apply *a)
{
	char text[320], file[VERSION_COMMENT_LEN + 340];
	size_t n = (size_t)snprintf(text, sizeof(text), "%u change%s", a->words->n,
				    a->words->n == 1 ? "" : "s");

	for (uint32_t i = 0; i < a->words->n && i < 4 && n < sizeof(text); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s %s%s%s", i ? "; " : ": ",
				      config_action_names[a->words->v[i].action],
				      a->words->v[i].object, *a->words->v[i].detail ? ", " : "",
				      a->words->v[i].detail);
	if (a->pending.req) {
		audit_detail(a->pending.req, text);
		return;
	}
	snprintf(file, sizeof(file), "%s: %s",
		 a->undo ? a->comment : "config apply of the start file", text);
	audit_without_request(a->pending.control, a->undo ? "plvs" : "SIGHUP", file, a->start_us);
}

const char *apply_said(const struct apply_source *from, bool asked, char buf[VERSION_COMMENT_LEN])
{
	char id[VERSION_ID_STRLEN];

	if (!version_id_is_none(&from->back))
		snprintf(buf, VERSION_COMMENT_LEN, "config rollback to %.8s",
			 version_id_format(&from->back, id));
	else if (!asked)
		snprintf(buf, VERSION_COMMENT_LEN, "config apply of the start file");
	else if (from->path)
		snprintf(buf, VERSION_COMMENT_LEN, "config apply of %.120s", from->path);
	else
		snprintf(buf, VERSION_COMMENT_LEN, "config apply");
	return buf;
}

uint64_t apply_version(struct apply *a)
{
	char author[VERSION_AUTHOR_LEN] = "SIGHUP", said[VERSION_COMMENT_LEN];

	if (a->pending.req)
		audit_author(a->pending.req, author, sizeof(author));
	apply_said(&a->from, a->pending.req, said);
	return versions_changed(a->pending.control, a->author[0] ? a->author : author,
				a->comment[0] ? a->comment : said);
}
