/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_HA_INTERNAL_H
#define PLVS_HA_HA_INTERNAL_H

/* Declarations that the files of the ha thread share. Context: the ha thread, but for the messages
 * and the status, which have a lock each. */

#include <pthread.h>
#include <semaphore.h>

#include <event2/event.h>

#include "base/error_text.h"
#include "base/clock.h"
#include "base/lateness.h"
#include "ha/net/announce.h"
#include "ha/net/discovery.h"
#include "ha/net/frame_link.h"
#include "ha/wire/bulk.h"
#include "ha/net/claim.h"
#include "ha/role/freshness.h"
#include "ha/sync/identity.h"
#include "ha/ha.h"
#include "ha/wire/keys.h"
#include "ha/loop_stall.h"
#include "ha/net/path.h"
#include "ha/role/role.h"
#include "ha/sync/sync_recv.h"
#include "ha/sync/sync_send.h"
#include "ha/net/witness.h"
#include "spawn/notify.h"

#define HA_AREA		  "ha"
#define HA_TICK_MS	  10   /* the most time between two calls of the role machine */
#define HA_SLOW_MS	  1000 /* period of slow work */
#define HA_COMMANDS	  16   /* of operators, under way */
#define HA_QUESTIONS_STEP 8    /* of ha_ask_addresses(), at each poll */
#define HA_DRAIN_BUDGET	  4096

/* A task for the ha thread. run takes over the objects in the union; drop, or NULL, frees them if
 * the thread ends before. */
struct ha_note {
	struct ha_note *next;
	void (*run)(struct ha *ha, struct ha_note *note);
	void (*drop)(struct ha_note *note);
	union {
		struct ha_config *config;
		struct {
			struct ha_address *v;
			uint32_t n;
		} addresses;
		struct {
			uint8_t digest[HA_DIGEST_BYTES];
		} digest;
		struct version *version; /* owned */
		struct ha_verdicts verdicts;
		struct {
			enum role_command command;
			bool force;
			ha_command_done *done;
			void *arg;
		} command;
		struct {
			uint8_t *bytes; /* owned */
			size_t len;
			uint32_t id; /* of an answer */
			ha_asked *done;
			void *arg;
		} block;
	};
};

struct ha_pending {
	ha_command_done *done;
	void *arg;
};

struct ha {
	struct ha_config config;
	struct ha_host host;
	struct published *pub;
	char **notify_argv; /* owned, or NULL */
	int spawn_fd;	    /* until the client has it, or -1 */
	bool kept;	    /* as in struct ha_options */
	uint64_t kept_term;

	/* --- any thread, under lock --- */
	pthread_mutex_t lock;
	struct ha_note *first, *last;
	bool stopping;
	pthread_mutex_t status_lock;
	struct ha_status status;
	sem_t left; /* posted once, when the machine lets the process end */
	bool has_left, dump;
	uint64_t left_term;

	/* --- the ha thread --- */
	pthread_t thread;
	bool running;
	sem_t started; /* the thread has made its parts, or failed */
	int start_ret;
	char *start_error; /* [256], of the caller */
	int note_fd;
	struct event_base *base;
	struct event *note_ev, *tick_ev, *slow_ev, *soon_ev;
	/* An event for the machine: see ha_post(). */
	void (*post)(struct ha *ha, const struct role_event *event);
	struct lateness lateness; /* of the loop, at each tick */
	struct ha_counters counters;
	uint64_t progress; /* rounds; ha: wo, main: ro */
	bool realtime;	   /* SCHED_FIFO */

	struct role role;
	struct freshness fresh;
	struct ha_keys keys;
	struct ha_pending pending[HA_COMMANDS];
	uint32_t n_pending;
	/* The state of the parts: each file knows its own alone. */
	struct vip_links *vips;
	struct heartbeat_paths *beats;
	struct peer_frames *frames;
	struct peer_connections *copies;
	struct peer_request *blocks;
	struct bulk bulk; /* blocks of bytes: peer_connections receives, peer_request begins */
	struct sync_access access;
	struct identity_feed *identities;
	struct spawn_client *spawn; /* NULL: no programs */
	struct notify *notify;	    /* NULL: no notify program */
	uint64_t grace_until_ms;    /* 0: none */
	struct relay *relay;	    /* published, or NULL */
	uint64_t relayed, relayed_us;
	struct retire_list retired;
	uint8_t config_digest[HA_DIGEST_BYTES];
	struct version version; /* none: its id */
	struct ha_verdicts verdicts;
};

/* A clock that runs on while the machine is suspended, so that a suspension shows as lateness. */
static inline uint64_t ha_now_us(void)
{
	return clock_boot_us();
}

static inline uint64_t ha_now_ms(void)
{
	return ha_now_us() / 1000;
}

/*
 * The files in order: each calls those above it only (tests/lint/files-call-one-way).
 *
 *	ha_mailbox		messages from other threads
 *	vip_links		ARP and ND on the links of VIPs
 *	heartbeat_paths		paths to the peer, ports, stalls
 *	peer_frames		heartbeats in Ethernet frames on the links of VIPs
 *	peer_connections	copies of connections
 *	peer_request		blocks of bytes from and for control
 *	ha_status		the status that other threads read
 *	role_driver		the only caller of the role machine; carries out its decisions
 *	ha_request		what the mailbox brings
 *	ha			life of the thread and of its parts
 */

/* Gives an event of a part to the machine. When the function returns, the actions are done. */
static inline void ha_post(struct ha *ha, const struct role_event *event)
{
	ha->post(ha, event);
}

/* Polls the parts once more in this round of the loop, after all waiting sockets. */
static inline void ha_poll_soon(struct ha *ha)
{
	event_active(ha->soon_ev, EV_TIMEOUT, 0);
}

/* A part of the thread. Any member may be NULL. A part that did not start is stopped as well. */
struct ha_part {
	int (*start)(struct ha *ha, char error[ERROR_TEXT]); /* 0 or -errno with a sentence */
	void (*stop)(struct ha *ha);
	/* Reads all sockets, so that waiting messages come before timers. */
	void (*drain)(struct ha *ha);
	/* At each tick and after a wake-up. Returns milliseconds until the next call. */
	uint32_t (*poll)(struct ha *ha);
	void (*slow)(struct ha *ha); /* once a second */
	/* The peer has another session: ends work under way with the old one. */
	void (*peer_new)(struct ha *ha);
};

extern const struct ha_part vip_links_part, heartbeat_paths_part, peer_frames_part,
	peer_connections_part, peer_request_part;

/* --- ha_mailbox.c --- */

/* NULL: no memory. */
struct ha_note *ha_note_create(void (*run)(struct ha *ha, struct ha_note *note),
			       void (*drop)(struct ha_note *note));
/* Any thread. */
void ha_note_send(struct ha *ha, struct ha_note *note);
void ha_wake(struct ha *ha);
/* Runs all messages. True: the thread is to end. */
bool ha_mailbox_run(struct ha *ha);
void ha_mailbox_fini(struct ha *ha);

/* --- vip_links.c --- */

/* Begins the questions of ha_ask_addresses(), of which each poll sends a few. */
void vip_links_ask(struct ha *ha);
/* The list of addresses changed. Takes addresses over. */
void vip_links_addresses(struct ha *ha, struct ha_address *addresses, uint32_t count);
/* Announces the addresses; ends that. */
void vip_links_announce(struct ha *ha);
void vip_links_silence(struct ha *ha);
/* Any thread: questions since the start. */
uint64_t vip_links_questions(const struct ha *ha);
/* The witnesses changed. 0 or -ENOMEM. */
int vip_links_witnesses(struct ha *ha);
/* Claims of active addresses by other stations, and witnesses. */
void vip_links_status(const struct ha *ha, struct ha_status *out);
/* The peer's MAC on a link, from its messages, or else likely from ARP and ND. False: not known. */
bool vip_links_peer_mac(const struct ha *ha, uint8_t link, struct mac *out);

/* --- heartbeat_paths.c --- */

/* Tells the machine of ports that changed. */
void ha_ports_look(struct ha *ha);
void heartbeat_paths_status(const struct ha *ha, struct ha_status *out);
/* Of path i, which is open or not. */
const struct path_state *heartbeat_path_state(const struct ha *ha, uint8_t i);
/* By how much the tick comes late, or a thread that heartbeats go through stood still. */
uint64_t heartbeat_paths_late(struct ha *ha, uint64_t now_us);
/* Sends a copy on every path. */
void heartbeat_paths_send(struct ha *ha, struct ha_message *msg);
/* Judges an authentic datagram of a path or frame, and gives it to the machine. *believed: the
 * datagram is of the peer's present session. */
enum ha_wire_error heartbeat_received(struct ha *ha, uint8_t path, const struct ha_envelope *e,
				      const uint8_t *payload, bool *believed);

/* --- peer_frames.c --- */

/* Sends a copy on each VIP link that is due: role_frame_period(). */
void peer_frames_send(struct ha *ha, const struct ha_message *msg);
void peer_frames_status(const struct ha *ha, struct ha_status *out);

/* --- peer_connections.c --- */

#define HA_SYNC_PORT_OFFSET 1 /* sockets of its own, a port above those of heartbeats */
#define HA_SYNC_BUFFER	    (4U << 20)

/* Sends a datagram by the best path. */
void peer_datagram_send(struct ha *ha, uint8_t type, const void *bytes, size_t len);
void peer_connections_flush(struct ha *ha, uint32_t flush);
/* Before this router serves VIPs: gives the peer's connections to the workers. */
void peer_connections_take_over(struct ha *ha);
void peer_connections_status(const struct ha *ha, struct ha_sync_status *out);
/* Tells the role machine the state of this router. */
void ha_known_tell(struct ha *ha);

/* --- ha_status.c --- */

/* wait: also if a reader has the lock now. */
void ha_status_publish(struct ha *ha, bool wait);

/* --- role_driver.c --- */

/* Runs an event through the role machine, and carries out the actions. */
void ha_step(struct ha *ha, const struct role_event *event);
/* Ends grace when its time is over, and notes whether frames are still relayed. */
void ha_act_tick(struct ha *ha, uint64_t now_us);

#endif
