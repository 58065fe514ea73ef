/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONFIG_CONFIG_ERROR_H
#define PLVS_CONFIG_CONFIG_ERROR_H

/* Faults of a configuration or a request, and their places. */

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_MAX_ERRORS 100 /* and as many warnings; more are counted */

struct config_error {
	char *path;	       /* "shared.services[2].scheduler"; "" = the whole document */
	char *message;	       /* the fault and the expected value; without the path */
	char *expected;	       /* or NULL */
	char *suggestion;      /* the near miss, or NULL */
	uint32_t line, column; /* from 1; column in characters; 0 = no text to point into */
};

struct config_error_list {
	struct config_error *v;
	uint32_t n, max;
	uint32_t n_more; /* beyond CONFIG_MAX_ERRORS: counted only */
};

struct config_errors {
	char *file; /* name for messages, or NULL */
	struct config_error_list errors;
	struct config_error_list warnings;
	/* The reason, for the code of an answer: 0 with errors.n == 0; else -EINVAL, -ENOENT (no
	 * such object), -EEXIST, -ENOSPC (a limit; the message names it), -EIO or -errno of open()
	 * (file), -ENOMEM. The first error decides. */
	int reason;
};

void config_errors_init(struct config_errors *errors);
void config_errors_fini(struct config_errors *errors);
/* Adds an error (reason < 0) or a warning (reason 0) that parsing did not find. */
void config_errors_add(struct config_errors *errors, int reason, const char *path, const char *fmt,
		       ...) __attribute__((format(printf, 4, 5)));
/* "FILE:12:7: shared.services[2].scheduler: ..." (parts that are unknown left out). */
const char *config_error_format(const struct config_errors *errors, const struct config_error *e,
				char *buf, size_t len);
/* The object of docs/control-protocol.md: {path, message, line, column, expected,
 * suggestion}. New reference, NULL: out of memory. */
json_t *config_error_json(const struct config_error *e);

#endif
