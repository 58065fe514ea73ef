/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_ROLE_ROLE_H
#define PLVS_HA_ROLE_ROLE_H

/*
 * The role machine of a router of a pair: a pure function of (state, event, now). The machine
 * reads no clock, owns no socket and sends nothing; the answer to an event is a short list of
 * actions that the ha thread carries out in their order. The same code runs in tests/ha-sim.
 *
 *                    force
 *      INIT ---------------------------------.            .------------- RELAY
 *       | \ start_delay over,                |            |  idle, 30 s    ^ peer active
 *       |  \ or the peer serves              v            |                |
 *       |   `------->  BACKUP --silence--> TAKEOVER    (BACKUP)         HANDOVER
 *       |              ^ | ^ ^---refused------' | acknowledged,         ^ | abort
 *       | no peer      | | |                    | or one keepalive      | v
 *       |              | | |  restart, yield,   v                       |
 *       `--------------|-|-|---commit-------> ACTIVE -------------------'
 *                      | | |                    | STOP, conflict, ports
 *                 FAULT  | `----- FENCED <------'
 *              deaf, port|
 *              down      `-- MAINTENANCE (command; from any state)
 *
 * ROLE_ROWS (role_row.h) is the whole table; each transition of role*.c names its row.
 *
 * Time: milliseconds of a monotonic clock, never 0. Context: ha thread, tests.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/error_text.h"
#include "ha/role/freshness.h"
#include "ha/role/role_event.h"
#include "ha/role/role_row.h"
#include "ha/wire/message.h"

#define ROLE_MAX_VIP_LINKS 8
#define ROLE_MAX_WITNESSES 16 /* per VIP link */
#define ROLE_NAME_LEN	   32
#define ROLE_ALARM_LEN	   1024
#define ROLE_LEASE_NONE	   UINT64_MAX /* active without a lease */

/* Of a term that is believed: a takeover adds one. */
#define ROLE_TERM_STEP	    (UINT64_C(1) << 20)
#define ROLE_FRAME_SLOW_MS  1000  /* between two frames to a peer that is silent for long */
#define ROLE_CLAIM_HOLD_MS  60000 /* two that defend an address claim it every 30 s */
#define ROLE_SECOND_HOLD_MS 2000  /* so long after the last message of a second session */

#define ROLE_RELAY_LIMIT_MS  30000
#define ROLE_FAILBACK_TRIES  3
#define ROLE_FAILBACK_MIN_MS 600000 /* a failback that ends sooner has failed */

enum role_failback {
	ROLE_FAILBACK_AUTO,
	ROLE_FAILBACK_MANUAL,
};

struct role_config {
	bool has_peer; /* false: active at once, no lease */
	/* As configured: 0 is measured (`auto`). In struct role: in force, never 0. */
	uint32_t keepalive_ms;
	uint32_t deadtime_ms;	/* at least 3 keepalives + 1 ms; 4 and more are better */
	uint32_t lease_base_ms; /* of struct role: the lease goes by this deadtime */
	uint32_t start_delay_ms;
	uint32_t failback_delay_ms;
	uint32_t grace_ms;	     /* after activation; with a live peer, after completeness */
	uint32_t handover_sync_ms;   /* limit of the step before the freeze */
	uint32_t handover_freeze_ms; /* limit of the freeze until the last delta is acknowledged */
	enum role_failback failback;
	enum ha_role role;
	uint16_t priority;
	struct ha_session session; /* mine: the last tie-break */
	uint8_t n_paths;
	uint8_t n_vip_links;
	char path_names[ROLE_MAX_PATHS][ROLE_NAME_LEN];
	char vip_link_names[ROLE_MAX_VIP_LINKS][ROLE_NAME_LEN];
	uint8_t witnesses[ROLE_MAX_VIP_LINKS]; /* configured per VIP link; 0: none is asked for */
	bool no_path[ROLE_MAX_VIP_LINKS];      /* the VIP link carries no path */
};

/* Measured timers. */
#define ROLE_DEADTIME_FLOOR_MS	  80 /* and 4 configured keepalives */
#define ROLE_DEADTIME_AUTO_MAX_MS 1000
/* At the start, beside an older peer, and once something was late for ROLE_LATENESS_STALL_MS. */
#define ROLE_DEADTIME_UNMEASURED_MS 200
#define ROLE_MEASURE_MS		    10000 /* before what was measured counts */
#define ROLE_KEEPALIVE_MIN_MS	    20
#define ROLE_KEEPALIVE_MAX_MS	    50
#define ROLE_LATENESS_USUAL_MS	    5  /* so much is no reason for a longer deadtime */
#define ROLE_LATENESS_STALL_MS	    40 /* more comes again, some day: half of the floor */
#define ROLE_LATENESS_BUCKETS	    10 /* 5 minutes */
#define ROLE_LATENESS_BUCKET_MS	    30000

/* Of a LAN: 50 / 200 ms, start_delay 5 s, failback auto after 60 s. */
void role_config_defaults(struct role_config *cfg);
/* 0, or -EINVAL with a sentence that names the field. */
int role_config_check(const struct role_config *cfg, char error[ERROR_TEXT]);

static inline uint32_t role_lease_ms(const struct role_config *cfg)
{
	return cfg->lease_base_ms - 2 * cfg->keepalive_ms;
}

/* How long two routers may both be active after the first message gets through: B. */
static inline uint32_t role_overlap_ms(const struct role_config *cfg)
{
	return role_lease_ms(cfg) + cfg->keepalive_ms + 20;
}

#define ROLE_WITNESS_SLOW_MS 1000
#define ROLE_CALM_MS	     1500  /* one answer of those may be lost */
#define ROLE_OVERDUE_MAX_MS  10000 /* for so long a link that answers no more is asked often */
#define ROLE_FAST_HOLD_MS    1000  /* keepalive rate goes on after the last missed heartbeat */

/* --- State ---------------------------------------------------------------------------- */

struct role_lateness {	  /* the worst */
	uint32_t own_ms;  /* of this router's loop, and of the threads that heartbeats pass */
	uint32_t peer_ms; /* of the peer's heartbeats, beyond a keepalive */
};

struct role_timers {
	uint32_t keepalive_ms, deadtime_ms; /* as configured; 0: measured */
	uint32_t wish_ms, agreed_ms;
	uint16_t number;   /* of the announcement of agreed_ms */
	uint32_t nearly;   /* times that the peer was silent for more than half of what was left */
	uint64_t began_ms; /* measures since */
	uint64_t bucket_ms;
	uint8_t bucket;
	bool stalled; /* something was late for more than ROLE_LATENESS_STALL_MS in this life */
	struct role_lateness lateness[ROLE_LATENESS_BUCKETS];
};

enum role_step { /* of a hand-over, at the router that gives away */
		 ROLE_STEP_ASK,
		 ROLE_STEP_SYNC,
		 ROLE_STEP_FREEZE,
		 ROLE_STEP_COMMIT,
};

enum role_then { /* what follows a hand-over */
		 ROLE_THEN_BACKUP,
		 ROLE_THEN_MAINTENANCE,
		 ROLE_THEN_QUIT,
};

/* The peer, as its last fresh messages describe it. */
struct role_peer {
	bool known;
	enum ha_state state;
	enum ha_role role;
	uint8_t flags;
	uint8_t failback_failures;
	uint8_t n_ports;
	uint16_t priority, witnesses;
	uint64_t term;
	struct ha_session session;
	struct ha_port_role ports[HA_MAX_PORT_ROLES];
	struct ha_sync_progress sync;
	struct version_word version;
	enum version_relation relation; /* of its version to the one here */
	bool diverged;			/* was said */
	uint32_t unbound;
	uint32_t servers_up;
	/* Another session says that it is the peer: since, last; 0: never. */
	uint64_t second_since_ms, second_ms;
	struct ha_timers timers; /* the newest; older routers: all zero */
	uint8_t links_answer;	 /* as in struct ha_message */
	uint64_t sent_after_ms;	 /* the message that said so was sent later; 0: not known */
	uint64_t claim_ms;	 /* it claimed an address while this router served; 0: never */
	bool split;		 /* was said */
	bool hears_second;	 /* the peer says so of this router */
	bool second;		 /* was said */
	bool absurd;		 /* its term is none; was said */
	uint8_t clash;		 /* enum role_clash: was said */
	bool silent;		 /* was said */
	uint64_t sequence;	 /* of the newest */
	uint64_t fresh_ms;	 /* last fresh message; 0: never */
	uint64_t path_ms[ROLE_MAX_PATHS];
	/* The same of Ethernet frames, by VIP link; frame_ms: on any of them, of any message that
	 * is authentic. */
	uint64_t link_ms[ROLE_MAX_VIP_LINKS], frame_ms;
	bool asks_frames, takes_requests, takes_fullnat; /* as in struct ha_message */
	bool frames_only;				 /* was said */
	uint64_t answered;    /* the highest sequence of mine that it says it heard */
	uint64_t answered_ms; /* since when it is that */
	bool deaf;	      /* was said */
};

/* The giving side. */
struct role_handover {
	uint32_t id;
	enum role_step step;
	enum role_then then;
	bool failback, forced, frozen;
	uint32_t flush;
	uint64_t term;
	uint64_t deadline_ms, resend_ms;
};

struct role {
	struct role_config cfg;
	enum ha_state state;
	uint64_t since_ms;	      /* of the state */
	char reason[ROLE_REASON_LEN]; /* of the last transition */

	uint64_t term;		/* served under, or the highest known */
	uint64_t takeover_term; /* TAKEOVER: the one that STOP names */
	bool takeover_forced;
	struct role_peer peer;
	struct role_timers timers;

	/* Time. no_active_ms starts the count of silence of active routers; stale_until_ms is the
	 * one deadtime that authentic messages which are not fresh may add. */
	uint64_t no_active_ms, stale_until_ms;
	uint64_t last_tick_ms, next_send_ms;
	uint64_t good_since_ms; /* INIT: ports and witnesses; 0: not */
	uint64_t lease_ms;	/* valid until; 0: none */
	uint64_t lease_hold_ms; /* after a lapse: not renewed before */
	uint64_t conflict_ms;	/* both serve, I go first, since; 0: no */
	uint64_t activated_ms;
	uint64_t grace_ms;     /* grace lasts until */
	bool grace_open;       /* activated before the table was complete: grace grows */
	uint64_t ports_ms;     /* my ports changed at */
	uint64_t listening_ms; /* listens without interruption since */
	uint64_t deaf_ms;      /* on some VIP link no witness answers, since; 0: not */

	/* The state of this router, as the role machine was told it. */
	uint8_t n_ports;
	struct ha_port_role ports[HA_MAX_PORT_ROLES];
	bool synchronised, verdicts;
	uint32_t servers, servers_up;
	/* Connections are here that no peer told: of the file of the last run, under kept_term.
	 * Until an active peer is heard, or one that holds later ones. */
	bool kept;
	uint64_t kept_term;
	struct ha_sync_progress sync;
	const struct version *version; /* NULL: none */
	struct version_id version_id;  /* the one that the peer was told */
	uint32_t unbound;	       /* connections of services unknown here */
	uint8_t config_digest[HA_DIGEST_BYTES], verdict_digest[HA_DIGEST_BYTES];
	uint64_t witness_ms[ROLE_MAX_VIP_LINKS][ROLE_MAX_WITNESSES]; /* last answer */
	/* Witnesses are asked at keepalive rate since fast_ms (0: once a second) and at least
	 * until fast_until_ms; before, until calm_ms. */
	uint64_t fast_ms, fast_until_ms, calm_ms;

	/* Hand-over: what I give; what I was offered. */
	struct role_handover give;
	bool offered;
	uint32_t offered_id;
	uint64_t offered_term;

	/* Failback. */
	uint64_t failback_since_ms; /* ready without interruption; 0: not */
	uint64_t request_until_ms;  /* HANDOVER_REQUEST is repeated; 0: no */
	bool request_failback;
	uint64_t given_back_ms;	   /* I handed over by failback at; 0: no */
	uint8_t failback_failures; /* counted by the router that had to take over again */
	bool failback_held;	   /* a person moved the role away from here */
	uint64_t reset_until_ms;   /* RESET is repeated; 0: no */

	bool stopping;
	uint64_t rows[ROLE_N_ROWS]; /* how often each was taken */
	uint64_t refused;	    /* STOPs that I refused */
};

/* state INIT at `now_ms`. cfg has been checked. */
void role_init(struct role *r, const struct role_config *cfg, uint64_t now_ms);
/* After role_init(): connections of before are in the tables. */
void role_set_kept(struct role *r, uint64_t term);
/* A new configuration: state, term and peer stay. */
void role_configure(struct role *r, const struct role_config *cfg, uint64_t now_ms);

/* Runs an event through the machine. `out` is emptied first. */
void role_step(struct role *r, const struct role_event *ev, uint64_t now_ms,
	       struct role_actions *out);
/* When the next ROLE_TICK is due at the latest. */
uint64_t role_next(const struct role *r);

/* All members of a message but key, cluster and those that freshness_stamp() sets. */
void role_fill(const struct role *r, const struct role_send *send, uint64_t now_ms,
	       struct ha_message *msg);

/* Values that status and metrics show. */
const char *role_state_name(enum ha_state s); /* "active" */
bool role_peer_alive(const struct role *r, uint64_t now_ms);
/* The present session of the peer was heard within deadtime, or what it said may still wait in a
 * socket: no other session is accepted (freshness.h). */
bool role_peer_speaks(const struct role *r, uint64_t now_ms);
bool role_ready(const struct role *r, uint64_t now_ms); /* ports up, witnesses answer */
/* Contradictions between the node parts of the two routers. */
enum role_clash {
	ROLE_CLASH_NONE,
	ROLE_CLASH_ROLE,     /* both are primary, or both backup */
	ROLE_CLASH_PRIORITY, /* the backup has the higher priority */
};
enum role_clash role_clash(const struct role *r);
/* The peer's shared configuration is not the one here, as far as is known. */
bool role_configuration_differs(const struct role *r);
/* Writes the faults that a person must put right, in sentences; "" for none. Returns the length. */
size_t role_alarm(const struct role *r, uint64_t now_ms, char *buf, size_t len);
/* How many real servers more the peer sees up than this router, of the same configuration;
 * 0 also while one of them does not know. */
int64_t role_peer_sees_more(const struct role *r, uint64_t now_ms);
/* The condition that failback waits for before its delay begins; "" while the delay passes; NULL:
 * no failback is to come, for example because the peer goes first, or because only a person may
 * start it. */
const char *role_failback_waits(const struct role *r, uint64_t now_ms);
/* The peer is heard, but nothing that I say reaches it. */
bool role_peer_deaf(const struct role *r, uint64_t now_ms);
/* No path brings anything of the peer: it is heard in Ethernet frames on the VIP links, if at all.
 */
bool role_paths_silent(const struct role *r, uint64_t now_ms);
/*
 * How often a VIP link is to carry heartbeats in Ethernet frames to the peer's MAC, in
 * milliseconds; 0: not at all. At keepalive rate on a link without a path, and on every link while
 * no path brings anything here or at the peer. Once a second to a peer that has been silent for ten
 * deadtimes, unless frames of its MAC show that it lives.
 */
uint32_t role_frame_period(const struct role *r, uint8_t link, uint64_t now_ms);
/* Third parties that answer, over all VIP links. An answer counts for deadtime while they are
 * asked at keepalive rate, and for ROLE_CALM_MS while they are asked once a second. */
uint16_t role_witnesses(const struct role *r, uint64_t now_ms);
/*
 * How often each witness is to be asked, in milliseconds; 0: never. A switch may shut the port of
 * a server that answers ARP too often, so a router without a peer asks nobody, and a pair whose
 * heartbeats all arrive asks once a second. From the first heartbeat that either router misses,
 * each asks at keepalive rate: then answers must tell a dead peer from a deaf router.
 */
uint32_t role_witness_period(const struct role *r);
/* Of the last 5 minutes. */
struct role_lateness role_lateness(const struct role *r);
/* The deadtime that this host and these paths bear: the floor, and three times what was late. */
uint32_t role_deadtime_supported(const struct role *r);
bool role_deadtime_is_measured(const struct role *r, uint64_t now_ms);
/* Why the deadtime is as it is. Returns the length. */
size_t role_timers_text(const struct role *r, uint64_t now_ms, char *buf, size_t len);
/* Sentences for `plvsctl ha`: what it is, why, what it waits for. Returns the length. */
size_t role_explain(const struct role *r, uint64_t now_ms, char *buf, size_t len);

#endif
