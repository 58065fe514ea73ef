/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests and messages of other threads to the ha thread; each is a note. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error_text.h"
#include "base/log.h"
#include "ha/ask_addresses.h"
#include "ha/ha_internal.h"

static void drop_addresses(struct ha_note *n)
{
	free(n->addresses.v);
}

static void run_addresses(struct ha *ha, struct ha_note *n)
{
	vip_links_addresses(ha, n->addresses.v, n->addresses.n);
}

int ha_set_addresses(struct ha *ha, const struct ha_address *list, uint32_t n)
{
	struct ha_note *note = ha_note_create(run_addresses, drop_addresses);
	struct ha_address *v = calloc(n + 1U, sizeof(*v));

	if (!note || !v) {
		free(note);
		free(v);
		return -ENOMEM;
	}
	if (n)
		memcpy(v, list, n * sizeof(*v));
	note->addresses.v = v;
	note->addresses.n = n;
	ha_note_send(ha, note);
	return 0;
}

#define ANSWERS_MS 300 /* until stations have answered the last question */

static void run_questions(struct ha *ha, struct ha_note *n)
{
	(void)n;
	vip_links_ask(ha);
}

int ha_ask_addresses(struct ha *ha, uint64_t *asked)
{
	struct ha_note *note = ha_note_create(run_questions, NULL);

	if (!note)
		return -ENOMEM;
	*asked = vip_links_questions(ha);
	ha_note_send(ha, note);
	return HA_QUESTIONS / HA_QUESTIONS_STEP * HA_TICK_MS + ANSWERS_MS;
}

static void run_digest(struct ha *ha, struct ha_note *n)
{
	memcpy(ha->config_digest, n->digest.digest, HA_DIGEST_BYTES);
	ha_known_tell(ha);
}

int ha_set_digest(struct ha *ha, const uint8_t digest[HA_DIGEST_BYTES])
{
	struct ha_note *note = ha_note_create(run_digest, NULL);

	if (!note)
		return -ENOMEM;
	memcpy(note->digest.digest, digest, HA_DIGEST_BYTES);
	ha_note_send(ha, note);
	return 0;
}

static void drop_version(struct ha_note *n)
{
	free(n->version);
}

static void run_version(struct ha *ha, struct ha_note *n)
{
	ha->version = *n->version;
	memcpy(ha->config_digest, n->version->digest, HA_DIGEST_BYTES);
	free(n->version);
	ha_known_tell(ha);
}

int ha_set_version(struct ha *ha, const struct version *version)
{
	struct ha_note *note = ha_note_create(run_version, drop_version);
	struct version *copy = malloc(sizeof(*copy));

	if (!note || !copy) {
		free(note);
		free(copy);
		return -ENOMEM;
	}
	*copy = *version;
	note->version = copy;
	ha_note_send(ha, note);
	return 0;
}

static void run_verdicts(struct ha *ha, struct ha_note *n)
{
	ha->verdicts = n->verdicts;
	ha_known_tell(ha);
}

int ha_set_verdicts(struct ha *ha, const struct ha_verdicts *verdicts)
{
	struct ha_note *note = ha_note_create(run_verdicts, NULL);

	if (!note)
		return -ENOMEM;
	note->verdicts = *verdicts;
	ha_note_send(ha, note);
	return 0;
}

static void drop_command(struct ha_note *n)
{
	if (n->command.done)
		n->command.done(n->command.arg, -ESHUTDOWN, "the router ends");
}

static void run_command(struct ha *ha, struct ha_note *n)
{
	struct role_event event = {.type = ROLE_COMMAND};

	if (ha->n_pending == HA_COMMANDS) {
		if (n->command.done)
			n->command.done(n->command.arg, -EBUSY, "too many commands are under way");
		return;
	}
	ha->pending[ha->n_pending++] = (struct ha_pending){n->command.done, n->command.arg};
	event.command.command = n->command.command;
	event.command.force = n->command.force;
	ha_step(ha, &event);
}

int ha_command(struct ha *ha, enum role_command command, bool force, ha_command_done *done,
	       void *arg)
{
	struct ha_note *note = ha_note_create(run_command, drop_command);

	if (!note)
		return -ENOMEM;
	note->command.command = command;
	note->command.force = force;
	note->command.done = done;
	note->command.arg = arg;
	ha_note_send(ha, note);
	return 0;
}

/* The same links with other witnesses: links come and go with ports, at a restart. */
static void links_configure(struct ha *ha, const struct ha_config *c)
{
	for (uint8_t i = 0; i < ha->config.n_links && i < c->n_links; i++) {
		struct ha_link_config *to = &ha->config.links[i];

		if (to->link != c->links[i].link)
			continue;
		memcpy(to->witnesses, c->links[i].witnesses, sizeof(to->witnesses));
		to->n_witnesses = c->links[i].n_witnesses;
		ha->config.role.witnesses[i] = to->n_witnesses;
	}
	if (vip_links_witnesses(ha) < 0)
		log_error(HA_AREA, "no memory for the witnesses: the old ones are asked");
}

static void drop_configure(struct ha_note *n)
{
	free(n->config);
}

/* Applies the part of the configuration that a reload may change. The rest waits for a restart;
 * control says so to the operator. */
static void run_configure(struct ha *ha, struct ha_note *n)
{
	struct ha_config *c = n->config;
	struct role_config role = c->role;
	char error[ERROR_TEXT];

	role.session = ha->config.role.session;
	role.has_peer = ha->config.role.has_peer;
	role.role = ha->config.role.role;
	role.n_paths = ha->config.role.n_paths;
	memcpy(role.path_names, ha->config.role.path_names, sizeof(role.path_names));
	role.n_vip_links = ha->config.role.n_vip_links;
	memcpy(role.vip_link_names, ha->config.role.vip_link_names, sizeof(role.vip_link_names));
	ha->config.role = role;
	ha->config.announce = c->announce;
	ha->config.sync_rate = c->sync_rate;
	links_configure(ha, c);
	role_configure(&ha->role, &ha->config.role, ha_now_ms());
	if (role.has_peer && ha_keys_load(&ha->keys, c->key_file, error) < 0)
		log_error(HA_AREA, "%s: the keys stay as they were", error);
	free(c);
}

int ha_configure(struct ha *ha, const struct ha_config *config)
{
	struct ha_note *note = ha_note_create(run_configure, drop_configure);
	struct ha_config *copy = malloc(sizeof(*copy));

	if (!note || !copy) {
		free(note);
		free(copy);
		return -ENOMEM;
	}
	*copy = *config;
	note->config = copy;
	ha_note_send(ha, note);
	return 0;
}
