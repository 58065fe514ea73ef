/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "cli/view.h"

/* The pair of routers: sentences first, then what stands behind them. */

static const struct list_view list_paths = {"paths", "no path: there is no peer", NULL,
					    &shown_path};
static const struct list_view list_witnesses = {"witnesses", "no link", NULL, &shown_witness};

/* Sentences, a line each. */
static void lines_put(FILE *file, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		char *line = strndup(text, n);

		text_put(file, line ? line : "?");
		fputc('\n', file);
		free(line);
		text += n + (text[n] == '\n');
	}
}

static void number_put(const struct out *out, const json_t *r, const char *path, const char *unit)
{
	char *text = view_format(out, view_at(r, path), FORMAT_COUNT);

	text_put(out->file, text ? text : "-");
	fputs(unit, out->file);
	free(text);
}

static void sync_put(const struct out *out, const json_t *r)
{
	fputs("connections: ", out->file);
	number_put(out, r, "sync.sent", " told, ");
	number_put(out, r, "sync.received", " heard, ");
	number_put(out, r, "sync.under_way", " datagrams under way, ");
	number_put(out, r, "sync.repeated", " repeated, ");
	number_put(out, r, "sync.unbound", " of services unknown here\n");
}

static void warn_put(const struct out *out, const char *text, const char *what)
{
	fputs(style_on(out, STYLE_WARN), out->file);
	fputs(text, out->file);
	text_put(out->file, what);
	fputs(style_off(out, STYLE_WARN), out->file);
	fputc('\n', out->file);
}

/* "configuration: version 1f2e3d4c, by command, as at the peer" */
static void configuration_put(const struct out *out, const json_t *r)
{
	const char *relation = view_text(r, "configuration.relation");
	const json_t *list = view_at(r, "configuration.difference"), *line;
	size_t i;

	if (!view_text(r, "configuration.version")[0])
		return;
	fprintf(out->file, "configuration: version %.8s", view_text(r, "configuration.version"));
	if (view_text(r, "configuration.author")[0]) {
		fputs(", by ", out->file);
		text_put(out->file, view_text(r, "configuration.author"));
	}
	fprintf(out->file, "%s\n",
		strcmp(relation, "equal") == 0	      ? ", as at the peer"
		: strcmp(relation, "peer_older") == 0 ? "; the peer's is older"
		: strcmp(relation, "peer_newer") == 0 ? "; the peer's is newer"
		: strcmp(relation, "diverged") == 0   ? "; the peer's has DIVERGED"
		: strcmp(relation, "none") == 0	      ? ""
						      : "; compared with the peer's");
	if (view_text(r, "configuration.fault")[0])
		warn_put(out, "It is not stored: ", view_text(r, "configuration.fault"));
	if (view_text(r, "configuration.peer_fault")[0])
		warn_put(out,
			 "The peer does not take it: ", view_text(r, "configuration.peer_fault"));
	json_array_foreach (list, i, line)
		warn_put(out, "To be as this router, the peer would have to: ",
			 json_string_value(line) ? json_string_value(line) : "");
}

void view_ha(const struct out *out, const json_t *r, const struct invocation *inv)
{
	(void)inv;
	lines_put(out->file, view_text(r, "explain"));
	if (!json_is_true(view_at(r, "pair")))
		return;
	if (view_text(r, "alarm")[0])
		fprintf(out->file, "%s%s%s\n", style_on(out, STYLE_WARN), view_text(r, "alarm"),
			style_off(out, STYLE_WARN));
	if (json_is_true(view_at(r, "servers.backup_sees_more")))
		fprintf(out->file,
			"%sThe backup sees more real servers up than the active router.%s\n",
			style_on(out, STYLE_WARN), style_off(out, STYLE_WARN));
	configuration_put(out, r);
	sync_put(out, r);
	fputc('\n', out->file);
	view_list(out, &list_paths, r);
	fputc('\n', out->file);
	view_list(out, &list_witnesses, r);
}

void view_said(const struct out *out, const json_t *r, const struct invocation *inv)
{
	(void)inv;
	lines_put(out->file, view_text(r, "text"));
}
