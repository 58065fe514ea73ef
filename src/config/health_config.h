/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONFIG_HEALTH_CONFIG_H
#define PLVS_CONFIG_HEALTH_CONFIG_H

/*
 * The configuration of health: checks by name, and the names of the checks that a service or a
 * server has. A check of the document is a struct check_spec of health: the rows of the schema
 * write its members.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "health/check.h"

#define CONFIG_MAX_CHECKS      4096 /* checks with a name */
#define CONFIG_SERVER_CHECKS   4    /* of one server */
#define CONFIG_CHECK_NAME_SIZE 32   /* with its NUL */

struct config;

/* Names of checks as a value: unused bytes are zero, so that memcmp() compares. */
struct config_checks {
	uint8_t n;
	char names[CONFIG_SERVER_CHECKS][CONFIG_CHECK_NAME_SIZE];
};

/* The check of a name, or NULL. */
const struct check_spec *config_check_find(const struct config *config, const char *name);

/* True: two checks of type exec run the same program with the same arguments as the same user. */
bool config_check_runs_same(const struct check_spec *a, const struct check_spec *b);

/* Functions for specs that walk the rows of a check. */
extern const struct check_spec_ops config_spec_ops;

#endif
