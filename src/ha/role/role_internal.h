/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_ROLE_ROLE_INTERNAL_H
#define PLVS_HA_ROLE_ROLE_INTERNAL_H

/*
 * Declarations that the files of the role machine share. `struct role_call` is one call of
 * role_step(). Context: ha thread, tests.
 */

#include "base/log.h"
#include "ha/role/role.h"

/* A call of role_step(): the machine, its time, and the resulting actions. */
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
/* Take a row with its actions: lease, ACTIVATE, grace; FENCE. */
void role_activate(struct role_call *t, enum role_row row, uint64_t term, const char *reason);
void role_fence(struct role_call *t, enum role_row row, const char *reason);
/* Shortens the lease to the present deadtime, also if a late loop does not renew it. */
void role_lease_bound(struct role_call *t);
void role_lease_renew(struct role_call *t);
void role_quit(struct role_call *t, bool dump);
/* BACKUP: sends STOP. */
void role_take_over(struct role_call *t, enum role_row row, bool forced, const char *reason);

/* A failback failed: the next one waits for twice as long. */
void role_failback_failed(struct role_call *t);
/* The role was taken back here: a failback that did not last counts as failed. */
void role_failback_count(struct role_call *t);

/* role_hears.c, role_witness.c, role_judge.c: judgements of the machine. */
/* The time after the last heartbeat of a path at which the next one counts as missed. */
uint64_t role_missed_after_ms(const struct role *r);
/* True: at least one link has witnesses. */
bool role_asks_witnesses(const struct role *r);
/* Failed failbacks: the larger count of the two routers. */
uint8_t role_failback_failures(const struct role *r);
bool role_ports_up(const struct role *r);
/* True: a witness of this VIP link answers, or the link has none; the same for all links. */
bool role_link_answers(const struct role *r, uint8_t link, uint64_t now);
bool role_witnesses_answer(const struct role *r, uint64_t now);
/* The count that STOP and its refusal compare: answers to questions at keepalive rate, if there was
 * time for them. */
uint16_t role_witnesses_fresh(const struct role *r, uint64_t now);
/* True: a path that brought heartbeats lately misses one. */
bool role_misses(const struct role *r, uint64_t now);
/* After each event: sets the rate of questions to witnesses. */
void role_pace(struct role *r, uint64_t now);
/* The time at which the rate may change, or answers at the new rate count. */
uint64_t role_pace_next(const struct role *r);
/* True: on each VIP link a witness has answered since then. A router that went deaf when the
 * silence began still has older answers for a moment. */
bool role_witnesses_since(const struct role *r, uint64_t since);
/* True: the peer was heard lately, so a lease is needed, and silence may be this router's fault. */
bool role_peer_in_reach(const struct role *r, uint64_t now);
/* True: neither paths nor witnesses bring messages. */
bool role_hears_nothing(const struct role *r, uint64_t now);
/* True: the loop is late and drains old messages, which may make no router active. */
bool role_is_late(const struct role *r, uint64_t now);
/* > 0: a is better: nowhere worse, and better in at least one role. */
int role_ports_compare(const struct ha_port_role *a, uint8_t n_a, const struct ha_port_role *b,
		       uint8_t n_b);
/* True: this router has connections, and no peer that could have them is heard. */
bool role_holds_alone(const struct role *r, uint64_t now);
/* By the configuration: > 0: the other router goes first; 0: equal. */
int role_rank(uint16_t priority, enum ha_role role, const struct role_config *mine);
/* True: neither router serves, and the peer has to take over. */
bool role_peer_goes_first(const struct role *r, uint64_t now);
/* True: both are in INIT, and the peer has to serve when its start_delay is over. */
bool role_peer_starts_first(const struct role *r, uint64_t now);
/* The time at which a takeover is due. */
uint64_t role_due(const struct role *r, uint64_t now);
/* The term that the sender of msg serves under or knows. */
uint64_t role_own_term(const struct ha_message *msg);
/* For two routers that serve or take over: > 0: the sender of msg goes first. Never 0. */
int role_conflict_order(const struct role *r, const struct ha_message *msg, uint64_t my_term);

/* True: two sessions are signed as the peer's, for longer than a restart takes. */
bool role_hears_second(const struct role *r, uint64_t now);
/* VIP links that answer questions at keepalive rate: struct ha_message, links_answer. */
uint8_t role_links_answer(const struct role *r, uint64_t now);
/* The name of a VIP link that is dead here, though its port is up, or NULL. For deadtime no witness
 * of the link answered questions at keepalive rate, and the ready peer reports answers there. */
const char *role_black_hole(const struct role *r, uint64_t now);
/* True: the peer is heard, but for deadtime not on any path. */
bool role_frames_only(const struct role *r, uint64_t now);
/* True: the peer serves as well and is not heard, but its frames claim addresses. */
bool role_is_split(const struct role *r, uint64_t now);
/* True: the configurations differ, so a hand-over needs force. */
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
/* Compares the versions again; logs a change once. */
void role_versions_compare(struct role_call *t);
void role_message(struct role_call *t, const struct role_event *ev);
/* ACTIVE: fences if a ready peer could serve better. */
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
