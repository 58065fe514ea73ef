/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/telnet_program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "control/control_internal.h"
#include "control/level_path.h"
#include "spawn/spawn.h"
#include "spawn/spawner.h"

#define AREA	     "telnet"
#define AGAIN_MS     1000
#define AGAIN_MAX_MS 60000
#define LIVED_MS     60000 /* then the next start is prompt again */

struct telnet_program {
	struct control *control;
	struct spawn_client *client; /* NULL: there is no spawner */
	struct event *again;
	char *given; /* the configuration that it runs with; NULL: it is off */
	uint64_t id;
	bool running;
	bool as_user; /* the spawner can run it as node.telnet.user */
	uint32_t delay_ms;
	char fault[256]; /* why it does not run; "" = it does */
};

/* node.control and node.telnet alone, with the paths of the sockets filled in; NULL: it is off,
 * or no memory. */
static char *given_make(const struct control *c)
{
	const struct config_node *node = &c->config->node;
	json_t *doc, *from, *control;
	char path[128], *text;

	if (node->telnet.listen.addr.family == ADDR_NONE || !node->telnet.start)
		return NULL;
	doc = config_to_json(c->config, CONFIG_NODE);
	from = json_object_get(doc, "node");
	control = json_object();
	for (int i = METHOD_READ; i <= METHOD_CHANGE; i++) {
		level_socket_path(&c->boot->node, i, path, sizeof(path));
		json_object_set_new(control, i == METHOD_READ ? "read" : "change",
				    json_pack("{s:s}", "socket", path));
	}
	from = json_pack("{s:{s:o, s:O}}", "node", "control", control, "telnet",
			 json_object_get(from, "telnet"));
	text = from ? json_dumps(from, JSON_COMPACT) : NULL;
	json_decref(from);
	json_decref(doc);
	return text;
}

const char *telnet_program_path(const struct config_telnet *telnet)
{
	return telnet->program ? telnet->program : PLVS_SBINDIR "/plvs-telnetd";
}

static void again_soon(struct telnet_program *t)
{
	const struct timeval tv = {.tv_sec = t->delay_ms / 1000,
				   .tv_usec = t->delay_ms % 1000 * 1000};

	event_add(t->again, &tv);
	t->delay_ms = t->delay_ms * 2 < AGAIN_MAX_MS ? t->delay_ms * 2 : AGAIN_MAX_MS;
}

static void on_end(void *arg, const struct spawn_result *r)
{
	struct telnet_program *t = arg;
	char text[160];
	int last, said;

	t->running = false;
	if (r->outcome == SPAWN_CANCELLED)
		return;
	if (r->ran_ms >= LIVED_MS)
		t->delay_ms = AGAIN_MS;
	/* Its last line says why. */
	last = (int)r->error_len;
	while (last > 0 && r->error[last - 1] == '\n')
		last--;
	while (last > 0 && r->error[last - 1] != '\n' && last > (int)r->error_len - 160)
		last--;
	said = (int)strcspn(r->error + last, "\n");
	snprintf(t->fault, sizeof(t->fault), "%s%s%.*s%s",
		 spawn_result_format(r, telnet_program_path(&t->control->config->node.telnet), text,
				     sizeof(text)),
		 said ? ": " : "", said, r->error + last,
		 r->outcome == SPAWN_NOT_STARTED ? " (node.telnet.program and .user)" : "");
	log_warning(AREA, "%s; it is started again in %u s", t->fault, t->delay_ms / 1000);
	again_soon(t);
}

static void run(struct telnet_program *t)
{
	const struct config_telnet *telnet = &t->control->config->node.telnet;
	const char *const argv[] = {telnet_program_path(telnet), "--config", "-", NULL};
	const struct spawn_request request = {.argv = argv,
					      .user = t->as_user ? config_telnet_account(telnet)
								 : NULL,
					      .input = t->given,
					      .input_len = strlen(t->given),
					      .time_limit_ms = SPAWN_MAX_LIMIT_MS,
					      .grace_ms = 3000};
	int ret = t->client ? spawn_run(t->client, &request, on_end, t, &t->id) : -EPIPE;

	t->running = ret == 0;
	t->fault[0] = '\0';
	if (ret == 0)
		return;
	snprintf(t->fault, sizeof(t->fault), "plvs-telnetd cannot be started: %s", strerror(-ret));
	log_warning(AREA, "%s", t->fault);
	again_soon(t);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct telnet_program *t = arg;

	(void)fd;
	(void)what;
	if (t->given && !t->running)
		run(t);
}

void telnet_program_changed(struct control *c)
{
	struct telnet_program *t = c->telnet;
	char *given = t ? given_make(c) : NULL;

	if (!t || (given && t->given && strcmp(given, t->given) == 0) || (!given && !t->given)) {
		free(given);
		return;
	}
	if (t->given)
		memset(t->given, 0, strlen(t->given));
	free(t->given);
	t->given = given;
	event_del(t->again);
	if (t->running)
		spawn_cancel(t->client, t->id);
	t->fault[0] = '\0';
	t->delay_ms = AGAIN_MS;
	if (given)
		run(t);
	else
		log_notice(AREA, "off");
}

int telnet_program_start(struct control *c)
{
	struct telnet_program *t = calloc(1, sizeof(*t));
	int line = c->spawner ? spawner_take_fd(c->spawner, SPAWN_FOR_TELNET) : -1;

	c->telnet = t;
	if (!t)
		return -ENOMEM;
	t->control = c;
	/* Before plvs gives up its rights; the spawner keeps this one. */
	t->as_user = geteuid() == 0;
	t->delay_ms = AGAIN_MS;
	t->again = event_new(c->base, -1, 0, on_again, t);
	if (!t->again || (line >= 0 && spawn_client_create(c->base, line, &t->client) < 0))
		return -ENOMEM;
	telnet_program_changed(c);
	return 0;
}

void telnet_program_stop(struct control *c)
{
	struct telnet_program *t = c->telnet;

	if (!t)
		return;
	spawn_client_destroy(t->client);
	if (t->again)
		event_free(t->again);
	if (t->given)
		memset(t->given, 0, strlen(t->given));
	free(t->given);
	free(t);
	c->telnet = NULL;
}

void telnet_program_warn(const struct control *c, json_t *list)
{
	if (c->telnet && c->telnet->fault[0])
		json_array_append_new(list, json_sprintf("telnet: %s", c->telnet->fault));
}
