/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows as tables of the reference pages. */
#include <string.h>

#include "shown/shown.h"

static const char *type_word(const struct shown *row)
{
	switch (row->kind) {
	case SHOWN_YES:
		return "true or false";
	case SHOWN_TEXT:
	case SHOWN_KEY:
	case SHOWN_INFO:
		return "text";
	case SHOWN_VECTOR:
	case SHOWN_LEVELS:
		return "object";
	case SHOWN_MADE:
		return "list or object";
	case SHOWN_AGO:
		return "number or null";
	default:
		return "number";
	}
}

void shown_keys_markdown(FILE *f, const struct shown_table *t)
{
	fprintf(f, "| key | type | unit | meaning |\n|---|---|---|---|\n");
	for (uint16_t i = 0; i < t->n; i++) {
		const struct shown *r = &t->rows[i];

		if (r->in)
			fprintf(f, "| `%s%s%s` | %s | %s | %s%s%s%s |\n", r->group ? r->group : "",
				r->group ? "." : "", r->name, type_word(r), r->unit ? r->unit : "",
				r->help, r->of ? " (" : "", r->of ? r->of->title : "",
				r->of ? ")" : "");
	}
}
