/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of an import that cannot go on. */
#include <stdarg.h>
#include <stdio.h>

#include "import/importer.h"

void give_up(struct importer *im, struct origin at, const char *fmt, ...)
{
	static struct note last;
	static char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	last = (struct note){.at = at, .kind = NOTE_ERROR, .order = im->n_notes++, .text = text};
	im->n_kind[NOTE_ERROR]++;
	*im->notes_end = &last;
	im->notes_end = &last.next;
	longjmp(im->out, 1);
}
