/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <jansson.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error_text.h"
#include "base/text.h"
#include "telnet/telnetd.h"

#define SOCKET_DEFAULT	"/run/plvs/plvs.sock"
#define ACCOUNT_DEFAULT "plvs-telnet"
#define IDLE_DEFAULT_MS 600000

/* The text of a member, or def. */
static const char *text_of(const json_t *o, const char *key, const char *def)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : def;
}

/* "192.0.2.1:2323" or "[::1]:2323". */
static int parse_listen(const char *text, struct telnet_config *c, char error[ERROR_TEXT])
{
	const char *colon = text ? strrchr(text, ':') : NULL;
	bool brackets = colon && text[0] == '[' && colon > text + 1 && colon[-1] == ']';

	if (!colon || colon == text || !colon[1])
		return error_text(error, -EINVAL, "node.telnet.listen: expected address:port");
	c->host = brackets ? strndup(text + 1, (size_t)(colon - text) - 2)
			   : strndup(text, (size_t)(colon - text));
	c->port = strdup(colon + 1);
	return c->host && c->port ? 0 : -ENOMEM;
}

static int parse_users(const json_t *list, struct telnet_config *c, char error[ERROR_TEXT])
{
	size_t n = json_array_size(list), i;
	const json_t *o;

	c->users = calloc(n + 1, sizeof(*c->users));
	if (!c->users)
		return -ENOMEM;
	json_array_foreach (list, i, o) {
		const char *name = text_of(o, "name", NULL), *hash = text_of(o, "password", NULL);
		const char *level = text_of(o, "level", "read");
		struct telnet_user *u = &c->users[c->n_users];

		if (!name || !*name || strlen(name) > TELNET_NAME_MAX || !hash || hash[0] != '$')
			return error_text(error, -EINVAL,
					  "node.telnet.users[%zu]: expected a name and a hash", i);
		if (strcmp(level, "read") != 0 && strcmp(level, "change") != 0)
			return error_text(error, -EINVAL,
					  "node.telnet.users[%zu].level: expected read or change",
					  i);
		c->n_users++;
		*u = (struct telnet_user){.name = strdup(name),
					  .hash = strdup(hash),
					  .level = strcmp(level, "change") == 0 ? TELNET_CHANGE
										: TELNET_READ};
		if (!u->name || !u->hash)
			return -ENOMEM;
	}
	return 0;
}

/* control.read.socket and control.change.socket; by default beside the control socket. */
static int parse_sockets(const json_t *control, struct telnet_config *c)
{
	static const char *const parts[] = {[TELNET_READ] = "read", [TELNET_CHANGE] = "change"};
	const char *base = text_of(control, "socket", SOCKET_DEFAULT);

	for (int i = TELNET_READ; i <= TELNET_CHANGE; i++) {
		const char *path = text_of(json_object_get(control, parts[i]), "socket", NULL);

		if (path)
			c->sockets[i] = strdup(path);
		else if (asprintf(&c->sockets[i], "%s.%s", base, parts[i]) < 0)
			c->sockets[i] = NULL;
		if (!c->sockets[i])
			return -ENOMEM;
	}
	return 0;
}

static int parse_limits(const json_t *telnet, struct telnet_config *c, char error[ERROR_TEXT])
{
	const json_t *sessions = json_object_get(telnet, "sessions");
	const char *idle = text_of(telnet, "idle", NULL);
	uint32_t idle_ms = IDLE_DEFAULT_MS;

	if (json_is_integer(json_object_get(telnet, "idle")))
		idle_ms = (uint32_t)json_integer_value(json_object_get(telnet, "idle")) * 1000;
	else if (idle && duration_parse(idle, &idle_ms) < 0)
		return error_text(error, -EINVAL, "node.telnet.idle: expected a time as 10m");
	c->idle_s = idle_ms / 1000 ? idle_ms / 1000 : 1;
	c->max_sessions = sessions ? (uint32_t)json_integer_value(sessions) : 8;
	if (c->max_sessions == 0 || c->max_sessions > TELNET_MAX_SESSIONS)
		return error_text(error, -EINVAL, "node.telnet.sessions: expected 1 to %d",
				  TELNET_MAX_SESSIONS);
	return 0;
}

static int parse(const json_t *node, struct telnet_config *c, char error[ERROR_TEXT])
{
	const json_t *telnet = json_object_get(node, "telnet");
	int ret;

	if (!json_object_get(telnet, "listen"))
		return error_text(error, -EINVAL,
				  "node.telnet.listen is missing: there is nothing to listen on");
	ret = parse_listen(text_of(telnet, "listen", NULL), c, error);
	if (!ret)
		ret = parse_users(json_object_get(telnet, "users"), c, error);
	if (!ret)
		ret = parse_sockets(json_object_get(node, "control"), c);
	if (!ret)
		ret = parse_limits(telnet, c, error);
	if (ret)
		return ret;
	c->account = strdup(text_of(telnet, "user", ACCOUNT_DEFAULT));
	c->shell = strdup(text_of(telnet, "shell", PLVS_BINDIR "/plvsctl"));
	return c->account && c->shell ? 0 : -ENOMEM;
}

/* Hashes are in no memory that is given back: processes that hear clients come from this one. */
static void wipe_free(void *p)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

int telnet_config_parse(const char *text, size_t len, struct telnet_config *out,
			char error[ERROR_TEXT])
{
	json_error_t e;
	json_t *doc;
	int ret;

	json_set_alloc_funcs(malloc, wipe_free);
	doc = json_loadb(text, len, JSON_REJECT_DUPLICATES, &e);
	memset(out, 0, sizeof(*out));
	error_text(error, 0, "out of memory");
	if (!doc)
		return error_text(error, -EINVAL, "line %d, column %d: %s", e.line, e.column,
				  e.text);
	ret = parse(json_object_get(doc, "node"), out, error);
	json_decref(doc);
	if (ret)
		telnet_config_free(out);
	return ret;
}

void telnet_config_forget(const struct telnet_config *c)
{
	for (size_t i = 0; i < c->n_users; i++)
		explicit_bzero(c->users[i].hash, strlen(c->users[i].hash));
}

void telnet_config_free(struct telnet_config *c)
{
	for (size_t i = 0; i < c->n_users; i++) {
		free(c->users[i].name);
		free(c->users[i].hash);
	}
	free(c->users);
	for (int i = TELNET_READ; i <= TELNET_CHANGE; i++)
		free(c->sockets[i]);
	free(c->host);
	free(c->port);
	free(c->account);
	free(c->shell);
	memset(c, 0, sizeof(*c));
}
