/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_IMPORT_KEEPALIVED_EXPAND_H
#define PLVS_IMPORT_KEEPALIVED_EXPAND_H

/* Shared by the two files that turn a keepalived.conf into plain lines. */

#include "import/keepalived.h"

#define KW_TABLE 1024U

struct definition {
	struct definition *next;
	const char *name, *text; /* lines parted by LF */
};

struct expander {
	struct importer *im;
	struct kw_tree *tree;
	struct definition *table[KW_TABLE];
	const char *id;
	const char *file; /* being read */
	uint32_t n_files, n_includes;
	size_t output;
};

/* ---- keepalived_define.c ---- */

size_t kw_name_len(const char *p);
void kw_define(struct expander *e, const char *name, size_t len, const char *text);
size_t kw_definition_len(const char *p);
const char *kw_directory(struct importer *im, const char *file);
const char *kw_reference_find(struct expander *e, struct origin at, const char *line, size_t *start,
			      size_t *end);

#endif
