/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/config_args.h"

#define END                                                                                        \
	{                                                                                          \
		.name = NULL                                                                       \
	}

static const char *const config_parts[] = {"all", "node", "shared", NULL};

const struct arg config_show_args[] = {
	{"PART", ARG_CHOICE, ARG_POSITIONAL, "part", "part (default: all)", config_parts, 0, 0},
	END};
const struct arg config_text_args[] = {{"FILE", ARG_TEXT_FILE, ARG_POSITIONAL | ARG_REQUIRED,
					"text", "a file of this machine; - is standard input", NULL,
					0, 0},
				       END};
const struct arg config_apply_args[] = {
	{"FILE", ARG_TEXT_FILE, ARG_POSITIONAL, "text",
	 "a file of this machine; - is standard input; default: the router's own file", NULL, 0, 0},
	{"confirm-within", ARG_DURATION, 0, "confirm_within",
	 "take the change back unless \"config confirm\" comes in time: 60s, 5m", NULL, 0, 0},
	{"comment", ARG_WORD, 0, "comment", "why, for \"config history\"", NULL, 0, 0},
	END};
const struct arg config_push_args[] = {
	{"plan", ARG_FLAG, 0, "plan", "only show the changes", NULL, 0, 0},
	{"force", ARG_FLAG, 0, "force", "also to a peer whose configuration has diverged", NULL, 0,
	 0},
	END};
const struct arg config_save_args[] = {{"PATH", ARG_PATH, ARG_POSITIONAL, "path",
					"a path on the router (default: the file given at start)",
					NULL, 0, 0},
				       END};

#define VERSION_WORDS "how many changes ago, or the first digits of an id (see \"config history\")"

const struct arg config_diff_args[] = {{"FROM", ARG_WORD, ARG_POSITIONAL | ARG_REQUIRED, "from",
					VERSION_WORDS "; \"file\": the router's own file", NULL, 0,
					0},
				       {"TO", ARG_WORD, ARG_POSITIONAL, "to",
					"the same (default: the running version)", NULL, 0, 0},
				       END};
const struct arg config_rollback_args[] = {
	{"VERSION", ARG_WORD, ARG_POSITIONAL, "version",
	 VERSION_WORDS "; default: the version before an unconfirmed one", NULL, 0, 0},
	{"comment", ARG_WORD, 0, "comment", "why, for \"config history\"", NULL, 0, 0},
	END};
