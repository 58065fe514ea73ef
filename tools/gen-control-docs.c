/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gen-control-docs: prints the methods of docs/control-protocol.md, from their tables.
 * gen-control-docs FILE: puts them into FILE, in place of what follows its marker line.
 */
#include "control/method.h"
#include "doc_page.h"

#define MARKER "<!-- Below: written by tools/gen-control-docs from the tables of methods. -->\n"

int main(int argc, char **argv)
{
	char *text = method_markdown();
	int ret = 0;

	if (!text)
		return 1;
	if (argc > 1)
		ret = doc_page_put(argv[1], MARKER, text);
	else
		fputs(text, stdout);
	free(text);
	return ret;
}
