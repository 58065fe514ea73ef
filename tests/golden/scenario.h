/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_GOLDEN_SCENARIO_H
#define PLVS_TESTS_GOLDEN_SCENARIO_H

/*
 * A recorded scenario, played against a plvs. recorded/README.md describes the format.
 *
 * What a recording says and how its packets and verdicts read is the same wherever it is
 * played (recording.c, scenario.c, traffic.c, lines.c). Where that is, is a `struct place`:
 * inside.c, the real configuration, builder and stages with one worker, ring ports and
 * virtual time; live.c, a plvs of its own process with real frames and a real clock.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "lib/packet.h"

enum { PORT_CLIENT, PORT_SERVER, PORTS };

/* A connection that the scenario made, for `close` and `rst`. */
struct played {
	struct addr client, dest;
	be16 cport, dport;
	bool nat, closed;
	bool tunnel; /* nat is false */
	struct endpoint server;
};

struct scenario;

struct router {
	/* plvs runs with this `shared` part (borrowed); router_mac[] is known. */
	int (*open)(struct scenario *s, json_t *shared);
	void (*close)(struct scenario *s);
	/* server.add, server.edit, server.delete; object is what to set (borrowed). */
	int (*change)(struct scenario *s, const char *op, const char *service, const char *server,
		      json_t *object);
	/* service.edit */
	int (*edit)(struct scenario *s, const char *service, json_t *set);
	/* A frame arrives at a port. What comes of it has come when this returns. */
	void (*send)(struct scenario *s, unsigned int port, const uint8_t *frame, size_t len);
	/* The next frame that plvs sent out of a port; its length, 0: none. */
	size_t (*take)(struct scenario *s, unsigned int port, uint8_t frame[FRAME_MAX]);
	/* Frames went to a Linux that is not there to answer. */
	bool (*left_to_linux)(struct scenario *s);
	/* A connection that plvs still has. */
	bool (*has)(struct scenario *s, uint8_t proto, const struct played *c);
	/* Time goes on. -ETIME: not by so much; the scenario ends here. */
	int (*sleep)(struct scenario *s, unsigned int seconds);
	/* The listings as the recordings have them. New references. */
	json_t *(*list)(struct scenario *s);
	json_t *(*stats)(struct scenario *s);
	json_t *(*conns)(struct scenario *s);
	/* Every packet that came in left by one door. */
	bool (*doors_add_up)(struct scenario *s, char text[256]);
};

extern const struct router router_inside;
/* A plvs of its own, as `stand` (borrowed, for good) says: see live.c. */
const struct router *router_live(json_t *stand);

struct scenario {
	const struct router *router;
	void *at; /* of the router */
	json_t *doc;
	const char *name;
	struct mac router_mac[PORTS];
	struct played *played;
	uint32_t n_played, max_played;
	json_t *decisions; /* as in the recordings */
	uint32_t step;	   /* "i" of the next one */
	uint32_t wrong;	   /* packets that came out, but not as they should */
	uint32_t skipped;  /* events that were not played */
	char error[512];   /* why it could not run, or why events were skipped */
};

/* 0; -ENOTSUP: needs something that plvs refuses as not supported yet; another -errno: the
 * file is not a scenario. error says why. */
int scenario_open(struct scenario *s, const struct router *router, const char *path);
void scenario_close(struct scenario *s);
/* Plays the events; decisions are then complete unless some were skipped. 0 or -errno. */
int scenario_play(struct scenario *s);
/* The listing at the end, as the recordings have it: {list, stats, conns}. New reference. */
json_t *scenario_final(struct scenario *s);
/* Fills error and returns ret. */
int scenario_fail(struct scenario *s, int ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* --- recording.c: from the recording's words to plvs's ------------------------------- */

const char *text_of(const json_t *o, const char *key);
int number_of(const json_t *o, const char *key, int def);
/* Writes "10.1.0.100:80", "[2001:db8::1]:80" or, without a port, the address. */
const char *recording_endpoint(const char *addr, int port, char buf[ENDPOINT_STRLEN]);
/* The configuration's `shared`. New reference. */
json_t *recording_shared(const json_t *doc);
/* tcp:10.1.0.100:80 or fwmark:1. Caller frees, here and below. */
char *recording_service_key(const json_t *svc);
char *recording_server_name(const json_t *srv, const json_t *svc);
/* A server's object of the configuration. New reference. */
json_t *recording_server(const json_t *srv, const json_t *svc, bool with_address);
/* Sets the keys of a policy that the sysctls mean. The first that plvs has nothing like, or
 * NULL. */
const char *recording_sysctls(json_t *policy, const json_t *sysctls);

/* --- traffic.c: packets of a client and of servers, decided by what comes out --------- */

/* A decision: what a SYN or a datagram led to. server is not set when refused. */
struct verdict {
	bool forwarded, nat, tunnel;
	struct endpoint server;
	char reply[16]; /* "icmp 3/3", "rst", "" */
};

struct verdict traffic_first(struct scenario *s, uint8_t proto, const struct played *c);
/* The rest of a handshake. DR: only the client's ACK crosses the director. */
void traffic_establish(struct scenario *s, const struct played *c);
void traffic_close(struct scenario *s, const struct played *c);
void traffic_reset(struct scenario *s, const struct played *c);
void traffic_reply(struct scenario *s, const struct played *c);
/* Whoever sits behind an address: the recordings name DR servers by this MAC. Of IPv6 addresses the
 * MAC is a number that the address gets when it is first asked for. */
struct mac traffic_mac(const struct addr *addr);
/* False: no such address was asked for. */
bool traffic_mac_addr(const struct mac *mac, struct addr *addr);

/* --- lines.c: the lines of ipvsadm and of the kernel's connection table --------------- */

struct service_words {
	char name[96]; /* "TCP  10.1.0.100:80", "FWM  1" */
	const char *scheduler;
	bool fallback, port; /* flags of sh and mh */
	bool one_packet;
	bool v6;
	unsigned int persist_s, netmask_len;
};

struct traffic_words {
	uint64_t conns, in_pkts, out_pkts, in_bytes, out_bytes;
};

/* Each appends one line. */
void line_service(json_t *list, const struct service_words *w);
void line_server(json_t *list, const char *name, const char *method, unsigned int weight,
		 unsigned int active, unsigned int inactive);
void line_stats(json_t *list, const char *name, const struct traffic_words *w);
void line_conn(json_t *list, const char *proto, const char *const endpoints[3], const char *state);
/* In the order of strcmp(). */
void lines_sort(json_t *list);

#endif
