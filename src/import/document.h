/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_IMPORT_DOCUMENT_H
#define PLVS_IMPORT_DOCUMENT_H

/* Writes a JSON document line by line, with commas, comments and the origin of each line. A key and
 * its value stand on one line. */

#include <stdio.h>

#include "import/importer.h"

#define DOC_DEPTH  12
#define DOC_LABELS 4096

struct doc {
	struct importer *im;
	FILE *f;
	const char *(*file)(const char *path); /* the name of a file in comments */
	uint32_t line;			       /* being written, from 1 */
	uint32_t depth;
	bool first[DOC_DEPTH]; /* this bracket is empty so far */
	struct lvs_word *comments, *comments_last;
	struct origin *origins; /* by line */
	uint32_t n_origins;
	struct doc_label {
		struct doc_label *next;
		const char *text;
	} * labels[DOC_LABELS]; /* names of services in use */
};

/* ---- document_text.c ---- */

void doc_newline(struct doc *d);
/* A line of comment before the next item, or before the bracket that closes. */
void doc_comment(struct doc *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A line for the next item of the open bracket. */
void doc_item(struct doc *d, struct origin at);
void doc_open(struct doc *d, struct origin at, const char *key, char bracket);
void doc_close(struct doc *d, char bracket);
void doc_value(struct doc *d, struct origin at, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void doc_text(struct doc *d, struct origin at, const char *key, const char *text);
/* "\"15s\"" */
const char *doc_time(struct doc *d, uint32_t ms);

/* ---- document_service.c ---- */

void doc_service_put(struct doc *d, const struct lvs_service *svc);

/* ---- imported_note.c ---- */

void imported_notes(struct importer *im);

/* ---- document_node.c ---- */

/* Names of the ports: public, private, else after the interface. */
void ports_name(struct importer *im);
void node_section(struct doc *d);

#endif
