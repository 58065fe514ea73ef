/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_WIRE_MESSAGE_H
#define PLVS_HA_WIRE_MESSAGE_H

/*
 * A message of one router to the other in one datagram, decoded. message.c has the layout of
 * the payload, envelope.c the header, the protocol version and the HMAC. freshness.h decides
 * whether a message is fresh; role.h decides on the consequences.
 *
 * Numbers of types, states, flags and reasons are the wire's: never renumber, only append.
 * Context: any.
 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/addr.h"
#include "model/version.h"

#define HA_DIGEST_BYTES	  32
#define HA_MAX_PORT_ROLES 8
/* The range of a deadtime in a message. */
#define HA_DEADTIME_MIN_MS 6
#define HA_DEADTIME_MAX_MS 60000

/* Random, drawn anew at every start. All zero: none. */
struct ha_session {
	uint8_t byte[16];
};

static inline bool ha_session_equal(const struct ha_session *a, const struct ha_session *b)
{
	return memcmp(a->byte, b->byte, sizeof(a->byte)) == 0;
}

static inline bool ha_session_is_none(const struct ha_session *s)
{
	static const struct ha_session none;

	return ha_session_equal(s, &none);
}

enum ha_message_type {
	HA_MSG_HEARTBEAT = 1, /* every keepalive, and at once when the state changes */
	HA_MSG_ANSWER = 2,    /* to an authentic message that was not fresh: names its sender */
	HA_MSG_STOP = 3,      /* backup: fence yourself, I take over under `term` */
	HA_MSG_STOP_ACK = 4,  /* fenced (or was not active), `term` as in the STOP */
	HA_MSG_REFUSED = 5,   /* no: `reason`; the sender's state stands in `state` */
	HA_MSG_HANDOVER_REQUEST = 6, /* backup: hand over to me (command or failback) */
	HA_MSG_HANDOVER_PREPARE = 7, /* active: will you take over under `term`? */
	HA_MSG_HANDOVER_READY = 8,   /* backup: yes */
	HA_MSG_HANDOVER_COMMIT = 9,  /* active: the last delta is acknowledged, activate */
	HA_MSG_HANDOVER_DONE = 10,   /* the new active: I am, relay to me */
	HA_MSG_HANDOVER_ABORT = 11,  /* either: forget it, `reason` */
	HA_MSG_RESET = 12,	     /* forget failed failbacks (ha reset) */
	HA_MSG_TYPE_MAX = HA_MSG_RESET,
};

enum ha_role {
	HA_ROLE_PRIMARY = 1, /* goes first at equal priority */
	HA_ROLE_BACKUP = 2,
	HA_ROLE_MAX = HA_ROLE_BACKUP,
};

/* The states of role.h. */
enum ha_state {
	HA_INIT = 0,	    /* waits for links, witnesses and start_delay */
	HA_BACKUP = 1,	    /* ready to take over */
	HA_TAKEOVER = 2,    /* STOP is out, waits one keepalive */
	HA_ACTIVE = 3,	    /* has the VIPs */
	HA_HANDOVER = 4,    /* has the VIPs, is giving them away */
	HA_RELAY = 5,	    /* gave them away, passes late frames to the peer */
	HA_FENCED = 6,	    /* gave them up, waits for the peer to be active */
	HA_FAULT = 7,	    /* would have to take over and must not: deaf, or ports down */
	HA_MAINTENANCE = 8, /* out of the pair by command */
	HA_STATE_MAX = HA_MAINTENANCE,
};

/* A router in this state may be forwarding for VIPs. */
static inline bool ha_state_serves(enum ha_state s)
{
	return s == HA_ACTIVE || s == HA_HANDOVER;
}

#define HA_FLAG_READY	     0x01 /* could take over now: ports up, witnesses answer */
#define HA_FLAG_SYNCHRONISED 0x02 /* holds the peer's connections completely */
#define HA_FLAG_VERDICTS     0x04 /* every check has a verdict */
#define HA_FLAG_FORCED	     0x08 /* STOP: against witness counts (ha force) */
#define HA_FLAG_FAILBACK     0x10 /* HANDOVER_*: by failback, not by a person */
#define HA_FLAG_STOPPING     0x20 /* the process is about to end */
#define HA_FLAG_KEPT	     0x40 /* holds connections that are not from the peer */
#define HA_FLAG_MISSES	     0x80 /* a path has brought no heartbeat for more than a keepalive */
#define HA_FLAGS_KNOWN	     0xff

/* The reason of a REFUSED or an ABORT. */
enum ha_reason {
	HA_REASON_NONE = 0,
	HA_REASON_MORE_WITNESSES = 1, /* the sender hears more witnesses */
	HA_REASON_OLD_TERM = 2,	      /* the term is not above the sender's */
	HA_REASON_NOT_ACTIVE = 3,     /* the sender is not active */
	HA_REASON_NOT_READY = 4,      /* ports down, no witness, starting, maintenance */
	HA_REASON_NOT_SYNCHRONISED = 5,
	HA_REASON_TIMEOUT = 6, /* a step took too long */
	HA_REASON_FAILBACK_HELD = 7,
	HA_REASON_COMMAND = 8, /* by an operator's command */
	HA_REASON_PRIORITY = 9,
	HA_REASON_CONFIGURATION =
		10, /* the two configurations are not the same; see also role_send */
	HA_REASON_MAX = HA_REASON_CONFIGURATION,
};

/* Data-plane health of one port role (public, private, ...), in the order of the names. */
struct ha_port_role {
	uint8_t up;	    /* ports with link */
	uint8_t configured; /* ports of the role; 0: no such role */
	struct mac mac;	    /* of the port: destination of relayed frames. Zero: not known */
};

struct ha_sync_progress {
	uint64_t sent;	   /* position of the last change sent to the peer */
	uint64_t received; /* position up to which the peer's changes are installed */
	uint8_t complete;  /* a full transfer from the peer is installed */
	uint8_t behind;	   /* changes were shed: the peer's table is not complete */
};

/* Times of a router, in milliseconds: role_timers.c. All zero from older routers. */
struct ha_timers {
	uint16_t wish_ms;	/* the deadtime of this router alone */
	uint16_t agreed_ms;	/* the larger of both wishes, as known */
	uint16_t number;	/* of this announcement; never 0 */
	uint16_t echo;		/* the receiver's announcement that is in force here; 0: none */
	uint16_t lease_base_ms; /* the deadtime that bounds the lease */
	uint16_t keepalive_ms;	/* between two heartbeats */
};

struct ha_message {
	/* Sender, receiver and sequence numbers. */
	uint32_t cluster_id;
	uint32_t key_id;
	struct ha_session session; /* the sender's */
	struct ha_session
		heard;	   /* the peer session that the message answers; none before the first */
	uint64_t sequence; /* of the sender's session, from 1; copies on paths share it */
	uint64_t heard_sequence; /* the highest sequence heard of `heard` */

	/* The message itself: type, role, state and term of the sender. */
	enum ha_message_type type;
	enum ha_role role;
	enum ha_state state;
	uint8_t flags;
	enum ha_reason reason;
	uint64_t term;	   /* served under or highest known; of STOP and HANDOVER_*: the new term */
	uint32_t handover; /* HANDOVER_*: number of this hand-over in the sender's session */
	uint16_t priority;
	uint16_t witnesses; /* witnesses that answer, over all VIP links: role_witnesses() */
	uint8_t failback_failures;

	/* Readiness of the sender. */
	uint8_t n_port_roles;
	struct ha_port_role ports[HA_MAX_PORT_ROLES];
	struct ha_sync_progress sync;
	uint8_t config_digest[HA_DIGEST_BYTES];	 /* of the shared part of the configuration */
	uint8_t verdict_digest[HA_DIGEST_BYTES]; /* of the health verdicts of all servers */
	uint32_t servers_up; /* up by these verdicts; each once for every service */
	/* From here on unknown to routers before versions: all zero from them. */
	struct version_word version; /* its digest is config_digest, and on the wire only once */
	/* VIP links, in the order of their names, on which a witness answered a question at
	 * keepalive rate within deadtime: bit 0 is the first. */
	uint8_t links_answer;
	bool hears_second;   /* the sender hears two sessions of the receiver */
	bool asks_frames;    /* no path brings the sender messages: it needs Ethernet frames */
	bool takes_requests; /* the sender takes requests for changes in blocks */
	bool takes_fullnat;  /* the sender reads connections by full NAT: sync_wire.h */
	uint32_t unbound;    /* connections of the peer whose service or server is unknown here */
	struct ha_timers timers;
};

#endif
