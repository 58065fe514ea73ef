/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_HA_H
#define PLVS_HA_HA_H

/*
 * The ha thread: hears the peer, runs the role machine (role.h) and carries out its decisions.
 * Lease, grace, freeze and relay are words that workers read (model/published.h). Other parts of
 * the router do the work on addresses, connections and programs, by calls of struct ha_host.
 *
 * The thread has a libevent base of its own, SCHED_FIFO where allowed, and never waits for another
 * thread: other threads leave messages (ha_*()) and read the published status.
 *
 * Context: control or main, unless noted.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error_text.h"
#include "base/addr.h"
#include "ha/net/path.h"
#include "ha/role/role.h"
#include "ha/wire/ha_wire.h"
#include "model/link_id.h"
#include "model/published.h"
#include "model/sync_event.h"

#define HA_PATHS     ROLE_MAX_PATHS
#define HA_LOOPS     (MAX_WORKERS + 1)
#define HA_WITNESSES ROLE_MAX_WITNESSES

struct ha;
struct spawn_client;

struct ha_path_config {
	char name[ROLE_NAME_LEN];
	struct endpoint local, peer;
};

/* A link that carries VIPs or gateway addresses. */
struct ha_link_config {
	link_id link;
	char name[ROLE_NAME_LEN]; /* "public.10" */
	char ifname[16];	  /* of its Linux interface */
	struct addr own4, own6;	  /* the router's own addresses there, or none */
	struct addr witnesses[HA_WITNESSES];
	uint8_t n_witnesses;
};

/* A copy of what the configuration says, with its texts inside: the ha thread goes by the last one
 * while configurations come and go. */
struct ha_config {
	struct role_config role; /* session, names and counts are filled in by ha_start() */
	struct {
		char name[ROLE_NAME_LEN];
		uint16_t port;	    /* index */
	} ports[HA_MAX_PORT_ROLES]; /* both routers have the same names */
	uint8_t n_ports;
	uint32_t cluster;
	char key_file[256];
	char netns[256]; /* of the TAPs; "" = the process's */
	struct ha_path_config paths[HA_PATHS];
	uint8_t n_paths;
	struct ha_link_config links[ROLE_MAX_VIP_LINKS];
	uint8_t n_links;
	struct ha_announcing announce;
	uint32_t sync_rate;  /* bytes per second */
	char *const *notify; /* argv; copied */
	uint32_t n_notify;   /* 0: no program */
	char notify_user[32];
	uint32_t notify_timeout_ms;
};

/* A summary of the verdicts of health. */
struct ha_verdicts {
	uint8_t digest[HA_DIGEST_BYTES];
	bool complete;	      /* every check has a verdict */
	uint32_t servers, up; /* each once for every service */
};

/* An address that moves in a failover, announced on its link, or on all links with VIPs. */
struct ha_address {
	struct addr addr;
	link_id link; /* LINK_ANY */
};

/* Calls of the ha thread to other parts of the router. Made on the ha thread: must not wait. */
struct ha_host {
	/* Adds the addresses to Linux, or removes them: link_set_active(). */
	void (*set_active)(void *arg, bool active);
	/* The carrier of a port, and its MAC. */
	bool (*port)(void *arg, uint16_t port, struct mac *mac);
	/* Frames relayed so far, over all workers. */
	uint64_t (*relayed)(void *arg);
	/* Threads on the way of heartbeats, by their counters of rounds (relaxed loads). on_demand:
	 * the thread may stand still without work. Returns their number, at most HA_LOOPS. */
	uint16_t (*loops)(void *arg, const uint64_t **progress, bool *on_demand);
	/* Has loops on demand make a round, since heartbeats do not wake them while Linux does not
	 * know the peer's MAC. May be NULL. */
	void (*poke)(void *arg);
	/* True: all threads that should have real-time priority have it. May be NULL. */
	bool (*realtime)(void *arg);
	/* The role changed: checks, metrics, systemd. Any of them may be NULL. */
	void (*changed)(void *arg, enum ha_state from, enum ha_state to, const char *text);
	/* The peer sends a block of bytes and waits for an answer: ha_answer(). Borrowed. */
	void (*request)(void *arg, uint32_t id, const void *bytes, size_t len);
	void *arg;
	uint64_t tsc_hz;
};

/* X(name, help): one uint64_t of struct ha_counters each. */
#define HA_COUNTERS(X)                                                                             \
	X(late_times, "times that the loop was later than a keepalive, so that the count of "      \
		      "silence began anew")

/* The counters of the ha thread. */
struct ha_counters {
#define X(name, help) uint64_t name;
	HA_COUNTERS(X)
#undef X
};

struct ha_path_status {
	char name[ROLE_NAME_LEN];
	struct endpoint local, peer;
	bool open;
	struct path_counters counters;
	uint64_t bad;		       /* datagrams refused, for any of these: */
	uint64_t refused[HA_WIRE_MAX]; /* by enum ha_wire_error */
	uint32_t rtt_us;	       /* smoothed; 0 = not known */
	uint64_t heard_ms;	       /* ago; UINT64_MAX = never */
};

struct ha_witness_status {
	char link[ROLE_NAME_LEN];
	uint8_t configured, answering;
	/* Heartbeats in Ethernet frames on the link. */
	uint64_t frames_sent, frames_received, frames_refused;
	uint64_t frames_heard_ms; /* ago; UINT64_MAX = never */
};

/* A station that claims an address which is active here (net/claim.h). */
struct ha_claim_status {
	char link[ROLE_NAME_LEN];
	struct addr addr;
	struct mac mac;
	bool peer;	 /* the peer's MAC */
	uint32_t count;	 /* of this MAC */
	uint64_t ago_ms; /* since the last one */
};
#define HA_CLAIMS_SHOWN 16

struct ha_status {
	bool has_peer;
	enum ha_state state;
	enum ha_role role;
	uint64_t term;
	uint16_t priority;
	uint64_t state_ms; /* in this state */
	char reason[ROLE_REASON_LEN];
	char explain[2048];	    /* sentences */
	char alarm[ROLE_ALARM_LEN]; /* faults that a person must put right, or "" */
	bool ready, grace, frozen, relaying;
	uint64_t lease_left_ms; /* UINT64_MAX = no lease is needed */
	struct {
		bool known, alive, deaf; /* deaf: the peer does not hear this router */
		bool takes_requests;	 /* struct ha_message */
		bool digest_differs;
		enum version_relation relation; /* of its configuration to the one here */
		struct version_word version;
		uint32_t unbound; /* connections of services unknown to the peer */
		enum ha_state state;
		enum ha_role role;
		uint64_t term;
		uint16_t priority;
		uint64_t heard_ms;
		struct ha_sync_progress sync;
		bool verdicts; /* complete: servers_up is valid */
		uint32_t servers_up;
	} peer;
	uint32_t keepalive_ms, deadtime_ms;
	char deadtime_reason[ROLE_REASON_LEN];
	uint32_t deadtime_supported_ms; /* 0: not measured yet */
	uint32_t near_takeovers;	/* struct role_timers, nearly */
	bool realtime;			/* the threads of heartbeats have their priority */
	bool verdicts;
	uint32_t servers, servers_up;
	bool sees_more; /* the backup sees more servers up than the active router */
	uint8_t n_paths, n_links;
	struct ha_path_status paths[HA_PATHS];
	struct ha_witness_status witnesses[ROLE_MAX_VIP_LINKS];
	struct ha_claim_status claims[HA_CLAIMS_SHOWN]; /* those that are not forgotten */
	uint8_t n_claims;
	uint64_t transitions[ROLE_N_ROWS];
	uint64_t refused_stops;
	/* Lateness of the loop's timer over the last 10 s: median, 99th percentile, maximum. */
	uint64_t late_p50_us, late_p99_us, late_max_us;
	struct ha_counters counters;
	uint64_t relayed;
	struct ha_sync_status {
		/* All connections of the active router are here, and their services are known. */
		bool synchronised;
		bool peer_synchronised, behind;
		uint64_t sent, received; /* records: connections and their changes */
		uint64_t datagrams, repeated;
		uint32_t under_way;	   /* datagrams not acknowledged yet */
		uint32_t transfers, sheds; /* transfers of all connections; sheds of changes */
		uint32_t unbound; /* waiting connections of services or servers unknown here */
		uint64_t unknown, unreadable, refused, unbound_refused;
		uint64_t not_fresh;		  /* authentic datagrams that were not fresh */
		uint64_t refused_as[HA_WIRE_MAX]; /* others, by enum ha_wire_error */
	} sync;
	uint64_t heard[HA_VERDICTS]; /* authentic messages by enum ha_verdict */
};

struct ha_options {
	struct ha_config config;
	struct ha_host host;
	struct published *pub;
	struct sync_access access;	  /* with a peer */
	struct identity_feed *identities; /* of control; with a peer */
	int spawn_fd; /* spawner_take_fd(): taken over; -1 = no programs can be run */
	/* The tables have connections of the process before, served under kept_term. */
	bool kept;
	uint64_t kept_term;
};

/* Starts the thread on the CPUs of the caller. A router with a peer begins inactive. A router
 * without a peer is active at once. 0 or -errno with a sentence in error. */
int ha_start(const struct ha_options *options, struct ha **out, char error[ERROR_TEXT]);
/* Before the end of the process: an active router with a synchronised peer hands over, and relays
 * late frames. 0 or -ENOMEM. */
int ha_leave(struct ha *ha);
/* Waits for the end of the hand-over. *dump: no other router has the connections. *term: the term
 * served under, or the highest known. 0, or -ETIMEDOUT with *dump false. */
int ha_left(struct ha *ha, uint32_t timeout_ms, bool *dump, uint64_t *term);
/* Ends the thread and frees all its memory. NULL is allowed. */
void ha_stop(struct ha *ha);

/* --- Any thread but workers; no wait. 0 or -ENOMEM. --------------------------------- */

/* Sets timers, witnesses and keys. Paths, cluster and role need a restart. */
int ha_configure(struct ha *ha, const struct ha_config *config);
/* Replaces the list of addresses that are announced. */
int ha_set_addresses(struct ha *ha, const struct ha_address *list, uint32_t n);
/* The digest of the shared configuration. */
int ha_set_digest(struct ha *ha, const uint8_t digest[HA_DIGEST_BYTES]);
/* The version of the shared configuration, its digest with it. Copied. */
int ha_set_version(struct ha *ha, const struct version *version);
int ha_set_verdicts(struct ha *ha, const struct ha_verdicts *verdicts);

/* done is called on the ha thread, once: rc 0 or -errno, with a sentence. */
typedef void ha_command_done(void *arg, int rc, const char *text);
int ha_command(struct ha *ha, enum role_command command, bool force, ha_command_done *done,
	       void *arg);

/* Sends a block of bytes to the peer, which answers with another; one at a time. done is called on
 * the ha thread, once: rc 0 with the answer (borrowed), or -errno (-EBUSY, -EMSGSIZE, -ENOTCONN: no
 * peer is heard, -ETIMEDOUT, -ECONNRESET, -EBADMSG: the peer answers in clear) without. Copied.
 * Both ways are encrypted. */
typedef void ha_asked(void *arg, int rc, const void *bytes, size_t len);
int ha_ask(struct ha *ha, const void *bytes, size_t len, ha_asked *done, void *arg);
int ha_answer(struct ha *ha, uint32_t id, const void *bytes, size_t len);

/* A counter of rounds, at least a hundred a second. Any thread, relaxed loads. */
const uint64_t *ha_progress(const struct ha *ha);
/* The status as of the last round of the ha thread; never blocks that thread. */
void ha_status(struct ha *ha, struct ha_status *out);

#endif
