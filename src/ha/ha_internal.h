/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_HA_INTERNAL_H
#define PLVS_HA_HA_INTERNAL_H

/* What the files of the ha thread share. Context: the ha thread, but for the messages and the
 * status, which have a lock each. */

#include <pthread.h>
#include <semaphore.h>

#include <event2/event.h>

#include "base/lateness.h"
#include "ha/net/announce.h"
#include "ha/net/arp.h"
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

#define HA_AREA		"ha"
#define HA_TICK_MS	10   /* at the longest, between two looks at the machine's time */
#define HA_SLOW_MS	1000 /* what does not hurry */
#define HA_COMMANDS	16   /* of operators, under way */
#define HA_DRAIN_BUDGET 4096

/* Something to do on the ha thread. */
struct ha_note {
	struct ha_note *next;
	void (*run)(struct ha *ha, struct ha_note *note);
	union {
		struct ha_config *config;
		struct {
			struct ha_address *v;
			uint32_t n;
		} addresses;
		struct {
			uint8_t digest[HA_DIGEST_BYTES];
		} digest;
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

struct ha_link {
	struct ha *ha;
	struct arp_socket arp; /* fd -1: tried again */
	struct event *event;
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
	sem_t started; /* the thread has made its parts, or could not */
	int start_ret;
	char *start_error; /* [256], of the caller */
	int note_fd;
	struct event_base *base;
	struct event *note_ev, *tick_ev, *slow_ev;
	struct late late;
	struct lateness lateness; /* of the loop, at each tick */
	uint64_t late_times;

	struct role role;
	struct freshness fresh;
	uint64_t verdicts_of[HA_VERDICTS]; /* authentic messages, by what they were judged */
	struct ha_keys keys;
	struct path *paths[HA_PATHS];
	struct ha_pending pending[HA_COMMANDS];
	uint32_t n_pending;
	/* What paths refused when it was last said, and when; 0: never. */
	uint64_t refused[HA_PATHS][HA_WIRE_MAX], refused_us[HA_PATHS];

	struct ha_address *addresses;
	uint32_t n_addresses;
	struct ha_port_role ports[HA_MAX_PORT_ROLES];
	struct ha_link links[ROLE_MAX_VIP_LINKS];
	struct witnesses *witnesses;
	struct announcer *announcer;
	struct claims *claims;
	uint64_t asked_us; /* witnesses, last */
	/* Connections; send NULL: there is no peer. */
	struct sync_door door;
	struct identity_feed *identities;
	struct identity *identity;
	struct sync_send *send;
	struct sync_recv *recv;
	struct path *sync_paths[HA_PATHS];
	struct event *sync_ev;
	struct ha_channel sync_channel;
	uint64_t sync_sequence;
	uint64_t sync_not_fresh; /* authentic datagrams that were not believed */
	uint32_t sync_mode;	 /* SYNC_* */
	bool sync_sending, told_identity;
	struct ha_sync_progress sync_progress; /* as the machine was told */
	bool flush_wanted;
	uint32_t flush, flush_number; /* of the machine, of the sender */
	/* Blocks of bytes: what was asked, by its id; 0: nothing. */
	struct bulk bulk;
	uint32_t asked_id;
	uint64_t asked_ms;
	ha_asked *asked_done;
	void *asked_arg;
	struct spawn_client *spawn; /* NULL: no programs */
	struct notify *notify;	    /* NULL: nobody is told */
	uint64_t grace_until_ms;    /* 0: none */
	struct relay *relay;	    /* published, or NULL */
	uint64_t relayed, relayed_us;
	struct retire_list retired;
	uint8_t config_digest[HA_DIGEST_BYTES];
	struct ha_verdicts verdicts;
};

uint64_t ha_now_us(void);
static inline uint64_t ha_now_ms(void)
{
	return ha_now_us() / 1000;
}

/* --- act.c: what the machine decided. --- */

/* One event through the machine, and its actions carried out. */
void ha_step(struct ha *ha, const struct role_event *event);
/* Flags of published.vip_flags. */
void ha_flag(struct ha *ha, uint32_t flag, bool on);
/* Ends grace, and asks whether anything is still relayed. */
void ha_act_tick(struct ha *ha, uint64_t now_us);

/* --- hear.c: paths, ports, stalls. --- */

int ha_hear_start(struct ha *ha, char error[256]);
void ha_hear_stop(struct ha *ha);
/* All that waits in sockets, so that no timer is believed over it. */
void ha_hear_drain(struct ha *ha);
void ha_hear_slow(struct ha *ha);
/* Tells the machine of ports that changed. */
void ha_ports_look(struct ha *ha);
/* Has the threads watched that heartbeats go through. */
void ha_watch_start(struct ha *ha, uint64_t now_us);
/* A copy on every path. */
void ha_send_all(struct ha *ha, struct ha_message *msg);

/* --- neighbours.c: ARP on the links of VIPs. --- */

int ha_neighbours_start(struct ha *ha);
void ha_neighbours_stop(struct ha *ha);
void ha_neighbours_drain(struct ha *ha);
void ha_neighbours_tick(struct ha *ha, uint64_t now_us);
void ha_neighbours_slow(struct ha *ha);
/* The list of addresses changed. */
void ha_neighbours_addresses(struct ha *ha);
/* The witnesses changed. 0 or -ENOMEM. */
int ha_neighbours_witnesses(struct ha *ha);

/* --- connections.c: synchronisation. --- */

#define HA_SYNC_PORT_OFFSET 1 /* sockets of its own, a port above those of heartbeats */
#define HA_SYNC_BUFFER	    (4U << 20)

int ha_connections_start(struct ha *ha, char error[256]);
void ha_connections_stop(struct ha *ha);
void ha_connections_drain(struct ha *ha);
void ha_connections_slow(struct ha *ha);
/* Milliseconds until it wants to be called again. */
uint32_t ha_connections_poll(struct ha *ha);
/* The peer has another session. */
void ha_connections_peer_new(struct ha *ha);
/* A datagram by the path that serves best. */
void ha_datagram_send(struct ha *ha, uint8_t type, const void *bytes, size_t len);
void ha_connections_flush(struct ha *ha, uint32_t flush);
void ha_connections_take_over(struct ha *ha);
void ha_connections_status(const struct ha *ha, struct ha_sync_status *out);

/* --- ask.c: blocks of bytes. --- */

void ha_ask_init(struct ha *ha);
void ha_ask_fini(struct ha *ha);
void ha_ask_tick(struct ha *ha);
/* The peer has another session, or is not heard any more. */
void ha_ask_reset(struct ha *ha);
void ha_note_free_block(struct ha_note *note);

/* --- ha.c --- */

struct ha_note *ha_note_create(void (*run)(struct ha *ha, struct ha_note *note));
void ha_note_send(struct ha *ha, struct ha_note *note);

/* What this router knows of itself, to the machine. */
void ha_known_tell(struct ha *ha);

/* --- status.c --- */

void ha_status_publish(struct ha *ha, bool wait);

#endif
