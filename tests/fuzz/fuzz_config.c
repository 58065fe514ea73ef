/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

/*
 * Any bytes as a configuration. What is valid must say the same after a round trip and
 * take changes that change nothing; what is not must come with errors that can be shown.
 */

static const char *const schedulers[] = {"rr", "wrr", "lc", "wlc", "mh", NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(what)                                                                                 \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "fuzz_config: not true: %s\n", #what);                     \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static void errors_show(const struct config_errors *errors, const struct config_error_list *list)
{
	for (uint32_t i = 0; i < list->n; i++) {
		char line[512];
		json_t *json = config_error_json(&list->v[i]);
		char *text = json ? json_dumps(json, 0) : NULL;

		MUST(text);
		MUST(list->v[i].line == 0 || list->v[i].column > 0);
		config_error_format(errors, &list->v[i], line, sizeof(line));
		free(text);
		json_decref(json);
	}
}

static void round_trip(struct config *config)
{
	char a[CONFIG_DIGEST_STRLEN], b[CONFIG_DIGEST_STRLEN];
	char *text = config_to_text(config), *second;
	struct config *again = NULL;
	struct config_errors errors;
	struct config_plan *plan = NULL;

	MUST(text);
	config_errors_init(&errors);
	MUST(config_parse(text, strlen(text), NULL, schedulers, &again, &errors) == 0);
	second = config_to_text(again);
	MUST(second && strcmp(text, second) == 0);
	MUST(strcmp(config_digest(config, a), config_digest(again, b)) == 0);
	MUST(config_plan(config, again, &plan) == 0);
	MUST(plan->n == 0);
	config_plan_destroy(plan);
	config_errors_fini(&errors);
	config_destroy(again);
	free(text);
	free(second);
}

/* Each service is deleted and added again, and edited with what it says itself. */
static void changes(struct config *config)
{
	uint32_t n = config->shared.n_services;

	for (uint32_t i = 0; i < n && i < 8; i++) {
		struct config_service *svc = config->shared.services[0];
		json_t *json = config_service_to_json(config, svc);
		char key[CONFIG_KEY_STRLEN];
		struct config_change change;
		struct config_errors errors;

		MUST(json);
		config_service_key(svc, key, sizeof(key));
		MUST(config_service_find(config, key) == svc);
		config_errors_init(&errors);
		MUST(config_service_edit(config, key, json, &change, &errors) == 0);
		config_change_commit(config, &change);
		MUST(config_service_delete(config, key, &change, &errors) == 0);
		config_change_commit(config, &change);
		MUST(!config_service_find(config, key));
		MUST(config_service_add(config, json, &change, &errors) == 0);
		config_change_commit(config, &change);
		config_errors_fini(&errors);
		json_decref(json);
	}
	MUST(config->shared.n_services == n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *config = NULL;
	struct config_errors errors;
	int ret;

	config_errors_init(&errors);
	ret = config_parse((const char *)data, size, "f", schedulers, &config, &errors);
	MUST((ret == 0) == (errors.errors.n == 0));
	MUST((ret == 0) == (config != NULL));
	errors_show(&errors, &errors.errors);
	errors_show(&errors, &errors.warnings);
	if (config) {
		round_trip(config);
		changes(config);
		round_trip(config);
	}
	config_errors_fini(&errors);
	config_destroy(config);
	return 0;
}
