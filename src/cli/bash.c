/* SPDX-License-Identifier: BSD-3-Clause */
/* Completion for bash: a short script that asks plvsctl itself. */
#include <stdlib.h>
#include <string.h>

#include "cli/session.h"

/* Colons break words in bash: the script joins the line again and cuts what it has. */
static const char script[] =
	"_plvsctl() {\n"
	"\tlocal cur=\"${COMP_LINE:0:COMP_POINT}\" part word\n"
	"\tlocal -a words\n"
	"\tread -ra words <<<\"$cur\"\n"
	"\tpart=''\n"
	"\t[[ $cur == *[[:space:]] ]] || { part=\"${words[-1]}\"; unset 'words[-1]'; }\n"
	"\tlocal keep=\"${part%\"${part##*:}\"}\"\n"
	"\tCOMPREPLY=()\n"
	"\twhile IFS= read -r word; do\n"
	"\t\t[[ $word == *[:=/] ]] && compopt -o nospace\n"
	"\t\tCOMPREPLY+=(\"${word#\"$keep\"}\")\n"
	"\tdone < <(\"${words[0]}\" complete -- \"${words[@]:1}\" \"$part\" 2>/dev/null)\n"
	"}\n"
	"complete -o default -F _plvsctl plvsctl\n";

int run_completion(struct session *s, const struct invocation *inv)
{
	(void)inv;
	fputs(script, s->out.file);
	return CLI_OK;
}

int run_complete(struct session *s, const struct invocation *inv)
{
	const json_t *list = json_object_get(inv->local, "command");
	size_t n = json_array_size(list), n_words = 0;
	char **words = calloc(n + 1, sizeof(*words));
	struct names names = {session_names, s};
	struct candidates candidates = {NULL, 0};

	if (!words || n == 0) {
		free(words);
		return CLI_OK;
	}
	/* Options are no part of the tree. */
	for (size_t i = 0; i + 1 < n; i++) {
		const char *word = json_string_value(json_array_get(list, i));

		if (word[0] != '-' || !word[1])
			words[n_words++] = (char *)(uintptr_t)word;
	}
	complete(s->commands, words, n_words, json_string_value(json_array_get(list, n - 1)),
		 &names, false, &candidates);
	for (size_t i = 0; i < candidates.n; i++) {
		if (!*candidates.items[i].text)
			continue;
		text_put(s->out.file, candidates.items[i].text);
		fputc('\n', s->out.file);
	}
	candidates_clear(&candidates);
	free(words);
	return CLI_OK;
}
