/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_ROLE_ROLE_INTERNAL_H
#define PLVS_HA_ROLE_ROLE_INTERNAL_H

/*
 * Declarations that the files of the role machine share. `struct role_call` is one call of
 * role_step(). Context: ha thread, tests.
 */

#include "base/log.h"
#include "ha/role/role.h"

/* A call of role_step(): the machine, its time, and the actions that come out. */
struct role_call {
	struct role *r;
	uint64_t now;
	struct role_actions *out;
};

/* role_action.c: actions and transitions. */
struct role_action *role_add(struct role_call *t, enum role_action_type type);
void role_send(struct role_call *t, enum ha_message_type type);
void role_send_about(struct role_call *t, enum ha_message_type type, uint64_t term,
		     uint32_t handover, enum ha_reason reason, uint8_t flags);
void role_log(struct role_call *t, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void role_reply(struct role_call *t, int rc, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Takes a row: state, reason, NOTIFY, a heartbeat at once. The row must leave its state. */
void role_go(struct role_call *t, enum role_row row, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The row's actions with it: lease, ACTIVATE, grace; FENCE. */
void role_activate(struct role_call *t, enum role_row row, uint64_t term, const char *reason);
void role_fence(struct role_call *t, enum role_row row, const char *reason);
/* The deadtime may be shorter than when the lease began: no lease is longer than one of now, also
 * where a late loop renews none. */
void role_lease_bound(struct role_call *t);
void role_lease_renew(struct role_call *t);
void role_quit(struct role_call *t, bool dump);
/* BACKUP: STOP goes out. */
void role_take_over(struct role_call *t, enum role_row row, bool forced, const char *reason);

/* A failback failed: the next one waits for twice as long. */
void role_failback_failed(struct role_call *t);
/* The role was taken back here: a failback that did not last counts as failed. */
void role_failback_count(struct role_call *t);

/* role_hears.c, role_witness.c, role_judge.c: what the machine can tell. */
/* So long after the last heartbeat of a path the next one is missed. */
uint64_t role_missed_after_ms(const struct role *r);
/* Some link has witnesses. */
bool role_asks_witnesses(const struct role *r);
/* Failbacks that failed, as the router that knows of more has it. */
uint8_t role_failback_failures(const struct role *r);
bool role_ports_up(const struct role *r);
/* A witness of this VIP link answers, or none is asked for there; on all links. */
bool role_link_answers(const struct role *r, uint8_t link, uint64_t now);
bool role_witnesses_answer(const struct role *r, uint64_t now);
/* Of answers to questions at keepalive rate, if there has been time for them: what STOP and its
 * refusal compare. */
uint16_t role_witnesses_fresh(const struct role *r, uint64_t now);
/* A path that brought heartbeats not long ago misses one. */
bool role_misses(const struct role *r, uint64_t now);
/* After each event: the rate at which witnesses are asked. */
void role_pace(struct role *r, uint64_t now);
/* When the rate may change, or answers to it count. */
uint64_t role_pace_next(const struct role *r);
/* On each VIP link one has answered since then. Who went deaf together with the silence has
 * answers of before, for a moment. */
bool role_witnesses_since(const struct role *r, uint64_t since);
/* Heard not long ago: a lease is needed, and silence may be this router's own. */
bool role_peer_in_reach(const struct role *r, uint64_t now);
/* No path and no witness brings anything. */
bool role_hears_nothing(const struct role *r, uint64_t now);
/* The loop is late and drains what has waited: it may be the past, and makes nobody active. */
bool role_is_late(const struct role *r, uint64_t now);
/* > 0: a is better, that is nowhere worse and somewhere better. */
int role_ports_compare(const struct ha_port_role *a, uint8_t n_a, const struct ha_port_role *b,
		       uint8_t n_b);
/* Connections are here, and no peer that could have them is heard. */
bool role_holds_alone(const struct role *r, uint64_t now);
/* By what is configured: > 0 the other one goes first, 0: they are configured alike. */
int role_rank(uint16_t priority, enum ha_role role, const struct role_config *mine);
/* The peer, of two that do not serve, is to take over. */
bool role_peer_goes_first(const struct role *r, uint64_t now);
/* Both are in INIT, the peer could serve when its start_delay is over, and is to. */
bool role_peer_starts_first(const struct role *r, uint64_t now);
/* When a takeover is due. */
uint64_t role_due(const struct role *r, uint64_t now);
/* The term that the sender of msg serves under or knows. */
uint64_t role_own_term(const struct ha_message *msg);
/* Of two that serve or take over: > 0 the sender of msg goes first. Never 0. */
int role_conflict_order(const struct role *r, const struct ha_message *msg, uint64_t my_term);

/* Two routers say that they are the peer, for longer than a restart takes. */
bool role_hears_second(const struct role *r, uint64_t now);
/* VIP links that answer questions at keepalive rate: struct ha_message, links_answer. */
uint8_t role_links_answer(const struct role *r, uint64_t now);
/* A VIP link is dead here, though its port is up: for deadtime no witness of it answered questions
 * at keepalive rate, and the ready peer says that they answer it. NULL, or the link's name. */
const char *role_black_hole(const struct role *r, uint64_t now);
/* The peer is heard, but for deadtime on no path. */
bool role_frames_only(const struct role *r, uint64_t now);
/* The peer serves as well and is not heard: its frames claim addresses. */
bool role_is_split(const struct role *r, uint64_t now);
/* No hand-over now, unless forced: the configurations are not the same. */
bool role_versions_hinder(const struct role *r);

/* role_timers.c */
void role_timers_init(struct role *r, const struct role_config *cfg, uint64_t now);
void role_timers_configure(struct role *r, const struct role_config *cfg, uint32_t in_force_ms,
			   uint64_t now);
void role_timers_update(struct role *r, uint64_t now);
void role_timers_late(struct role *r, uint32_t late_ms, uint64_t now);
void role_timers_heard(struct role *r, uint64_t now);
void role_timers_fill(const struct role *r, enum ha_message_type type, struct ha_timers *out);

/* role_message.c */
/* Compares the versions again; a change is said once. */
void role_versions_compare(struct role_call *t);
void role_message(struct role_call *t, const struct role_event *ev);
/* ACTIVE: whether a ready peer could serve better. */
void role_peer_better_check(struct role_call *t);

/* role_stop.c */
void role_stop_message(struct role_call *t, const struct ha_message *msg);

/* role_give.c: hand-over and failback. */
enum ha_reason role_give_start(struct role_call *t, enum role_then then, bool failback, bool forced,
			       const char *why);
void role_give_message(struct role_call *t, const struct ha_message *msg);
void role_give_flushed(struct role_call *t, uint32_t flush);
void role_give_tick(struct role_call *t);
void role_give_resend(struct role_call *t);
void role_relay_end(struct role_call *t, const char *reason);
void role_request(struct role_call *t, bool failback);
void role_failback_tick(struct role_call *t);

/* role_command.c */
void role_command(struct role_call *t, enum role_command command, bool force);

/* role_text.c */
const char *role_reason_text(enum ha_reason reason);
/* "public and private" */
void role_names(const char (*names)[ROLE_NAME_LEN], uint32_t n, char *buf, size_t len);
/* "no heartbeat on public and private for 204 ms; 3 witnesses answer" */
void role_silence_text(const struct role *r, uint64_t now, char *buf, size_t len);
/* Appends, never beyond len; returns the new length. */
size_t role_text_add(char *buf, size_t len, size_t used, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* "both routers are configured as primary ..." */
void role_clash_text(const struct role *r, char *buf, size_t len);
/* "no witness answers on public" */
void role_deaf_text(const struct role *r, uint64_t now, char *buf, size_t len);

#endif
