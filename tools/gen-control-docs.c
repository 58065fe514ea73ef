/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gen-control-docs DIRECTORY: writes the second halves of control-protocol.md and metrics.md there,
 * behind their marker lines, from the tables of methods and of shown objects.
 */
#include "control/method.h"
#include "doc_page.h"
#include "metrics/metrics.h"

#define MARKER "<!-- Below: written by tools/gen-control-docs from the tables. -->\n"

static int page_put(const char *directory, const char *name, char *text)
{
	char path[512];
	int ret = 1;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (text)
		ret = doc_page_put(path, MARKER, text);
	free(text);
	return ret;
}

int main(int argc, char **argv)
{
	const char *directory = argc > 1 ? argv[1] : "docs";
	int ret = page_put(directory, "control-protocol.md", method_markdown());

	return page_put(directory, "metrics.md", metrics_markdown()) || ret;
}
