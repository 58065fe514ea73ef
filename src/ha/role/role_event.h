/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_ROLE_ROLE_EVENT_H
#define PLVS_HA_ROLE_ROLE_EVENT_H

/* Events that the role machine is given, and actions that the ha thread carries out for the
 * machine. Context: ha thread, tests. */

#include <stdbool.h>
#include <stdint.h>

#include "ha/role/freshness.h"
#include "ha/role/role_row.h"
#include "ha/wire/message.h"

#define ROLE_MAX_PATHS	 4
#define ROLE_MAX_ACTIONS 32
#define ROLE_REASON_LEN	 192

/* --- Events --------------------------------------------------------------------------- */

/* The path of a message that came in an Ethernet frame on a VIP link. */
#define ROLE_PATH_FRAME(link) ((uint8_t)(ROLE_MAX_PATHS + (link)))

enum role_event_type {
	ROLE_TICK,    /* the time of role_next() has come; early and late calls do no harm */
	ROLE_MESSAGE, /* an authentic message, judged by freshness_check() */
	/* The ha loop, or a worker that receives the peer's messages, was late by more than a
	 * keepalive (stall, SIGSTOP, paused machine). First give all waiting messages, then this
	 * event, then TICK. */
	ROLE_LATE,
	ROLE_WITNESS,	 /* a witness answered */
	ROLE_PORTS,	 /* link of ports changed */
	ROLE_SYNC,	 /* progress of synchronisation, verdicts or digests changed */
	ROLE_FLUSHED,	 /* the peer acknowledged all of the ROLE_DO_SYNC_FLUSH numbered `flush` */
	ROLE_RELAY_IDLE, /* no frame to relay came for 1 s */
	ROLE_CLAIM,	 /* the peer's MAC claimed an address that moves, by ARP or ND */
	ROLE_COMMAND,
};

enum role_command {
	ROLE_CMD_HANDOVER,    /* make the other router active, from either router */
	ROLE_CMD_MAINTENANCE, /* leave the pair: hands over first */
	ROLE_CMD_MAINTENANCE_OFF,
	ROLE_CMD_FORCE, /* become active, against witnesses and peer */
	ROLE_CMD_RESET, /* forget failed failbacks and holds, also at the peer */
	ROLE_CMD_STOP,	/* the process has to end: ROLE_DO_QUIT follows */
};

struct role_event {
	enum role_event_type type;
	union {
		struct {
			const struct ha_message *msg;
			enum ha_verdict verdict;
			bool newest;		/* from freshness_check() */
			uint64_t sent_after_ms; /* from freshness_sent_after() */
			uint8_t path;		/* an index, or ROLE_PATH_FRAME() */
		} message;
		uint32_t
			late_ms; /* LATE, TICK: lateness of the loop or of a thread of heartbeats */
		struct {
			uint8_t link, witness; /* indexes as in role_config */
		} witness;
		struct {
			uint8_t n;
			struct ha_port_role port[HA_MAX_PORT_ROLES];
		} ports;
		struct {
			/* The tables here have all of the peer's connections. When the peer has a
			 * new session, give its message first, since the tables are those of the
			 * old one. */
			bool synchronised;
			bool verdicts; /* every check has a verdict */
			uint32_t servers, servers_up;
			struct ha_sync_progress progress;
			uint8_t config_digest[HA_DIGEST_BYTES];
			uint8_t verdict_digest[HA_DIGEST_BYTES];
			const struct version *version; /* NULL: none. Must outlive the role */
			uint32_t unbound;	       /* connections of services unknown here */
		} sync;
		uint32_t flush;
		struct {
			enum role_command command;
			bool force; /* HANDOVER, MAINTENANCE: also to an unready peer or none */
		} command;
	};
};

/* --- Actions -------------------------------------------------------------------------- */

enum role_action_type {
	ROLE_DO_SEND,	  /* role_fill(), freshness_stamp(), a copy on every path */
	ROLE_DO_ANSWER,	  /* the same with freshness_stamp_answer() */
	ROLE_DO_LEASE,	  /* VIP traffic may be forwarded until `until_ms`, or ROLE_LEASE_NONE */
	ROLE_DO_ACTIVATE, /* snapshot swap, addresses up, announce; the lease came before */
	ROLE_DO_ANNOUNCE, /* repeat the burst of gratuitous ARP and NA */
	ROLE_DO_FENCE,	  /* lease off at once, then addresses down */
	ROLE_DO_GRACE,	  /* grace until `until_ms` (may be repeated with a later time) */
	ROLE_DO_FREEZE,	  /* no new connections */
	ROLE_DO_UNFREEZE,
	ROLE_DO_SYNC_FLUSH,  /* bring the peer up to date, then event ROLE_FLUSHED with `flush` */
	ROLE_DO_RELAY_START, /* VIP and gateway frames go to the peer's MAC; addresses down */
	ROLE_DO_RELAY_STOP,
	ROLE_DO_NOTIFY, /* state changed: programs, log, metrics. `row`, `from`, `to`, `text` */
	ROLE_DO_LOG,	/* `level`, `text` */
	ROLE_DO_REPLY,	/* to the command: `rc` 0 or -errno, `text` */
	ROLE_DO_QUIT,	/* the process may end; `dump`: write the connection table first */
};

struct role_send {
	enum ha_message_type type;
	enum ha_reason reason;
	uint8_t flags; /* HA_FLAG_FORCED, HA_FLAG_FAILBACK */
	uint64_t term; /* 0: the own term */
	uint32_t handover;
	struct ha_session to; /* ROLE_DO_ANSWER */
	uint64_t to_sequence;
};

struct role_action {
	enum role_action_type type;
	union {
		struct role_send send;
		uint64_t until_ms;
		uint32_t flush;
		int rc;
		int level; /* enum log_level */
		bool dump;
		struct {
			enum role_row row;
			enum ha_state from, to;
		} change;
	};
	char text[ROLE_REASON_LEN]; /* a sentence for operators, or empty */
};

struct role_actions {
	uint32_t n;
	struct role_action action[ROLE_MAX_ACTIONS];
};

#endif
