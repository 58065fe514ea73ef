/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "import/import.h"

/*
 * Any bytes as a file of each format. What is written must be a configuration that the
 * router's parser takes; a report has no control characters but its line ends.
 */

static const char *const schedulers[] = {"dh", "fo",  "lblc", "lblcr", "lc",  "mh",  "nq", "ovf",
					 "rr", "sed", "sh",   "twos",  "wlc", "wrr", NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(what)                                                                                 \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "fuzz_import: not true: %s\n", #what);                     \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static void document_must_parse(const char *text, size_t len)
{
	struct config *config = NULL;
	struct config_errors errors;

	config_errors_init(&errors);
	MUST(config_parse(text, len, NULL, schedulers, &config, &errors) == 0);
	config_errors_fini(&errors);
	config_destroy(config);
}

static void import_one(const char *format, const char *text, size_t len, bool force)
{
	const struct import_options options = {
		.path = "f", .format = format, .id = "a", .force = force, .closed = true};
	char *out = NULL, *report = NULL;
	size_t out_len = 0, report_len = 0;
	FILE *o = open_memstream(&out, &out_len), *r = open_memstream(&report, &report_len);
	int rc;

	MUST(o && r);
	rc = import_text(&options, text, len, o, r);
	fclose(o);
	fclose(r);
	MUST(rc == IMPORT_OK || rc == IMPORT_REFUSED);
	MUST(rc == IMPORT_REFUSED || out_len > 0);
	MUST(report_len > 0);
	for (size_t i = 0; i < report_len; i++)
		MUST((unsigned char)report[i] >= ' ' || report[i] == '\n');
	if (out_len)
		document_must_parse(out, out_len);
	free(out);
	free(report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	import_one(NULL, (const char *)data, size, false);
	for (size_t i = 0; import_formats[i]; i++)
		import_one(import_formats[i], (const char *)data, size, true);
	return 0;
}
