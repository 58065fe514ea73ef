/* SPDX-License-Identifier: BSD-3-Clause */
#include "spawn/spawner_wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- writing ---- */

/* How many there are; -1: more than max. text grows by their lengths with NULs. */
static int count(const char *const *list, int max, size_t *text)
{
	int n = 0;

	for (; list && list[n]; n++) {
		if (n == max)
			return -1;
		*text += strlen(list[n]) + 1;
	}
	return n;
}

static char *put(char *at, const char *text)
{
	size_t len = text ? strlen(text) : 0;

	if (len)
		memcpy(at, text, len);
	at[len] = '\0';
	return at + len + 1;
}

static size_t name_size(const char *name)
{
	return (name ? strlen(name) : 0) + 1;
}

int spawn_order_encode(const struct spawn_request *r, const char *netns, uint64_t id, void **out,
		       size_t *len)
{
	size_t text = name_size(r->user) + name_size(r->group) + name_size(netns);
	int argc = count(r->argv, SPAWN_MAX_ARGV, &text);
	int envc = count(r->env, SPAWN_MAX_ENV, &text);
	struct spawn_msg_run *m;
	char *at;

	if (argc == 0 || r->argv[0][0] == '\0' || r->time_limit_ms == 0 ||
	    r->time_limit_ms > SPAWN_MAX_LIMIT_MS || r->queue_limit_ms > SPAWN_MAX_LIMIT_MS ||
	    r->grace_ms > SPAWN_MAX_LIMIT_MS)
		return -EINVAL;
	if (argc < 0 || envc < 0 || text > SPAWN_MAX_TEXT || r->input_len > SPAWN_MAX_INPUT ||
	    r->output_max > SPAWN_MAX_OUTPUT)
		return -E2BIG;
	*len = sizeof(*m) + text + r->input_len;
	m = malloc(*len);
	if (!m)
		return -ENOMEM;
	*m = (struct spawn_msg_run){
		.head = {.magic = SPAWN_MAGIC, .type = SPAWN_MSG_RUN, .id = id},
		.time_limit_ms = r->time_limit_ms,
		.queue_limit_ms = r->queue_limit_ms ? r->queue_limit_ms : SPAWN_QUEUE_MS,
		.grace_ms = r->grace_ms ? r->grace_ms : SPAWN_GRACE_MS,
		.output_max = r->output_max ? r->output_max : SPAWN_OUTPUT,
		.argc = (uint32_t)argc,
		.envc = (uint32_t)envc,
		.text_len = (uint32_t)text,
		.input_len = (uint32_t)r->input_len,
	};
	at = put(put(put((char *)(m + 1), r->user), r->group), netns);
	for (int i = 0; i < argc; i++)
		at = put(at, r->argv[i]);
	for (int i = 0; i < envc; i++)
		at = put(at, r->env[i]);
	if (r->input_len)
		memcpy(at, r->input, r->input_len);
	*out = m;
	return 0;
}

/* ---- reading ---- */

/* The next text, NULL at the end. */
static char *take(char **at, const char *end)
{
	char *text = *at;
	char *nul = text < end ? memchr(text, '\0', (size_t)(end - text)) : NULL;

	if (!nul)
		return NULL;
	*at = nul + 1;
	return text;
}

static bool take_name(char **at, const char *end, const char **out)
{
	*out = take(at, end);
	if (!*out)
		return false;
	if (**out == '\0')
		*out = NULL;
	return true;
}

static bool take_list(char **at, const char *end, uint32_t n, char **list)
{
	for (uint32_t i = 0; i < n; i++) {
		list[i] = take(at, end);
		if (!list[i])
			return false;
	}
	list[n] = NULL;
	return true;
}

int spawn_order_decode(void *msg, size_t len, struct spawn_order *out)
{
	const struct spawn_msg_run *m = msg;
	char *at, *end;

	if (len < sizeof(*m) || m->head.magic != SPAWN_MAGIC || m->head.type != SPAWN_MSG_RUN ||
	    m->argc == 0 || m->argc > SPAWN_MAX_ARGV || m->envc > SPAWN_MAX_ENV ||
	    m->text_len > SPAWN_MAX_TEXT || m->input_len > SPAWN_MAX_INPUT ||
	    len != sizeof(*m) + m->text_len + m->input_len)
		return -EINVAL;
	if (m->time_limit_ms == 0 || m->time_limit_ms > SPAWN_MAX_LIMIT_MS ||
	    m->queue_limit_ms > SPAWN_MAX_LIMIT_MS || m->grace_ms > SPAWN_MAX_LIMIT_MS ||
	    m->output_max > SPAWN_MAX_OUTPUT)
		return -EINVAL;
	out->id = m->head.id;
	out->time_limit_ms = m->time_limit_ms;
	out->queue_limit_ms = m->queue_limit_ms;
	out->grace_ms = m->grace_ms;
	out->output_max = m->output_max;
	at = (char *)msg + sizeof(*m);
	end = at + m->text_len;
	if (!take_name(&at, end, &out->user) || !take_name(&at, end, &out->group) ||
	    !take_name(&at, end, &out->netns) || !take_list(&at, end, m->argc, out->argv) ||
	    !take_list(&at, end, m->envc, out->envp) || at != end || out->argv[0][0] == '\0')
		return -EINVAL;
	out->input = (const uint8_t *)end;
	out->input_len = m->input_len;
	return 0;
}

int spawn_result_decode(const void *msg, size_t len, struct spawn_result *r, uint64_t *started_us)
{
	const struct spawn_msg_result *m = msg;
	const char *text = (const char *)(m + 1);

	if (len < sizeof(*m) || m->head.magic != SPAWN_MAGIC || m->head.type != SPAWN_MSG_RESULT ||
	    m->outcome >= SPAWN_OUTCOME_MAX || m->step >= SPAWN_STEP_MAX ||
	    m->output_len > SPAWN_MAX_OUTPUT || m->error_len > SPAWN_MAX_OUTPUT ||
	    len != sizeof(*m) + m->output_len + 1 + m->error_len + 1 ||
	    text[m->output_len] != '\0' || text[m->output_len + 1 + m->error_len] != '\0')
		return -EINVAL;
	*r = (struct spawn_result){
		.outcome = (enum spawn_outcome)m->outcome,
		.step = (enum spawn_step)m->step,
		.code = m->code,
		.output = text,
		.output_len = m->output_len,
		.error = text + m->output_len + 1,
		.error_len = m->error_len,
		.output_dropped = m->output_dropped,
		.error_dropped = m->error_dropped,
	};
	if (m->started_us && m->ended_us >= m->started_us)
		r->ran_ms = (uint32_t)((m->ended_us - m->started_us) / 1000);
	*started_us = m->started_us;
	return 0;
}
