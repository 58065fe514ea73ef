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
#include "model/ha_policy.h"

#define ROLE_MAX_VIP_LINKS 8
#define ROLE_MAX_WITNESSES 16 /* per VIP link */
#define ROLE_NAME_LEN	   32
#define ROLE_ALARM_LEN	   1024
#define ROLE_LEASE_NONE	   UINT64_MAX /* active without a lease */

/* The most by which a term may exceed the own one; a takeover adds one. */
#define ROLE_TERM_STEP	    (UINT64_C(1) << 20)
#define ROLE_FRAME_SLOW_MS  1000  /* between two frames to a peer that is silent for long */
#define ROLE_CLAIM_HOLD_MS  60000 /* two routers with an address claim it every 30 s */
#define ROLE_SECOND_HOLD_MS 2000  /* after the last message of a second session */

#define ROLE_RELAY_LIMIT_MS  30000
#define ROLE_FAILBACK_TRIES  3
#define ROLE_FAILBACK_MIN_MS 600000 /* a failback that ends sooner has failed */

struct role_config {
	bool has_peer; /* false: active at once, no lease */
	/* As configured. In struct role: the two measured ones in force, never 0. */
	HA_TIMING_INSIDE;
	uint32_t lease_base_ms;	     /* of struct role: the deadtime that bounds the lease */
	uint32_t handover_sync_ms;   /* limit of the step before the freeze */
	uint32_t handover_freeze_ms; /* limit of the freeze until the last delta is acknowledged */
	enum ha_role role;
	uint16_t priority;
	struct ha_session session; /* the own one: the last tie-break */
	uint8_t n_paths;
	uint8_t n_vip_links;
	char path_names[ROLE_MAX_PATHS][ROLE_NAME_LEN];
	char vip_link_names[ROLE_MAX_VIP_LINKS][ROLE_NAME_LEN];
	uint8_t witnesses[ROLE_MAX_VIP_LINKS]; /* configured per VIP link; 0: none */
	bool no_path[ROLE_MAX_VIP_LINKS];      /* the VIP link carries no path */
};

/* Measured timers. */
#define ROLE_DEADTIME_FLOOR_MS	  80 /* and 4 configured keepalives */
#define ROLE_DEADTIME_AUTO_MAX_MS 1000
/* At the start, beside an older peer, and after a lateness of ROLE_LATENESS_STALL_MS. */
#define ROLE_DEADTIME_UNMEASURED_MS 200
#define ROLE_MEASURE_MS		    10000 /* of measuring before the result counts */
#define ROLE_KEEPALIVE_MIN_MS	    20
#define ROLE_KEEPALIVE_MAX_MS	    50
#define ROLE_LATENESS_USUAL_MS	    5  /* lateness that lengthens no deadtime */
#define ROLE_LATENESS_STALL_MS	    40 /* a stall, which may come again: half of the floor */
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

/* The longest time that both routers are active after the first message gets through: B. */
static inline uint32_t role_overlap_ms(const struct role_config *cfg)
{
	return role_lease_ms(cfg) + cfg->keepalive_ms + 20;
}

#define ROLE_WITNESS_SLOW_MS 1000
#define ROLE_CALM_MS	     1500 /* allows for one lost answer */
#define ROLE_OVERDUE_MAX_MS                                                                        \
	10000		       /* time of frequent questions on a link that stopped to answer      \
				*/
#define ROLE_FAST_HOLD_MS 1000 /* time at keepalive rate after the last missed heartbeat */

/* --- State ---------------------------------------------------------------------------- */

struct role_lateness {	  /* the worst */
	uint32_t own_ms;  /* of this router's loop, and of threads on the way of heartbeats */
	uint32_t peer_ms; /* of the peer's heartbeats, beyond a keepalive */
};

struct role_timers {
	uint32_t keepalive_ms, deadtime_ms; /* as configured; 0: measured */
	uint32_t wish_ms, agreed_ms;
	uint16_t number;   /* of the announcement of agreed_ms */
	uint32_t nearly;   /* times that silence of the peer used more than half of the reserve */
	uint64_t began_ms; /* measures since */
	uint64_t bucket_ms;
	uint8_t bucket;
	bool stalled; /* a lateness over ROLE_LATENESS_STALL_MS since the start */
	struct role_lateness lateness[ROLE_LATENESS_BUCKETS];
};

enum role_step { /* of a hand-over, at the giving router */
		 ROLE_STEP_ASK,
		 ROLE_STEP_SYNC,
		 ROLE_STEP_FREEZE,
		 ROLE_STEP_COMMIT,
};

enum role_then { /* the state after a hand-over */
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
	bool diverged;			/* reported */
	uint32_t unbound;
	uint32_t servers_up;
	/* Another session is signed as the peer's: since, last; 0: never. */
	uint64_t second_since_ms, second_ms;
	struct ha_timers timers; /* the newest; older routers: all zero */
	uint8_t links_answer;	 /* as in struct ha_message */
	uint64_t sent_after_ms;	 /* the message with these was sent later; 0: not known */
	uint64_t claim_ms; /* the peer claimed an address while this router served; 0: never */
	bool split;	   /* reported */
	bool hears_second; /* the peer hears a second session of this router */
	bool second;	   /* reported */
	bool absurd;	   /* its term is out of range; reported */
	uint8_t clash;	   /* enum role_clash: reported */
	bool silent;	   /* reported */
	uint64_t sequence; /* of the newest */
	uint64_t fresh_ms; /* last fresh message; 0: never */
	uint64_t path_ms[ROLE_MAX_PATHS];
	/* The same for Ethernet frames, by VIP link. frame_ms: of any authentic frame on any
	 * link. */
	uint64_t link_ms[ROLE_MAX_VIP_LINKS], frame_ms;
	bool asks_frames, takes_requests, takes_fullnat; /* as in struct ha_message */
	bool frames_only;				 /* reported */
	uint64_t answered;    /* the highest own sequence that the peer has heard */
	uint64_t answered_ms; /* time of its last change */
	bool deaf;	      /* reported */
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
	uint64_t takeover_term; /* TAKEOVER: the term of STOP */
	bool takeover_forced;
	struct role_peer peer;
	struct role_timers timers;

	/* Time. no_active_ms starts the count of silence of active routers; stale_until_ms is the
	 * one deadtime that authentic messages which are not fresh may add. */
	uint64_t no_active_ms, stale_until_ms;
	uint64_t last_tick_ms, next_send_ms;
	uint64_t good_since_ms; /* INIT: ports and witnesses; 0: not */
	uint64_t lease_ms;	/* valid until; 0: none */
	uint64_t lease_hold_ms; /* after a lapse: earliest renewal */
	uint64_t conflict_ms;	/* both serve and this router goes first, since; 0: no */
	uint64_t activated_ms;
	uint64_t grace_ms;     /* grace lasts until */
	bool grace_open;       /* activated before the table was complete: grace grows */
	uint64_t ports_ms;     /* last change of ports */
	uint64_t listening_ms; /* listens without interruption since */
	uint64_t deaf_ms;      /* on some VIP link no witness answers, since; 0: not */

	/* The state of this router, from ROLE_PORTS and ROLE_SYNC. */
	uint8_t n_ports;
	struct ha_port_role ports[HA_MAX_PORT_ROLES];
	bool synchronised, verdicts;
	uint32_t servers, servers_up;
	/* The tables have connections of the last run, served under kept_term, not from a peer.
	 * Until an active peer is heard, or a peer with later ones. */
	bool kept;
	uint64_t kept_term;
	struct ha_sync_progress sync;
	const struct version *version; /* NULL: none */
	struct version_id version_id;  /* the version sent to the peer */
	uint32_t unbound;	       /* connections of services unknown here */
	uint8_t config_digest[HA_DIGEST_BYTES], verdict_digest[HA_DIGEST_BYTES];
	uint64_t witness_ms[ROLE_MAX_VIP_LINKS][ROLE_MAX_WITNESSES]; /* last answer */
	/* Witnesses are asked at keepalive rate since fast_ms (0: once a second) and at least
	 * until fast_until_ms; before, until calm_ms. */
	uint64_t fast_ms, fast_until_ms, calm_ms;

	/* Hand-over: given by this router; offered to this router. */
	struct role_handover give;
	bool offered;
	uint32_t offered_id;
	uint64_t offered_term;

	/* Failback. */
	uint64_t failback_since_ms; /* ready without interruption; 0: not */
	uint64_t request_until_ms;  /* HANDOVER_REQUEST is repeated; 0: no */
	bool request_failback;
	uint64_t given_back_ms;	   /* time of a hand-over by failback; 0: no */
	uint8_t failback_failures; /* counted by the router that had to take over again */
	bool failback_held;	   /* a person moved the role away from here */
	uint64_t reset_until_ms;   /* RESET is repeated; 0: no */

	bool stopping;
	uint64_t rows[ROLE_N_ROWS]; /* times that each was taken */
	uint64_t refused;	    /* refused STOPs */
};

/* state INIT at `now_ms`. cfg has been checked. */
void role_init(struct role *r, const struct role_config *cfg, uint64_t now_ms);
/* Call after role_init() if the tables have connections of the last run. */
void role_set_kept(struct role *r, uint64_t term);
/* A new configuration: state, term and peer stay. */
void role_configure(struct role *r, const struct role_config *cfg, uint64_t now_ms);

/* Runs an event through the machine. `out` is emptied first. */
void role_step(struct role *r, const struct role_event *ev, uint64_t now_ms,
	       struct role_actions *out);
/* The latest time of the next ROLE_TICK. */
uint64_t role_next(const struct role *r);

/* Sets all members of a message but key, cluster and those of freshness_stamp(). */
void role_fill(const struct role *r, const struct role_send *send, uint64_t now_ms,
	       struct ha_message *msg);

/* Values that status and metrics show. */
const char *role_state_name(enum ha_state s); /* "active" */
bool role_peer_alive(const struct role *r, uint64_t now_ms);
/* True: the peer's present session was heard within deadtime, or its messages may still wait in a
 * socket. No other session is accepted then (freshness.h). */
bool role_peer_speaks(const struct role *r, uint64_t now_ms);
bool role_ready(const struct role *r, uint64_t now_ms); /* ports up, witnesses answer */
/* Contradictions between the node parts of the two routers. */
enum role_clash {
	ROLE_CLASH_NONE,
	ROLE_CLASH_ROLE,     /* both are primary, or both backup */
	ROLE_CLASH_PRIORITY, /* the backup has the higher priority */
};
enum role_clash role_clash(const struct role *r);
/* True: the peer's shared configuration differs from the one here, as far as is known. */
bool role_configuration_differs(const struct role *r);
/* Writes the faults that a person must put right, in sentences; "" for none. Returns the length. */
size_t role_alarm(const struct role *r, uint64_t now_ms, char *buf, size_t len);
/* The number of real servers that the peer sees up beyond those of this router, with the same
 * configuration; 0 also while either does not know. */
int64_t role_peer_sees_more(const struct role *r, uint64_t now_ms);
/* The condition that failback waits for before its delay begins; "" during the delay; NULL: no
 * failback comes, for example because the peer goes first, or only a person may start one. */
const char *role_failback_waits(const struct role *r, uint64_t now_ms);
/* True: the peer is heard, but does not hear this router. */
bool role_peer_deaf(const struct role *r, uint64_t now_ms);
/* True: no path brings messages of the peer, which is heard in Ethernet frames on the VIP links or
 * not at all.
 */
bool role_paths_silent(const struct role *r, uint64_t now_ms);
/*
 * The time between two heartbeats in Ethernet frames to the peer's MAC on a VIP link, in
 * milliseconds; 0: none. At keepalive rate on a link without a path, and on every link while no
 * path brings messages here or at the peer. Once a second to a peer that has been silent for ten
 * deadtimes, unless frames of its MAC show that it lives.
 */
uint32_t role_frame_period(const struct role *r, uint8_t link, uint64_t now_ms);
/* The number of witnesses that answer, over all VIP links. An answer counts for deadtime at
 * questions at keepalive rate, and for ROLE_CALM_MS at one a second. */
uint16_t role_witnesses(const struct role *r, uint64_t now_ms);
/*
 * The time between two questions to each witness, in milliseconds; 0: none. A switch may shut the
 * port of a server that answers ARP too often. So a router without a peer sends no questions, and a
 * pair whose heartbeats all arrive sends one a second. From the first heartbeat that either router
 * misses, each asks at keepalive rate: then answers must tell a dead peer from a deaf router.
 */
uint32_t role_witness_period(const struct role *r);
/* The worst of the last 5 minutes. */
struct role_lateness role_lateness(const struct role *r);
/* The deadtime that this host and these paths support: the floor, and three times the lateness. */
uint32_t role_deadtime_supported(const struct role *r);
bool role_deadtime_is_measured(const struct role *r, uint64_t now_ms);
/* The reason for the deadtime. Returns the length. */
size_t role_timers_text(const struct role *r, uint64_t now_ms, char *buf, size_t len);
/* Sentences for `plvsctl ha`: the state, its reason, the next condition. Returns the length. */
size_t role_explain(const struct role *r, uint64_t now_ms, char *buf, size_t len);

#endif
