/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONFIG_CONFIG_H
#define PLVS_CONFIG_CONFIG_H

/*
 * The configuration as values: the contents of a file or a request, checked, with every default
 * filled in. A schema table (schema*.c) drives parsing, defaults, output and documentation.
 *
 * Two parts: `node` is about this machine and is never compared or sent to the peer;
 * `shared` is the part that both routers of a pair have in common.
 *
 * Order of servers: as in the file, the order of adding. The scheduler's list is the
 * reverse (the last added is its head), so a server added by request goes to the *end*
 * here, and a saved configuration loads as the same list.
 *
 * Context: control thread, and main before threads start. Only reading and writing files blocks.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text_buffer.h"
#include "config/config_change.h"
#include "config/config_error.h"
#include "config/config_plan.h"
#include "config/config_values.h"

#define CONFIG_MAX_BYTES (64U << 20) /* of a file or a text */
#define CONFIG_MAX_DEPTH 32	     /* brackets within brackets */

/* ---- whole configurations ---- */

/* schedulers: sched_names(), must outlive the configuration. errors is initialised by the
 * caller and gets warnings also on success. 0 with *out, or errors->reason. */
int config_load(const char *path, const char *const *schedulers, struct config **out,
		struct config_errors *errors);
/* The same for a text; file is the name for messages, may be NULL. */
int config_parse(const char *text, size_t len, const char *file, const char *const *schedulers,
		 struct config **out, struct config_errors *errors);
void config_destroy(struct config *config); /* NULL is allowed */
/* `shared` as it is now, for reading on another thread while changes go on: services are the same
 * objects, which no change alters, and the rest is a copy. NULL: out of memory. Context: the thread
 * that changes config; any thread may destroy the result. */
struct config *config_freeze(const struct config *config);

enum config_part {
	CONFIG_ALL,
	CONFIG_NODE,
	CONFIG_SHARED,
};

/* The configuration as a file has it: defaults are left out, the order is kept. Policies that a
 * service states itself stay even where `defaults` says the same. New references, NULL: out of
 * memory. */
json_t *config_to_json(const struct config *config, enum config_part part);
/* Replaces passwords, headers and texts that checks send by "(hidden)" in the JSON of
 * config_to_json(). */
void config_hide_secrets(json_t *json);
json_t *config_service_to_json(const struct config *config, const struct config_service *svc);
/* The object for a listing, up to its closing bracket: `{"address":"10.0.0.1:80","weight":1`, with
 * keys that are the default and of interest nevertheless; a service without its servers. out is
 * written anew; free(out->v) after the last. 0 or -ENOMEM. */
int config_server_listed(const struct config *config, const struct config_service *svc,
			 const struct config_server *server, struct text_buffer *out);
int config_service_listed(const struct config *config, const struct config_service *svc,
			  struct text_buffer *out);
json_t *config_mark_to_json(const struct config_mark *mark);
json_t *config_address_to_json(const struct config_address *address);
/* The text that json_write() makes of config_to_json(CONFIG_SHARED), in a fraction of the time.
 * free() it; NULL: out of memory. */
char *config_shared_text(const struct config *config);
/* Tabs, final newline, no comments. free() it. */
char *config_to_text(const struct config *config);
/* Writes a new file and renames it. Keeps owner and mode of an existing file; else the mode is
 * 0640. Keeps the comments of objects that are still there. The old bytes are kept as PATH.bak,
 * whose name is *before (to be freed, or NULL). 0, or -errno with errors filled. */
int config_save(const struct config *config, const char *path, char **before,
		struct config_errors *errors);

#define CONFIG_DIGEST_STRLEN 65
/* SHA-256 of the values of `shared`, in hex. Order counts; spelling, comments and defaults that are
 * written out do not. After a change of one service only that service is digested again. */
const char *config_digest(struct config *config, char buf[CONFIG_DIGEST_STRLEN]);

/* ---- the schema ---- */

/* Every key: type, unit, default, limits, help. New reference. */
json_t *config_schema_json(const char *const *schedulers);
/* The tables of docs/configuration.md; free() it. */
char *config_schema_markdown(const char *const *schedulers);

/* ---- names of objects ---- */

/* "tcp:10.1.0.100:80", "fwmark:7", "fwmark:7/ipv6", any listener in that form, or the name. NULL:
 * none. */
struct config_service *config_service_find(const struct config *config, const char *text);
/* enum addr_family. */
static inline uint8_t config_service_family(const struct config_service *svc)
{
	return svc->n_listen ? svc->listen[0].addr.family : svc->family;
}
/* True: both have the same identity, as the index has it: first listener with its protocol, or
 * mark. No other key counts, so a pair of objects is found whatever differs. */
bool config_service_same_key(const struct config_service *a, const struct config_service *b);
/* The service of config with the identity of svc, or NULL. config may be NULL. */
struct config_service *config_service_twin(const struct config *config,
					   const struct config_service *svc);
/* Index into svc->servers, or -1. */
int config_server_find(const struct config_service *svc, const struct endpoint *ep);
/* The service's key, as in answers ("tcp:10.1.0.100:80"). buf of CONFIG_KEY_STRLEN. */
#define CONFIG_KEY_STRLEN 64
const char *config_service_key(const struct config_service *svc, char *buf, size_t len);
/* The service whose name or key is near to text (near_names.c). False: none. */
bool config_service_near(const struct config *config, const char *text,
			 char near[CONFIG_KEY_STRLEN]);
/* "public", "public.10". 0 or -ENOENT. */
int config_link_find(const struct config_node *node, const char *text, link_id *out);
const char *config_link_format(const struct config_node *node, link_id link, char *buf, size_t len);

#endif
