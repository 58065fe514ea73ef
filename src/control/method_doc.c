/* SPDX-License-Identifier: BSD-3-Clause */
/* The reference page of the methods. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/method.h"
#include "shown/shown.h"

static const char *const kind_words[] = {[PARAM_STRING] = "string",
					 [PARAM_NUMBER] = "number",
					 [PARAM_OBJECT] = "object",
					 [PARAM_BOOLEAN] = "true or false",
					 [PARAM_METHOD] = "string"};

/* "The pair" -> " ([keys](#the-pair))" */
static void link_put(FILE *f, const char *title)
{
	fputs(" ([keys](#", f);
	for (; *title; title++)
		fputc(*title == ' ' ? '-' : tolower((unsigned char)*title), f);
	fputs("))", f);
}

static void method_put(FILE *f, const struct method *m)
{
	const struct param *p = m->params;

	fprintf(f, "\n### `%s` (%s)\n\n%c%s.\n", m->name, method_level_words[m->level],
		m->help[0] & ~0x20, m->help + 1);
	if (m->object)
		fprintf(f, "\nParameters: the keys of the object, as in the configuration.\n");
	if (p->kind != PARAM_END)
		fprintf(f, "\n| parameter | type | | meaning |\n|---|---|---|---|\n");
	for (; p->kind != PARAM_END; p++)
		fprintf(f, "| `%s` | %s | %s | %s%s |\n", p->name, kind_words[p->kind],
			p->required ? "required" : "", p->help,
			p->level == METHOD_ALL ? "; by the control socket alone" : "");
	fprintf(f, "\nResult: %s", m->result);
	if (m->rows)
		link_put(f, m->rows->title);
	fputs("\n", f);
}

static bool has_keys(const struct shown_table *t)
{
	for (uint16_t i = 0; i < t->n; i++)
		if (t->rows[i].in)
			return true;
	return false;
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
	fputs("\n## Objects\n", f);
	for (const struct shown_table *const *t = shown_tables; *t; t++)
		if (has_keys(*t)) {
			fprintf(f, "\n### %s\n\n", (*t)->title);
			shown_keys_markdown(f, *t);
		}
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
