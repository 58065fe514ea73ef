/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "doc_page.h"
#include "sched/sched.h"

/*
 * gen-config-docs: prints the tables of docs/configuration.md, from the schema.
 * gen-config-docs FILE: puts them into FILE, in place of what follows its marker line.
 * gen-config-docs --check FILE: says where FILE differs from it, or that it is valid.
 */

#define MARKER "<!-- Below: written by tools/gen-config-docs from the schema. -->\n"

static int file_check(const char *path)
{
	struct config_errors errors;
	struct config *config = NULL;
	char line[1024];
	int ret;

	config_errors_init(&errors);
	ret = config_load(path, sched_names(), &config, &errors);
	for (uint32_t i = 0; i < errors.errors.n; i++)
		puts(config_error_format(&errors, &errors.errors.v[i], line, sizeof(line)));
	for (uint32_t i = 0; i < errors.warnings.n; i++)
		printf("warning: %s\n",
		       config_error_format(&errors, &errors.warnings.v[i], line, sizeof(line)));
	config_errors_fini(&errors);
	config_destroy(config);
	return ret ? 1 : 0;
}

int main(int argc, char **argv)
{
	char *tables;
	int ret = 0;

	if (argc == 3 && strcmp(argv[1], "--check") == 0)
		return file_check(argv[2]);
	tables = config_schema_markdown(sched_names());
	if (!tables)
		return 1;
	if (argc > 1)
		ret = doc_page_put(argv[1], MARKER, tables);
	else
		fputs(tables, stdout);
	free(tables);
	return ret;
}
