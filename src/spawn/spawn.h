/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_SPAWN_SPAWN_H
#define PLVS_SPAWN_SPAWN_H

/*
 * Programs for the router: checks and notifications. The spawner (spawner.h), a small
 * process made before EAL, starts them; a client sends requests from an event loop and is called
 * back once with the end of the program. The router itself never forks.
 *
 * A program gets: its arguments without a shell; PATH and the environment of the request,
 * nothing else; standard input from the request or empty; a session of its own; directory /;
 * default signals; no descriptor of the router; usual limits. When the program ends, or its time is
 * up, all processes that it started end as well, also in other sessions. A program that must live
 * on is started by the system's service manager.
 *
 * Context: one client belongs to one thread, that of its event base; text helpers: any.
 */

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPAWN_MAX_ARGV	   64
#define SPAWN_MAX_ENV	   64
#define SPAWN_MAX_TEXT	   (32U << 10) /* arguments, environment and names with their NULs */
#define SPAWN_MAX_INPUT	   (64U << 10)
#define SPAWN_MAX_OUTPUT   (16U << 10) /* kept, of each of output and error */
#define SPAWN_MAX_REQUESTS 1024	       /* under way or waiting, of one client */
#define SPAWN_MAX_BYTES	   (4U << 20)  /* of requests under way or waiting, of one client */
#define SPAWN_MAX_PARALLEL 128	       /* of one client */
#define SPAWN_MAX_LIMIT_MS (40U * 24 * 3600 * 1000)
#define SPAWN_PARALLEL	   8	 /* until spawn_client_set_parallel() */
#define SPAWN_OUTPUT	   4096	 /* kept when the request says 0 */
#define SPAWN_GRACE_MS	   500	 /* from SIGTERM to SIGKILL when the request says 0 */
#define SPAWN_QUEUE_MS	   60000 /* waiting for a slot when the request says 0 */

struct spawn_client;

struct spawn_request {
	const char *const *argv; /* ends with NULL; argv[0] without "/" is looked for in PATH */
	const char *const *env;	 /* "NAME=value", ends with NULL; may be NULL */
	const char *user;	 /* name or uid; NULL: the router's */
	const char *group;	 /* name or gid; NULL: the user's, or the router's */
	const char *netns;	 /* name or path; NULL: the client's (spawn_client_set_netns) */
	const void *input;
	size_t input_len;
	uint32_t time_limit_ms;	 /* from its start; at least 1 */
	uint32_t queue_limit_ms; /* from the request to its start; 0 = SPAWN_QUEUE_MS */
	uint32_t grace_ms;	 /* 0 = SPAWN_GRACE_MS */
	uint32_t output_max;	 /* 0 = SPAWN_OUTPUT, at most SPAWN_MAX_OUTPUT */
};

enum spawn_outcome {
	SPAWN_EXITED,	   /* code: exit code */
	SPAWN_SIGNALLED,   /* code: signal that ended it, not by its time limit */
	SPAWN_TIMED_OUT,   /* the program was ended at its time limit, whatever its exit code */
	SPAWN_NOT_STARTED, /* step and code: errno */
	SPAWN_CANCELLED,   /* by spawn_cancel() or spawn_client_destroy() */
	SPAWN_NO_SPAWNER,  /* the spawner ended or does not answer */
	SPAWN_OUTCOME_MAX
};

/* The step that failed. */
enum spawn_step {
	SPAWN_STEP_NONE,
	SPAWN_STEP_QUEUE,     /* no slot came free in time */
	SPAWN_STEP_REFUSED,   /* the spawner's own limits */
	SPAWN_STEP_RESOURCES, /* a process, a pipe, memory */
	SPAWN_STEP_LOST,      /* the supervisor of the program was killed */
	SPAWN_STEP_NETNS,
	SPAWN_STEP_USER, /* ENOENT: does not exist */
	SPAWN_STEP_GROUP,
	SPAWN_STEP_IDENTITY, /* the user or group may not be taken on */
	SPAWN_STEP_EXEC,
	SPAWN_STEP_MAX
};

/* Borrowed during the callback. */
struct spawn_result {
	enum spawn_outcome outcome;
	enum spawn_step step;
	int code;
	uint32_t waited_ms; /* from the request to its start, or its end if it never started */
	uint32_t ran_ms;
	const char *output, *error; /* the part that was kept, with a NUL beyond its length */
	uint32_t output_len, error_len;
	uint64_t output_dropped, error_dropped; /* bytes read and thrown away */
};

typedef void spawn_done(void *arg, const struct spawn_result *result);

/* Takes line (spawner_take_fd()) over, also on error. When the spawner has ended and another one
 * was started, the client goes on with that one. 0 or -ENOMEM. */
int spawn_client_create(struct event_base *base, int line, struct spawn_client **out);
/* Calls back all open requests with SPAWN_CANCELLED and kills their programs. NULL is allowed. Not
 * from a callback. */
void spawn_client_destroy(struct spawn_client *c);

/* 1 to SPAWN_MAX_PARALLEL; holds for programs that start from now on. 0, -EINVAL, -ENOMEM. */
int spawn_client_set_parallel(struct spawn_client *c, uint32_t parallel);
/* The namespace of requests that name none; NULL: the process's own. Copied. 0 or -ENOMEM. */
int spawn_client_set_netns(struct spawn_client *c, const char *netns);
/* False while there is no spawner: it has ended, and the next one does not serve yet. */
bool spawn_client_works(const struct spawn_client *c);

/*
 * Asks for a program; everything in the request is copied. done is called exactly once, from
 * the loop, or from spawn_cancel() or spawn_client_destroy(); never before spawn_run() returns, and
 * never if it fails. id (may be NULL) is for spawn_cancel(). 0, -EINVAL (request), -E2BIG (over a
 * limit above), -ENOBUFS (too many under way), -ENOMEM, -EPIPE (there is no spawner at the moment).
 */
int spawn_run(struct spawn_client *c, const struct spawn_request *request, spawn_done *done,
	      void *arg, uint64_t *id);
/* Calls back with SPAWN_CANCELLED before it returns; the program is killed. Nothing happens
 * when id has been called back already. */
void spawn_cancel(struct spawn_client *c, uint64_t id);

struct spawn_counters {
	uint64_t requests; /* taken */
	uint64_t refused;  /* spawn_run() failed */
	uint64_t ended;	   /* exit code or signal */
	uint64_t timed_out, not_started;
	uint32_t open; /* under way or waiting, cancelled ones until they are gone */
};
void spawn_client_counters(const struct spawn_client *c, struct spawn_counters *out);

/* "exit code 3 after 12 ms"; name stands for the program in the text. Returns buf. */
const char *spawn_result_format(const struct spawn_result *r, const char *name, char *buf,
				size_t len);

#endif
