/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CLI_SESSION_H
#define PLVS_CLI_SESSION_H

/* A session is a user of the command tree: a one-shot command, the interactive shell, or a shell
 * on a network connection. A session runs lines and prints their results. One thread per
 * session. */

#include "cli/complete.h"
#include "cli/grammar.h"
#include "cli/out.h"
#include "cli/rpc_call.h"

#define CLI_DEFAULT_SOCKET     "/run/plvs/plvs.sock"
#define CLI_DEFAULT_TIMEOUT_MS 10000

/* Exit codes of plvsctl: a promise to scripts. */
enum cli_exit {
	CLI_OK = 0,
	CLI_REFUSED = 1, /* by the router */
	CLI_USAGE = 2,
	CLI_UNREACHABLE = 3,
	CLI_NO_OBJECT = 4,
	CLI_EXISTS = 5,
	CLI_PENDING = 6, /* made, but not every worker has taken the change up */
	CLI_GARBLED = 7, /* malformed answer of the router, or an error of the output */
	CLI_INTERRUPTED = 130,
};

struct cli_exit_text {
	enum cli_exit code;
	const char *text;
};
extern const struct cli_exit_text cli_exit_texts[]; /* ends with text NULL */

/* The values of the options; -1 and NULL: not given. */
struct cli_options {
	int json, numeric, wide, color, help, version;
	int restricted;
	const char *socket, *timeout, *session;
};

struct cli_option {
	char letter; /* 0 = none */
	const char *name, *value, *help;
};
extern const struct cli_option cli_option_list[]; /* ends with name NULL */

/* Takes options out of words, at any place up to "--". 0 or -EINVAL. */
int options_take(char **words, size_t *n, struct cli_options *options, char *error,
		 size_t error_len);

struct session {
	struct rpc rpc;
	struct out out;
	const struct command *commands;
	const char *prefix; /* before messages: "plvsctl: " */
	bool interactive;   /* commands of the shell are allowed */
	bool live;	    /* inside watch or top: no nesting */
	bool restricted;    /* no access to files of this machine */
	bool confirms;	    /* asks before commands that can cut traffic */
	bool quit;
	/* Names for completion; kept for a moment, a listing may be long. */
	json_t *services;
	uint64_t services_ms;
};

int session_init(struct session *s, const struct command *commands, const char *socket_path,
		 uint32_t timeout_ms);
void session_fini(struct session *s);

/* Runs one command. The words are reordered, since options are taken out. */
int session_run(struct session *s, char **words, size_t n);
/* The same for a typed line; empty lines and comments are CLI_OK. */
int session_run_line(struct session *s, const char *line);
/* Makes a call and does not print its result. CLI_OK: *result is the caller's. Else the failure
 * has been printed. */
int session_call(struct session *s, const char *method, json_t *params, json_t **result);
/* Prints a failure (and, with --json, {"error": ...} as the document). */
int session_fail(struct session *s, const struct invocation *inv, struct rpc_failure *failure);
/* "plvsctl: sentence" on the error stream, escaped. Returns code. */
int session_error(struct session *s, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* For complete(): asks the router with a short time limit and without messages. arg: the
 * session. */
json_t *session_names(void *arg, enum arg_kind kind, const char *service);

/* Commands that make more than one call. */
int run_help(struct session *s, const struct invocation *inv);
int run_quit(struct session *s, const struct invocation *inv);
int run_top(struct session *s, const struct invocation *inv);
int run_watch(struct session *s, const struct invocation *inv);
int run_completion(struct session *s, const struct invocation *inv);
int run_doctor(struct session *s, const struct invocation *inv);
int run_fleet_status(struct session *s, const struct invocation *inv);
int run_fleet_plan(struct session *s, const struct invocation *inv);
int run_fleet_push(struct session *s, const struct invocation *inv);
int run_events(struct session *s, const struct invocation *inv);
int run_explain_flow(struct session *s, const struct invocation *inv);
int run_explain_pcap(struct session *s, const struct invocation *inv);
int run_trace(struct session *s, const struct invocation *inv);
int run_capture(struct session *s, const struct invocation *inv);
int run_drops(struct session *s, const struct invocation *inv);
int run_import(struct session *s, const struct invocation *inv);
int run_complete(struct session *s, const struct invocation *inv);

/* The interactive shell, until end of input or "quit". */
int shell_run(struct session *s, FILE *in);
/* Commands from a file that is no terminal: ends at the first that fails. */
int script_run(struct session *s, FILE *in);
/* The whole program; separate from main() for tests. */
int cli_main(int argc, char **argv, FILE *in, FILE *out, FILE *errors);

/* Help on words (n may be 0) and the manual in Markdown. */
int help_print(const struct session *s, char *const *words, size_t n);
void manual_print(FILE *file, const struct command *commands);

/* Set by SIGINT and SIGTERM handlers; read by calls and loops. */
extern volatile sig_atomic_t cli_interrupted;

#endif
