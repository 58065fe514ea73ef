/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TOOLS_DOC_PAGE_H
#define PLVS_TOOLS_DOC_PAGE_H

/* A page whose second half is written by a tool: everything behind the line `marker`. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 0; or 1 with a sentence on standard error. */
static inline int doc_page_put(const char *path, const char *marker, const char *half)
{
	char *text = NULL, *at;
	size_t n = 0;
	FILE *f = fopen(path, "r");

	if (!f || getdelim(&text, &n, '\0', f) < 0) {
		perror(path);
		return 1;
	}
	fclose(f);
	at = strstr(text, marker);
	if (!at) {
		fprintf(stderr, "%s: no line %s", path, marker);
		free(text);
		return 1;
	}
	at[strlen(marker)] = '\0';
	f = fopen(path, "w");
	if (!f || fprintf(f, "%s%s", text, half) < 0 || fclose(f) != 0) {
		perror(path);
		free(text);
		return 1;
	}
	free(text);
	return 0;
}

#endif
