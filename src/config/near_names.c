/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of services that resemble a wrong name. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/config.h"

bool config_service_near(const struct config *config, const char *text,
			 char near[CONFIG_KEY_STRLEN])
{
	const struct config_shared *shared = &config->shared;
	const char **names = calloc(2UL * shared->n_services + 1, sizeof(*names)), *found = NULL;
	char(*keys)[CONFIG_KEY_STRLEN] = calloc(shared->n_services + 1UL, sizeof(*keys));
	uint32_t n = 0;

	for (uint32_t i = 0; names && keys && i < shared->n_services; i++) {
		const struct config_service *svc = shared->services[i];

		if (svc->name)
			names[n++] = svc->name;
		names[n++] = config_service_key(svc, keys[i], sizeof(keys[i]));
	}
	if (names)
		found = text_near_miss(text, names);
	if (found)
		snprintf(near, CONFIG_KEY_STRLEN, "%s", found);
	free(names);
	free(keys);
	return found != NULL;
}
