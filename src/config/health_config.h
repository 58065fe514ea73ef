/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONFIG_HEALTH_CONFIG_H
#define PLVS_CONFIG_HEALTH_CONFIG_H

/*
 * What the configuration says of health: checks by name, and which of them a service or a
 * server has. A check as written becomes a struct check_spec once the document is checked.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "health/check.h"

#define CONFIG_MAX_CHECKS      4096 /* named ones */
#define CONFIG_SERVER_CHECKS   4    /* of one server */
#define CONFIG_CHECK_NAME_SIZE 32   /* with its NUL */

struct config;
struct config_addr;

/* Names of checks as a value: zero beyond what is used, so that memcmp() compares. */
struct config_checks {
	uint8_t n;
	char names[CONFIG_SERVER_CHECKS][CONFIG_CHECK_NAME_SIZE];
};

/* One line of a script. One of the four is given. */
struct config_step {
	char *send, *expect, *expect_prefix, *expect_pattern;
};

/* What an answer is held against. One of the three, or none. */
struct config_match {
	char *literal, *prefix, *pattern;
};

/* A check as written; zero and NULL as in struct check_spec. */
struct config_check {
	char *name;
	uint8_t type; /* enum check_type */
	uint32_t interval_ms, fast_ms, down_ms, timeout_ms, reentry_ms;
	uint32_t rise, fall;
	struct {
		struct addr addr; /* a struct config_addr, which config.h has */
		uint8_t len;
	} address;
	uint32_t port;
	bool via_vip;
	struct check_tls tls;
	struct config_step *steps;
	uint32_t n_steps;
	struct {
		char *method, *path, *host;
		char **headers; /* "Name: value" */
		uint32_t n_headers;
		struct check_status_range *statuses;
		uint32_t n_statuses;
		struct config_match body;
		bool body_not;
	} http;
	struct {
		char *name;
		uint8_t qtype;
		bool any_rcode;
		struct {
			struct addr addr;
			uint8_t len;
		} expect;
	} dns;
	struct {
		char **argv;
		uint32_t n_argv;
		char *user;
		struct config_match output;
		bool any_code, load;
	} exec;
	struct check_numbers numbers;
	bool weight;
	/* --- made of the above; owned --- */
	struct check_spec spec;
	bool valid; /* spec can be used */
};

/* The check of a name, or NULL. */
const struct config_check *config_check_find(const struct config *config, const char *name);

#endif
