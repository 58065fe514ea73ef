/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/version_config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "control/version_store.h"
#include "sched/sched.h"

char *version_document(const struct config *running, json_t *shared)
{
	json_t *whole = shared ? config_to_json(running, CONFIG_NODE) : NULL;
	char *text = NULL;

	if (whole && json_object_set(whole, "shared", shared) == 0)
		text = json_write_text(whole, NULL);
	json_decref(whole);
	return text;
}

int version_config(const char *dir, const struct version_id *id, const struct config *running,
		   struct config **out, struct config_errors *errors)
{
	char name[VERSION_ID_STRLEN + 16], hex[VERSION_ID_STRLEN], *stored = NULL, *text;
	json_t *json;
	int ret = -ENOENT;

	*out = NULL;
	snprintf(name, sizeof(name), "version %.8s", version_id_format(id, hex));
	if (!dir[0])
		config_errors_add(errors, ret, "", "%s is not kept: there is no node.state_dir",
				  name);
	else if ((ret = version_store_get_text(dir, id, &stored)) == -ENOENT)
		config_errors_add(errors, ret, "", "%s is not kept: see `plvsctl config history`",
				  name);
	else if (ret < 0)
		config_errors_add(errors, -EIO, "", "%s: configurations/%s.json: %s", name, hex,
				  strerror(-ret));
	if (ret < 0)
		return errors->reason;
	json = json_loads(stored, 0, NULL);
	free(stored);
	if (!json_is_object(json_object_get(json, "shared"))) {
		config_errors_add(errors, -EIO, "", "%s: configurations/%s.json is damaged", name,
				  hex);
		json_decref(json);
		return errors->reason;
	}
	text = version_document(running, json_object_get(json, "shared"));
	json_decref(json);
	if (!text) {
		config_errors_add(errors, -ENOMEM, "", "out of memory");
		return errors->reason;
	}
	ret = config_parse(text, strlen(text), name, sched_names(), out, errors);
	free(text);
	return ret;
}
