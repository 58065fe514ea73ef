/* SPDX-License-Identifier: BSD-3-Clause */
/* The reference page of the methods. */
#include <stdio.h>
#include <stdlib.h>

#include "control/method.h"

static const char *const kind_words[] = {[PARAM_STRING] = "string",
					 [PARAM_NUMBER] = "number",
					 [PARAM_OBJECT] = "object",
					 [PARAM_BOOLEAN] = "true or false"};

static void method_put(FILE *f, const struct method *m)
{
	const struct param *p = m->params;

	fprintf(f, "\n### `%s` (%s)\n\n%c%s.\n", m->name,
		m->level == METHOD_CHANGE ? "change" : "read", m->help[0] & ~0x20, m->help + 1);
	if (m->object)
		fprintf(f, "\nParameters: the keys of the object, as in the configuration.\n");
	if (p->kind != PARAM_END)
		fprintf(f, "\n| parameter | type | | meaning |\n|---|---|---|---|\n");
	for (; p->kind != PARAM_END; p++)
		fprintf(f, "| `%s` | %s | %s | %s |\n", p->name, kind_words[p->kind],
			p->required ? "required" : "", p->help);
	fprintf(f, "\nResult: %s\n", m->result);
}

char *method_markdown(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	fputs("\n## Methods\n", f);
	for (const struct method *const *table = method_tables; *table; table++)
		for (const struct method *m = *table; m->name; m++)
			method_put(f, m);
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
