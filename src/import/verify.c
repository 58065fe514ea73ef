/* SPDX-License-Identifier: BSD-3-Clause */
/* The document in front of the configuration's own parser. */
#include <string.h>

#include "config/config.h"
#include "import/importer.h"

static struct origin origin_of(const struct document *doc, uint32_t line)
{
	struct origin none = {NULL, 0};

	if (line >= doc->n_lines)
		line = doc->n_lines ? doc->n_lines - 1 : 0;
	while (line > 0 && !doc->origins[line].file)
		line--;
	return line ? doc->origins[line] : none;
}

static void faults_note(struct importer *im, const struct document *doc,
			const struct config_error_list *list, enum note_kind kind)
{
	for (uint32_t i = 0; i < list->n; i++)
		note(im, origin_of(doc, list->v[i].line), kind, "%s: %s",
		     *list->v[i].path ? list->v[i].path : "the configuration", list->v[i].message);
	if (list->n_more)
		note(im, (struct origin){NULL, 0}, kind, "%u more like these", list->n_more);
}

bool document_verify(struct importer *im, const struct document *doc)
{
	struct config_errors errors;
	struct config *config = NULL;
	int ret;

	config_errors_init(&errors);
	ret = config_parse(doc->text, doc->len, NULL, import_schedulers, &config, &errors);
	config_destroy(config);
	faults_note(im, doc, &errors.errors, NOTE_ERROR);
	faults_note(im, doc, &errors.warnings, NOTE_NOTICE);
	config_errors_fini(&errors);
	return ret == 0;
}
