/* SPDX-License-Identifier: BSD-3-Clause */
#include "router/unconfirmed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/undo_record.h"
#include "sched/sched.h"

/* NULL: the record does not count. */
static struct config *config_before(const char *dir, const char *file)
{
	struct config_errors errors;
	struct config *out = NULL;
	char *text = NULL, line[1024];
	int ret = undo_record_load(dir, file, &text);

	if (ret == -ESTALE) {
		fprintf(stderr,
			"plvs: warning: %s was written after an application that nobody "
			"confirmed: the file counts\n",
			file);
		if (undo_record_remove(dir, line) < 0)
			fprintf(stderr, "plvs: warning: the undo record stays: %s\n", line);
		return NULL;
	}
	if (ret < 0) {
		if (ret != -ENOENT)
			fprintf(stderr, "plvs: warning: the undo record in %s is not usable: %s\n",
				dir, strerror(-ret));
		return NULL;
	}
	config_errors_init(&errors);
	ret = config_parse(text, strlen(text), "the undo record", sched_names(), &out, &errors);
	if (ret < 0)
		fprintf(stderr, "plvs: warning: %s: %s counts\n",
			errors.errors.n ? config_error_format(&errors, &errors.errors.v[0], line,
							      sizeof(line))
					: "out of memory",
			file);
	config_errors_fini(&errors);
	free(text);
	return ret < 0 ? NULL : out;
}

bool unconfirmed_take(const char *file, struct config **config,
		      char file_digest[CONFIG_DIGEST_STRLEN])
{
	struct config *before = config_before((*config)->node.state_dir, file);

	if (!before)
		return false;
	config_digest(*config, file_digest);
	config_destroy(*config);
	*config = before;
	fprintf(stderr,
		"plvs: warning: the last configuration was applied with confirm_within, and not "
		"confirmed: the one before it counts, not %s\n",
		file);
	return true;
}
