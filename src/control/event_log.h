/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_EVENT_LOG_H
#define PLVS_CONTROL_EVENT_LOG_H

/*
 * The events of the router: changes with their authors, health, roles, sessions. The last
 * events are kept; `event.follow` streams new ones. An event is an object with "seq",
 * "at_ms" (CLOCK_REALTIME), "kind", "text" (a sentence), and the keys of its kind.
 * Context: the control thread.
 */

#include <jansson.h>
#include <stdint.h>
#include <sys/queue.h>

struct control;
struct event;

/* X(NAME, word, help) */
#define EVENT_KINDS(X)                                                                             \
	X(CHANGE, "change", "a change of configuration or state, with its author")                 \
	X(HEALTH, "health", "a real server, or a service's quorum")                                \
	X(ROLE, "role", "this router's part in the pair, and VIPs announced or withdrawn")         \
	X(SESSION, "session", "logins by telnet, and refused ones")

enum event_kind {
#define X(NAME, word, help) EVENT_##NAME,
	EVENT_KINDS(X)
#undef X
		EVENT_KIND_MAX
};

#define EVENT_LOG_LEN 512

struct event_follower;
TAILQ_HEAD(event_followers, event_follower);

struct event_log {
	json_t *event[EVENT_LOG_LEN]; /* by sequence number */
	uint64_t next;		      /* sequence number */
	struct event_followers followers;
	uint32_t n_followers;
	struct event *tick;
};

/* 0 or -ENOMEM. */
int event_log_start(struct control *c);
/* Ends all followers. */
void event_log_stop(struct control *c);
void event_log_free(struct control *c);

/* Takes fields (may be NULL) over; text is a sentence without a full stop. */
void event_tell(struct control *c, enum event_kind kind, json_t *fields, const char *text);

#endif
