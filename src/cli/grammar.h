/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CLI_GRAMMAR_H
#define PLVS_CLI_GRAMMAR_H

/*
 * The command tree. A table (commands.c) has each command, the request that it sends and the view
 * of the answer; parsing, completion, help and the manual all walk it.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct session;
struct invocation;
struct list_view;
struct out;

enum arg_kind {
	ARG_NONE,
	ARG_SERVICE,	 /* an existing service: key, listener or name */
	ARG_NEW_SERVICE, /* tcp:ADDRESS:PORT, udp:..., fwmark:N; sets protocol and listen, or mark
			  */
	ARG_SERVER,	 /* an existing real server: address:port */
	ARG_ENDPOINT,	 /* address:port, any */
	ARG_NEW_SERVER,	 /* address:port, or an address whose packets keep their port */
	ARG_ADDRESS,	 /* address, with or without a prefix length */
	ARG_PREFIX,
	ARG_LINK,     /* public, public.10 */
	ARG_UINT,     /* min .. max */
	ARG_DURATION, /* 500ms, 3s, 15m */
	ARG_CHOICE,   /* one of choices */
	ARG_WORD,     /* any word; choices are offered by completion only */
	ARG_PATH,
	ARG_TEXT_FILE, /* a file of this machine, sent as text; "-" = standard input */
	ARG_ASSIGN,    /* KEY=VALUE; VALUE is JSON, else a string */
	ARG_FLAG,      /* the keyword alone sends true */
	ARG_REST,      /* every word that is left */
};

#define ARG_POSITIONAL 0x01U /* by position; else "name value" or "name=value", in any order */
#define ARG_REQUIRED   0x02U
#define ARG_REPEAT     0x04U /* may be repeated; the key holds an array */

struct arg {
	const char *name; /* the keyword; for a positional its name in help, in capitals */
	enum arg_kind kind;
	unsigned int flags;
	/* The place of the value in the request: "weight", "set.weight". "@x": not sent, but kept
	 * for the command's own function under "x". For ARG_ASSIGN: the part before its KEY. */
	const char *key;
	const char *help;
	const char *const *choices; /* ends with NULL */
	uint64_t min, max; /* ARG_UINT; ARG_ASSIGN: min 1: keys of a server, 0: of a service */
};

#define CMD_SHELL  0x01U /* only in the interactive shell */
#define CMD_STREAM 0x02U /* the answer comes in rows */
#define CMD_CHANGE 0x04U /* needs at least one keyword */
#define CMD_HIDDEN 0x08U /* not in help nor in the manual */
#define CMD_LOCAL  0x10U /* works on this machine's files: not in a restricted session */
#define CMD_CUTS   0x20U /* can cut traffic: the shell asks first */
#define CMD_LIVE   0x40U /* prints events as they come: no pager */

struct command {
	const char *words;	/* "server edit" */
	const char *help;	/* a line */
	const char *text;	/* more, for the manual; or NULL */
	const struct arg *args; /* ends with name NULL; may be NULL */
	unsigned int flags;
	const char *method; /* NULL: run does all the work */
	const char *done;   /* for changes: the word to print, "edited" */
	/* The view of the answer: a list, or a function, or neither: JSON. */
	const struct list_view *list;
	void (*view)(const struct out *out, const json_t *result, const struct invocation *inv);
	/* Instead of one call of method. Returns an exit code. */
	int (*run)(struct session *s, const struct invocation *inv);
};

extern const struct command cli_commands[]; /* ends with words NULL */

/* The meaning of a line of words. */
struct invocation {
	const struct command *command;
	json_t *params;	    /* of the request */
	json_t *local;	    /* "@" keys */
	const char *object; /* the last positional value given, for messages; or NULL */
};

void invocation_clear(struct invocation *inv);

/* Words of the tree and keywords may be shortened as long as they are unambiguous.
 * 0, or -EINVAL with sentences in error: the expected words and the nearest one. */
int command_parse(const struct command *commands, char *const *words, size_t n,
		  struct invocation *inv, char *error, size_t error_len);

/*
 * A node of the tree: the commands that begin with the first `depth` words, and their distinct next
 * words. Used by completion and help.
 */
struct tree_node {
	const struct command
		*first; /* first of the commands below, which are neighbours in the table */
	size_t n;	/* how many */
	size_t depth;	/* words matched */
	bool complete;	/* first is a whole command */
};

void tree_root(const struct command *commands, struct tree_node *node);
/* 0; -ENOENT, or -E2BIG if several words begin with `word`. */
int tree_step(const struct tree_node *node, const char *word, struct tree_node *next);
/* The i-th distinct next word, or false. *help: of the command, if it ends with that word. */
bool tree_word(const struct tree_node *node, size_t i, char word[32], const char **help);

/* The value of one argument, checked: *value is new. -EINVAL with a sentence. */
int arg_parse(const struct arg *arg, const char *text, json_t **value, char *error,
	      size_t error_len);
/* The expected value of an argument, for people: "address:port", "0 to 65535". */
const char *arg_expected(const struct arg *arg, char *buf, size_t len);
const struct arg *arg_find(const struct command *command, const char *word, bool exact);

/*
 * Splits a typed line at blanks; "..." , '...' and backslash quote; # begins a comment.
 * words and their texts are one malloced block. 0, -ENOMEM, or -EINVAL (a quote is not closed; the
 * words so far are valid). *last_start is the offset of the last word in the line, or the line's
 * length if the line ends with a blank.
 */
int line_split(const char *line, char ***words, size_t *n, size_t *last_start);

#endif
