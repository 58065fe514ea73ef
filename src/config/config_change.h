/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONFIG_CONFIG_CHANGE_H
#define PLVS_CONFIG_CONFIG_CHANGE_H

/* Changes of a configuration by one object. */

#include <jansson.h>
#include <stdint.h>

#include "config/config_error.h"
#include "config/config_plan.h"

/*
 * In two steps, so that the data plane may refuse in between: config_*_add/edit/delete()
 * check and prepare one change, and leave the configuration as it is; then config_change_commit()
 * makes the change, or config_change_abort() discards it. One change at a time. Paths in errors are
 * relative to the request's params ("server.weight", "set.scheduler"). Return 0, or errors->reason.
 */
/* object: the service as in a configuration. */
int config_service_add(struct config *config, const json_t *object, struct config_change *change,
		       struct config_errors *errors);
/* set: keys to change; null gives a key back to its default. `servers`, where given,
 * replaces the list. */
int config_service_edit(struct config *config, const char *service, const json_t *set,
			struct config_change *change, struct config_errors *errors);
int config_service_delete(struct config *config, const char *service, struct config_change *change,
			  struct config_errors *errors);
/* server: the object as in a configuration; it becomes the head of the scheduler's list. */
int config_server_add(struct config *config, const char *service, const json_t *server,
		      struct config_change *change, struct config_errors *errors);
/* The server keeps its place. */
int config_server_edit(struct config *config, const char *service, const char *server,
		       const json_t *set, struct config_change *change,
		       struct config_errors *errors);
int config_server_delete(struct config *config, const char *service, const char *server,
			 struct config_change *change, struct config_errors *errors);
/* object: {address, kind, link}. */
int config_address_add(struct config *config, const json_t *object, struct config_change *change,
		       struct config_errors *errors);
int config_address_delete(struct config *config, const json_t *object, struct config_change *change,
			  struct config_errors *errors);
/* rule: the object as in a configuration, to be inserted before the rule at position; UINT32_MAX =
 * at the end. */
int config_mark_add(struct config *config, const json_t *rule, uint32_t position,
		    struct config_change *change, struct config_errors *errors);
int config_mark_delete(struct config *config, uint32_t position, struct config_change *change,
		       struct config_errors *errors);
void config_change_commit(struct config *config, struct config_change *change);
void config_change_abort(struct config_change *change);

#endif
